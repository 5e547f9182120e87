"""User names and passwords for indexes, and URLs that are fit to be shown.

Credentials belong to an origin (scheme, host, port), as in uv: what was given for ``https://`` is never sent over
``http://``, nor to another host or port after a redirect.  Nobody is ever asked on a terminal.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from netrc import netrc

Origin = tuple[str, str, int | None]
PORTS = {"http": 80, "https": 443}


class Login(NamedTuple):
    """What a server is told.  The name may be empty, and so may the password."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Login(***)"


def split(url: str) -> tuple[str, str | None, str | None]:
    """``https://user:pass@host/`` as (``https://host/``, user, pass); None for what isn't there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, None, None
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None, None
    user, colon, password = userinfo.partition(":")
    bare = urlunsplit(parts._replace(netloc=host))
    return bare, unquote(user), unquote(password) if colon else None


def origin(url: str) -> Origin:
    """Scheme, host and port, in lower case, with the port that the scheme implies."""
    try:
        parts = urlsplit(url)
        return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme.lower())
    except ValueError:
        return "", url, None


class Credentials:
    """What is known about logins.  Threads may share one.

    `urls` are the indexes as configured, with or without a user part; `keyring` is ``disabled``, ``auto``,
    ``import`` or ``subprocess``; `netrc_path` is a netrc file, which need not be there.
    """

    def __init__(self, urls: Iterable[str], *, keyring: str = "disabled", netrc_path: str | None = None) -> None:
        self._known = [(bare, user, password) for bare, user, password in map(split, urls)]
        self._keyring = keyring
        self._netrc_path = netrc_path
        self._netrc: netrc | None = None
        self._asked: dict[Origin, Login | None] = {}
        self._lock = threading.Lock()

    def remember(self, url: str) -> str:
        """Keep the user part of a URL for its origin; the URL without it."""
        bare, user, password = split(url)
        # A lock may write the same login into each of a thousand URLs
        if user is not None and self.for_url(bare) != (user, password or ""):
            with self._lock:
                self._known.append((bare, user, password))
        return bare

    def for_url(self, url: str) -> Login | None:
        """From the configuration, from an earlier answer of the keyring, or from the netrc file, in this order."""
        found = self._configured(url)
        if found and found[2] is not None:
            return Login(found[1] or "", found[2])
        asked = self._asked.get(origin(url))
        if asked:
            return asked
        if login := self._from_netrc(origin(url)[1], found[1] if found else None):
            return login
        # A lone user name is a token for some indexes.
        return Login(found[1], "") if found and found[1] else None

    def from_keyring(self, url: str) -> Login | None:
        """What the keyring holds for the index that `url` is on, or for its host.  Asked once an origin."""
        if self._keyring == "disabled":
            return None
        with self._lock:
            key = origin(url)
            if key not in self._asked:
                found = self._configured(url)
                self._asked[key] = self._ask(found[0] if found else None, url, found[1] if found else None)
            return self._asked[key]

    def _configured(self, url: str) -> tuple[str, str | None, str | None] | None:
        same = [known for known in self._known if origin(known[0]) == origin(url)]
        # Of several indexes on one host the one with the longest common path, and one with a login before one without.
        return max(same, key=lambda known: (_common(known[0], url), known[1] is not None), default=None)

    def _from_netrc(self, host: str, user: str | None) -> Login | None:
        if self._netrc is None:
            self._netrc = _read_netrc(self._netrc_path)
        entry = self._netrc.authenticators(host)
        if entry is None or (user and entry[0] != user):
            return None
        return Login(entry[0], entry[2] or "")

    def _ask(self, index: str | None, url: str, user: str | None) -> Login | None:
        from unearth.auth import KeyringBaseProvider, KeyringCliProvider, KeyringModuleProvider

        providers: list[KeyringBaseProvider] = []
        if self._keyring in {"auto", "import"}:
            try:
                providers.append(KeyringModuleProvider())
            except Exception:  # a keyring that is broken is a keyring that isn't there
                providers.clear()
        if self._keyring in {"auto", "subprocess"} and not providers:
            from shutil import which

            if command := which("keyring"):
                providers.append(KeyringCliProvider(command))
        for provider in providers:
            for service in filter(None, (index, urlsplit(url).netloc)):
                try:
                    found = provider.get_auth_info(service, user)
                except Exception:  # backends raise what they like, and their text may hold secrets
                    continue
                if found:
                    return Login(*found)
        return None


def _common(index: str, url: str) -> int:
    mine, other = urlsplit(index).path.strip("/").split("/"), urlsplit(url).path.strip("/").split("/")
    same = 0
    for left, right in zip(mine, other, strict=False):
        if left != right:
            break
        same += 1
    return same


def _read_netrc(path: str | None) -> netrc:
    from netrc import NetrcParseError, netrc

    try:
        return netrc(path or "/dev/null")
    except (OSError, NetrcParseError, UnicodeDecodeError):
        return netrc("/dev/null")
