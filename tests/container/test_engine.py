from pathlib import Path

import pytest
from tests.container.engines import FakeEngine, on_path

from lamella.container.engine import find
from lamella.container.model import ContainerSettings, Engine
from lamella.errors import OutsideError

DEFAULT = ContainerSettings()


def refused(settings: ContainerSettings = DEFAULT) -> str:
    with pytest.raises(OutsideError) as caught:
        find(settings)
    return str(caught.value)


def test_an_engine_that_answers_is_told_with_its_version_machine_and_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeEngine(tmp_path / "bin", "podman", answer=["4.3.1 arm64"])
    monkeypatch.setenv("PATH", on_path(fake.folder))
    options = ("--isolation=chroot",)
    assert find(ContainerSettings(options=options)) == Engine("podman", fake.program, "4.3.1", "arm64", options)


def test_one_that_is_there_and_silent_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker = FakeEngine(tmp_path / "docker", "docker", code=1, answer=["Cannot connect to the Docker daemon"])
    podman = FakeEngine(tmp_path / "podman", "podman")
    monkeypatch.setenv("PATH", on_path(docker.folder, podman.folder))
    assert find(DEFAULT).program == podman.program


def test_docker_comes_first_where_both_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker, podman = FakeEngine(tmp_path / "docker", "docker"), FakeEngine(tmp_path / "podman", "podman")
    monkeypatch.setenv("PATH", on_path(podman.folder, docker.folder))
    assert find(DEFAULT).kind == "docker"
    assert find(ContainerSettings(engine="podman")).kind == "podman"


def test_podman_under_dockers_name_is_spoken_to_as_podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeEngine(tmp_path / "bin", "podman")
    (fake.folder / "podman").rename(fake.folder / "docker")
    monkeypatch.setenv("PATH", on_path(fake.folder))
    found = find(DEFAULT)
    assert (found.kind, found.program) == ("podman", str(fake.folder / "docker"))
    assert fake.asked[-1][0] == "info"


def test_what_was_found_is_said_where_none_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker = FakeEngine(
        tmp_path / "bin",
        "docker",
        code=1,
        answer=["", "Cannot connect to the Docker daemon at unix:///run/docker.sock."],
    )
    monkeypatch.setenv("PATH", on_path(docker.folder))
    assert refused() == (
        "no container engine can be used here\n"
        f"  `{docker.program}` is here and does not answer: "
        "Cannot connect to the Docker daemon at unix:///run/docker.sock.\n"
        "  `podman` is not on PATH\n"
        "  hint: start Docker's daemon, or install podman"
    )
    assert refused(ContainerSettings(engine="docker")).startswith(
        "`docker` can't be used, which `[tool.lamella.container] engine` names\n"
    )


def test_no_engine_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refused() == (
        "no container engine can be used here\n"
        "  `docker` is not on PATH\n"
        "  `podman` is not on PATH\n"
        "  hint: install podman or docker"
    )
    assert "hint: install podman" in refused(ContainerSettings(engine="podman"))


def test_a_program_that_can_not_be_run_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "podman").write_text("#!/nowhere/at/all\n")
    (tmp_path / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert f"`{tmp_path}/podman` is here and does not answer: No such file or directory" in refused()
