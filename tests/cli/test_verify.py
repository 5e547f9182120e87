# ruff: noqa: F811  fixtures of another folder
"""`verify`, and `deploy` and `check` with `--layers-only`, against a strict AWS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.build.projects import Project
from tests.cli.aws import ALIASED, OLD, Lamella, built_with, enter, pointed, put_there
from tests.cloud.strict import Answered, StrictServer, logged
from tests.cloud.strict_fixtures import _strict, strict  # noqa: F401
from tests.deployed.conftest import nobody, somebody  # noqa: F401
from tests.deployed.moto_server import REGION, Deployer

TABLES = ALIASED + 'smoke = [{ name = "health", expect = { status = 200 } }]\n'


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return built_with(tmp_path_factory.mktemp("built"), TABLES)


@pytest.fixture
def server(strict: StrictServer, built: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StrictServer:
    """An account with the project's function as it was, in a copy of the project."""
    enter(built, tmp_path / "project", monkeypatch)
    put_there(Deployer(strict), OLD)
    strict.invoked = lambda met: Answered(b'{"statusCode": 200}', "", logged(met.version, "fine"))
    strict.clear()
    return strict


@pytest.fixture
def lamella(capsys: pytest.CaptureFixture[str]) -> Lamella:
    return Lamella(capsys)


def test_verify_before_and_after_a_deploy(server: StrictServer, lamella: Lamella) -> None:
    assert lamella("verify") == 1
    assert f"123456789012 {REGION}\n  ! spectra-api  version 1\n" in lamella.out
    assert "error: `spectra-layer`: no version of the layer has the bytes that were built" in lamella.err
    assert "error: `spectra-api`: it is not what was built\n  $LATEST: a deploy would attach" in lamella.err
    assert (
        f"hint: `lamella plan --refresh --region {REGION}` shows what `lamella deploy --region {REGION}` would do"
        in lamella.err
    )
    assert server.writes == []
    assert lamella("deploy", "--auto-approve", "-q") == 0
    server.clear()
    assert lamella("verify") == 0
    assert lamella.out.endswith("  = spectra-api  version 2, as it was built, 1 smoke event passed\n")
    assert [call.operation for call in server.calls if call.operation == "Invoke"] == ["Invoke"]
    assert lamella("verify", "-q") == 0
    assert (lamella.out, lamella.err) == ("", "")


def test_verify_as_json(server: StrictServer, lamella: Lamella) -> None:
    assert lamella("deploy", "--auto-approve", "-q") == 0
    assert lamella("verify", "--json") == 0
    tree = json.loads(lamella.out)
    (place,) = tree["places"]
    assert tree["ok"]
    assert place["functions"] == [
        {"function": "spectra-api", "version": "2", "ok": True, "proven": ["health"], "failures": []}
    ]
    server.invoked = lambda met: Answered(b'{"statusCode": 500}', "", logged(met.version, "no"))
    assert lamella("verify", "--json") == 1
    tree = json.loads(lamella.out)
    assert not tree["ok"]
    assert tree["places"][0]["functions"][0]["failures"][0]["what"] == "`health` failed on version 2"


def test_layers_alone_of_a_build_without_functions(server: StrictServer, lamella: Lamella) -> None:
    manifest = Path("dist/lambda/manifest.json")
    tree = json.loads(manifest.read_text())
    tree["functions"] = {}
    manifest.write_text(json.dumps(tree))
    Path("dist/lambda/api.zip").unlink()
    assert lamella("deploy", "--auto-approve") == 2
    assert "`api` is configured and not built" in lamella.err
    assert lamella("check", "--layers-only", "--only", "size", "--only", "closure") == 0
    assert "Layer size OK" in lamella.out
    assert lamella("deploy", "--layers-only", "--refresh") == 2
    assert "leave one of the two out" in lamella.err
    assert lamella("deploy", "--layers-only") == 2
    assert "Plan: publish 1 layer; " in lamella.out
    assert "there is nobody to ask" in lamella.err
    assert lamella("deploy", "--layers-only", "--auto-approve") == 0
    assert lamella.err == "published layer `spectra-layer` version 1\n"
    assert lamella.out.endswith(f"The deploy to 123456789012 {REGION} is done: 1 layer published.\n")
    assert [call.operation for call in server.writes] == ["PublishLayerVersion"]
    assert pointed(Deployer(server)) == "1"
    assert not Path(".lamella").exists()  # there is nothing to go back over
    assert lamella("deploy", "--layers-only", "--auto-approve") == 0
    assert lamella.out.endswith("No changes: AWS has the layers that were built.\n")
    assert lamella("deploy", "--layers-only", "--auto-approve", "--json") == 0
    assert json.loads(lamella.out)["ok"]


def test_layers_that_no_function_of_the_project_has(server: StrictServer, lamella: Lamella) -> None:
    where = f"123456789012 {REGION}"
    text = Path("pyproject.toml").read_text()
    Path("pyproject.toml").write_text(text[: text.index("[tool.lamella.functions.")])
    manifest = Path("dist/lambda/manifest.json")
    tree = json.loads(manifest.read_text())
    tree["functions"] = {}
    manifest.write_text(json.dumps(tree))
    assert lamella("verify") == 1
    assert lamella.out == f"{where}\n  ! spectra-layer  nothing\n"
    assert "no version of the layer has the bytes that were built: there is no version yet" in lamella.err
    assert lamella("deploy", "--layers-only", "--auto-approve", "-q") == 0
    assert lamella("verify") == 0
    assert lamella.out == f"{where}\n  = spectra-layer  version 1, as it was built\n"
    assert lamella.err == ""
    assert [call.operation for call in server.writes] == ["PublishLayerVersion"]


def test_layers_alone_of_a_project_without_any(
    server: StrictServer, lamella: Lamella, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = Path("pyproject.toml").read_text()
    Path("pyproject.toml").write_text(
        text.replace('[tool.lamella.layers.layer]\nbytecode = "none"\n', "").replace('layers = ["layer"]\n', "")
    )
    assert lamella("deploy", "--layers-only", "--auto-approve") == 2
    assert "`pyproject.toml` configures no layers" in lamella.err
    assert server.writes == []
