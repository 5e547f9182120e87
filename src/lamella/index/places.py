"""Addresses in settings that nothing could be asked under: found where they stand, before anything is asked.

Sources: RFC 3986 for the parts of a URL, RFC 1035 for the length of a host's labels.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from lamella.errors import ConfigError
from lamella.wording import redacted

_LABEL = 63  # characters between two dots


def checked(url: str, source: str) -> str:
    """The URL, which `source` (a variable or a file) names.  Raises ConfigError when it can't be asked."""
    problem = _problem(url)
    if problem:
        raise ConfigError(
            f"`{redacted(url)}` in `{source}` is no address that can be asked",
            why=[problem],
            hint="in a user name or password write `%2F` for `/`, `%40` for `@`, `%5B` for `[`"
            if "@" in url
            else f"correct it in `{source}`",
        )
    return url


def checked_host(host: str, source: str) -> str:
    """As `checked`, for ``host`` or ``host:port``."""
    if "://" not in host and (problem := _problem(f"https://{host}")):
        raise ConfigError(f"`{host}` in `{source}` is no host", why=[problem], hint=f"correct it in `{source}`")
    return host


def _problem(url: str) -> str | None:
    """Why nothing can be asked under the URL.  In words of our own: those of the library may hold the password."""
    try:
        url.encode()
    except UnicodeEncodeError:
        return "it has bytes that are no UTF-8"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "its host can't be read"
    try:
        _ = parts.port
    except ValueError:
        return "its port is no number up to 65535"
    if not host:
        return "it names no host" if parts.scheme in {"http", "https"} else None
    # Others are converted first, which the HTTP library does, and says where it can't
    if host.isascii() and not all(0 < len(label) <= _LABEL for label in host.removesuffix(".").split(".")):
        return f"a part of its host between dots is empty or longer than {_LABEL} characters"
    return None
