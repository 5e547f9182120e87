from __future__ import annotations

import json
import os
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable

import pytest
from tests.build.projects import CONFIGURATION, Project

from lamella.checks.model import Finding, Outcome, Severity
from lamella.cli import check


def test_fine(app: Project) -> None:
    app.run("build", check=True)
    done = app.run("check", "--only", "size")
    manifest = app.manifest()
    layer, function = manifest["layers"]["layer"], manifest["functions"]["api"]
    total = layer["unzipped"] + function["unzipped"]
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"Layer size OK: {layer['zipped']} bytes (limit: 52428800)",
        f"Function `api` size OK: {total} bytes unzipped (limit: 262144000): "
        f"code {function['unzipped']} + layer {layer['unzipped']}",
    ]
    assert done.stderr == ""
    assert app.run("check", "--only", "size", "-q").stdout == ""


@pytest.fixture
def large(app: Project) -> Project:
    """A layer of more than 50 MB, zipped, of eleven distributions."""
    for number in range(11):
        app.wheel(f"big{number:02}", files={f"big{number:02}.bin": os.urandom(4_900_000 + 10 * number)})
    app.lock()
    app.run("build", check=True)
    return app


def test_too_large(large: Project) -> None:
    done = large.run("check", "--only", "size")
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert lines[0].startswith("Layer size TOO LARGE: ")
    assert [line.split()[2] for line in lines[1:11]] == [f"big{number:02}" for number in range(10, 0, -1)]
    assert lines[11].startswith("Function `api` size OK")
    assert lines[12:] == ["error    size  layer", *lines[13:]]
    quiet = large.run("check", "--only", "size", "-q")
    assert (quiet.returncode, quiet.stdout.splitlines()) == (1, [*lines[:11], *lines[12:]])
    tree = json.loads(large.run("check", "--only", "size", "--json").stdout)
    assert [row["passed"] for row in tree["size"]] == [False, True]
    assert [row["check"] for row in tree["findings"]] == ["size"]


def test_nothing_built(app: Project) -> None:
    done = app.run("check")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: `dist/lambda` has no manifest.json: nothing was built there\n  hint: run `lamella build`\n"
    )


@pytest.mark.parametrize("how", ["gone", "another size", "a folder", "edited manifest", "no manifest"])
def test_not_what_was_built(app: Project, how: str) -> None:
    app.run("build", check=True)
    layer, manifest = app.output / "layer.zip", app.output / "manifest.json"
    match how:
        case "gone":
            layer.unlink()
        case "another size":
            layer.write_bytes(layer.read_bytes() + b"\0")
        case "a folder":
            layer.unlink()
            layer.mkdir()
        case "edited manifest":
            manifest.write_text(manifest.read_text().replace('"unzipped": ', '"unzipped": "x", "was": ', 1))
        case "no manifest":
            manifest.unlink()
    done = app.run("check")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "hint: run `lamella build`" in done.stderr


def test_another_folder(app: Project) -> None:
    app.run("build", "--output", "elsewhere", check=True)
    assert app.run("check").returncode == 2
    assert app.run("check", "--output", "elsewhere").returncode == 0


@pytest.mark.parametrize(
    ("only", "told"), [(None, "size late"), (["late"], "late"), (["late", "size", "late"], "size late")]
)
def test_only_what_is_asked_for_runs(
    app: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    only: list[str] | None,
    told: str,
) -> None:
    """A later check is one more row of the table."""
    app.run("build", check=True)
    ran: list[str] = []

    def a_check(name: str, severity: Severity) -> Callable[[check.Inquiry], Outcome]:
        def run(inquiry: check.Inquiry) -> Outcome:
            ran.append(name)
            return Outcome(name, name, (Finding(name, severity, inquiry.manifest.layers[0].key, "", name, ""),))

        return run

    checks = {"size": a_check("size", Severity.NOTE), "late": a_check("late", Severity.ERROR)}
    monkeypatch.chdir(app.root)
    parsed = check_arguments("--json", *(word for name in only or () for word in ("--only", name)))
    assert check.run(parsed, checks=checks) == 1
    tree = json.loads(capsys.readouterr().out)
    assert [finding["check"] for finding in tree["findings"]] == told.split()
    assert list(tree["checks"]) == ran == told.split()


def check_arguments(*arguments: str) -> Namespace:
    parser = ArgumentParser()
    check.add_arguments(parser)
    for action in parser._actions:
        if action.dest == "only":
            action.choices = None
    return parser.parse_args(arguments)


def test_all_checks(app: Project) -> None:
    """On a machine with the interpreter that the project is for."""
    runtime = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    app.configure(CONFIGURATION.replace("python3.12", runtime))
    app.run("build", check=True)
    done = app.run("check")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[2:4] == ["closure OK: 1 function", "platform OK: 0 shared objects"]
    assert re.fullmatch(r"imports OK: 2 modules of 2 distributions, 1 handler \((\S+), Python 3\.\S+\)", lines[4])
    assert re.fullmatch(r"metadata OK: 2 distributions \((\S+), Python 3\.\S+\)", lines[5])
    assert lines[6:] == ["overlap OK: 1 function"]
    kept = app.run("check", "--isolation", "path-only", "--only", "imports")
    assert "(path-only, Python " in kept.stdout
    assert kept.stderr == "", "it was asked for"
    without = app.run("check", "--only", "imports", environment={"PATH": str(app.home)})
    assert without.stderr.splitlines()[0] == "note: no isolation by bubblewrap: `bwrap` is not on PATH"


@pytest.fixture
def broken(app: Project) -> Project:
    """A project whose layer can't be imported, and whose handler needs a variable."""
    runtime = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    app.wheel("leaf", files={"leaf.py": "\n\nimport os\nos.abort()\n"})
    app.source("app.py", "import os, stem\nTABLE = os.environ['TABLE']\ndef handler(event, context): ...\n")
    app.configure(CONFIGURATION.replace("python3.12", runtime))
    app.lock()
    app.run("build", check=True)
    return app


def test_what_is_wrong_comes_all_at_once(broken: Project) -> None:
    done = broken.run("check", "--only", "imports", "--only", "overlap")
    assert done.returncode == 1
    assert done.stdout.splitlines()[1:] == [
        "overlap OK: 1 function",
        "error    imports  layer: python/leaf.py",
        "  `leaf` of `leaf` 1.0 can't be imported: it was killed by SIGABRT (Fatal Python error: Aborted)",
        '  hint: build `layer` with profile = "none": if it imports then, a rule took too much',
        "warning  imports  api: app.py:2",
        "  handler `app.handler` was not tried to its end: it needs the environment variable `TABLE`",
        "  hint: say what it is in Lambda: `lamella check --env TABLE=…`",
    ]
    quiet = broken.run("check", "-q", "--env", "TABLE=orders").stdout.splitlines()
    assert len([line for line in quiet if line.startswith("error")]) == 1
    assert not [line for line in quiet if line.startswith("warning")]


def test_sarif_for_code_scanning(broken: Project) -> None:
    (broken.root.parent / ".git").mkdir()
    done = broken.run("check", "--sarif", "found.sarif")
    assert done.returncode == 1
    assert "imports FAILED" in done.stdout
    (run,) = json.loads((broken.root / "found.sarif").read_text())["runs"]
    places = [
        (result["level"], physical["artifactLocation"]["uri"], physical["region"]["startLine"])
        for result in run["results"]
        for physical in [result["locations"][0]["physicalLocation"]]
    ]
    assert places == [("error", "project/pyproject.toml", 1), ("warning", "project/src/app.py", 2)]
    done = broken.run("check", "--only", "overlap", "--sarif", "-")
    assert done.returncode == 0
    assert json.loads(done.stdout)["runs"][0]["results"] == []


def test_isolation_that_does_not_work_here(app: Project) -> None:
    runtime = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    app.configure(CONFIGURATION.replace("python3.12", runtime))
    app.run("build", check=True)
    done = app.run("check", "--isolation", "bubblewrap", environment={"PATH": str(app.home)})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: isolation by bubblewrap does not work here\n")


@pytest.mark.parametrize("text", ["TABLE", "=x", ""])
def test_a_variable_without_a_value(app: Project, text: str) -> None:
    done = app.run("check", "--env", text)
    assert done.returncode == 2
    wrong = "`TABLE` is not set in this shell; write TABLE=VALUE" if text == "TABLE" else f"`{text}` is not NAME=VALUE"
    assert done.stderr.endswith(f"error: argument --env: {wrong}\n")


def test_an_unknown_check(app: Project) -> None:
    done = app.run("check", "--only", "sizes")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_something_configured_was_not_built(app: Project) -> None:
    app.run("build", check=True)
    app.configure(CONFIGURATION + '[tool.lamella.layers.later]\npackages = ["leaf"]\n')
    done = app.run("check")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: `later` is configured and not built\n  hint: run `lamella build`\n"


def test_nothing_is_configured(app: Project) -> None:
    app.configure('[tool.lamella]\nruntime = "python3.12"\n')
    done = app.run("build")
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is nothing to build: no layer and no function is configured\n")


def test_a_zip_that_was_damaged_after_it_was_unpacked(app: Project) -> None:
    """Its unpacking is in the cache, under the digest that the manifest has."""
    runtime = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    app.configure(CONFIGURATION.replace("python3.12", runtime))
    app.run("build", check=True)
    app.run("check", check=True)
    path = app.output / "layer.zip"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    done = app.run("check")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: `dist/lambda/layer.zip` is not the file that the manifest describes\n"
        "  it was changed or removed after the build\n"
        "  hint: run `lamella build`\n"
    )
    app.run("build", check=True)
    assert app.run("check").returncode == 0


def cloud(app: Project, *wheels: str) -> Project:
    """A handler that imports boto3, which is in no zip; these wheels of it are locked."""
    runtime = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    if "boto3" in wheels:
        app.wheel("boto3", "1.44.5", requires=["botocore"], files={"boto3.py": "import botocore\n"})
    if "botocore" in wheels:
        app.wheel("botocore", "1.44.6")
    app.source("app.py", "import boto3, stem\ndef handler(event, context): ...\n")
    app.source("other.py", "def handler(event, context): ...\n")
    app.configure(
        CONFIGURATION.replace("python3.12", runtime).replace("layers.layer]", 'layers.layer]\npackages = ["stem"]')
        + '[tool.lamella.functions.other]\nhandler = "other.handler"\nexclude = ["app.py"]\n'
    )
    app.lock()
    app.run("build", check=True)
    return app


def test_what_is_locked_stands_in_for_the_runtimes_own(app: Project) -> None:
    done = cloud(app, "boto3", "botocore").run("check", "--only", "imports")
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith("imports OK: 2 modules of 2 distributions, 2 handlers (")
    assert line.endswith("; boto3 1.44.5 of the lock stands in for the runtime's)")
    again = app.run("check", "--only", "imports", "--offline")
    assert again.stdout == done.stdout


@pytest.mark.parametrize(
    ("wheels", "needs", "why"),
    [((), "boto3", "the lock does not pin it"), (("boto3",), "botocore", "the lock does not pin it")],
)
def test_a_handler_that_is_not_tried_is_counted_apart(
    app: Project, wheels: tuple[str, ...], needs: str, why: str
) -> None:
    done = cloud(app, *wheels).run("check", "--only", "imports")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("imports OK: 2 modules of 2 distributions, 1 of 2 handlers (")
    assert lines[0].endswith("; 1 not tried: `app.handler`")
    assert f"it needs `{needs}`, which the runtime brings and this machine has not ({why})" in done.stdout


def test_another_architecture_is_not_called_fine(app: Project) -> None:
    other = "arm64" if os.uname().machine == "x86_64" else "x86_64"
    app.configure(CONFIGURATION.replace("[tool.lamella]", f'[tool.lamella]\narchitecture = "{other}"'))
    app.run("build", check=True)
    done = app.run("check", "--only", "imports")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].startswith("imports NOT TRIED: it is for Linux on ")
    assert json.loads(app.run("check", "--only", "imports", "--json").stdout)["checks"]["imports"]["tried"] is False
    assert app.run("check", "--only", "imports", "-q").stdout == ""


def test_a_file_for_findings_where_there_is_no_folder(app: Project) -> None:
    app.run("build", check=True)
    done = app.run("check", "--sarif", "nowhere/found.sarif")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: `nowhere/found.sarif` can't be written\n  there is no folder `nowhere`\n"
        "  hint: make the folder first, or name another file\n"
    )
