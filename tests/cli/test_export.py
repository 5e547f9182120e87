"""`lamella export`, as a process: what all kinds have in common, and the files of several."""

from __future__ import annotations

import pytest
from tests.build.projects import Project
from tests.cli.processes import no_traceback


def test_what_is_printed_is_the_main_file(app: Project) -> None:
    """The module is not what somebody wants to look at, and two texts one after the other are no file."""
    app.run("build", check=True)
    printed = app.run("export", "terraform", "--output", "-", check=True).stdout
    app.run("export", "terraform", check=True)
    assert printed == (app.root / "terraform" / "lamella.tf").read_text()
    assert (app.root / "terraform" / "modules" / "lambda" / "layers.tf").exists()


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("src", "error: `src` can't be written\n  it is a folder\n"),
        ("pyproject.toml/made.tf", "error: `pyproject.toml/made.tf` can't be written\n  File exists\n"),
        ("src/app.py/sub/made.tf", "error: `src/app.py/sub/made.tf` can't be written\n  Not a directory\n"),
        ("", "it is empty"),
    ],
)
@pytest.mark.parametrize("words", [(), ("--force",)])
def test_where_no_file_can_be(app: Project, output: str, said: str, words: tuple[str, ...]) -> None:
    done = app.run("export", "make", "--output", output, *words)
    assert said in no_traceback(done, 2)
    assert not (app.root / "lamella.mk").exists()


def test_all_files_or_none(app: Project) -> None:
    app.run("build", check=True)
    (app.root / "terraform" / "modules" / "lambda" / "variables.tf").mkdir(parents=True)
    said = no_traceback(app.run("export", "terraform"), 2)
    assert "`terraform/modules/lambda/variables.tf` can't be written\n  it is a folder" in said
    assert [one.name for one in (app.root / "terraform").rglob("*.tf")] == ["variables.tf"]
