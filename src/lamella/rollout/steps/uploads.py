"""Zips that are too large for a request go through S3, under their digest: what is there is not sent again."""

from __future__ import annotations

import threading

from lamella.cloud.model import Content, Objects
from lamella.errors import LamellaError, OutsideError
from lamella.facts.tables import limits


def key_of(content: Content) -> str:
    """Its key below the bucket's prefix."""
    return f"lamella/{content.sha256}.zip"


class Uploads:
    """What of the bucket one rollout uses.  Threads may share one.  `bucket` is None where none is configured."""

    def __init__(self, bucket: Objects | None) -> None:
        self._bucket = bucket
        self._lock = threading.Lock()
        self._sent: set[str] = set()

    def sendable(self, content: Content) -> Content:
        """The content as a request takes it: as it is, or as an object of S3 that was sent.

        Raises LamellaError where there is no bucket, and what the bucket raises.
        """
        if content.bucket or content.size <= limits().layer_zipped:
            return content
        if self._bucket is None:
            raise LamellaError(
                f"`{content.path}` is too large to go up without S3",
                why=[f"it has {content.size:,} bytes, and a request takes {limits().layer_zipped:,}"],
                hint="name a bucket that Lambda's region has: `bucket` in `[tool.lamella.deploy]`",
            )
        key = key_of(content)
        with self._lock:  # one after the other: each has its own parts in flight
            if key not in self._sent:
                self._send(self._bucket, key, content)
                self._sent.add(key)
        return content._replace(bucket=self._bucket.name, key=self._bucket.prefix + key)

    def _send(self, bucket: Objects, key: str, content: Content) -> None:
        if bucket.has(key) == content.size:
            return
        try:
            bucket.put_file(key, content.path)
        except OSError as error:
            raise OutsideError(
                f"`{content.path}` can't be read: {error.strerror or error}", hint="run `lamella build` again"
            ) from None
