"""What the doctor found: as lines, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lamella.checks.model import Severity
from lamella.report.check import where
from lamella.wording import counted, escaped

if TYPE_CHECKING:
    from lamella.doctor.model import Diagnosis
    from lamella.report.console import Console

_ORDER = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


def show(console: Console, looked: Sequence[str], found: Sequence[Diagnosis]) -> None:
    """What was looked at, then all that was found, the worst first; with `quiet` errors alone.

    A command stands behind ``$`` in lines of its own, so that it can be copied.
    """
    if not console.quiet:
        for line in looked:
            console.data(escaped(line))
    ordered = sorted(found, key=lambda one: _ORDER.index(one.finding.severity))
    if console.quiet:
        ordered = [one for one in ordered if one.finding.severity is Severity.ERROR]
    for at, one in enumerate(ordered):
        finding = one.finding
        if at or (looked and not console.quiet):
            console.data("")
        console.data(f"{finding.severity.value}: {finding.check}: {escaped(where(finding))}")
        console.data(f"  {escaped(finding.reason)}")
        if finding.hint:
            console.data(f"  hint: {escaped(finding.hint)}")
        repeated = bool(one.fix) and any(before.fix == one.fix for before in ordered[:at])
        if repeated:
            console.data("  the commands above mend it, too")
        else:
            for command in one.fix:
                first, *more = command.split("\n")
                console.data(f"  $ {escaped(first)}")
                for line in more:
                    console.data(f"  {escaped(line)}")
    if not console.quiet:
        if ordered:
            console.data("")
        console.data(_summary(ordered))


def _summary(found: Sequence[Diagnosis]) -> str:
    counts = [(severity, sum(one.finding.severity is severity for one in found)) for severity in _ORDER]
    said = ", ".join(counted(number, severity.value) for severity, number in counts if number)
    return f"Found {said}." if said else "Nothing is wrong."


def as_json(looked: Sequence[str], found: Sequence[Diagnosis], failed: str = "") -> str:
    """One object; `failed` says why AWS could not be asked, "" where it was, or was not to be.

    ASCII alone, so that it is JSON in every encoding.
    """
    rows = [
        {**one.finding._asdict(), "severity": one.finding.severity.value, "fix": list(one.fix)}
        for one in sorted(found, key=lambda one: _ORDER.index(one.finding.severity))
    ]
    healthy = all(one.finding.severity is not Severity.ERROR for one in found)
    return json.dumps({"healthy": healthy, "looked": list(looked), "unreachable": failed, "findings": rows}, indent=2)
