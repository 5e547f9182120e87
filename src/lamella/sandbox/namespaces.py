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


def arguments(descriptor: str) -> list[str]:
    """The command that does what it reads from this descriptor."""
    return [sys.executable, "-I", "-S", _LAUNCHER, descriptor]


def told(view: View, command: Sequence[str], environment: Mapping[str, str], folder: str) -> bytes:
    """What it must read to run `command` in `view` with this environment and no other, in `folder` of it."""
    return marshal.dumps((*view, list(command), dict(environment), folder, USER, GROUP, os.getpid()))
