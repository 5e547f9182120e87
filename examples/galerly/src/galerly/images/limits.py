"""What one upload may cost: bytes, pixels, seconds, memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

# What the interpreter, boto3 and the libraries themselves take of the function's memory
_OURSELVES = 300 << 20


class Limits(NamedTuple):
    """`memory` is in bytes, on top of what the process has when work begins."""

    bytes: int
    pixels: int
    seconds: float
    memory: int


def load(environ: Mapping[str, str]) -> Limits:
    """GALERLY_MAX_BYTES, …_PIXELS, …_SECONDS and …_MEMORY; without it, what the function was given."""
    function = int(environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")) << 20
    return Limits(
        int(environ.get("GALERLY_MAX_BYTES", 200_000_000)),
        int(environ.get("GALERLY_MAX_PIXELS", 120_000_000)),
        float(environ.get("GALERLY_MAX_SECONDS", 25)),
        int(environ.get("GALERLY_MAX_MEMORY", max(function - _OURSELVES, 128 << 20))),
    )


LIMITS = load(os.environ)
