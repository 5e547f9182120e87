"""Look for a zip that is accepted here and read differently elsewhere, with coverage as the guide.

    pip install atheris
    python -m tests.fuzz.fuzz_admit -max_total_time=3600 CORPUS_DIR

Input: the first byte chooses what the others are: a zip as it is; choices for `draw_zip` and `mutate`; or one of the
files of `.dist-info`.  What is accepted is compared with zipfile every time, with unzip and bsdtar now and then.
Finds are printed and left in FUZZ_FINDS (default: here), one of each kind; the search goes on.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import ClassVar

import atheris

with atheris.instrument_imports(include=["lamella"]):
    from lamella.archive import directory, names, proof, reader  # noqa: F401
    from lamella.errors import ArchiveError
    from lamella.wheels import distinfo
    from lamella.wheels.admit import admit

from tests.archive import building, mutation, readings

OTHERS_EVERY = 50


class Guided:
    """Choices taken from the fuzzer's bytes, so that it can learn from them."""

    def __init__(self, data: bytes) -> None:
        self._provider = atheris.FuzzedDataProvider(data)

    def randrange(self, stop: int, /) -> int:
        """Pick a number below `stop`; 0 when the bytes are used up."""
        chosen: int = self._provider.ConsumeIntInRange(0, stop - 1)
        return chosen


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


def check_wheel(guided: Guided) -> None:
    """Admit a wheel whose RECORD is right and whose files are drawn."""
    parts = [mutation.draw_part(guided, number) for number in range(guided.randrange(4))]
    data = building.build(building.wheel_parts(building.FIRST, *parts))
    PLACE.write_bytes(data)
    try:
        admit(str(PLACE), filename=building.WHEEL_NAME)
    except ArchiveError:
        return
    check_zip(data)


def test_one_input(data: bytes) -> None:
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
    kind, rest = data[0] % 16 if data else 0, data[1:]
    if kind < 6:
        check_zip(rest)
    elif kind < 12:
        guided = Guided(rest)
        drawn = mutation.draw_zip(guided)
        for _ in range(guided.randrange(4)):
            drawn = mutation.mutate(guided, drawn)
        check_zip(drawn)
    elif kind < 14:
        check_wheel(Guided(rest))
    elif rest:
        try:
            PARSERS[rest[0] % len(PARSERS)](rest[1:], building.WHEEL_NAME, "member")
        except ArchiveError:
            return


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
