"""pylock.toml (PyPA spec: "pylock.toml specification", PEP 751) → `Pins`."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockUnsupportedVersionError,
    PylockValidationError,
)
from packaging.utils import canonicalize_name

from lamella import toml
from lamella.errors import LockError
from lamella.lock.model import FromDirectory, FromFile, FromGit, FromIndex, LockedFile, Pin, Pins, Selection, Source
from lamella.lock.roots import refuse_unknown
from lamella.wording import shown

# SHA-1 and SHA-256 repositories
FULL_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def read(path: str, selection: Selection, *, root: str) -> Pins:
    """The pins of a pylock.toml.  Relative paths in it start at its folder.

    Named extras and groups must be among the file's `extras` and `dependency-groups`; its `default-groups` count
    when the project itself is selected.  Raises LockError with the place in the file.
    """
    where = shown(path, root)
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise LockError(f"`{where}` can't be read", why=[error.strerror or str(error)]) from None
    lock = parse(data, where)
    extras, groups = set(lock.extras or ()), {canonicalize_name(group) for group in lock.dependency_groups or ()}
    refuse_unknown(where, "extra", selection.extras, extras)
    refuse_unknown(where, "dependency group", selection.groups, groups)
    if selection.everything:
        chosen = {*(lock.dependency_groups or ()), *(lock.default_groups or ())}
    else:
        asked = {canonicalize_name(group) for group in selection.groups}
        chosen = {group for group in lock.dependency_groups or () if canonicalize_name(group) in asked}
        chosen |= set(lock.default_groups or ()) if selection.project else set()
    wanted = extras if selection.everything else {canonicalize_name(extra) for extra in selection.extras}
    return Pins(
        dialect="pylock",
        path=path,
        pins=pins(lock, where=where, base=os.path.dirname(path)),
        extras=frozenset(wanted),
        groups=frozenset(chosen),
        notes=_notes(lock, where),
        requires_python=requires_python(lock),
        environments=tuple(lock.environments or ()),
    )


def parse(data: bytes, where: str) -> Pylock:
    """A pylock.toml's content, validated.  Raises LockError that names the place in the file `where`."""
    # A newer minor version is logged by packaging; it becomes a note instead of a line on stderr
    logging.getLogger("packaging.pylock").addHandler(logging.NullHandler())
    content = toml.parse(data, where, LockError, hint="lock again")
    try:
        return Pylock.from_dict(content)
    except PylockUnsupportedVersionError as error:
        raise LockError(
            f"`{where}` has a version that can't be read",
            why=[str(error)],
            hint="update lamella, or lock again with a tool that writes lock-version 1.0",
        ) from None
    except PylockValidationError as error:
        place = [f"at {_place(error.context, content)}"] if error.context else []
        raise LockError(f"`{where}` is not a valid lock", why=[error.message, *place], hint="lock again") from None


def pins(lock: Pylock, *, where: str, base: str) -> tuple[Pin, ...]:
    """The packages as pins; relative paths start at the folder `base`.  Raises LockError."""
    return tuple(dict.fromkeys(_pin(package, where, base) for package in lock.packages))


def requires_python(lock: Pylock) -> str | None:
    return None if lock.requires_python is None else str(lock.requires_python)


def _notes(lock: Pylock, where: str) -> tuple[str, ...]:
    if lock.lock_version.release[:2] in {(1,), (1, 0)}:
        return ()
    return (f"`{where}` has lock-version {lock.lock_version}; read as 1.0, what is new in it is ignored",)


def _place(context: str, content: Mapping[str, object]) -> str:
    """``packages[3].wheels`` with the package's name, which people look for."""
    match = re.match(r"packages\[(\d+)\]", context)
    packages = content.get("packages")
    if match and isinstance(packages, list) and int(match[1]) < len(packages):
        package = packages[int(match[1])]
        if isinstance(package, dict) and isinstance(package.get("name"), str):
            return f"`{context}` (`{package['name']}`)"
    return f"`{context}`"


def _pin(package: Package, where: str, base: str) -> Pin:
    return Pin(
        name=package.name,
        version=package.version,
        source=_source(package, where, base),
        marker=package.marker,
        requires_python=None if package.requires_python is None else str(package.requires_python),
        where=where,
    )


def _source(package: Package, where: str, base: str) -> Source:
    if package.vcs is not None:
        return _git(package, package.vcs, where, base)
    if package.directory is not None:
        folder = os.path.join(base, package.directory.path, package.directory.subdirectory or "")
        return FromDirectory(os.path.normpath(folder), editable=bool(package.directory.editable))
    if package.archive is not None:
        return FromFile(_file(package.archive, base, package.name, where), package.archive.subdirectory)
    files = [_file(wheel, base, package.name, where) for wheel in package.wheels or ()]
    if package.sdist is not None:
        files.append(_file(package.sdist, base, package.name, where))
    return FromIndex(files=tuple(files), index=package.index)


def _git(package: Package, vcs: PackageVcs, where: str, base: str) -> FromGit:
    commit = vcs.commit_id.lower()
    if vcs.type != "git":
        raise LockError(
            f"`{package.name}` in `{where}` comes from a {vcs.type} repository",
            why=["only git is supported"],
            hint=f"build a wheel of `{package.name}` and lock that",
        )
    if not FULL_COMMIT.fullmatch(commit):
        raise LockError(
            f"`{package.name}` in `{where}` has no full commit hash",
            why=[f"found `{vcs.commit_id}`"],
            hint="lock again",
        )
    url = vcs.url or file_url(os.path.normpath(os.path.join(base, vcs.path or "")))
    return FromGit(git_url(url, f"`{package.name}` in `{where}`"), commit, vcs.subdirectory)


def git_url(url: str, what: str) -> str:
    """A repository's URL without ``git+``.  Raises LockError for what git would take for an option or a helper.

    git-clone(1): ``ext::COMMAND`` runs the command, and a leading dash is an option.
    """
    url = url.removeprefix("git+")
    if not re.match(r"(https?|ssh|git|file)://[^-]|[\w.-]+@[\w][\w.-]*:[^:]|/", url):
        raise LockError(
            f"{what} has a repository URL that git must not be given",
            why=["https, ssh, git and file URLs are fine"],
            hint="write the repository as an https or ssh URL",
        )
    return url


def file_url(path: str) -> str:
    from urllib.request import pathname2url

    return "file://" + pathname2url(path)


def local_path(url: str) -> str | None:
    """The path of a ``file:`` URL (RFC 8089), or None for another URL."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    return url2pathname(parts.path)


def name_in(url: str) -> str:
    """The name of a URL's file.  A quoted slash divides like any other: what is unquoted is written to a disk."""
    return os.path.basename(unquote(urlsplit(url).path))


def refuse_name(name: str, what: str) -> None:
    """Raises LockError for what can't be the name of a file in a folder."""
    if name in {"", ".", ".."} or re.search(r"[/\\\x00-\x1f\x7f]", name):
        raise LockError(
            f"{what} has a file without a usable name",
            why=[f"found {name!r}"],
            hint="lock again, and look at what changed before you trust it",
        )


def _file(entry: PackageWheel | PackageSdist | PackageArchive, base: str, package: str, where: str) -> LockedFile:
    url, path = entry.url, None
    if entry.path is not None:
        path = os.path.normpath(os.path.join(base, entry.path))
        if url is not None and not os.path.exists(path):
            path = None
    elif url is not None:
        path = local_path(url)
    name = getattr(entry, "name", None) or (os.path.basename(path) if path else name_in(url or ""))
    refuse_name(name, f"`{package}` in `{where}`")
    return LockedFile(
        filename=name,
        url=None if path else url,
        path=path,
        size=entry.size,
        hashes=tuple(sorted((kind.lower(), value.lower()) for kind, value in entry.hashes.items())),
    )
