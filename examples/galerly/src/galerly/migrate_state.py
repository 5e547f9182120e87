"""What a migration has done: a file of JSON lines that survives a kill at any moment."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from typing import TextIO


class State:
    """One line for each photo that was tried; `error` is empty where it went well.  One migration at a time has it.

    A photo whose content changed since (another ETag) counts as not done, and so does one that failed.  Raises OSError
    where the file can't be had: BlockingIOError while another migration has it.
    """

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        self._path, self._read_only = path, read_only
        self._done: set[bytes] = set()
        self._file: TextIO | None = None

    def __enter__(self) -> State:
        if self._read_only:
            if os.path.exists(self._path):
                with open(self._path, encoding="utf-8") as file:
                    self._read(file)
            return self
        self._file = open(self._path, "a+", encoding="utf-8")  # held until the end
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise BlockingIOError(f"another migration is under way with `{self._path}`") from None
        self._file.seek(0)
        whole = self._read(self._file)
        # Half a line is all that a kill leaves; the next one must not begin in it
        self._file.seek(0, os.SEEK_END)
        if not whole:
            self._file.write("\n")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def _read(self, file: TextIO) -> bool:
        """Whether the last line is whole."""
        line = "\n"
        for line in file:
            try:
                row = json.loads(line)
                key, etag, error = row["key"], row["etag"], row["error"]
            except (ValueError, TypeError, KeyError):
                continue
            known = self._done.discard if error else self._done.add
            known(_mark(key, etag))
        return line.endswith("\n")

    def has(self, key: str, etag: str) -> bool:
        return _mark(key, etag) in self._done

    def add(self, key: str, etag: str, error: str) -> None:
        assert self._file is not None
        self._file.write(json.dumps({"key": key, "etag": etag, "error": error}) + "\n")
        self._file.flush()


def _mark(key: str, etag: str) -> bytes:
    """16 bytes for a photo, as there may be millions."""
    return hashlib.blake2b(f"{etag} {key}".encode(), digest_size=16).digest()
