"""What every user of this machine can read of its processes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


def command_lines() -> Iterator[tuple[str, bytes]]:
    """The number and the command line of each process; arguments are NUL-separated."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            yield pid, file.read()


def shown(text: str) -> list[bytes]:
    """The command lines that have this text in them, in any of the forms in which it has been seen there."""
    forms = (text.encode(), text.encode().hex().encode())
    return [line for _, line in command_lines() if any(form in line for form in forms)]


def command_lines_below(pid: int) -> list[bytes]:
    """Those of all that descend from this process."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{thread}/children") as file:
                    found += map(int, file.read().split())
    below = {str(one) for one in found[1:]}
    return [line for one, line in command_lines() if one in below]
