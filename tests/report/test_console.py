from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from lamella.errors import ConfigError, LamellaError
from lamella.report.console import Bars, Console, Lines
from lamella.wheels.obtain import Silent


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def streams() -> tuple[io.StringIO, io.StringIO]:
    return io.StringIO(), io.StringIO()


def test_data_goes_to_stdout_and_words_to_stderr(streams: tuple[io.StringIO, io.StringIO]) -> None:
    out, err = streams
    console = Console(out=out, err=err)
    console.data("data")
    console.data("more\n")
    console.say("said")
    console.note("noted")
    console.warning("warned")
    assert out.getvalue() == "data\nmore\n"
    assert err.getvalue() == "said\nnote: noted\nwarning: warned\n"


def test_quiet_keeps_data_and_errors(streams: tuple[io.StringIO, io.StringIO]) -> None:
    out, err = streams
    console = Console(quiet=True, out=out, err=err)
    console.data("data")
    console.say("said")
    console.note("noted")
    console.warning("warned")
    console.table(("a",), [("b",)], right=frozenset())
    console.error(LamellaError("wrong"))
    assert out.getvalue() == "data\n"
    assert err.getvalue() == "error: wrong\n"


def test_an_error_with_all_its_lines(streams: tuple[io.StringIO, io.StringIO]) -> None:
    out, err = streams
    Console(out=out, err=err).error(ConfigError("`x` is wrong", why=["for one", "for two"], hint="mend it"))
    assert err.getvalue() == "error: `x` is wrong\n  for one\n  for two\n  hint: mend it\n"
    assert out.getvalue() == ""


def test_a_table_of_plain_lines(streams: tuple[io.StringIO, io.StringIO]) -> None:
    out, err = streams
    Console(out=out, err=err).table(("name", "size"), [("a", "1 B"), ("longer", "10 kB")], right=frozenset({1}))
    assert out.getvalue() == "name     size\na         1 B\nlonger  10 kB\n"


def test_a_table_on_a_terminal_holds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = Terminal()
    Console(out=out, err=io.StringIO()).table(("name", "size"), [("a[b]", "1 B")], right=frozenset({1}))
    assert "a[b]" in out.getvalue()
    assert "1 B" in out.getvalue()


def test_markup_in_names_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    err = Terminal()
    Console(out=io.StringIO(), err=err).error(LamellaError("[tool.lamella] `[red]` is wrong :smile:"))
    assert err.getvalue() == "error: [tool.lamella] `[red]` is wrong :smile:\n"


def test_colours_on_a_terminal_only_where_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    err = Terminal()
    Console(out=io.StringIO(), err=err).warning("careful")
    assert "\x1b[" in err.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    err = Terminal()
    Console(out=io.StringIO(), err=err).warning("careful")
    assert "\x1b[3" not in err.getvalue()


def test_long_lines_are_not_broken_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "dumb")
    err = Terminal()
    Console(out=io.StringIO(), err=err).note("word " * 30)
    assert err.getvalue().count("\n") == 1


def test_bars_only_on_a_terminal() -> None:
    assert isinstance(Console(err=io.StringIO()).progress(), Lines)
    assert isinstance(Console(quiet=True, err=Terminal()).progress(), Silent)
    assert isinstance(Console(err=Terminal()).progress(), Bars)


def test_what_takes_minutes_is_said_where_there_are_no_bars() -> None:
    err = io.StringIO()
    progress = Console(err=err).progress()
    progress.began("demo-1.0-py3-none-any.whl", 100)
    progress.received("demo-1.0-py3-none-any.whl", 100)
    progress.said("building `demo` in an image")
    progress.ended("demo-1.0-py3-none-any.whl")
    progress.close()
    assert err.getvalue() == "building `demo` in an image\n"


def test_what_takes_minutes_is_said_above_the_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()
    bars = Console(err=err).progress()
    bars.said("before [any] bar")
    bars.began("podman: demo", None)
    bars.said("building [demo]")
    bars.close()
    assert err.getvalue().startswith("before [any] bar\n")
    assert "building [demo]\n" in err.getvalue()


def test_bars_show_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()
    bars = Console(err=err).progress()
    bars.began("demo-1.0-py3-none-any.whl", 100)
    bars.began("other-1.0-py3-none-any.whl", None)
    bars.received("demo-1.0-py3-none-any.whl", 60)
    bars.received("demo-1.0-py3-none-any.whl", -60)
    bars.ended("demo-1.0-py3-none-any.whl")
    bars.ended("other-1.0-py3-none-any.whl")
    bars.close()
    bars.close()
    assert "demo" in err.getvalue()


def test_nothing_is_drawn_when_nothing_is_fetched() -> None:
    err = Terminal()
    Console(err=err).progress().close()
    assert err.getvalue() == ""


def test_plain_lines_need_no_rich() -> None:
    asked = (
        "import sys; from lamella.report.console import Console; from lamella.errors import LamellaError\n"
        "c = Console(); c.say('x'); c.note('y'); c.error(LamellaError('z'))\n"
        "c.table(('a',), [('b',)], right=frozenset())\n"
        "c.progress().close(); assert 'rich' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True)


def test_what_streams_ends_with_its_reader() -> None:
    """All else goes on, and says with its exit code what came of it."""
    program = (
        "import sys\n"
        "from lamella.report.console import Console\n"
        "Console.streams = sys.argv[1] == 'stream'\n"
        "console = Console()\n"
        "try:\n"
        "    for _ in range(3):\n"
        "        console.data('more')\n"
        "except BrokenPipeError:\n"
        "    import os; os._exit(7)\n"
        "sys.exit(5)\n"
    )
    for how, code in (("stream", 7), ("all", 5)):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [sys.executable, "-c", program, how], stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60
        )
        os.close(writing)
        assert (done.returncode, done.stderr) == (code, b"")
