"""The licence that a METADATA file states, in SPDX's terms where it can be said in them."""

from __future__ import annotations

from collections.abc import Sequence

from lamella.sbom.model import Licence
from lamella.sbom.spdx import CLASSIFIERS, NAMES
from lamella.wording import printable

# A longer License field is a licence's text, not its name
_LONGEST_NAME = 120
_NOTHING = frozenset({"", "unknown", "none", "n/a"})


def licence_of(expression: str | None, field: str | None, classifiers: Sequence[str]) -> Licence:
    """The licence of License-Expression, else of License, else of one classifier (PyPA spec: core metadata).

    Licence and classifiers of old packages say it in free words: only those that mean one SPDX licence are
    taken for it.  With several classifiers it is unknown whether all or any of them hold.
    """
    name = (field or "").strip()
    if "\n" in name or len(name) > _LONGEST_NAME or name.lower() in _NOTHING:
        name = ""
    words = [word for word in classifiers if word.startswith("License ::") and word != "License :: OSI Approved"]
    words = list(dict.fromkeys(words))
    stated = (expression or "").strip()
    for known in (canonical(stated), canonical(name), NAMES.get(" ".join(name.lower().split()), "")):
        if known:
            return Licence(known)
    if not stated and not name and len(words) == 1 and words[0] in CLASSIFIERS:
        return Licence(CLASSIFIERS[words[0]])
    said = [stated, name, *(word.rpartition(" :: ")[2] for word in words)]
    return Licence(stated=tuple(dict.fromkeys(printable(one) for one in said if one)))


def canonical(text: str) -> str:
    """The SPDX expression in its canonical writing (PEP 639), or "" when it is none."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if not text or len(text) > 5000:
        return ""
    try:
        return canonicalize_license_expression(text)
    except (InvalidLicenseExpression, RecursionError, MemoryError):
        return ""
