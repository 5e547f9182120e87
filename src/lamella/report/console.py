"""Where words go.  On a terminal rich draws; in a log there are plain lines."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from lamella.errors import LamellaError
    from lamella.wheels.obtain import Progress


# A column of words is at least this wide, however narrow the terminal is
_FOLDED = 16


class Console:
    """Prints for one command.  With `quiet` only data and errors are shown.

    That the reader of stdout goes away (`lamella … | head`) ends nothing but a command that `streams`, of which
    nobody knows how long it goes on: all else does what it does, and its exit code is what came of it.
    """

    streams = False

    def __init__(self, *, quiet: bool = False, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.quiet = quiet
        self.out = out or sys.stdout
        self.err = err or sys.stderr

    def data(self, text: str) -> None:
        """What the command was asked for.  Raises BrokenPipeError where it `streams` and nobody reads any more."""
        try:
            self.out.write(text if text.endswith("\n") else text + "\n")
            self.out.flush()
        except BrokenPipeError:
            if self.streams or self.out is not sys.stdout:
                raise
            let_go_of_stdout()

    def say(self, text: str) -> None:
        if not self.quiet:
            self.err.write(text + "\n")
            self.err.flush()

    def log(self, lines: bytes) -> None:
        """What a function writes, as it comes.  That it can't be shown is no failure of the function."""
        with contextlib.suppress(OSError):
            self.err.write(lines.decode("utf-8", "replace"))
            self.err.flush()

    def note(self, text: str) -> None:
        self._labelled("note", "cyan", text)

    def warning(self, text: str) -> None:
        self._labelled("warning", "yellow", text)

    def error(self, error: LamellaError) -> None:
        lines = str(error).splitlines() or [""]
        self._write_label("error", "red", lines[0])
        for line in lines[1:]:
            self.err.write(line + "\n")
        self.err.flush()

    def _labelled(self, label: str, colour: str, text: str) -> None:
        if not self.quiet:
            self._write_label(label, colour, text)

    def _write_label(self, label: str, colour: str, text: str) -> None:
        if _is_terminal(self.err):
            from rich.console import Console as Rich
            from rich.text import Text

            shown = Text.assemble((label, f"bold {colour}"), ": ", text)
            Rich(file=self.err, highlight=False, soft_wrap=True).print(shown)
        else:
            self.err.write(f"{label}: {text}\n")
            self.err.flush()

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int]) -> None:
        """A table on stdout; the columns numbered in `right` are set flush right."""
        if self.quiet:
            return
        if _is_terminal(self.out) and self._drawn(columns, rows, right):
            return
        widths = _widths(columns, rows)
        for row in (columns, *rows):
            cells = [
                cell.rjust(width) if at in right else cell.ljust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            self.data("  ".join(cells).rstrip())

    def _drawn(self, columns: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int]) -> bool:
        """Draw the table with rich; False, and nothing drawn, where the terminal is too narrow for it.

        The first column names the row and numbers mean something whole only: words alone may be folded.
        """
        from rich import box
        from rich.console import Console as Rich
        from rich.table import Table
        from rich.text import Text

        rich = Rich(file=self.out, highlight=False)
        whole = {0, *right}
        least = [w if at in whole else min(w, _FOLDED) for at, w in enumerate(_widths(columns, rows))]
        if sum(least) + 3 * len(least) > rich.width:  # two columns of padding and one between
            return False
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for at, name in enumerate(columns):
            table.add_column(
                name,
                justify="right" if at in right else "left",
                no_wrap=at in whole,
                min_width=least[at],
                overflow="fold",
            )
        for row in rows:
            table.add_row(*(Text(cell, style="bold" if at == 0 else "") for at, cell in enumerate(row)))
        rich.print(table)
        return True

    def progress(self) -> Progress:
        """Shows what is fetched: bars on a terminal, elsewhere only what takes minutes.  Close it with `close`."""
        if self.quiet:
            from lamella.wheels.obtain import Silent

            return Silent()
        return Bars(self.err) if _is_terminal(self.err) else Lines(self)


def let_go_of_stdout() -> None:
    """What is still in its buffer, and what comes, goes nowhere, instead of failing once more."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, 1)
    os.close(descriptor)


def _label(filename: str) -> str:
    """What a bar is called: the distribution of a wheel or sdist, anything else by its whole name."""
    return filename.split("-")[0] if filename.endswith((".whl", ".gz", ".zip")) else filename


class Lines:
    """A line for what takes minutes; what is fetched is not shown."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def began(self, filename: str, size: int | None) -> None: ...
    def received(self, filename: str, count: int) -> None: ...
    def ended(self, filename: str) -> None: ...
    def close(self) -> None: ...

    def said(self, text: str) -> None:
        self._console.say(text)


class Bars:
    """A bar for each file that is fetched.  rich is loaded when the first byte is asked for."""

    def __init__(self, err: TextIO) -> None:
        import threading

        self._err = err
        self._lock = threading.Lock()
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}

    def began(self, filename: str, size: int | None) -> None:
        with self._lock:
            if self._bars is None:
                self._bars = _bars(self._err)
                self._bars.start()
            self._tasks[filename] = self._bars.add_task(_label(filename), total=size)

    def received(self, filename: str, count: int) -> None:
        with self._lock:
            self._bars.advance(self._tasks[filename], count)

    def ended(self, filename: str) -> None:
        with self._lock:
            self._bars.remove_task(self._tasks.pop(filename))

    def said(self, text: str) -> None:
        with self._lock:
            if self._bars is not None:  # it stands above the bars
                from rich.text import Text

                self._bars.console.print(Text(text), soft_wrap=True)
            else:
                self._err.write(text + "\n")
                self._err.flush()

    def close(self) -> None:
        with self._lock:
            if self._bars is not None:
                self._bars.stop()
                self._bars = None


def _bars(err: TextIO) -> Any:
    from rich.console import Console as Rich
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    return Progress(
        TextColumn("{task.description:<28}"),
        BarColumn(bar_width=28),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Rich(file=err),
        transient=True,
    )


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(row[at]) for row in (columns, *rows)) for at in range(len(columns))]


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty()
