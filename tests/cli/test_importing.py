from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.build.projects import Project
from tests.migrate.projects import DEMO, RUNTIME, pinned, project

from lamella.uv import program

SERVERLESS = """\
service: shop
plugins:
  - serverless-python-requirements
provider:
  name: aws
  runtime: RUNTIME
  iam: {}
custom:
  pythonRequirements:
    dockerizePip: true
    layer: true
functions:
  api:
    handler: app/main.handler
    layers:
      - Ref: PythonRequirementsLambdaLayer
    events:
      - httpApi: GET /orders/{id}
"""
SAM = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: RUNTIME
    Timeout: 10
Resources:
  Libraries:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: RUNTIME}
    Properties:
      LayerName: shop-libraries
      ContentUri: libraries/
      CompatibleRuntimes: [RUNTIME]
  ApiFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: shop-api
      CodeUri: app/
      Handler: main.handler
      AutoPublishAlias: live
      Layers: [!Ref Libraries]
      Events:
        Get: {Type: HttpApi, Properties: {Path: "/orders/{id}", Method: get}}
"""
SCRIPT = """\
#!/bin/bash
set -euo pipefail
LAYER=shop-libraries
pip install --platform manylinux2014_x86_64 --only-binary=:all: --python-version VERSION \\
    -r libraries/requirements.txt -t build/python
find build/python -type d -name tests -exec rm -rf {} +
(cd build && zip -qr ../layer.zip python)
aws lambda publish-layer-version --layer-name "$LAYER" --zip-file fileb://layer.zip
(cd app && zip -r ../function.zip .)
aws lambda update-function-code --function-name shop-api --zip-file fileb://function.zip
""".replace("VERSION", RUNTIME.removeprefix("python"))


def checked(one: Project, *names: str) -> dict[str, object]:
    """The manifest of a build of what was proposed, whose check finds nothing."""
    build = one.run("build")
    assert build.returncode == 0, build.stderr
    check = one.run("check")
    assert check.returncode == 0, check.stdout + check.stderr
    manifest: dict[str, object] = json.loads((one.output / "manifest.json").read_text())
    assert {path.stem for path in one.output.glob("*.zip")} == set(names)
    return manifest


def test_serverless_is_imported_and_built(tmp_path: Path) -> None:
    one = project(tmp_path, {"serverless.yml": SERVERLESS, "app/__init__.py": "", "app/main.py": DEMO}, "demo")
    (one.root / "requirements.txt").write_text(pinned(one, "demo"))
    shown = one.run("import")
    assert shown.returncode == 0
    assert "serverless.yml:7: `provider.iam`" in shown.stderr
    assert "nothing written" in shown.stderr
    assert not (one.root / "lamella.toml").exists()
    again = one.run("import", "--write")
    assert again.returncode == 0
    assert again.stdout == ""
    assert (one.root / "lamella.toml").read_text() == shown.stdout
    checked(one, "layer", "api")
    refused = one.run("import", "--write")
    assert refused.returncode == 2
    assert "holds a configuration" in refused.stderr


def test_sam_is_imported_into_pyproject_and_built(tmp_path: Path) -> None:
    one = project(tmp_path, {"template.yaml": SAM, "app/main.py": DEMO, "app/requirements.txt": "# none\n"}, "demo")
    before = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.9"\n\n[tool.ruff]\nline-length = 99\n'
    (one.root / "pyproject.toml").write_text(before)
    (one.root / "libraries").mkdir()
    (one.root / "libraries" / "requirements.txt").write_text(pinned(one, "demo"))
    done = one.run("import", "--write")
    assert done.returncode == 0, done.stderr
    after = (one.root / "pyproject.toml").read_text()
    assert after.startswith(before)
    assert "[tool.lamella.functions.api-function]" in after
    checked(one, "libraries", "api-function")


def test_scripts_are_imported_and_built(tmp_path: Path) -> None:
    one = project(tmp_path, {"scripts/deploy.sh": SCRIPT, "app/main.py": DEMO}, "demo")
    (one.root / "libraries").mkdir()
    (one.root / "libraries" / "requirements.txt").write_text(pinned(one, "demo"))
    done = one.run("import", "--write", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["from"] == "scripts"
    assert told["files"] == ["scripts/deploy.sh"]
    assert told["written"] is True
    assert told["open"] == []
    assert [row["line"] for row in told["mapped"]] == [10, 10]
    checked(one, "layer", "shop-api")


def test_what_is_no_lock_is_locked_by_the_command_that_is_shown(tmp_path: Path) -> None:
    files = {"serverless.yml": SERVERLESS, "app/__init__.py": "", "app/main.py": DEMO, "requirements.txt": "demo\n"}
    one = project(tmp_path, files, "demo")
    told = json.loads(one.run("import", "--write", "--json").stdout)
    (command,) = told["first"]
    words = command.split()
    assert words[:3] == ["uv", "pip", "compile"]
    assert any("requirements.txt:1" in row["what"] for row in told["mapped"])
    subprocess.run(
        [program(), *words[1:], "--no-index", "--find-links", str(one.wheelhouse), "--quiet"],
        cwd=one.root,
        env=one.environment,
        check=True,
        timeout=60,
    )
    checked(one, "layer", "api")


def test_several_ways_are_told_apart_by_the_option(tmp_path: Path) -> None:
    files = {"serverless.yml": SERVERLESS, "template.yaml": SAM, "app/main.py": DEMO, "deploy.sh": SCRIPT}
    one = project(tmp_path, files)
    refused = one.run("import")
    assert refused.returncode == 2
    assert "serverless: `serverless.yml`" in refused.stderr
    assert "sam: `template.yaml`" in refused.stderr
    assert "scripts: `deploy.sh`" in refused.stderr
    assert "hint: say which one is meant: `--from serverless`" in refused.stderr
    assert "read sam: `template.yaml`" in one.run("import", "--from", "sam").stderr


def test_one_file_of_several_is_read(tmp_path: Path) -> None:
    files = {
        "serverless.yml": SERVERLESS,
        "prod.yaml": SAM,
        "app/main.py": DEMO,
        "x/ship": SCRIPT,
        "notes.txt": "pip\n",
    }
    one = project(tmp_path, files)
    assert "read sam: `prod.yaml`" in one.run("import", "prod.yaml").stderr
    assert "read serverless: `serverless.yml`" in one.run("import", "../project/serverless.yml", cwd=one.root).stderr
    assert "read scripts: `x/ship`" in one.run("import", "x/ship").stderr
    refused = one.run("import", "notes.txt")
    assert refused.returncode == 2
    assert "`notes.txt` does not say how anything is packaged" in refused.stderr


def test_a_script_of_another_project_is_read_where_it_is_called(tmp_path: Path) -> None:
    files = {"app/main.py": DEMO, "scripts/ship.sh": SCRIPT, "libraries/requirements.txt": "demo==1.0\n"}
    one = project(tmp_path, files)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = one.run("import", "../project/scripts/ship.sh", "--write", cwd=elsewhere)
    assert done.returncode == 0, done.stderr
    assert "read scripts: `scripts/ship.sh`" in done.stderr
    assert 'source = ["app"]' in (one.root / "lamella.toml").read_text()


def test_what_needs_a_correction_is_not_written(tmp_path: Path) -> None:
    script = SCRIPT.replace("shop-api", "'shop api'")
    files = {"app/main.py": DEMO, "deploy.sh": script, "libraries/requirements.txt": "demo==1.0\n"}
    one = project(tmp_path, files)
    shown = one.run("import")
    assert shown.returncode == 0
    assert "warning: the proposal needs a correction, and is not written\n" in shown.stderr
    assert "`[functions.shopapi] name` in the proposal is no name that AWS accepts" in shown.stderr
    assert "hint: put the configuration above into lamella.toml, and correct it there" in shown.stderr
    assert "--write" not in shown.stderr
    refused = one.run("import", "--write", "--quiet")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: the proposal needs a correction, and is not written\n")
    assert refused.stdout == shown.stdout
    assert not (one.root / "lamella.toml").exists()


@pytest.mark.parametrize(
    ("files", "arguments", "said"),
    [
        ({}, [], "says how it is packaged"),
        ({"serverless.yml": SERVERLESS}, ["--from", "sam"], "nothing of `sam` was found"),
        ({"serverless.yml": "a: [1\n"}, [], "`serverless.yml` is not valid YAML"),
        ({"serverless.yml": "service: empty\n"}, [], "has nothing that lamella packages"),
        ({}, ["nowhere"], "there is no `nowhere`"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, files: dict[str, str], arguments: list[str], said: str) -> None:
    one = project(tmp_path, files)
    done = one.run("import", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_configuration_that_is_refused_is_not_written(tmp_path: Path) -> None:
    text = SERVERLESS.replace("GET /orders/{id}", "GET /orders/{id")
    one = project(tmp_path, {"serverless.yml": text, "app/main.py": DEMO})
    done = one.run("import", "--write")
    assert done.returncode == 2
    assert "needs a correction" in done.stderr
    assert "/orders/{id" in done.stderr
    assert not (one.root / "lamella.toml").exists()
