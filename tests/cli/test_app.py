"""The command line before a command has it."""

from __future__ import annotations

import pytest

from lamella.cli import app
from lamella.errors import BuildError, LamellaError
from lamella.wording import listed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["-q", "build"],
            "error: `-q` stands before the command `build`\n  hint: options go behind it: `lamella build -q`\n",
        ),
        (
            ["--only", "size", "check", "--json"],
            "error: `--only` stands before the command `check`\n"
            "  hint: options go behind it: `lamella check --only size --json`\n",
        ),
        (
            ["--what"],
            f"error: `lamella` itself has no option `--what`\n  the commands are {listed(app.COMMANDS)}\n"
            "  hint: a command comes first, its options behind it; `lamella --help` describes them\n",
        ),
        (
            ["chekc", "--json"],
            f"error: there is no command `chekc`\n  the commands are {listed(app.COMMANDS)}\n"
            "  hint: did you mean `lamella check`?\n",
        ),
    ],
)
def test_words_in_the_wrong_place(capsys: pytest.CaptureFixture[str], arguments: list[str], told: str) -> None:
    assert app.run(arguments) == 2
    assert capsys.readouterr() == ("", told)


@pytest.mark.parametrize("option", ["-h", "--help", "--version", "--vers"])
def test_options_that_need_no_command(capsys: pytest.CaptureFixture[str], option: str) -> None:
    with pytest.raises(SystemExit) as left:
        app.run([option, "build"])
    assert left.value.code == 0
    assert "lamella" in capsys.readouterr().out


def test_nothing_at_all_shows_the_commands_and_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert all(f"  {name} " in err for name in app.COMMANDS)


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (BuildError("`x` broke", hint="mend it"), 2, "error: `x` broke\n  hint: mend it\n"),
        (
            PermissionError(13, "Permission denied", "/srv/x"),
            3,
            "error: `/srv/x`: Permission denied\n  hint: check the disk and the permissions there\n",
        ),
    ],
)
def test_errors_become_words_and_a_code(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: LamellaError | OSError,
    code: int,
    told: str,
) -> None:
    def fails(_: object) -> int:
        raise error

    monkeypatch.setattr("lamella.cli.init.run", fails)
    assert app.run(["init"]) == code
    assert capsys.readouterr() == ("", told)


def test_a_reader_that_is_gone_is_no_error_of_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> int:
        raise BrokenPipeError

    monkeypatch.setattr("lamella.cli.init.run", fails)
    with pytest.raises(BrokenPipeError):
        app.run(["init"])
