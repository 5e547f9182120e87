"""The code that is there, brought here: kept before it is changed, and fetched again to be put back.

Only its digest counts: what is put back is, byte for byte, what was there.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from lamella.aws import ExpiredError, UnreachableError
from lamella.cloud.model import LATEST, Cloud, Content, FunctionState
from lamella.deployed.model import Lambda as Downloads
from lamella.errors import LamellaError, OutsideError
from lamella.rollout.journal.journal import Journal
from lamella.rollout.model import Before
from lamella.rollout.steps.settle import Chance

_TRIES = 4


def open_downloads(cloud: Cloud) -> Downloads:
    """What zips of functions are downloaded through, at the place's rate.  Nothing is asked yet."""
    from lamella.deployed.lambdas import Lambdas

    place = cloud.place
    return Lambdas(place.profile or None, place.region or None, role=place.role, access=cloud.access)


def key_of(code_sha256: str) -> str:
    """The journal's key for code of this digest."""
    return f"{_hex(code_sha256)}.zip"


def keep(state: FunctionState, journal: Journal, downloads: Downloads, chance: Chance) -> str:
    """Keep the code of $LATEST in the journal; its key.  Raises OutsideError, LamellaError, OSError."""
    key = key_of(state.code_sha256)
    with _folder() as folder:
        path = os.path.join(folder, key)
        if not journal.kept(key, path) or _digest(path) != state.code_sha256:
            _download(state.name, "", state.code_sha256, path, downloads, chance)
            journal.keep(key, path)
    return key


@contextmanager
def code_of(before: Before, journal: Journal, downloads: Downloads, chance: Chance) -> Iterator[Content]:
    """The code that a function had before, in a file that is gone after the block.

    It is what was kept, else the code of the version behind the alias, else that of $LATEST, if it has it still.
    Raises LamellaError where it can't be had.
    """
    state, digest = before.function, before.function.code_sha256
    with _folder() as folder:
        path = os.path.join(folder, key_of(digest))
        if not (before.kept and journal.kept(before.kept, path) and _digest(path) == digest):
            _download(state.name, _version(before), digest, path, downloads, chance)
        yield Content(path, os.path.getsize(path), _hex(digest), digest)


def _version(before: Before) -> str:
    alias, state = before.alias, before.function
    if alias is not None and alias.version != LATEST:
        return alias.version
    return state.version if state.version != LATEST else ""


def _download(
    name: str, qualifier: str, code_sha256: str, path: str, downloads: Downloads, chance: Chance
) -> None:  # fmt: skip
    """Raises OutsideError where AWS has other code than that, or the download fails."""
    for attempt in range(1, _TRIES + 1):
        try:
            offered = downloads.function(name, qualifier)
            if offered.what.code_sha256 != code_sha256:
                break
            digest = hashlib.sha256()
            with open(path, "wb") as file, downloads.content(offered.location, 0) as pieces:
                for piece in pieces:
                    file.write(piece)
                    digest.update(piece)
            if base64.b64encode(digest.digest()).decode() == code_sha256:
                return
            break
        except (UnreachableError, ExpiredError):
            if attempt == _TRIES:
                raise
            chance.pause(attempt)
    raise OutsideError(
        f"the code that `{name}` had can't be downloaded",
        why=[f"it is not the code with the CodeSha256 `{code_sha256}` any more"],
        hint="somebody changed it meanwhile; try again",
    )


@contextmanager
def _folder() -> Iterator[str]:
    try:
        with tempfile.TemporaryDirectory(prefix="lamella-") as folder:
            yield folder
    except OSError as error:
        raise LamellaError(
            f"the code of a function can't be kept: {error.strerror or error}", hint="check the disk, or set TMPDIR"
        ) from None


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return base64.b64encode(hashlib.file_digest(file, "sha256").digest()).decode()


def _hex(code_sha256: str) -> str:
    return base64.b64decode(code_sha256).hex()
