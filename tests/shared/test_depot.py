from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from tests.shared.fake import Memory

from lamella.aws import DeniedError, UnreachableError
from lamella.errors import LamellaError
from lamella.shared.depot import Offer
from lamella.shared.model import Blob
from lamella.shared.record import LARGEST, blob_key, object_key, to_bytes


@pytest.fixture
def memory() -> Memory:
    return Memory()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def published(memory: Memory, tmp_path: Path, data: bytes = b"content", key: str = "ab") -> Blob:
    """A layer under `key`, by another machine.  Nothing is noted of it."""
    path = tmp_path / "published"
    path.write_bytes(data)
    depot = memory.depot()
    assert depot.find("layer", key) is None
    depot.offer(Offer("layer", key, {"n": 1}, {"file": str(path)}))
    depot.publish()
    assert depot.warnings == []
    memory.asked.clear()
    return Blob(digest(data), len(data))


def test_what_one_gives_another_finds(memory: Memory, tmp_path: Path) -> None:
    blob = published(memory, tmp_path)
    depot = memory.depot()
    found = depot.find("layer", "ab")
    assert found is not None
    assert (found.files, found.facts) == ({"file": blob}, {"n": 1})
    assert depot.fetch("layer", "ab", blob, str(tmp_path / "here"))
    assert (tmp_path / "here").read_bytes() == b"content"
    assert memory.calls() == {"get keys": 1, "fetch blobs": 1}
    assert depot.fetched == len(b"content") + len(memory.held[object_key("layer", "ab")])
    assert depot.find("wheel", "ab") is None
    assert depot.warnings == []


def test_blobs_are_given_before_their_reference(memory: Memory, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    depot = memory.depot()
    depot.find("layer", "ab")
    depot.offer(Offer("layer", "ab", None, {"file": str(tmp_path / "a")}))
    assert memory.writes() == []
    depot.publish()
    assert memory.writes() == [blob_key(digest(b"a")), object_key("layer", "ab")]
    depot.publish()
    assert len(memory.writes()) == 2


def test_what_is_there_is_not_given_again(memory: Memory, tmp_path: Path) -> None:
    published(memory, tmp_path)
    depot = memory.depot()
    depot.find("layer", "ab")
    offer = Offer("layer", "ab", None, {"file": str(tmp_path / "published")})
    depot.offer(offer)
    depot.publish()
    assert memory.calls() == {"get keys": 1}
    another = memory.depot()
    another.offer(offer._replace(known=False))
    another.publish()
    assert memory.calls() == {"get keys": 1, "has keys": 1}


def test_a_large_blob_that_is_there_is_not_sent(memory: Memory, tmp_path: Path) -> None:
    data = bytes(1 << 20)
    published(memory, tmp_path, data, "one")
    published(memory, tmp_path, data, "two")
    depot = memory.depot()
    depot.offer(Offer("layer", "three", None, {"file": str(tmp_path / "published")}))
    depot.publish()
    assert memory.calls() == {"has blobs": 1, "put keys": 1}
    # One that was cut is not it
    memory.held[blob_key(digest(data))] = data[:-1]
    depot = memory.depot()
    depot.offer(Offer("layer", "four", None, {"file": str(tmp_path / "published")}))
    depot.publish()
    assert memory.held[blob_key(digest(data))] == data


def test_who_may_only_read_gives_nothing(memory: Memory, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    depot = memory.depot(writes=False)
    depot.find("layer", "ab")
    depot.offer(Offer("layer", "ab", None, {"file": str(tmp_path / "a")}))
    depot.publish()
    assert memory.calls() == {"get keys": 1}


@pytest.mark.parametrize("poison", [b"evil!!!", b"conten", b""])
def test_a_poisoned_blob_is_refused_and_replaced(memory: Memory, tmp_path: Path, poison: bytes) -> None:
    blob = published(memory, tmp_path)
    memory.held[blob_key(blob.sha256)] = poison
    here = tmp_path / "here"
    for writes in (False, True):
        depot = memory.depot(writes=writes)
        assert depot.find("layer", "ab") is not None
        assert not depot.fetch("layer", "ab", blob, str(here))
        assert not here.exists()
        assert sorted(os.listdir(tmp_path)) == ["published"]
        then = "a good one takes its place" if writes else "it is read only here, and stays"
        assert depot.warnings == [
            f"`v1/blobs/{blob.sha256}` of the shared cache `s3://built/ci` is refused: "
            f"its bytes are not those of its digest; {then}"
        ]
        assert depot.lacks("layer", "ab")
        depot.offer(Offer("layer", "ab", {"n": 1}, {"file": str(tmp_path / "published")}))
        depot.publish()
        assert memory.held[blob_key(blob.sha256)] == (b"content" if writes else poison)
    assert memory.depot().fetch("layer", "ab", blob, str(here))


def test_a_poisoned_blob_is_asked_for_once(memory: Memory, tmp_path: Path) -> None:
    blob = published(memory, tmp_path)
    memory.held[blob_key(blob.sha256)] = b"evil!!!"
    depot = memory.depot()
    assert not depot.fetch("layer", "ab", blob, str(tmp_path / "here"))
    assert not depot.fetch("layer", "ab", blob, str(tmp_path / "here"))
    assert memory.calls() == {"fetch blobs": 1}
    assert len(depot.warnings) == 1


def test_a_blob_that_is_gone_is_no_matter(memory: Memory, tmp_path: Path) -> None:
    """The rules of a bucket may delete what is old, blobs before their references."""
    blob = published(memory, tmp_path)
    del memory.held[blob_key(blob.sha256)]
    depot = memory.depot()
    assert depot.find("layer", "ab") is not None
    assert not depot.fetch("layer", "ab", blob, str(tmp_path / "here"))
    assert depot.warnings == []
    depot.offer(Offer("layer", "ab", {"n": 1}, {"file": str(tmp_path / "published")}))
    depot.publish()
    assert memory.held[blob_key(blob.sha256)] == b"content"


@pytest.mark.parametrize("how", ["flip", "cut", "empty", "other"])
def test_a_poisoned_reference_is_refused_and_replaced(memory: Memory, tmp_path: Path, how: str) -> None:
    published(memory, tmp_path)
    place = object_key("layer", "ab")
    good = memory.held[place]
    poison = {
        "flip": good[:80] + bytes([good[80] ^ 1]) + good[81:],
        "cut": good[:-1],
        "empty": b"",
        # One that was written for another key, put here: an older layer, whose hole was mended since
        "other": to_bytes("layer", "cd", {}, {"n": 1}),
    }[how]
    memory.held[place] = poison
    depot = memory.depot()
    assert depot.find("layer", "ab") is None
    (told,) = depot.warnings
    assert told.startswith(f"`{place}` of the shared cache `s3://built/ci` is refused: ")
    assert depot.find("layer", "ab") is None
    assert memory.calls() == {"get keys": 1}
    depot.offer(Offer("layer", "ab", {"n": 1}, {"file": str(tmp_path / "published")}))
    depot.publish()
    assert memory.held[place] == good


ERRORS: list[LamellaError] = [
    UnreachableError("could not read `x`", why=["nobody answers"], hint="check the network"),
    DeniedError("could not read `x`", action="s3:GetObject", why=["AccessDenied"], hint="let a policy allow it"),
    LamellaError("there are no AWS credentials", hint="log in"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_what_fails_is_told_once_and_not_asked_again(memory: Memory, tmp_path: Path, error: LamellaError) -> None:
    blob = published(memory, tmp_path)
    memory.fault = lambda call, key: error  # noqa: ARG005
    depot = memory.depot()
    assert depot.find("layer", "ab") is None
    assert depot.find("layer", "cd") is None
    assert not depot.fetch("layer", "ab", blob, str(tmp_path / "here"))
    depot.offer(Offer("layer", "cd", None, {"file": str(tmp_path / "published")}))
    depot.publish()
    assert memory.calls() == {"get keys": 1}
    why = f" ({error.why[0]})" if error.why else ""
    assert depot.warnings == [
        f"this build goes on without the shared cache `s3://built/ci`: {error.what}{why}; {error.hint}"
    ]


def test_a_blob_is_not_read_beyond_its_size(memory: Memory, tmp_path: Path) -> None:
    blob = published(memory, tmp_path)
    memory.held[blob_key(blob.sha256)] = bytes(4 << 20)
    depot = memory.depot()
    assert not depot.fetch("layer", "ab", blob, str(tmp_path / "here"))
    assert memory.sent == memory.piece
    assert depot.warnings == [
        f"`v1/blobs/{blob.sha256}` of the shared cache `s3://built/ci` is refused: "
        "it has more than its 7 bytes; a good one takes its place"
    ]
    assert sorted(os.listdir(tmp_path)) == ["published"]
    depot.offer(Offer("layer", "ab", {"n": 1}, {"file": str(tmp_path / "published")}))
    depot.publish()
    assert memory.held[blob_key(blob.sha256)] == b"content"


def test_a_reference_is_not_read_beyond_what_one_can_have(memory: Memory) -> None:
    memory.piece = 8 << 20
    memory.held[object_key("layer", "ab")] = bytes(LARGEST + (32 << 20))
    depot = memory.depot(writes=False)
    assert depot.find("layer", "ab") is None
    assert memory.sent == LARGEST + memory.piece
    assert depot.warnings == [
        f"`{object_key('layer', 'ab')}` of the shared cache `s3://built/ci` is refused: it has more than 64 MiB; "
        "it is read only here, and stays"
    ]


def test_a_disk_that_takes_no_more_ends_no_build(memory: Memory, tmp_path: Path) -> None:
    blob = published(memory, tmp_path)
    depot = memory.depot()
    here = tmp_path / "gone" / "here"
    assert not depot.fetch("layer", "ab", blob, str(here))
    assert depot.warnings == [
        "this build goes on without the shared cache `s3://built/ci`: could not keep what it has "
        f"(`{here}`: No such file or directory)"
    ]
    assert depot.find("layer", "cd") is None
    assert memory.calls() == {"fetch blobs": 1}


def test_one_that_is_slow_is_not_waited_for(memory: Memory) -> None:
    memory.takes = 4
    depot = memory.depot()
    for n in range(20):
        assert depot.find("layer", str(n)) is None
    assert memory.calls() == {"get keys": 8}
    assert depot.warnings == [
        "this build goes on without the shared cache `s3://built/ci`: it is too slow (0.0 MB in 32 s)"
    ]


@pytest.mark.parametrize(("takes", "quick"), [(1.5, False), (0.25, True)])
def test_what_comes_may_take_as_long_as_its_bytes_do(memory: Memory, tmp_path: Path, takes: float, quick: bool) -> None:
    """Sixteen MiB in pieces of 256 KiB: at 512 KiB/s half a second each."""
    blob = published(memory, tmp_path, bytes(16 << 20))
    memory.takes = takes
    depot = memory.depot()
    assert depot.fetch("layer", "ab", blob, str(tmp_path / "here")) == quick
    assert (memory.seconds, memory.sent == blob.size) == ((16.25, True) if quick else (45.0, False))
    assert bool(depot.warnings) != quick


@pytest.mark.parametrize("call", ["put_file", "put"])
def test_what_can_not_be_given_is_told_once(memory: Memory, tmp_path: Path, call: str) -> None:
    memory.fault = lambda asked, key: ERRORS[1] if asked == call else None  # noqa: ARG005
    (tmp_path / "a").write_bytes(b"a")
    depot = memory.depot()
    for key in "abc":
        assert depot.find("layer", key) is None
        depot.offer(Offer("layer", key, None, {"file": str(tmp_path / "a")}))
    depot.publish()
    assert len(depot.warnings) == 1
    assert memory.below("keys") == []


def test_a_file_that_is_gone_is_not_given(memory: Memory, tmp_path: Path) -> None:
    depot = memory.depot()
    depot.find("layer", "ab")
    depot.offer(Offer("layer", "ab", None, {"file": str(tmp_path / "absent")}))
    depot.publish()
    assert (memory.held, depot.warnings) == ({}, [])


def test_together_does_all(memory: Memory) -> None:
    done: list[int] = []
    memory.depot().together(done.append, range(40))
    assert sorted(done) == list(range(40))

    def fails(n: int) -> None:
        if n == 7:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        memory.depot().together(fails, range(40))
