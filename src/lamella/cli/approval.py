"""Ask before something is changed that can't be taken back."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from lamella.errors import UsageError

if TYPE_CHECKING:
    from lamella.report.console import Console


def agreed(
    parsed: argparse.Namespace, console: Console, question: str = "Do it?", refused: str = "Nothing was changed"
) -> bool:
    """Whether a person says yes to `question`, which is asked on stderr; `refused` is said where the answer is no.

    Raises UsageError where there is nobody to ask, or nothing was shown that could be agreed to.
    """
    if parsed.quiet:
        raise UsageError(
            "nothing was changed: `-q` shows nothing to agree to", hint="leave it out, or give `--auto-approve`, too"
        )
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            "nothing was changed: there is nobody to ask",
            hint="look at what is shown above; `--auto-approve` agrees to it",
        )
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    console.say(refused)
    return False
