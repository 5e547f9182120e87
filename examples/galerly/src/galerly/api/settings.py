"""What the API is told: its environment, over the defaults that travel with the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

DEFAULTS = Path(__file__).with_name("defaults.env")


@dataclass(frozen=True, slots=True)
class Settings:
    """`bucket` takes uploads, `upload_seconds` is how long an upload's address works.  Empty means: not set up."""

    bucket: str
    upload_seconds: int
    stripe_api_key: str = field(repr=False)


def load(environ: Mapping[str, str]) -> Settings:
    values = {**dotenv_values(DEFAULTS), **environ}
    return Settings(
        bucket=values["GALERLY_BUCKET"] or "",
        upload_seconds=int(values["GALERLY_UPLOAD_SECONDS"] or 0),
        stripe_api_key=values["STRIPE_API_KEY"] or "",
    )
