from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamella.config.handlers import Handler, PythonFile
from lamella.config.propose import keys, propose
from lamella.config.read import read
from lamella.config.runtimes import newest_current
from lamella.errors import ConfigError

DEF = "def handler(event, context): ...\n"
PROJECT: dict[str, Any] = {"name": "spectra", "requires-python": ">=3.12", "dependencies": ["pydantic"]}


def test_a_project() -> None:
    files = [
        PythonFile("spectra/handlers/api.py", DEF),
        PythonFile("spectra/handlers/worker.py", "from x import main\nlambda_handler = main\n"),
        PythonFile("spectra/model.py", "x = 1\n"),
    ]
    proposal = propose({"project": PROJECT}, "src", files)
    assert proposal.notes == ()
    assert proposal.text == (
        "[tool.lamella]\n"
        'runtime = "python3.12"\n'
        "\n"
        "[tool.lamella.layers.layer]\n"
        'name = "spectra-dependencies"\n'
        "\n"
        "[tool.lamella.functions.api]\n"
        'handler = "spectra.handlers.api.handler"\n'
        'layers = ["layer"]\n'
        "\n"
        "[tool.lamella.functions.worker]\n"
        'handler = "spectra.handlers.worker.lambda_handler"\n'
        'layers = ["layer"]\n'
    )


def test_without_src_only_the_code_is_included() -> None:
    files = [PythonFile("app.py", DEF), PythonFile("spectra/model.py", ""), PythonFile("spectra/x/y.py", "")]
    proposal = propose({"project": {"name": "a", "requires-python": ">=3.12"}}, ".", files)
    assert proposal.text == (
        "[tool.lamella]\n"
        'runtime = "python3.12"\n'
        "\n"
        "[tool.lamella.functions.app]\n"
        'handler = "app.handler"\n'
        'source = ["."]\n'
        'include = ["/app.py", "/spectra/"]\n'
    )
    assert proposal.notes == ("the project has no dependencies: no layer is proposed",)


def test_nothing_found() -> None:
    proposal = propose({"project": {"name": "a", "dynamic": ["dependencies"]}}, ".", [])
    newest = newest_current().name
    assert proposal.text == (
        f'[tool.lamella]\nruntime = "{newest}"\n\n[tool.lamella.layers.layer]\nname = "a-dependencies"\n'
    )
    assert proposal.notes == (
        f"no requires-python in pyproject.toml: {newest} is the newest known runtime",
        "no handler found: add functions by hand, each below `[tool.lamella.functions.NAME]`",
    )


def test_only_a_deprecated_runtime_fits() -> None:
    proposal = propose({"project": PROJECT | {"requires-python": "<3.11"}}, "src", [PythonFile("a.py", DEF)])
    assert 'runtime = "python3.10"' in proposal.text
    assert proposal.notes == ("python3.10 is deprecated, and requires-python admits no better one",)


@pytest.mark.parametrize(
    ("pyproject", "what"),
    [
        ({}, "`pyproject.toml` has no `[project] name`"),
        (
            {"project": {"name": "a", "requires-python": ">=4"}},
            '`requires-python = ">=4"` in pyproject.toml admits no ',
        ),
        ({"project": {"name": "a", "requires-python": "3"}}, "`[project] requires-python` in pyproject.toml is no "),
    ],
)
def test_refusals(pyproject: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        propose(pyproject, "src", [])
    assert caught.value.what.startswith(what)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("handlers", "expected"),
    [
        (["spectra.handlers.api:handler"], ["api"]),
        (["app:handler", "app:other"], ["app-handler", "app-other"]),
        (["a.api:handler", "b.api:handler", "worker:handler"], ["a-api", "b-api", "worker"]),
        (["x.a.api:handler", "y.a.api:handler"], ["x-a-api", "y-a-api"]),
        (["api:handler", "a.api:handler"], ["api", "a-api"]),
        (["My_Api:handler"], ["my-api"]),
        (["_private:handler"], ["private"]),
        (["spectra.layer:handler", "spectra.manifest:handler"], ["spectra-layer", "spectra-manifest"]),
        (["layer:handler"], ["layer-2"]),
        (["ö:handler", "ä:handler"], ["function", "function-2"]),
        (["a_b:handler", "a-b:handler"], ["a-b", "a-b-2"]),
    ],
)
def test_keys(handlers: Sequence[str], expected: Sequence[str]) -> None:
    assert keys([Handler(*handler.split(":")) for handler in handlers]) == expected


WORDS = st.sampled_from(["api", "a", "layer", "_x", "handlers", "manifest", "é", "A_b", "n" * 40])
PATHS = st.lists(WORDS, min_size=1, max_size=4).map("/".join)
TEXTS = st.sampled_from([DEF, "lambda_handler = x\n", "def a(event, context): ...\n" + DEF, "def b(", ""])


@given(
    paths=st.dictionaries(PATHS, TEXTS, max_size=6),
    name=st.sampled_from(["a", "Spectra.Core", "x" * 50, "y" * 150]),
    source=st.sampled_from(["src", "."]),
    project=st.sampled_from([{}, {"dependencies": ["pydantic"]}, {"requires-python": ">=3.11"}]),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_proposed_can_be_read(
    tmp_path: Path, paths: dict[str, str], name: str, source: str, project: dict[str, Any]
) -> None:
    (tmp_path / "src").mkdir(exist_ok=True)
    files = [PythonFile(f"{path}.py", text) for path, text in paths.items()]
    text = propose({"project": {"name": name, **project}}, source, files).text
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n\n{text}', encoding="utf-8")
    proposed = tomllib.loads(text)["tool"]["lamella"]
    found = read(str(tmp_path))
    assert len(found.functions) == len(proposed.get("functions", {}))
    assert bool(found.layers) == ("dependencies" in project)
    assert {function.handler for function in found.functions} >= {
        f"{path.replace('/', '.')}.handler" for path, text in paths.items() if text == DEF and len(path) < 100
    }
