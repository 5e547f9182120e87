"""The README says what is so: its tables, its configuration snippets, the messages that it shows."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lamella.checks.model import SizeVerdict
from lamella.cli.check import CHECKS
from lamella.config import api, environments, functions, layers, read, smoke
from lamella.facts import tables
from lamella.index.download import MOST
from lamella.report.check import show_sizes
from lamella.report.console import Console

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()

PROJECT = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.12"
dependencies = ["pydantic"]

[dependency-groups]
data = ["pyarrow"]

"""


def _fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def _message(start: str) -> str:
    """The message in the README whose first line holds `start`."""
    (found,) = [text for text in _fenced("text") if start in text.splitlines()[0]]
    return found


def _table(heading: str) -> list[str]:
    """The first cells, without backticks, of the first table below a heading."""
    below = README.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    return re.findall(r"^\| `([^`]+)` \|", below, re.MULTILINE)


def _project(folder: Path, pyproject: str, requirements: str = "") -> Path:
    (folder / "src").mkdir()
    (folder / "src/app.py").write_text("def handler(event, context):\n    return {}\n")
    (folder / "pyproject.toml").write_text(pyproject)
    if requirements:
        (folder / "requirements.txt").write_text(requirements)
    return folder


def _lamella(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lamella", *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


@pytest.mark.parametrize(
    ("heading", "keys"),
    [
        ("### `[tool.lamella]`", read.KEYS),
        ("### `[tool.lamella.layers.KEY]`", layers.KEYS),
        ("### `[tool.lamella.functions.KEY]`", functions.KEYS),
        ("#### `smoke` and `canary`", smoke.KEYS),
        ("### `[tool.lamella.api]`", api.KEYS),
        ("### `[tool.lamella.deploy]`", environments.KEYS),
        ("### `[tool.lamella.environments.NAME]`", environments.ENVIRONMENT_KEYS - environments.KEYS),
    ],
)
def test_the_configurations_tables_name_every_key_and_no_other(heading: str, keys: frozenset[str]) -> None:
    found = _table(heading)
    assert sorted(found) == sorted(keys)


@pytest.mark.parametrize("snippet", _fenced("toml"))
def test_each_configuration_is_accepted(tmp_path: Path, snippet: str) -> None:
    project = _project(tmp_path, PROJECT + snippet)
    settings = read.read(str(project))
    written = tomllib.loads(snippet)["tool"]["lamella"]
    assert [layer.key for layer in settings.layers] == list(written["layers"])
    assert [function.key for function in settings.functions] == list(written["functions"])


def test_init_proposes_what_the_quick_start_shows(tmp_path: Path) -> None:
    project = _project(tmp_path, PROJECT)
    (project / "src/app.py").unlink()
    (project / "src/shop").mkdir()
    (project / "src/shop/__init__.py").touch()
    (project / "src/shop/orders.py").write_text("def handler(event, context):\n    return {}\n")
    done = _lamella("init", cwd=project)
    assert done.returncode == 0
    assert done.stdout == _fenced("toml")[0]


def test_the_tables_of_commands_name_every_command_and_option(tmp_path: Path) -> None:
    section = README.split("\n## Commands\n", 1)[1].split("\n## ", 1)[0]
    told = _lamella("--help", cwd=tmp_path).stdout.split("commands:\n", 1)[1]
    commands = re.findall(r"^ +([a-z-]+) {2,}", told, re.MULTILINE)
    assert re.findall(r"^\| `lamella ([\w-]+)", section, re.MULTILINE) == commands
    for command in commands:
        options = re.findall(
            r"(?<![\w-])--[a-z]+", _lamella(command, "--help", cwd=tmp_path).stdout.split("\nexamples:")[0]
        )
        assert "--help" in options
        for option in set(options) - {"--help"}:
            assert f"`{option}" in section, f"{option} of {command} is not in the README"


def test_a_misspelt_key(tmp_path: Path) -> None:
    project = _project(tmp_path, PROJECT + '[tool.lamella.functions.app]\nhandlr = "app.handler"\n')
    done = _lamella("build", cwd=project)
    assert (done.returncode, done.stderr) == (2, _message("handlr"))


def test_the_lines_of_check() -> None:
    layer = SizeVerdict("layer", "layer", "zipped", 48234567, 52428800, (("layer", 48234567),), (), ())
    parts = (("code", 2369), ("layer", 206422323))
    function = SizeVerdict("function", "api-handler", "unzipped", 206424692, 262144000, parts, (), ())
    out = io.StringIO()
    show_sizes(Console(out=out), [layer, function])
    assert out.getvalue() == _message("Layer size OK")


def test_the_most_that_is_taken_of_a_file() -> None:
    assert MOST == 4 * 2**30
    assert "4 GiB are taken at most" in README


RANGE = '[tool.lamella.layers.layer]\npackages = ["requests"]\n'


def test_a_range(tmp_path: Path) -> None:
    project = _project(tmp_path, PROJECT + RANGE, "requests>=2\n")
    done = _lamella("build", cwd=project)
    assert (done.returncode, done.stderr) == (2, _message("doesn't pin"))


def test_what_is_missing_offline_is_the_outsides_fault(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    project = _project(tmp_path / "project", PROJECT + RANGE, "requests==2.0\n")
    done = _lamella("build", "--offline", cwd=project, LAMELLA_CACHE_DIR=str(tmp_path / "cache"))
    assert done.returncode == 3
    assert "in the cache, and `--offline` was given" in done.stderr


@pytest.mark.journey
def test_no_wheel_for_the_runtime(tmp_path: Path) -> None:
    configuration = '[tool.lamella]\nruntime = "python3.11"\n[tool.lamella.layers.layer]\npackages = ["pyarrow"]\n'
    project = _project(tmp_path, PROJECT + configuration, "pyarrow==26.0.1\n")
    done = _lamella("build", cwd=project)
    assert done.returncode == 2
    assert _message("runs on python3.11") in done.stderr


@pytest.mark.journey
def test_a_function_without_its_layer(tmp_path: Path) -> None:
    project = tmp_path / "galerly"
    shutil.copytree(ROOT / "examples/galerly", project, ignore=shutil.ignore_patterns("dist"))
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('layers = ["image-layer"]\n', ""))
    done = _lamella("build", cwd=project)
    assert (done.returncode, done.stderr) == (2, _message("image-processor"))
    assert not (project / "dist/lambda/manifest.json").exists()


def test_what_is_left_out_names_every_rule_and_feature() -> None:
    assert _table("## What is left out") == [rule.name for rule in tables.pruning()]
    section = " ".join(README.split("\n## What is left out\n", 1)[1].split("\n## ", 1)[0].split())
    for rule in tables.pruning():
        assert re.search(rf"\| `{rule.name}` \|.*\| {', '.join(rule.profiles)} \|", section)
    for feature in tables.features():
        assert f"`{feature.distribution}:{feature.name}`" in section


def test_the_table_of_checks() -> None:
    assert _table("## Checks") == list(CHECKS)


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if target.startswith("#"):
            headings = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
            assert target[1:] in {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in headings}
        elif "://" not in target:
            assert (ROOT / target).exists(), target


def test_both_commands_at_the_top_are_targets_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text()
    top = README.split("\n## ", 1)[0]
    assert re.findall(r"^    make (\w+)", top, re.MULTILINE) == ["demo", "test"]
    for target in re.findall(r"^    make ([\w-]+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
