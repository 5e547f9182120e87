from __future__ import annotations

import pytest

from lamella.report.sizes import duration, megabytes


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (4234, "4.2 kB"),
        (76_203_326, "76.2 MB"),
        (5_000_000_000, "5000.0 MB"),
    ],
)
def test_bytes(count: int, shown: str) -> None:
    assert megabytes(count) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0.0, "0 ms"), (0.0123, "12 ms"), (1.0, "1.0 s"), (75.25, "75.2 s")])
def test_durations(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
