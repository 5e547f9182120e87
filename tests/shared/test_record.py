from __future__ import annotations

import hashlib
import json
import zlib
from typing import Any

import pytest

from lamella.shared.model import Blob
from lamella.shared.record import DamagedReferenceError, blob_key, from_bytes, object_key, to_bytes

DIGEST = hashlib.sha256(b"").hexdigest()


def sealed(tree: Any) -> bytes:
    data = zlib.compress(tree if isinstance(tree, bytes) else json.dumps(tree).encode())
    return hashlib.sha256(data).hexdigest().encode() + b"\n" + data


def test_what_is_written_is_read() -> None:
    files = {"file": Blob(DIGEST, 3)}
    found = from_bytes("layer", "ab", to_bytes("layer", "ab", files, {"facts": [1, None]}))
    assert found == (object_key("layer", "ab"), files, {"facts": [1, None]})


def test_the_same_facts_give_the_same_bytes() -> None:
    assert to_bytes("layer", "ab", {}, [1]) == to_bytes("layer", "ab", {}, [1])


def test_keys_name_the_kind_and_what_was_asked() -> None:
    assert len({object_key("wheel", "ab"), object_key("layer", "ab"), object_key("layer", "ac")}) == 3
    assert object_key("wheel", "ab").startswith("v1/keys/")
    assert blob_key(DIGEST) == f"v1/blobs/{DIGEST}"


def test_no_byte_can_change() -> None:
    data = to_bytes("layer", "ab", {"file": Blob(DIGEST, 3)}, None)
    for at in range(len(data)):
        for changed in (data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :], data[:at]):
            with pytest.raises(DamagedReferenceError):
                from_bytes("layer", "ab", changed)


TREE: dict[str, Any] = {"kind": "layer", "key": "ab", "files": {}, "facts": None}


@pytest.mark.parametrize(
    "tree",
    [
        {**TREE, "key": "ac"},
        {**TREE, "kind": "wheel"},
        {**TREE, "files": {"file": ["../../etc/passwd", 3]}},
        {**TREE, "files": {"file": [DIGEST.upper(), 3]}},
        {**TREE, "files": {"file": [DIGEST, -1]}},
        {**TREE, "files": {"file": [DIGEST, "3"]}},
        {**TREE, "files": {"file": [DIGEST]}},
        {**TREE, "files": {"file": [7, 3]}},
        {**TREE, "files": ["file"]},
        {name: value for name, value in TREE.items() if name != "facts"},
        [],
        None,
        b"{",
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_what_holds_together_and_is_none_is_refused(tree: Any) -> None:
    with pytest.raises(DamagedReferenceError):
        from_bytes("layer", "ab", sealed(tree))


def test_one_that_unpacks_to_too_much_is_refused() -> None:
    with pytest.raises(DamagedReferenceError, match="more than 64 MiB"):
        from_bytes("layer", "ab", sealed(b" " * (65 << 20)))


def test_sealed_alone_is_read() -> None:
    assert from_bytes("layer", "ab", sealed(TREE)).files == {}
