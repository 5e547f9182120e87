"""Pick cases from the fuzzer's corpus: the smallest zip for each way of being refused or read.

python -m tests.fuzz.keep_cases CORPUS_DIR
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
from pathlib import Path

from tests.archive import readings
from tests.fuzz.inputs import zip_of

from lamella.errors import ArchiveError

CASES = Path(__file__).parent / "cases"
LARGEST = 4000


def verdict(data: bytes, room: Path) -> str:
    """Say how the zip is refused, without numbers and names, or how many members it is read with."""
    path = room / "case.zip"
    path.write_bytes(data)
    try:
        return f"read {len(readings.by_lamella(path))}"
    except ArchiveError as error:
        return "refused " + re.sub(r"`[^`]*`|\b[0-9a-f]*\d[0-9a-fx]*\b", "", error.why[0])


def main(corpus: Path) -> None:
    """Write the cases that are not there yet."""
    smallest: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as room:
        kept = [case.read_bytes() for case in CASES.glob("*.zip")]
        known = {verdict(data, Path(room)) for data in kept}
        for file in sorted(corpus.iterdir()):
            data = zip_of(file.read_bytes())
            if data is None or len(data) > LARGEST:
                continue
            found = verdict(data, Path(room))
            if found not in known and len(data) < len(smallest.get(found, bytes(LARGEST + 1))):
                smallest[found] = data
    for found, data in smallest.items():
        (CASES / f"{found.partition(' ')[0]}-{hashlib.sha256(data).hexdigest()[:12]}.zip").write_bytes(data)
        print(found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
