from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.index.downloading import CONTENT, NAME, PATH, fetch, session_with
from tests.wheels.index_server import Answer, IndexServer, redirect

from lamella.errors import OutsideError
from lamella.index.fetch import download


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
