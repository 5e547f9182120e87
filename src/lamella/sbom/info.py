"""The licences of an artifact in one line, for PublishLayerVersion's LicenseInfo."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lamella.sbom.model import Inventory

# AWS Lambda API reference, PublishLayerVersion
LONGEST = 512


def licence_info(inventory: Inventory, longest: int = LONGEST) -> str:
    """The licences of all distributions of an inventory, in one line."""
    return in_one_line(((one.name, one.licence.expression) for one in inventory.components), longest)


def in_one_line(licences: Iterable[tuple[str, str]], longest: int = LONGEST) -> str:
    """Pairs of distribution and licence as an SPDX expression, behind a semicolon those whose licence is unknown ("").

    "" when there is no distribution.  What does not fit in `longest` characters is counted, not cut off.
    """
    known: set[str] = set()
    nameless: set[str] = set()
    for name, expression in licences:
        if expression:
            known.update(_terms(expression))
        else:
            nameless.add(name)
    terms = sorted(known, key=str.lower)
    unknown = sorted(nameless)
    for names in (", ".join(unknown), f"{len(unknown)} distribution{'s' * (len(unknown) != 1)}"):
        ending = f"licence unknown: {names}" if unknown else ""
        if len(text := _joined([" AND ".join(terms), ending])) <= longest:
            return text
    for count in reversed(range(len(terms))):
        beginning = " AND ".join(terms[:count])
        rest = len(terms) - count
        more = f"{beginning} and {rest} more" if count else f"{rest} licence{'s' * (rest != 1)}"
        if len(text := _joined([f"{more} (see the SBOM)", ending])) <= longest:
            return text
    return text


def _terms(expression: str) -> Iterable[str]:
    """What is joined with AND at the top; with an OR anywhere, the whole in brackets."""
    if re.search(r"\bOR\b", expression):
        return (f"({expression})",)
    return expression.replace("(", "").replace(")", "").split(" AND ")


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(text for text in texts if text)
