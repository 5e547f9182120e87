"""What a wheel's `.dist-info` says: pure parsing of bytes that were proven before.

PyPA: "Binary distribution format", "Recording installed projects", "Core metadata", "Entry points".
"""

from __future__ import annotations

import configparser
import csv
import io
import re
from typing import NamedTuple

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from lamella.archive import names
from lamella.archive.directory import refuse
from lamella.wording import printable

_ENTRY_POINT = re.compile(r"\s*([\w.]+)\s*:\s*([\w.]+)\s*(?:\[.*\])?\s*")


class Row(NamedTuple):
    """A line of RECORD: `digest` is urlsafe base64 without padding; both texts are empty where it has no hash."""

    algorithm: str
    digest: str
    size: int | None


class Metadata(NamedTuple):
    """The fields of METADATA that are used; `requires` are Requires-Dist lines as they stand."""

    name: str
    version: str
    requires: tuple[str, ...]
    requires_python: str | None


def is_dist_info(directory: str, name: str, version: Version) -> bool:
    """Tell whether `NAME-VERSION.dist-info` (or `.data`) belongs to this distribution (a normalized name)."""
    stem = directory.rpartition(".")[0]
    written, _, number = stem.rpartition("-")
    try:
        return canonicalize_name(written) == name and Version(number) == version
    except InvalidVersion:
        return False


def parse_record(data: bytes, filename: str, member: str) -> dict[str, Row]:
    """Read RECORD into rows by path.  Two lines for one path must be equal."""
    rows: dict[str, Row] = {}
    try:
        for fields in csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True):
            if not fields:
                continue
            path, spec, size = fields
            algorithm, separator, digest = spec.partition("=")
            if bool(spec) != bool(separator and digest) or (size and not (size.isascii() and size.isdigit())):
                raise ValueError
            row = Row(algorithm, digest.rstrip("="), int(size) if size else None)
            if rows.setdefault(path, row) != row:
                refuse(filename, f"it has two different lines for `{printable(path)}`", member)
    except (ValueError, csv.Error):
        refuse(filename, "it is no table of paths, hashes and sizes", member)
    return rows


def parse_metadata(data: bytes, filename: str, member: str) -> Metadata:
    """Read METADATA.  A Requires-Python that means nothing is left out, as pip does."""
    raw, _ = parse_email(data)
    name, version = raw.get("name"), raw.get("version")
    if not name or not version:
        refuse(filename, "it has not exactly one Name and one Version", member)
    try:
        Version(version)
    except InvalidVersion:
        refuse(filename, f"its Version `{printable(version)}` is no version (PEP 440)", member)
    requires = tuple(raw.get("requires_dist", ()))
    for line in requires:
        try:
            Requirement(line)
        except InvalidRequirement:
            refuse(filename, f"its Requires-Dist `{printable(line)}` is no requirement (PEP 508)", member)
    requires_python = raw.get("requires_python")
    try:
        SpecifierSet(requires_python or "")
    except InvalidSpecifier:
        requires_python = None
    return Metadata(canonicalize_name(name), version, requires, requires_python)


def parse_wheel(data: bytes, filename: str, member: str) -> bool:
    """Read WHEEL; return Root-Is-Purelib.  A major version above 1 is refused, as the specification asks."""
    fields: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        key, separator, value = line.partition(":")
        if separator:
            fields.setdefault(key.strip().lower(), value.strip())
    version = fields.get("wheel-version", "")
    if not re.fullmatch(r"1(\.\d+)*", version):
        refuse(filename, f"its Wheel-Version is `{printable(version)}`; version 1 is understood", member)
    return fields.get("root-is-purelib", "").lower() == "true"


def parse_scripts(data: bytes, filename: str, member: str) -> tuple[tuple[str, str], ...]:
    """Read the console and gui scripts of entry_points.txt as (name, "module:object"), sorted."""
    parser = configparser.ConfigParser(delimiters=("=",), strict=False, interpolation=None, default_section="")
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    try:
        parser.read_string(data.decode("utf-8-sig"))
    except (configparser.Error, UnicodeDecodeError):
        refuse(filename, "it can't be read as a list of entry points", member)
    scripts: dict[str, str] = {}
    for section in ("gui_scripts", "console_scripts"):
        if not parser.has_section(section):
            continue
        for name, target in parser.items(section):
            matched = _ENTRY_POINT.fullmatch(target)
            if matched is None or "/" in name or names.objection(name) is not None:
                refuse(filename, f"its script `{printable(name)}` is no name of a function", member)
            scripts[name] = f"{matched[1]}:{matched[2]}"
    return tuple(sorted(scripts.items()))
