"""Whether what a build was made of is as it was then: told by what the build itself looked at, and kept in the cache.

`build.stamp` asks whether a build would have to look again: any new time of a file says so.  Here only another content
counts, for a person is told.  What is not known for certain (a build of another machine, or of some artifacts only)
counts as unchanged.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lamella.build.stamp import spread
from lamella.cachedir import cache_dir
from lamella.digests import key_of
from lamella.files import settled, state, write_atomic
from lamella.manifest import NAME

if TYPE_CHECKING:
    from lamella.config.model import Settings

_PYPROJECT = "pyproject.toml"
_PIECE = 1 << 20
# What a lock is made from, of its table `project`
_DEPENDENCIES = ("name", "requires-python", "dependencies", "optional-dependencies", "dynamic")
# What tools make beside sources that were read whole
_MADE = ("build", "dist")


def remember(settings: Settings, inputs: Iterable[str], began: int, *, partly: bool) -> None:
    """Keep what the build in `settings.output` was made of.  `began` is its start (ns since 1970).

    What was kept of an earlier one is let go; nothing is kept of a build of some artifacts only (`partly`), or where an
    input changed so shortly before or during the build that nobody knows what was read.  Raises OSError.
    """
    path = _place(settings)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    names = sorted(set(_files(settings, inputs)))
    if partly or not all(settled(name, began) for name in (*names, settings.file)):
        return
    folders = sorted({name.rstrip(os.sep) for name in spread(inputs) if os.path.isdir(name)})
    kept = {
        "manifest": _content(os.path.join(settings.output, NAME)),
        "settings": _meant(settings),
        "files": {name: [state(name), _content(name)] for name in names},
        "folders": {name: state(name) for name in folders},
        "whole": sorted(name for name in inputs if name.endswith(os.sep)),
    }
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write_atomic(path, json.dumps(kept).encode("utf-8", "surrogateescape"), flush=False)


def changes(settings: Settings) -> tuple[str, ...]:
    """What is another now than when `settings.output` was built: paths relative to the project, sorted.

    () where it is the same, or nothing is known.
    """
    try:
        with open(_place(settings), "rb") as file:
            kept = json.loads(file.read())
        if kept["manifest"] != _content(os.path.join(settings.output, NAME)):
            return ()
        found = {name for name, was in kept["files"].items() if _differs(name, was)}
        if kept["settings"] != _meant(settings):
            found.add(settings.file)
        if any(state(name) != was for name, was in kept["folders"].items()):
            found.update(name for name in _there(settings, kept["whole"]) if name not in kept["files"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()
    return tuple(sorted(os.path.relpath(name, settings.root) for name in found))


def _place(settings: Settings) -> str:
    name = f"{key_of(settings.output)[:16]}.built"
    return os.path.join(cache_dir(os.environ), "v1", "stamps", name)


def _files(settings: Settings, inputs: Iterable[str]) -> Iterator[str]:
    """The files among `inputs`, there or not; of folders that were read whole, what may be a source.

    Not the project's own configuration, of which most says nothing of a build.
    """
    for given in inputs:
        for name in spread([given]):
            read = not given.endswith(os.sep) or _is_source(given, name, settings.output)
            if read and not os.path.isdir(name) and name not in (settings.file, _project(settings)):
                yield name


def _is_source(folder: str, name: str, output: str) -> bool:
    parts = os.path.relpath(name, folder).split(os.sep)
    made = any(part[:1] == "." or part in _MADE or part.endswith(".egg-info") for part in parts)
    return not made and not name.startswith(os.path.join(output, ""))


def _there(settings: Settings, whole: Iterable[str]) -> Iterator[str]:
    """The files that a build would look at now: those of functions, and programs in folders that are read whole."""
    from lamella.contents.sources import collect
    from lamella.errors import LamellaError

    for function in settings.functions:
        with contextlib.suppress(LamellaError):  # the build says what is wrong there
            sources = collect(
                settings.root, function.source, function.include, function.exclude, output=settings.output
            )
            yield from (file.absolute for file in sources.files)
    yield from (name for name in _files(settings, whole) if name.endswith(".py"))


def _differs(name: str, was: list[str]) -> bool:
    known, content = was
    return state(name) != known and _content(name) != content


def _content(path: str) -> str:
    """What tells one content of a file, and whether it is a program, from another; "-" where there is none."""
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            crc = 0
            while piece := file.read(_PIECE):
                crc = zlib.crc32(piece, crc)
    except OSError:
        return "-"
    return f"{status.st_size} {crc:08x} {status.st_mode & 0o100}"


def _project(settings: Settings) -> str:
    return os.path.join(settings.root, _PYPROJECT)


def _meant(settings: Settings) -> str:
    """A digest of what the configuration says of a build, and pyproject.toml of the project and its dependencies."""
    from lamella.config.find import load_toml

    layers = [layer._replace(name="") for layer in settings.layers]
    functions = [
        (one.key, one.runtime, one.handler, one.source, one.include, one.exclude, one.layers, one.bundle, one.slimming)
        for one in settings.functions
    ]
    project: dict[str, Any] = load_toml(_project(settings), settings.root) or {}
    tool = project.get("tool")
    own = project.get("project")
    rows = [own.get(name) for name in _DEPENDENCIES] if isinstance(own, dict) else []
    rows += [project.get("dependency-groups"), tool.get("uv") if isinstance(tool, dict) else None]
    return key_of(
        settings.project, settings.architecture, settings.runtimes, settings.lock, settings.allow_build, layers,
        functions, settings.container._replace(engine="", run_images=()), *rows,
    )  # fmt: skip
