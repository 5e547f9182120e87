"""From the sources to an alias that users meet, and back where a release is bad: by the command, nothing imported."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.journeys.example_rollouts import Rollout, digests, exported, rolled_out

FUNCTIONS = {"api-handler", "worker", "authorizer"}


@pytest.fixture(scope="module")
def rollout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rollout]:
    """Spectra, built; in AWS are its functions with old code, no layer and no alias."""
    with rolled_out("spectra", tmp_path_factory.mktemp("deploy")) as made:
        made.lamella("build")
        made.found({})
        yield made


def test_what_was_built_passes_every_check_and_answers_here(rollout: Rollout) -> None:
    assert set(rollout.manifest["functions"]) == FUNCTIONS
    said = rollout.lamella("check")
    assert "Layer size OK: " in said
    assert '"status": "ok"' in rollout.lamella("invoke", "api-handler", "--event", "events/health.json").replace(
        '\\"', '"'
    ).replace('":"', '": "')


def test_a_good_release_a_bad_one_and_the_next_good_one(rollout: Rollout) -> None:
    rollout.lamella("build")
    assert rollout.live() == {}
    rollout.lamella("plan", "--detailed-exitcode", status=2)
    rollout.lamella("deploy", "--auto-approve")
    first = rollout.live()
    assert {key: sha256 for key, (_, sha256, _) in first.items()} == digests(rollout.manifest, FUNCTIONS)
    assert {layers for _, _, layers in first.values()} == {("spectra-dependencies:1",)}
    assert rollout.lamella("verify")
    health = rollout.invoke("api-handler", rollout.event("events/health.json"))
    assert health["statusCode"] == 200
    rollout.lamella("plan", "--detailed-exitcode")

    # A handler that raises: nobody imports it here, so only its smoke event can tell
    worker = (rollout.root / "src/spectra/handlers/worker.py").read_text()
    broken = worker + '\n\ndef handler(event, context):\n    raise RuntimeError("broken on purpose")\n'
    (rollout.root / "src/spectra/handlers/worker.py").write_text(broken)
    rollout.lamella("build")
    assert rollout.lamella("plan", "--detailed-exitcode", status=2).count("worker")
    said = rollout.lamella("deploy", "--auto-approve", status=1)
    assert "broken on purpose" in said
    assert rollout.live() == first, "what users meet is as it was"
    assert rollout.invoke("api-handler", rollout.event("events/health.json"))["statusCode"] == 200

    # The next good one has one function to change
    (rollout.root / "src/spectra/handlers/worker.py").write_text(worker + "\n# mended\n")
    rollout.lamella("build")
    rollout.lamella("deploy", "--auto-approve")
    then = rollout.live()
    assert {key for key in FUNCTIONS if then[key] != first[key]} == {"worker"}
    assert then["worker"][1] == rollout.manifest["functions"]["worker"]["code_sha256"]
    rollout.lamella("rollback", "--auto-approve", "worker")
    assert rollout.live()["worker"][1:] == first["worker"][1:]


def test_the_workflow_and_the_targets_of_make_are_what_lamella_writes() -> None:
    exported("spectra", "github-actions", ".github/workflows/lambda.yml")
    exported("spectra", "make", "lamella.mk")
