"""The cache's side: zips by their digest, and what AWS said of them.

<root>/v1/deployed/<sha256>.zip              a layer version's or function's zip, as AWS has it; or one laid out anew
<root>/v1/deployed/layers/<key>.json         a layer version.  One file for each of its names: ARN, NAME:VERSION, …
<root>/v1/deployed/functions/<key>.json      a function as it was when last pulled, without the values of its variables
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from _thread import get_ident
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from lamella.deployed.model import Deployed, DeployedFunction, DeployedLayer, Reference
from lamella.digests import key_of
from lamella.files import sha256_of, write_atomic

_PARTIAL = ".partial"
# What nobody asked for in this time is removed when something new comes, in seconds
_UNUSED = 60 * 24 * 3600
# What a killed process left
_ABANDONED = 3600
# Known only in the process that asked, or found anew
_NOT_KEPT = ("environment", "layers", "path", "fetched")


def place(sha256: str, root: str) -> str:
    """Where the zip with this digest (hex) lies, or would."""
    return os.path.join(root, "v1", "deployed", f"{sha256}.zip")


def proven(sha256: str, root: str) -> str | None:
    """The path of the zip with this digest, read once to prove it; None, and nothing left, where it isn't that."""
    path = place(sha256, root)
    found = sha256_of(path)
    if found == sha256:
        with contextlib.suppress(OSError):
            os.utime(path)
        return path
    if found is not None:
        with contextlib.suppress(FileNotFoundError):  # another process has found it out, too
            os.unlink(path)
    return None


@contextlib.contextmanager
def arriving(sha256: str, root: str) -> Iterator[BinaryIO]:
    """A file to write to; it gets the digest's name when the block ends well, else it is removed."""
    path = place(sha256, root)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    _tidy(os.path.dirname(path))
    partial = f"{path}.{os.getpid()}-{get_ident()}{_PARTIAL}"
    try:
        with open(partial, "wb") as file:
            yield file
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)
        raise


def adopt(made: str, sha256: str, root: str) -> str:
    """Give a finished zip its digest's name."""
    path = place(sha256, root)
    os.replace(made, path)
    return path


def remember(what: DeployedFunction | DeployedLayer, names: Iterable[str], root: str) -> None:
    """Write down what was pulled, for each of the names that it may be asked for by."""
    tree = {name: value for name, value in what._asdict().items() if name not in _NOT_KEPT}
    tree["unpackable"] = what.unpackable[1]
    data = json.dumps(tree, indent=1).encode()
    for name in names:
        path = _record(type(what), name, root)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # The digest of the rest stands first: what was damaged is no answer
        write_atomic(path, hashlib.sha256(data).hexdigest().encode() + b"\n" + data, flush=False)


def layer(arn: str, root: str) -> DeployedLayer | None:
    """The layer version with this ARN (or NAME:VERSION, as last pulled), if it was pulled and is still there.

    Its zip is not read here: `sandbox.unpack` proves the digest where it reads it.
    """
    tree = _read(_record(DeployedLayer, arn, root))
    if tree is None:
        return None
    try:
        return _present(DeployedLayer(**_tuples(tree)), root)
    except (TypeError, ValueError):
        return None


def function(reference: Reference, root: str) -> DeployedFunction | None:
    """The function as it was last pulled, with its layers, if all of it is still there; as `layer`."""
    tree = _read(_record(DeployedFunction, str(reference), root))
    if tree is None:
        return None
    try:
        found = _present(DeployedFunction(**_tuples(tree)), root)
    except (TypeError, ValueError):
        return None
    if found is None:
        return None
    layers = [layer(arn, root) for arn in found.layer_arns]
    whole = tuple(one for one in layers if one is not None)
    return found._replace(layers=whole) if len(whole) == len(layers) else None


def _present(found: Deployed, root: str) -> Deployed | None:
    """What was read, with the paths of its zips; None where one is gone."""
    path = place(found.sha256, root)
    readable = str(found.unpackable)
    unpackable = (place(readable, root), readable)
    if not (os.path.isfile(path) and os.path.getsize(path) == found.size and os.path.isfile(unpackable[0])):
        return None
    for one in {path, unpackable[0]}:
        with contextlib.suppress(OSError):
            os.utime(one)
    return found._replace(path=path, unpackable=unpackable)


def _record(kind: type, name: str, root: str) -> str:
    folder = "layers" if kind is DeployedLayer else "functions"
    return os.path.join(root, "v1", "deployed", folder, f"{key_of(name)}.json")


def _read(path: str) -> dict[str, Any] | None:
    try:
        with open(path, "rb") as file:
            digest, data = file.readline().strip(), file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if digest != hashlib.sha256(data).hexdigest().encode():
        return None
    tree: dict[str, Any] = json.loads(data)
    return tree


def _tuples(tree: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in tree.items()}


def _tidy(folder: str) -> None:
    """Remove what was left half made, and what nobody used for long."""
    now = time.time()
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.is_file(follow_symlinks=False):
                continue
            age = now - entry.stat(follow_symlinks=False).st_mtime
            if age > (_ABANDONED if entry.name.endswith(_PARTIAL) else _UNUSED):
                os.unlink(entry.path)
