"""Loaded by the process that deploys are forked from: what every one of them needs, made once."""

from __future__ import annotations

import gc
import os

from botocore.client import BaseClient  # type: ignore[import-untyped]
from tests.journeys.rollouts import way

if os.environ.get("AWS_ENDPOINT_URL"):
    way(os.environ["AWS_ENDPOINT_URL"])
    for held in gc.get_objects():
        if isinstance(held, BaseClient):
            held.close()  # an open connection would be that of every process that is forked
