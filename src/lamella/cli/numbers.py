"""Numbers on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable

# Longer ones are mistakes, and Python takes long to read very long ones
_DIGITS = 9


def positive(text: str) -> int:
    """A whole number from 1 on."""
    number = _whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is no number from 1 on")
    return number


def port(text: str) -> int:
    """A port; 0 for any that is free."""
    number = _whole(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"`{text}` is no port from 0 to 65535")
    return number


def whole(least: int, most: int, what: str) -> Callable[[str], int]:
    """A whole number of `what` from `least` to `most`."""

    def read(text: str) -> int:
        number = _whole(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"`{text}` is no number of {what} from {least} to {most}")
        return number

    return read


def seconds(most: int, *, zero: bool, why: str = "") -> Callable[[str], float]:
    """Seconds up to `most`, with fractions; 0 only with `zero`.  `why` is said of the limit."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = -1
        if not 0 <= number <= most or (number == 0 and not zero):
            span = f"from 0 to {most}" if zero else f"up to {most}"
            raise argparse.ArgumentTypeError(f"`{text}` is no number of seconds {span}{why}")
        return number

    return read


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else -1
