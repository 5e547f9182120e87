"""Verdicts of `lamella check`: as lines, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from lamella.checks.model import Severity
from lamella.report.sizes import megabytes
from lamella.wording import escaped

if TYPE_CHECKING:
    from lamella.checks.model import Finding, Outcome, SizeVerdict
    from lamella.report.console import Console

_ORDER = (Severity.ERROR, Severity.WARNING, Severity.NOTE)
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def show_sizes(console: Console, verdicts: Sequence[SizeVerdict]) -> None:
    """A line for each artifact, and behind one that is too large its largest contributors."""
    many = sum(verdict.kind == "layer" for verdict in verdicts) > 1
    for verdict in verdicts:
        if verdict.passed and console.quiet:
            continue
        console.data(_line(verdict, named=many or verdict.kind == "function"))
        if not verdict.passed:
            for row in verdict.contributors:
                where = f" in `{row.where}`" if verdict.kind == "function" else ""
                console.data(f"  {megabytes(row.bytes):>9}  {row.name}{where}")


def _line(verdict: SizeVerdict, *, named: bool) -> str:
    subject = f"{verdict.kind.capitalize()} `{verdict.key}` size" if named else f"{verdict.kind.capitalize()} size"
    state = "OK" if verdict.passed else "TOO LARGE"
    if verdict.kind == "layer":
        return f"{subject} {state}: {verdict.measured} bytes (limit: {verdict.limit})"
    parts = [f"{name} {size}" for name, size in verdict.parts]
    parts += [f"{arn} (size unknown)" for arn in verdict.unknown]
    measured = f"{verdict.measured} bytes {verdict.unit}"
    return f"{subject} {state}: {measured} (limit: {verdict.limit}): {' + '.join(parts)}"


def size_rows(verdicts: Sequence[SizeVerdict]) -> list[dict[str, object]]:
    """Verdicts as JSON's values; sizes in bytes."""
    return [{**asdict(verdict), "parts": dict(verdict.parts), "passed": verdict.passed} for verdict in verdicts]


def show(console: Console, outcomes: Sequence[Outcome], verdicts: Sequence[SizeVerdict]) -> None:
    """A line for each check that passed, then all that was found, the worst first."""
    for outcome in outcomes:
        if outcome.check == "size":
            show_sizes(console, verdicts)
        elif outcome.passed and not outcome.tried:
            if not console.quiet:
                console.data(f"{outcome.check} NOT TRIED: {escaped(outcome.summary)}")
        elif outcome.passed and not console.quiet:
            worse = sum(finding.severity is Severity.WARNING for finding in outcome.findings)
            warned = f", {worse} warning{'s' * (worse != 1)}" if worse else ""
            console.data(f"{outcome.check} OK: {outcome.summary}{warned}")
        elif not outcome.passed:
            errors = sum(finding.severity is Severity.ERROR for finding in outcome.findings)
            console.data(f"{outcome.check} FAILED: {errors} error{'s' * (errors != 1)} in {outcome.summary}")
    found = [finding for outcome in outcomes for finding in outcome.findings]
    found.sort(key=lambda finding: _ORDER.index(finding.severity))
    if console.quiet:
        found = [finding for finding in found if finding.severity is Severity.ERROR]
    if found:
        _show_findings(console, found)


def _show_findings(console: Console, found: Sequence[Finding]) -> None:
    """A table on a terminal; else three lines each, which can be searched and don't grow wide."""
    if console.out.isatty():
        _draw(console, found)
        return
    checks = max(len(finding.check) for finding in found)
    for finding in found:
        console.data(f"{finding.severity.value:<7}  {finding.check:<{checks}}  {where(finding)}")
        console.data(f"  {escaped(finding.reason)}")
        if finding.hint:
            console.data(f"  hint: {escaped(finding.hint)}")


def _draw(console: Console, found: Sequence[Finding]) -> None:
    from rich import box
    from rich.console import Console as Rich
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_lines=True)
    table.add_column("", no_wrap=True)
    table.add_column("check", no_wrap=True)
    for name, share in (("where", 2), ("reason", 4), ("way out", 3)):
        table.add_column(name, ratio=share, overflow="fold")
    for finding in found:
        cells = [where(finding), escaped(finding.reason), escaped(finding.hint)]
        label = Text(finding.severity.value, style=f"bold {_COLOURS[finding.severity]}")
        table.add_row(label, finding.check, *(Text(cell) for cell in cells))
    Rich(file=console.out, highlight=False).print(table)


def where(finding: Finding) -> str:
    """The place of a finding: ``layer: python/six.py:3``."""
    line = f":{finding.line}" if finding.line is not None else ""
    return f"{finding.artifact}: {finding.path}{line}" if finding.path else finding.artifact


def as_json(outcomes: Sequence[Outcome], verdicts: Sequence[SizeVerdict]) -> str:
    """One object: `checks` with a row each, `findings`, and `size` with its rows where sizes were checked.

    ASCII alone, so that it is JSON in every encoding.
    """
    tree: dict[str, object] = {
        "passed": all(outcome.passed for outcome in outcomes),
        "checks": {
            outcome.check: {"passed": outcome.passed, "tried": outcome.tried, "summary": outcome.summary}
            for outcome in outcomes
        },
        "findings": [
            {**finding._asdict(), "severity": finding.severity.value}
            for outcome in outcomes
            for finding in outcome.findings
        ],
    }
    if any(outcome.check == "size" for outcome in outcomes):
        tree["size"] = size_rows(verdicts)
    return json.dumps(tree, indent=2)
