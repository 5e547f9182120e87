"""`lamella export`, as a process: what all kinds have in common, and the files of several."""

from __future__ import annotations

import copy

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


def test_each_project_of_a_repository_has_a_workflow_of_its_own(app: Project) -> None:
    (app.root / ".git").mkdir()
    workflow = app.root / ".github/workflows/lambda.yml"
    app.run("export", "github-actions", check=True)
    root = workflow.read_text()
    second = copy.copy(app)
    second.root = app.root / "it's two"
    (second.root / "src").mkdir(parents=True)
    second.root.joinpath("pyproject.toml").write_text((app.root / "pyproject.toml").read_text())
    second.root.joinpath("src/app.py").write_text("def handler(event, context): ...\n")
    said = no_traceback(second.run("export", "github-actions"), 2)
    assert "`../.github/workflows/lambda.yml` was written for another project\n" in said
    assert "that in the folder of the repository; it would be overwritten" in said
    assert "`--output ../.github/workflows/lambda-it-s-two.yml` writes another file" in said
    assert workflow.read_text() == root
    given = ("export", "github-actions", "--output", "../.github/workflows/lambda-it-s-two.yml")
    for _ in range(2):
        second.run(*given, check=True)
    assert second.run(*given, "--check").returncode == 0
    second.run("export", "github-actions", "--force", check=True)
    said = no_traceback(app.run("export", "github-actions"), 2)
    assert "that in `it's two`; it would be overwritten" in said
    assert "`--output .github/workflows/lambda-root.yml`" in said


def test_all_files_or_none(app: Project) -> None:
    app.run("build", check=True)
    (app.root / "terraform" / "modules" / "lambda" / "variables.tf").mkdir(parents=True)
    said = no_traceback(app.run("export", "terraform"), 2)
    assert "`terraform/modules/lambda/variables.tf` can't be written\n  it is a folder" in said
    assert [one.name for one in (app.root / "terraform").rglob("*.tf")] == ["variables.tf"]
