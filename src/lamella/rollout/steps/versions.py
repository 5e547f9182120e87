"""Which versions of functions are new: AWS gives the last one again where nothing changed since it was published."""

from __future__ import annotations

import math
from datetime import datetime

from lamella.rollout.steps.turn import Turned

# AWS takes no request of a clock that is further off, in seconds (IAM User Guide: troubleshooting signed requests)
_SKEW = 300.0


def was_there(turned: Turned, started: float) -> bool:
    """Whether AWS had the version before the rollout, which `started` then, in seconds since 1970."""
    alias, got = turned.change.alias, turned.got
    if alias is not None and alias.version == got.version:
        return True
    before = _seconds(turned.change.observed.modified, 0.0)
    return _seconds(got.modified, math.inf) < max(before, started - _SKEW)


def _seconds(moment: str, otherwise: float) -> float:
    """A time of AWS's since 1970; `otherwise` for what is none."""
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return otherwise
