"""No view, where nothing better works: the same variables and paths, on folders of this machine.

The process can read what its user can, and reach the network.  What was installed for this machine's interpreter is not
on its path: it starts as that of an empty virtual environment.  Its group ends when the process that started it does,
however that ended; so does a process that left the group (a daemon), where /proc tells whose it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping

from lamella.sandbox.view import Paths, prefix_of

_PREFIX = "lamella-run-"
_LOCK = "used"
# $0 is the descriptor, $1 the folder; what is behind is the command.  The guard is one of the group: that goes last
_GUARD = """
base=$1; shift
( (
    exec 3<"/dev/fd/$0"
    read -r _ <&3
    read -r me _ </proc/self/stat
    for told in /proc/[0-9]*/environ; do
        it=${told#/proc/}; it=${it%/environ}
        [ "$it" = "$me" ] || { grep -qsF "$base/" "$told" && kill -9 "$it"; }
    done
    rm -rf -- "$base"
    kill -9 "-$$"
) </dev/null >/dev/null 2>&1 & )
exec "$@"
"""


def paths(
    interpreter: str, python: tuple[int, int], base: str, *, task: str | None, layers: str | None, runtime: str | None
) -> Paths:
    """The paths of a process; its scratch folder, interpreter and empty folders are made in `base`.  Raises OSError."""
    made = Paths(
        python,
        task=task or f"{base}/task",
        layers=layers or f"{base}/opt",
        runtime=runtime or f"{base}/runtime",
        language=f"{base}/lang",
        scratch=f"{base}/tmp",
    )
    for folder in (made.task, made.layers, made.runtime, made.scratch, f"{made.language}/bin", f"{made.language}/lib"):
        os.makedirs(folder, exist_ok=True)
    program = os.path.realpath(interpreter)
    for name in {os.path.basename(program), made.version, "python3", "python"}:
        os.symlink(program, f"{made.language}/bin/{name}")
    # PEP 405: with this file beside its folder, an interpreter looks for what is installed there
    with open(f"{made.language}/pyvenv.cfg", "w") as file:
        file.write(f"home = {prefix_of(interpreter)}/bin\ninclude-system-site-packages = false\n")
    return made


def base(left: contextlib.ExitStack) -> str:
    """A new folder for one process, which `left` removes.  Those that killed processes left are removed now.

    Who uses a folder has a lock in it: process numbers would not do where containers share /tmp.
    """
    _sweep(tempfile.gettempdir())
    while True:
        made = tempfile.mkdtemp(prefix=_PREFIX)
        held = _locked(f"{made}/{_LOCK}", os.O_CREAT)
        if held is not None:
            left.callback(os.close, held)
            left.callback(shutil.rmtree, made, ignore_errors=True)
            left.callback(_end_strays, made)
            return made


def guard(left: contextlib.ExitStack, folder: str) -> tuple[list[str], tuple[int, ...]]:
    """What to put before the command, and the descriptors that it is started with; `left` closes the other end.

    A small shell waits for that end to be closed, be it by the end of this process, and then ends all that has `folder`
    (one of `base`) among its variables, and the group.  It is no child of the command, whose waiting for its own
    children it would disturb.
    """
    watched, end = os.pipe()
    left.callback(os.close, watched)
    left.callback(os.close, end)
    return ["/bin/sh", "-c", _GUARD, str(watched), folder], (watched,)


def _end_strays(folder: str) -> None:
    """End what left the group: all that has the folder among the variables that it was started with."""
    mark = os.fsencode(f"{folder}/")
    with contextlib.suppress(OSError), os.scandir("/proc") as entries:
        for entry in entries:
            if entry.name.isdigit():
                with contextlib.suppress(OSError), open(f"{entry.path}/environ", "rb") as file:
                    if mark in file.read():
                        os.kill(int(entry.name), signal.SIGKILL)


def _sweep(folder: str) -> None:
    """Remove what was made by processes that were killed."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if not name.startswith(_PREFIX):
                continue
            place = os.path.join(folder, name)
            held = _locked(f"{place}/{_LOCK}", 0)
            if held is not None:
                shutil.rmtree(place, ignore_errors=True)
                os.close(held)


def _locked(path: str, how: int) -> int | None:
    """The descriptor of a locked file that is this user's, or None where another process has it, or there is none."""
    try:
        held = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | how, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        told = os.fstat(held)
        if told.st_nlink and told.st_uid == os.geteuid():
            return held
    except OSError:
        pass
    os.close(held)
    return None


def environment(paths: Paths, given: Mapping[str, str]) -> dict[str, str]:
    """The variables of the runtime, what a process without a view needs besides, and those that are `given`."""
    return {
        **paths.environment(given),
        **{name: value for name, value in _own(paths).items() if name not in given},
    }


def _own(paths: Paths) -> dict[str, str]:
    return {
        # Layers and code are kept for the next process, and this one may have the right to write there
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": paths.scratch,
        "HOME": paths.scratch,
    }
