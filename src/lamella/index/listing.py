"""What indexes and find-links offer of one distribution, for pins whose lock doesn't list files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from packaging.version import Version

from lamella.errors import LamellaError, OutsideError
from lamella.index.fetch import RefusedError
from lamella.lock.model import LockedFile
from lamella.wording import redacted, scrubbed

if TYPE_CHECKING:
    from unearth import Package
    from unearth.fetchers import Fetcher

    from lamella.index.fetch import Session


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of an index.  `yanked` is the reason (maybe empty) or None; `index` is fit to be shown."""

    file: LockedFile
    yanked: str | None
    requires_python: str | None
    index: str


class Older(NamedTuple):
    """A version that would work, and a file of it."""

    version: Version
    filename: str


def list_files(session: Session, name: str, version: Version, *, index: str | None = None) -> tuple[Listed, ...]:
    """All files of this version, by name; of one that several places have, the first place's.

    Where no file has the very version, those count that add a local label to it (PEP 440: ``==2.0`` takes
    ``2.0+cpu``).  `index` names the one index to ask instead of the configured ones.
    A place without the project is no error.  Raises OutsideError when a place can't be read.
    """
    found = [(Version(package.version or "0"), package) for package in _packages(session, name, index)]
    same = [package for has, package in found if has == version]
    if not same and version.local is None:
        local = max((has for has, _ in found if has.public == version.public), default=None)
        same = [package for has, package in found if has == local]
    files: dict[str, Listed] = {}
    with _reading(name):
        for package in same:
            files.setdefault(package.link.filename, _listed(session, package))
    return tuple(files[filename] for filename in sorted(files))


def newest_older(
    session: Session, name: str, version: Version, works: Callable[[str, str | None], bool]
) -> Older | None:
    """The newest final release before `version` with a file for which `works(filename, requires_python)`.

    For hints: None where there is none, and also where an index can't be asked.
    """
    try:
        packages = list(_packages(session, name, None))
    except LamellaError:
        return None
    older = ((Version(package.version or "0"), package.link) for package in packages if not package.link.is_yanked)
    offered = [(has, link) for has, link in older if has < version and not has.is_prerelease]
    for has, link in sorted(offered, key=lambda row: (row[0], row[1].filename), reverse=True):
        if works(link.filename, link.requires_python):
            return Older(has, link.filename)
    return None


def _packages(session: Session, name: str, index: str | None) -> Iterator[Package]:
    settings = session.settings
    yield from _of_places(session, name, find_links=() if index else settings.find_links)
    refused: RefusedError | None = None
    any_found = False
    for url in (index,) if index else settings.index_urls:
        try:
            here = _of_places(session, name, index_urls=[url] if url else None)
        except RefusedError as error:
            if (url, error.status) in settings.ignored_errors:
                continue
            # pip passes over an index that refuses; that is fine as long as another one knows the project
            if settings.first_index:
                raise
            refused = refused or error
            continue
        yield from here
        any_found = any_found or bool(here)
        if any_found and settings.first_index:
            return
    if refused and not any_found:
        raise refused


def _of_places(
    session: Session, name: str, *, index_urls: Iterable[str] | None = (), find_links: Iterable[str] = ()
) -> list[Package]:
    """`index_urls` None means the library's own default index."""
    from unearth import PackageFinder

    if index_urls is not None and not (index_urls or find_links):
        return []
    finder = PackageFinder(
        cast("Fetcher", session),
        index_urls=index_urls or (),
        find_links=find_links,
        ignore_compatibility=True,
        respect_source_order=True,
    )
    with _reading(name, index_urls or ()):
        return list(finder.find_all_packages(name, allow_yanked=True))


@contextlib.contextmanager
def _reading(name: str, index_urls: Iterable[str] = ()) -> Iterator[None]:
    """What unearth and its parsers raise for a page that is none, as an OutsideError."""
    try:
        yield
    except (ValueError, TypeError, AttributeError, LookupError, AssertionError, RecursionError) as error:
        raise OutsideError(
            f"the index's page of `{name}` can't be read",
            why=[*(f"`{redacted(url)}`" for url in index_urls), scrubbed(f"{type(error).__name__}: {error}")],
            hint="check the index's URL, or ask whoever keeps the index",
        ) from None


def _listed(session: Session, package: Package) -> Listed:
    link = package.link
    hashes = tuple(sorted((name, values[0]) for name, values in (link.hash_option or {}).items()))
    path = str(link.file_path) if link.is_file else None
    url = None if link.is_file else session.credentials.remember(link.url_without_fragment)
    # Some indexes write `yanked: true`, without a reason
    yanked = link.yank_reason if isinstance(link.yank_reason, str) or link.yank_reason is None else ""
    return Listed(
        file=LockedFile(filename=link.filename, url=url, path=path, hashes=hashes),
        yanked=yanked,
        requires_python=link.requires_python if isinstance(link.requires_python, str) else None,
        index=redacted(link.comes_from or link.url_without_fragment),
    )
