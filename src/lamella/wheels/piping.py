"""The user's index settings for pip inside an image: as secrets and mounts, so that no layer keeps a login."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import url2pathname

if TYPE_CHECKING:
    from lamella.index.settings import IndexSettings

_HOME = "/lamella/pip"


class Piped(NamedTuple):
    """What a step that runs pip is given: files that are `secrets`, `folders`, how they are mounted, variables."""

    secrets: tuple[tuple[str, str], ...] = ()
    folders: tuple[tuple[str, str], ...] = ()
    mounts: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()


def piped(settings: IndexSettings, folder: str) -> Piped:
    """Write pip's configuration into `folder`, which is the owner's alone, and say how it is handed in.

    pip asks all indexes, where uv asks the first that knows a name: the order of `settings` is kept, no more.
    """
    folders: dict[str, str] = {}
    lines = ["[global]", f"timeout = {settings.timeout:g}"]
    if settings.no_index:
        lines.append("no-index = true")
    else:
        default, *extra = [_with_login(url, settings) if url else None for url in _indexes(settings)]
        if default:
            lines.append(f"index-url = {_placed(default, folders)}")
        if extra:
            lines.append(_line("extra-index-url", [_placed(url, folders) for url in extra if url]))
    if settings.find_links:
        lines.append(_line("find-links", [_placed(place, folders) for place in settings.find_links]))
    if settings.trusted_hosts:
        lines.append(_line("trusted-host", settings.trusted_hosts))
    if settings.proxies:
        lines.append(f"proxy = {settings.proxies[-1][1]}")
    secrets: dict[str, str] = {}
    for name, option, path in (
        ("ca", "cert", settings.ca_bundle),
        ("client", "client-cert", settings.client_cert),
    ):
        if path and os.path.isfile(path):
            secrets[name] = path
            lines.append(f"{option} = {_HOME}/{name}")
    if settings.netrc and os.path.isfile(settings.netrc):
        secrets["netrc"] = settings.netrc
    configuration = os.path.join(folder, "pip.conf")
    descriptor = os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join([*lines, ""]))
    secrets["conf"] = configuration
    return Piped(
        secrets=tuple(secrets.items()),
        folders=tuple((name, path) for path, name in folders.items()),
        mounts=(
            *(f"--mount=type=secret,id={name},target={_HOME}/{name}" for name in secrets),
            *(f"--mount=type=bind,from={name},target={_HOME}/{name}" for name in folders.values()),
        ),
        variables=_variables(secrets),
    )


def _variables(secrets: dict[str, str]) -> tuple[tuple[str, str], ...]:
    found = [("PIP_CONFIG_FILE", f"{_HOME}/conf")]
    if "netrc" in secrets:
        found.append(("NETRC", f"{_HOME}/netrc"))
    if "ca" in secrets:
        # Build backends fetch, too: cargo, and whatever asks OpenSSL
        found += [("SSL_CERT_FILE", f"{_HOME}/ca"), ("CARGO_HTTP_CAINFO", f"{_HOME}/ca")]
    return tuple(found)


def _indexes(settings: IndexSettings) -> list[str | None]:
    """pip's order: the default first; None for pip's own."""
    return [settings.default_index, *settings.extra_indexes]


def _with_login(url: str, settings: IndexSettings) -> str:
    """The URL with what the keyring knows: it is on this machine, and not in the image."""
    from lamella.index.credentials import Credentials

    parts = urlsplit(url)
    if settings.keyring == "disabled" or parts.password is not None or parts.scheme not in ("http", "https"):
        return url
    login = Credentials([url], keyring=settings.keyring).from_keyring(url)
    if login is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(login.user, safe='')}:{quote(login.password, safe='')}@{host}"))


def _placed(place: str, folders: dict[str, str]) -> str:
    """The place as the image sees it: folders of this machine are mounted."""
    path = url2pathname(urlsplit(place).path) if place.startswith("file:") else place
    if not os.path.isabs(path):
        return place
    if os.path.isfile(path):  # a page of links
        return f"{_placed(os.path.dirname(path), folders)}/{os.path.basename(path)}"
    if not os.path.isdir(path):  # pip passes over it, as lamella does
        return place
    name = folders.setdefault(path, f"folder{len(folders)}")
    inside = f"{_HOME}/{name}"
    return f"file://{inside}" if place.startswith("file:") else inside


def _line(option: str, values: Sequence[str]) -> str:
    return f"{option} =" + "".join(f"\n    {value}" for value in values)
