"""A log as it comes: polled, no event twice, and none lost that comes late."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lamella.aws import NotThereError, UnreachableError
from lamella.cloud.model import Clock, LogEvent, Logs
from lamella.errors import LamellaError

EVERY = 2.0  # seconds
# Events of several environments come out of order; what is older than this when it comes is not shown any more
OVERLAP = 60.0  # seconds


def followed(
    logs: Logs,
    clock: Clock,
    group: str,
    start: float,
    words: str = "",
    trouble: Callable[[LamellaError], None] | None = None,
) -> Iterator[LogEvent]:
    """The events from `start` (seconds of the epoch) on, and then for ever what comes, each once.

    A group that isn't there yet is waited for.  `trouble` is told when AWS doesn't answer, once for each time; what AWS
    refuses is raised.
    """
    seen: dict[str, int] = {}
    troubled = False
    while True:
        asked = clock.now()
        try:
            for event in logs.events(group, int(start * 1000), None, words):
                if event.id not in seen:
                    seen[event.id] = event.time
                    yield event
            troubled = False
            start = max(start, asked - OVERLAP)
            seen = {name: time for name, time in seen.items() if time >= start * 1000}
        except (NotThereError, UnreachableError) as error:
            if not troubled and trouble is not None:
                trouble(error)
            troubled = True
        clock.sleep(EVERY)
