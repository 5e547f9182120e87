from __future__ import annotations

from pathlib import Path

import pytest

from lamella.index.credentials import Credentials, Login
from lamella.wording import redacted, scrubbed


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://index.example/simple/", "https://index.example/simple/"),
        ("https://me:s3cret@index.example:8443/simple/", "https://***@index.example:8443/simple/"),
        ("https://token@index.example/a@b/c.whl#sha256=00", "https://***@index.example/a@b/c.whl"),
        ("https://me:s3@cret@index.example/", "https://***@index.example/"),
        ("https://index.example/c.whl?X-Signature=s3cret", "https://index.example/c.whl?***"),
        ("https://me:s3/cret@index.example/c.whl", "https://***@index.example/c.whl"),
        ("https://me:s3cret@[broken/c.whl", "https://***@[broken/c.whl"),
        ("file:///srv/wheels/c.whl", "file:///srv/wheels/c.whl"),
    ],
)
def test_redacted_hides_what_may_be_secret(url: str, shown: str) -> None:
    assert redacted(url) == shown


def test_scrubbed_takes_every_url_of_a_message() -> None:
    text = "no route to https://me:s3cret@a.example/x?sig=s3cret nor to http://t0ken@b.example/ (why?)"
    assert scrubbed(text) == "no route to https://***@a.example/x?*** nor to http://***@b.example/ (why?)"
    assert scrubbed("really? yes") == "really? yes"


def test_a_login_never_shows_itself() -> None:
    assert "s3cret" not in repr(Login("me", "s3cret"))
    assert "s3cret" not in f"{Login('me', 's3cret')}"


def test_credentials_belong_to_an_origin() -> None:
    known = Credentials(["https://me:s3cret@index.example/simple/"])
    assert known.for_url("https://index.example/files/a.whl") == ("me", "s3cret")
    assert known.for_url("https://INDEX.example:443/") == ("me", "s3cret")
    assert known.for_url("http://index.example/files/a.whl") is None
    assert known.for_url("https://index.example:8443/") is None
    assert known.for_url("https://files.index.example/") is None


def test_of_several_indexes_on_a_host_the_nearest_path_counts() -> None:
    known = Credentials(["https://a:1@index.example/team-a/simple", "https://b:2@index.example/team-b/simple"])
    assert known.for_url("https://index.example/team-b/simple/demo/") == ("b", "2")
    assert known.for_url("https://index.example/team-a/files/demo.whl") == ("a", "1")


def test_percent_encoding_is_undone() -> None:
    assert Credentials(["https://me%40corp:a%2Fb@index.example/"]).for_url("https://index.example/x") == (
        "me@corp",
        "a/b",
    )


def test_a_lone_name_is_a_token() -> None:
    assert Credentials(["https://t0ken@index.example/"]).for_url("https://index.example/x") == ("t0ken", "")


def test_remember_strips_and_keeps() -> None:
    known = Credentials([])
    assert known.remember("https://me:s3cret@index.example/a.whl") == "https://index.example/a.whl"
    assert known.for_url("https://index.example/b.whl") == ("me", "s3cret")


def test_netrc(tmp_path: Path) -> None:
    file = tmp_path / "netrc"
    file.write_text("machine index.example login me password s3cret\n")
    known = Credentials(["https://index.example/simple"], netrc_path=str(file))
    assert known.for_url("https://index.example/simple/") == ("me", "s3cret")
    assert known.for_url("https://other.example/") is None


def test_netrc_of_another_user_is_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "netrc"
    file.write_text("machine index.example login me password s3cret\n")
    known = Credentials(["https://you@index.example/simple"], netrc_path=str(file))
    assert known.for_url("https://index.example/simple/") == ("you", "")


@pytest.mark.parametrize("text", ["machine", "\udcff", "user index.example login me"])
def test_a_netrc_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "netrc"
    file.write_text(text, errors="surrogateescape")
    assert Credentials([], netrc_path=str(file)).for_url("https://index.example/") is None


def test_no_keyring_is_asked_when_it_is_off(fake_keyring: Path) -> None:
    assert Credentials([], keyring="disabled").from_keyring("https://index.example/") is None
    assert not fake_keyring.exists()


def test_the_keyring_is_asked_once_an_origin(fake_keyring: Path) -> None:
    known = Credentials(["https://index.example/simple"], keyring="subprocess")
    assert known.for_url("https://index.example/simple/") is None
    assert known.from_keyring("https://index.example/simple/demo/") == ("ring", "s3cret")
    assert known.from_keyring("https://index.example/simple/other/") == ("ring", "s3cret")
    assert known.for_url("https://index.example/files/demo.whl") == ("ring", "s3cret")
    assert known.for_url("https://other.example/") is None
    assert fake_keyring.read_text().splitlines() == ["--mode=creds get https://index.example/simple "]
