"""AWS, as the user's own settings reach it: clients, signed links, and what their errors mean.

This file and `aws_refusals`, whose names it hands on, are the only ones that import botocore (boto3 brings it), and
only when AWS is asked for something: the extra `aws` installs it.  AWS_ENDPOINT_URL, AWS_CA_BUNDLE, proxies and retries
are read by botocore as every AWS program has them.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lamella.aws_refusals import (
    BusyError,
    DeniedError,
    ExpiredError,
    NotThereError,
    StaleError,
    ThrottledError,
    UnreachableError,
    told,
)
from lamella.errors import LamellaError, OutsideError
from lamella.wording import redacted, scrubbed

__all__ = [
    "Access",
    "BusyError",
    "DeniedError",
    "ExpiredError",
    "NotThereError",
    "StaleError",
    "ThrottledError",
    "UnreachableError",
    "client",
    "opened",
    "pieces",
    "told",
    "upload",
]

_CONNECT_TIMEOUT = 10  # seconds
_READ_TIMEOUT = 60
_CONNECTIONS = 20  # a client's, for all threads that share it
_PIECE = 1 << 18


class Access:
    """One way into AWS: as `profile` and, from there, as `role` (an ARN), in `region`.  Threads may share it.

    None and "" are for what environment and files say.  Nothing is asked, and botocore not loaded, before a client is
    needed.  `before_send` is called before every HTTP request of its clients, those that are tried again included.
    """

    def __init__(
        self,
        profile: str | None = None,
        region: str | None = None,
        *,
        role: str = "",
        before_send: Callable[[], None] | None = None,
    ) -> None:
        self._profile = profile or None
        self._region = region or None
        self._role = role
        self._before_send = before_send
        self._lock = threading.Lock()
        self._held: Any = None
        self._clients: dict[tuple[object, ...], Any] = {}

    @property
    def region(self) -> str:
        """The region that is meant, "" where nobody says one.  Raises what `client` does."""
        with self._lock:
            return _region(self._session(), self._region) or ""

    def client(
        self,
        service: str,
        *,
        attempts: int | None = None,
        read_timeout: float = _READ_TIMEOUT,
        connect_timeout: float = _CONNECT_TIMEOUT,
    ) -> Any:
        """A client of botocore for `service` (``lambda``), one for each choice of the other arguments.

        `attempts` are requests for a call at most, None for botocore's own way of trying again; both timeouts are in
        seconds.  Raises LamellaError where botocore is not installed, or what it was told can't be used.
        """
        chosen = (service, attempts, read_timeout, connect_timeout)
        with self._lock:  # clients may be shared, sessions may not
            if chosen not in self._clients:
                self._clients[chosen] = self._made(*chosen)
            return self._clients[chosen]

    def _made(self, service: str, attempts: int | None, read_timeout: float, connect_timeout: float) -> Any:
        session = self._session()
        doing = f"reach AWS's `{service}`"
        try:
            with told(doing):
                options = _options(session, service, self._region, attempts, read_timeout, connect_timeout)
                made = session.create_client(**options)
        except ValueError as error:  # AWS_MAX_ATTEMPTS=many, AWS_ENDPOINT_URL=here
            hint = "correct AWS's configuration, or the AWS_ variable that says so"
            raise LamellaError(f"could not {doing}", why=[scrubbed(str(error))], hint=hint) from None
        if self._before_send is not None:
            made.meta.events.register("before-send", _Before(self._before_send))
        return made

    def _session(self) -> Any:
        if self._held is None:
            session = _session(self._profile)
            self._held = _assumed(session, self._profile, self._role, self._region) if self._role else session
        return self._held


class _Before:
    """What botocore calls before it sends: a None lets it go on."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call

    def __call__(self, **_: object) -> None:
        self._call()


def client(
    service: str,
    profile: str | None = None,
    region: str | None = None,
    *,
    role: str = "",
    attempts: int | None = None,
    before_send: Callable[[], None] | None = None,
) -> Any:
    """A client of a way into AWS of its own: see `Access`."""
    return Access(profile, region, role=role, before_send=before_send).client(service, attempts=attempts)


def _options(
    session: Any,
    service: str,
    region: str | None,
    attempts: int | None = None,
    read_timeout: float = _READ_TIMEOUT,
    connect_timeout: float = _CONNECT_TIMEOUT,
) -> dict[str, Any]:
    from botocore.config import Config  # type: ignore[import-untyped]

    # Older versions of botocore have another mode where nobody chose one
    chosen = session.get_config_variable("retry_mode")
    retries: dict[str, Any] = {"mode": "standard"} if chosen in (None, "legacy") else {}
    if attempts is not None:
        retries["total_max_attempts"] = attempts
    return {
        "service_name": service,
        "region_name": _region(session, region),
        "config": Config(
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries=retries or None,
            max_pool_connections=_CONNECTIONS,
            tcp_keepalive=read_timeout > _READ_TIMEOUT,  # what forwards packets forgets silent connections
        ),
    }


def _region(session: Any, region: str | None) -> str | None:
    # The other SDKs of AWS, and Lambda itself, know the shorter name, too
    return region or session.get_config_variable("region") or os.environ.get("AWS_REGION")


def _assumed(source: Any, profile: str | None, role: str, region: str | None) -> Any:
    """A session with the credentials of a role, which are renewed before they expire (STS AssumeRole)."""
    from botocore.credentials import (  # type: ignore[import-untyped]
        AssumeRoleCredentialFetcher,
        CredentialProvider,
        CredentialResolver,
        DeferredRefreshableCredentials,
    )

    class Assumes(CredentialProvider):  # type: ignore[misc]
        METHOD = "assume-role"

        def load(self) -> Any:
            credentials = source.get_credentials()
            if credentials is None:
                return None
            options = _options(source, "sts", region)
            options.pop("service_name")
            fetcher = AssumeRoleCredentialFetcher(
                functools.partial(source.create_client, **options),
                credentials,
                role,
                extra_args={"RoleSessionName": "lamella"},
            )
            return DeferredRefreshableCredentials(fetcher.fetch_credentials, self.METHOD)

    session = _session(profile)
    session.register_component("credential_provider", CredentialResolver([Assumes()]))
    return session


def _session(profile: str | None) -> Any:
    try:
        from botocore.session import Session  # type: ignore[import-untyped]
    except ImportError:
        raise LamellaError(
            "`boto3`, which speaks to AWS, is not installed",
            hint="install `lamella[aws]`",
        ) from None
    with told(f"use the profile `{profile}`" if profile else "use AWS's configuration"):
        return Session(profile=profile)


@contextlib.contextmanager
def opened(url: str, start: int = 0, profile: str | None = None) -> Iterator[Iterator[bytes]]:
    """The bytes behind a signed link from the byte `start` on, in pieces of at most 256 KiB.

    The link is a secret, and is never shown whole.  Raises ExpiredError; UnreachableError, also while pieces are read,
    where they end early; OutsideError.
    """
    session = _session(profile)
    from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
    from botocore.httpsession import URLLib3Session  # type: ignore[import-untyped]
    from botocore.response import StreamingBody  # type: ignore[import-untyped]
    from botocore.utils import get_environ_proxies  # type: ignore[import-untyped]
    from urllib3.exceptions import HTTPError

    shown = redacted(url)
    if not url.startswith(("https://", "http://")):
        raise OutsideError(f"AWS gave no link to the zip, but `{shown}`", hint="try again later")
    query = url.partition("?")[2]
    with told(f"download `{shown}`", secret=query):
        verify = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or True
        http = URLLib3Session(
            verify=verify, proxies=get_environ_proxies(url), timeout=(_CONNECT_TIMEOUT, _READ_TIMEOUT)
        )  # fmt: skip
        try:
            headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
            response = http.send(AWSRequest("GET", url, headers=headers, stream_output=True).prepare())
            _refuse(response.status_code, shown)
            body = StreamingBody(response.raw, response.headers.get("Content-Length"))
            yield _pieces(body, skipped=start if response.status_code == 200 else 0)
        except HTTPError as error:  # what StreamingBody lets through: TLS that ends amid the body
            text = scrubbed(str(error).replace(query, "***") if query else str(error))
            raise UnreachableError(f"could not download `{shown}`", why=[text], hint="try again") from None
        finally:
            http.close()


def _refuse(status: int, shown: str) -> None:
    if status in (200, 206):
        return
    why = [f"HTTP {status}"]
    if status in (400, 401, 403):  # S3 says 400 where the token that signed it has expired
        raise ExpiredError(
            f"the link `{shown}` is refused",
            why=[*why, "such a link is valid for ten minutes"],
            hint="try again; where it stays so, ask whether a bucket or network policy is in the way",
        )
    kind = UnreachableError if status >= 500 or status in (408, 429) else OutsideError
    raise kind(f"`{shown}` can't be downloaded", why=why, hint="try again later")


def _pieces(body: Any, skipped: int) -> Iterator[bytes]:
    """The body without its first bytes, which a server that knows no ranges sends again."""
    for piece in body.iter_chunks(_PIECE):
        if skipped >= len(piece):
            skipped -= len(piece)
            continue
        yield piece[skipped:]
        skipped = 0


def pieces(body: Any) -> Iterator[bytes]:
    """The bytes of an answer's body, in pieces of at most 256 KiB.  To be read within `told`."""
    from botocore.exceptions import ResponseStreamingError  # type: ignore[import-untyped]
    from urllib3.exceptions import HTTPError

    try:
        yield from body.iter_chunks(_PIECE)
    except HTTPError as error:  # TLS that ends amid the body
        raise ResponseStreamingError(error=error) from None


def upload(s3: Any, path: str, at: Mapping[str, str]) -> None:
    """Send a file to the Bucket and Key of `at`, in parts of 8 MiB where it is larger.  To be called within `told`.

    Holds at most four parts in memory.  Raises OSError where the file can't be read.
    """
    from s3transfer.manager import TransferConfig, TransferManager  # type: ignore[import-untyped]

    config = TransferConfig(max_request_concurrency=4)
    with TransferManager(s3, config) as manager:
        manager.upload(path, at["Bucket"], at["Key"], extra_args={"ChecksumAlgorithm": "SHA256"}).result()
