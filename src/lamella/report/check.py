"""Verdicts of `lamella check`: as lines, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from lamella.report.sizes import megabytes

if TYPE_CHECKING:
    from lamella.checks.model import SizeVerdict
    from lamella.report.console import Console


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


def as_json(found: Mapping[str, list[dict[str, object]]]) -> str:
    """One object with the rows of each check.  ASCII alone, so that it is JSON in every encoding."""
    return json.dumps(found, indent=2)
