"""A build's outcome: as a table, as JSON."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from lamella.report.sizes import duration, megabytes

if TYPE_CHECKING:
    from lamella.build.model import Made, Outcome
    from lamella.report.console import Console

# Changes named one by one before they are only counted
_SHOWN = 3


def show(console: Console, outcome: Outcome) -> None:
    """The table of artifacts, or one line when nothing was written."""
    if not outcome.written:
        console.say(unchanged_line(outcome))
        return
    rows = [_row(made) for made in outcome.made]
    console.table(("artifact", "zipped", "unzipped", "members", "changes", "time"), rows, right=frozenset({1, 2, 3, 5}))
    for name in outcome.removed:
        console.say(f"removed {name}: it is no longer configured")
    fetched = f", fetched {megabytes(outcome.fetched)}" if outcome.fetched else ""
    written, all_of = sum(made.written for made in outcome.made), len(outcome.made)
    count = f"{written}" if written == all_of else f"{written} of {all_of}"
    what = f"{count} zip{'s' * (all_of != 1)}" if written else "manifest.json alone"
    folder = os.path.relpath(outcome.output)
    console.say(f"Wrote {what} in {duration(outcome.seconds)}{fetched}: `{folder}`")


def unchanged_line(outcome: Outcome) -> str:
    count = len(outcome.made)
    return f"Nothing changed: `{os.path.relpath(outcome.output)}` is up to date ({count} zip{'s' * (count != 1)})"


def _row(made: Made) -> tuple[str, ...]:
    changes = made.changes or (("rewritten",) if made.written else ("unchanged",))
    shown = ", ".join(changes[:_SHOWN])
    if len(changes) > _SHOWN:
        shown += f" and {len(changes) - _SHOWN} more"
    return (
        made.file,
        megabytes(made.zipped),
        megabytes(made.unzipped),
        f"{made.members}",
        shown,
        duration(made.seconds),
    )


def as_json(outcome: Outcome) -> str:
    """One object: the output folder, what was made, notes and warnings.  Sizes in bytes, times in seconds.

    ASCII alone, so that it is JSON in every encoding.
    """
    return json.dumps(
        {
            "output": outcome.output,
            "written": outcome.written,
            "seconds": round(outcome.seconds, 4),
            "fetched": outcome.fetched,
            "artifacts": [
                {
                    "key": made.key,
                    "kind": made.kind,
                    "file": made.file,
                    "zipped": made.zipped,
                    "unzipped": made.unzipped,
                    "members": made.members,
                    "changes": list(made.changes),
                    "written": made.written,
                    "seconds": round(made.seconds, 4),
                }
                for made in outcome.made
            ],
            "removed": list(outcome.removed),
            "notes": list(outcome.notes),
            "warnings": list(outcome.warnings),
        },
        indent=2,
    )
