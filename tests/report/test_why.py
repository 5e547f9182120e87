from __future__ import annotations

import io
import json

from tests.sizes.rows import function, layer, twice

from lamella.report.console import Console
from lamella.report.why import as_json, show
from lamella.sizes.asking import absent, ask
from lamella.sizes.model import Explained


def lines(asked: str, explained: Explained | None = None) -> list[str]:
    out = io.StringIO()
    one = explained or layer()
    show(Console(out=out, err=io.StringIO()), one.key, ask(one, asked))
    return out.getvalue().splitlines()


def test_a_file_that_is_out() -> None:
    assert lines("demo/core.pyi") == [
        "`python/demo/core.pyi` is out",
        "  from     demo 1.0, demo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl",
        "  rule     stubs",
        "  because  for type checkers",
        "  size     1.5 kB, 500 B zipped in the wheel",
    ]


def test_a_file_that_was_changed() -> None:
    assert lines("demo.core") == [
        "`python/demo/core.cpython-312-x86_64-linux-gnu.so` is in",
        "  from     demo 1.0, demo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl",
        "  rule     none",
        "  because  no rule is about it",
        "  changed  blanked",
        "  size     7.0 kB → 5.0 kB, zipped 3.0 kB → 2.0 kB",
    ]


def test_a_link() -> None:
    found = lines("demo.libs/libz-abc.so")
    assert "  rule     equal" in found
    assert "  changed  linked to libz-abc.so.1" in found


def test_bytecode_names_its_interpreter() -> None:
    assert lines("demo/__pycache__/__init__.cpython-312.pyc")[2:] == [
        "  rule     bytecode",
        "  because  compiled by Python 3.12.1 from its source",
        "  size     1.4 kB, 900 B zipped",
    ]


def test_own_code() -> None:
    assert lines("app.py", function()) == [
        "`app.py` is in",
        "  because  it is the project's own",
        "  size     300 B, 200 B zipped",
    ]


def test_own_code_that_is_left_out() -> None:
    assert lines("notes.md", function()) == [
        "`notes.md` is out",
        "  rule     exclude",
        "  because  `exclude` leaves it out, by `*.md`",
    ]


def test_all_that_was_changed() -> None:
    assert "  changed  blanked, recompressed" in lines("demo/twice.so", Explained("layer", "layer.zip", (twice(),)))


def test_a_distribution_that_is_not_there() -> None:
    out = io.StringIO()
    show(Console(out=out, err=io.StringIO()), "layer", absent("leaf", "leaf", "unasked", "nothing asks for it"))
    assert out.getvalue() == "`leaf` is out\n  rule     unasked\n  because  nothing asks for it\n"


def test_a_folder() -> None:
    assert lines("demo/tests") == [
        "`demo/tests` in `layer`: 0 files in, 2 out",
        "     rule   files  zipped  unzipped  because",
        "out  tests      2  4.5 kB    9.0 kB  not for use",
        "",
        "path                                 rule   zipped  unzipped",
        "python/demo/tests/data/big.bin  out  tests  3.0 kB    5.0 kB",
        "python/demo/tests/test_core.py  out  tests  1.5 kB    4.0 kB",
    ]


def test_many_files_are_not_listed() -> None:
    rows = tuple(row._replace(path=f"{row.path}{number}") for number in range(3) for row in layer().rows)
    found = lines("demo", Explained("layer", "layer.zip", rows))
    assert found[0].startswith("`demo` in `layer`: 9 files in (28.2 kB, 11.7 kB zipped), 9 out")
    assert len(found) == 6


def test_json() -> None:
    tree = json.loads(as_json("layer", ask(layer(), "demo/tests")))
    assert (tree["artifact"], tree["what"], tree["path"]) == ("layer", "folder", "demo/tests")
    assert tree["groups"] == [
        {
            "kept": False,
            "rule": "tests",
            "reason": "not for use",
            "files": 2,
            "before": {"members": 2, "zipped": 4500, "unzipped": 9000},
            "after": {"members": 0, "zipped": 0, "unzipped": 0},
        }
    ]
    assert [row["path"] for row in tree["files"]] == [
        "python/demo/tests/data/big.bin",
        "python/demo/tests/test_core.py",
    ]
    assert tree["files"][0]["wheel"] == "demo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"


def test_a_name_from_outside_is_escaped() -> None:
    rows = tuple(row._replace(path="python/\x1b[31m.py") for row in function().rows)
    assert lines("/", Explained("api", "api.zip", rows))[-1].startswith("python/\\x1b[31m.py")
