"""A control group for one sandbox, in a folder of groups that was given to this user for that.

The kernel's part: it ends what outruns the looks of `memory`.  Files in /tmp are charged to the group where /tmp is in
memory, which Lambda does not do, so the group has room for them beside the limit: a function is never ended for them.

A folder of groups is given to a user where systemd delegated it (a user's own session, `Delegate=`), or where
LAMELLA_CGROUP names it.  Others are not written to, even where root could: whoever manages them counts on being the
only one.  Source: systemd, "Control Group APIs and Delegation"; kernel, "Control Group v2" (memory.max,
memory.oom.group, memory.events) and "Memory Resource Controller" (v1: memory.limit_in_bytes, memory.oom_control).
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import time

VARIABLE = "LAMELLA_CGROUP"
_PREFIX = "lamella-"
# What bubblewrap or the launcher has besides, and the kernel for them
_OWN_BYTES = 32 * 1024**2
_JOIN = 'echo 0 >"$0"; exec "$@"'
_REMOVE_SECONDS = 1.0
_numbers = itertools.count()


class Group:
    """One group with a limit, empty until a process joins.  Raises OSError where it can't be made."""

    def __init__(self, home: str, limit_bytes: int) -> None:
        self.folder = f"{home}/{_PREFIX}{os.getpid()}-{next(_numbers)}"
        first = os.path.exists(f"{home}/memory.limit_in_bytes")
        self._events = f"{self.folder}/{'memory.oom_control' if first else 'memory.events'}"
        os.mkdir(self.folder)
        try:
            self._write("memory.limit_in_bytes" if first else "memory.max", limit_bytes)
            with contextlib.suppress(OSError):  # memory that is swapped out is no less used
                if first:
                    self._write("memory.memsw.limit_in_bytes", limit_bytes)
                else:
                    self._write("memory.swap.max", 0)
            with contextlib.suppress(OSError):
                if not first:
                    self._write("memory.oom.group", 1)
        except OSError:
            self.remove()
            raise

    def joining(self) -> list[str]:
        """The command prefix that puts a process into the group and then becomes the command."""
        return ["/bin/sh", "-c", _JOIN, f"{self.folder}/cgroup.procs"]

    def killed(self) -> bool:
        """Whether the kernel ended a process of it for memory."""
        try:
            with open(self._events, "rb", buffering=0) as file:
                rows = dict(line.split(maxsplit=1) for line in file.read(4096).splitlines())
        except OSError:
            return False
        return int(rows.get(b"oom_kill", b"0")) > 0

    def remove(self) -> None:
        """Remove it; its processes have been ended, but may not be gone."""
        until = time.monotonic() + _REMOVE_SECONDS
        while not _removed(self.folder) and time.monotonic() < until:
            time.sleep(0.002)

    def _write(self, name: str, value: int) -> None:
        with open(f"{self.folder}/{name}", "w") as file:
            file.write(str(value))


def make(limit_bytes: int, scratch_bytes: int) -> Group | None:
    """A new group, or None where none may be made: see `home`."""
    found = home(os.environ.get(VARIABLE))
    if found is None:
        return None
    try:
        return Group(found, limit_bytes + scratch_bytes + _OWN_BYTES)
    except OSError:
        return None


@functools.lru_cache(1)
def home(named: str | None) -> str | None:
    """The folder to make groups in, or None.  Groups that a killed process left there are removed."""
    found = named if named is not None else _delegated()
    if found is None or not (os.access(found, os.W_OK) and _counts_memory(found)):
        return None
    _sweep(found)
    return found


def _delegated() -> str | None:
    """The folder that the group of this process is in, where it is this user's.

    Only version 2: in version 1 nothing says whose a group is.  Not the own group: a group with processes
    has no groups below it that count memory.
    """
    try:
        with open("/proc/self/cgroup") as file:
            rows = [line.rstrip("\n").split(":", 2) for line in file]
        with open("/proc/self/mountinfo") as file:
            mounts = [line.split() for line in file]
    except OSError:
        return None
    own = next((path for number, _, path in rows if number == "0"), None)
    # proc(5): the fourth field is what of the file system is mounted, the fifth where
    place = next((row[4] for row in mounts if row[3] == "/" and row[row.index("-") + 1] == "cgroup2"), None)
    if own is None or place is None or own.count("/") < 2 or "/../" in f"{own}/":
        return None
    folder = os.path.dirname(f"{place}{own}")
    return folder if _is_ours(folder) else None


def _is_ours(folder: str) -> bool:
    try:
        if os.geteuid() != 0:
            return os.stat(folder).st_uid == os.geteuid() and os.access(f"{folder}/cgroup.procs", os.W_OK)
        return os.getxattr(folder, "trusted.delegate") == b"1"
    except OSError:
        return False


def _counts_memory(folder: str) -> bool:
    if os.path.exists(f"{folder}/memory.limit_in_bytes"):
        return True
    try:
        with open(f"{folder}/cgroup.subtree_control") as file:
            return "memory" in file.read().split()
    except OSError:
        return False


def _sweep(folder: str) -> None:
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            pid = name.removeprefix(_PREFIX).partition("-")[0]
            if name.startswith(_PREFIX) and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
                _removed(f"{folder}/{name}")


def _removed(folder: str) -> bool:
    """Whether it is gone.  A group is removed with the files in it, which are the kernel's."""
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
