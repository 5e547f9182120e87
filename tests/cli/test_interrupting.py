from __future__ import annotations

import signal
import threading

import pytest

from lamella.cli.interrupting import interruptible
from lamella.rollout.steps.stopping import Stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_asks_and_the_second_ends_it(number: signal.Signals, capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(number)
    stop = Stop()
    said = []

    def twice() -> None:
        with interruptible(stop):
            signal.raise_signal(number)
            assert stop.asked.is_set()
            said.append(capfd.readouterr().err)
            signal.raise_signal(number)

    with pytest.raises(KeyboardInterrupt):
        twice()
    assert "what was changed is put back" in said[0]
    assert "the next `lamella deploy` goes on from here" in capfd.readouterr().err
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
