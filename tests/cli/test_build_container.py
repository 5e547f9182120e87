"""`lamella build --container`: what is said where there is no engine, and what is built where there is one."""

import os
import sys
from pathlib import Path

import pytest
from tests.build.projects import Project
from tests.cli.processes import no_traceback
from tests.container.engines import FakeEngine
from tests.wheels.sdists import make_sdist
from tests.wheels.wheelmaker import sha256

CONFIGURATION = """
[tool.lamella]
runtime = "python3.12"

[tool.lamella.layers.layer]
bytecode = "none"

[tool.lamella.container]
build-image = "registry.example/build:1"
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project that needs a distribution without a wheel, and a PATH on which nothing is but Python's folder."""
    found = Project(tmp_path)
    sdist = make_sdist(found.root, "raw")
    found.configure(CONFIGURATION)
    digest = sha256(sdist.read_bytes())
    (found.root / "requirements.txt").write_text(f"raw @ file:./{sdist.name} --hash=sha256:{digest}\n")
    return found


def path_with(*folders: Path) -> dict[str, str]:
    return {"PATH": os.pathsep.join([*map(str, folders), str(Path(sys.executable).parent)])}


def test_without_the_option_the_refusal_names_it(project: Project) -> None:
    done = project.run("build", environment=path_with())
    assert no_traceback(done, 2) == (
        "error: `raw==1.0` has no wheel, only a source distribution\n"
        '  hint: allow-build = ["raw"] builds it if it is pure Python; '
        "`lamella build --container` builds any in the runtime's build image\n"
    )


def test_no_engine(project: Project) -> None:
    done = project.run("build", "--container", environment=path_with())
    assert no_traceback(done, 3) == (
        "error: no container engine can be used here\n"
        "  `docker` is not on PATH\n"
        "  `podman` is not on PATH\n"
        "  hint: install podman or docker\n"
    )


def test_a_client_without_its_daemon(project: Project, tmp_path: Path) -> None:
    docker = FakeEngine(tmp_path / "docker", "docker", code=1, answer=["Cannot connect to the Docker daemon."])
    done = project.run("build", "--container", environment=path_with(docker.folder))
    told = no_traceback(done, 3)
    assert f"  `{docker.program}` is here and does not answer: Cannot connect to the Docker daemon.\n" in told


def test_an_image_that_is_nowhere(project: Project, tmp_path: Path) -> None:
    podman = FakeEngine(tmp_path / "podman", "podman")
    done = project.run("build", "--container", environment=path_with(podman.folder))
    assert done.returncode == 3
    assert done.stderr == (
        "pulling registry.example/build:1\n"
        "error: `podman pull registry.example/build:1` failed\n"
        "  Error: no such manifest\n"
        "  hint: check the reference, the network, and whether the registry wants a login\n"
    )


def test_offline(project: Project) -> None:
    done = project.run("build", "--container", "--offline", environment=path_with())
    told = no_traceback(done, 3)
    assert told.startswith("error: 1 distribution would have to be built in a container, and `--offline`")
