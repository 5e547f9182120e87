"""A socket that listens, or a refusal that says what to do."""

from __future__ import annotations

import errno
import os
import socket

from lamella.errors import UsageError

LOOPBACK = "127.0.0.1"
BACKLOG = 1024
_EVERYWHERE = {"0.0.0.0": LOOPBACK, "::": "::1"}


def listening(host: str, port: int) -> socket.socket:
    """A socket that is bound to a port of `host`, by its first address; IPv4 goes before IPv6.

    Raises UsageError.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError, OverflowError) as error:
        raise UsageError(
            f"there is no host `{host}` to listen on",
            why=[getattr(error, "strerror", None) or str(error)],
            hint=f"leave `--host` out: {LOOPBACK} is this machine alone, 0.0.0.0 all that reach it",
        ) from None
    found.sort(key=lambda one: one[0] != socket.AF_INET)
    family, kind, _, _, address = found[0]
    # With the protocol named, for asyncio turns Nagle's algorithm off only on sockets that say they are TCP
    bound = socket.socket(family, kind, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise refused(host, port, error) from None
    return bound


def refused(host: str, port: int, error: OSError) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(
            f"port {port} of `{host}` is in use",
            hint="end what listens there, or give another one by `--port`; `--port 0` takes a free one",
        )
    if error.errno == errno.EACCES:
        return UsageError(
            f"port {port} is one that only root may listen on", hint="give `--port` a number from 1024 to 65535"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return UsageError(
            f"`{host}` is no address of this machine",
            hint=f"leave `--host` out: {LOOPBACK} is this machine alone, 0.0.0.0 all that reach it",
        )
    return UsageError(f"port {port} of `{host}` can't be listened on", why=[os.strerror(error.errno or 0)])


def url_of(listener: socket.socket) -> str:
    """Where clients on this machine reach it."""
    address, port = listener.getsockname()[:2]
    address = _EVERYWHERE.get(address, address)
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
