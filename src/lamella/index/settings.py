"""Index settings as users already have them: uv's and pip's environment variables, files and requirements options.

Where uv says anything about indexes its settings are used, otherwise pip's; each of the rest (certificates, proxies,
timeout, keyring, trusted hosts) is uv's where set, otherwise pip's.  Sources: uv's settings reference, pip's
configuration page.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from lamella.errors import ConfigError
from lamella.index.config_files import TRUE, Layers, PipOptions, items, located, pip_options, uv_layers
from lamella.index.places import checked, checked_host

TIMEOUT = 30.0  # seconds, uv's
_NAMED = re.compile(r"([A-Za-z0-9._-]+)=(.+)")
_PROXIES = {"http_proxy", "https_proxy", "all_proxy"}
_MULTIPLE = {"extra-index-url", "find-links", "trusted-host"}
_SHORT = {"-i": "index-url", "--pypi-url": "index-url", "-f": "find-links"}


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """Where files come from and how to get there.  URLs may hold credentials, so they aren't in the repr.

    `default_index` None means the library's own default.  `extra_indexes` come before the default with
    `first_index` (uv: the first index that knows a project is the only one asked), and after it otherwise (pip:
    all are asked).  `explicit_indexes` are never searched; their credentials count.  `ignored_errors` are
    (index URL, HTTP status) pairs that mean "not there".  `find_links` are folders or URLs.  `trusted_hosts` are
    ``host`` or ``host:port`` whose certificates aren't checked.  `ca_bundle` is a PEM file or a folder of them.
    `proxies` are (scheme, URL) pairs; without any, the environment's own (HTTPS_PROXY, NO_PROXY) count.
    `timeout` is in seconds.  `keyring` is disabled, auto, import or subprocess.
    """

    default_index: str | None = field(default=None, repr=False)
    extra_indexes: tuple[str, ...] = field(default=(), repr=False)
    explicit_indexes: tuple[str, ...] = field(default=(), repr=False)
    ignored_errors: tuple[tuple[str, int], ...] = field(default=(), repr=False)
    find_links: tuple[str, ...] = field(default=(), repr=False)
    no_index: bool = False
    first_index: bool = False
    trusted_hosts: tuple[str, ...] = ()
    ca_bundle: str | None = None
    client_cert: str | None = None
    system_certs: bool = False
    proxies: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    no_proxy: tuple[str, ...] = ()
    keyring: str = "auto"
    netrc: str | None = None
    timeout: float = TIMEOUT

    @property
    def index_urls(self) -> tuple[str | None, ...]:
        """In the order in which they are asked.  None stands for the library's default."""
        if self.no_index:
            return ()
        default = (self.default_index,)
        return (*self.extra_indexes, *default) if self.first_index else (*default, *self.extra_indexes)


def load(root: str, environ: Mapping[str, str], *, options: Iterable[str] = (), etc: str = "/etc") -> IndexSettings:
    """The settings for the project in the folder `root`.

    `options` are option lines of a requirements file (``--extra-index-url https://…``), which come on top;
    relative paths in them and in pip's settings are taken from `root`.  `etc` is where system-wide files lie.
    Raises ConfigError, with the variable or file to correct, for what can't be read or can't be asked.
    """
    home = environ.get("HOME") or os.path.expanduser("~")
    config_home = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    uv = uv_layers(root, environ, config_home=config_home, etc=etc)
    pip = pip_options(environ, home=home, config_home=config_home, etc=etc)
    where = _uv_indexes(uv, environ, root) or _pip_indexes(pip, root)
    settings = replace(
        where,
        trusted_hosts=_trusted(uv, pip, environ),
        ca_bundle=_bundle(environ, pip),
        client_cert=environ.get("SSL_CLIENT_CERT") or pip.get("client-cert"),
        system_certs=_system_certs(uv, environ),
        proxies=_proxies(uv, pip, environ),
        no_proxy=_unique(uv.all("no-proxy")),
        keyring=environ.get("UV_KEYRING_PROVIDER") or uv.one("keyring-provider")
        or pip.get("keyring-provider") or "auto",
        netrc=environ.get("NETRC") or os.path.join(home, ".netrc"),
        timeout=_timeout(environ, pip),
    )  # fmt: skip
    return _with_options(settings, [_expand(line, environ) for line in options], root)


# uv


def _uv_indexes(uv: Layers, environ: Mapping[str, str], root: str) -> IndexSettings | None:
    """None when uv says nothing about where to look."""
    seen: set[str] = set()
    defaults: list[str] = []
    extras: list[str] = []
    explicit: list[str] = []
    flat: list[str] = []
    ignored: list[tuple[str, int]] = []
    for entry, base, source in _uv_entries(uv, environ, root):
        name = str(entry.get("name") or "")
        if name and name in seen:
            continue
        seen.add(name)
        url = _with_login(located(str(entry["url"]), base, source), name, environ)
        kind = flat if entry.get("format") == "flat" else explicit if entry.get("explicit") else extras
        (defaults if entry.get("default") else kind).append(url)
        ignored += [(url, code) for code in items(entry.get("ignore-error-codes")) if isinstance(code, int)]
    # The order of `uv lock --show-settings` (0.13): variables and files are joined
    defaults += _places("UV_INDEX_URL", environ, root) + uv.located("index-url")
    extras += _places("UV_EXTRA_INDEX_URL", environ, root) + uv.located("extra-index-url")
    flat += _places("UV_FIND_LINKS", environ, root, separator=",") + uv.located("find-links")
    no_index = bool(uv.one("no-index"))
    if not (defaults or extras or explicit or flat or no_index):
        return None
    return IndexSettings(
        default_index=defaults[0] if defaults else None,
        extra_indexes=_unique(extras),
        explicit_indexes=_unique(explicit),
        ignored_errors=tuple(ignored),
        find_links=_unique(flat),
        no_index=no_index,
        first_index=not str(environ.get("UV_INDEX_STRATEGY") or uv.one("index-strategy")).startswith("unsafe-"),
    )


def _uv_entries(uv: Layers, environ: Mapping[str, str], root: str) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Entries as in ``[[tool.uv.index]]``, the strongest first, with the folder for relative paths and the source."""
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX"):
        for word in _words(environ.get(variable)):
            named = _NAMED.fullmatch(word)
            name, url = named.groups() if named else (None, word)
            yield {"name": name, "url": url, "default": variable == "UV_DEFAULT_INDEX"}, root, variable
    for layer in uv.layers:
        for entry in items(layer.table.get("index")):
            if isinstance(entry, dict) and "url" in entry:
                yield entry, layer.base, layer.file


def _with_login(url: str, name: str, environ: Mapping[str, str]) -> str:
    if not name:
        return url
    key = re.sub(r"[^A-Z0-9]", "_", name.upper())
    user, password = environ.get(f"UV_INDEX_{key}_USERNAME"), environ.get(f"UV_INDEX_{key}_PASSWORD")
    if user is None and password is None:
        return url
    parts = urlsplit(url)
    login = quote(user or "", safe="") + (f":{quote(password, safe='')}" if password is not None else "")
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}"))


def _system_certs(uv: Layers, environ: Mapping[str, str]) -> bool:
    for variable in ("UV_SYSTEM_CERTS", "UV_NATIVE_TLS"):
        if variable in environ:
            return environ[variable].lower() in TRUE
    return bool(uv.one("system-certs") or uv.one("native-tls"))


# pip


def _pip_indexes(pip: PipOptions, root: str) -> IndexSettings:
    default = pip.get("index-url")
    return IndexSettings(
        default_index=located(default, root, pip.sources["index-url"]) if default else None,
        extra_indexes=_unique(pip.located("extra-index-url", root)),
        find_links=_unique(pip.located("find-links", root)),
        no_index=(pip.get("no-index") or "").lower() in TRUE,
    )


def _with_options(settings: IndexSettings, lines: Iterable[str], root: str) -> IndexSettings:
    """The index options of a requirements file.  Others are no concern of this room."""
    import shlex

    for line in lines:
        try:
            words = iter(shlex.split(line, comments=True))
        except ValueError as error:
            raise ConfigError("an option line of the requirements file can't be read", why=[str(error)]) from None
        for word in words:
            option, equals, value = word.partition("=")
            option = _SHORT.get(option, option.removeprefix("--") if option.startswith("--") else "")
            if option == "no-index":
                settings = replace(settings, no_index=True)
            if option not in _MULTIPLE | {"index-url"}:
                continue
            value = value if equals else next(words, "")
            settings = _with_option(settings, option, value, root)
    return settings


def _with_option(settings: IndexSettings, option: str, value: str, root: str) -> IndexSettings:
    source = f"--{option}"
    if option == "trusted-host":
        return replace(settings, trusted_hosts=_unique([*settings.trusted_hosts, checked_host(value, source)]))
    place = located(value, root, source)
    if option == "index-url":
        return replace(settings, default_index=place)
    if option == "extra-index-url":
        return replace(settings, extra_indexes=_unique([*settings.extra_indexes, place]))
    return replace(settings, find_links=_unique([*settings.find_links, place]))


# Both


def _bundle(environ: Mapping[str, str], pip: PipOptions) -> str | None:
    named = (environ.get("SSL_CERT_FILE"), pip.get("cert"), environ.get("REQUESTS_CA_BUNDLE"),
             environ.get("CURL_CA_BUNDLE"), environ.get("SSL_CERT_DIR"))  # fmt: skip
    return next(filter(None, named), None)


def _trusted(uv: Layers, pip: PipOptions, environ: Mapping[str, str]) -> tuple[str, ...]:
    sources = (
        ("UV_INSECURE_HOST", _words(environ.get("UV_INSECURE_HOST"))),
        (uv.file_of("allow-insecure-host"), uv.all("allow-insecure-host")),
        (pip.sources.get("trusted-host", ""), _words(pip.get("trusted-host"))),
    )
    return _unique(checked_host(host, source) for source, hosts in sources for host in hosts)


def _proxies(uv: Layers, pip: PipOptions, environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Those from settings.  The environment's are the HTTP library's to read, and are only looked at here."""
    for name in environ:
        if name.lower() in _PROXIES and environ[name]:
            _proxy(environ[name], name)
    found = []
    for scheme in ("http", "https"):
        if url := uv.one(f"{scheme}-proxy"):
            found.append((scheme, _proxy(url, uv.file_of(f"{scheme}-proxy"))))
        elif url := pip.get("proxy"):
            found.append((scheme, _proxy(url, pip.sources["proxy"])))
    return tuple(found)


def _proxy(url: str, source: str) -> str:
    return checked(url if "://" in url else f"http://{url}", source)


def _timeout(environ: Mapping[str, str], pip: PipOptions) -> float:
    names = ("UV_HTTP_TIMEOUT", "UV_REQUEST_TIMEOUT", "HTTP_TIMEOUT")
    value = next(filter(None, map(environ.get, names)), None) or pip.get("timeout") or pip.get("default-timeout")
    try:
        seconds = float(value) if value else TIMEOUT
    except ValueError:
        seconds = -1.0
    if not seconds > 0:
        raise ConfigError(
            f"`{value}` is no timeout in seconds", hint="set UV_HTTP_TIMEOUT or pip's `timeout` to a number"
        )
    return seconds


def _words(value: str | None) -> list[str]:
    return value.split() if value else []


def _places(variable: str, environ: Mapping[str, str], base: str, *, separator: str = " ") -> list[str]:
    return [located(word, base, variable) for word in _words(environ.get(variable, "").replace(separator, " "))]


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


def _expand(line: str, environ: Mapping[str, str]) -> str:
    """``${NAME}`` as in requirements files (pip: only upper case, and unset ones stay)."""
    return re.sub(r"\$\{([A-Z0-9_]+)\}", lambda match: environ.get(match[1], match[0]), line)
