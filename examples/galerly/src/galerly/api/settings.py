"""What the API is told: its environment, over the defaults that travel with the code."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from dotenv import dotenv_values

DEFAULTS = Path(__file__).with_name("defaults.env")


@dataclass(frozen=True, slots=True)
class Settings:
    """Names and secrets that are empty are not set up: what needs them answers 503.  Times are in seconds."""

    bucket: str
    table: str
    upload_seconds: int
    view_seconds: int
    session_seconds: int
    free_bytes: int
    pro_bytes: int
    page: str
    stripe_api_base: str
    stripe_api_key: str = field(repr=False)
    stripe_webhook_secret: str = field(repr=False)


def load(environ: Mapping[str, str]) -> Settings:
    """Raises ValueError for a number that is none."""
    values = {name: value or "" for name, value in {**dotenv_values(DEFAULTS), **environ}.items()}

    def number(name: str) -> int:
        try:
            return int(values[name])
        except ValueError:
            raise ValueError(f"{name} is no number: {values[name]!r}") from None

    return Settings(
        bucket=values["GALERLY_BUCKET"],
        table=values["GALERLY_TABLE"],
        upload_seconds=number("GALERLY_UPLOAD_SECONDS"),
        view_seconds=number("GALERLY_VIEW_SECONDS"),
        session_seconds=number("GALERLY_SESSION_SECONDS"),
        free_bytes=number("GALERLY_FREE_BYTES"),
        pro_bytes=number("GALERLY_PRO_BYTES"),
        page=values["GALERLY_PAGE"],
        stripe_api_base=values["STRIPE_API_BASE"],
        stripe_api_key=values["STRIPE_API_KEY"],
        stripe_webhook_secret=values["STRIPE_WEBHOOK_SECRET"],
    )


@cache
def settings() -> Settings:
    return load(os.environ)
