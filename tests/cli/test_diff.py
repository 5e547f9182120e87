from __future__ import annotations

import json
import shutil

import pytest
from tests.build.projects import WITHOUT_BYTECODE, Project


@pytest.fixture
def two(app: Project) -> Project:
    """Two builds, `old` and `new`: `stem` is updated, `more` added, a function removed, another as it was."""
    app.configure(WITHOUT_BYTECODE + '[tool.lamella.functions.gone]\nhandler = "app.handler"\nlayers = ["layer"]\n')
    app.lock()
    app.run("build", "--output", "old", check=True)
    app.wheels.clear()
    app.wheel(
        "stem", "1.1", requires=["leaf"], files={"stem/__init__.py": "import leaf\n", "stem/more.py": "more = 1\n"}
    )
    app.wheel("leaf")
    app.wheel("more")
    app.configure(WITHOUT_BYTECODE)
    app.lock()
    app.run("build", "--output", "new", check=True)
    return app


def test_two_builds(two: Project) -> None:
    done = two.run("diff", "old", "new")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("`layer`: ")
    assert next(line for line in lines if line.startswith("stem ")).split()[1:4] == ["1.0", "→", "1.1"]
    assert next(line for line in lines if line.startswith("more ")).split()[1:3] == ["added", "1.0"]
    assert not any(line.startswith("leaf") for line in lines)
    assert any(line.startswith("python/stem/__init__.py") and " changed " in line for line in lines)
    assert "`api`: no difference" in lines
    assert any(line.startswith("`gone`: removed (") for line in lines)


def test_the_sums_are_those_of_the_zips(two: Project) -> None:
    found = {one["key"]: one for one in json.loads(two.run("diff", "old", "new", "--json").stdout)["artifacts"]}
    assert [found[key]["how"] for key in ("layer", "api", "gone")] == ["changed", "same", "removed"]
    for side in ("old", "new"):
        size = (two.root / side / "layer.zip").stat().st_size
        assert found["layer"][side]["zipped"] == size - 22
    rows = found["layer"]["distributions"]
    changed = sum(row["new"]["zipped"] - row["old"]["zipped"] for row in rows)
    assert changed == found["layer"]["new"]["zipped"] - found["layer"]["old"]["zipped"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("old/layer.zip", "new/layer.zip"),
        ("old/layer.zip", "new"),
        ("old", "new/layer.zip"),
        ("alone/layer.zip", "new/manifest.json"),
        ("alone/layer.zip", "new/layer.zip"),
    ],
)
def test_zips_and_folders(two: Project, old: str, new: str) -> None:
    (two.root / "alone").mkdir()
    shutil.copy(two.root / "old" / "layer.zip", two.root / "alone")
    (one,) = json.loads(two.run("diff", old, new, "--json", check=True).stdout)["artifacts"]
    assert (one["key"], one["how"]) == ("layer", "changed")
    assert sorted(row["name"] for row in one["distributions"]) == ["more", "stem"]


def test_exit_codes(two: Project) -> None:
    assert two.run("diff", "old", "new").returncode == 0
    assert two.run("diff", "old", "new", "--exit-code", "-q").returncode == 1
    assert two.run("diff", "new", "new", "--exit-code").returncode == 0
    assert two.run("diff", "old/api.zip", "new/api.zip", "--exit-code").returncode == 0


def test_paths(two: Project) -> None:
    def paths(*options: str) -> list[str]:
        lines = two.run("diff", "old/layer.zip", "new/layer.zip", *options, check=True).stdout.splitlines()
        return [line.split()[0] for line in lines if line.startswith("python/")]

    every = paths("--paths", "all")
    assert len(every) > 3
    assert paths("--paths", "2") == every[:2]
    assert paths("--paths", "0") == []
    for wrong in ("-1", "few"):
        assert two.run("diff", "old", "new", f"--paths={wrong}").returncode == 2


@pytest.mark.parametrize(
    ("old", "told"),
    [
        ("gone.zip", "there is no file `gone.zip`"),
        ("src", "`src` has no manifest.json: nothing was built there"),
        ("pylock.toml", "`pylock.toml` is refused"),
    ],
)
def test_what_is_nothing_of_the_kind(two: Project, old: str, told: str) -> None:
    done = two.run("diff", old, "new/layer.zip")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {told}")
    assert "hint: " in done.stderr


def test_no_project_is_needed(two: Project) -> None:
    elsewhere = two.root.parent / "elsewhere"
    elsewhere.mkdir()
    done = two.run("diff", str(two.root / "old"), str(two.root / "new"), cwd=elsewhere)
    assert done.returncode == 0


def test_a_zip_that_was_damaged(two: Project) -> None:
    path = two.root / "new" / "layer.zip"
    path.write_bytes(path.read_bytes()[:-30])
    done = two.run("diff", "old", "new")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: `layer.zip` is refused\n")
    assert done.stderr.endswith("\n  hint: build it again: `lamella build`\n")
