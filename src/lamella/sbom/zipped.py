"""Members of a finished zip, links followed."""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Iterator

from lamella.archive.entry import LINK
from lamella.archive.proof import Proof
from lamella.archive.reader import RawMember, read_open
from lamella.errors import UsageError

# Equal files are one file and links to it; a link to a link is not made, and a ring must end
_MOST_LINKS = 8


class Zipped:
    """The zip at `path`, open: `paths` are those of its files, sorted.  Use it as a context manager.

    Raises UsageError when its bytes are not those with `sha256` (hex), ArchiveError when it is damaged.
    """

    def __init__(self, path: str, sha256: str) -> None:
        self.path = path
        self._file = open(path, "rb")  # noqa: SIM115
        try:
            if hashlib.file_digest(self._file, "sha256").hexdigest() != sha256:
                raise UsageError(
                    f"`{os.path.relpath(path)}` is not the file that the manifest describes",
                    why=["it was changed after the build"],
                    hint="run `lamella build`",
                )
            members = read_open(self._file.fileno(), path).members
        except BaseException:
            self._file.close()
            raise
        self._members = {member.name: member for member in members if not member.is_dir}
        self.paths = tuple(sorted(self._members))

    def __enter__(self) -> Zipped:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def is_link(self, path: str) -> bool:
        return self._members[path].mode == LINK

    def content(self, path: str) -> bytes | None:
        """The bytes of a file; None for a link that leads to no file here.  Raises ArchiveError."""
        for _ in range(_MOST_LINKS):
            member = self._members.get(path)
            if member is None:
                return None
            found = b"".join(self._pieces(member))
            if member.mode != LINK:
                return found
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), found.decode("utf-8", "replace")))
        return None

    def sha256(self, path: str) -> str:
        """The SHA-256 (hex) of a file's bytes, held a piece at a time.  Raises ArchiveError."""
        digest = hashlib.sha256()
        for piece in self._pieces(self._members[path]):
            digest.update(piece)
        return digest.hexdigest()

    def _pieces(self, member: RawMember) -> Iterator[bytes]:
        return Proof(self._file.fileno(), member, self.path).pieces()
