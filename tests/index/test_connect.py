from __future__ import annotations

import logging

import pytest

from lamella import __version__
from lamella.errors import ConfigError
from lamella.index.connect import CONNECT_TIMEOUT, client
from lamella.index.settings import IndexSettings


def test_a_socks_proxy_from_the_environment_needs_a_package(
    monkeypatch: pytest.MonkeyPatch,
    plain_network: None,  # noqa: ARG001
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    with pytest.raises(ConfigError, match="SOCKS proxy can't be used") as caught:
        client(IndexSettings())
    assert "`socksio`" in (caught.value.hint or "")


def test_a_socks_proxy_from_settings_needs_it_too(plain_network: None) -> None:  # noqa: ARG001
    with pytest.raises(ConfigError, match="SOCKS proxy can't be used"):
        client(IndexSettings(proxies=(("https", "socks5://me:s3cret@127.0.0.1:1080"),)))


@pytest.mark.parametrize(("seconds", "connect"), [(2.0, 2.0), (300.0, CONNECT_TIMEOUT)])
def test_a_connection_is_waited_for_less_long_than_an_answer(
    plain_network: None,  # noqa: ARG001
    seconds: float,
    connect: float,
) -> None:
    with client(IndexSettings(timeout=seconds)) as made:
        assert (made.timeout.connect, made.timeout.read, made.timeout.pool) == (connect, seconds, None)
        assert made.headers["User-Agent"] == f"lamella/{__version__}"
        assert "authorization" not in made.headers


def test_what_the_libraries_log_holds_no_login(caplog: pytest.LogCaptureFixture, plain_network: None) -> None:  # noqa: ARG001
    caplog.set_level(logging.DEBUG)
    client(IndexSettings()).close()
    logging.getLogger("httpx2").info("%s %s", "GET", "https://me:s3cret@index.example/x?token=s3cret")
    (record,) = [record for record in caplog.records if record.name == "httpx2"]
    assert record.getMessage() == "GET https://***@index.example/x?***"
