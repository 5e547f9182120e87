"""Ask before something is changed that can't be taken back."""

from __future__ import annotations

import sys

from lamella.errors import UsageError


def agreed(question: str) -> bool:
    """Whether a person says yes to `question`, which is asked on stderr.

    Raises UsageError where there is nobody to ask.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            "nothing was changed: there is nobody to ask",
            hint="look at what is shown above; `--auto-approve` agrees to it",
        )
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
