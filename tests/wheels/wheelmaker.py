"""Small valid wheels, made in memory (PyPA spec: binary distribution format)."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping

FIXED_TIME = (2020, 2, 2, 0, 0, 0)


def make_wheel(
    name: str,
    version: str,
    files: Mapping[str, str | bytes],
    *,
    tag: str = "py3-none-any",
    requires: Iterable[str] = (),
    entry_points: Mapping[str, Iterable[str]] | str | None = None,
    requires_python: str | None = None,
    purelib: bool | None = None,
    modes: Mapping[str, int] | None = None,
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """The bytes of a wheel whose RECORD is right.

    `files` maps archive names to contents and may replace any of the `.dist-info` files but RECORD.
    `entry_points` is {"console_scripts": ["run = demo:main"]} or the text of entry_points.txt.
    `modes` gives permission bits a file (0o644 otherwise).  `purelib` is told from the tag when left out.
    The same arguments give the same bytes on one machine.
    """
    info = dist_info(name, version)
    contents = {path: _bytes(content) for path, content in files.items()}
    own = {
        f"{info}/METADATA": _metadata(name, version, requires, requires_python),
        f"{info}/WHEEL": _wheel(tag, tag.endswith("-none-any") if purelib is None else purelib),
    }
    if entry_points is not None:
        own[f"{info}/entry_points.txt"] = _entry_points(entry_points)
    members = {**contents, **{path: _bytes(text) for path, text in own.items() if path not in contents}}
    record = f"{info}/RECORD"
    members[record] = _record(members, record)
    return _zip(members, modes or {}, method)


def wheel_filename(name: str, version: str, *, tag: str = "py3-none-any") -> str:
    """`demo-1.0-py3-none-any.whl`, with the name escaped as the specification says."""
    return f"{_escaped(name)}-{version}-{tag}.whl"


def dist_info(name: str, version: str) -> str:
    """`demo-1.0.dist-info`."""
    return f"{_escaped(name)}-{version}.dist-info"


def sha256(content: bytes) -> str:
    """The hex digest, as locks write it."""
    return hashlib.sha256(content).hexdigest()


def _escaped(name: str) -> str:
    return name.replace("-", "_").replace(".", "_").lower()


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _metadata(name: str, version: str, requires: Iterable[str], requires_python: str | None) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    if requires_python:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return "\n".join(lines) + "\n"


def _wheel(tag: str, purelib: bool) -> str:
    interpreters, abis, platforms = tag.split("-")
    tags = [
        f"Tag: {interpreter}-{abi}-{platform}"
        for interpreter in interpreters.split(".")
        for abi in abis.split(".")
        for platform in platforms.split(".")
    ]
    head = ["Wheel-Version: 1.0", "Generator: wheelmaker", f"Root-Is-Purelib: {str(purelib).lower()}"]
    return "\n".join([*head, *tags]) + "\n"


def _entry_points(groups: Mapping[str, Iterable[str]] | str) -> str:
    if isinstance(groups, str):
        return groups
    return "".join("\n".join([f"[{group}]", *lines, ""]) for group, lines in groups.items())


def _record(members: Mapping[str, bytes], record: str) -> bytes:
    lines = []
    for path, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        quoted = f'"{path}"' if "," in path else path
        lines.append(f"{quoted},sha256={digest},{len(content)}\n")
    return "".join([*lines, f"{record},,\n"]).encode()


def _zip(members: Mapping[str, bytes], modes: Mapping[str, int], method: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, content in members.items():
            info = zipfile.ZipInfo(path, FIXED_TIME)
            info.create_system = 3
            info.external_attr = (0o100000 | modes.get(path, 0o644)) << 16
            info.compress_type = method
            archive.writestr(info, content)
    return made.getvalue()
