"""Completion, by the shells themselves: each gets the script, a line is typed, and Tab is pressed."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.build.projects import CONFIGURATION, Project

from lamella.cli.app import COMMANDS

FISH = shutil.which("fish")
ENVIRONMENTS = '\n[tool.lamella.environments.production]\nregion = "eu-central-1"\n'


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    one = Project(tmp_path)
    one.source("app.py")
    one.configure(CONFIGURATION + ENVIRONMENTS)
    return one


def environment(one: Project) -> dict[str, str]:
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    return {**one.environment, "PATH": path, "TERM": "dumb", "PS1": "$ "}


class Typed:
    """A shell at a terminal."""

    def __init__(self, one: Project, *command: str) -> None:
        self.terminal, other = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen(
            command, cwd=one.root, env=environment(one), stdin=other, stdout=other, stderr=other, start_new_session=True
        )
        os.close(other)

    def type(self, text: str, expected: str, seconds: float = 30) -> None:
        """Type, and wait until the terminal shows what is expected."""
        self.seen = ""
        os.write(self.terminal, text.encode())
        end = time.monotonic() + seconds
        while expected not in self.seen:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            assert ready, f"waited for {expected!r}: {self.seen!r}"
            self.seen += os.read(self.terminal, 65536).decode("utf-8", "replace")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)


BEGINNINGS = {
    "bash": (("bash", "--norc", "--noprofile", "-i"), 'eval "$(lamella completion bash)"; echo rea""dy\n'),
    "zsh": (
        ("zsh", "-f", "-i"),
        'autoload -Uz compinit; compinit -u -D; eval "$(lamella completion zsh)"; echo rea""dy\n',
    ),
}


@pytest.fixture(params=["bash", "zsh"])
def shell(request: pytest.FixtureRequest, shop: Project) -> Iterator[Typed]:
    command, beginning = BEGINNINGS[request.param]
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} on PATH")
    one = Typed(shop, *command)
    one.type(beginning, "ready")
    yield one
    one.close()


def test_bash_and_zsh_complete(shell: Typed) -> None:
    clear = "\x15"  # Ctrl-U: the line is empty again
    shell.type("lamella rollb\t", "rollback")
    shell.type(f"{clear}lamella build --loc\t", "--locked")
    shell.type(f"{clear}lamella check --only clo\t", "closure")
    shell.type(f"{clear}lamella invoke a\t", "api")
    shell.type(f"{clear}lamella prune la\t", "layer")
    shell.type(f"{clear}lamella deploy --env pro\t", "production")
    shell.type(f"{clear}lamella export terra\t", "terraform")
    shell.type(f"{clear}true; lamella invoke a\t", "api")
    shell.type(f"{clear}A=1 lamella build --loc\t", "--locked")
    shell.type(f"{clear}lamella build 'lay\t", "layer")


def test_nothing_is_said_beside_what_nothing_is_known_of(shop: Project) -> None:
    (shop.root / "out").mkdir()
    (offered,) = asked(shop, "lamella build --output=o", shell="zsh")
    assert offered == "--output=out/:"


@pytest.mark.skipif(FISH is None, reason="no fish on PATH")
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("rollb", ["rollback"]),
        ("build --loc", ["--locked"]),
        ("check --only clo", ["closure"]),
        ("invoke a", ["api"]),
        ("why l", ["layer"]),
        ("plan --env pro", ["production"]),
        ("import --from s", ["sam", "scripts", "serverless"]),
        ("completion ", ["bash", "fish", "zsh"]),
    ],
)
def test_fish_completes(shop: Project, typed: str, found: list[str]) -> None:
    done = subprocess.run(
        [FISH or "fish", "--no-config", "-c", f"lamella completion fish | source; complete -C 'lamella {typed}'"],
        cwd=shop.root,
        env=environment(shop),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert sorted(line.partition("\t")[0] for line in done.stdout.splitlines()) == found, done.stderr


def test_all_commands_are_offered_with_what_they_do(shop: Project) -> None:
    """The protocol of argcomplete, without a shell: what fish shows beside each command."""
    offered = asked(shop, "lamella ")
    for name, text in COMMANDS.items():
        assert f"{name}\t{text}" in offered


def asked(one: Project, line: str, cwd: Path | None = None, shell: str = "fish") -> list[str]:
    more = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        **({"_ARGCOMPLETE_DFS": "\t"} if shell == "fish" else {}),
        "_ARGCOMPLETE_SHELL": shell,
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(one.home / "answer"),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    done = one.run(environment=more, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return (one.home / "answer").read_text().splitlines()


def test_a_folder_without_a_project_offers_what_needs_none(shop: Project, tmp_path: Path) -> None:
    assert asked(shop, "lamella invoke a", cwd=tmp_path) == []
    assert asked(shop, "lamella doctor --runtime python3.13", cwd=tmp_path) == ["python3.13\t"]
    (shop.root / "pyproject.toml").write_text("[tool.lamella\n")
    assert asked(shop, "lamella invoke a") == []


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_script_is_printed(shop: Project, name: str) -> None:
    done = shop.run("completion", name)
    assert done.returncode == 0
    assert "lamella" in done.stdout
    assert shop.run("completion", "csh").returncode == 2
