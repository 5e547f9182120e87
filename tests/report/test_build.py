from __future__ import annotations

import io
import json

import pytest

from lamella.build.model import Made, Outcome
from lamella.manifest import Manifest
from lamella.report.build import as_json, show
from lamella.report.console import Console


def made(key: str, *changes: str, written: bool = True) -> Made:
    return Made(
        key=key, kind="layer", file=f"{key}.zip", zipped=1_500_000, unzipped=2_000, members=7, changes=changes,
        written=written, seconds=0.0314,
    )  # fmt: skip


def outcome(*all_made: Made, removed: tuple[str, ...] = (), fetched: int = 0) -> Outcome:
    return Outcome(
        output="/project/dist/lambda", manifest=Manifest("p", (), ()), made=all_made, notes=("noted",),
        warnings=("warned",), removed=removed, fetched=fetched, seconds=1.25, inputs=(),
    )  # fmt: skip


def shown(what: Outcome, *, quiet: bool = False) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    show(Console(quiet=quiet, out=out, err=err), what)
    return out.getvalue(), err.getvalue()


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getcwd", lambda: "/project")


def test_a_table_with_what_changed() -> None:
    out, err = shown(outcome(made("layer", "pyarrow 26.0.0 → 26.0.1"), made("api", written=False), fetched=2_000_000))
    head, one, two = out.splitlines()
    assert head.split() == ["artifact", "zipped", "unzipped", "members", "changes", "time"]
    assert one.split()[:6] == ["layer.zip", "1.5", "MB", "2.0", "kB", "7"]
    assert "pyarrow 26.0.0 → 26.0.1" in one
    assert "unchanged" in two
    assert "fetched 2.0 MB: `dist/lambda`" in err


def test_many_changes_are_counted() -> None:
    out, _ = shown(outcome(made("layer", "+ a 1", "+ b 1", "+ c 1", "+ d 1", "+ e 1")))
    assert "+ a 1, + b 1, + c 1 and 2 more" in out


def test_equal_bytes_written_again() -> None:
    assert "rewritten" in shown(outcome(made("layer")))[0]


def test_nothing_written_is_one_line() -> None:
    assert shown(outcome(made("layer", written=False))) == (
        "",
        "Nothing changed: `dist/lambda` is up to date (1 zip)\n",
    )
    assert "(2 zips)" in shown(outcome(made("layer", written=False), made("api", written=False)))[1]


def test_removed_ones_are_named() -> None:
    assert (
        "removed old.zip: it is no longer configured\n"
        in shown(outcome(made("layer", written=False), removed=("old.zip",)))[1]
    )


def test_quiet() -> None:
    assert shown(outcome(made("layer", "new")), quiet=True) == ("", "")


def test_json() -> None:
    tree = json.loads(as_json(outcome(made("layer", "new"), fetched=3)))
    assert tree == {
        "output": "/project/dist/lambda",
        "written": True,
        "seconds": 1.25,
        "fetched": 3,
        "artifacts": [
            {
                "key": "layer", "kind": "layer", "file": "layer.zip", "zipped": 1_500_000, "unzipped": 2_000,
                "members": 7, "changes": ["new"], "written": True, "seconds": 0.0314,
            }
        ],
        "removed": [],
        "notes": ["noted"],
        "warnings": ["warned"],
    }  # fmt: skip
