"""Which image, and which one that is: a tag may be another tomorrow, what it stands for may not."""

from __future__ import annotations

import os
import re
import subprocess
from typing import Literal

from lamella.container.model import ContainerSettings, Engine
from lamella.container.running import SAID, Said, followed, platform, silence
from lamella.errors import ConfigError, OfflineError, OutsideError
from lamella.facts.tables import images

_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})$")
# Go's names, as images have them
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


def image_of(settings: ContainerSettings, kind: Literal["build", "run"], runtime: str, architecture: str) -> str:
    """The reference of the configured image, else of AWS's own.  Raises ConfigError where there is neither."""
    configured = dict(settings.build_images if kind == "build" else settings.run_images).get(runtime)
    known = images(runtime)
    if configured is None and known is None:
        raise ConfigError(
            f"no {kind} image of {runtime} is known",
            hint=f'name one: `[tool.lamella.container] {kind}-image = {{ "{runtime}" = "…" }}`',
        )
    reference = configured or getattr(known, kind)
    return str(reference).replace("{architecture}", architecture)


def pinned(reference: str) -> str | None:
    """The digest in a reference by digest, which is the same image for ever; None for any other."""
    found = _DIGEST.search(reference)
    return found[1] if found else None


def refuse_absent(engine: Engine, reference: str, architecture: str) -> None:
    """Raises OfflineError where the image is not here, so that it would have to be pulled."""
    found = _here(engine, reference)
    if found is None or found[1] != architecture:
        raise OfflineError(
            f"`{reference}` would have to be pulled, and `--offline` was given",
            hint=f"run `{engine.kind} pull {reference}` once, or leave `--offline` out",
        )


def identity(engine: Engine, reference: str, architecture: str, said: Said = silence) -> str:
    """What names the image's content: its digest, where the reference has it, else its ID (``sha256:…``).

    An image that is not here is pulled, with each line of the engine's log going to `said`.
    Raises OutsideError where that fails.
    """
    if digest := pinned(reference):
        return digest
    found = _here(engine, reference)
    if found is None or found[1] != architecture:
        _pull(engine, reference, architecture, said, here=found[1] if found else "")
        found = _here(engine, reference)
    if found is None:
        raise OutsideError(
            f"{engine.kind} pulled `{reference}` and does not have it", hint=f"look at `{engine.kind} images`"
        )
    if found[1] != architecture:
        raise OutsideError(
            f"`{reference}` is an image for {found[1]}, not for {architecture}",
            hint="name one for the architecture in `[tool.lamella.container]`",
        )
    return found[0]


def _here(engine: Engine, reference: str) -> tuple[str, str] | None:
    """The ID and architecture of the local image; None for none."""
    command = [engine.program, "image", "inspect", "--format", "{{.Id}} {{.Architecture}}", reference]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    words = done.stdout.split()
    if done.returncode or len(words) != 2:
        return None
    return f"sha256:{words[0].removeprefix('sha256:')}", _ARCHITECTURES.get(words[1], words[1])


def _pull(engine: Engine, reference: str, architecture: str, said: Said, *, here: str) -> None:
    said(f"{SAID}pulling {reference}")
    command = [engine.program, "pull", "--platform", platform(architecture), reference]
    code, lines = followed(command, os.environ, said)
    if code:
        # Before its last word podman repeats how often it tried
        why = [line for line in lines if line.lower().startswith("error")][-1:] or list(lines[-3:])
        if here:
            why.insert(0, f"the image of that name that is here is for {here}, not for {architecture}")
        raise OutsideError(
            f"`{engine.kind} pull {reference}` failed",
            why=why,
            hint="check the reference, the network, and whether the registry wants a login",
        )
