from __future__ import annotations

import io
import json

from lamella.checks.model import Contributor, Finding, Outcome, Severity, SizeVerdict
from lamella.report.check import as_json, show, show_sizes
from lamella.report.console import Console

LAYER = SizeVerdict("layer", "layer", "zipped", 48234567, 52428800, (("layer", 48234567),), (), ())
LARGE = SizeVerdict(
    "layer",
    "big",
    "zipped",
    60_000_000,
    52428800,
    (("big", 60_000_000),),
    (),
    (Contributor("pyarrow 26.0.1", "big", 55_000_000),),
)
FUNCTION = SizeVerdict(
    "function", "api", "unzipped", 300_000_000, 262144000, (("code", 1), ("layer", 299_999_999)),
    ("arn:aws:lambda:eu-west-1:123456789012:layer:x:1",), (Contributor("own code", "api", 1),),
)  # fmt: skip

ERROR = Finding("imports", Severity.ERROR, "layer", "python/x.py", "`x` can't be imported", "keep it", 3)
WARNING = Finding("overlap", Severity.WARNING, "b", "", "twice", "")
NOTE = Finding("imports", Severity.NOTE, "api", "", "not tried\x1b", "")


def lines(*verdicts: SizeVerdict, quiet: bool = False) -> list[str]:
    out = io.StringIO()
    show_sizes(Console(quiet=quiet, out=out, err=io.StringIO()), verdicts)
    return out.getvalue().splitlines()


def test_the_line_of_a_single_layer() -> None:
    assert lines(LAYER) == ["Layer size OK: 48234567 bytes (limit: 52428800)"]


def test_several_layers_are_named_and_a_large_one_explained() -> None:
    assert lines(LAYER, LARGE) == [
        "Layer `layer` size OK: 48234567 bytes (limit: 52428800)",
        "Layer `big` size TOO LARGE: 60000000 bytes (limit: 52428800)",
        "    55.0 MB  pyarrow 26.0.1",
    ]


def test_a_function_adds_up() -> None:
    assert lines(FUNCTION) == [
        "Function `api` size TOO LARGE: 300000000 bytes unzipped (limit: 262144000): code 1 + layer 299999999"
        " + arn:aws:lambda:eu-west-1:123456789012:layer:x:1 (size unknown)",
        "        1 B  own code in `api`",
    ]


def test_quiet_shows_what_fails() -> None:
    assert lines(LAYER, quiet=True) == []
    assert len(lines(LAYER, LARGE, quiet=True)) == 2


def test_json() -> None:
    outcomes = [Outcome("size", "", ()), Outcome("imports", "2 modules", (ERROR, NOTE))]
    tree = json.loads(as_json(outcomes, [LARGE, FUNCTION]))
    one, two = tree["size"]
    assert one["passed"] is False
    assert (one["measured"], one["limit"], one["unit"]) == (60_000_000, 52428800, "zipped")
    assert one["contributors"] == [{"name": "pyarrow 26.0.1", "where": "big", "bytes": 55_000_000}]
    assert two["parts"] == {"code": 1, "layer": 299_999_999}
    assert tree["passed"] is False
    assert tree["checks"]["imports"] == {"passed": False, "tried": True, "summary": "2 modules"}
    assert tree["findings"][0] == {
        "check": "imports", "severity": "error", "artifact": "layer", "path": "python/x.py", "line": 3,
        "reason": "`x` can't be imported", "hint": "keep it", "tried": True,
    }  # fmt: skip


def test_json_without_sizes() -> None:
    tree = json.loads(as_json([Outcome("overlap", "1 function", ())], ()))
    assert tree == {
        "passed": True,
        "checks": {"overlap": {"passed": True, "tried": True, "summary": "1 function"}},
        "findings": [],
    }


def shown(*outcomes: Outcome, quiet: bool = False) -> list[str]:
    out = io.StringIO()
    show(Console(quiet=quiet, out=out, err=io.StringIO()), outcomes, [LAYER])
    return out.getvalue().splitlines()


def test_a_line_for_each_check_then_all_findings_the_worst_first() -> None:
    outcomes = (
        Outcome("size", "", ()),
        Outcome("imports", "2 modules (bubblewrap, Python 3.12.1)", (NOTE, ERROR)),
        Outcome("overlap", "1 function", (WARNING,)),
    )
    assert shown(*outcomes) == [
        "Layer size OK: 48234567 bytes (limit: 52428800)",
        "imports FAILED: 1 error in 2 modules (bubblewrap, Python 3.12.1)",
        "overlap OK: 1 function, 1 warning",
        "error    imports  layer: python/x.py:3",
        "  `x` can't be imported",
        "  hint: keep it",
        "warning  overlap  b",
        "  twice",
        "note     imports  api",
        "  not tried\\x1b",
    ]
    assert shown(*outcomes, quiet=True) == [
        "imports FAILED: 1 error in 2 modules (bubblewrap, Python 3.12.1)",
        "error    imports  layer: python/x.py:3",
        "  `x` can't be imported",
        "  hint: keep it",
    ]


def test_a_table_on_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    show(Console(out=out, err=io.StringIO()), [Outcome("imports", "", (ERROR, WARNING))], ())
    head, *rest = [line for line in out.getvalue().splitlines() if line.strip()][1:]
    assert [word for word in ("check", "where", "reason", "way out") if word in head] == [
        "check",
        "where",
        "reason",
        "way out",
    ]
    text = " ".join(rest)
    assert "error" in text
    assert "keep it" in text


def test_what_could_not_be_tried_is_not_called_fine() -> None:
    one = Outcome("imports", "it is for Linux on aarch64", (NOTE,), tried=False)
    assert shown(one)[0] == "imports NOT TRIED: it is for Linux on aarch64"
    assert shown(one, quiet=True) == []
    failed = one._replace(findings=(ERROR,))
    assert shown(failed)[0] == "imports FAILED: 1 error in it is for Linux on aarch64"
