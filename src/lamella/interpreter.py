"""A CPython of a minor version on this machine: found, or installed, through uv; remembered while it stays the same."""

from __future__ import annotations

import hashlib
import os
import sys
from typing import Any, NamedTuple, Protocol

from lamella.errors import LamellaError
from lamella.files import state

# What an interpreter is asked: its version, what it is, and where it is when no environment is around it
_ASKED = """
import sys
print("%d.%d" % sys.version_info[:2], sys.version.split()[0].rstrip("+"), sys.implementation.name)
print(getattr(sys, "abiflags", ""))
print(getattr(sys, "_base_executable", None) or sys.executable)
"""
_MEMO = "interpreters"


class Interpreter(NamedTuple):
    """`path` is absolute, `version` the full one: "3.12.1"."""

    path: str
    version: str


class Purpose(NamedTuple):
    """What an interpreter is wanted for, "to compile bytecode with", and what goes without one."""

    doing: str
    otherwise: str


BYTECODE = Purpose("to compile bytecode with", 'say `bytecode = "none"`')


class Memory(Protocol):
    """Answers that are kept from one run to the next; see `wheels.cache.Cache`."""

    def recall(self, kind: str, key: str) -> Any: ...

    def remember(self, kind: str, key: str, answer: object) -> None: ...


class InterpreterMissingError(LamellaError):
    """No interpreter of the wanted minor version is here."""


def find(
    python: tuple[int, int],
    *,
    offline: bool,
    install: bool = True,
    memory: Memory | None = None,
    purpose: Purpose = BYTECODE,
) -> Interpreter:
    """An interpreter of this minor version: our own, or one that uv knows here, or, with `install`, one that it gets.

    Without uv the one on PATH serves.

    Only CPython's default build serves: bytecode and modules of a debug or free-threaded one are others.
    With `memory`, one that was found before is taken without starting anything, while its file is the same.
    Raises InterpreterMissingError.
    """
    known = _own(python) or (memory and _remembered(python, memory))
    if known:
        return known
    found = _asked(python, offline=offline)
    if not isinstance(found, Interpreter) and install:
        if offline:
            found = (*found, "`--offline` was given, so none was installed")
        else:
            found = _installed(python) or _asked(python, offline=offline)
    if isinstance(found, Interpreter):
        if memory is not None:
            answer = {"path": found.path, "version": found.version, "state": state(found.path)}
            memory.remember(_MEMO, _key(python), answer)
        return found
    wanted = _minor(python)
    raise InterpreterMissingError(
        f"no Python {wanted} {purpose.doing}",
        why=found,
        hint=f"run `uv python install {wanted}`, or {purpose.otherwise}",
    )


def _own(python: tuple[int, int]) -> Interpreter | None:
    version = sys.version_info
    default = sys.implementation.name == "cpython" and not _other_build(getattr(sys, "abiflags", ""))
    if version[:2] != python or not default or version.releaselevel not in ("candidate", "final"):
        return None
    return Interpreter(sys.executable, sys.version.split()[0].rstrip("+"))


def _other_build(abiflags: str) -> bool:
    return "d" in abiflags or "t" in abiflags


def _remembered(python: tuple[int, int], memory: Memory) -> Interpreter | None:
    answer = memory.recall(_MEMO, _key(python))
    try:
        known, then = Interpreter(answer["path"], answer["version"]), answer["state"]
    except (TypeError, KeyError):
        return None
    return known if then == state(known.path) != "-" else None


def _key(python: tuple[int, int]) -> str:
    """What uv's answer hangs on, as far as it can be told without asking: where and how it looks."""
    names = sorted(name for name in os.environ if name.startswith("UV_PYTHON") or name in ("PATH", "PYENV_VERSION"))
    parts = [_minor(python), os.getcwd(), *(f"{name}={os.environ[name]}" for name in names)]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _minor(python: tuple[int, int]) -> str:
    return f"{python[0]}.{python[1]}"


def _asked(python: tuple[int, int], *, offline: bool) -> Interpreter | tuple[str, ...]:
    """The interpreter that uv knows here, or why there is none, a line each."""
    import subprocess

    from lamella import uv

    command = ["python", "find", "--no-project", "--no-python-downloads", _minor(python)]
    try:
        path = uv.run(command, cwd=os.getcwd(), offline=offline).strip()
    except uv.UvFailedError as error:
        return _words(error.lines)
    except uv.UvMissingError as error:
        import shutil

        found = shutil.which(f"python{_minor(python)}")
        if found is None:
            return (f"{error.what}, which finds interpreters, and no `python{_minor(python)}` either", f"{error.hint}")
        path = os.path.abspath(found)
    try:
        # -I: what is set in the environment says nothing about the interpreter
        asked = [path, "-I", "-S", "-c", _ASKED]
        done = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except OSError as error:
        return (f"`{path}` can't be run: {error.strerror}",)
    try:
        head, abiflags, executable = done.stdout.splitlines()
        minor, version, implementation = head.split()
    except ValueError:
        return (f"`{path}` is no Python that runs", *done.stderr.splitlines()[-3:])
    if minor != _minor(python) or implementation != "cpython" or _other_build(abiflags):
        return (f"`{path}` is {implementation} {version}{abiflags}, not the default build of CPython {_minor(python)}",)
    return Interpreter(executable, version)


def _installed(python: tuple[int, int]) -> tuple[str, ...]:
    """Have uv install one; why that failed, a line each."""
    from lamella import uv

    try:
        uv.run(["python", "install", _minor(python)], cwd=os.getcwd())
    except uv.UvFailedError as error:
        return _words(error.lines)
    except uv.UvMissingError as error:
        return (f"{error.what}, which finds and installs interpreters", f"{error.hint}")
    return ()


def _words(lines: tuple[str, ...]) -> tuple[str, ...]:
    """uv's reason without the warnings before it, which are about interpreters that nobody asked for."""
    start = next((number for number, line in enumerate(lines) if line.startswith("error:")), 0)
    return lines[start:]
