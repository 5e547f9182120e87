from pathlib import Path

import pytest
from tests.container.engines import IDENTITY, FakeEngine

from lamella.container.images import identity, image_of, pinned
from lamella.container.model import ContainerSettings, Engine
from lamella.errors import ConfigError, OutsideError

IMAGE = "registry.example/build:1"
BY_DIGEST = f"registry.example/build@sha256:{'ab' * 32}"


@pytest.fixture
def podman(tmp_path: Path) -> FakeEngine:
    return FakeEngine(tmp_path / "podman", "podman")


def engine(fake: FakeEngine) -> Engine:
    return Engine("podman", fake.program, "5.0.1", "x86_64")


def test_aws_own_images_unless_others_are_configured() -> None:
    settings = ContainerSettings(build_images=(("python3.12", "build.example/own:{architecture}"),))
    assert image_of(settings, "build", "python3.12", "arm64") == "build.example/own:arm64"
    assert image_of(settings, "build", "python3.11", "arm64") == "public.ecr.aws/sam/build-python3.11:latest-arm64"
    assert image_of(settings, "run", "python3.12", "x86_64") == "public.ecr.aws/lambda/python:3.12-x86_64"


def test_a_runtime_of_which_no_image_is_known() -> None:
    with pytest.raises(ConfigError) as caught:
        image_of(ContainerSettings(), "build", "python3.15", "x86_64")
    assert str(caught.value) == (
        "no build image of python3.15 is known\n"
        '  hint: name one: `[tool.lamella.container] build-image = { "python3.15" = "…" }`'
    )


def test_a_reference_by_digest_is_itself(podman: FakeEngine) -> None:
    assert pinned(BY_DIGEST) == identity(engine(podman), BY_DIGEST, "x86_64") == f"sha256:{'ab' * 32}"
    assert pinned(IMAGE) is None
    assert podman.asked == []


@pytest.mark.parametrize("prefix", ["", "sha256:"])
def test_an_image_that_is_here_is_not_pulled(podman: FakeEngine, prefix: str) -> None:
    podman.tell(images={IMAGE: f"{prefix}{IDENTITY} amd64"})
    assert identity(engine(podman), IMAGE, "x86_64") == f"sha256:{IDENTITY}"
    assert [words[0] for words in podman.asked] == ["image"]


def test_one_that_is_not_here_or_for_another_architecture_is_pulled(podman: FakeEngine) -> None:
    podman.tell(registry={IMAGE: f"{IDENTITY} arm64"}, images={IMAGE: f"{'00' * 32} amd64"})
    said: list[str] = []
    assert identity(engine(podman), IMAGE, "arm64", said.append) == f"sha256:{IDENTITY}"
    assert ["pull", "--platform", "linux/arm64", IMAGE] in podman.asked
    assert said == [f"lamella: pulling {IMAGE}", "pulled"]


def test_a_failed_pull(podman: FakeEngine) -> None:
    with pytest.raises(OutsideError) as caught:
        identity(engine(podman), IMAGE, "x86_64")
    assert str(caught.value) == (
        f"`podman pull {IMAGE}` failed\n"
        "  Error: no such manifest\n"
        "  hint: check the reference, the network, and whether the registry wants a login"
    )


def test_a_failed_pull_beside_an_image_for_another_architecture(podman: FakeEngine) -> None:
    podman.tell(images={IMAGE: f"{IDENTITY} amd64"})
    with pytest.raises(OutsideError) as caught:
        identity(engine(podman), IMAGE, "arm64")
    assert caught.value.why[0] == "the image of that name that is here is for x86_64, not for arm64"


def test_an_image_that_is_for_another_architecture_wherever_it_is(podman: FakeEngine) -> None:
    podman.tell(registry={IMAGE: f"{IDENTITY} amd64"})
    with pytest.raises(OutsideError, match=f"`{IMAGE}` is an image for x86_64, not for arm64"):
        identity(engine(podman), IMAGE, "arm64")
