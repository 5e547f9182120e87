"""Run as a program of its own: makes a view in namespaces of its own, and runs a command in it.

Needs nothing but the standard library and Linux.  Takes one argument, the number of a descriptor to read: `marshal` of
(binds, links, folders, hidden, devices, scratch, scratch_bytes, network, command, environment, folder, user, group,
parent), for other users can read arguments.  Exits as the command does, with 128 + N where signal N killed it, and with
125 where the view can't be made.

Three processes: this one, which waits; the first in the new PID namespace, with whose end the kernel ends all in
it; and the command, which must not be the first, for that one does not die of its own signals.
"""

from __future__ import annotations

import ctypes
import fcntl
import marshal
import os
import signal
import sys

TYPE_CHECKING = False  # `typing` is not imported for it
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

REFUSED = 125

# <linux/sched.h>
_NEW_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000
_NEW_NETWORK = 0x40000000
# <linux/mount.h>
_RDONLY, _NOSUID, _NODEV, _NOEXEC = 1, 2, 4, 8
_REMOUNT, _NOATIME, _NODIRATIME, _BIND, _REC, _SLAVE, _RELATIME = 32, 1024, 2048, 4096, 16384, 1 << 19, 1 << 21
# What statvfs calls ST_RELATIME, mount calls otherwise
_ST_RELATIME = 4096
_DETACH = 2
# <linux/prctl.h>
_PDEATHSIG, _NO_NEW_PRIVS = 1, 38
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
# <linux/sockios.h>, <net/if.h>
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1

_libc = ctypes.CDLL(None, use_errno=True)


def _done(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    result = _libc.mount(*words, ctypes.c_ulong(flags), None if data is None else data.encode())
    _done(result, f"mount {source} at {target}")


def _pivot(new: str, old: str) -> None:
    number = _PIVOT_ROOT[os.uname().machine]
    _done(_libc.syscall(number, os.fsencode(new), os.fsencode(old)), "pivot_root")


def _detach(path: str) -> None:
    _done(_libc.umount2(os.fsencode(path), _DETACH), f"umount {path}")


def _read_only(place: str) -> None:
    """Mounts of this machine keep the restrictions that they have: to take one away is refused."""
    kept = os.statvfs(place).f_flag
    flags = kept & (_NOEXEC | _NOATIME | _NODIRATIME) | (_RELATIME if kept & _ST_RELATIME else 0)
    _mount("none", place, None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV | flags)


def _bind(source: str, target: str) -> None:
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target):
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(source, target, None, _BIND | _REC)


def _tmpfs(place: str, options: str) -> None:
    os.makedirs(place, exist_ok=True)
    _mount("tmpfs", place, "tmpfs", _NOSUID | _NODEV, options)


def _show(
    binds: Sequence[tuple[str, str]],
    links: Sequence[tuple[str, str]],
    folders: Sequence[str],
    hidden: Sequence[str],
    devices: Sequence[str],
    scratch: str,
    scratch_bytes: int,
) -> None:
    """Make the view and go into it."""
    _put_aside()
    _tmpfs("/new/dev", "mode=755")
    os.makedirs("/new/proc")
    _mount("proc", "/new/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    _tmpfs(f"/new{scratch}", f"mode=1777,size={scratch_bytes}")
    for device in devices:
        _bind(f"/old{device}", f"/new{device}")
    for source, target in binds:
        _bind(f"/old{source}", f"/new{target}")
        _read_only(f"/new{target}")
    for place in hidden:
        _tmpfs(f"/new{place}", "mode=755")
        _read_only(f"/new{place}")
    for place in folders:
        os.makedirs(f"/new{place}", exist_ok=True)
    for place, target in links:
        os.makedirs(os.path.dirname(f"/new{place}"), exist_ok=True)
        os.symlink(target, f"/new{place}")
    _read_only("/new/dev")
    # Whoever is root outside would be let write the machine's own settings (/proc/sys): it asks for no capability
    _read_only("/new/proc")
    _go_in()


def _put_aside() -> None:
    """This machine's files are at /old from here on, and /new is an empty file system."""
    _mount("none", "/", None, _SLAVE | _REC)  # what is mounted here is seen nowhere else
    _tmpfs("/tmp", "mode=755")
    os.makedirs("/tmp/old")
    os.makedirs("/tmp/new")
    _pivot("/tmp", "/tmp/old")
    os.chdir("/")
    _mount("/new", "/new", None, _BIND)


def _go_in() -> None:
    """Make /new the root, and let nothing else be seen."""
    _detach("/old")
    os.chdir("/new")
    _pivot(".", ".")
    _detach(".")
    os.chdir("/")
    _read_only("/")


def _raise_loopback() -> None:
    import _socket
    import struct

    with_flags = struct.Struct("16sh14x")
    asked = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    try:
        told = fcntl.ioctl(asked.fileno(), _SIOCGIFFLAGS, with_flags.pack(b"lo", 0))
        flags = with_flags.unpack(told)[1]
        fcntl.ioctl(asked.fileno(), _SIOCSIFFLAGS, with_flags.pack(b"lo", flags | _IFF_UP))
    finally:
        asked.close()


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _end_with_parent() -> None:
    _libc.prctl(_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _wait(child: int) -> int:
    """The exit code of `child`; others that end meanwhile are only collected."""
    while True:
        ended, status = os.wait()
        if ended == child:
            return _code(status)


def _first(view: Any, network: bool, command: list[str], environment: dict[str, str], folder: str) -> int:
    """What the first process in the new namespaces does; its exit code."""
    _end_with_parent()
    if not network:
        _raise_loopback()
    _show(*view)
    os.chdir(folder)
    _done(_libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    child = os.fork()
    if child:
        for descriptor in (0, 1, 2):
            os.close(descriptor)  # whoever reads what the command writes sees its end
        return _wait(child)
    try:
        # An ordinary user's program has no capabilities from here on: execve takes them
        os.execve(command[0], command, environment)
    except OSError as error:
        _tell(error)
    os._exit(REFUSED)


def _tell(error: OSError) -> None:
    what = f": {error.filename}" if error.filename else ""
    os.write(2, f"lamella: {error.strerror or error}{what}\n".encode())


def main() -> int:
    with open(int(sys.argv[1]), "rb") as file:
        told = marshal.loads(file.read())
    *view, network, command, environment, folder, user, group, parent = told
    own_user, own_group = os.geteuid(), os.getegid()
    try:
        _done(_libc.unshare(_NEW_NAMESPACES | (0 if network else _NEW_NETWORK)), "unshare")
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {own_user} 1")
        _write("/proc/self/gid_map", f"{group} {own_group} 1")
        _end_with_parent()
        if os.getppid() != parent:  # it ended before it could be watched
            return REFUSED
        child = os.fork()
        if child == 0:
            code = REFUSED
            try:
                code = _first(view, network, command, environment, folder)
            except OSError as error:
                _tell(error)
            os._exit(code)
    except OSError as error:
        _tell(error)
        return REFUSED
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    return _wait(child)


if __name__ == "__main__":
    os._exit(main())
