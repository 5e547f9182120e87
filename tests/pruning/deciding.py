"""Wheels in, fates out: what the tests of this room share."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.wheels.wheelmaker import make_wheel, wheel_filename

from lamella.config.model import Slimming
from lamella.contents.place import Place, place
from lamella.pruning.decide import Native, decide
from lamella.pruning.model import Fate, File
from lamella.wheels.admit import admit

SAFE = Slimming()
AT = Place("python", "/var/lang/bin/python3.12")


def files_of(path: str, filename: str | None = None) -> list[File]:
    """The files of the wheel at `path`, as they are placed in a layer."""
    wheel = admit(path, filename=filename or os.path.basename(path))
    return [
        File(
            entry,
            entry.path.removeprefix("python/"),
            wheel.name,
            entry.path.startswith("python/"),
        )
        for entry in place(wheel, AT)
    ]


def made(folder: Path, name: str, contents: Mapping[str, str | bytes], **more: object) -> list[File]:
    """The files of a wheel made of `contents`, which lies in `folder`."""
    filename = wheel_filename(name, "1.0")
    path = folder / filename
    path.write_bytes(make_wheel(name, "1.0", contents, **more))  # type: ignore[arg-type]
    return files_of(str(path))


def fates(files: Sequence[File], slimming: Slimming = SAFE, native: Native | None = None) -> dict[str, Fate]:
    """The fate of each file by its path below the folder of importable code."""
    decided = decide(files, slimming, native=native)
    return {file.path: fate for file, fate in zip(files, decided, strict=True)}


def gone(files: Sequence[File], slimming: Slimming = SAFE) -> dict[str, str]:
    """What is dropped, and by which rule."""
    return {path: fate.rule for path, fate in fates(files, slimming).items() if not fate.kept}
