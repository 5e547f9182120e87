"""What a layer's versions are published with: a description, and the licences of what is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lamella.config.names import DESCRIPTION_LENGTH
from lamella.digests import key_of
from lamella.manifest import Distribution
from lamella.revision import revision

if TYPE_CHECKING:
    from lamella.target import Target
    from lamella.wheels.cache import Cache
    from lamella.wheels.model import Wheel


def describe(project: str, rows: Sequence[Distribution], configured: str = "") -> str:
    """What is configured, or ``project: distribution version, …``: what fits, and the number of the others."""
    if configured:
        return configured
    told = list(dict.fromkeys(f"{row.name} {row.version}" for row in rows))
    start = f"{project}: " if project else ""
    for count in reversed(range(len(told) + 1)):
        rest = len(told) - count
        text = start + ", ".join([*told[:count], *([f"and {rest} more"] if rest else [])])
        if len(text) <= DESCRIPTION_LENGTH:
            return text
    return text[:DESCRIPTION_LENGTH]


def licence(question: str, wheels: Mapping[Target, Sequence[Wheel]], cache: Cache) -> str:
    """The licences that the wheels state, in a line of at most 512 characters.

    The answer is kept for `question`, which names the wheels.  Raises DamagedSourceError.
    """
    known = cache.recall("licences", question)
    if isinstance(known, str):
        return known
    from lamella.sbom.info import in_one_line

    chosen = {wheel.sha256: wheel for found in wheels.values() for wheel in found}
    text = in_one_line((wheel.name, _expression(wheel, cache)) for wheel in chosen.values())
    cache.remember("licences", question, text)
    return text


def _expression(wheel: Wheel, cache: Cache) -> str:
    """The SPDX expression that a wheel's METADATA comes to, or ""."""
    key = key_of(revision(), wheel.sha256)
    known = cache.recall("licences", key)
    if isinstance(known, str):
        return known
    from packaging.metadata import parse_email

    from lamella.archive.entry import Entry, content
    from lamella.sbom.licences import licence_of

    found = ""
    for name, offset, packed, size, crc, packed_crc, method, mode in wheel.members:
        folder, _, file = name.partition("/")
        if file == "METADATA" and folder.endswith(".dist-info"):
            entry = Entry(name, wheel.name, mode, method, crc, packed, size, wheel.path, offset, packed_crc)
            said = parse_email(content(entry))[0]
            fields = said.get("license_expression"), said.get("license"), said.get("classifiers", [])
            found = licence_of(*fields).expression
    cache.remember("licences", key, found)
    return found
