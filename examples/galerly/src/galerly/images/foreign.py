"""Files that are a picture and something else as well: what a picture viewer shows is not what another program runs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from galerly.images.refusals import RefusedError

# Readers of PDF look for this in the first 1024 bytes (Adobe's implementation notes to ISO 32000, 3.4.1)
PDF_WITHIN = 1024
# A ZIP is read from its end: 22 bytes, and a comment of at most 65,535 (PKWARE's APPNOTE, 4.3.16)
ZIP_END, ZIP_ENTRY, ZIP_WITHIN = b"PK\x05\x06", b"PK\x01\x02", 22 + 65_535
# Found by their programs anywhere in a file; six bytes don't meet by chance
_ARCHIVES = {b"Rar!\x1a\x07": "a RAR archive", b"7z\xbc\xaf\x27\x1c": "a 7z archive"}
# Nothing shorter: what cameras write is binary, too, where three or four bytes meet by chance
_SCRIPT = re.compile(rb"<\?php|<script|<html[\s>]|<!doctype|<svg[\s>]|<iframe|javascript:", re.IGNORECASE)


def refuse_foreign(data: bytes, end: int, texts: Iterable[tuple[int, int]], kind: str) -> None:
    """Raises RefusedError.  `end` is where the picture ends; `texts` are what its author may write freely."""
    if data.find(b"%PDF-", 0, PDF_WITHIN) >= 0:
        raise RefusedError(f"the file is a {kind} and a PDF in one")
    if _ends_as_zip(data):
        raise RefusedError(f"the file is a {kind} and a ZIP archive in one")
    for mark, name in _ARCHIVES.items():
        if mark in data:
            raise RefusedError(f"the file is a {kind} and {name} in one")
    for begin, stop in texts:
        if _SCRIPT.search(data, begin, stop):
            raise RefusedError(f"the {kind} carries a script or a web page in its comments")
    rest = data[end:]
    if rest.strip(b"\0") and not (kind == "JPEG" and _of_a_camera(rest)):
        raise RefusedError(f"the file goes on for {len(rest)} bytes behind the end of the {kind}")


def _of_a_camera(rest: bytes) -> bool:
    """What cameras put behind a JPEG: more pictures (CIPA DC-007), a film of the moment (Google, Samsung)."""
    rest = rest.lstrip(b"\0")
    if _SCRIPT.search(rest):
        return False
    # Of a film's first length, zeros were taken for padding
    return rest.startswith(b"\xff\xd8\xff") or b"ftyp" in rest[:8] or rest.endswith((b"SEFT", b"SEFT\xff\xd9"))


def _ends_as_zip(data: bytes) -> bool:
    """Whatever else the end of the archive says: readers differ in what of it they believe.

    Four bytes meet by chance in a large picture, but not twice in these places.
    """
    at = data.rfind(ZIP_END, max(0, len(data) - ZIP_WITHIN))
    return at >= 0 and data.rfind(ZIP_ENTRY, 0, at) >= 0
