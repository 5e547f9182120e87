from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.build.projects import CONFIGURATION, HANDLER, Project

RUNTIME = "python{}.{}".format(*sys.version_info[:2])


@pytest.fixture
def app(tmp_path: Path) -> Project:
    """A function for this Python, whose layer holds `stem`, which imports `leaf`."""
    made = Project(tmp_path)
    made.wheel("stem", requires=["leaf"], files={"stem/__init__.py": "import leaf\n"})
    made.wheel("leaf", files={"leaf/__init__.py": "import colorsys\n", "leaf/unused.py": ""})
    made.source("app.py", "import os\nimport stem\n\nREGION = os.environ['AWS_REGION']\n" + HANDLER)
    made.configure(CONFIGURATION.replace("python3.12", RUNTIME))
    made.lock()
    made.run("build", check=True)
    return made


def profiled(app: Project, *arguments: str) -> Any:
    done = app.run("profile", "api", "--json", "--repeat", "1", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_modules_of_layers_and_of_the_code(app: Project) -> None:
    (profile,) = profiled(app)["profiles"]
    assert {row["name"]: row["distribution"] for row in profile["modules"]} == {
        "app": "own code",
        "stem": "stem",
        "leaf": "leaf",
        "colorsys": "Python",
    }
    assert profile["imports"]["imports"] == [
        {"name": "stem", "self": any_number(profile, "stem"), "imports": [
            {"name": "leaf", "self": any_number(profile, "leaf"), "imports": [
                {"name": "colorsys", "self": any_number(profile, "colorsys")},
            ]},
        ]},
    ]  # fmt: skip
    assert (profile["function"], profile["module"], profile["runtime"]) == ("api", "app", RUNTIME)
    assert profile["build"] == os.path.join("dist", "lambda")
    assert profile["isolation"] in ("bubblewrap", "namespaces", "path-only")


def any_number(profile: Any, name: str) -> int:
    micro: int = next(row["self"] for row in profile["modules"] if row["name"] == name)
    assert micro > 0
    return micro


def test_without_isolation_it_is_the_same(app: Project) -> None:
    (profile,) = profiled(app, "--isolation", "path-only")["profiles"]
    assert profile["isolation"] == "path-only"
    assert {row["name"]: row["distribution"] for row in profile["modules"]}["leaf"] == "leaf"


def test_the_table(app: Project) -> None:
    done = app.run("profile", "api", "--repeat", "2", "--top", "3")
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[0].split() == ["module", "self", "cumulative", "share", "distribution"]
    assert lines[4].startswith("1 more")
    assert {line.split("  ")[0] for line in lines[7:]} == {"stem", "leaf", "Python", "own code"}
    assert "median of 2 runs" in done.stderr


def test_a_page(app: Project) -> None:
    done = app.run("profile", "api", "--repeat", "1", "-q", "--html", "imports.html")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = (app.root / "imports.html").read_text(encoding="utf-8")
    assert "Imports of <code>api</code>" in text
    assert '"colorsys"' in text


def test_another_build(app: Project) -> None:
    other = app.root.parent / "old"
    shutil.copytree(app.output, other)
    app.source("app.py", HANDLER)
    app.run("build", check=True)
    tree = profiled(app, "--compare", str(other), "--html", "both.html")
    before, after = tree["profiles"]
    assert {row["name"] for row in before["modules"]} == {"app", "stem", "leaf", "colorsys"}
    assert {row["name"] for row in after["modules"]} == {"app"}
    assert tree["ratio"] == round(after["total"] / before["total"], 4)
    assert (before["build"], after["build"]) == (os.path.join("..", "old"), os.path.join("dist", "lambda"))
    assert 'id="graph-1"' in (app.root / "both.html").read_text(encoding="utf-8")
    table = app.run("profile", "api", "--repeat", "1", "--compare", str(other)).stdout.splitlines()
    assert table[0].split() == ["distribution", os.path.join("..", "old"), os.path.join("dist", "lambda"), "ratio"]
    assert table[-1].startswith("total")


def test_a_variable_that_is_missing_and_then_is_not(app: Project) -> None:
    app.source("app.py", "import os\nTABLE = os.environ['TABLE']\n" + HANDLER)
    app.run("build", check=True)
    done = app.run("profile", "api")
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert lines[0] == "error: importing `app` for `api` in `dist/lambda` raised KeyError"
    assert any("app.py" in line and "line 2, in <module>" in line for line in lines)
    assert lines[-2:] == ["  KeyError: 'TABLE'", "  hint: set the variable for the measurement: `--env TABLE=VALUE`"]
    assert profiled(app, "--env", "TABLE=x=y")["profiles"][0]["module"] == "app"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["apis"],
            "there is no function `apis` in `dist/lambda`\n  the functions are `api`\n  hint: did you mean `api`?",
        ),
        (["layer"], "`layer` is a layer, and has no handler to import"),
        (["api", "--compare", "nowhere"], "`nowhere` has no manifest.json: nothing was built there"),
        (["api", "--env", "NOWHERE"], "`NOWHERE` is not set in this shell; write NOWHERE=VALUE"),
        (["api", "--repeat", "0"], "`0` is no number from 1 on"),
        (["api", "--isolation", "none"], "invalid choice: 'none'"),
    ],
)
def test_mistakes(app: Project, arguments: list[str], words: str) -> None:
    done = app.run("profile", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_nothing_built(tmp_path: Path) -> None:
    made = Project(tmp_path)
    made.source("app.py")
    made.configure()
    done = made.run("profile", "api")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nothing was built there" in done.stderr


def test_layers_that_are_in_aws_are_named(app: Project) -> None:
    arn = "arn:aws:lambda:eu-west-1:123456789012:layer:x:1"
    text = (app.root / "pyproject.toml").read_text(encoding="utf-8")
    (app.root / "pyproject.toml").write_text(text.replace('["layer"]', f'["layer", "{arn}"]'), encoding="utf-8")
    app.run("build", check=True)
    done = app.run("profile", "api", "--repeat", "1")
    assert f"note: without `{arn}`: layers that are only in AWS are not here" in done.stderr


def test_a_page_in_a_folder_that_is_not_there(app: Project) -> None:
    done = app.run("profile", "api", "--html", "nowhere/imports.html")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: `nowhere/imports.html` can't be written\n  there is no folder `nowhere`\n")


def damage(app: Project, name: str) -> None:
    """Change a byte in the middle; the size stays."""
    path = app.output / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_zip_that_was_damaged_after_it_was_unpacked(app: Project) -> None:
    old = app.root.parent / "old"
    shutil.copytree(app.output, old)
    profiled(app)
    damage(app, "layer.zip")
    for arguments in ((), ("--compare", str(old))):
        done = app.run("profile", "api", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("error: `dist/lambda/layer.zip` is not the file that the manifest describes\n")
    app.run("build", check=True)
    damaged = old / "api.zip"
    damaged.write_bytes(b"\0" * damaged.stat().st_size)
    done = app.run("profile", "api", "--compare", str(old))
    assert done.returncode == 2
    assert "old/api.zip` is not the file that the manifest describes" in done.stderr
    assert "hint: give `--compare` the folder that a build wrote to" in done.stderr


@pytest.fixture
def cloud(app: Project) -> Project:
    """Its handler imports boto3, which is locked and in no zip."""
    app.wheel("boto3", "1.44.5", requires=["botocore"], files={"boto3/__init__.py": "import botocore\n"})
    app.wheel("botocore", "1.44.6")
    app.source("app.py", "import stem\nimport boto3\n" + HANDLER)
    app.configure(
        CONFIGURATION.replace("python3.12", RUNTIME).replace("layers.layer]", 'layers.layer]\npackages = ["stem"]')
    )
    app.lock()
    app.run("build", check=True)
    return app


def test_what_is_locked_stands_in_for_the_runtimes_own(cloud: Project) -> None:
    done = cloud.run("profile", "api", "--json", "--repeat", "1")
    assert done.returncode == 0, done.stderr
    (profile,) = json.loads(done.stdout)["profiles"]
    assert {row["name"]: row["distribution"] for row in profile["modules"]} == {
        "app": "own code",
        "stem": "stem",
        "leaf": "leaf",
        "colorsys": "Python",
        "boto3": "boto3",
        "botocore": "botocore",
    }
    assert "note: boto3 1.44.5 of the lock stands in for the runtime's\n" in done.stderr
    cloud.source("app.py", "import stem\n" + HANDLER)
    cloud.run("build", check=True)
    assert "stands in" not in cloud.run("profile", "api", "--repeat", "1").stderr, "it is not even imported"


def test_nothing_stands_in_where_nothing_is_locked(app: Project) -> None:
    app.source("app.py", "import boto3\n" + HANDLER)
    app.run("build", check=True)
    done = app.run("profile", "api")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        "  hint: Lambda's runtime brings `boto3`; what the project locks of it stands in here: the lock does not pin it"
    )
