from __future__ import annotations

import io
import json

from lamella.checks.model import Contributor, SizeVerdict
from lamella.report.check import as_json, show_sizes, size_rows
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
    one, two = json.loads(as_json({"size": size_rows([LARGE, FUNCTION])}))["size"]
    assert one["passed"] is False
    assert (one["measured"], one["limit"], one["unit"]) == (60_000_000, 52428800, "zipped")
    assert one["contributors"] == [{"name": "pyarrow 26.0.1", "where": "big", "bytes": 55_000_000}]
    assert two["parts"] == {"code": 1, "layer": 299_999_999}
