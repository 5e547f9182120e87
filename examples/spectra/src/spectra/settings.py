"""What the functions are told by their environment (SPECTRA_…)."""

from __future__ import annotations

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """`api_key_sha256` is the hex digest of the one key that may call; `bucket` takes results."""

    model_config = SettingsConfigDict(env_prefix="SPECTRA_")

    bucket: str = ""
    api_key_sha256: SecretStr = SecretStr("")
    row_limit: int = 1000
