"""What our runs do otherwise than AWS's emulator, and which of AWS's documents decides.

.venv/bin/python -m tests.journeys.differences > docs/emulator.md
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("differences.toml")
PAGE = Path(__file__).parents[2] / "docs" / "emulator.md"

_INTRODUCTION = """\
The same handlers run in lamella and in AWS's Runtime Interface Emulator, from the wheel of the SAM CLI, both with AWS's
own runtime client in the same sandbox: `tests/journeys/test_emulator.py`, on the cases in `tests/journeys/emulated/`.
Answers, logs and the platform's lines are equal but for what is listed here. The test fails for a difference that is
not listed, and for a listed one that is gone. `<id>`, `<time>` and the like stand for what is new each time; figures of
the platform's lines and the order within one are not compared. That the emulator marks no answer as an error
(`X-Amz-Function-Error`) is not listed either: there it is told by the answer itself."""


class Difference(NamedTuple):
    """`aspect` is where it shows, `ours` and `emulator` what is there, `cases` in which; `why` cites `source`."""

    aspect: str
    ours: str
    emulator: str
    cases: tuple[str, ...]
    why: str
    source: str


def read() -> tuple[Difference, ...]:
    with TABLE.open("rb") as file:
        rows = tomllib.load(file).get("difference", [])
    return tuple(
        Difference(row["aspect"], row["ours"], row["emulator"], tuple(row["cases"]), row["why"], row["source"])
        for row in rows
    )


def markdown() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Beside AWS's emulator"
    yield ""
    yield from _INTRODUCTION.splitlines()
    yield ""
    yield "| where | lamella | the emulator | what AWS's documentation says | cases |"
    yield "|---|---|---|---|---|"
    for row in read():
        cells = [
            row.aspect,
            _code(row.ours),
            _code(row.emulator),
            f"{row.why} ([source]({row.source}))",
            _cases(row.cases),
        ]
        yield "| " + " | ".join(cells) + " |"


def _code(text: str) -> str:
    if not text:
        return "nothing"
    return "<br>".join(f"`{line}`" for line in text.replace("|", "\\|").split("\n"))


def _cases(cases: tuple[str, ...]) -> str:
    return ", ".join(f"`{case}`" for case in cases)


if __name__ == "__main__":
    print(markdown(), end="")
