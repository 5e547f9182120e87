from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.wheels.wheelmaker import make_wheel

from lamella.archive.entry import DamagedSourceError, Entry, content, from_bytes
from lamella.archive.writer import write
from lamella.digests import key_of
from lamella.files import state
from lamella.wheels import index
from lamella.wheels.admit import admit
from lamella.wheels.cache import Cache
from lamella.wheels.model import Wheel

FILENAME = "demo-1.0-py3-none-any.whl"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(str(tmp_path / "cache"))


@pytest.fixture
def adopted(cache: Cache) -> Wheel:
    partial = cache.partial("x")
    Path(partial).write_bytes(make_wheel("demo", "1.0", {"demo.py": "x = 1\n"}))
    return cache.adopt(admit(partial, filename=FILENAME))


def test_nothing_is_made_before_something_is_kept(cache: Cache, tmp_path: Path) -> None:
    assert cache.wheel("0" * 64) is None
    assert cache.recall("answers", "key") is None
    cache.discard(str(tmp_path / "none.whl"))
    assert not (tmp_path / "cache").exists()


def test_an_adopted_wheel_is_found(cache: Cache, adopted: Wheel) -> None:
    assert cache.wheel(adopted.sha256) == adopted
    assert adopted.path == os.path.join(cache.root, "wheels", adopted.sha256[:2], adopted.sha256 + ".whl")
    assert os.listdir(os.path.join(cache.root, "partial")) == [], "moved, not copied"


def test_another_process_finds_it_too(cache: Cache, adopted: Wheel) -> None:
    asked = (
        "import sys; from lamella.wheels.cache import Cache\n"
        "print(Cache(sys.argv[1]).wheel(sys.argv[2]).members[0].name)"
    )
    root = os.path.dirname(cache.root)
    done = subprocess.run(
        [sys.executable, "-c", asked, root, adopted.sha256], capture_output=True, text=True, check=True
    )
    assert done.stdout == "demo.py\n"


def test_a_discarded_wheel_is_gone(cache: Cache, adopted: Wheel) -> None:
    cache.discard(adopted.path)
    assert cache.wheel(adopted.sha256) is None
    assert os.listdir(os.path.dirname(adopted.path)) == []


def without(path: Path) -> None:
    path.unlink()


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def other(path: Path) -> None:
    path.write_bytes(b"00000000\n{}")


@pytest.mark.parametrize("damage", [without, flipped, cut, emptied, other])
def test_a_damaged_index_is_no_wheel(cache: Cache, adopted: Wheel, damage: Callable[[Path], None]) -> None:
    damage(Path(adopted.path).with_suffix(".json"))
    assert cache.wheel(adopted.sha256) is None


def test_an_index_without_its_wheel(cache: Cache, adopted: Wheel) -> None:
    os.unlink(adopted.path)
    assert cache.wheel(adopted.sha256) is None


def test_a_wheel_without_its_index(cache: Cache, adopted: Wheel) -> None:
    """Killed between the two: as if it had never been there, and it can be adopted again."""
    data = Path(adopted.path).read_bytes()
    Path(adopted.path).with_suffix(".json").unlink()
    assert cache.wheel(adopted.sha256) is None
    Path(cache.partial("x")).write_bytes(data)
    assert cache.adopt(admit(cache.partial("x"), filename=FILENAME)) == adopted


@pytest.mark.parametrize("answer", [None, 1, "größe", [1, [2, None]], {"a": {"b": []}}])
def test_answers(cache: Cache, answer: object) -> None:
    cache.remember("answers", "key", answer)
    assert cache.recall("answers", "key") == answer
    assert cache.recall("answers", "other") is None
    assert cache.recall("others", "key") is None


@pytest.mark.parametrize("damage", [flipped, cut, emptied, other])
def test_a_damaged_answer_is_none(cache: Cache, damage: Callable[[Path], None]) -> None:
    cache.remember("answers", "key", list(range(100)))
    damage(Path(cache.root, "memos", "answers", "key.json"))
    assert cache.recall("answers", "key") is None


def test_one_at_a_time_per_key(cache: Cache) -> None:
    """Whoever comes second waits, a thread as well as a process; another key does not wait."""
    inside, order = threading.Event(), []

    def second() -> None:
        inside.wait()
        with cache.locked("key"):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with cache.locked("key"):
        inside.set()
        with cache.locked("other"):
            order.append("other")
        order.append("first")
    thread.join()
    assert order == ["other", "first", "second"]


def test_the_lock_of_a_dead_process_is_free(cache: Cache) -> None:
    script = (
        "import os, sys; from lamella.wheels.cache import Cache\n"
        "with Cache(sys.argv[1]).locked('key'): os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", script, os.path.dirname(cache.root)], check=False)
    assert done.returncode == -9
    with cache.locked("key"):
        pass


def test_derived_members_are_kept_and_found_again(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    key = "ab" * 32
    assert cache.derived(key) is None
    made = [from_bytes("a.pyc", "pkg", b"a" * 1000), from_bytes("empty", "pkg", b""), from_bytes("b", "pkg", b"bytes")]
    kept = cache.derive(key, iter(made))
    assert cache.derived(key) == kept
    assert list(kept) == ["a.pyc", "empty", "b"]
    for entry in made:
        found = kept[entry.path]
        assert content(found) == content(entry)
        assert (found.method, found.crc, found.packed, found.size) == entry[3:7]
        assert zlib.crc32(entry.data or b"") == found.packed_crc
    assert [path.suffix for path in sorted((tmp_path / "v1/derived/ab").iterdir())] == [".json", ".pack"]


def test_derived_members_that_are_damaged_or_half_there_are_not_found(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    key = "ab" * 32
    kept = cache.derive(key, [from_bytes("a", "pkg", b"a")])
    index = tmp_path / f"v1/derived/ab/{key}.json"
    text = index.read_bytes()
    index.write_bytes(text.replace(b'"a"', b'"b"'))
    assert cache.derived(key) is None
    index.write_bytes(text)
    assert cache.derived(key) == kept
    cache.discard(kept["a"].source)
    assert cache.derived(key) is None
    assert not index.exists()


def test_deriving_that_fails_leaves_nothing(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))

    def failing() -> Iterator[Entry]:
        yield from_bytes("a", "pkg", b"a")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        cache.derive("ab" * 32, failing())
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_derived_entry_that_was_damaged_is_noticed_where_it_is_copied(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    kept = cache.derive("ab" * 32, [from_bytes("a", "pkg", b"abc" * 100)])
    pack = Path(kept["a"].source)
    pack.write_bytes(bytes([pack.read_bytes()[0] ^ 1]) + pack.read_bytes()[1:])
    with pytest.raises(DamagedSourceError) as caught:
        write(str(tmp_path / "layer.zip"), kept.values())
    assert caught.value.source == str(pack)


def test_all_damaged_derived_members_are_found_at_once(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    keys = [letter * 64 for letter in "abcd"]
    packs = [Path(cache.derive(key, [from_bytes("a", "p", b"abc" * 100)])["a"].source) for key in keys]
    packs[1].write_bytes(packs[1].read_bytes()[:-1])
    packs[2].unlink()
    packs[3].write_bytes(bytes([packs[3].read_bytes()[0] ^ 1]) + packs[3].read_bytes()[1:])
    cache.discard_damaged()
    assert [cache.derived(key) is not None for key in keys] == [True, False, False, False]
    assert packs[0].exists()
    assert not list(tmp_path.rglob("[bcd]*.json"))


def test_the_digest_of_a_zip_is_as_it_was_while_its_state_is_the_same(cache: Cache, tmp_path: Path) -> None:
    path = tmp_path / "layer.zip"
    assert cache.digest(str(path)) is None
    path.write_bytes(b"one")
    cache.remember("placed", key_of(str(path)), {"state": state(str(path)), "sha256": "known"})
    assert cache.digest(str(path)) == "known"
    path.write_bytes(b"two")
    os.utime(path, (1, 1))
    assert cache.digest(str(path)) == hashlib.sha256(b"two").hexdigest()


def test_what_was_learnt_elsewhere_is_known_without_the_file(adopted: Wheel, tmp_path: Path) -> None:
    data = index.to_json(adopted)
    other = Cache(str(tmp_path / "other"))
    known = other.learn(adopted.sha256, data)
    assert known is not None
    assert known._replace(path=adopted.path) == adopted
    assert other.known(adopted.sha256) == known
    assert other.wheel(adopted.sha256) is None
    partial = other.partial("x")
    Path(partial).write_bytes(Path(adopted.path).read_bytes())
    other.adopt(admit(partial, filename=FILENAME))
    assert other.wheel(adopted.sha256) == known


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"7", b'{"v": 0}'])
def test_what_is_no_index_is_not_learnt(cache: Cache, data: bytes) -> None:
    assert cache.learn("0" * 64, data) is None
    assert cache.known("0" * 64) is None


def test_what_is_of_another_wheel_is_not_learnt(cache: Cache, adopted: Wheel) -> None:
    assert cache.learn("0" * 64, index.to_json(adopted)) is None
    assert cache.wheel(adopted.sha256) == adopted


def test_a_file_that_nothing_is_known_of_is_not_taken_for_that_which_was_learnt(cache: Cache, adopted: Wheel) -> None:
    data = index.to_json(adopted)
    Path(adopted.path).with_suffix(".json").unlink()
    Path(adopted.path).write_bytes(b"not what was admitted")
    assert cache.learn(adopted.sha256, data) is not None
    assert cache.wheel(adopted.sha256) is None


def test_a_pack_of_another_machine_is_adopted(cache: Cache, tmp_path: Path) -> None:
    made = cache.derive("a" * 64, [from_bytes("one", "", b"1" * 99), from_bytes("two", "", b"2" * 99)])
    columns, path = cache.pack("a" * 64) or ((), "")
    other = Cache(str(tmp_path / "other"))
    (tmp_path / "sent").write_bytes(Path(path).read_bytes())
    assert other.adopt_pack("a" * 64, columns, str(tmp_path / "sent"))
    found = other.derived("a" * 64) or {}
    assert {name: content(entry) for name, entry in found.items()} == {"one": b"1" * 99, "two": b"2" * 99}
    assert [entry._replace(source="") for entry in found.values()] == [e._replace(source="") for e in made.values()]


@pytest.mark.parametrize(
    "columns",
    [
        None, 7, "sevenxx", {}, [], [[]] * 6, [[]] * 7,
        [["one"], [8], [1], [3], [3], [0]],
        [["one"], [8], [1], [3], [3], [0], [1]],
        [["one"], [8], [1], [4], [3], [0], [1]],
        [["one"], [8], [1], [3], [3], [-1], [1]],
        [["one"], [8], [1], [3.0], [3], [0], [1]],
        [[1], [8], [1], [3], [3], [0], [1]],
    ],
)  # fmt: skip
def test_columns_that_do_not_fit_their_pack_are_refused(cache: Cache, tmp_path: Path, columns: object) -> None:
    (tmp_path / "sent").write_bytes(b"abc")
    assert not cache.adopt_pack("a" * 64, columns, str(tmp_path / "sent"))
    assert cache.derived("a" * 64) is None
    assert not os.path.exists(os.path.join(cache.root, "derived"))
