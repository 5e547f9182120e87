from __future__ import annotations

from pathlib import Path

import pytest
from tests.runtime.conftest import asked, launch_of

from lamella.runtime.logs import Lines
from lamella.runtime.outcome import Outcome, exited, result

MEGABYTE = 1024**2


@pytest.mark.parametrize(
    ("used", "told"), [(0, 0), (1, 1), (60 * MEGABYTE, 60), (128 * MEGABYTE, 128), (128 * MEGABYTE + 1, 128)]
)
def test_no_more_is_reported_than_the_function_has(tmp_path: Path, used: int, told: int) -> None:
    launch = launch_of(tmp_path, None, "", memory=128)
    done = result(Outcome(b"1", ""), asked(), Lines(None), launch, "path-only", duration=1, init=None, used=used)
    assert done.report.used == told
    assert f"Max Memory Used: {told} MB" in done.log.decode()


def test_one_that_had_too_much_used_all_of_it(tmp_path: Path) -> None:
    launch = launch_of(tmp_path, None, "", memory=128)
    outcome = exited(asked(), 137, exceeded=True)
    done = result(outcome, asked(), Lines(None), launch, "path-only", duration=1, init=None, used=MEGABYTE)
    assert (done.report.used, done.report.status) == (128, "error")
