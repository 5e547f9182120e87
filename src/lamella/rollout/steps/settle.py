"""One write made safe: tried again where that is safe, looked after where nobody knows whether it took effect.

A write goes out once with each call of the port.  One that was refused for its rate had no effect, and is made again
after a wait that grows at random (AWS Architecture Blog, "Exponential backoff and jitter": full jitter).  One whose
answer was lost may have had its effect: what is there now decides.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from lamella.aws import BusyError, StaleError, ThrottledError, UnreachableError
from lamella.cloud.model import Clock
from lamella.errors import LamellaError, OutsideError

T = TypeVar("T")

TRIES = 8
# Of one wait at random, in seconds: the first at most, and any
_FIRST, _LONGEST = 0.5, 20.0
# Before the first look whether AWS is done, with few functions and with many, and at most, in seconds
_AT_ONCE, _SOON, _LATEST = 0.2, 1.0, 60.0
# Between the looks after it, at most, in seconds
_AGAIN = 5.0
# What becomes of the first wait where it was enough, and where it was not, at most: one slow update does not hold up
# all that follow
_LESS, _MORE = 0.995, 2.0
_FEW = 10


class UncertainError(OutsideError):
    """A write's answer was lost, and what is there could not be looked at either: it may have taken effect."""


class Chance(NamedTuple):
    """What a wait at random is made of: the clock, and what gives numbers from 0 to 1."""

    clock: Clock
    random: Callable[[], float] = random.random

    def pause(self, attempt: int) -> None:
        """Wait after the attempt number `attempt`, from 1 on."""
        self.clock.sleep(self.random() * min(_LONGEST, _FIRST * 2**attempt))


def settled(chance: Chance, write: Callable[[], T], look: Callable[[], T | None]) -> T:
    """What `write` gave.

    `look` says what is there: a value where that is what was meant, None where it is as before and `write` may be
    made again; it raises StaleError where it is neither.  Raises StaleError, where somebody else made the change, too;
    UncertainError; and what `write` raises.
    """
    uncertain = False
    last: LamellaError
    for attempt in range(1, TRIES + 1):
        try:
            return write()
        except ThrottledError as error:
            last = error
        except UnreachableError as error:
            last, uncertain = error, True
        except (BusyError, StaleError) as error:
            last = error
        except LamellaError as error:
            # A try before this one may have had its effect all the same
            raise (_uncertain(error) if uncertain else error) from None
        chance.pause(attempt)
        if isinstance(last, ThrottledError):
            continue
        found = _looked(chance, look, uncertain)
        if found is not None:
            if not uncertain and isinstance(last, StaleError):
                raise last
            return found
    raise (_uncertain(last) if uncertain else last) from None


def patient(chance: Chance, read: Callable[[], T]) -> T:
    """What `read` gives, asked again where no answer came: botocore has done so before, over a few seconds."""
    for attempt in range(1, TRIES):
        try:
            return read()
        except UnreachableError:
            chance.pause(attempt)
    return read()


def _looked(chance: Chance, look: Callable[[], T | None], uncertain: bool) -> T | None:
    try:
        return patient(chance, look)
    except StaleError:
        raise
    except LamellaError as error:
        raise (_uncertain(error) if uncertain else error) from None


def _uncertain(error: LamellaError) -> LamellaError:
    return UncertainError(error.what, why=error.why, hint=error.hint)


class Pace:
    """How long to wait before looking whether AWS is done: as long as it took lately, so that one look will do.

    `updates` of $LATEST and published `versions` take their own time each.  Threads may share one.
    """

    def __init__(self, functions: int = 1) -> None:
        self.updates = Waits(functions)
        self.versions = Waits(functions)


class Waits:
    """The waits of one kind of thing, in seconds.

    With few functions nobody minds a call more: they are looked at soon.
    """

    def __init__(self, functions: int = 1) -> None:
        self._soonest = _SOON if functions > _FEW else _AT_ONCE
        self._first = self._soonest
        self._learnt = False

    def each(self) -> Iterator[float]:
        """The waits before each look, without end."""
        wait = self._first
        yield wait
        wait = max(_AT_ONCE, min(_AGAIN, wait / 2))
        while True:
            yield wait
            wait = min(_AGAIN, wait * 1.5)

    def took(self, seconds: float, looks: int) -> None:
        """It was done at the look number `looks`, from 1 on, after so long."""
        if looks > 1:
            most = self._first * _MORE if self._learnt else _LATEST
            self._first = min(_LATEST, most, max(self._first, seconds))
            self._learnt = True
        else:
            self._first = max(self._soonest, self._first * _LESS)
