"""What the functions are told by their environment (SPECTRA_…)."""

from __future__ import annotations

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Of the API and the worker.

    Jobs are in `table`, their messages in the queue at `queue_url`, their results in `bucket`.  A query answers up to
    `row_limit` rows.  A worker renews its lease of a job every `renew_seconds`, and so sees within them that it was
    cancelled.
    """

    model_config = SettingsConfigDict(env_prefix="SPECTRA_")

    bucket: str = ""
    table: str = ""
    queue_url: str = ""
    renew_seconds: float = 5.0
    row_limit: int = 1000


class AuthorizerSettings(BaseSettings):
    """`api_keys` has by each tenant's name the hex digest (SHA-256) of its API key, which is long and random.

    Tokens are taken of `jwt_issuer` for `jwt_audience`: by HS256 with `jwt_secret`, by RS256 with the keys of `jwks`
    (the JSON itself) or at `jwks_url`, which is asked for a key that it lacked every `jwks_pause_seconds` at most:
    strangers name keys, too.  What is not configured lets nobody in.
    """

    model_config = SettingsConfigDict(env_prefix="SPECTRA_")

    api_keys: dict[str, str] = {}
    jwt_issuer: str = ""
    jwt_audience: str = ""
    jwt_tenant_claim: str = "tenant"
    jwt_secret: SecretStr = SecretStr("")
    jwks: str = ""
    jwks_url: str = ""
    jwks_pause_seconds: float = 30.0
