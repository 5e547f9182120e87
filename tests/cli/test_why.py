from __future__ import annotations

import json

import pytest
from tests.build.projects import Project

PLAIN = """
[tool.lamella]
runtime = "python3.12"

[tool.lamella.layers.layer]
bytecode = "none"
drop = ["leaf/data/"]

[tool.lamella.functions.api]
handler = "app.handler"
layers = ["layer"]
"""


@pytest.fixture
def asked(app: Project) -> Project:
    """A layer with something that a rule, and something that the configuration takes out."""
    app.wheel("stem", requires=["leaf"], files={"stem/__init__.py": "import leaf\n", "stem/tests/test_x.py": "x = 1\n"})
    app.wheel("leaf", files={"leaf/__init__.py": "", "leaf/data/table.csv": "1,2\n"})
    app.configure(PLAIN)
    app.lock()
    return app


def test_a_file_that_is_in(asked: Project) -> None:
    done = asked.run("why", "layer", "stem/__init__.py")
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[:3] == [
        "`python/stem/__init__.py` is in",
        "  from     stem 1.0, stem-1.0-py3-none-any.whl",
        "  rule     none",
    ]


@pytest.mark.parametrize(("path", "rule"), [("stem/tests/test_x.py", "tests"), ("python/leaf/data/table.csv", "drop")])
def test_a_file_that_is_out(asked: Project, path: str, rule: str) -> None:
    lines = asked.run("why", "layer", path, check=True).stdout.splitlines()
    assert lines[0].endswith(f"{path}` is out")
    assert lines[2] == f"  rule     {rule}"
    assert len(lines[3]) > len("  because  ")


def test_the_answer_agrees_with_the_zip(asked: Project) -> None:
    asked.run("build", check=True)
    files = json.loads(asked.run("why", "layer", "/", "--json").stdout)["files"]
    assert sorted(row["path"] for row in files if row["kept"]) == sorted(asked.members("layer"))
    assert {row["path"] for row in files if not row["kept"]} >= {
        "python/stem/tests/test_x.py",
        "python/leaf/data/table.csv",
    }


def test_a_folder(asked: Project) -> None:
    lines = asked.run("why", "layer", "stem", check=True).stdout.splitlines()
    assert lines[0].startswith("`stem` in `layer`: 1 file in (")
    assert lines[0].endswith("1 out")


def test_own_code(asked: Project) -> None:
    assert asked.run("why", "api", "app.py", check=True).stdout.startswith("`app.py` is in\n")


def test_unknown(asked: Project) -> None:
    done = asked.run("why", "layer", "stem/test")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: `stem/test` is neither in `layer` nor in what it is made of\n  hint: did you mean `stem/tests`?\n"
    )
    assert asked.run("why", "nothing", "stem").returncode == 2


def test_own_code_that_is_left_out(asked: Project) -> None:
    asked.source("notes.md", "")
    asked.source("__pycache__/app.pyc", "")
    asked.configure(PLAIN + 'exclude = ["*.md"]\n')
    assert asked.run("why", "api", "notes.md", check=True).stdout == (
        "`notes.md` is out\n  rule     exclude\n  because  `exclude` leaves it out, by `*.md`\n"
    )
    lines = asked.run("why", "api", "__pycache__/app.pyc", check=True).stdout.splitlines()
    assert lines[:2] == ["`__pycache__/app.pyc` is out", "  rule     never"]


def test_a_distribution_that_is_not_there(asked: Project) -> None:
    asked.configure(PLAIN.replace("drop = ", 'packages = ["leaf"]\ndrop = '))
    for path in ("stem", "stem/__init__.py"):
        assert asked.run("why", "layer", path, check=True).stdout == (
            f"`{path}` is out\n  rule     unasked\n"
            "  because  the lock pins it, but nothing that the layer takes asks for it on python3.12\n"
        )
    (row,) = json.loads(asked.run("why", "api", "leaf", "--json", check=True).stdout)["files"]
    assert (row["kept"], row["rule"], row["reason"]) == (
        False,
        "held",
        "layer `layer`, which the function has, holds it",
    )
