"""From the sources to an alias that users meet; a layer without rawpy, which takes itself back; and forward again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.journeys.example_rollouts import Rollout, digests, exported, rolled_out

FUNCTIONS = {"galerly-api", "image-processor"}
PACKAGES = '["numpy", "pillow", "pillow-heif", "rawpy"]'
READY = "RAW format support: ENABLED"


@pytest.fixture(scope="module")
def rollout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rollout]:
    """Galerly, built; in AWS are its functions with old code, no layer and no alias."""
    with rolled_out("galerly", tmp_path_factory.mktemp("deploy")) as made:
        made.lamella("build")
        made.found({})
        yield made


def test_what_was_built_passes_every_check_and_answers_here(rollout: Rollout) -> None:
    assert set(rollout.manifest["functions"]) == FUNCTIONS
    assert rollout.manifest["functions"]["galerly-api"]["name"] == "galerly-api-prod"
    said = rollout.lamella("check")
    assert "Layer size OK: " in said
    said = rollout.lamella("invoke", "image-processor", "--event", "events/thumbnail.json")
    for line in ("rawpy", "Pillow", "pillow-heif"):
        assert f"{line} imported successfully" in said
    assert READY in said


def test_a_good_release_a_layer_without_rawpy_and_the_next_good_one(rollout: Rollout) -> None:
    rollout.lamella("build")
    rollout.lamella("plan", "--detailed-exitcode", status=2)
    rollout.lamella("deploy", "--auto-approve")
    first = rollout.live()
    assert {key: sha256 for key, (_, sha256, _) in first.items()} == digests(rollout.manifest, FUNCTIONS)
    assert first["image-processor"][2] == ("galerly-image-processing:1",)
    assert first["galerly-api"][2] == (), "it has what it needs in its own zip"
    rollout.lamella("verify")
    rollout.lamella("plan", "--detailed-exitcode")

    # What ended this project's deployments: nothing fails, and every RAW is refused
    pyproject = (rollout.root / "pyproject.toml").read_text()
    without = PACKAGES.replace(', "rawpy"', "")
    rollout.edit("pyproject.toml", f"packages = {PACKAGES}", f"packages = {without}")
    rollout.lamella("build")
    said = rollout.lamella("deploy", "--auto-approve", status=1)
    assert READY in said, "the smoke check says which line it missed"
    assert rollout.live() == first, "what users meet is as it was"
    assert rollout.lamella("status").count("live")

    (rollout.root / "pyproject.toml").write_text(pyproject)
    processor = rollout.root / "src/galerly/images/processor.py"
    processor.write_text(processor.read_text() + "\n# mended\n")
    rollout.lamella("build")
    rollout.lamella("deploy", "--auto-approve")
    then = rollout.live()
    assert {key for key in FUNCTIONS if then[key] != first[key]} == {"image-processor"}
    assert then["image-processor"][2] == first["image-processor"][2], "the good layer was there already"
    rollout.lamella("rollback", "--auto-approve", "image-processor")
    assert rollout.live()["image-processor"][1:] == first["image-processor"][1:]


def test_the_workflow_and_the_targets_of_make_are_what_lamella_writes() -> None:
    exported("galerly", "github-actions", ".github/workflows/lambda.yml")
    exported("galerly", "make", "lamella.mk")
