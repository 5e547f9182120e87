"""One file's download: continued where it stopped, begun again where the server has another, held to a size."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from lamella.errors import OutsideError
from lamella.index.retry import GONE, NO_ADDRESS, Tries
from lamella.wording import redacted

if TYPE_CHECKING:
    from httpx2 import Response

    from lamella.index.fetch import Session

# Bytes that are taken of a file whose size the lock doesn't tell: the index takes 1 GB at most unless asked, and a
# server that never stops would fill the disk
MOST = 4 * 2**30


class Fetched(NamedTuple):
    """Bytes in the file now, and how many of them may be of another file: those before the place where it was
    continued without proof that the server still has the same.  With a wrong hash it is worth a second, whole try.
    """

    size: int
    resumed: int


class Download:
    """One download.  `run` it once; `fetch.download` says what the arguments are."""

    def __init__(
        self,
        session: Session,
        url: str,
        file: BinaryIO,
        size: int | None,
        on_bytes: Callable[[int], None],
        most: int,
    ) -> None:
        self.session = session
        self.url = session.credentials.remember(url)
        self.file = file
        self.size = size
        self.on_bytes = on_bytes
        self.most = most if size is None else size
        self.have = self.resumed = os.fstat(file.fileno()).st_size
        self.etag: str | None = None

    def run(self) -> Fetched:
        import httpx2

        self.on_bytes(self.have)
        tries = Tries(self.url, self.session.wait)
        while self.size is None or self.have != self.size:
            if self.size is not None and self.have > self.size:
                self._restart()
            try:
                if self._once(tries):
                    break
            except (httpx2.HTTPError, httpx2.InvalidURL, *NO_ADDRESS) as error:
                self.file.flush()
                tries.failed(error)
        self.file.flush()
        return Fetched(self.have, self.resumed)

    def _once(self, tries: Tries) -> bool:
        """One request; True when the file is whole."""
        # Coded bytes would be neither what is hashed nor what Content-Length and Range count
        headers = {"Accept-Encoding": "identity"}
        if self.have:
            headers["Range"] = f"bytes={self.have}-"
            if self.etag:
                headers["If-Range"] = self.etag
        with self.session.client.stream("GET", self.url, headers=headers) as response:
            if response.status_code == 416 and self.have:
                # Either it was whole, or it is another file now
                if _content_range(response)[1] == self.have:
                    return True
                self._restart()
                return False
            if response.status_code in GONE:
                raise OutsideError(
                    f"`{redacted(self.url)}` is gone from the index",
                    why=[f"HTTP {response.status_code} {response.reason_phrase}".rstrip()],
                    hint="the lock names a file that the index no longer has: lock again",
                )
            if not response.is_success:
                self.session.refused(response, tries)
                return False
            return self._body(response, tries)

    def _body(self, response: Response, tries: Tries) -> bool:
        if response.status_code == 206:
            start, total = _content_range(response)
            if start != self.have:
                self._restart()
                return False
        else:
            if self.have:
                self._restart()
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else None
        if total is not None and self.size is not None and total != self.size:
            raise OutsideError(
                f"`{redacted(self.url)}` is another file than the locked one",
                why=[f"it has {total} bytes, the lock says {self.size}"],
                hint="lock again, or ask whoever keeps the index",
            )
        etag = response.headers.get("ETag")
        if self.have and (self.etag is None or etag != self.etag):
            self.resumed = self.have
        self.etag = etag if etag and not etag.startswith("W/") else None
        limit = total if total is not None else self.size
        if limit is not None and limit > self.most:
            raise self._too_much()
        for chunk in response.iter_raw():
            self.file.write(chunk)
            self.have += len(chunk)
            self.on_bytes(len(chunk))
            if self.have > (self.most if limit is None else limit):
                raise self._too_much(limit)
        if limit is not None and self.have < limit:
            self.file.flush()
            tries.again(f"the connection ended after {self.have} of {limit} bytes", None)
            return False
        return True

    def _too_much(self, limit: int | None = None) -> OutsideError:
        if limit is None:
            self._restart()
            return OutsideError(
                f"`{redacted(self.url)}` has more than {self.most} bytes",
                why=["the lock does not say how large it is"],
                hint="lock again, so that the lock has the file's size, or ask whoever keeps the index",
            )
        return OutsideError(
            f"`{redacted(self.url)}` sends more than the {limit} bytes it should have",
            hint="lock again, or ask whoever keeps the index",
        )

    def _restart(self) -> None:
        self.file.flush()
        self.file.truncate(0)
        self.on_bytes(-self.have)
        self.have = self.resumed = 0
        self.etag = None


def _content_range(response: Response) -> tuple[int | None, int | None]:
    """First byte and whole length, from ``bytes 5-9/10`` or ``bytes */10``."""
    found = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", response.headers.get("Content-Range", "").strip())
    if not found:
        return None, None
    return int(found[1]) if found[1] else None, int(found[2]) if found[2] != "*" else None
