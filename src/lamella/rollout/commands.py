"""Commands as they are named in hints: for the very place that they are about."""

from __future__ import annotations

import shlex

from lamella.cloud.model import Place


def command(place: Place, *words: str) -> str:
    """```lamella rollback api --env prod --region eu-west-1```, in backticks."""
    where = ["--env", place.environment] if place.environment else []
    where += ["--region", place.region] if place.region else []
    return f"`{shlex.join(['lamella', *words, *where])}`"
