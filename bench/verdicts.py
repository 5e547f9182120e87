"""From medians to lines that hold or don't, and to Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.measure import Timings

START, END = "<!-- bench:start -->", "<!-- bench:end -->"
MEMORY = 80.0  # MiB


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line that must hold.  `measured` None: it could not be measured."""

    claim: str
    measured: float | None
    bound: float
    unit: str
    at_least: bool

    @property
    def holds(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


def faster(claim: str, other: float | None, ours: float | None, bound: float) -> Verdict:
    """That ours is at least `bound` times faster."""
    return Verdict(claim, other / ours if other and ours else None, bound, " ×", True)


def within(claim: str, ours: float | None, others: Iterable[float | None], bound: float) -> Verdict:
    """That ours takes at most `bound` times what the others take together."""
    parts = list(others)
    together = sum(part for part in parts if part is not None)
    measured = ours / together if ours and all(parts) else None
    return Verdict(claim, measured, bound, " ×", False)


def on_set(name: str, timings: Timings, cold: Timings) -> list[Verdict]:
    """What must hold of one set of dependencies.  The factors to other tools were promised for Spectra."""
    median = timings.median
    build, start, emptied = median("build"), median("python"), cold.median("build")
    found = []
    if name == "Spectra":
        found += [
            faster("warm build, beside `uv pip install` + `zip`", median("uv"), build, 25),
            faster("warm build, beside `pip install` + `zip`", median("pip"), build, 40),
            faster("warm build, beside `pex3 … flat-zipped`", median("pex"), build, 40),
            faster("warm build, beside `pex3 … flat-zipped` from a pylock.toml", median("pex-pylock"), build, 40),
        ]
    return [
        *found,
        within("warm build, beside `cp` of the zip and an empty Python start", build, [median("cp"), start], 4),
        within("nothing to do, beside empty Python starts", median("nothing"), [start], 3),
        within("empty cache, beside `uv pip install`", emptied, [cold.median("uv")], 1),
        within("empty cache, beside `uv pip install` from a pylock.toml", emptied, [cold.median("uv-pylock")], 1),
    ]


def memory(claim: str, measured: float | None) -> Verdict:
    """That a command's largest process stays within the bound."""
    return Verdict(claim, measured, MEMORY, " MiB", False)


def verdict_table(rows: Sequence[tuple[str, Verdict]]) -> str:
    """`rows` are the name of a set, and a verdict on it."""
    lines = ["| must hold | set | measured | bound | |", "|---|---|--:|--:|---|"]
    for name, row in rows:
        words = {True: "PASS", False: "**FAIL**", None: "**NOT MEASURED**"}[row.holds]
        digits = 1 if row.at_least or row.unit == " MiB" else 2
        measured = "" if row.measured is None else f"{row.measured:.{digits}f}{row.unit}"
        side = "≥" if row.at_least else "≤"
        lines.append(f"| {row.claim} | {name} | {measured} | {side} {row.bound:g}{row.unit} | {words} |")
    return "\n".join(lines)


def time_table(labels: Sequence[tuple[str, str]], columns: Sequence[tuple[str, Timings]]) -> str:
    """Medians in seconds, and how many times the first line's they are.  `labels` are keys and what to call them."""
    lines = ["| median seconds | " + " | ".join(name for name, _ in columns) + " |", "|---|" + "--:|" * len(columns)]
    first = labels[0][0]
    for key, label in labels:
        cells = []
        for _, timings in columns:
            median, base = timings.median(key), timings.median(first)
            times = median / base if median and base and key != first else None
            ratio = f" ({times:.{0 if times >= 10 else 2}f} ×)" if times else ""
            cells.append("skipped" if median is None else f"{seconds(median)}{ratio}")
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def seconds(value: float) -> str:
    """To three digits."""
    return f"{value:.4f}" if value < 0.1 else f"{value:.3f}" if value < 1 else f"{value:.2f}"


def between_markers(text: str, section: str) -> str:
    """The text with the section between its markers replaced, or put at its end where there are none."""
    block = f"{START}\n{section.strip()}\n{END}\n"
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if start and end:
        return before + block + after.removeprefix("\n")
    return text.rstrip("\n") + f"\n\n## Speed\n\n{block}"
