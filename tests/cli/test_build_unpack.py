"""`lamella build NAME --unpack DIR`: an artifact's files for another tool."""

from __future__ import annotations

import random

import pytest
from tests.build.projects import Project
from tests.cli.processes import no_traceback


def test_the_files_of_one_artifact(app: Project) -> None:
    done = app.run("build", "layer", "--quiet", "--unpack", "out/layer")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    folder = app.root / "out" / "layer"
    files = {one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    assert files == app.members("layer")
    assert not (app.output / "api.zip").exists()


def test_a_warm_build_unpacks_too(app: Project) -> None:
    """What a build that had nothing to do leaves out is the build alone."""
    for number in range(4):
        done = app.run("build", "api", "--unpack", f"out/{number}")
        assert done.returncode == 0
        assert (app.root / "out" / str(number) / "app.py").exists()
    done = app.run("build", "api", "--unpack", "out/0")
    assert done.returncode == 0


def test_a_folder_that_holds_something_else(app: Project) -> None:
    (app.root / "out").mkdir()
    (app.root / "out" / "mine").write_text("")
    done = app.run("build", "api", "--unpack", "out")
    no_traceback(done, 2)
    assert "error: `out` holds something else than `api.zip`\n  `app.py` is missing" in done.stderr
    assert [one.name for one in (app.root / "out").iterdir()] == ["mine"]


def test_what_was_split_goes_into_no_folder(app: Project) -> None:
    """As the layers it came to: each has a key of its own, and none is the one that was asked for."""
    for number in range(2):
        noise = random.Random(number).randbytes(30 * 1024 * 1024)
        app.wheel(f"big{number}", files={f"big{number}/__init__.py": "", f"big{number}/data.bin": noise})
    app.lock()
    settings = app.root / "pyproject.toml"
    table = "[tool.lamella.layers.layer]\n"
    settings.write_text(settings.read_text().replace(table, f"{table}split = true\n"))
    done = app.run("build", "layer", "--unpack", "out")
    no_traceback(done, 2)
    assert (
        "error: `layer` was split into `layer-1`, `layer-2`: they don't go into one folder\n"
        "  hint: leave `--unpack` out, and take their zips\n"
    ) in done.stderr
    assert (app.output / "layer-2.zip").exists()
    assert not (app.root / "out").exists()


@pytest.mark.parametrize("arguments", [(), ("layer", "api")])
def test_one_artifact_alone(app: Project, arguments: tuple[str, ...]) -> None:
    done = app.run("build", *arguments, "--unpack", "out")
    assert done.returncode == 2
    assert "`--unpack` takes a folder, and one layer or function" in done.stderr
    assert not app.output.exists()


def test_no_folder(app: Project) -> None:
    done = app.run("build", "layer", "--unpack", "")
    assert done.returncode == 2
    assert "`--unpack` takes a folder" in done.stderr
