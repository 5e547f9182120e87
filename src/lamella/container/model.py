"""A container engine, what it is told, and what is done with it.  Values only."""

from __future__ import annotations

from typing import NamedTuple


class ContainerSettings(NamedTuple):
    """`[tool.lamella.container]`.

    `engine` is "docker" or "podman", "" for whichever is there and answers.  `build_images` and `run_images` are pairs
    of a runtime and the reference of an image; where one is missing, AWS's own is taken (`images.image_of`).
    `packages` are installed by the image's package manager before anything is built; `options` are further arguments
    to `ENGINE build`.
    """

    engine: str = ""
    build_images: tuple[tuple[str, str], ...] = ()
    run_images: tuple[tuple[str, str], ...] = ()
    packages: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


class Engine(NamedTuple):
    """An engine that answered.  `kind` is "docker" or "podman", `program` its path, `version` its own or its daemon's.

    `architecture` is that of the machine that it runs on, in AWS's words.  `options` go to `ENGINE build`.
    """

    kind: str
    program: str
    version: str
    architecture: str
    options: tuple[str, ...] = ()


class Work(NamedTuple):
    """What is done in an image: `steps` are lines of a Containerfile, behind its FROM.

    They may COPY what is in the folder `context` of this machine, and mount the `secrets`, pairs of an id and a file of
    this machine: ``RUN --mount=type=secret,id=…``, and further `folders`, pairs of a name and a path of this machine:
    ``RUN --mount=type=bind,from=NAME,target=…``.  What they leave in the folder `result` of the image comes out.
    """

    image: str
    architecture: str  # in AWS's words
    steps: tuple[str, ...]
    result: str
    context: str
    secrets: tuple[tuple[str, str], ...] = ()
    folders: tuple[tuple[str, str], ...] = ()
