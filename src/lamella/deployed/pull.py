"""What is deployed, brought here: asked for, downloaded, proven by AWS's CodeSha256, and kept.

A layer version never changes: one that was pulled is not asked for again.  A function is asked for each time, and its
zip downloaded only where its digest is new.
"""

from __future__ import annotations

import base64
import hashlib
import os
import time
from collections.abc import Callable

from lamella.aws import ExpiredError, NotThereError, UnreachableError
from lamella.deployed import kept
from lamella.deployed.model import (
    FUNCTION,
    LAYER,
    Deployed,
    DeployedFunction,
    DeployedLayer,
    Lambda,
    Offered,
    Progress,
    Reference,
)
from lamella.errors import ArchiveError, OfflineError, OutsideError

Wait = Callable[[float], None]

# A package may have 250 MB unzipped, and no zip is much larger than what is in it
MOST = 512 * 1024**2
_TRIES = 4
_MOUNTS = {LAYER: "/opt", FUNCTION: "/var/task"}


class _OtherError(OutsideError):
    """Other bytes came than AWS's digest promised."""


def pull(
    port: Lambda, reference: Reference, root: str, progress: Progress | None = None, *, wait: Wait = time.sleep
) -> DeployedFunction | DeployedLayer:  # fmt: skip
    """What `reference` names; where it doesn't tell its kind, AWS is asked for a function, then for a layer.

    `root` is the cache's.  Raises what `pull_function` and `pull_layer` do.
    """
    if reference.kind == LAYER:
        return pull_layer(port, reference, root, progress, wait=wait)
    try:
        return pull_function(port, reference, root, progress, wait=wait)
    except NotThereError as error:
        if reference.kind == FUNCTION:
            raise
        no_function = error
    # A function's alias is no version of a layer
    layer = reference._replace(kind=LAYER)
    if not reference.qualifier or (reference.qualifier.isdigit() and int(reference.qualifier)):
        try:
            return pull_layer(port, layer, root, progress, wait=wait)
        except NotThereError as error:
            why = (*no_function.why, *error.why)
    else:
        why = no_function.why
    raise NotThereError(f"there is neither a function nor a layer `{reference}`", why=why, hint=no_function.hint)


def pull_function(
    port: Lambda, reference: Reference, root: str, progress: Progress | None = None, *, wait: Wait = time.sleep
) -> DeployedFunction:  # fmt: skip
    """The function with its layers, all in the cache; its environment only in what is returned.

    Raises NotThereError, UsageError for a container image, OutsideError, LamellaError where AWS can't be asked,
    ArchiveError for a zip that can't be unpacked here, OSError.
    """
    found = _brought(port, lambda: port.function(reference.name, reference.qualifier), root, progress, wait)
    found = _readable(found, FUNCTION, root)
    layers = tuple(
        pull_layer(port, Reference(LAYER, *_versioned(arn)), root, progress, wait=wait) for arn in found.layer_arns
    )
    found = found._replace(layers=layers)
    names = {str(reference), *(str(Reference("", name, reference.qualifier)) for name in (found.name, found.arn))}
    kept.remember(found, names, root)
    return found


def pull_layer(
    port: Lambda, reference: Reference, root: str, progress: Progress | None = None, *, wait: Wait = time.sleep
) -> DeployedLayer:  # fmt: skip
    """The version of the layer, the newest where none is named, in the cache.  Raises what `pull_function` does."""
    version = int(reference.qualifier) if reference.qualifier else port.newest(reference.name)
    arn = f"{reference.name}:{version}"
    known = kept.layer(arn, root) if arn.startswith("arn:") else None
    if known is not None and kept.proven(known.sha256, root):
        found = known
    else:
        found = _brought(port, lambda: port.layer(reference.name, version), root, progress, wait)
    found = _readable(found, LAYER, root)
    kept.remember(found, {str(reference), found.arn, arn, f"{found.name}:{version}"}, root)
    return found


def recall(reference: Reference, root: str) -> DeployedFunction | DeployedLayer:
    """What was last pulled by this name, its zips proven once more.  AWS is not asked.  Raises OfflineError."""
    found = kept.function(reference, root) if reference.kind != LAYER else None
    other = kept.layer(str(reference), root) if reference.kind != FUNCTION else None
    one = found or other
    zips: list[DeployedFunction | DeployedLayer] = [one] if one else []
    if isinstance(one, DeployedFunction):
        zips += one.layers
    if one is None or not all(kept.proven(sha256, root) for zipped in zips for sha256 in _digests(zipped)):
        raise OfflineError(
            f"`{reference}` is not in the cache, and `--offline` was given",
            hint="pull it once without `--offline`",
        )
    return one


def _digests(zipped: DeployedFunction | DeployedLayer) -> set[str]:
    return {zipped.sha256, zipped.unpackable[1]}


def _versioned(arn: str) -> tuple[str, str]:
    name, _, version = arn.rpartition(":")
    return name, version


def _brought(
    port: Lambda, ask: Callable[[], Offered[Deployed]], root: str, progress: Progress | None, wait: Wait
) -> Deployed:  # fmt: skip
    """What AWS offers, its zip in the cache.  It is asked once more where its link has expired or leads elsewhere:

    a link is valid for ten minutes, and somebody may deploy between question and download.
    """
    offered = ask()
    for last in (False, True):
        path = kept.proven(offered.what.sha256, root)
        if path is not None:
            return offered.what._replace(path=path)
        try:
            return offered.what._replace(path=_download(port, offered, root, progress, wait), fetched=True)
        except (ExpiredError, _OtherError):
            if last:
                raise
        offered = ask()
    raise AssertionError


def _download(
    port: Lambda, offered: Offered[Deployed], root: str, progress: Progress | None, wait: Wait
) -> str:  # fmt: skip
    """Download the zip to its place.  Continued where the connection broke, while this runs; else all or nothing."""
    what = offered.what
    label = f"{what.name}:{what.version}"
    if progress:
        progress.began(label, what.size)
    try:
        with kept.arriving(what.sha256, root) as file:
            digest, have = hashlib.sha256(), 0
            for attempt in range(1, _TRIES + 1):
                try:
                    with port.content(offered.location, have) as pieces:
                        for piece in pieces:
                            file.write(piece)
                            digest.update(piece)
                            have += len(piece)
                            _refuse_endless(have, label)
                            if progress:
                                progress.received(label, len(piece))
                    break
                except UnreachableError:
                    if attempt == _TRIES:
                        raise
                    wait(0.5 * 2**attempt)
            if digest.hexdigest() != what.sha256:
                raise _other(label, what.code_sha256, digest.digest(), have)
    finally:
        if progress:
            progress.ended(label)
    return kept.place(what.sha256, root)


def _refuse_endless(have: int, label: str) -> None:
    if have > MOST:
        raise OutsideError(
            f"the zip of `{label}` has more than {MOST} bytes", hint="Lambda takes none that is so large"
        )


def _other(label: str, expected: str, found: bytes, size: int) -> _OtherError:
    return _OtherError(
        f"what was downloaded is not `{label}`",
        why=[f"its CodeSha256 is {expected}", f"the {size} bytes that came have {base64.b64encode(found).decode()}"],
        hint="nothing was kept; try again",
    )


def _readable(found: Deployed, kind: str, root: str) -> Deployed:
    """With what `sandbox.unpack` is to take: the zip, or one laid out anew.  Raises ArchiveError."""
    from lamella.deployed import relaid

    if found.unpackable[1] not in ("", found.sha256) and kept.proven(found.unpackable[1], root):
        return found
    strict = relaid.objection(found.path)
    if strict is None:
        return found._replace(unpackable=(found.path, found.sha256))
    made = f"{found.path}.{os.getpid()}-anew.partial"
    try:
        written = relaid.lay_anew(found.path, made, mount=_MOUNTS[kind])
    except ArchiveError as error:
        raise ArchiveError(
            f"the zip of `{found.name}:{found.version}` can't be unpacked here",
            why=[relaid.said(error), f"it lies at `{found.path}`, as AWS has it"],
            hint="zip it again with `lamella build`, `zip -r` or Python's zipfile, and deploy that",
        ) from None
    return found._replace(unpackable=(kept.adopt(made, written.sha256, root), written.sha256))
