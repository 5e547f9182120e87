"""A log as it comes: polled, no event twice, and none lost that comes late."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lamella.aws import NotThereError, UnreachableError
from lamella.cloud.model import Clock, LogEvent, Logs
from lamella.errors import LamellaError

EVERY = 2.0  # seconds
# Events of several environments come out of order; what is older than this when it comes is not shown any more
OVERLAP = 60.0  # seconds
# AWS answers nobody whose clock is further off: fifteen minutes (S3), five (the rest of Signature Version 4)
SKEW = 900.0  # seconds


def followed(
    logs: Logs,
    clock: Clock,
    group: str,
    start: float,
    words: str = "",
    trouble: Callable[[LamellaError], None] | None = None,
) -> Iterator[LogEvent]:
    """The events from `start` (seconds of the epoch) on, and then for ever what comes, each once.

    Each look begins a little before the newest event that there was: by AWS's time, whatever the clock here says.  A
    group that isn't there yet is waited for.  `trouble` is told when AWS doesn't answer, once for each time; what AWS
    refuses is raised.
    """
    first = int(start * 1000)  # milliseconds, as all that is compared here
    seen: dict[str, int] = {}
    troubled = False
    while True:
        now = int(clock.now() * 1000)
        newest = 0
        try:
            for event in logs.events(group, first, None, words):
                if event.time <= now:  # a function may write any time into its JSON: not one that is yet to come
                    newest = max(newest, event.time)
                if event.id not in seen:
                    seen[event.id] = event.time
                    yield event
            troubled = False
            # Where nothing comes, looks must not grow for ever: so far back no clock that AWS takes is off
            first = max(first, newest - int(OVERLAP * 1000), now - int((OVERLAP + SKEW) * 1000))
            seen = {name: time for name, time in seen.items() if time >= first}
        except (NotThereError, UnreachableError) as error:
            if not troubled and trouble is not None:
                trouble(error)
            troubled = True
        clock.sleep(EVERY)
