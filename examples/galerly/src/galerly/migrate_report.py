"""What a migration says: how far it is, and in the end what failed."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable

PROGRESS_SECONDS = 10.0


def report(path: str | None, counts: Counter[str], rows: list[dict[str, str]]) -> None:
    names = ("found", "done before", "rendered", "failed")
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**{name: counts[name] for name in names}, "failures": rows}, file, indent=2)
    print(", ".join(f"{counts[name]} {name}" for name in names))
    for row in rows[:20]:
        print(f"  {row['key']}: {row['error']}")
    if len(rows) > 20:
        print(f"  and {len(rows) - 20} more" + (f", in {path}" if path else "; `--report FILE` has them all"))


def progress(counts: Counter[str]) -> Callable[[], None]:
    """On a terminal one line that changes, elsewhere a line now and then."""
    terminal, last = sys.stderr.isatty(), [time.monotonic()]

    def show() -> None:
        line = f"{counts['rendered'] + counts['failed']} of {counts['taken']} or more, {counts['failed']} failed"
        if terminal:
            print(f"\r{line}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - last[0] >= PROGRESS_SECONDS:
            last[0] = time.monotonic()
            print(line, file=sys.stderr, flush=True)

    return show
