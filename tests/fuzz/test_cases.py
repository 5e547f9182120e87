"""What the fuzzer found, replayed: zips that are refused, or read as others read them.

`cases/` holds zips that once were read in two ways, and one for each way of being refused or read that the fuzzer
reached (`keep_cases.py` picks them from its corpus).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.archive import readings

from lamella.errors import ArchiveError

CASES = sorted((Path(__file__).parent / "cases").glob("*.zip"))


def _cases(verdict: str) -> list[object]:
    return [pytest.param(case, id=case.stem) for case in CASES if case.stem.startswith(verdict)]


@pytest.mark.parametrize("case", _cases("refused"))
def test_case_is_refused(case: Path) -> None:
    with pytest.raises(ArchiveError):
        readings.by_lamella(case)


@pytest.mark.parametrize("case", _cases("read"))
def test_case_is_read_alike(case: Path, tmp_path: Path) -> None:
    path = tmp_path / "case.zip"
    path.write_bytes(case.read_bytes())
    seen = readings.by_lamella(path)
    missing = {reader: program for reader in readings.READERS if (program := readings.missing(reader))}
    for reader in readings.READERS.keys() - missing.keys():
        assert readings.disagreement(reader, path, seen) == ""
    if missing:
        pytest.skip(f"{', '.join(missing.values())}: {readings.HOW_TO_INSTALL}")


def test_there_are_cases() -> None:
    assert len(CASES) > 20
