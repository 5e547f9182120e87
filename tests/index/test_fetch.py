from __future__ import annotations

import contextlib
import hashlib
import logging
import random
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from tests.wheels.index_server import Answer, CutOff, IndexServer, Instead, busy, redirect

from lamella.errors import ConfigError, OutsideError
from lamella.index.fetch import Fetched, Session, download, open_session
from lamella.index.settings import IndexSettings

NAME = "demo-1.0-py3-none-any.whl"
PATH = f"/files/{NAME}"
CONTENT = random.Random(1).randbytes(700_000)


class Waited(list[float]):
    """Stands for `time.sleep` and keeps what it was asked."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@contextlib.contextmanager
def session_with(waited: Waited | None = None, **settings: object) -> Iterator[Session]:
    made = IndexSettings(**{"timeout": 20.0, "keyring": "disabled", **settings})  # type: ignore[arg-type]
    with open_session(made, sleep=Waited() if waited is None else waited, jitter=lambda: 0.0) as session:
        yield session


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    return tmp_path / "partial"


def fetch(url: str, partial: Path, waited: Waited | None = None, **settings: object) -> Fetched:
    with session_with(waited, **settings) as session:
        return download(session, url, str(partial))


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


# Credentials


@pytest.fixture
def private(plain_network: None) -> Iterator[IndexServer]:  # noqa: ARG001
    with IndexServer(login=("me", "s3cret")) as server:
        server.add(NAME, CONTENT)
        yield server


def test_credentials_of_the_index_url_serve_its_host(private: IndexServer, partial: Path) -> None:
    fetch(private.file_url(NAME), partial, default_index=private.with_login("me", "s3cret"))
    assert partial.read_bytes() == CONTENT
    assert len(private.seen) == 1


def test_credentials_in_the_files_own_url(private: IndexServer, partial: Path) -> None:
    fetch(private.file_url(NAME).replace("://", "://me:s3cret@"), partial)
    assert partial.read_bytes() == CONTENT


def test_credentials_from_netrc(private: IndexServer, partial: Path, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password s3cret\n")
    fetch(private.file_url(NAME), partial, netrc=str(netrc))
    assert partial.read_bytes() == CONTENT


def test_credentials_from_the_keyring_after_a_401(partial: Path, fake_keyring: Path, plain_network: None) -> None:  # noqa: ARG001
    with IndexServer(login=("ring", "s3cret")) as server:
        url = server.add(NAME, CONTENT)
        fetch(url, partial, default_index=server.simple, keyring="subprocess")
        assert [("authorization" in seen.headers) for seen in server.seen] == [False, True]
        assert fake_keyring.read_text().splitlines() == [f"--mode=creds get {server.simple} "]
    assert partial.read_bytes() == CONTENT


def test_nobody_is_asked_on_the_terminal(private: IndexServer, partial: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", _must_not_be_called)
    monkeypatch.setattr("getpass.getpass", _must_not_be_called)
    with pytest.raises(OutsideError, match="no credentials for it were found") as caught:
        fetch(private.file_url(NAME), partial, keyring="subprocess")
    assert "UV_INDEX_<NAME>_USERNAME" in (caught.value.hint or "")


def _must_not_be_called(*_arguments: object) -> str:
    raise AssertionError("asked on the terminal")


def test_credentials_stay_with_their_origin(private: IndexServer, partial: Path) -> None:
    """A redirect to another host gets none, even when that host asks for some with a 401."""
    with IndexServer() as elsewhere:
        target = elsewhere.add("other-1.0-py3-none-any.whl", CONTENT)
        elsewhere.script("/files/other-1.0-py3-none-any.whl", Answer(401, (("WWW-Authenticate", "Basic"),)))
        private.login = None
        private.always("/go", redirect(target))
        with session_with(default_index=private.with_login("me", "s3cret")) as session:
            with pytest.raises(OutsideError, match="refuses"):
                download(session, f"{private.url}/go", str(partial))
            download(session, target, str(partial))
        assert "authorization" in private.requests("/go")[0].headers
        assert len(elsewhere.seen) == 2
        assert [seen for seen in elsewhere.seen if "authorization" in seen.headers] == []


def test_the_keyrings_answer_is_not_given_to_whom_it_redirects(
    partial: Path, fake_keyring: Path, index: IndexServer
) -> None:
    """unearth's own handler keeps it under the host that sent the 401."""
    with IndexServer(login=("ring", "s3cret")) as elsewhere:
        target = elsewhere.add(NAME, CONTENT)
        index.always("/go", redirect(target))
        fetch(f"{index.url}/go", partial, default_index=index.simple, keyring="subprocess")
        # The one that asked was looked up for itself, under its own name
        assert fake_keyring.read_text().splitlines() == [f"--mode=creds get {elsewhere.netloc} "]
        assert [seen for seen in index.seen if "authorization" in seen.headers] == []


@pytest.mark.parametrize("status", [401, 403, 404, 429, 451, 500])
def test_credentials_are_in_no_message_log_or_file(
    index: IndexServer, partial: Path, status: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    index.always(PATH, Answer(status))
    index.script(PATH, redirect(f"{PATH}?X-Signature=s3cret"))
    url = index.file_url(NAME).replace("://", "://me:s3cret@")
    with pytest.raises(OutsideError) as caught:
        fetch(url, partial, default_index=index.with_login("me", "s3cret"))
    texts = [str(caught.value), repr(caught.value), *map(repr, _chain(caught.value)), *capfd.readouterr()]
    texts += [record.getMessage() for record in caplog.records]
    assert index.url.removeprefix("http://") in texts[0]
    assert [text for text in texts if "s3cret" in text] == []
    assert b"s3cret" not in partial.read_bytes()


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


# Certificates and proxies


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", "key.pem", "-out", "cert.pem"], cwd=folder, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
    return both


@pytest.fixture
def secure(certificate: Path, plain_network: None) -> Iterator[IndexServer]:  # noqa: ARG001
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with IndexServer(tls=context) as server:
        server.add(NAME, CONTENT)
        yield server


def test_a_ca_bundle_makes_a_private_index_trusted(secure: IndexServer, certificate: Path, partial: Path) -> None:
    fetch(secure.file_url(NAME), partial, ca_bundle=str(certificate))
    assert partial.read_bytes() == CONTENT


@pytest.mark.parametrize("system_certs", [False, True])
def test_an_unknown_certificate_is_refused_at_once(secure: IndexServer, partial: Path, system_certs: bool) -> None:
    waited = Waited()
    with pytest.raises(OutsideError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        fetch(secure.file_url(NAME), partial, waited, system_certs=system_certs)
    assert "SSL_CERT_FILE" in (caught.value.hint or "")
    assert waited == []


def test_a_trusted_host_needs_no_certificate(secure: IndexServer, partial: Path) -> None:
    fetch(secure.file_url(NAME), partial, trusted_hosts=("127.0.0.1",))
    assert partial.read_bytes() == CONTENT


def test_a_client_certificate_is_shown(certificate: Path, partial: Path, plain_network: None) -> None:  # noqa: ARG001
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    with IndexServer(tls=context) as server:
        url = server.add(NAME, CONTENT)
        with pytest.raises(OutsideError):
            fetch(url, partial, ca_bundle=str(certificate))
        fetch(url, partial, ca_bundle=str(certificate), client_cert=str(certificate))
    assert partial.read_bytes() == CONTENT


@pytest.mark.parametrize("key", ["ca_bundle", "client_cert"])
def test_certificates_that_cannot_be_read_are_named(tmp_path: Path, key: str) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    for path in (broken, tmp_path / "missing.pem"):
        with (
            pytest.raises(ConfigError, match=f"{path.name}` can't be read"),
            open_session(
                replace(IndexSettings(), **{key: str(path)})  # type: ignore[arg-type]
            ),
        ):
            pass


def test_a_configured_proxy_is_used(index: IndexServer, partial: Path) -> None:
    """Our server stands for the proxy: it is asked with the whole URL, and never is the host itself looked up."""
    index.add(NAME, CONTENT)
    fetch(f"http://index.example{PATH}", partial, proxies=(("http", index.url), ("https", index.url)))
    assert partial.read_bytes() == CONTENT
    assert [seen.path for seen in index.seen] == [f"http://index.example{PATH}"]


def test_hosts_that_go_without_the_configured_proxy(index: IndexServer, partial: Path) -> None:
    url = index.add(NAME, CONTENT)
    for no_proxy in ("127.0.0.1", "*"):
        fetch(url, partial, proxies=(("http", "http://127.0.0.1:1"),), no_proxy=(no_proxy,))
        assert partial.read_bytes() == CONTENT
        partial.unlink()


def test_a_trusted_host_behind_a_proxy(index: IndexServer, partial: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index.add(NAME, CONTENT)
    fetch(f"http://index.example{PATH}", partial, proxies=(("https", index.url),), trusted_hosts=("index.example",))
    partial.unlink()
    monkeypatch.setenv("HTTPS_PROXY", index.url)
    fetch(f"http://index.example{PATH}", partial, trusted_hosts=("index.example",))
    assert [seen.path for seen in index.seen] == [f"http://index.example{PATH}"] * 2


def test_the_environments_proxy_is_used_unless_it_is_said_not_to(
    index: IndexServer, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = index.add(NAME, CONTENT)
    monkeypatch.setenv("HTTP_PROXY", index.url.replace("://", "://me:s3cret@"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    fetch(f"http://index.example{PATH}", partial)
    partial.unlink()
    fetch(url, partial)
    assert [seen.path for seen in index.seen] == [f"http://index.example{PATH}", PATH]
    assert "proxy-authorization" in index.seen[0].headers


def test_a_proxy_that_refuses_does_not_show_its_login(index: IndexServer, partial: Path) -> None:
    index.always(PATH, Answer(407))
    proxy = index.url.replace("://", "://me:s3cret@")
    with pytest.raises(OutsideError) as caught:
        fetch(f"http://index.example{PATH}", partial, proxies=(("http", proxy),))
    assert "s3cret" not in str(caught.value)


def test_a_proxy_that_cannot_be_meant() -> None:
    with (
        pytest.raises(ConfigError, match="the proxy can't be used") as caught,
        session_with(proxies=(("https", "ftp://me:s3cret@x"),)),
    ):
        pass
    assert "s3cret" not in str(caught.value)


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
