from __future__ import annotations

import threading

from lamella.endpoint.later import Later


def test_what_is_due_first_is_called_first() -> None:
    later = Later()
    called: list[str] = []
    done = threading.Event()
    ready = threading.Event()
    later(0, lambda: assert_waited(ready))  # holds the thread until all are in
    later(0.03, done.set)
    later(0.02, lambda: called.append("second"))
    later(0.01, lambda: called.append("first"))
    ready.set()
    assert done.wait(20)
    later.close()
    assert called == ["first", "second"]


def test_what_is_not_due_at_the_end_is_forgotten() -> None:
    before = threading.active_count()
    later = Later()
    called: list[int] = []
    later(3600, lambda: called.append(1))
    later.close()
    later(0, lambda: called.append(2))
    assert called == []
    assert threading.active_count() == before


def test_one_that_was_never_used_has_no_thread() -> None:
    before = threading.active_count()
    later = Later()
    assert threading.active_count() == before
    later.close()


def assert_waited(event: threading.Event) -> None:
    assert event.wait(20)
