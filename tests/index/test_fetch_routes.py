"""The way to an index: certificates and proxies."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.index.downloading import CONTENT, NAME, PATH, Waited, fetch, session_with
from tests.wheels.index_server import Answer, IndexServer

from lamella.errors import ConfigError, OutsideError
from lamella.index.fetch import open_session
from lamella.index.settings import IndexSettings


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
