from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lamella import __version__
from lamella.config.read import read
from lamella.export.github_actions import emit
from lamella.export.model import MARK, Place, Source
from lamella.manifest import Manifest

HEAD = '[tool.lamella]\nruntime = "python3.12"\n'
LAYER = "[tool.lamella.layers.layer]\n[tool.lamella.layers.images]\npackages = ['pillow']\n"
FUNCTION = '[tool.lamella.functions.api]\nhandler = "app.handler"\n'
NAMED = "[tool.lamella.environments.dev]\n[tool.lamella.environments.prod]\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    return tmp_path


def text(project: Path, tables: str, environment: str = "", inside: str = ".") -> str:
    (project / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n' + tables)
    settings = read(str(project))
    (one,) = (one for one in settings.environments if one.name == environment)
    (made,) = emit(Source(settings, one, Manifest("shop", (), ()), Place("../..", "../../dist/lambda", inside)))
    assert made.path == ""
    return made.text


def jobs(project: Path, tables: str, environment: str = "", inside: str = ".") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text(project, tables, environment, inside))["jobs"]
    return found


def runs(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def used(job: dict[str, Any], action: str) -> dict[str, Any]:
    (step,) = (step for step in job["steps"] if step.get("uses", "").startswith(action))
    found: dict[str, Any] = step["with"]
    return found


def test_says_who_wrote_it_and_gives_nothing_that_is_not_needed(project: Path) -> None:
    whole = text(project, HEAD + LAYER + FUNCTION)
    assert whole.startswith(f"# {MARK} github-actions`, which writes it anew\n")
    assert whole.endswith("\n")
    assert "\t" not in whole
    tree = yaml.safe_load(whole)
    assert tree["permissions"] == {"contents": "read"}
    assert "permissions" not in tree["jobs"]["check"]
    assert tree["jobs"]["deploy"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert "secrets." not in whole
    for job in tree["jobs"].values():
        assert used(job, "actions/checkout")["persist-credentials"] is False


def test_the_five_steps(project: Path) -> None:
    job = jobs(project, HEAD + LAYER + FUNCTION)["deploy"]
    install, *steps = runs(job)
    assert f'"lamella[aws,uv]=={__version__}"' in install
    assert steps[:4] == [
        "lamella build --locked layer images",
        "lamella deploy --layers-only --auto-approve",
        "lamella build --locked",
        "lamella deploy --auto-approve",
    ]
    assert steps[4].startswith("lamella verify\n")
    assert len(steps) == 5


def test_one_rollout_at_a_time_to_each_environment_and_the_later_after_the_earlier(project: Path) -> None:
    found = jobs(project, HEAD + LAYER + FUNCTION + NAMED)
    assert list(found) == ["check", "deploy-dev", "deploy-prod"]
    assert [found[name]["needs"] for name in ("deploy-dev", "deploy-prod")] == ["check", "deploy-dev"]
    assert [found[name]["environment"] for name in ("deploy-dev", "deploy-prod")] == ["dev", "prod"]
    groups = [found[name]["concurrency"] for name in found]
    assert [one["cancel-in-progress"] for one in groups] == [True, False, False]
    assert len({one["group"] for one in groups}) == 3
    assert all("--env prod" in one for one in runs(found["deploy-prod"]) if "deploy" in one or "verify" in one)
    for name in ("deploy-dev", "deploy-prod"):
        assert "github.event_name != 'pull_request'" in found[name]["if"]


def test_one_environment_alone(project: Path) -> None:
    whole = text(project, HEAD + FUNCTION + NAMED, "prod")
    assert whole.startswith(f"# {MARK} github-actions --env prod`")
    assert list(yaml.safe_load(whole)["jobs"]) == ["check", "deploy-prod"]


def test_workflows_of_one_environment_each_do_not_end_each_other(project: Path) -> None:
    trees = [yaml.safe_load(text(project, HEAD + FUNCTION + NAMED, name)) for name in ("dev", "prod", "")]
    groups = [tree["jobs"]["check"]["concurrency"]["group"] for tree in trees]
    assert len(set(groups)) == 3
    assert all("${{ github.ref }}" in one for one in groups)
    assert [tree["name"] for tree in trees] == ["lambda dev", "lambda prod", "lambda"]


def test_names_that_yaml_reads_as_something_else(project: Path) -> None:
    found = jobs(project, HEAD + FUNCTION + "[tool.lamella.environments.on]\n[tool.lamella.environments.2]\n")
    assert [found[name].get("environment") for name in found] == [None, "on", "2"]


@pytest.mark.parametrize("inside", ["services/shop", "it's here/shop"])
def test_a_project_in_a_folder_of_its_repository(project: Path, inside: str) -> None:
    (project / "uv.lock").touch()
    found = jobs(project, HEAD.replace("]\n", ']\nlock = "uv.lock"\n', 1) + FUNCTION, inside=inside)
    for job in found.values():
        assert job["defaults"]["run"]["working-directory"] == inside
        assert f"hashFiles('{inside.replace(chr(39), chr(39) * 2)}/uv.lock')" in used(job, "actions/cache")["key"]
    tree = yaml.safe_load(text(project, HEAD + FUNCTION + NAMED, "prod", inside))
    assert tree["name"] == f"lambda {inside} prod"
    other = jobs(project, HEAD + FUNCTION, inside="services/other")
    assert other["deploy"]["concurrency"]["group"] != found["deploy"]["concurrency"]["group"]


@pytest.mark.parametrize(
    ("runtime", "versions"),
    [
        ('"python3.12"', ["3.12"]),
        ('["python3.13", "python3.9"]', ["3.9", "3.13"]),
        ('"python3.9"', ["3.9", "3.11"]),  # lamella itself runs on no older one than this
    ],
)
def test_pythons_of_the_runtimes(project: Path, runtime: str, versions: list[str]) -> None:
    tables = f"[tool.lamella]\nruntime = {runtime}\n[tool.lamella.layers.layer]\n"
    found = jobs(project, tables)
    for job in found.values():
        assert used(job, "actions/setup-python")["python-version"].split() == versions


def test_arm_is_built_and_checked_on_arm(project: Path) -> None:
    found = jobs(project, HEAD + 'architecture = "arm64"\n' + FUNCTION)
    assert {job["runs-on"] for job in found.values()} == {"ubuntu-24.04-arm"}


def test_where_the_credentials_are_for(project: Path) -> None:
    where = "[tool.lamella.environments.prod]\nprofile = 'boss'\nregions = ['eu-west-1', 'eu-west-2']\n"
    job = jobs(project, HEAD + LAYER + FUNCTION + where)["deploy-prod"]
    assert used(job, "aws-actions/configure-aws-credentials") == {
        "role-to-assume": "${{ vars.AWS_ROLE_ARN }}",
        "aws-region": "eu-west-1",
    }
    assert 'lamella deploy --auto-approve --env prod --profile ""' in runs(job)  # nobody's profiles are on a runner


def test_without_layers_there_is_none_to_publish(project: Path) -> None:
    whole = text(project, HEAD + FUNCTION)
    assert "--layers-only" not in whole
    assert "name: Deploy\n" in whole


def test_what_is_built_in_containers(project: Path) -> None:
    tables = HEAD + LAYER + FUNCTION + "[tool.lamella.container]\nengine = 'docker'\n"
    found = jobs(project, tables)
    assert "lamella build --locked --container" in runs(found["check"])
    assert "lamella build --locked --container layer images" in runs(found["deploy"])
