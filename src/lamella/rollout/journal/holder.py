"""Who holds the lock of a journal, as it is written into it."""

from __future__ import annotations

import json
import os
import time

from lamella.wording import printable


def holder(token: str) -> bytes:
    """This process, as JSON.  `token` is what it knows its own lock by."""
    import getpass
    import platform

    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user without a name
        user = f"user {os.getuid()}"
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    who = {"token": token, "user": user, "machine": platform.node(), "process": os.getpid(), "since": since}
    return (json.dumps(who) + "\n").encode()


def fields(held: bytes | None) -> dict[str, object]:
    """What is written there; {} for something that lamella did not write."""
    try:
        tree = json.loads(held or b"{}")
    except ValueError:
        return {}
    return tree if isinstance(tree, dict) else {}


def is_alive(held: bytes | None) -> bool | None:
    """Whether the process that wrote this lives still; None for one of another machine, of which nobody can tell."""
    import platform

    who = fields(held)
    process = who.get("process")
    if who.get("machine") != platform.node() or type(process) is not int or process <= 0:
        return None
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        pass
    return True


def held_by(held: bytes | None) -> str:
    """``process 4711 of somebody on machine, since 2026-11-22 17:20:03 UTC``."""
    who = fields(held)
    if not {"process", "user", "machine", "since"} <= who.keys():
        return "somebody"
    words = f"process {who['process']} of {who['user']} on {who['machine']}, since {who['since']},"
    return printable(words)
