"""The index of an admitted wheel, as it is kept beside it: compact JSON, a list per column of its members."""

from __future__ import annotations

import json
from operator import itemgetter

from lamella.wheels.model import Member, Wheel

# Counts up when a field changes its meaning or admission asks for more; one of another version is made anew
VERSION = 2

_TEXTS = ("name", "version", "filename", "sha256")


def to_json(wheel: Wheel) -> bytes:
    """Write `wheel` without its path: a dictionary whose `members` are eight columns of equal length."""
    columns: list[list[str | int]] = [[member[i] for member in wheel.members] for i in range(len(Member._fields))]
    value: dict[str, object] = {"v": VERSION, **{key: getattr(wheel, key) for key in _TEXTS}}
    value["purelib"] = wheel.purelib
    value["tags"] = wheel.tags
    value["requires"] = wheel.requires
    value["requires_python"] = wheel.requires_python
    value["scripts"] = wheel.scripts
    value["members"] = columns
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def from_json(data: bytes, path: str) -> Wheel:
    """Read what `to_json` wrote; the wheel itself lies at `path`.

    Raises ValueError, KeyError or TypeError for anything else, an index of another version included.
    """
    value = json.loads(data)
    if value["v"] != VERSION:
        raise ValueError(f"an index of version {value['v']}, not {VERSION}")
    name, version, filename, sha256 = itemgetter(*_TEXTS)(value)
    return Wheel(
        name=name,
        version=version,
        filename=filename,
        sha256=sha256,
        path=path,
        purelib=value["purelib"],
        tags=tuple(value["tags"]),
        requires=tuple(value["requires"]),
        requires_python=value["requires_python"],
        scripts=tuple((script, target) for script, target in value["scripts"]),
        members=tuple(map(Member._make, zip(*value["members"], strict=True))),
    )
