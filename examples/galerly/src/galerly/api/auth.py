"""Sign-up, sign-in and sessions: scrypt for passwords, opaque tokens of which the table knows digests only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from functools import cache

from galerly.api import table
from galerly.api.http import Answer, RefusedError, Request, Routes
from galerly.api.settings import settings

routes = Routes()

# OWASP's Password Storage Cheat Sheet: N=2^15 with r=8 takes p=3; 32 MB of memory
COST = (2**15, 8, 3)
FAILURES, WINDOW = 10, 900  # so many wrong passwords for an address in so many seconds
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@routes("POST", "/v1/sign-up", anybody=True)
def sign_up(request: Request) -> Answer:
    """An account, signed in."""
    address, password = _address(request), _password(request)
    if len(password) < 10:
        raise RefusedError(422, "password has at least 10 characters")
    user = secrets.token_hex(10)
    login = {"pk": f"EMAIL#{address}", "sk": "LOGIN", "user": user, "password": digest(password)}
    account = {"pk": f"USER#{user}", "sk": "ACCOUNT", "email": address, "plan": "free", "created": table.now()}
    new = "attribute_not_exists(pk)"
    if table.together({"Put": {"Item": login, "ConditionExpression": new}}, {"Put": {"Item": account}}):
        raise RefusedError(409, "there is an account with this address")
    return _session(user, 201)


@routes("POST", "/v1/sign-in", anybody=True)
def sign_in(request: Request) -> Answer:
    address, password = _address(request), _password(request)
    window = table.now() // WINDOW
    over = (window + 1) * WINDOW
    tries = (f"EMAIL#{address}", f"FAILED#{window}", over)
    # Counted before it is looked at: a hundred at once are not a hundred guesses
    if not table.count(*tries, 1, below=FAILURES):
        after = str(max(over - table.now(), 1))
        raise RefusedError(429, "too many wrong passwords; try again later", {"retry-after": after})
    login = table.get(f"EMAIL#{address}", "LOGIN")
    # An address that nobody has takes as long as one whose password is wrong
    if not matches(password, login["password"] if login else _nobody()) or login is None:
        raise RefusedError(401, "address or password is wrong")
    table.count(*tries, -1, below=FAILURES + 1)
    return _session(login["user"], 200)


@routes("POST", "/v1/sign-out")
def sign_out(request: Request) -> Answer:
    table.delete(f"SESSION#{_hashed(_token(request))}", "SESSION")
    return Answer(204, None)


def user(request: Request) -> str:
    """Who asks, by the bearer token.  Raises RefusedError."""
    session = table.get(f"SESSION#{_hashed(_token(request))}", "SESSION")
    if session is None:
        raise RefusedError(
            401, "the session is over, or never was", {"www-authenticate": 'Bearer error="invalid_token"'}
        )
    return str(session["user"])


def digest(password: str) -> str:
    """`scrypt$N$r$p$salt$digest`: with its costs, so that they can be raised for new ones."""
    salt = secrets.token_bytes(16)
    return "$".join(("scrypt", *map(str, COST), _plain(salt), _plain(_scrypt(password, salt, *COST))))


def matches(password: str, kept: str) -> bool:
    _, n, r, p, salt, wanted = kept.split("$")
    given = _scrypt(password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(given, base64.b64decode(wanted))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # OpenSSL counts a little more than 128 * n * r bytes
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=132 * n * r + (1 << 20), dklen=32)


def _plain(data: bytes) -> str:
    return base64.b64encode(data).decode()


@cache
def _nobody() -> str:
    return digest(secrets.token_hex())


def _session(user: str, status: int) -> Answer:
    token, expires = secrets.token_urlsafe(32), table.now() + settings().session_seconds
    table.create({"pk": f"SESSION#{_hashed(token)}", "sk": "SESSION", "user": user, "expires": expires})
    return Answer(status, {"token": token, "expires": expires})


def _hashed(token: str) -> str:
    # No salt and no cost: a token has 256 bits of its own
    return hashlib.sha256(token.encode()).hexdigest()


def _token(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise RefusedError(401, "sign in first", {"www-authenticate": "Bearer"})
    return token.strip()


def _address(request: Request) -> str:
    address = request.text("email", 254).casefold()
    if not _ADDRESS.fullmatch(address):
        raise RefusedError(422, "email is no address")
    return address


def _password(request: Request) -> str:
    password = request.json().get("password")
    if not isinstance(password, str) or not password:
        raise RefusedError(422, "password is needed")
    if len(password) > 200:
        raise RefusedError(422, "password has more than 200 characters")
    try:
        password.encode()
    except UnicodeEncodeError:
        raise RefusedError(422, "password has characters that no text has") from None
    return password
