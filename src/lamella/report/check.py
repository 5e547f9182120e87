"""Verdicts of `lamella check`: as lines, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
    subject = f"{verdict.kind.capitalize()} size"
    if named:
        subject = f"{verdict.kind.capitalize()} `{verdict.key}` size"
    state = "OK" if verdict.passed else "TOO LARGE"
    line = f"{subject} {state}: {verdict.measured} bytes (limit: {verdict.limit})"
    if verdict.kind == "function":
        line += " unzipped: " + " + ".join(f"{name} {size}" for name, size in verdict.parts)
        line += "".join(f" + {arn} (size unknown)" for arn in verdict.unknown)
    return line


def sizes_as_json(verdicts: Sequence[SizeVerdict]) -> str:
    """A list of objects; sizes in bytes."""
    rows = [{**asdict(verdict), "passed": verdict.passed} for verdict in verdicts]
    for row in rows:
        row["parts"] = dict(row["parts"])
    return json.dumps({"size": rows}, indent=2, ensure_ascii=False)
