from __future__ import annotations

import errno
import socket

import pytest

from lamella.errors import UsageError
from lamella.listening import listening, refused, url_of


def test_a_port_in_use_is_refused_with_a_way_out() -> None:
    with listening("127.0.0.1", 0) as taken, pytest.raises(UsageError) as caught:
        listening("127.0.0.1", taken.getsockname()[1])
    assert "is in use" in caught.value.what
    assert "--port 0" in (caught.value.hint or "")


def test_a_port_for_root_alone_is_refused_with_a_way_out() -> None:
    error = refused("127.0.0.1", 80, PermissionError(errno.EACCES, "Permission denied"))
    assert (
        str(error) == "port 80 is one that only root may listen on\n  hint: give `--port` a number from 1024 to 65535"
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "é" * 70, "a\0b"])
def test_a_host_that_is_not_here_is_refused_with_a_way_out(host: str) -> None:
    with pytest.raises(UsageError) as caught:
        listening(host, 0)
    assert "leave `--host` out" in (caught.value.hint or "")


def test_the_listener_says_that_it_is_tcp_for_asyncio_to_turn_nagle_off() -> None:
    with listening("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:"), ("localhost", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:")],
)
def test_the_url_is_one_that_this_machine_reaches(host: str, url: str) -> None:
    with listening(host, 0) as listener:
        assert url_of(listener) == f"{url}{listener.getsockname()[1]}"
        socket.create_connection(("127.0.0.1", listener.getsockname()[1])).close()


def test_the_url_of_an_ipv6_address_has_brackets() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with listening("::1", 0) as listener:
        assert url_of(listener).startswith("http://[::1]:")
