"""Look for a zip that is accepted here and read differently elsewhere, with coverage as the guide.

    pip install -r tests/fuzz/requirements.txt
    python -m tests.fuzz.fuzz_admit -max_total_time=3600 CORPUS_DIR

What the input means stands in `inputs.py`.  What is accepted is compared with zipfile every time, with unzip and bsdtar
now and then.  Finds are printed and left in FUZZ_FINDS (default: here), at most twenty of a kind; the search goes on.
Put what was found into `cases/`; `keep_cases.py` adds what the corpus reached.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import ClassVar

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["lamella"]):
    from lamella.archive import directory, names, proof, reader  # noqa: F401
    from lamella.errors import ArchiveError
    from lamella.wheels import distinfo
    from lamella.wheels.admit import admit

from tests.archive import building, readings
from tests.fuzz import inputs

OTHERS_EVERY = 10


class Counted:
    """How often what happened; printed at the end."""

    runs = accepted = compared = 0
    finds: ClassVar[dict[str, int]] = {}


ROOM = Path(tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
FINDS = Path(os.environ.get("FUZZ_FINDS", "."))
PLACE = ROOM / building.WHEEL_NAME
PARSERS = (distinfo.parse_record, distinfo.parse_metadata, distinfo.parse_wheel, distinfo.parse_scripts)


def keep(kind: str, data: bytes, message: str) -> None:
    """Write down a find, unless there are enough of its kind."""
    Counted.finds[kind] = Counted.finds.get(kind, 0) + 1
    if Counted.finds[kind] <= 20:
        digest = hashlib.sha256(data).hexdigest()[:12]
        (FINDS / f"{kind}-{digest}").write_bytes(data)
        print(f"FIND {digest} {message}", flush=True)


def check_zip(data: bytes) -> None:
    """Refuse the zip, or read it as others do."""
    PLACE.write_bytes(data)
    try:
        seen = readings.by_lamella(PLACE)
    except ArchiveError:
        return
    Counted.accepted += 1
    chosen = ["zipfile"]
    if Counted.accepted % OTHERS_EVERY == 0:
        chosen = list(readings.READERS)
        Counted.compared += 1
    for name in chosen:
        found = readings.disagreement(name, PLACE, seen)
        if found:
            keep(name, data, f"{name}: {found}")


def fuzz_one_input(data: bytes) -> None:
    """Run one input of the fuzzer; an exception that is no ArchiveError is a find, too."""
    Counted.runs += 1
    if Counted.runs % 100_000 == 0:
        print(f"runs {Counted.runs} accepted {Counted.accepted} compared {Counted.compared}", flush=True)
    try:
        run(data)
    except Exception as error:
        keep(type(error).__name__, data, traceback.format_exc())


def run(data: bytes) -> None:
    """Do what the first byte says with the others."""
    kind, made = inputs.kind_of(data), inputs.zip_of(data)
    try:
        if made is None:
            parse = PARSERS[data[1] % len(PARSERS)] if len(data) > 1 else PARSERS[0]
            parse(data[2:], building.WHEEL_NAME, "member")
            return
        if kind == inputs.WHEEL:
            PLACE.write_bytes(made)
            admit(str(PLACE), filename=building.WHEEL_NAME)
    except ArchiveError:
        return
    check_zip(made)


if __name__ == "__main__":
    atheris.Setup(sys.argv, fuzz_one_input)
    atheris.Fuzz()
