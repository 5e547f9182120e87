from __future__ import annotations

import signal
import threading

import pytest

from lamella.cli.interrupting import interruptible
from lamella.rollout.steps.stopping import Stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_takes_back_and_the_second_does_not(
    number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)
    stop = Stop()
    with interruptible(stop):
        signal.raise_signal(number)
        assert stop.asked.is_set()
        assert not stop.abandoned.is_set()
        assert "what was changed is put back" in capfd.readouterr().err
        signal.raise_signal(number)
        assert stop.abandoned.is_set()
        assert "the next `lamella deploy` goes on from there" in capfd.readouterr().err
    assert signal.getsignal(number) is before


def test_in_another_thread_signals_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def run() -> None:
        with interruptible(Stop()):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]
