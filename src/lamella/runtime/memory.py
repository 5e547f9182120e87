"""How much memory the processes of a sandbox have, and their end where it is more than the function is given.

What counts is resident memory: of one process what the kernel calls VmRSS (its own pages, those of files that it has
mapped, and shared ones), of several the sum, with pages that they share counted once.
Address space that was never written to is free, as in Lambda, and so are files in /tmp.  The processes that make a view
(bubblewrap, the launcher) are not counted.

One thread for all looks every 5 ms while an invocation is under way, and waits when none is.  Where a control group may
be made, the kernel ends what outruns the looks (`cgroup`).  Without /proc (macOS) nothing is limited, and what is used
is told as 0.

AWS does not say what its "Max Memory Used" counts.  Pages of files are counted here, as a process that needs all its
code resident needs them there; those that are cached and that nobody has mapped are not.

Without a view a process that left its parents (a daemon) is not found any more.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time

from lamella.runtime import cgroup
from lamella.sandbox.view import SCRATCH_BYTES

_INTERVAL = 0.005
# Looks with nothing under way after which the thread waits to be told: to wake it for each short invocation is dear
_PATIENCE = 10
# The processes are counted anew once in so many looks
_RESCAN = 4
_STATUS_BYTES = 8192
_PROC = sys.platform == "linux"


class Memory:
    """The memory of one sandbox, from before its start to its end.

    `limit_bytes` is for all its processes together; `scratch_bytes` is the room in /tmp.  The outermost process must
    lead a session of its own.  Raises nothing where a process is gone, or a limit can't be set.
    """

    def __init__(self, limit_bytes: int, scratch_bytes: int = SCRATCH_BYTES) -> None:
        self.limit = limit_bytes
        self._exceeded = False
        self._peak = 0
        self._looks = 0
        self._settled = False  # before the first end, what was counted may be what makes the view
        self._leader = 0
        self._alive = -1  # a descriptor of the leader: its number may come to be another's
        self._counted: dict[int, int] = {}  # process: descriptor of its status
        self._lock = threading.Lock()
        self._scratch = scratch_bytes
        self._group: cgroup.Group | None = None

    @property
    def exceeded(self) -> bool:
        """Whether the sandbox was ended because it had too much."""
        return self._exceeded or (self._group is not None and self._group.killed())

    def prefix(self) -> list[str]:
        """What to put before the sandbox's command: it joins a control group, if one may be made, and becomes that
        command.  A process that was started without is watched alone.
        """  # fmt: skip
        if self._group is None and _PROC:
            self._group = cgroup.make(self.limit, self._scratch)
        return self._group.joining() if self._group is not None else []

    def started(self, pid: int) -> None:
        """The outermost process runs; it has not been waited for."""
        if not _PROC:
            return
        with contextlib.suppress(AttributeError, OSError):
            self._alive = os.pidfd_open(pid)
        self._leader = pid

    def begin(self) -> None:
        """From here on it is looked at: an invocation, or the function's initialization, begins."""
        if self._leader:
            _watch.add(self)

    def end(self) -> int:
        """An invocation is over: the most bytes that were resident since the start.  More than the limit where that
        was for less than one look.
        """  # fmt: skip
        _watch.running.discard(self)
        if self._leader:
            with self._lock:
                if not (self._settled and self._counted):
                    self._count()
                    self._settled = True
                self._resident(exact=True)
        return self._peak

    def close(self) -> None:
        """The sandbox has ended: nothing is kept of it.  A second time does no harm."""
        _watch.running.discard(self)
        with self._lock:
            for descriptor in self._counted.values():
                os.close(descriptor)
            self._counted.clear()
            if self._alive >= 0:
                os.close(self._alive)
                self._alive = -1
            self._leader = 0
        if self._group is not None:
            self._exceeded = self.exceeded
            self._group.remove()
            self._group = None

    def look(self) -> None:
        """Count, and end the sandbox where it has too much."""
        with self._lock:
            if not self._leader or self._exceeded:
                return
            exact = self._looks % _RESCAN == 0 or not self._counted
            if exact:
                self._count()
            self._looks += 1
            over = self._resident(exact) > self.limit
            if over or (self._group is not None and self._group.killed()):
                self._exceeded = True  # first: whoever sees its end asks why
                self._kill()

    def _resident(self, exact: bool) -> int:
        """What is resident now; the peak is kept.

        Of several processes it is the sum, unless that matters: where it is `exact`, or over the limit.
        """
        total = 0
        alone = len(self._counted) == 1
        for pid, descriptor in list(self._counted.items()):
            try:
                status = os.pread(descriptor, _STATUS_BYTES, 0)
            except OSError:
                os.close(descriptor)
                del self._counted[pid]
                continue
            total += _kilobytes(status, b"VmRSS:")
            if alone:
                self._peak = max(self._peak, _kilobytes(status, b"VmHWM:"))
        if not alone and total > self._peak and (exact or total > self.limit):
            total = self._shared_once(total)
            self._peak = max(self._peak, total)
        return total

    def _shared_once(self, total: int) -> int:
        """What is resident, pages that several processes share counted once; `total` where that can't be read.

        Of files, as of one interpreter, the most that one process has: Pss would share them with others of this
        machine as well.
        """
        own = files = 0
        for pid in self._counted:
            try:
                with open(f"/proc/{pid}/smaps_rollup", "rb", buffering=0) as file:
                    text = file.read(_STATUS_BYTES)
            except PermissionError:
                return total
            except OSError:
                continue
            if b"Pss_Anon:" not in text:  # before Linux 5.4
                return total
            own += _kilobytes(text, b"Pss_Anon:") + _kilobytes(text, b"Pss_Shmem:")
            files = max(files, _kilobytes(text, b"Rss:") - _kilobytes(text, b"Anonymous:"))
        return own + files

    def _count(self) -> None:
        """Find the processes again.  Those of a view are the ones in its PID namespace, but for the first of them."""
        found = {pid: name for pid in _family(self._leader) if (name := _inner(pid))}
        within = {pid for pid, name in found.items() if len(name) > _DEPTH and name[-1] != b"1"}
        wanted = within or set(found)
        for pid in self._counted.keys() - wanted:
            os.close(self._counted.pop(pid))
        for pid in wanted - self._counted.keys():
            with contextlib.suppress(OSError):
                self._counted[pid] = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)

    def _kill(self) -> None:
        if self._alive >= 0 and select.select([self._alive], [], [], 0)[0]:
            return  # it has ended, and its number may be another's
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._leader, signal.SIGKILL)


class _Watch:
    """The thread that looks.  It is started by the first invocation, and ends with this process."""

    def __init__(self) -> None:
        self.running: set[Memory] = set()
        self._condition = threading.Condition()
        self._parked = False
        self._thread: threading.Thread | None = None

    def add(self, memory: Memory) -> None:
        self.running.add(memory)
        if self._thread is None:
            with self._condition:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="lamella-memory", daemon=True)
                    self._thread.start()
        elif self._parked:
            with self._condition:
                self._condition.notify()

    def _run(self) -> None:
        idle = 0
        while True:
            time.sleep(_INTERVAL)
            for memory in tuple(self.running):
                with contextlib.suppress(OSError, ValueError):  # one that can't be read must not end the looking
                    memory.look()
            idle = 0 if self.running else idle + 1
            if idle >= _PATIENCE:
                self._park()

    def _park(self) -> None:
        with self._condition:
            self._parked = True  # before it is asked whether there is work: whoever adds some asks in the other order
            while not self.running:
                self._condition.wait()
            self._parked = False


def _kilobytes(text: bytes, name: bytes) -> int:
    """The bytes in a line such as ``VmRSS:     10044 kB``; 0 for none: a process that is ending has no memory."""
    at = text.find(name)
    if at < 0:
        return 0
    at += len(name)
    return int(text[at : text.index(b"kB", at)]) * 1024


def _family(leader: int) -> list[int]:
    """A process and all that descend from it, as far as they are there."""
    found = [leader]
    for pid in found:
        try:
            threads = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        for thread in threads:
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/children", "rb", buffering=0) as file:
                found += map(int, file.read(65536).split())
    return found


def _inner(pid: int) -> list[bytes]:
    """The numbers that a process has in each PID namespace, the innermost last; none where it is gone."""
    try:
        with open(f"/proc/{pid}/status", "rb", buffering=0) as file:
            text = file.read(_STATUS_BYTES)
    except OSError:
        return []
    at = text.find(b"NSpid:")
    return text[at + 6 : text.index(b"\n", at)].split() if at >= 0 else [str(pid).encode()]


_DEPTH = len(_inner(os.getpid())) if _PROC else 1
_watch = _Watch()
