from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.version import Version
from tests.wheels.index_server import Answer, IndexServer, busy
from tests.wheels.wheelmaker import make_wheel, sha256, wheel_filename

from lamella.errors import OutsideError
from lamella.index.fetch import RefusedError, Session, download, open_session
from lamella.index.listing import Older, list_files, newest_older
from lamella.index.settings import IndexSettings, load

ONE = Version("1.0")
NAME = "demo-1.0-py3-none-any.whl"


@contextlib.contextmanager
def asking(**settings: object) -> Iterator[Session]:
    made = IndexSettings(**{"timeout": 20.0, "keyring": "disabled", **settings})  # type: ignore[arg-type]
    with open_session(made, sleep=lambda _: None, jitter=lambda: 0.0) as session:
        yield session


@pytest.fixture
def other(plain_network: None) -> Iterator[IndexServer]:  # noqa: ARG001
    with IndexServer() as server:
        yield server


def put(server: IndexServer, name: str = "demo", version: str = "1.0", tag: str = "py3-none-any", **offer: str) -> str:
    """Offer a small wheel; its sha256."""
    content = make_wheel(name, version, {f"{name}.py": server.netloc}, tag=tag)
    server.add(wheel_filename(name, version, tag=tag), content, **offer)  # type: ignore[arg-type]
    return sha256(content)


def names(session: Session, name: str = "demo", version: Version = ONE) -> list[str]:
    return [listed.file.filename for listed in list_files(session, name, version)]


@pytest.mark.parametrize("as_json", [True, False])
def test_all_files_of_the_very_version(index: IndexServer, as_json: bool) -> None:
    index.as_json = as_json
    digest = put(index, requires_python=">=3.9")
    put(index, tag="cp312-cp312-win_amd64", yanked="broken build")
    put(index, version="1.0.1")
    put(index, version="1.0.post1")
    index.add("demo-1.0.tar.gz", b"sdist", yanked="")
    with asking(default_index=index.simple) as session:
        windows, pure, sdist = list_files(session, "demo", ONE)
    assert pure.file.filename == "demo-1.0-py3-none-any.whl"
    assert pure.file.url == index.file_url(pure.file.filename)
    assert pure.file.path is None
    assert pure.file.hashes == (("sha256", digest),)
    assert pure.requires_python == ">=3.9"
    assert pure.index == f"{index.simple}/demo/"
    assert (pure.yanked, windows.yanked, sdist.yanked) == (None, "broken build", "")


def test_names_and_versions_are_compared_as_the_specifications_say(index: IndexServer) -> None:
    index.add("My_Demo-1.0.0-py3-none-any.whl", b"")
    with asking(default_index=index.simple) as session:
        assert names(session, "My.Demo") == ["My_Demo-1.0.0-py3-none-any.whl"]


def test_local_labels_count_only_where_nothing_has_the_very_version(index: IndexServer) -> None:
    index.add("demo-1.0+cpu-py3-none-any.whl", b"cpu")
    index.add("demo-1.0+cu1-py3-none-any.whl", b"cu1")
    with asking(default_index=index.simple) as session:
        assert names(session) == ["demo-1.0+cu1-py3-none-any.whl"]
        assert names(session, version=Version("1.0+cpu")) == ["demo-1.0+cpu-py3-none-any.whl"]
        assert names(session, version=Version("1.0+rocm")) == []
        put(index)
        assert names(session) == ["demo-1.0-py3-none-any.whl"]


def test_hashes_that_the_index_does_not_give_are_none(index: IndexServer) -> None:
    index.add("demo-1.0-py3-none-any.whl", b"", hashes={})
    with asking(default_index=index.simple) as session:
        (listed,) = list_files(session, "demo", ONE)
    assert listed.file.hashes == ()


def test_pips_way_asks_all_indexes(index: IndexServer, other: IndexServer) -> None:
    put(index, tag="cp311-cp311-linux_x86_64")
    mine, theirs = put(index), put(other)
    put(other, tag="cp312-cp312-linux_x86_64")
    assert mine != theirs
    with asking(default_index=index.simple, extra_indexes=(other.simple,)) as session:
        files = {listed.file.filename: listed.file for listed in list_files(session, "demo", ONE)}
    assert sorted(files) == [
        "demo-1.0-cp311-cp311-linux_x86_64.whl", "demo-1.0-cp312-cp312-linux_x86_64.whl", "demo-1.0-py3-none-any.whl"
    ]  # fmt: skip
    assert files["demo-1.0-py3-none-any.whl"].hashes == (("sha256", mine),)


def test_uvs_way_stops_at_the_first_index_that_knows_the_project(index: IndexServer, other: IndexServer) -> None:
    """Against dependency confusion: somebody else's newer `demo` elsewhere is not even looked at."""
    put(other, version="2.0")
    put(index)
    put(index, "solo")
    settings = {"default_index": index.simple, "extra_indexes": (other.simple,), "first_index": True}
    with asking(**settings) as session:
        assert names(session) == []
        assert names(session, version=Version("2.0")) == ["demo-2.0-py3-none-any.whl"]
        assert index.requests("/simple/demo/") == []
        assert names(session, "solo") == ["solo-1.0-py3-none-any.whl"]


def test_one_index_may_be_named(index: IndexServer, other: IndexServer) -> None:
    put(index)
    digest = put(other)
    with asking(default_index=index.simple) as session:
        (listed,) = list_files(session, "demo", ONE, index=other.simple)
    assert listed.file.hashes == (("sha256", digest),)
    assert index.seen == []


def test_a_project_that_is_nowhere(index: IndexServer, other: IndexServer, tmp_path: Path) -> None:
    places = {"extra_indexes": (other.simple, tmp_path.as_uri()), "find_links": ((tmp_path / "missing").as_uri(),)}
    with asking(default_index=index.simple, **places) as session:
        assert names(session) == []
    assert [seen.path for seen in (*index.seen, *other.seen)] == ["/simple/demo/", "/simple/demo/"]


def test_local_places(index: IndexServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A folder of wheels, and a folder laid out as an index in which other projects are missing."""
    content = make_wheel("demo", "1.0", {})
    flat, simple = tmp_path / "flat wheels", tmp_path / "simple"
    for folder in (flat, simple / "local"):
        folder.mkdir(parents=True)
    (flat / "demo-1.0-py3-none-any.whl").write_bytes(content)
    (flat / "README.txt").write_text("not a wheel")
    (tmp_path / "local-1.0-py3-none-any.whl").write_bytes(content)
    page = f'<a href="../../local-1.0-py3-none-any.whl#sha256={sha256(content)}">local</a>'
    (simple / "local" / "index.html").write_text(page)
    settings = {"find_links": (flat.as_uri(),), "extra_indexes": (simple.as_uri(),), "default_index": index.simple}
    with asking(**settings) as session:
        (demo,) = list_files(session, "demo", ONE)
        (local,) = list_files(session, "local", ONE)
    assert (demo.file.path, demo.file.url) == (str(flat / "demo-1.0-py3-none-any.whl"), None)
    assert local.file.path == str(tmp_path / "local-1.0-py3-none-any.whl")
    assert local.file.hashes == (("sha256", sha256(content)),)
    assert capfd.readouterr() == ("", "")


def test_no_index_asks_only_find_links(index: IndexServer, tmp_path: Path) -> None:
    put(index)
    with asking(default_index=index.simple, no_index=True, find_links=(tmp_path.as_uri(),)) as session:
        assert names(session) == []
    assert index.seen == []


def test_find_links_pages(index: IndexServer) -> None:
    put(index)
    page = f'<a href="{index.file_url("demo-1.0-py3-none-any.whl")}">demo</a>'.encode()
    index.always("/links", Answer(200, (("Content-Type", "text/html"),), page))
    with asking(no_index=True, find_links=(f"{index.url}/links",)) as session:
        assert names(session) == ["demo-1.0-py3-none-any.whl"]


def test_an_index_that_fails_is_not_an_index_without_the_project(index: IndexServer, other: IndexServer) -> None:
    put(other)
    index.always("/simple/demo/", busy(503))
    for first_index in (False, True):
        settings = {"default_index": index.simple, "first_index": first_index}
        with asking(**settings) as session, pytest.raises(OutsideError, match="after 5 tries"):
            list_files(session, "demo", ONE)


def test_an_index_that_refuses(index: IndexServer, other: IndexServer) -> None:
    put(other)
    index.always("/simple/demo/", Answer(403))
    first = {"extra_indexes": (index.simple,), "default_index": other.simple}
    with asking(**first, first_index=True) as session, pytest.raises(RefusedError, match="refuses"):
        list_files(session, "demo", ONE)
    with asking(**first, first_index=True, ignored_errors=((index.simple, 403),)) as session:
        assert names(session) == ["demo-1.0-py3-none-any.whl"]
    with asking(**first) as session:
        assert names(session) == ["demo-1.0-py3-none-any.whl"]
    with asking(default_index=index.simple) as session, pytest.raises(RefusedError, match="refuses"):
        list_files(session, "demo", ONE)


def test_credentials_are_in_nothing_that_is_listed(plain_network: None) -> None:  # noqa: ARG001
    with IndexServer(login=("me", "s3cret")) as private:
        put(private)
        url = private.file_url("demo-2.0-py3-none-any.whl").replace("://", "://you:s3cret@")
        private.always("/simple/sly/", Answer(200, (("Content-Type", "text/html"),), f'<a href="{url}">'.encode()))
        with asking(default_index=private.with_login("me", "s3cret")) as session:
            listed = list_files(session, "demo", ONE)
    assert len(listed) == 1
    assert "s3cret" not in repr(listed)


def test_a_login_that_a_page_writes_into_its_links_is_used_but_not_told(index: IndexServer) -> None:
    with IndexServer(login=("you", "s3cret")) as files:
        content = make_wheel("sly", "1.0", {})
        url = files.add("sly-1.0-py3-none-any.whl", content)
        link = url.replace("://", "://you:s3cret@")
        page = Answer(200, (("Content-Type", "text/html"),), f'<a href="{link}">'.encode())
        index.always("/simple/sly/", page)
        with asking(default_index=index.simple) as session:
            (listed,) = list_files(session, "sly", ONE)
            assert listed.file.url == url
            assert "s3cret" not in repr(listed)
            assert session.get(url).content == content


def test_newest_older(index: IndexServer) -> None:
    for version in ("0.8", "0.9", "0.10", "0.11rc1", "1.0", "1.1"):
        put(index, version=version, tag="cp311-cp311-manylinux_2_17_x86_64")
    put(index, version="0.12", tag="cp311-cp311-manylinux_2_28_x86_64")
    put(index, version="0.11", tag="cp311-cp311-manylinux_2_17_x86_64", yanked="bad")
    with asking(default_index=index.simple) as session:
        found = newest_older(session, "demo", ONE, lambda filename, _: "_2_17_" in filename)
        assert found == Older(Version("0.10"), "demo-0.10-cp311-cp311-manylinux_2_17_x86_64.whl")
        assert newest_older(session, "demo", ONE, lambda filename, _: "win" in filename) is None
        index.always("/simple/demo/", Answer(403))
        assert newest_older(session, "demo", ONE, lambda *_: True) is None


def test_without_any_setting_the_librarys_default_index_is_asked(index: IndexServer) -> None:
    """Our server stands for the proxy on the way there, so that nobody outside is asked."""
    proxies = (("http", index.url), ("https", index.url))
    with asking(proxies=proxies) as session, pytest.raises(OutsideError) as caught:
        list_files(session, "demo", ONE)
    assert "/simple/demo/" in caught.value.what


JSON = "application/vnd.pypi.simple.v1+json"
DEEP = "[" * 200_000


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        (JSON, '{"files": ['),
        (JSON, "[]"),
        (JSON, '{"files": [7]}'),
        (JSON, '{"files": {"a": 1}}'),
        (JSON, '{"files": [{"url": "demo-1.0-py3-none-any.whl", "hashes": ["sha256"]}]}'),
        (JSON, '{"files": [{"url": "demo-1.0-py3-none-any.whl", "upload-time": "soon"}]}'),
        (JSON, DEEP),
        ("text/html", '<a href="http://me:s3cret@[bad/demo-1.0-py3-none-any.whl">'),
        ("text/html; charset=utf-8", b"<a href=demo-1.0-py3-none-any.whl>\xff"),
        ("text/html; charset=unheard", "<a href=demo-1.0-py3-none-any.whl>\xff"),
    ],
)
def test_a_page_that_is_none(index: IndexServer, kind: str, page: str | bytes) -> None:
    body = page.encode("latin-1") if isinstance(page, str) else page
    index.always("/simple/demo/", Answer(200, (("Content-Type", kind),), body))
    with asking(default_index=index.with_login("me", "s3cret")) as session:
        with pytest.raises(OutsideError) as caught:
            list_files(session, "demo", ONE)
        assert caught.value.what == "the index's page of `demo` can't be read"
        assert "s3cret" not in str(caught.value)
        assert newest_older(session, "demo", Version("2.0"), lambda *_: True) in (None, Older(ONE, NAME))


def test_values_of_another_type_are_passed_over(index: IndexServer) -> None:
    page = '{"files": [{"url": "demo-1.0-py3-none-any.whl", "requires-python": 3, "yanked": true}]}'
    index.always("/simple/demo/", Answer(200, (("Content-Type", JSON),), page.encode()))
    with asking(default_index=index.simple) as session:
        (listed,) = list_files(session, "demo", ONE)
    assert (listed.requires_python, listed.yanked) == (None, "")


@pytest.mark.journey
def test_the_real_default_index(tmp_path: Path) -> None:
    settings = load(str(tmp_path), os.environ)
    with open_session(settings) as session:
        for listed in list_files(session, "six", Version("1.17.0")):
            assert listed.file.url
            download(session, listed.file.url, str(tmp_path / listed.file.filename))
            content = (tmp_path / listed.file.filename).read_bytes()
            assert listed.file.hashes == (("sha256", sha256(content)),)
    assert {path.name for path in tmp_path.iterdir()} >= {"six-1.17.0-py2.py3-none-any.whl", "six-1.17.0.tar.gz"}
