import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.container.engines import FakeEngine

from lamella.container.model import Engine, Work
from lamella.container.running import containerfile_of, run
from lamella.errors import OutsideError

WORK = Work("registry.example/build:1", "x86_64", ("COPY . /in", "RUN cp -r /in /result"), "/result", "/nowhere")


@pytest.fixture
def podman(tmp_path: Path) -> FakeEngine:
    return FakeEngine(tmp_path / "podman", "podman")


def engine(fake: FakeEngine, *options: str) -> Engine:
    return Engine(str(fake.answers["kind"]), fake.program, "5.0.1", "x86_64", options)


def test_the_last_stage_holds_nothing_but_the_result() -> None:
    assert containerfile_of(WORK) == (
        "FROM registry.example/build:1 AS work\n"
        "COPY . /in\n"
        "RUN cp -r /in /result\n"
        "FROM scratch\n"
        "COPY --from=work /result/ /\n"
    )


def test_a_build_brings_out_what_was_made(podman: FakeEngine, tmp_path: Path) -> None:
    work = WORK._replace(
        context=str(tmp_path), secrets=(("conf", "/secret/pip.conf"),), folders=(("links", "/some/wheels"),)
    )
    out = tmp_path / "new" / "out"
    run(engine(podman, "--isolation=chroot"), work, str(out))
    assert (out / "made").read_text() == "made"
    assert podman.containerfile == containerfile_of(work)
    (words,) = podman.builds
    assert words[:2] == ["build", "--file"]
    assert words[3:7] == ["--platform", "linux/amd64", "--output", f"type=local,dest={out}"]
    assert words[-6:] == [
        "--secret", "id=conf,src=/secret/pip.conf", "--build-context", "links=/some/wheels", "--isolation=chroot",
        str(tmp_path),
    ]  # fmt: skip


def test_podman_is_left_without_the_image_that_it_made(podman: FakeEngine, tmp_path: Path) -> None:
    run(engine(podman), WORK._replace(context=str(tmp_path)), str(tmp_path / "out"))
    assert podman.asked[-1] == ["image", "rm", "--force", "sha256:made"]


def test_docker_is_asked_for_plain_progress(tmp_path: Path) -> None:
    docker = FakeEngine(tmp_path / "docker", "docker")
    run(engine(docker), WORK._replace(context=str(tmp_path), architecture="arm64"), str(tmp_path / "out"))
    (words,) = docker.builds
    assert words[words.index("--progress") + 1] == "plain"
    assert words[words.index("--platform") + 1] == "linux/arm64"
    assert docker.asked == [words]


def test_every_line_is_said_and_the_last_ones_are_why(podman: FakeEngine, tmp_path: Path) -> None:
    podman.tell(said=[f"line {n}" for n in range(30)] + ["", "fetching https://me:secret@index.example/"], build=125)
    said: list[str] = []
    with pytest.raises(OutsideError) as caught:
        run(engine(podman), WORK._replace(context=str(tmp_path)), str(tmp_path / "out"), said.append)
    assert said == [*(f"line {n}" for n in range(30)), "fetching https://***@index.example/"]
    assert caught.value.what == "`podman build` failed with the image `registry.example/build:1`"
    assert caught.value.why == (*(f"line {n}" for n in range(11, 30)), "fetching https://***@index.example/")


def test_what_the_engine_repeats_of_its_steps_is_not_why(podman: FakeEngine, tmp_path: Path) -> None:
    podman.tell(
        said=[
            "[1/2] STEP 1/3: FROM registry.example/build:1 AS work",
            "[1/2] STEP 2/3: RUN sh /lamella/in/build.sh python3.12",
            "lamella: the image has no python3.12 with pip",
            "subprocess exited with status 1",
            'Error: building at STEP "RUN sh /lamella/in/build.sh python3.12": exit status 1',
        ],
        build=1,
    )
    with pytest.raises(OutsideError) as caught:
        run(engine(podman), WORK._replace(context=str(tmp_path)), str(tmp_path / "out"))
    assert caught.value.why == ("the image has no python3.12 with pip",)


def test_a_machine_without_emulation_is_told_so(podman: FakeEngine, tmp_path: Path) -> None:
    podman.tell(said=["STEP 1", "exec /bin/sh: exec format error"], build=1)
    with pytest.raises(OutsideError) as caught:
        run(engine(podman), WORK._replace(context=str(tmp_path), architecture="arm64"), str(tmp_path / "out"))
    assert caught.value.what == "podman can't run programs for arm64 on this machine, which is x86_64"
    assert caught.value.why == ("exec /bin/sh: exec format error",)
    assert "QEMU" in (caught.value.hint or "")


def interrupted_at(step: list[int]) -> Callable[[str], None]:
    def said(line: str) -> None:
        if found := re.fullmatch(r"step (\d+)", line):
            step.append(int(found[1]))
            raise KeyboardInterrupt

    return said


def test_an_interrupted_engine_tidies_up_and_nothing_of_it_goes_on(podman: FakeEngine, tmp_path: Path) -> None:
    podman.tell(endless=True)
    step: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        run(engine(podman), WORK._replace(context=str(tmp_path)), str(tmp_path / "out"), interrupted_at(step))
    assert (podman.folder / "tidied").read_text() == "-1"  # SIGHUP
    with pytest.raises(ProcessLookupError):
        os.kill(step[0], 0)
