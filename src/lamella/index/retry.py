"""When a request is worth another try, and how long to wait before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from lamella.errors import OutsideError
from lamella.wording import printable, redacted, scrubbed

if TYPE_CHECKING:
    from httpx2 import Response

TRIES = 5
FIRST_DELAY = 0.5  # seconds; doubles each time
LONGEST_DELAY = 60.0  # seconds; who wants us to wait longer is taken to have refused
GONE = {404, 410}
AGAIN = {408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 527}
# What the socket library raises for a host or a port that can't be, which the HTTP library passes on
NO_ADDRESS = (UnicodeError, OverflowError)


class Waits(NamedTuple):
    """How to wait, and a number from 0 to 1 that keeps many clients from coming back together."""

    sleep: Callable[[float], None]
    jitter: Callable[[], float]


class Tries:
    """Counts the tries of one request and waits between them."""

    def __init__(self, url: str, wait: Waits) -> None:
        self.url = url
        self.asked_keyring = False
        self._wait = wait
        self._made = 0

    def failed(self, error: Exception) -> None:
        """After an exception of the HTTP library.  Raises OutsideError when another try can't help."""
        import ssl

        import httpx2

        reason = scrubbed(str(error)) or type(error).__name__
        hint = None
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
            hint = "name the CA bundle in SSL_CERT_FILE, or set UV_SYSTEM_CERTS=1 to trust what the system trusts"
        elif isinstance(error, httpx2.ProxyError) and "407" in reason:
            hint = "the proxy wants credentials: put them into the proxy's URL"
        elif not isinstance(
            error, (httpx2.TimeoutException, httpx2.NetworkError, httpx2.RemoteProtocolError, httpx2.ProxyError)
        ):
            hint = "check the index's URL"
        if hint:
            raise OutsideError(f"`{redacted(self.url)}` could not be fetched", why=[reason], hint=hint) from None
        self.again(reason, None)

    def again(self, reason: str, retry_after: float | None) -> None:
        """Wait before the next try.  Raises OutsideError when there is none left."""
        self._made += 1
        delay = FIRST_DELAY * 2 ** (self._made - 1) * (1 + self._wait.jitter() / 4)
        if retry_after is not None:
            delay = max(delay, retry_after) if retry_after else 0.0
        if self._made >= TRIES or delay > LONGEST_DELAY:
            told = f"it asks to wait {delay:.0f} s" if delay > LONGEST_DELAY else f"after {self._made} tries"
            raise OutsideError(
                f"`{redacted(self.url)}` could not be fetched",
                why=[f"{printable(reason)} ({told})"],
                hint="check the network and the proxy, then run it again: it goes on where it stopped",
            )
        self._wait.sleep(delay)


def retry_after(response: Response) -> float | None:
    """Seconds (RFC 9110, 10.2.3).  A date is read against the server's own clock."""
    value = response.headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    from email.utils import parsedate_to_datetime

    try:
        then, now = parsedate_to_datetime(value), parsedate_to_datetime(response.headers.get("Date", ""))
        return max(0.0, (then - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
