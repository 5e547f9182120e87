"""From the user's settings to a client of the HTTP library: certificates, proxies, trusted hosts, limits."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lamella import __version__
from lamella.errors import ConfigError
from lamella.wording import scrubbed

if TYPE_CHECKING:
    import ssl
    from logging import LogRecord

    from httpx2 import BaseTransport, Limits
    from unearth.fetchers.sync import PyPIClient

    from lamella.index.settings import IndexSettings

CONNECTIONS = 16
CONNECT_TIMEOUT = 10.0  # seconds, uv's
# Those that write whole URLs; a filter holds for its own logger only
_LOGGERS = (
    "httpx2",
    "httpcore2.connection",
    "httpcore2.http11",
    "httpcore2.proxy",
    "unearth.auth",
    "unearth.collector",
)


def client(settings: IndexSettings) -> PyPIClient:
    """A client that follows redirects and sends no credentials by itself.

    Raises ConfigError for a CA bundle, client certificate or proxy that can't be used.
    """
    import httpx2
    from unearth.fetchers.sync import PyPIClient

    _hush()
    limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    tls = _tls(settings)
    try:
        return PyPIClient(
            trusted_hosts=settings.trusted_hosts,
            verify=tls,
            limits=limits,
            headers={"User-Agent": f"lamella/{__version__}"},
            timeout=httpx2.Timeout(settings.timeout, connect=min(settings.timeout, CONNECT_TIMEOUT), pool=None),
            follow_redirects=True,
            mounts=_mounts(settings, tls, limits),
        )
    except ImportError:
        raise ConfigError(
            "the SOCKS proxy can't be used",
            why=["the package `socksio`, which speaks to such proxies, is not installed"],
            hint="install `socksio` beside lamella, or name an `http://` proxy in ALL_PROXY or HTTPS_PROXY",
        ) from None
    except (httpx2.InvalidURL, ValueError) as error:
        raise ConfigError(
            "the proxy can't be used",
            why=[scrubbed(str(error))],
            hint="HTTPS_PROXY, or uv's or pip's settings, name it",
        ) from None


def _hush() -> None:
    """Keep what the libraries log from being printed unasked, and secrets out of it where it is asked for."""
    import logging

    unearth = logging.getLogger("unearth")
    if not unearth.handlers:
        # Without a handler the logging module itself prints warnings, of which pages that are rightly missing make many
        unearth.addHandler(logging.NullHandler())
    # It logs headers as they come, cookies and signed links among them
    logging.getLogger("httpcore2").setLevel(logging.WARNING)
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_scrub)


def _scrub(record: LogRecord) -> bool:
    record.msg, record.args = scrubbed(record.getMessage()), ()
    return True


def _mounts(settings: IndexSettings, tls: ssl.SSLContext, limits: Limits) -> dict[str, BaseTransport]:
    """Routes that the library would not find alone: proxies from settings, and trusted hosts behind any proxy."""
    import httpx2

    mounts: dict[str, Any] = {}
    if "*" in settings.no_proxy:
        return mounts
    for scheme, url in settings.proxies:
        mounts[f"{scheme}://"] = httpx2.HTTPTransport(verify=tls, limits=limits, proxy=httpx2.Proxy(url))
    for host in settings.no_proxy:
        mounts[f"all://{'*' if not host[:1].isdigit() else ''}{host}"] = None
    for host in settings.trusted_hosts:
        if proxy := _proxy_for(host, settings):
            mounts[f"all://{host}"] = httpx2.HTTPTransport(verify=False, limits=limits, proxy=httpx2.Proxy(proxy))
    return mounts


def _proxy_for(host: str, settings: IndexSettings) -> str | None:
    from urllib.request import getproxies, proxy_bypass

    found = dict(settings.proxies) or getproxies()
    if host.partition(":")[0] in settings.no_proxy or proxy_bypass(host):
        return None
    return found.get("https") or found.get("all")


def _tls(settings: IndexSettings) -> ssl.SSLContext:
    """One context for all connections: making one reads every certificate, which takes tens of milliseconds."""
    import ssl

    import httpx2

    bundle = settings.ca_bundle
    try:
        if bundle:
            is_folder = os.path.isdir(bundle)
            context = ssl.create_default_context(
                cafile=None if is_folder else bundle, capath=bundle if is_folder else None
            )
        elif settings.system_certs:
            import truststore

            context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        else:
            context = httpx2.create_ssl_context()
    except OSError as error:
        raise ConfigError(
            f"the CA bundle `{bundle}` can't be read",
            why=[error.strerror or str(error)],
            hint="SSL_CERT_FILE, PIP_CERT, REQUESTS_CA_BUNDLE or pip's `cert` names it",
        ) from None
    try:
        if settings.client_cert:
            context.load_cert_chain(settings.client_cert)
    except OSError as error:
        raise ConfigError(
            f"the client certificate `{settings.client_cert}` can't be read",
            why=[error.strerror or str(error)],
            hint="SSL_CLIENT_CERT, PIP_CLIENT_CERT or pip's `client-cert` names it",
        ) from None
    return context
