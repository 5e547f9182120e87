from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from tests.migrate.projects import HANDLER, proposed, reading, said, written
from tests.migrate.test_sam import MAKEFILE as MADE
from tests.migrate.test_sam import TEMPLATE
from tests.migrate.test_scripts import MAKEFILE, WORKFLOW
from tests.migrate.test_serverless import SERVICE

from lamella.errors import LamellaError
from lamella.migrate.detect import choose, read
from lamella.migrate.model import Function, Layer, Origin, Proposal, Reading
from lamella.migrate.proposal import propose
from lamella.migrate.write import toml, value

SAMPLES = {
    "serverless.yml": {"serverless.yml": SERVICE},
    "template.yaml": {"template.yaml": TEMPLATE, "made/Makefile": MADE},
    "Makefile": {"Makefile": MAKEFILE},
    ".github/workflows/w.yml": {".github/workflows/w.yml": WORKFLOW},
}
# What stands in the place of a value that somebody wrote otherwise
OTHERS = (
    "",
    "[]",
    "{}",
    "null",
    "[x, {y: z}]",
    "{Ref: X}",
    "!Sub [a, {b: c}]",
    "12",
    "'*'",
    "&a [*a]",
    "!GetAtt [A, B]",
)


def attempted(root: Path) -> Proposal | str:
    """The proposal, or the hint of the error that says why there is none."""
    try:
        return propose(str(root), read(str(root), choose(str(root), None)), None)
    except LamellaError as error:
        return error.hint or ""


@pytest.mark.parametrize("name", SAMPLES)
def test_files_that_lack_or_change_a_line_are_read_or_refused(tmp_path: Path, name: str) -> None:
    """Whatever is in the files: a proposal whose TOML can be read, or an error that says why."""
    files = {"app/create.py": HANDLER, "requirements.txt": "demo==1.0\n", "libraries/requirements.txt": "demo\n"}
    written(tmp_path, {**files, **SAMPLES[name]})
    lines = SAMPLES[name][name].splitlines()
    proposals = 0
    for at, line in enumerate(lines):
        changed: list[list[str]] = [[]]
        changed += [[re.sub(r":(?=\s|$).*", f": {other}", line)] for other in OTHERS[at % 3 :: 3]]
        for new in changed:
            (tmp_path / name).write_text("\n".join([*lines[:at], *new, *lines[at + 1 :]]) + "\n")
            one = attempted(tmp_path)
            if isinstance(one, str):
                assert one
            else:
                tomllib.loads(one.text)
                proposals += 1
    assert proposals > len(lines)


def test_the_runtime_that_nothing_names_is_said(tmp_path: Path) -> None:
    text = "pip install -r requirements.txt -t build/python\ncd build && zip -r ../l.zip python && cd ..\n"
    text += "aws lambda publish-layer-version --layer-name libraries --zip-file fileb://l.zip\n"
    written(tmp_path, {"layer.sh": text, "requirements.txt": "demo==1.0\n"})
    one = proposed(tmp_path)
    assert "no runtime is named: python3." in said(one, mapped=True)["layer.sh"]
    assert one.refused == ""
    pyproject: dict[str, object] = {"project": {"name": "x", "requires-python": ">=3.12,<3.13"}}
    again = propose(str(tmp_path), reading(tmp_path), pyproject)
    assert 'runtime = "python3.12"' in again.text
    assert again.file == "pyproject.toml"
    assert again.text.startswith("[tool.lamella]\n")


def test_a_lock_of_uv_before_pylock_is_said(tmp_path: Path) -> None:
    found = Reading(
        Origin("scripts", ("a.sh",)), "python3.12", "x86_64", (Layer("layer", "l", "requirements.txt"),), ()
    )
    written(tmp_path, {"requirements.txt": "demo\n", "uv.lock": ""})
    one = propose(str(tmp_path), found, None)
    assert said(one, mapped=False) == {"uv.lock": "it would be found before pylock.toml"}
    (tmp_path / "pylock.toml").write_text('lock-version = "1.0"\ncreated-by = "x"\n')
    assert 'lock = "pylock.toml"' in propose(str(tmp_path), found, None).text


def test_a_project_with_dependencies_of_its_own_gets_those_of_the_file_by_name(tmp_path: Path) -> None:
    found = Reading(
        Origin("scripts", ("a.sh",)), "python3.12", "x86_64", (Layer("layer", "l", "requirements.txt"),), ()
    )
    written(tmp_path, {"requirements.txt": "demo==1.0\nleaf==2.0\n"})
    pyproject: dict[str, object] = {"project": {"name": "x", "dependencies": ["other"]}}
    assert 'packages = ["demo", "leaf"]' in propose(str(tmp_path), found, pyproject).text


def test_what_a_layer_leaves_out_it_does_not_ask_for(tmp_path: Path) -> None:
    layer = Layer("layer", "l", "requirements.txt", exclude=("Boto3",))
    found = Reading(Origin("serverless", ("s.yml",)), "python3.12", "x86_64", (layer,), ())
    written(tmp_path, {"requirements.txt": "boto3==1.0\nleaf==2.0\n"})
    one = propose(str(tmp_path), found, {"project": {"name": "x", "dependencies": ["other"]}})
    assert 'packages = ["leaf"]' in one.text
    assert one.refused == ""


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (True, "true"),
        (0.1, "0.1"),
        ('a"\\\n', '"a\\"\\\\\\u000a"'),
        ({"a b": [1]}, '{ "a b" = [1] }'),
        (["x" * 60, "y" * 60], f'[\n    "{"x" * 60}",\n    "{"y" * 60}",\n]'),
    ],
)
def test_values_are_written_as_toml(given: object, text: str) -> None:
    assert value(given) == text
    assert tomllib.loads(f"x = {text}\n") == {"x": given}


def test_keys_that_need_quotes_have_them() -> None:
    function = Function("f", "f", "f.handler", environment=(("A_B", "1"), ("C D", "2")))
    text = toml(Reading(Origin("sam", ("t",)), "python3.12", "arm64", (), (function,)), "", "", {})
    assert tomllib.loads(text)["functions"]["f"]["environment"] == {"A_B": "1", "C D": "2"}


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("demo==1.0\n", 1),
        ("demo==1.0\n    # via shop\n", 0),
        (f"demo==1.0 --hash=sha256:{'0' * 64}\n", 0),
    ],
)
def test_a_lock_that_may_not_be_whole(tmp_path: Path, text: str, notes: int) -> None:
    (tmp_path / "re q.txt").write_text(text)
    layer = Layer("layer", "name", requirements="re q.txt")
    proposal = propose(str(tmp_path), Reading(Origin("scripts", ("x.sh",)), "python3.12", "", (layer,), ()), None)
    assert tomllib.loads(proposal.text)["lock"] == "re q.txt"
    assert len(proposal.items) == notes
    assert all("python-version 3.12 're q.txt' --output-file pylock.toml" in item.todo for item in proposal.items)
