from __future__ import annotations

import io
import json

from lamella.profiling.model import OWN, PYTHON, Node, Profile
from lamella.report.console import Console
from lamella.report.profile import Rounds, as_json, milliseconds, ratio, show, show_both


def profile(label: str, lib: int, runs: tuple[int, ...]) -> Profile:
    tree = Node(
        "app", OWN, 1_000, 4_000 + lib, (
            Node("demo", "demo", 1_500, 1_500 + lib, (Node("demo.lib", "demo", lib, lib, ()),)),
            Node("json", PYTHON, 1_500, 1_500, ()),
        ),
    )  # fmt: skip
    return Profile(label, "api", "app", "python3.12", "3.12.1", "bubblewrap", runs, tree)


OLD = profile("old", 16_000, (20_100, 20_000, 20_200))
NEW = profile("new", 6_000, (9_500, 9_900, 9_800, 9_600))


def printed(*profiles: Profile, top: int = 20, quiet: bool = False) -> tuple[list[str], list[str]]:
    out, err = io.StringIO(), io.StringIO()
    console = Console(out=out, err=err, quiet=quiet)
    if len(profiles) == 2:
        show_both(console, *profiles)
    else:
        show(console, profiles[0], top)
    return out.getvalue().splitlines(), err.getvalue().splitlines()


def test_one() -> None:
    out, err = printed(OLD)
    assert out == [
        "module       self  cumulative   share  distribution",
        "demo.lib  16.0 ms     16.0 ms  80.0 %  demo",
        "demo      1.50 ms     17.5 ms   7.5 %  demo",
        "json      1.50 ms     1.50 ms   7.5 %  Python",
        "app       1.00 ms     20.0 ms   5.0 %  own code",
        "",
        "distribution     self  with imports   share  modules",
        "demo          17.5 ms       17.5 ms  87.5 %        2",
        "Python        1.50 ms       1.50 ms   7.5 %        1",
        "own code      1.00 ms       20.0 ms   5.0 %        1",
    ]
    assert err == [
        "`app` in `old`: 20.1 ms (median of 3 runs, 20.0 ms to 20.2 ms; python 3.12.1, bubblewrap)",
    ]


def test_what_is_not_shown_is_counted() -> None:
    out, _ = printed(OLD, top=1)
    assert out[1:4] == [
        "demo.lib  16.0 ms     16.0 ms  80.0 %  demo",
        "3 more    4.00 ms              20.0 %",
        "",
    ]


def test_a_sum_that_differs_is_explained() -> None:
    _, err = printed(NEW._replace(runs=(12_000,)))
    assert err == [
        "`app` in `new`: 12.0 ms (1 run; python 3.12.1, bubblewrap)",
        "each module has its own median; they add up to 10.0 ms",
    ]


def test_two() -> None:
    out, err = printed(OLD, NEW)
    assert out == [
        "distribution      old      new  ratio",
        "demo          17.5 ms  7.50 ms   0.43",
        "Python        1.50 ms  1.50 ms   1.00",
        "own code      1.00 ms  1.00 ms   1.00",
        "total         20.1 ms  9.70 ms   0.48",
    ]
    assert [line.split(":")[0] for line in err] == ["`app` in `old`", "`app` in `new`"]
    assert printed(OLD, NEW, quiet=True) == ([], [])


def test_json() -> None:
    tree = json.loads(as_json([OLD, NEW]))
    before, after = tree["profiles"]
    assert tree["ratio"] == round(9_700 / 20_100, 4)
    assert (before["build"], before["total"], before["runs"]) == ("old", 20_100, [20_100, 20_000, 20_200])
    assert before["distributions"][0] == {"name": "demo", "modules": 2, "self": 17_500, "cumulative": 17_500}
    assert after["modules"][0] == {"name": "demo.lib", "distribution": "demo", "self": 6_000, "cumulative": 6_000}
    assert after["imports"]["imports"][0]["imports"] == [{"name": "demo.lib", "self": 6_000}]
    assert "ratio" not in json.loads(as_json([OLD]))


def test_numbers() -> None:
    assert [milliseconds(micro) for micro in (0, 4, 9_999, 10_000, 1_234_567)] == [
        "0.00 ms", "0.00 ms", "10.00 ms", "10.0 ms", "1234.6 ms",
    ]  # fmt: skip
    assert (ratio(0, 5), ratio(4, 1)) == ("–", "0.25")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_rounds_are_told_on_a_terminal_alone() -> None:
    terminal, log = Terminal(), io.StringIO()
    for console in (Console(err=terminal), Console(err=log), Console(err=terminal, quiet=True)):
        rounds = Rounds(console)
        rounds.done(1, 6)
        rounds.close()
    assert terminal.getvalue() == "\rmeasured 1 of 6 rounds\r\x1b[K"
    assert log.getvalue() == ""
