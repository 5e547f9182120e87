"""What is said before a Python starts; what it sees is in tests/journeys/test_shell.py."""

from __future__ import annotations

from tests.build.projects import Project

from lamella.cli.app import parser


def test_a_function_that_is_not_there(app: Project) -> None:
    app.run("build", "-q", check=True)
    done = app.run("shell", "apj", "--", "-c", "print(1)")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no function `apj`" in done.stderr
    assert "did you mean `api`?" in done.stderr
    done = app.run("shell", "layer")
    assert (done.returncode, done.stdout) == (2, "")
    assert "`layer` is a layer" in done.stderr


def test_nothing_was_built(app: Project) -> None:
    done = app.run("shell", "api")
    assert (done.returncode, done.stdout) == (2, "")
    assert "run `lamella build`" in done.stderr


def test_arguments_without_a_dash_dash(app: Project) -> None:
    done = app.run("shell", "api", "script.py")
    assert done.returncode == 2
    assert "usage: lamella shell [options] FUNCTION [-- ARGUMENTS …]" in done.stderr
    assert "unrecognized arguments: script.py" in done.stderr


def test_nothing_is_left_over_for_other_commands() -> None:
    assert parser("shell").get_default("rest") == ()
    assert parser("check").get_default("rest") is None
