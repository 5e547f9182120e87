"""What is decided about a file: in or out, by which rule and why.  Values only."""

from __future__ import annotations

from typing import NamedTuple

from lamella.archive.entry import Entry


class File(NamedTuple):
    """One file of a distribution, as it is placed.

    `path` is below the folder of importable code ("numpy/tests/__init__.py", "numpy-2.0.dist-info/RECORD"); of a file
    that lies outside of it, such as a program, it is the path in the archive ("bin/f2py"), and `at_site` is False.
    `distribution` is the normalized name.
    """

    entry: Entry
    path: str
    distribution: str
    at_site: bool = True


class Fate(NamedTuple):
    """What becomes of a file.

    `rule` names the rule that decided: one of the table of rules, or "keep", "drop", "without", "services",
    "unreached"; "" when no rule is about the file.  `reason` is one sentence for people.
    """

    kept: bool
    rule: str = ""
    reason: str = ""


UNTOUCHED = Fate(True)
