from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from tests.archive.building import deflate

from lamella.archive.proof import Proof
from lamella.archive.reader import RawMember
from lamella.errors import ArchiveError

TEXT = b"a few words, again and again\n" * 200_000
NOISE = hashlib.shake_128(b"noise").digest(700_000)


class Prove(Protocol):
    def __call__(self, stored: bytes, content: bytes, method: int = 8, **change: int) -> Proof: ...


@pytest.fixture
def prove(tmp_path: Path) -> Iterator[Prove]:
    """Give a function that stores bytes in a file and proves that they are `content`."""
    with open(tmp_path / "data", "w+b", buffering=0) as file:

        def proof_of(stored: bytes, content: bytes, method: int = 8, **change: int) -> Proof:
            file.write(b"front" + stored)
            member = RawMember("m", 5, len(stored), len(content), zlib.crc32(content), method, 0o644, False)
            return Proof(file.fileno(), member._replace(**change), "some.zip")  # type: ignore[arg-type]

        yield proof_of


@pytest.mark.parametrize("content", [b"", b"x", TEXT, NOISE, bytes(5_000_000), NOISE * 3])
@pytest.mark.parametrize("method", [0, 8])
def test_pieces(prove: Prove, content: bytes, method: int) -> None:
    stored = deflate(content) if method else content
    proof = prove(stored, content, method)
    pieces = list(proof.pieces())
    assert b"".join(pieces) == content
    assert all(0 < len(piece) <= 1024 * 1024 for piece in pieces)
    assert proof.packed_crc == zlib.crc32(stored)


def test_feed(prove: Prove) -> None:
    stored = deflate(TEXT)
    proof = prove(stored, TEXT)
    digest = hashlib.sha256()
    assert proof.feed(digest) == zlib.crc32(stored)
    assert digest.digest() == hashlib.sha256(TEXT).digest()


@pytest.mark.parametrize(
    ("stored", "content", "why"),
    [
        (deflate(TEXT), TEXT + b"x", "less than"),
        (deflate(TEXT), TEXT[:-1], "more than"),
        (deflate(TEXT), b"", "more than"),
        (deflate(TEXT)[:-4], TEXT, "no end"),
        (deflate(TEXT) + b"\0", TEXT, "behind the end"),
        (deflate(TEXT) + deflate(TEXT), TEXT, "behind the end"),
        (deflate(NOISE) + bytes(600_000), NOISE, "behind the end"),
        (b"", b"", "no end"),
        (b"\7", b"", "damaged"),
        (deflate(NOISE)[:1000] + b"\xff" * 9, NOISE, "damaged|no end"),
    ],
)
def test_what_lies_is_refused(prove: Prove, stored: bytes, content: bytes, why: str) -> None:
    proof = prove(stored, content)
    with pytest.raises(ArchiveError) as refused:
        proof.feed()
    assert any(word in refused.value.why[0] for word in why.split("|"))


def test_crc(prove: Prove) -> None:
    proof = prove(deflate(TEXT), TEXT, crc=1)
    with pytest.raises(ArchiveError, match="00000001"):
        proof.feed()


def test_file_that_was_cut_off(prove: Prove) -> None:
    proof = prove(TEXT, TEXT, 0, packed=len(TEXT) + 100, size=len(TEXT) + 100)
    with pytest.raises(ArchiveError, match="cut off"):
        proof.feed()


def test_a_bomb_is_stopped_early(prove: Prove) -> None:
    """What is said to be small is not inflated further than one byte beyond."""
    bomb = deflate(bytes(50_000_000))
    proof = prove(bomb, b"x" * 100)
    given = bytearray()
    with pytest.raises(ArchiveError, match="more than"):
        given.extend(byte for piece in proof.pieces() for byte in piece)
    assert len(given) <= 101


def test_every_changed_byte_of_a_stream_is_noticed(tmp_path: Path) -> None:
    """A stream that gives a thousand times its size: zlib finds some damage only while it flushes."""
    content = bytes(1_100_000)
    stored = deflate(content)
    member = RawMember("m", 0, len(stored), len(content), zlib.crc32(content), 8, 0o644, False)
    with open(tmp_path / "data", "w+b", buffering=0) as file:
        for at in range(len(stored)):
            file.seek(0)
            file.write(stored[:at] + bytes([stored[at] ^ 0xFF]) + stored[at + 1 :])
            with pytest.raises(ArchiveError):
                Proof(file.fileno(), member, "some.zip").feed()
