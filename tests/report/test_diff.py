from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from tests.sizes.zips import make_zip, metadata

from lamella.report.console import Console
from lamella.report.diff import as_json, show
from lamella.sizes.comparing import compare
from lamella.sizes.model import Comparison
from lamella.sizes.reading import read_pair


@pytest.fixture
def found(tmp_path: Path) -> Comparison:
    old = {**metadata("moved", "1.0"), "python/moved/a.py": "a", **metadata("gone", "3"), "python/gone.py": ""}
    new = {**metadata("moved", "1.1"), "python/moved/a.py": "bb", "python/moved/b.py": ""}
    return compare("layer", *read_pair(str(make_zip(tmp_path / "a.zip", old)), str(make_zip(tmp_path / "b.zip", new))))


def lines(*found: Comparison, paths: int | None = None, quiet: bool = False) -> list[str]:
    out = io.StringIO()
    show(Console(quiet=quiet, out=out, err=io.StringIO()), found, paths=paths)
    return out.getvalue().splitlines()


def test_tables(found: Comparison) -> None:
    shown = lines(found)
    assert re.fullmatch(
        r"`layer`: \d+ B → \d+ B \(-\d+ B\) zipped, \d+ B → \d+ B \(-\d+ B\) unzipped, 4 → 3 files", shown[0]
    )
    assert shown[1].split() == ["distribution", "version", "zipped", "unzipped", "files"]
    gone, moved = (next(line for line in shown if line.startswith(name)) for name in ("gone", "moved"))
    assert "removed 3" in gone
    assert gone.endswith("2 removed")
    assert "1.0 → 1.1" in moved
    assert moved.endswith("2 added, 1 removed, 1 changed")
    assert next(line for line in shown if line.startswith("python/moved/a.py")).split()[1] == "changed"
    assert len([line for line in shown if line.startswith("python/")]) == len(found.paths) == 6


def test_paths_are_limited(found: Comparison) -> None:
    shown = lines(found, paths=2)
    assert len([line for line in shown if line.startswith("python/")]) == 2
    assert shown[-1] == "… and 4 more paths: --paths all"
    assert not any(line.startswith("path") for line in lines(found, paths=0))


def test_one_line_where_there_is_nothing_to_compare(found: Comparison) -> None:
    same = Comparison("api", "same", found.old, found.old, (), ())
    assert lines(same) == ["`api`: no difference"]
    gone = Comparison("old", "removed", found.old, found.new, (), ())
    assert lines(same, gone)[2].startswith("`old`: removed (")


def test_quiet(found: Comparison) -> None:
    assert lines(found, quiet=True) == []


def test_json_has_everything(found: Comparison) -> None:
    (tree,) = json.loads(as_json([found]))["artifacts"]
    assert (tree["key"], tree["how"]) == ("layer", "changed")
    moved = next(row for row in tree["distributions"] if row["name"] == "moved")
    assert (moved["old_version"], moved["new_version"]) == ("1.0", "1.1")
    assert moved["files"] == {"added": 2, "removed": 1, "changed": 1}
    paths = {row["path"]: row for row in tree["paths"]}
    assert len(paths) == 6
    assert paths["python/gone.py"]["new"] is None
    assert paths["python/moved/a.py"]["new"]["unzipped"] == 2
    for side in ("old", "new"):
        assert sum(row[side]["zipped"] for row in tree["paths"] if row[side]) == tree[side]["zipped"]
