from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.index.downloading import CONTENT, NAME, PATH, Waited, fetch, session_with
from tests.wheels.index_server import Answer, CutOff, IndexServer, Instead, busy

from lamella.errors import OutsideError
from lamella.index.fetch import download

# What is there already


@pytest.mark.parametrize("have", [1, 350_000, len(CONTENT) - 1])
def test_a_partial_file_is_continued(index: IndexServer, partial: Path, have: int) -> None:
    partial.write_bytes(CONTENT[:have])
    counted: list[int] = []
    with session_with() as session:
        fetched = download(session, index.add(NAME, CONTENT), str(partial), on_bytes=counted.append)
    assert partial.read_bytes() == CONTENT
    assert fetched == (len(CONTENT), have)
    assert counted[0] == have
    assert sum(counted) == len(CONTENT)
    assert [seen.headers["range"] for seen in index.requests(PATH)] == [f"bytes={have}-"]


def test_a_whole_file_of_known_size_needs_no_request(index: IndexServer, partial: Path) -> None:
    partial.write_bytes(CONTENT)
    with session_with() as session:
        assert download(session, index.add(NAME, CONTENT), str(partial), size=len(CONTENT)).resumed == len(CONTENT)
    assert index.seen == []


def test_a_whole_file_of_unknown_size_is_recognised(index: IndexServer, partial: Path) -> None:
    partial.write_bytes(CONTENT)
    assert fetch(index.add(NAME, CONTENT), partial) == (len(CONTENT), len(CONTENT))
    assert partial.read_bytes() == CONTENT


def test_a_partial_file_that_is_too_long_is_started_again(index: IndexServer, partial: Path) -> None:
    url = index.add(NAME, CONTENT)
    for size in (None, len(CONTENT)):
        partial.write_bytes(CONTENT + b"more")
        counted: list[int] = []
        with session_with() as session:
            assert download(session, url, str(partial), size=size, on_bytes=counted.append) == (len(CONTENT), 0)
        assert partial.read_bytes() == CONTENT
        assert sum(counted) == len(CONTENT)


def test_a_server_without_ranges_starts_again(index: IndexServer, partial: Path) -> None:
    index.ranges = False
    partial.write_bytes(CONTENT[:1000])
    assert fetch(index.add(NAME, CONTENT), partial) == (len(CONTENT), 0)
    assert partial.read_bytes() == CONTENT


def test_a_206_that_starts_elsewhere_is_not_appended(index: IndexServer, partial: Path) -> None:
    url = index.add(NAME, CONTENT)
    index.script(PATH, Answer(206, (("Content-Range", f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"),), CONTENT))
    partial.write_bytes(CONTENT[:1000])
    assert fetch(url, partial) == (len(CONTENT), 0)
    assert partial.read_bytes() == CONTENT


_KILLED = """
import os, signal, sys
from lamella.index.fetch import download, open_session
from lamella.index.settings import IndexSettings
left = int(sys.argv[3])
def on_bytes(count):
    global left
    left -= count
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
with open_session(IndexSettings(keyring="disabled")) as session:
    download(session, sys.argv[1], sys.argv[2], on_bytes=on_bytes)
"""


def test_a_killed_process_leaves_what_the_next_continues(index: IndexServer, partial: Path) -> None:
    url = index.add(NAME, CONTENT)
    done = subprocess.run([sys.executable, "-c", _KILLED, url, str(partial), "500000"], check=False)
    assert done.returncode == -signal.SIGKILL
    left = partial.read_bytes()
    assert 0 < len(left) < len(CONTENT)
    assert CONTENT.startswith(left)
    assert fetch(url, partial) == (len(CONTENT), len(left))
    assert partial.read_bytes() == CONTENT


# Servers that fail


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(index: IndexServer, partial: Path, status: int) -> None:
    url = index.add(NAME, CONTENT)
    index.script(PATH, busy(status), busy(status))
    waited = Waited()
    assert fetch(url, partial, waited).size == len(CONTENT)
    assert waited == [0.5, 1.0]
    assert len(index.requests(PATH)) == 3


def test_retry_after_is_obeyed(index: IndexServer, partial: Path) -> None:
    url = index.add(NAME, CONTENT)
    index.script(PATH, busy(retry_after="7"), busy(), busy(retry_after="0"), busy(503, "nonsense"))
    waited = Waited()
    fetch(url, partial, waited)
    assert waited == [7.0, 1.0, 0.0, 4.0]


def test_a_server_that_wants_a_long_wait_has_refused(index: IndexServer, partial: Path) -> None:
    url = index.add(NAME, CONTENT)
    index.script(PATH, busy(retry_after="3600"))
    waited = Waited()
    with pytest.raises(OutsideError, match="asks to wait 3600 s"):
        fetch(url, partial, waited)
    assert waited == []


def test_five_tries_are_enough(index: IndexServer, partial: Path) -> None:
    url = index.add(NAME, CONTENT)
    index.always(PATH, busy(503))
    waited = Waited()
    with pytest.raises(OutsideError, match=r"HTTP 503 Service Unavailable \(after 5 tries\)") as caught:
        fetch(url, partial, waited)
    assert caught.value.exit_code == 3
    assert waited == [0.5, 1.0, 2.0, 4.0]
    assert len(index.requests(PATH)) == 5


def test_cut_off_bodies_are_continued(index: IndexServer, partial: Path) -> None:
    url = index.add(NAME, CONTENT)
    index.script(PATH, CutOff(100_000), CutOff(50_000), CutOff(0))
    assert fetch(url, partial) == (len(CONTENT), 0)
    assert partial.read_bytes() == CONTENT
    asked = [(seen.headers.get("range"), seen.headers.get("if-range")) for seen in index.requests(PATH)]
    etag = f'"{hashlib.sha256(CONTENT).hexdigest()[:16]}"'
    assert asked == [(None, None), ("bytes=100000-", etag), ("bytes=150000-", etag), ("bytes=150000-", etag)]


def test_a_file_that_changes_between_tries_is_started_again(index: IndexServer, partial: Path) -> None:
    url = index.add(NAME, CONTENT)
    index.script(PATH, Answer(200, (("ETag", '"old"'), ("Content-Length", "900000")), b"old" * 1000))
    # Says 900,000 bytes, and the connection stays open after 3,000: the read runs into the timeout
    assert fetch(url, partial, timeout=0.3) == (len(CONTENT), 0)
    assert partial.read_bytes() == CONTENT
    assert index.requests(PATH)[1].headers["if-range"] == '"old"'


def test_what_arrived_stays_when_all_tries_fail(index: IndexServer, partial: Path) -> None:
    url = index.add(NAME, CONTENT)
    index.script(PATH, *[CutOff(10_000)] * 5)
    with pytest.raises(OutsideError, match="after 5 tries"):
        fetch(url, partial)
    assert partial.read_bytes() == CONTENT[:50_000]
    assert fetch(url, partial) == (len(CONTENT), 50_000)


def test_a_body_without_length_ends_with_the_connection(index: IndexServer, partial: Path) -> None:
    url = index.add(NAME, CONTENT)
    index.script(PATH, Answer(200, (("Connection", "close"),), CONTENT))
    assert fetch(url, partial).size == len(CONTENT)
    partial.unlink()
    # Shorter than the lock says: the rest is fetched
    index.script(PATH, Answer(200, (("Connection", "close"),), CONTENT[:1000]))
    with session_with() as session:
        assert download(session, url, str(partial), size=len(CONTENT)).size == len(CONTENT)
    assert partial.read_bytes() == CONTENT


def test_more_than_the_lock_says_is_not_swallowed(index: IndexServer, partial: Path) -> None:
    url = index.add(NAME, CONTENT)
    index.script(PATH, Answer(200, (("Connection", "close"),), CONTENT))
    with session_with() as session:
        with pytest.raises(OutsideError, match="sends more than the 1000 bytes"):
            download(session, url, str(partial), size=1000)
        assert partial.stat().st_size < len(CONTENT)
        partial.unlink()
        with pytest.raises(OutsideError, match="it has 700000 bytes, the lock says 1000"):
            download(session, url, str(partial), size=1000)
        assert partial.stat().st_size == 0


def test_other_bytes_are_for_the_caller_to_notice(index: IndexServer, partial: Path) -> None:
    url = index.add(NAME, CONTENT)
    index.script(PATH, Instead(b"something else"))
    fetch(url, partial)
    assert partial.read_bytes() == b"something else"


def test_a_file_that_is_gone(index: IndexServer, partial: Path) -> None:
    with pytest.raises(OutsideError, match="is gone from the index") as caught:
        fetch(index.file_url("gone-1.0-py3-none-any.whl"), partial)
    assert "lock again" in (caught.value.hint or "")
    assert len(index.seen) == 1


def test_nobody_listens(partial: Path, plain_network: None) -> None:  # noqa: ARG001
    with IndexServer() as server:
        url = server.file_url(NAME)
    waited = Waited()
    with pytest.raises(OutsideError, match="after 5 tries"):
        fetch(url, partial, waited)
    assert len(waited) == 4


@pytest.mark.parametrize("url", ["gopher://index.example/a.whl", "https://index.example:x/a.whl"])
def test_urls_that_cannot_be_asked(partial: Path, url: str) -> None:
    waited = Waited()
    with pytest.raises(OutsideError, match="could not be fetched"):
        fetch(url, partial, waited)
    assert waited == []


def test_a_place_that_cannot_be_written(index: IndexServer, tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="can't be written"):
        fetch(index.add(NAME, CONTENT), tmp_path / "no" / "folder")


@pytest.mark.parametrize("etag", [None, 'W/"weak"', '"same"'])
def test_a_file_that_may_be_of_two_halves_is_said_to_be(index: IndexServer, partial: Path, etag: str | None) -> None:
    """Cut off, and continued with another file's bytes: only an ETag that is the same again proves otherwise."""
    url = index.add(NAME, CONTENT)
    half = len(CONTENT) // 2
    tag = (("ETag", etag),) if etag else ()
    whole, rest = str(len(CONTENT)), f"bytes {half}-{len(CONTENT) - 1}/{len(CONTENT)}"
    index.script(
        PATH,
        Answer(200, (*tag, ("Content-Length", whole), ("Connection", "close")), bytes(half)),
        Answer(206, (*tag, ("Content-Range", rest)), CONTENT[half:]),
    )
    fetched = fetch(url, partial)
    assert partial.read_bytes() == bytes(half) + CONTENT[half:]
    assert fetched == (len(CONTENT), 0 if etag == '"same"' else half)


def test_a_continued_file_with_another_etag_is_said_to_be(index: IndexServer, partial: Path) -> None:
    """A server that knows Range and not If-Range."""
    url = index.add(NAME, CONTENT)
    rest = f"bytes 1000-{len(CONTENT) - 1}/{len(CONTENT)}"
    index.script(
        PATH,
        Answer(200, (("ETag", '"old"'), ("Content-Length", "700000"), ("Connection", "close")), bytes(1000)),
        Answer(206, (("ETag", '"new"'), ("Content-Range", rest)), CONTENT[1000:]),
    )
    assert fetch(url, partial) == (len(CONTENT), 1000)


# Without a size from the lock


def test_a_server_that_never_stops_is_stopped(index: IndexServer, partial: Path) -> None:
    url = index.add(NAME, CONTENT)
    counted: list[int] = []
    for close in (True, False):
        # Its end told by the connection's, then by a length
        if close:
            index.script(PATH, Answer(200, (("Connection", "close"),), CONTENT))
        with session_with() as session:
            with pytest.raises(OutsideError, match="has more than 1000 bytes") as caught:
                download(session, url, str(partial), most=1000, on_bytes=counted.append)
            assert caught.value.why == ("the lock does not say how large it is",)
        assert partial.stat().st_size == 0
        assert sum(counted) == 0
    assert len(index.seen) == 2


def test_the_locks_size_counts_alone(index: IndexServer, partial: Path) -> None:
    url = index.add(NAME, CONTENT)
    with session_with() as session:
        assert download(session, url, str(partial), size=len(CONTENT), most=1000).size == len(CONTENT)
        partial.unlink()
        assert download(session, url, str(partial), most=len(CONTENT)).size == len(CONTENT)


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "index..example", "127.0.0.1:" + "9" * 30])
def test_hosts_that_cannot_be_reached(partial: Path, plain_network: None, host: str) -> None:  # noqa: ARG001
    """As a lock may name them."""
    waited = Waited()
    with pytest.raises(OutsideError, match="could not be fetched"):
        fetch(f"http://{host}/{NAME}", partial, waited)
    assert waited == []
