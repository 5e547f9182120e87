"""The target's own interpreter at work on `compiling.py`: processes that take sources and give bytecode."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from struct import Struct
from typing import IO, TypeVar

from lamella.errors import OutsideError
from lamella.interpreter import Interpreter

_LENGTH = Struct("<I")
_LENGTHS = Struct("<II")
_SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compiling.py")
# The flags of .pyc files that `compiling.py` makes: with a hash, unchecked (PEP 552)
_UNCHECKED = 1
# Files for which another process is worth starting
_WORTH = 24

T = TypeVar("T")
R = TypeVar("R")


class _DiedError(Exception):
    """The process is gone."""


class _Process:
    def __init__(self, interpreter: Interpreter, *, columns: bool) -> None:
        # Known from Python 3.11 on; older ones have no columns, and pass over options that they don't know
        terse = [] if columns else ["-X", "no_debug_ranges"]
        # Nothing of this machine's site-packages is imported, and no setting counts.  The hash seed is given, as
        # Python 3.13.0 lets it into what it compiles
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        try:
            self.process = subprocess.Popen(
                [interpreter.path, "-s", "-S", "-B", "-W", "ignore", *terse, _SCRIPT],
                env={**environment, "PYTHONHASHSEED": "0"},
                cwd=os.path.dirname(_SCRIPT),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise _failed(interpreter, [f"`{interpreter.path}` can't be run: {error.strerror}"]) from None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.sources: IO[bytes] = self.process.stdin
        self.answers: IO[bytes] = self.process.stdout
        try:
            head = self._read(8)
        except _DiedError:
            head = b""
        if head[4:] != _LENGTH.pack(_UNCHECKED):
            _, words = self.process.communicate()
            last = words.decode("utf-8", "replace").splitlines()[-3:]
            raise _failed(interpreter, [f"`{interpreter.path}` ended with {self.process.returncode}", *last])

    def bytecode(self, name: str, source: bytes) -> bytes:
        """Raises _DiedError."""
        shown = name.encode("utf-8", "surrogateescape")
        try:
            self.sources.write(_LENGTHS.pack(len(shown), len(source)) + shown + source)
            self.sources.flush()
        except OSError:
            raise _DiedError from None
        return self._read(_LENGTH.unpack(self._read(_LENGTH.size))[0])

    def _read(self, size: int) -> bytes:
        data = self.answers.read(size)
        if len(data) < size:
            raise _DiedError
        return data

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def _failed(interpreter: Interpreter, why: Sequence[str]) -> OutsideError:
    return OutsideError(
        f"Python {interpreter.version} can't compile bytecode",
        why=why,
        hint='see that it runs, or say `bytecode = "none"`',
    )


class Compiler:
    """As many processes as there are processors, at most, for about `files` files.

    Which process compiles a file, and what it compiled before, makes no difference to the bytes.  Without `columns`
    the bytecode knows lines alone: a traceback can underline nothing.
    """

    def __init__(self, interpreter: Interpreter, files: int, *, columns: bool = True) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self.interpreter = interpreter
        self.columns = columns
        count = max(1, min(os.cpu_count() or 1, files // _WORTH))
        self._idle: SimpleQueue[_Process | None] = SimpleQueue()
        for _ in range(count):
            self._idle.put(None)
        self._count = count
        self._threads = ThreadPoolExecutor(count)

    def __enter__(self) -> Compiler:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._threads.shutdown(cancel_futures=True)
        for _ in range(self._count):
            process = self._idle.get()
            if process is not None:
                process.end()

    def map(self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """The work on each, done side by side, in their order."""
        return self._threads.map(work, items)

    def bytecode(self, name: str, source: bytes) -> bytes:
        """A .pyc file; nothing for a source that doesn't compile, or that brings the interpreter down."""
        process = self._idle.get()
        try:
            if process is None:
                process = _Process(self.interpreter, columns=self.columns)
            return process.bytecode(name, source)
        except _DiedError:
            assert process is not None
            process.end()
            process = None
            return b""
        finally:
            self._idle.put(process)
