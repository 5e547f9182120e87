from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Callable

import pytest
from tests.build.projects import CONFIGURATION, Project

from lamella.cli import check
from lamella.manifest import Manifest


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
    assert app.run("check", "-q").stdout == ""


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
    quiet = large.run("check", "-q")
    assert (quiet.returncode, quiet.stdout.splitlines()) == (1, lines[:11])
    tree = json.loads(large.run("check", "--json").stdout)
    assert [row["passed"] for row in tree["size"]] == [False, True]


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

    def a_check(name: str, *, passed: bool) -> Callable[[Manifest], check.Checked]:
        def run(built: Manifest) -> check.Checked:
            ran.append(name)
            return check.Checked(passed, lambda console: console.data(name), [{"layers": len(built.layers)}])

        return run

    checks = {"size": a_check("size", passed=True), "late": a_check("late", passed=False)}
    monkeypatch.chdir(app.root)
    for as_json, wanted in ((False, told.split()), (True, {name: [{"layers": 1}] for name in told.split()})):
        parsed = Namespace(only=only, output=None, json=as_json, quiet=False)
        assert check.run(parsed, checks=checks) == 1
        out = capsys.readouterr().out
        assert (json.loads(out) if as_json else out.split()) == wanted
    assert ran == told.split() * 2


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
