"""The authorizer, as it is built: whom it lets in, and that nothing else gets anybody past it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("spectra")]

SECRET = "a secret of more than thirty-two bytes, as HS256 wants it"
API_KEY = "a-key-that-is-long-and-random"
BASE = {
    "SPECTRA_API_KEYS": json.dumps({"acme": hashlib.sha256(API_KEY.encode()).hexdigest(), "../x": "0" * 64}),
    "SPECTRA_JWT_ISSUER": "https://issuer.example",
    "SPECTRA_JWT_AUDIENCE": "spectra",
    "SPECTRA_JWT_SECRET": SECRET,
}


def encoded(value: Any) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def claims(**changed: Any) -> dict[str, Any]:
    """Good ones, less those that are None."""
    now = int(time.time())
    given = {"iss": "https://issuer.example", "aud": "spectra", "exp": now + 600, "tenant": "acme", **changed}
    return {name: value for name, value in given.items() if value is not None}


def hs256(body: Mapping[str, Any], key: bytes = SECRET.encode(), **header: Any) -> str:
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT', **header})}.{encoded(body)}"
    return f"{signed}.{encoded(hmac.digest(key, signed.encode(), 'sha256'))}"


def rs256(body: Mapping[str, Any], key: rsa.RSAPrivateKey, kid: str) -> str:
    signed = f"{encoded({'alg': 'RS256', 'kid': kid})}.{encoded(body)}"
    return f"{signed}.{encoded(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def jwk(key: rsa.RSAPrivateKey, kid: str) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    n, e = (encoded(value.to_bytes((value.bit_length() + 7) // 8, "big")) for value in (numbers.n, numbers.e))
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": e}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


class Issuer:
    """`keys` is what it answers with, `later` from the second time on where there are some; `asked` how often."""

    def __init__(self) -> None:
        self.keys: list[dict[str, str]] = []
        self.later: list[dict[str, str]] = []
        self.asked = 0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                self.send_response(200)
                self.end_headers()
                keys = issuer.later if issuer.later and issuer.asked > 1 else issuer.keys
                self.wfile.write(json.dumps({"keys": keys}).encode())

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def decided(project: Path, event: Any, variables: Mapping[str, str] = BASE, repeat: int = 1) -> list[dict[str, Any]]:
    """What the built authorizer answers; it must not fail."""
    options = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    done = subprocess.run(
        [sys.executable, "-m", "lamella", "invoke", "authorizer", "--event", "-", "--json", "--repeat", str(repeat),
         *options],
        cwd=project, input=json.dumps(event), env={**os.environ, "NO_COLOR": "1"}, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return [invocation["payload"] for invocation in json.loads(done.stdout)["invocations"]]


def tenant(project: Path, headers: Mapping[str, str], variables: Mapping[str, str] = BASE) -> str | None:
    (answer,) = decided(project, {"version": "2.0", "headers": headers}, variables)
    assert answer["isAuthorized"] is bool(answer.get("context"))
    return dict(answer.get("context") or {}).get("tenant")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_an_api_key_and_tokens_of_both_kinds(project: Path, key: rsa.RSAPrivateKey) -> None:
    given = {**BASE, "SPECTRA_JWKS": json.dumps({"keys": [jwk(key, "one")]})}
    assert tenant(project, {"X-Api-Key": API_KEY}) == "acme"
    assert tenant(project, bearer(hs256(claims()))) == "acme"
    assert tenant(project, bearer(rs256(claims(tenant="globex"), key, "one")), given) == "globex"


def test_whom_it_does_not_know_stays_out(project: Path, key: rsa.RSAPrivateKey) -> None:
    now = int(time.time())
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    jwks = json.dumps({"keys": [jwk(key, "one")]})
    good = hs256(claims())
    events = {
        "nothing": {},
        "no headers": {"headers": None},
        "strange headers": {"headers": [1, 2]},
        "another key": {"headers": {"x-api-key": "guessed"}},
        "an empty key": {"headers": {"x-api-key": ""}},
        "both ways at once": {"headers": {"x-api-key": API_KEY, **bearer(good)}},
        "no scheme": {"headers": {"authorization": good}},
        "another scheme": {"headers": {"authorization": f"Basic {good}"}},
        "no token": {"headers": bearer("")},
        "three dots": {"headers": bearer("...")},
        "another secret": {"headers": bearer(hs256(claims(), b"x" * 40))},
        "changed": {"headers": bearer(good[:-4] + "AAAA")},
        "expired": {"headers": bearer(hs256(claims(exp=now - 600)))},
        "for ever": {"headers": bearer(hs256(claims(exp=None)))},
        "not yet": {"headers": bearer(hs256(claims(nbf=now + 600)))},
        "another audience": {"headers": bearer(hs256(claims(aud="other")))},
        "no audience": {"headers": bearer(hs256(claims(aud=None)))},
        "another issuer": {"headers": bearer(hs256(claims(iss="https://other.example")))},
        "no tenant": {"headers": bearer(hs256(claims(tenant=None)))},
        "a tenant that is a path": {"headers": bearer(hs256(claims(tenant="../globex")))},
        "none": {"headers": bearer(f"{encoded({'alg': 'none'})}.{encoded(claims())}.")},
        "the public key as a secret": {"headers": bearer(hs256(claims(), public, kid="one"))},
        "another id": {"headers": bearer(rs256(claims(), key, "two"))},
    }
    given = {**BASE, "SPECTRA_JWKS": jwks, "SPECTRA_JWT_SECRET": ""}
    for name, event in events.items():
        for variables in (BASE, given):
            (answer,) = decided(project, event, variables)
            assert answer["isAuthorized"] is False, name
            assert not answer.get("context"), name


def test_the_issuers_keys_are_kept_and_fetched_anew(project: Path, key: rsa.RSAPrivateKey, issuer: Issuer) -> None:
    variables = {**BASE, "SPECTRA_JWKS_URL": issuer.url}
    issuer.keys = [jwk(key, "new"), {"kty": "EC", "kid": "curve"}]
    event = {"headers": bearer(rs256(claims(), key, "new"))}
    answers = decided(project, event, variables, repeat=5)
    assert [answer["isAuthorized"] for answer in answers] == [True] * 5
    assert issuer.asked == 1
    # Strangers may name what keys they like: the issuer is asked once
    event = {"headers": bearer(rs256(claims(), key, "unknown"))}
    assert not any(answer["isAuthorized"] for answer in decided(project, event, variables, repeat=5))
    assert issuer.asked == 2


def test_a_key_that_came_later_is_found(project: Path, key: rsa.RSAPrivateKey, issuer: Issuer) -> None:
    variables = {**BASE, "SPECTRA_JWKS_URL": issuer.url, "SPECTRA_JWKS_PAUSE_SECONDS": "0"}
    issuer.keys = [jwk(rsa.generate_private_key(65537, 2048), "old")]
    issuer.later = [jwk(key, "new")]
    event = {"headers": bearer(rs256(claims(), key, "new"))}
    answers = decided(project, event, variables, repeat=3)
    assert [answer["isAuthorized"] for answer in answers] == [False, True, True]
    assert issuer.asked == 2


def test_nothing_configured_lets_nobody_in(project: Path) -> None:
    assert tenant(project, {"x-api-key": API_KEY}, {}) is None
    assert tenant(project, bearer(hs256(claims(), b"")), {}) is None
