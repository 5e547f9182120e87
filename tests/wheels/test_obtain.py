from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.wheels.index_server import Answer, CutOff, IndexServer, Instead
from tests.wheels.wheelmaker import make_wheel, sha256, wheel_filename

from lamella.errors import ArchiveError, OfflineError, OutsideError
from lamella.index.settings import IndexSettings
from lamella.lock.model import LockedFile
from lamella.wheels.cache import Cache
from lamella.wheels.obtain import Silent, Source, Wanted


class Watcher:
    """A Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.told: list[str] = []
        self.bytes: dict[str, int] = {}

    def began(self, filename: str, size: int | None) -> None:
        with self.lock:
            self.told.append(f"began {filename} {size}")

    def received(self, filename: str, count: int) -> None:
        with self.lock:
            self.bytes[filename] = self.bytes.get(filename, 0) + count

    def ended(self, filename: str) -> None:
        with self.lock:
            self.told.append(f"ended {filename}")

    def said(self, text: str) -> None: ...
    def close(self) -> None: ...


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(str(tmp_path / "cache"))


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def source(cache: Cache, watcher: Watcher) -> Iterator[Source]:
    with Source(cache, IndexSettings, offline=False, progress=watcher) as opened:
        yield opened


def offer(index: IndexServer, name: str, *, hashes: bool = True, size: bool = True, fill: int = 10) -> Wanted:
    filename = wheel_filename(name, "1.0")
    data = make_wheel(name, "1.0", {f"{name}.py": os.urandom(fill).hex()})
    url = index.add(filename, data)
    pinned = (("sha256", sha256(data)),) if hashes else ()
    return Wanted(name, "1.0", LockedFile(filename, url=url, size=len(data) if size else None, hashes=pinned))


def path_of(wanted: Wanted) -> str:
    return f"/files/{wanted.file.filename}"


def test_fetched_once(index: IndexServer, cache: Cache, source: Source, watcher: Watcher) -> None:
    wanted = [offer(index, name) for name in ("one", "two", "three")]
    wheels = source.wheels(wanted)
    assert [wheel.name for wheel in wheels] == ["one", "two", "three"], "in the order asked for"
    assert source.fetched == sum(item.file.size or 0 for item in wanted)
    assert watcher.bytes == {item.file.filename: item.file.size for item in wanted}
    assert len(index.seen) == 3
    assert source.wheels(wanted) == wheels
    with Source(cache, IndexSettings, offline=True, progress=Silent()) as another:
        assert another.wheels(wanted) == wheels
        assert another.fetched == 0
    assert len(index.seen) == 3


def test_no_connection_before_something_is_missing(index: IndexServer, cache: Cache, source: Source) -> None:
    wanted = [offer(index, "one")]
    source.wheels(wanted)

    def never() -> IndexSettings:
        raise AssertionError("nothing is missing")

    with Source(cache, never, offline=False, progress=Silent()) as another:
        assert len(another.wheels(wanted)) == 1


def test_files_by_path(tmp_path: Path, source: Source) -> None:
    data = make_wheel("demo", "1.0", {"demo.py": ""})
    path = tmp_path / wheel_filename("demo", "1.0")
    path.write_bytes(data)
    (wheel,) = source.wheels(
        [Wanted("demo", "1.0", LockedFile(path.name, path=str(path), hashes=(("sha256", sha256(data)),)))]
    )
    assert Path(wheel.path).read_bytes() == data
    assert path.exists()
    assert source.fetched == 0


def test_a_file_by_path_that_is_gone(tmp_path: Path, source: Source) -> None:
    path = tmp_path / wheel_filename("demo", "1.0")
    with pytest.raises(OutsideError, match="can't be read"):
        source.wheels([Wanted("demo", "1.0", LockedFile(path.name, path=str(path)))])


def test_a_wrong_hash_leaves_nothing(index: IndexServer, cache: Cache, source: Source) -> None:
    wanted = offer(index, "demo", size=False)
    index.always(path_of(wanted), Instead(make_wheel("demo", "1.0", {"demo.py": "evil = 1"})))
    with pytest.raises(ArchiveError):
        source.wheels([wanted])
    assert os.listdir(os.path.join(cache.root, "partial")) == []
    assert not os.path.exists(os.path.join(cache.root, "wheels"))


def test_without_a_hash_the_file_is_named_by_its_own(index: IndexServer, cache: Cache, source: Source) -> None:
    (wheel,) = source.wheels([offer(index, "demo", hashes=False)])
    assert sha256(Path(wheel.path).read_bytes()) == wheel.sha256
    assert cache.wheel(wheel.sha256) == wheel


def test_a_download_that_was_cut_off_goes_on(index: IndexServer, source: Source) -> None:
    wanted = offer(index, "demo", fill=20_000)
    index.script(path_of(wanted), CutOff(9_000))
    (wheel,) = source.wheels([wanted])
    assert wheel.sha256 == wanted.file.hashes[0][1]
    ranges = [seen.headers.get("range") for seen in index.requests(path_of(wanted))]
    assert ranges[0] is None
    assert ranges[1] is not None


def test_what_a_kill_left_is_used(index: IndexServer, cache: Cache, source: Source) -> None:
    wanted = offer(index, "demo", fill=20_000)
    whole = index.file(wanted.file.filename)
    assert whole is not None
    Path(cache.partial(wanted.file.hashes[0][1])).write_bytes(whole.content[:12_345])
    (wheel,) = source.wheels([wanted])
    assert sha256(Path(wheel.path).read_bytes()) == wheel.sha256
    (seen,) = index.requests(path_of(wanted))
    assert seen.headers["range"] == "bytes=12345-"


def test_what_a_kill_left_of_another_file_is_thrown_away(index: IndexServer, cache: Cache, source: Source) -> None:
    wanted = offer(index, "demo", fill=20_000)
    Path(cache.partial(wanted.file.hashes[0][1])).write_bytes(b"\0" * 1000)
    (wheel,) = source.wheels([wanted])
    assert sha256(Path(wheel.path).read_bytes()) == wheel.sha256


def test_offline_names_all(cache: Cache, index: IndexServer) -> None:
    wanted = [offer(index, name) for name in ("one", "two")]
    with Source(cache, IndexSettings, offline=True, progress=Silent()) as source:
        with pytest.raises(OfflineError) as caught:
            source.wheels(wanted)
        assert caught.value.why == ("`one-1.0-py3-none-any.whl`", "`two-1.0-py3-none-any.whl`")
        with pytest.raises(OfflineError, match="a wheel is not in the cache"):
            source.wheels(wanted[:1])
    assert index.seen == []


def test_the_first_failure_ends_it(index: IndexServer, source: Source, watcher: Watcher) -> None:
    wanted = [offer(index, f"d{number}", fill=50) for number in range(30)]
    lost = wanted[0]
    index.always(path_of(lost), Answer(404))
    for item in wanted[1:]:
        index.always(path_of(item), Answer(410))
    with pytest.raises(OutsideError, match="is gone from the index"):
        source.wheels(wanted)
    assert len(index.seen) < 30
    began = [line for line in watcher.told if line.startswith("began")]
    ended = [line for line in watcher.told if line.startswith("ended")]
    assert len(began) == len(ended), "what began is ended, for the bars"


def test_two_sources_and_one_empty_cache(index: IndexServer, cache: Cache) -> None:
    """Two builds at the same moment fetch each file once."""
    wanted = [offer(index, f"d{number}", fill=2000) for number in range(10)]
    results = []

    def work() -> None:
        with Source(Cache(os.path.dirname(cache.root)), IndexSettings, offline=False, progress=Silent()) as one:
            results.append(one.wheels(wanted))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] == results[1] == results[2]
    assert len(index.seen) == len(wanted)


def test_an_sdist_is_held_to_its_hash(index: IndexServer, source: Source, tmp_path: Path) -> None:
    url = index.add("demo-1.0.tar.gz", b"a source")
    good = LockedFile("demo-1.0.tar.gz", url=url, hashes=(("sha256", sha256(b"a source")),))
    path = source.raw(good, str(tmp_path))
    assert Path(path).read_bytes() == b"a source"
    os.unlink(path)
    bad = LockedFile("demo-1.0.tar.gz", url=url, hashes=(("sha256", "0" * 64),))
    with pytest.raises(ArchiveError, match="is not what the lock pins"):
        source.raw(bad, str(tmp_path))


def test_an_sdist_offline(cache: Cache, tmp_path: Path) -> None:
    with Source(cache, IndexSettings, offline=True, progress=Silent()) as source, pytest.raises(OfflineError):
        source.raw(LockedFile("demo-1.0.tar.gz", url="http://127.0.0.1:9/demo-1.0.tar.gz"), str(tmp_path))
