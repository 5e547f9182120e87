"""What a wheel's own SBOM lists (PEP 770): read with care, for it comes from outside.

Only what every version of CycloneDX's JSON says the same way is taken; what is malformed is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lamella.sbom.licences import canonical
from lamella.sbom.model import Licence, Part
from lamella.wording import printable

_HASHES = {"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-384": 96, "SHA-512": 128}
_TYPES = frozenset({"application", "framework", "library", "file", "data"})


class Listed(NamedTuple):
    """The parts of one SBOM; `needed` are keys of those that the distribution itself needs."""

    parts: tuple[Part, ...]
    needed: tuple[str, ...]


def read_parts(data: bytes, path: str, name: str) -> Listed | None:
    """Read the SBOM `path` of the distribution `name` (normalized).  None when it is no CycloneDX JSON."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(tree, dict) or tree.get("bomFormat") != "CycloneDX":
        return None
    described = _mapping(_mapping(tree.get("metadata")).get("component"))
    own = {ref for row in _flat([described]) if (ref := _text(row.get("bom-ref")))}
    rows: dict[str, Mapping[str, Any]] = {}
    for number, row in enumerate(_flat(_rows(tree.get("components")))):
        ref = _text(row.get("bom-ref")) or f"{number}"
        if _is(row, name):
            own.add(ref)
        elif ref not in own and _text(row.get("name")):
            rows.setdefault(ref, row)
    needs: dict[str, set[str]] = {}
    for row in _rows(tree.get("dependencies")):
        wanted = row.get("dependsOn")
        # Links are a few bytes each and may be many: only those between known parts are kept
        found = {one for one in wanted if isinstance(one, str)} if isinstance(wanted, list) else set()
        needs.setdefault(_text(row.get("ref")), set()).update(found)
    where = path.rpartition(".dist-info/sboms/")[2]

    def keys(refs: set[str]) -> tuple[str, ...]:
        return tuple(sorted(f"{where}#{printable(ref)}" for ref in refs & rows.keys()))

    parts = [_part(f"{where}#{printable(ref)}", path, row, keys(needs.get(ref, set()))) for ref, row in rows.items()]
    needed = keys({one for ref in own for one in needs.get(ref, ())})
    unique = {part.key: part for part in sorted(parts)}
    return Listed(tuple(unique.values()), needed)


def _part(key: str, path: str, row: Mapping[str, Any], needs: tuple[str, ...]) -> Part:
    kind = _text(row.get("type"))
    return Part(
        key,
        path,
        kind if kind in _TYPES else "library",
        _text(row.get("group")),
        _text(row.get("name")),
        _text(row.get("version")),
        _text(row.get("purl")),
        tuple(_hashes(row)),
        _licence(row),
        needs,
    )


def _hashes(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    seen = set()
    for one in _rows(row.get("hashes")):
        algorithm, digest = _text(one.get("alg")), _text(one.get("content"))
        length = _HASHES.get(algorithm)
        if length == len(digest) and re.fullmatch(r"[0-9a-fA-F]+", digest) and algorithm not in seen:
            seen.add(algorithm)
            yield algorithm, digest.lower()


def _licence(row: Mapping[str, Any]) -> Licence:
    said = []
    for one in _rows(row.get("licenses")):
        licence = _mapping(one.get("license"))
        said.append(_text(one.get("expression")) or _text(licence.get("id")) or _text(licence.get("name")))
    said = [text for text in said if text]
    if len(said) == 1 and (known := canonical(said[0])):
        return Licence(known)
    return Licence(stated=tuple(dict.fromkeys(said)))


def _is(row: Mapping[str, Any], name: str) -> bool:
    """Whether this is the distribution itself, which auditwheel lists beside what it put in."""
    from packaging.utils import canonicalize_name

    return _text(row.get("purl")).startswith("pkg:pypi/") and canonicalize_name(_text(row.get("name"))) == name


def _flat(rows: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Components and those inside of them, in the order of the document."""
    waiting = list(reversed(rows))
    while waiting:
        row = waiting.pop()
        yield row
        waiting += reversed(_rows(row.get("components")))


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    """Text without control characters, which XML can't hold."""
    return printable(value) if isinstance(value, str) else ""
