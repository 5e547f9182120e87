"""Loaded by the process that deploys are forked from: what every one of them needs, made once."""

from __future__ import annotations

import os

from tests.journeys.rollouts import way

if os.environ.get("AWS_ENDPOINT_URL"):
    way(os.environ["AWS_ENDPOINT_URL"])
