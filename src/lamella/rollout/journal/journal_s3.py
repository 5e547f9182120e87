"""The journal of a place in S3, for several machines, such as CI."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence

from lamella.aws import BusyError
from lamella.cloud.model import Objects
from lamella.errors import LamellaError, OutsideError
from lamella.rollout.journal.holder import fields, held_by, holder, is_alive
from lamella.rollout.journal.journal import WholeJournal


class S3Journal(WholeJournal):
    """For several machines, such as CI: `NAME.json`, `NAME.lock` and `NAME.kept/` below the bucket's prefix."""

    def __init__(self, bucket: Objects, name: str) -> None:
        self._bucket = bucket
        self._name = name
        self._own = ""
        self.where = f"s3://{bucket.name}/{bucket.prefix}{name}.json"

    def keep(self, key: str, path: str) -> None:
        if self._bucket.has(self._kept(key)) != os.path.getsize(path):
            self._bucket.put_file(self._kept(key), path)

    def kept(self, key: str, path: str) -> bool:
        return self._bucket.fetch(self._kept(key), path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        token = secrets.token_hex(8)
        try:
            self._lock(token)
            yield
        finally:
            self._release(token)

    def _lock(self, token: str) -> None:
        key = f"{self._name}.lock"
        failed: OutsideError | None = None
        try:
            if self._bucket.put(key, holder(token), absent=True):
                return
        except OutsideError as error:  # no answer: it may be ours all the same
            failed = error
        held = self._bucket.get(key)
        if held is not None and fields(held).get("token") == token:
            return  # the first answer was lost, and the client asked again
        if failed is not None:
            raise failed
        raise BusyError(
            "another deploy to this place is under way",
            why=[f"{held_by(held)} holds the lock of `{self.where}`"],
            hint="wait for its end, then run this again: it will plan anew.  Where that run was killed, "
            "`lamella deploy --unlock` takes the lock away",
        )

    def _release(self, token: str) -> None:
        """Only one's own: after `--unlock` it may be somebody else's."""
        with contextlib.suppress(LamellaError):  # the next one is told who left it, and how to take it away
            held = self._bucket.get(f"{self._name}.lock")
            if held is not None and fields(held).get("token") == token:
                self._bucket.delete(f"{self._name}.lock")

    def held(self) -> str:
        told = self._bucket.get(f"{self._name}.lock")
        alive = None if told is None else is_alive(told)
        if told is None or alive is False:
            return ""
        killed = " unless it was killed: then `lamella deploy --unlock` takes its lock away"
        return held_by(told) + killed * (not alive)

    def unlock(self) -> str:
        held = self._bucket.get(f"{self._name}.lock")
        if held is None:
            return ""
        self._bucket.delete(f"{self._name}.lock")
        return held_by(held)

    def _read(self) -> bytes | None:
        return self._bucket.get(f"{self._name}.json")

    def _write(self, data: bytes) -> None:
        self._bucket.put(f"{self._name}.json", data)

    def _keys(self) -> Sequence[str]:
        below = self._kept("")
        return [key.removeprefix(below) for key in self._bucket.keys(below)]

    def _drop(self, key: str) -> None:
        self._bucket.delete(self._kept(key))

    def _kept(self, key: str) -> str:
        return f"{self._name}.kept/{key}"
