"""A view through bubblewrap (`bwrap`), where it is installed.  Version 0.5 and later; Debian 12 has 0.8."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence

from lamella.sandbox.model import View
from lamella.sandbox.view import GROUP, USER


def program() -> str | None:
    """The path of `bwrap`, or None."""
    return shutil.which("bwrap")


def arguments(bwrap: str, command: Sequence[str], descriptor: str) -> list[str]:
    """The command that runs `command` with the `options` that it reads from this descriptor."""
    return [bwrap, "--args", descriptor, "--", *command]


def options(view: View, environment: Mapping[str, str], folder: str) -> bytes:
    """Those for `view` with this environment and no other, in `folder` of it: as `--args` takes them.

    Not for the command line, which every user of this machine can read: variables may be secrets.
    """
    made = [
        "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
        *(() if view.network else ("--unshare-net",)),
        "--uid", str(USER), "--gid", str(GROUP), "--cap-drop", "ALL", "--die-with-parent", "--clearenv",
        "--hostname", "localhost",
    ]  # fmt: skip
    made += ["--tmpfs", "/dev", "--proc", "/proc", "--size", str(view.scratch_bytes), "--perms", "1777"]
    made += ["--tmpfs", view.scratch]
    for device in view.devices:
        made += ["--dev-bind", device, device]
    for source, target in view.binds:
        made += ["--ro-bind", source, target]
    for place in view.hidden:
        made += ["--tmpfs", place, "--remount-ro", place]
    for place in view.folders:
        made += ["--dir", place]
    for place, target in view.links:
        made += ["--symlink", target, place]
    # Whoever is root outside would be let write the machine's own settings (/proc/sys): it asks for no capability
    made += ["--remount-ro", "/dev", "--remount-ro", "/proc", "--remount-ro", "/"]
    for name, value in environment.items():
        made += ["--setenv", name, value]
    return b"".join(os.fsencode(word) + b"\0" for word in (*made, "--chdir", folder))
