"""`lamella check --container`: what is said where there is no engine, and what is found where there is one."""

import json
import os
import sys
from pathlib import Path

import pytest
from tests.build.projects import RUNNABLE, RUNTIME, Project, with_one_function
from tests.checks import images
from tests.cli.processes import no_traceback
from tests.container.engines import IDENTITY, FakeEngine

IMAGE = "registry.example/run:1"
CONFIGURATION = f"""{RUNNABLE}
[tool.lamella.container]
run-image = "{IMAGE}"
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = with_one_function(tmp_path)
    made.configure(CONFIGURATION)
    made.run("build", check=True)
    return made


@pytest.fixture
def podman(tmp_path: Path) -> FakeEngine:
    fake = FakeEngine(
        tmp_path / "podman", "podman", images={IMAGE: f"{IDENTITY} amd64"}, builder=os.path.abspath(images.__file__)
    )
    (fake.folder / RUNTIME).symlink_to(sys.executable)
    return fake


def path_with(*folders: Path) -> dict[str, str]:
    return {"PATH": os.pathsep.join([*map(str, folders), "/usr/bin", "/bin"])}


def test_fine(project: Project, podman: FakeEngine) -> None:
    done = project.run("check", "--container", environment=path_with(podman.folder))
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("imports OK: ")]
    assert f" ({IMAGE}, Python 3." in line
    assert line.endswith(", by podman 5.0.1)")
    assert done.stderr.startswith(f"importing in {IMAGE} with podman 5.0.1\n")


def test_what_fails_names_the_image(project: Project, podman: FakeEngine) -> None:
    project.source("app.py", "raise ValueError('so')\n\n\ndef handler(event, context): ...\n")
    project.run("build", check=True)
    done = project.run("check", "--container", "--json", environment=path_with(podman.folder))
    assert done.returncode == 1
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["reason"] == f"handler `app.handler` in `{IMAGE}` can't be imported: ValueError: so"
    assert (finding["path"], finding["line"]) == ("app.py", 1)


def test_no_engine(project: Project, tmp_path: Path) -> None:
    done = project.run("check", "--container", environment={"PATH": str(tmp_path)})
    assert no_traceback(done, 3) == (
        "error: no container engine can be used here\n"
        "  `docker` is not on PATH\n"
        "  `podman` is not on PATH\n"
        "  hint: install podman or docker\n"
    )


def test_an_image_that_is_nowhere(project: Project, podman: FakeEngine) -> None:
    podman.tell(images={})
    done = project.run("check", "--container", environment=path_with(podman.folder))
    assert done.returncode == 3
    assert done.stderr == (
        f"pulling {IMAGE}\n"
        f"error: `podman pull {IMAGE}` failed\n"
        "  Error: no such manifest\n"
        "  hint: check the reference, the network, and whether the registry wants a login\n"
    )


def test_offline_nothing_is_pulled(project: Project, podman: FakeEngine) -> None:
    assert project.run("check", "--container", "--offline", environment=path_with(podman.folder)).returncode == 0
    podman.tell(images={}, registry={IMAGE: f"{IDENTITY} amd64"})
    done = project.run("check", "--container", "--offline", environment=path_with(podman.folder))
    assert no_traceback(done, 3) == (
        f"error: `{IMAGE}` would have to be pulled, and `--offline` was given\n"
        f"  hint: run `podman pull {IMAGE}` once, or leave `--offline` out\n"
    )
    assert "pull" not in [words[0] for words in podman.asked]


def test_not_with_an_isolation(project: Project) -> None:
    assert no_traceback(project.run("check", "--container", "--isolation", "path-only"), 2) == (
        "error: `--container` and `--isolation` can't be given together\n"
        "  with `--container` nothing is imported on this machine\n"
        "  hint: leave one of them out\n"
    )


def test_not_for_checks_that_import_nothing(project: Project) -> None:
    assert no_traceback(project.run("check", "--container", "--only", "size", "--only", "overlap"), 2) == (
        "error: with `--container` something must be imported\n"
        "  `--only size --only overlap` imports nothing\n"
        "  hint: add `--only imports`, or leave `--container` out\n"
    )
