"""`lamella export sam`, as a process."""

from __future__ import annotations

from tests.build.projects import Project
from tests.cli.processes import no_traceback


def test_a_template_of_what_was_built(app: Project) -> None:
    no_traceback(app.run("export", "sam"), 2)
    app.run("build", check=True)
    done = app.run("export", "sam")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Wrote `template.yaml`\n")
    text = (app.root / "template.yaml").read_text()
    assert "ContentUri: dist/lambda/layer.zip" in text
    assert app.run("export", "sam", "--check").returncode == 0
    assert app.run("export", "sam", "--output", "-").stdout.rstrip("\n") == text.rstrip("\n")


def test_paths_start_where_the_template_is(app: Project) -> None:
    app.run("build", check=True)
    app.run("export", "sam", "--output", "deploy/sam/lambda.yaml", check=True)
    assert "ContentUri: ../../dist/lambda/layer.zip" in (app.root / "deploy/sam/lambda.yaml").read_text()


def test_a_build_step_needs_no_build(app: Project) -> None:
    done = app.run("export", "sam", "--build-step")
    assert (done.returncode, done.stderr) == (0, "Wrote `template.yaml`\nWrote `sam-build/Makefile`\n")
    assert app.run("export", "sam", "--build-step", "--check").returncode == 0
    (app.root / "sam-build" / "Makefile").write_text("mine:\n")
    assert app.run("export", "sam", "--build-step", "--check").returncode == 1
    assert "`sam-build/Makefile` was not written by lamella" in no_traceback(
        app.run("export", "sam", "--build-step"), 2
    )


def test_a_build_step_is_two_files_of_sam(app: Project) -> None:
    assert "a Makefile, too" in no_traceback(app.run("export", "sam", "--build-step", "--output", "-"), 2)
    assert "for `lamella export sam` alone" in no_traceback(app.run("export", "make", "--build-step"), 2)


def test_a_template_that_is_somebodys_own(app: Project) -> None:
    """One that lost its first line is left alone from then on."""
    app.run("build", check=True)
    app.run("export", "sam", check=True)
    path = app.root / "template.yaml"
    own = path.read_text().partition("\n")[2]
    path.write_text(own)
    assert "`template.yaml` was not written by lamella" in no_traceback(app.run("export", "sam"), 2)
    assert path.read_text() == own
    app.run("export", "sam", "--force", check=True)
    assert path.read_text() != own
