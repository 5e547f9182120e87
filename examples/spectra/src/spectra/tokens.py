"""Who a bearer token or an API key stands for: a tenant, or nobody."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import jwt
from jwt.algorithms import RSAAlgorithm

from spectra.settings import AuthorizerSettings

# A tenant's name becomes part of S3's keys
_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LEEWAY = 30  # seconds that clocks may differ by
KEPT = 600.0  # seconds that a set of keys is taken as it is
PATIENCE = 3.0


class Keys:
    """A JWKS (RFC 7517), given or fetched: kept for a while, fetched anew once a token names a key that it lacks."""

    def __init__(self, settings: AuthorizerSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._url, self._pause, self._clock = settings.jwks_url, settings.jwks_pause_seconds, clock
        self._keys = _rsa_keys(json.loads(settings.jwks)) if settings.jwks else {}
        self._fetched: float | None = None

    @property
    def configured(self) -> bool:
        return bool(self._url or self._keys)

    def find(self, name: str) -> Any:
        """The public key of the id, or None."""
        age = float("inf") if self._fetched is None else self._clock() - self._fetched
        if self._url and (age > KEPT or (name not in self._keys and age > self._pause)):
            self._fetch()
        return self._keys.get(name)

    def _fetch(self) -> None:
        """What was there stays where the issuer can't be reached: its tokens are as good as they were."""
        self._fetched = self._clock()
        try:
            with urllib.request.urlopen(self._url, timeout=PATIENCE) as answer:
                self._keys = _rsa_keys(json.load(answer))
        except (OSError, ValueError):
            return


class Tenants:
    """Of one configuration."""

    def __init__(self, settings: AuthorizerSettings) -> None:
        self._settings, self._keys = settings, Keys(settings)

    def of(self, headers: Mapping[str, str]) -> str | None:
        """Whose request it is.  Two ways to say so at once are none."""
        bearer, api_key = headers.get("authorization"), headers.get("x-api-key")
        if bearer is not None and api_key is not None:
            return None
        if api_key is not None:
            return self.of_key(api_key)
        scheme, _, token = (bearer or "").partition(" ")
        return self.of_token(token.strip()) if scheme.lower() == "bearer" else None

    def of_key(self, key: str) -> str | None:
        """Keys are long and random, so a fast digest keeps them; each is compared, so that time tells nothing."""
        given = hashlib.sha256(key.encode()).hexdigest()
        known = [name for name, digest in self._settings.api_keys.items() if hmac.compare_digest(given, digest)]
        return _tenant(known[0]) if key and known else None

    def of_token(self, token: str) -> str | None:
        """A JWT (RFC 7519), signed by HS256 or RS256.

        The key follows from the algorithm, and an algorithm without a configured key is refused: a public key never
        becomes HS256's secret, and there is no `none`.
        """
        settings = self._settings
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            key = self._key(algorithm, header.get("kid"))
            if key is None or not settings.jwt_issuer or not settings.jwt_audience:
                return None
            claims = jwt.decode(
                token, key, algorithms=[str(algorithm)], audience=settings.jwt_audience, issuer=settings.jwt_issuer,
                leeway=LEEWAY, options={"require": ["exp", "aud", "iss"]},
            )  # fmt: skip
        except (jwt.PyJWTError, ValueError):
            return None
        return _tenant(claims.get(settings.jwt_tenant_claim))

    def _key(self, algorithm: object, name: object) -> Any:
        if algorithm == "HS256":
            return self._settings.jwt_secret.get_secret_value() or None
        if algorithm == "RS256" and isinstance(name, str):
            return self._keys.find(name)
        return None


def _tenant(name: object) -> str | None:
    return name if isinstance(name, str) and _TENANT.fullmatch(name) else None


def _rsa_keys(document: Any) -> dict[str, Any]:
    """The set's keys that RS256 verifies with, by their ids.  Raises ValueError for what is no JWKS."""
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("this is no JWKS")
    found = {}
    for row in document["keys"]:
        usable = isinstance(row, dict) and row.get("kty") == "RSA" and row.get("use", "sig") == "sig"
        if usable and row.get("alg", "RS256") == "RS256" and isinstance(row.get("kid"), str):
            try:
                key = RSAAlgorithm.from_jwk(row)
            except (jwt.PyJWTError, ValueError):
                continue
            if key.key_size >= 2048:
                found[row["kid"]] = key
    return found
