"""A bucket of S3, or of what speaks as S3 does, below a prefix: objects by key, written and read whole.

Where another service answers, AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL) names it: botocore then puts the bucket's name
into the path.  Every object is sent with its SHA-256, which S3 compares before it keeps it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
from _thread import get_ident
from collections.abc import Callable, Iterator
from typing import Any

from lamella import aws
from lamella.errors import LamellaError, UsageError
from lamella.wording import printable

# S3 User Guide, "General purpose bucket naming rules"; other services hold to it, or are laxer about case and "_"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_LONGEST_KEY = 1024  # bytes of UTF-8: S3 User Guide, "Naming Amazon S3 objects"
# How often an object is read whose bytes end early
_TRIES = 3

Going = Callable[[int], object]


def location(text: str) -> tuple[str, str]:
    """The bucket and the prefix of ``s3://BUCKET/PREFIX``; the prefix ends with a slash, or is "".

    Raises UsageError.
    """
    scheme, separator, rest = text.partition("://")
    name, _, prefix = rest.partition("/")
    hint = "write it as `s3://BUCKET` or `s3://BUCKET/PREFIX`"
    if not separator or scheme.lower() != "s3":
        raise UsageError(f"`{printable(text)}` is no place in S3", why=["it does not start with `s3://`"], hint=hint)
    if not name:
        raise UsageError(f"`{printable(text)}` names no bucket", hint=hint)
    if not _BUCKET.fullmatch(name):
        raise UsageError(
            f"`{printable(text)}` names no bucket",
            why=[f"`{printable(name)}` can't be the name of one: 3 to 63 letters, digits, dots and hyphens"],
            hint=hint,
        )
    parts = [part for part in prefix.split("/") if part]
    if any(part in (".", "..") for part in parts) or not prefix.isprintable() or "?" in prefix or "#" in prefix:
        raise UsageError(f"`{printable(text)}` has a prefix that can't be meant", hint=hint)
    return name, "".join(f"{part}/" for part in parts)


class Bucket:
    """Objects by keys relative to `prefix`, which ends with a slash or is "".  Threads may share one.

    `attempts` are requests for a call at most, None for botocore's own way; `timeouts` are seconds for a connection and
    for what is read next, None for those that AWS is asked with elsewhere.  Nothing is asked, and botocore not loaded,
    before the first call.  What AWS refuses is raised as `lamella.aws` has it: NotThereError where the bucket isn't
    there, DeniedError, UnreachableError, ThrottledError, OutsideError.
    """

    def __init__(
        self,
        name: str,
        prefix: str = "",
        profile: str | None = None,
        region: str | None = None,
        role: str | None = None,
        *,
        attempts: int | None = None,
        timeouts: tuple[float, float] | None = None,
    ) -> None:
        self.name = name
        self.prefix = prefix if not prefix or prefix.endswith("/") else prefix + "/"
        self._region = region
        self._access = aws.Access(profile, region, role=role or "")
        self._options: dict[str, Any] = {"attempts": attempts}
        if timeouts is not None:
            self._options["connect_timeout"], self._options["read_timeout"] = timeouts
        self._tries = min(attempts or _TRIES, _TRIES)

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}"

    def open(self) -> None:
        """Load what it takes to ask, ahead of time.  Whoever asks is told what is wrong with it."""
        with contextlib.suppress(LamellaError):
            self._s3()

    def get(self, key: str, going: Going | None = None) -> bytes | None:
        """The object, held whole; None where there is none."""
        held = bytearray()
        return bytes(held) if self._read(key, held.extend, held.clear, going) else None

    def fetch(self, key: str, path: str, going: Going | None = None) -> bool:
        """Write the object to the file `path`, which appears whole or not at all.  False where there is none.

        `going` is told of all bytes so far, with each piece before it is kept; what it raises ends it.  Raises OSError,
        too.
        """
        partial = f"{path}.{os.getpid()}-{get_ident()}.partial"
        try:
            with open(partial, "wb") as file:

                def again() -> None:
                    file.seek(0)
                    file.truncate()

                found = self._read(key, file.write, again, going)
            if found:
                os.replace(partial, path)
            return found
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(partial)

    def has(self, key: str) -> int | None:
        """The size of an object in bytes; None where there is none, or no such bucket: HeadObject tells no more."""
        try:
            with aws.told(f"look for `{self._shown(key)}`", service="s3"):
                return int(self._s3().head_object(**self._at(key))["ContentLength"])
        except aws.NotThereError:
            return None

    def put(self, key: str, content: bytes, *, absent: bool = False) -> bool:
        """False where `absent` was asked for and the object was there, or was just being made (If-None-Match)."""
        condition = {"IfNoneMatch": "*"} if absent else {}
        try:
            with self._writing(key):
                digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
                self._s3().put_object(**self._at(key), Body=content, ChecksumSHA256=digest, **condition)
        except aws.StaleError:
            if absent:
                return False
            raise
        return True

    def put_file(self, key: str, path: str) -> None:
        """Send a file: one of more than 8 MiB in parts of it, a few at a time, each with its SHA-256.

        Raises OSError where the file can't be read.
        """
        with self._writing(key):
            aws.upload(self._s3(), path, self._at(key))

    def delete(self, key: str) -> None:
        """That there is no such object is as well."""
        with aws.told(f"delete `{self._shown(key)}`", service="s3"):
            self._s3().delete_object(**self._at(key))

    def keys(self, below: str = "") -> Iterator[str]:
        """The keys that start with `below`, in order; 1,000 with a call."""
        start = self.prefix + below
        with self._bucket(f"list `s3://{self.name}/{start}`"):
            pages = self._s3().get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=start)
            for page in pages:
                for row in page.get("Contents", ()):
                    yield str(row["Key"])[len(self.prefix) :]

    def _read(
        self, key: str, take: Callable[[bytes], object], again: Callable[[], None], going: Going | None
    ) -> bool:  # fmt: skip
        """Hand the object's bytes to `take`, and call `again` before they start anew.  False where there is none."""
        tries = 0
        while True:
            answered = False
            tries += 1
            try:
                with self._bucket(f"read `{self._shown(key)}`"):
                    body = self._s3().get_object(**self._at(key))["Body"]
                    answered = True
                    with contextlib.closing(body):
                        received = 0
                        for piece in aws.pieces(body):
                            received += len(piece)
                            if going is not None:
                                going(received)
                            take(piece)
                return True
            except aws.NotThereError as error:
                if _no_bucket(error):
                    raise
                return False
            except aws.UnreachableError:
                # The call itself is repeated by botocore; a body that ends early isn't
                if not answered or tries == self._tries:
                    raise
                again()

    @contextlib.contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        if len((self.prefix + key).encode()) > _LONGEST_KEY:
            raise UsageError(f"`{self._shown(key)}` is too long a key for S3", hint="choose a shorter prefix")
        with self._bucket(f"write `{self._shown(key)}`"):
            yield

    @contextlib.contextmanager
    def _bucket(self, doing: str) -> Iterator[None]:
        try:
            with aws.told(doing, service="s3"):
                yield
        except aws.NotThereError as error:
            if not _no_bucket(error):
                raise
            region = f" --region {self._region}" if self._region else ""
            raise aws.NotThereError(
                f"there is no bucket `{self.name}`",
                why=error.why,
                hint=f"look at its name and `--profile`, or make it: `aws s3 mb s3://{self.name}{region}`",
            ) from None

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.name, "Key": self.prefix + key}

    def _shown(self, key: str) -> str:
        return f"s3://{self.name}/{self.prefix}{key}"

    def _s3(self) -> Any:
        return self._access.client("s3", **self._options)


def _no_bucket(error: LamellaError) -> bool:
    return any(line.startswith("NoSuchBucket") for line in error.why)
