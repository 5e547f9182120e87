from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.index.downloading import CONTENT, NAME, PATH, Waited, fetch, session_with
from tests.wheels.index_server import CutOff, IndexServer, busy, redirect

from lamella.errors import OutsideError
from lamella.index.fetch import download

# The plain case


def test_a_file_arrives_and_is_counted(index: IndexServer, partial: Path) -> None:
    counted: list[int] = []
    with session_with() as session:
        fetched = download(session, index.add(NAME, CONTENT), str(partial), size=len(CONTENT), on_bytes=counted.append)
    assert partial.read_bytes() == CONTENT
    assert fetched == (len(CONTENT), 0)
    assert sum(counted) == len(CONTENT)
    (seen,) = index.requests(PATH)
    assert seen.headers["accept-encoding"] == "identity"
    assert "range" not in seen.headers
    assert "authorization" not in seen.headers


def test_an_empty_file(index: IndexServer, partial: Path) -> None:
    assert fetch(index.add(NAME, b""), partial) == (0, 0)
    assert partial.read_bytes() == b""


def test_many_files_at_once_over_one_session(index: IndexServer, tmp_path: Path) -> None:
    contents = {f"p{n}-1.0-py3-none-any.whl": random.Random(n).randbytes(50_000 + n) for n in range(40)}
    urls = {name: index.add(name, content) for name, content in contents.items()}
    for n, name in enumerate(contents):
        index.script(f"/files/{name}", *(CutOff(1000), busy(503))[: n % 3])
    with session_with() as session, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: download(session, urls[name], str(tmp_path / name)), contents))
    assert {name: (tmp_path / name).read_bytes() for name in contents} == contents


# Redirects


def test_redirects_are_followed_and_resumed_through(index: IndexServer, partial: Path) -> None:
    with IndexServer() as files:
        index.always("/go/demo.whl", redirect(files.add(NAME, CONTENT), 307))
        partial.write_bytes(CONTENT[:1000])
        assert fetch(f"{index.url}/go/demo.whl", partial) == (len(CONTENT), 1000)
    assert partial.read_bytes() == CONTENT


def test_redirects_in_circles_end(index: IndexServer, partial: Path) -> None:
    index.always(PATH, redirect(PATH))
    with pytest.raises(OutsideError, match="redirects"):
        fetch(index.file_url(NAME), partial)


def test_no_redirect_into_this_machine(index: IndexServer, partial: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    index.script(PATH, redirect(secret.as_uri()))
    with pytest.raises(OutsideError, match="redirects to a `file:` address"):
        fetch(index.file_url(NAME), partial)
    assert partial.read_bytes() == b""


# Pages


def test_a_missing_page_is_an_answer_and_a_failing_one_is_not(index: IndexServer) -> None:
    index.add(NAME, CONTENT)
    index.script("/simple/demo/", busy(503), CutOff(5), busy(429, "0"))
    waited = Waited()
    with session_with(waited) as session:
        assert session.get(f"{index.simple}/demo/").status_code == 200
        assert session.get(f"{index.simple}/other/").status_code == 404
        index.always("/simple/demo/", busy(500))
        with pytest.raises(OutsideError, match="after 5 tries"):
            session.get(f"{index.simple}/demo/")


def test_start_up_imports_no_http_library() -> None:
    code = "import sys, lamella.index.listing, lamella.index.settings\n"
    code += "print({'httpx2', 'unearth', 'ssl', 'tomllib', 'configparser'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


def test_progress_may_be_told_from_several_threads(index: IndexServer, tmp_path: Path) -> None:
    urls = [index.add(f"p{n}-1-py3-none-any.whl", CONTENT[: 1000 * n]) for n in range(1, 9)]
    totals: dict[str, int] = dict.fromkeys(urls, 0)

    def counter(url: str) -> Callable[[int], None]:
        def count(bytes_: int) -> None:
            totals[url] += bytes_

        return count

    with session_with() as session, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda url: download(session, url, str(tmp_path / url[-22:]), on_bytes=counter(url)), urls))
    assert list(totals.values()) == [1000 * n for n in range(1, 9)]
