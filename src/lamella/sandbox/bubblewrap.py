"""A view through bubblewrap (`bwrap`), where it is installed.  Version 0.5 and later; Debian 12 has 0.8."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence

from lamella.sandbox.model import View
from lamella.sandbox.view import GROUP, USER


def program() -> str | None:
    """The path of `bwrap`, or None."""
    return shutil.which("bwrap")


def arguments(bwrap: str, view: View, command: Sequence[str], environment: Mapping[str, str], folder: str) -> list[str]:
    """The command that runs `command` in `view` with this environment and no other, in `folder` of it."""
    made = [
        bwrap, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
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
    made += ["--remount-ro", "/dev", "--remount-ro", "/"]
    for name, value in environment.items():
        made += ["--setenv", name, value]
    return [*made, "--chdir", folder, "--", *command]
