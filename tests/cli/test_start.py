"""What a start may cost: the modules that are imported on the quick ways."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.build.projects import Project

# Runs the program and tells which modules it left in memory beyond those of an empty start
ASKED = """
import sys
before = set(sys.modules)
sys.argv[0] = "lamella"
try:
    from lamella.cli.start import main
    code = main()
except SystemExit as left:
    code = left.code
sys.stdout.flush()
print("exit", code, file=sys.stderr)
print("\\n".join(sorted(set(sys.modules) - before)), file=sys.stderr)
"""

# All that an idle build may import.  Each costs every start: add to it with a reason
IDLE = {
    "lamella",
    "lamella.build",
    "lamella.build.stamp",
    "lamella.cachedir",
    "lamella.cli",
    "lamella.cli.start",
    "lamella.files",
    "lamella.revision",
    "zlib",
}
HEAVY = {
    "rich",
    "packaging",
    "unearth",
    "httpx2",
    "tomlkit",
    "pathspec",
    "subprocess",
    "platformdirs",
    "filelock",
    "asyncio",
}


def imported(project: Project, *arguments: str) -> tuple[set[str], str, str]:
    done = subprocess.run(
        [sys.executable, "-c", ASKED, *arguments],
        cwd=project.root,
        env=project.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    told, _, modules = done.stderr.partition("exit ")
    return set(modules.splitlines()[1:]), done.stdout, told


def tops(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


@pytest.fixture
def idle(app: Project) -> Project:
    """Built so often that a stamp is kept: not by the first, before which files had just been written."""
    for _ in range(2):
        imported(app, "build")
    return app


def test_version(app: Project) -> None:
    modules, out, _ = imported(app, "--version")
    assert out.startswith("lamella ")
    assert not tops(modules) & HEAVY
    assert not {name for name in modules if name.startswith("lamella.")} - {
        "lamella.cli", "lamella.cli.start", "lamella.cli.app", "lamella.errors", "lamella.report",
        "lamella.report.console", "lamella.wording",
    }  # fmt: skip


def test_an_idle_build(idle: Project) -> None:
    modules, out, told = imported(idle, "build")
    assert (out, told) == ("", "Nothing changed: `dist/lambda` is up to date (2 zips)\n")
    assert {name for name in modules if name.partition(".")[0] == "lamella"} <= IDLE
    assert tops(modules) - tops(IDLE) <= {"__future__"}


def test_a_build_that_only_copies(idle: Project) -> None:
    """Everything is in the cache and the lock is known: no index, no marker, no parser of locks is needed."""
    (idle.output / "layer.zip").unlink()
    modules, _, told = imported(idle, "build")
    assert "Wrote" in told
    assert not tops(modules) & {
        "rich",
        "packaging",
        "unearth",
        "httpx2",
        "tomlkit",
        "pathspec",
        "subprocess",
        "asyncio",
    }


def test_help_names_every_command(app: Project) -> None:
    modules, out, _ = imported(app, "--help")
    for command in ("init", "build", "check"):
        assert f"  {command}" in out
    assert not tops(modules) & HEAVY


@pytest.mark.parametrize("command", ["init", "build", "check"])
def test_help_of_a_command(app: Project, command: str) -> None:
    _, out, _ = imported(app, command, "--help")
    assert out.startswith(f"usage: lamella {command}")


def test_as_a_module_and_as_a_program(app: Project) -> None:
    program = Path(sys.executable).with_name("lamella")
    by_module = app.run("--version")
    assert by_module.stdout.startswith("lamella 0.")
    if not program.exists():
        pytest.skip("lamella is not installed as a program here")
    by_program = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert by_program.stdout == by_module.stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
@pytest.mark.parametrize("arguments", [["build", "--json"], ["check"], ["--help"]])
def test_a_full_disk_behind_stdout(idle: Project, arguments: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "lamella", *arguments],
            cwd=idle.root, env=idle.environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode in (0, 3)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode == 0 or "No space left" in done.stderr
