"""What a line of a requirements file points at, when it is no version: a file, a folder, a commit."""

from __future__ import annotations

import os
import re
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import Requirement
from packaging.utils import (
    InvalidName,
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from lamella.errors import LockError
from lamella.lock.lines import Wanted
from lamella.lock.model import FromDirectory, FromFile, FromGit, LockedFile, Source
from lamella.lock.pylock import FULL_COMMIT, git_url, local_path, name_in, refuse_name
from lamella.wording import scrubbed

# pip: FAVORITE_HASH and STRONG_HASHES; the length is that of the digest in hex
_HASHES = {"sha256": 64, "sha384": 96, "sha512": 128}
_ARCHIVES = (".whl", ".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz", ".tar")
_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*@\s*")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")


class Reference(NamedTuple):
    """A direct reference: what it names, what it points at, and when it applies."""

    name: NormalizedName
    version: Version | None
    source: Source
    marker: Marker | None


def is_bare(text: str, folder: str) -> bool:
    """Whether the line is a path or URL without ``name @``, as pip tells it."""
    head = text.split(";", 1)[0].strip()
    if _NAMED.match(head):
        return False
    if head.startswith((".", "/")) or re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*://|file:)", head):
        return True
    path = os.path.join(folder, _without_extras(head)[0])
    return ("/" in head and os.path.isdir(path)) or (head.endswith(_ARCHIVES) and os.path.isfile(path))


def source(wanted: Wanted, requirement: Requirement | None = None) -> Reference:
    """The reference of a bare or editable line, or of a `requirement` with a URL.  Raises LockError."""
    if requirement is not None and requirement.url is not None:
        text, marker, name = requirement.url, requirement.marker, canonicalize_name(requirement.name)
    else:
        text, marker, name = *_split_marker(wanted), None
        named = _NAMED.match(text)
        if wanted.editable and named:  # uv reads `-e name @ URL`; PEP 508 has no editables
            name, text = canonicalize_name(named[1]), text[named.end() :]
    if re.match(r"(git|hg|svn|bzr)\+", text):
        return _git(text, name, marker, wanted)
    address, fragment = text.partition("#")[::2] if _SCHEME.match(text) else (text, "")
    local = _local(address, wanted.folder)
    if local is not None and (os.path.isdir(local) or wanted.editable):
        return _directory(local, name, marker, fragment, wanted)
    return _file(address, local, name, marker, fragment, wanted)


def hash_pairs(texts: tuple[str, ...], place: str) -> tuple[tuple[str, str], ...]:
    """``sha256:<hex>`` → sorted pairs.  Raises LockError for weak, unknown or cut-off hashes."""
    pairs = set()
    for text in texts:
        kind, _, value = text.lower().partition(":")
        if _HASHES.get(kind) != len(value) or not re.fullmatch(r"[0-9a-f]+", value):
            raise LockError(
                f"`{place}` has a hash that can't be used",
                why=[f"`--hash={text}`", f"known are {', '.join(_HASHES)}, as `sha256:` and 64 hex digits"],
                hint="lock again: `uv pip compile --generate-hashes requirements.in -o requirements.txt`",
            )
        pairs.add((kind, value))
    return tuple(sorted(pairs))


def _split_marker(wanted: Wanted) -> tuple[str, Marker | None]:
    """pip: in a URL the semicolon of a marker has a space behind it (and before it, PEP 508)."""
    separator = r"\s;\s*|;\s+" if _SCHEME.match(wanted.text) else r"\s*;\s*"
    text, *rest = re.split(separator, wanted.text, maxsplit=1)
    try:
        return text.strip(), Marker(rest[0]) if rest and rest[0] else None
    except InvalidMarker as error:
        raise LockError(
            f"`{wanted.place}` has a marker that can't be read", why=[f"`{rest[0]}`", str(error).splitlines()[0]]
        ) from None


def _without_extras(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"(.+?)\s*(\[[^\]]*\])", text)
    return (match[1], match[2]) if match else (text, "")


def _local(address: str, folder: str) -> str | None:
    """The absolute path of a path or ``file:`` URL, without extras; None for a URL of the network."""
    scheme = _SCHEME.match(address)
    if scheme and scheme[0] != "file:":
        return None
    text = address
    if scheme and address.startswith("file://"):
        text = local_path(address) or ""
    elif scheme:
        text = unquote(address[len("file:") :])
    path = os.path.join(folder, text)
    return os.path.normpath(path if os.path.exists(path) else _without_extras(path)[0])


def _directory(
    path: str, name: NormalizedName | None, marker: Marker | None, fragment: str, wanted: Wanted
) -> Reference:
    details = _details(fragment, wanted.place)
    path = os.path.normpath(os.path.join(path, details.subdirectory or ""))
    if not os.path.isdir(path) or not {"pyproject.toml", "setup.py"} & set(os.listdir(path)):
        raise LockError(
            f"`{wanted.place}` names a folder that is no Python project",
            why=[f"`{path}` has no pyproject.toml and no setup.py" if os.path.isdir(path) else f"no folder `{path}`"],
            hint="paths start at the folder of the requirements file",
        )
    _refuse_hashes(wanted, "a folder")
    name = name or details.name or _declared_name(path)
    if name is None:
        raise _nameless(wanted, "neither pyproject.toml nor setup.cfg says how it is called")
    return Reference(name, None, FromDirectory(path, editable=wanted.editable), marker)


def _declared_name(path: str) -> NormalizedName | None:
    """The name in ``[project]`` of pyproject.toml, or in setup.cfg."""
    from configparser import ConfigParser, Error

    from lamella.lock.discover import toml

    found: object = None
    if os.path.isfile(os.path.join(path, "pyproject.toml")):
        found = toml(os.path.join(path, "pyproject.toml"), path).get("project", {}).get("name")
    if found is None:
        parser = ConfigParser(interpolation=None)
        try:
            parser.read(os.path.join(path, "setup.cfg"), encoding="utf-8")
            found = parser.get("metadata", "name", fallback=None)
        except (Error, UnicodeDecodeError):
            found = None
    return canonicalize_name(found) if isinstance(found, str) else None


def _file(
    address: str,
    path: str | None,
    name: NormalizedName | None,
    marker: Marker | None,
    fragment: str,
    wanted: Wanted,
) -> Reference:
    if path is not None and not os.path.isfile(path):
        raise LockError(
            f"`{wanted.place}` names a file that doesn't exist",
            why=[f"looked for `{path}`"],
            hint="paths start at the folder of the requirements file",
        )
    if wanted.editable:
        raise LockError(f"`{wanted.place}` is editable, but no folder or repository", hint="remove `-e`")
    if path is None and urlsplit(address).scheme.lower() not in {"http", "https"}:
        raise LockError(
            f"`{wanted.place}` has a URL that can't be fetched",
            why=[f"`{scrubbed(address)}`"],
            hint="https, http and file URLs can, and git+https",
        )
    details = _details(fragment, wanted.place)
    filename = os.path.basename(path) if path else name_in(address.rstrip("/"))
    refuse_name(filename, f"`{wanted.place}`")
    said, version = _from_filename(filename)
    name = name or details.name or said
    if name is None:
        raise _nameless(wanted, f"`{filename}` doesn't say how it is called")
    if said is not None and said != name:
        raise LockError(
            f"`{wanted.place}` names `{name}`, but its file is of `{said}`",
            why=[f"`{filename}`"],
            hint="correct the name or the URL",
        )
    hashes = hash_pairs((*wanted.hashes, *details.hashes), wanted.place)
    locked = LockedFile(filename, url=None if path else address, path=path, hashes=hashes)
    return Reference(name, version, FromFile(locked, details.subdirectory), marker)


def _from_filename(filename: str) -> tuple[NormalizedName | None, Version | None]:
    try:
        if filename.endswith(".whl"):
            return parse_wheel_filename(filename)[:2]
        return parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None, None


def _git(text: str, name: NormalizedName | None, marker: Marker | None, wanted: Wanted) -> Reference:
    kind, _, url = text.partition("+")
    if kind != "git":
        raise LockError(
            f"`{wanted.place}` comes from a {kind} repository",
            why=["only git is supported"],
            hint="build a wheel of it and name that",
        )
    address, _, fragment = url.partition("#")
    details = _details(fragment, wanted.place)
    parts = urlsplit(address)
    path, _, revision = parts.path.rpartition("@") if "@" in parts.path else (parts.path, "", "")
    repository = urlunsplit(parts._replace(path=path))
    if not FULL_COMMIT.fullmatch(revision.lower()):
        plain = scrubbed(repository)
        raise LockError(
            f"`{wanted.place}` doesn't pin a commit",
            why=[f"`{revision}` may move" if revision else "without one it is the newest commit of the day"],
            hint=f"write the full hash: `git ls-remote {plain} {revision or 'HEAD'}` prints it",
        )
    _refuse_hashes(wanted, "a repository")
    name = name or details.name
    if name is None:
        raise _nameless(wanted, "the URL doesn't say how it is called")
    origin = FromGit(git_url(repository, f"`{wanted.place}`"), revision.lower(), details.subdirectory)
    return Reference(name, None, origin, marker)


class _Details(NamedTuple):
    name: NormalizedName | None
    subdirectory: str | None
    hashes: tuple[str, ...]


def _details(fragment: str, place: str) -> _Details:
    """``#egg=name&subdirectory=folder&sha256=…`` (pip: VCS support; PEP 610 for hashes)."""
    values = parse_qs(fragment)
    egg = values.get("egg", [""])[0].split("[", 1)[0].strip()
    try:
        name = canonicalize_name(egg, validate=True) if egg else None
    except InvalidName as error:
        raise LockError(f"`{place}` has a name that can't be one", why=[str(error)], hint="correct `egg=`") from None
    hashes = tuple(f"{kind}:{value}" for kind in _HASHES for value in values.get(kind, ()))
    return _Details(name, values.get("subdirectory", [None])[0], hashes)


def _refuse_hashes(wanted: Wanted, what: str) -> None:
    if wanted.hashes:
        raise LockError(f"`{wanted.place}` has a hash for {what}", why=["hashes are of files"], hint="remove it")


def _nameless(wanted: Wanted, why: str) -> LockError:
    return LockError(
        f"`{wanted.place}` has no name",
        why=[f"`{scrubbed(wanted.text)}`", why],
        hint="write `name @ URL`, say `name @ file:///folder/project`",
    )
