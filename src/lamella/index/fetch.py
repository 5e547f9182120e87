"""Index pages and files over HTTP: the only place that speaks it, with unearth's client.

One `Session` serves all threads.  A download goes into a file that its caller names and locks; what is there is
continued, so a kill or a cut-off costs only what was under way.
"""

from __future__ import annotations

import contextlib
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from lamella.errors import OutsideError
from lamella.index import connect
from lamella.index.credentials import Credentials, Login, split
from lamella.index.download import MOST, Download, Fetched
from lamella.index.retry import AGAIN, GONE, NO_ADDRESS, Tries, Waits, retry_after
from lamella.wording import redacted

if TYPE_CHECKING:
    from httpx2 import Request, Response

    from lamella.index.settings import IndexSettings

BUFFER = 256 * 1024  # bytes a download


class RefusedError(OutsideError):
    """An index answered, and refused.  `status` is the HTTP status."""

    def __init__(self, what: str, status: int, *, why: Iterable[str], hint: str) -> None:
        super().__init__(what, why=why, hint=hint)
        self.status = status


class Session:
    """A client with the user's settings.  Also what unearth calls a Fetcher.  Threads may share it."""

    def __init__(
        self,
        settings: IndexSettings,
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.settings = settings
        urls = [url for url in settings.index_urls if url]
        self.credentials = Credentials(
            [*urls, *settings.explicit_indexes, *settings.find_links],
            keyring=settings.keyring,
            netrc_path=settings.netrc,
        )
        self.wait = Waits(sleep, jitter)
        self.client = connect.client(settings)
        self.client.event_hooks = {"request": [self._authorize], "response": [_check_redirect]}

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """A page.  A 404 is an answer; other refusals raise OutsideError."""
        return self._page("GET", url, headers)

    def head(self, url: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """As `get`, without the body."""
        return self._page("HEAD", url, headers)

    @contextlib.contextmanager
    def get_stream(self, url: str, *, headers: Mapping[str, str] | None = None) -> Iterator[Response]:
        """A response whose body is read by the caller.  One try; the library's own errors."""
        with self.client.stream("GET", self.credentials.remember(url), headers=headers) as response:
            yield response

    def iter_secure_origins(self) -> Iterable[tuple[str, str, str]]:
        """Every one: a plain http index is an index that somebody wrote down on purpose, as for uv."""
        yield ("*", "*", "*")

    def close(self) -> None:
        self.client.close()

    def _page(self, method: str, url: str, headers: Mapping[str, str] | None) -> Response:
        import httpx2

        url = self.credentials.remember(url)
        tries = Tries(url, self.wait)
        while True:
            try:
                response = self.client.request(method, url, headers=headers)
            except (httpx2.HTTPError, httpx2.InvalidURL, *NO_ADDRESS) as error:
                tries.failed(error)
                continue
            if response.is_success or response.status_code in GONE:
                return response
            self.refused(response, tries)

    def refused(self, response: Response, tries: Tries) -> None:
        """Return when the same request is worth another try, after waiting.  Raises OutsideError otherwise."""
        status = f"HTTP {response.status_code} {response.reason_phrase}".rstrip()
        if response.status_code == 401 and not tries.asked_keyring:
            tries.asked_keyring = True
            if self.credentials.from_keyring(str(response.url)):
                return
        if response.status_code in {401, 403}:
            raise RefusedError(
                f"the index refuses `{redacted(str(response.url))}`",
                response.status_code,
                why=[status, _login_state(response)],
                hint="credentials come from the index URL, netrc, `keyring`, or UV_INDEX_<NAME>_USERNAME and _PASSWORD",
            )
        if response.status_code in AGAIN:
            tries.again(status, retry_after(response))
            return
        raise RefusedError(
            f"`{redacted(tries.url)}` could not be fetched",
            response.status_code,
            why=[status],
            hint="check the index's URL",
        )

    def _authorize(self, request: Request) -> None:
        """Runs before every request, the redirected ones too, so that each origin gets its own login or none."""
        import httpx2

        request.headers.pop("Authorization", None)
        bare, user, password = split(str(request.url))
        if user is not None:
            request.url = httpx2.URL(bare)
        login = Login(user or "", password) if password is not None else self.credentials.for_url(bare)
        if login:
            from base64 import b64encode

            token = b64encode(f"{login.user}:{login.password}".encode()).decode()
            request.headers["Authorization"] = f"Basic {token}"


@contextlib.contextmanager
def open_session(
    settings: IndexSettings,
    *,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> Iterator[Session]:
    """A session that is closed at the end.  `sleep` and `jitter` (0 to 1) space the retries.

    Raises ConfigError for a CA bundle, client certificate or proxy that can't be used.
    """
    session = Session(settings, sleep=sleep, jitter=jitter)
    try:
        yield session
    finally:
        session.close()


def download(
    session: Session,
    url: str,
    partial: str,
    *,
    size: int | None = None,
    on_bytes: Callable[[int], None] | None = None,
    most: int = MOST,
) -> Fetched:
    """Fetch `url` into the file `partial`, after the bytes that it already holds, and check that all came.

    `size` in bytes, where the lock tells it; where it doesn't, `most` bytes are taken and no more.  `on_bytes` is
    told the bytes that were there already, then what arrives, and a negative number when the file is started again.
    The caller holds the lock on `partial` and checks the hash; a file that was resumed and has the wrong one deserves
    a second, whole download.
    Raises OutsideError when the index refuses or five tries weren't enough; what arrived stays for the next time.
    """
    try:
        with open(partial, "ab", buffering=BUFFER) as file:
            return Download(session, url, file, size, on_bytes or _ignore, most).run()
    except OSError as error:
        raise OutsideError(
            f"`{partial}` can't be written",
            why=[error.strerror or str(error)],
            hint="check the cache's disk and permissions",
        ) from None


def _check_redirect(response: Response) -> None:
    if response.has_redirect_location:
        scheme, colon, _ = response.headers["Location"].partition(":")
        if colon and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme) and scheme.lower() not in {"http", "https"}:
            raise OutsideError(
                f"`{redacted(str(response.url))}` redirects to a `{scheme}:` address",
                hint="an index may only redirect to http and https",
            )


def _login_state(response: Response) -> str:
    sent = "Authorization" in response.request.headers
    return "the credentials for it were not accepted" if sent else "no credentials for it were found"


def _ignore(_count: int) -> None:
    pass
