"""Does a zip lie as Lambda unpacks and reads it?  Layout, modes, and what is in it by mistake.

Source of the rules: AWS Lambda developer guide, "Packaging your layer content" (layer paths) and "Working with .zip
file archives for Python Lambda functions" (the handler at the root; permissions 644 and 755).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from lamella.checks.model import Finding, Severity
from lamella.doctor.guess import at_path, has_code, is_litter
from lamella.doctor.model import FUNCTION, LAYER, Diagnosis, Guess, Layout, Row
from lamella.doctor.remedies import packed_anew
from lamella.facts.tables import limits
from lamella.wording import counted

NAME = "structure"
_SHOWN = 3
# Others must be able to read a file, and to look into a folder
_READABLE = 0o004
_OPEN = 0o005


def structure(key: str, path: str, rows: Sequence[Row], guess: Guess) -> tuple[Diagnosis, ...]:
    """What is wrong with the zip at `path`, which findings call `key`.  One command mends all of its layout."""
    findings = [*_layout(key, rows, guess), *_modes(key, rows), *_litter(key, rows), *_size(key, path, rows, guess)]
    wrong = any(each.check == NAME and each.severity is not Severity.NOTE and each.path for each in findings)
    moved = guess.layout != Layout()
    mend = packed_anew(path, guess.layout) if wrong or (moved and rows) else ()
    mended = [each.check == NAME and each.severity is not Severity.NOTE for each in findings]
    return tuple(Diagnosis(each, mend if mends else ()) for each, mends in zip(findings, mended, strict=True))


def _found(key: str, severity: Severity, path: str, reason: str, hint: str) -> Finding:
    return Finding(NAME, severity, key, path, reason, hint)


def _layout(key: str, rows: Sequence[Row], guess: Guess) -> Iterator[Finding]:
    names = [row.name for row in rows if not row.is_dir and not is_litter(row.name)]
    if not names:
        yield _found(key, Severity.ERROR, "", "there is no file in it", "zip what is to be in it")
        return
    if not any(has_code(name) for name in names):
        yield _found(key, Severity.NOTE, "", "there is nothing for Python in it", "")
    if not guess.sure:
        hint = "`--handler` says what Lambda calls; a layer has its modules in `python/`"
        yield _found(key, Severity.NOTE, "", "it may be a function, or a layer whose modules lie wrong", hint)
    strip, into = guess.layout
    if guess.kind == FUNCTION:
        if strip:
            reason = f"everything in it lies below `{strip}`, and Lambda imports from the root of /var/task"
            yield _found(key, Severity.ERROR, f"{strip}/", reason, "zip the content of the folder, not the folder")
        return
    if guess.layout != Layout():
        where = f"`{strip}`" if strip else "its root"
        wanted = f"`{into}/`" if into else "`python/`"
        place = f"/opt/{strip}".rstrip("/")
        reason = f"its modules lie in {where}, and Lambda does not import from {place}"
        if strip and not into:
            reason = f"its `python` lies below `{strip}`, and Lambda imports from /opt/python"
        yield _found(key, Severity.ERROR, f"{strip}/" if strip else "", reason, f"a layer has its modules in {wanted}")
        return
    lost = [name for name in names if name.startswith("python/") and not at_path(name, guess.runtime)]
    others = sorted({name.split("/")[2] for name in lost if name.startswith("python/lib/python3.")})
    if lost and len(lost) == sum(name.startswith("python/") for name in names):
        reason = f"it has nothing where {guess.runtime} looks, only `{os.path.dirname(lost[0])}`"
        yield _found(key, Severity.ERROR, lost[0], reason, "put it into `python/`, or build it for this runtime")
    elif others:
        reason = f"what it has for {', '.join(others)} is not seen by {guess.runtime}"
        yield _found(key, Severity.NOTE, lost[0], reason, "")


def _modes(key: str, rows: Sequence[Row]) -> Iterator[Finding]:
    """Lambda's user owns none of the files: what is not for everybody is "not found", or denied."""
    hidden = [row for row in rows if row.permissions is not None and not _is_open(row)]
    if not hidden:
        return
    first = hidden[0]
    modes = sorted({f"{row.permissions:04o}" for row in hidden})
    shown = ", ".join(modes[:_SHOWN]) + (" …" if len(modes) > _SHOWN else "")
    what = counted(len(hidden), "file or folder") if len(hidden) == 1 else f"{len(hidden)} files and folders"
    reason = f"{what} can't be read by everybody (mode {shown}): Lambda says `No module named` or `Permission denied`"
    hint = "files need 0644, folders and programs 0755; `umask 022` before zipping keeps them so"
    yield _found(key, Severity.ERROR, first.name, reason, hint)


def _is_open(row: Row) -> bool:
    wanted = _OPEN if row.is_dir else _READABLE
    return row.permissions is not None and row.permissions & wanted == wanted


def _litter(key: str, rows: Sequence[Row]) -> Iterator[Finding]:
    litter = [row for row in rows if is_litter(row.name)]
    if litter:
        reason = f"{counted(len(litter), 'member')} that macOS or Windows left there"
        hint = "`zip -d` takes them out"
        yield _found(key, Severity.NOTE, litter[0].name, reason, hint)


def _size(key: str, path: str, rows: Sequence[Row], guess: Guess) -> Iterator[Finding]:
    """What is too large by itself; what a function's zips come to together is `checks.size`'s."""
    unzipped, limit = sum(row.size for row in rows), limits().function_unzipped
    if guess.kind == LAYER and unzipped > limit:
        reason = f"{unzipped} bytes unzipped, {unzipped - limit} more than Lambda takes of a function and its layers"
        yield Finding("size", Severity.ERROR, key, "", reason, "leave something out")
    zipped, direct = os.path.getsize(path), limits().layer_zipped
    if guess.kind == FUNCTION and zipped > direct:
        reason = f"{zipped} bytes zipped, {zipped - direct} more than Lambda takes in a request"
        yield Finding(
            "size", Severity.WARNING, key, "", reason, "upload it through S3, or move distributions to a layer"
        )
