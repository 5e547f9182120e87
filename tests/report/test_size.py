from __future__ import annotations

import io
import json
from collections.abc import Sequence

from tests.sizes.rows import function, layer

from lamella.report.console import Console
from lamella.report.size import BY, as_json, saved, show
from lamella.sizes.sums import sums

BOTH = [("layer", sums(layer())), ("api", sums(function()))]


def lines(*by: str, found: Sequence[int] = (0,), quiet: bool = False) -> list[str]:
    out = io.StringIO()
    show(Console(quiet=quiet, out=out, err=io.StringIO()), [BOTH[at] for at in found], by=by or BY)
    return out.getvalue().splitlines()


def test_by_distribution() -> None:
    assert lines("distribution") == [
        "`layer`: 8.0 kB zipped, 19.4 kB unzipped, 7 files; in the wheels 16.0 kB, 36.5 kB, 9 files",
        "distribution      files  zipped           unzipped            share",
        "demo 1.0              6  7.1 kB  -7.5 kB   17.0 kB  -17.1 kB   89 %",
        "scikit-thing 1.0      1   900 B   -500 B    2.4 kB             11 %",
        "all                   7  8.0 kB  -8.0 kB   19.4 kB  -17.1 kB  100 %",
    ]


def test_by_rule() -> None:
    found = lines("rule")
    assert found[1].split() == ["rule", "or", "step", "files", "saved", "zipped", "unzipped"]
    assert found[2].split() == ["tests", "2", "4.5", "kB", "9.0", "kB", "not", "for", "use"]
    assert found[-2].split()[:6] == ["bytecode", "1", "-900", "B", "-1.4", "kB"]
    assert found[-1].split() == ["all", "8.0", "kB", "17.1", "kB"]


def test_all_tables_and_all_artifacts() -> None:
    found = lines(found=(0, 1))
    assert [line.split()[0] for line in found if line.startswith(("`", "distribution", "kind", "rule"))] == [
        "`layer`:", "distribution", "kind", "rule", "`api`:", "distribution", "kind",
    ]  # fmt: skip
    assert found[-1] == "no rule took anything out, and nothing was made smaller"
    assert "`api`: 200 B zipped, 300 B unzipped, 1 file" in found
    assert any(line.startswith("own files") for line in found)


def test_quiet() -> None:
    assert lines(quiet=True) == []


def test_json() -> None:
    one, two = json.loads(as_json(BOTH))["artifacts"]
    assert one["key"] == "layer"
    assert one["before"] == {"members": 9, "zipped": 16000, "unzipped": 36500}
    assert one["after"] == {"members": 7, "zipped": 8000, "unzipped": 19400}
    assert one["distributions"][1]["name"] == "scikit-thing"
    assert one["distributions"][1]["after"]["zipped"] == 900
    assert sum(saving["zipped"] for saving in one["savings"]) == 8000
    assert two["savings"] == []


def test_what_was_added_has_a_sign() -> None:
    assert [saved(count) for count in (1500, 0, -1500)] == ["1.5 kB", "0 B", "-1.5 kB"]
