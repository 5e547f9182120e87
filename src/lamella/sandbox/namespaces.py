"""A view through user namespaces directly, where the kernel allows them: no other program is needed."""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Mapping, Sequence

from lamella.sandbox.model import View
from lamella.sandbox.view import GROUP, USER

_LAUNCHER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "launcher.py")
_MACHINES = ("x86_64", "aarch64")


def possible() -> bool:
    """Whether the launcher knows this machine."""
    return sys.platform == "linux" and os.uname().machine in _MACHINES


def arguments(view: View, command: Sequence[str], environment: Mapping[str, str], folder: str) -> list[str]:
    """The command that runs `command` in `view` with this environment and no other, in `folder` of it."""
    told = (*view, list(command), dict(environment), folder, USER, GROUP, os.getpid())
    return [sys.executable, "-I", "-S", _LAUNCHER, marshal.dumps(told).hex()]
