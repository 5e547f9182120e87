from __future__ import annotations

import pytest

from lamella.errors import ConfigError
from lamella.index.places import checked, checked_host

LONG = "a" * 63


@pytest.mark.parametrize(
    "url",
    [
        "https://index.example/simple", "http://127.0.0.1:8080/", "https://[::1]:443/simple", "file:///srv/wheels",
        f"https://{LONG}.example/", "https://index.example./", "https://grüße.example/", "https://me:a%2Fb@x.example/",
        "https://index.example:/simple",
    ],
)  # fmt: skip
def test_what_can_be_asked_stays_as_it_is(url: str) -> None:
    assert checked(url, "UV_INDEX") == url


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://[bad/simple", "host can't be read"),
        ("file://[bad/simple", "host can't be read"),
        ("https://index.example:99999/simple", "no number up to 65535"),
        ("https://index.example:-1/simple", "no number up to 65535"),
        (f"https://{LONG}a.example/", "longer than 63"),
        ("https://index..example/", "empty"),
        ("https:///simple", "names no host"),
    ],
)
def test_what_can_not_is_named_with_its_source(url: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked(url, "UV_INDEX")
    assert caught.value.what == f"`{url}` in `UV_INDEX` is no address that can be asked"
    assert problem in caught.value.why[0]
    assert caught.value.hint == "correct it in `UV_INDEX`"


@pytest.mark.parametrize("url", ["https://me:s3c/ret@index.example/simple", "https://me:s3c[ret@index.example/"])
def test_a_password_with_signs_of_its_own_is_not_shown(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked(url, "PIP_INDEX_URL")
    assert "s3c" not in str(caught.value)
    assert "%2F" in (caught.value.hint or "")


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(ConfigError, match="no UTF-8"):
        checked("https://index.example/\udcff", "UV_INDEX")


def test_hosts() -> None:
    for host in ("index.example", "index.example:8443", "127.0.0.1", "*", "https://index.example"):
        assert checked_host(host, "UV_INSECURE_HOST") == host
    with pytest.raises(ConfigError, match=r"`\[bad` in `UV_INSECURE_HOST` is no host"):
        checked_host("[bad", "UV_INSECURE_HOST")
