"""A deploy that is stopped, and then not even goes back."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.rollout.scene import Scene

from lamella.config.model import Smoke
from lamella.rollout.steps.stopping import Stop


class Listener(list[str]):
    """Takes lines; where one has a word, it asks `stop`, or abandons the rollout."""

    def __init__(self, stop: Stop, ask: str, abandon: str) -> None:
        self._stop, self._ask, self._abandon = stop, ask, abandon

    def append(self, line: str) -> None:
        super().append(line)
        if self._ask in line:
            self._stop.asked.set()
        if self._abandon in line:
            self._stop.abandon()


@pytest.mark.parametrize("abandon", ["`api`: version 2", "put back: "])
@pytest.mark.parametrize("workers", [1, 4])
def test_what_is_abandoned_is_left_to_the_next_run(tmp_path: Path, abandon: str, workers: int) -> None:
    scene = Scene(tmp_path, smoke=(Smoke("one", status=200),))
    stop = Stop()
    scene.told = Listener(stop, "`api`: version 2", abandon)
    outcome = scene.deploy(workers=workers, stop=stop)
    assert [one.what for one in outcome.failures] == ["stopped, as was asked for"]
    assert outcome.remains[0].startswith("the deploy was stopped amid a change, and not all was put back")
    assert scene.journal().read().unfinished is not None
    assert scene.release() != 2
    back = sum(line.startswith("put back: ") for line in scene.told)
    assert back <= (workers if abandon.startswith("put") else 0)
    scene.told = []
    assert scene.deploy().failures == ()
    assert scene.release() == 2
