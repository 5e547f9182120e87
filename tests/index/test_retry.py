from __future__ import annotations

import httpx2
import pytest

from lamella.errors import OutsideError
from lamella.index.retry import LONGEST_DELAY, Tries, Waits, retry_after

NOW = "Sun, 22 Nov 2026 08:00:00 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("Sun, 22 Nov 2026 08:01:30 GMT", 90.0),
        ("Sun, 22 Nov 2026 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after(httpx2.Response(429, headers={"Retry-After": value, "Date": NOW})) == seconds


def test_a_date_without_the_servers_own_clock_tells_nothing() -> None:
    assert retry_after(httpx2.Response(429, headers={"Retry-After": NOW})) is None
    assert retry_after(httpx2.Response(429)) is None


def test_waits_double_and_spread() -> None:
    waited: list[float] = []
    tries = Tries("https://index.example/", Waits(waited.append, lambda: 1.0))
    for _ in range(4):
        tries.again("busy", None)
    assert waited == [0.625, 1.25, 2.5, 5.0]
    with pytest.raises(OutsideError, match="after 5 tries"):
        tries.again("busy", None)


def test_the_longest_wait_is_still_waited() -> None:
    waited: list[float] = []
    tries = Tries("https://index.example/", Waits(waited.append, lambda: 0.0))
    tries.again("busy", LONGEST_DELAY)
    with pytest.raises(OutsideError, match="asks to wait"):
        tries.again("busy", LONGEST_DELAY + 1)
    assert waited == [LONGEST_DELAY]


@pytest.mark.parametrize(
    "kind", [httpx2.ConnectTimeout, httpx2.ReadError, httpx2.RemoteProtocolError, httpx2.ConnectError]
)
def test_errors_that_may_pass(kind: type[httpx2.TransportError]) -> None:
    waited: list[float] = []
    Tries("https://index.example/", Waits(waited.append, lambda: 0.0)).failed(kind("broken"))
    assert waited == [0.5]


def test_errors_that_will_not_pass() -> None:
    tries = Tries("https://me:s3cret@index.example/", Waits(_must_not_be_called, lambda: 0.0))
    for error in (httpx2.UnsupportedProtocol("no gopher"), httpx2.InvalidURL("bad https://me:s3cret@index.example/")):
        with pytest.raises(OutsideError, match="could not be fetched") as caught:
            tries.failed(error)
        assert "s3cret" not in str(caught.value)
    with pytest.raises(OutsideError) as caught:
        tries.failed(httpx2.ProxyError("407 Proxy Authentication Required"))
    assert "proxy" in (caught.value.hint or "")


def test_what_a_server_says_can_send_nothing_to_a_terminal() -> None:
    tries = Tries("https://index.example/\x1b[2J/", Waits(lambda _: None, lambda: 0.0))
    with pytest.raises(OutsideError) as permanent:
        tries.failed(httpx2.UnsupportedProtocol("no\x1b]0;title\x07"))
    for _ in range(4):
        tries.again("busy", None)
    with pytest.raises(OutsideError) as passing:
        tries.again("busy\x1b[2J\nerror: all is well", None)
    for caught in (permanent, passing):
        assert str(caught.value).replace("\n", "").isprintable()
        assert len(str(caught.value).splitlines()) == 3
    assert passing.value.why == (r"busy\x1b[2J\nerror: all is well (after 5 tries)",)


def _must_not_be_called(_seconds: float) -> None:
    raise AssertionError("waited")
