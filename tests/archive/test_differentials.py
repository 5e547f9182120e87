"""Whatever two programs may read in two ways is refused; what is odd but clear is read as they all read it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.archive import readings
from tests.archive.building import WHEEL_NAME
from tests.archive.differentials import DIFFERENTIALS, Differential
from tests.archive.oddities import ODDITIES, Oddity

from lamella.errors import ArchiveError
from lamella.wheels.admit import admit


def test_names_are_unique() -> None:
    names = [case.name for case in DIFFERENTIALS] + [case.name for case in ODDITIES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", DIFFERENTIALS, ids=lambda case: case.name.replace(" ", "-"))
def test_differential_is_refused(case: Differential, tmp_path: Path) -> None:
    path = tmp_path / WHEEL_NAME
    path.write_bytes(case.data)
    with pytest.raises(ArchiveError) as refused:
        admit(str(path), filename=WHEEL_NAME)
    assert re.search(case.complaint, refused.value.why[0]), refused.value
    assert WHEEL_NAME in refused.value.what
    assert refused.value.hint is not None
    assert str(refused.value).replace("\n", "").isprintable()
    assert [entry.name for entry in tmp_path.iterdir()] == [WHEEL_NAME]


@pytest.mark.parametrize("case", DIFFERENTIALS, ids=lambda case: case.name.replace(" ", "-"))
def test_differential_is_refused_before_it_is_unpacked(case: Differential, tmp_path: Path) -> None:
    path = tmp_path / "any.zip"
    path.write_bytes(case.data)
    with pytest.raises(ArchiveError):
        readings.by_lamella(path)


@pytest.mark.parametrize("case", ODDITIES, ids=lambda case: case.name.replace(" ", "-"))
def test_oddity_is_admitted(case: Oddity, tmp_path: Path) -> None:
    path = tmp_path / WHEEL_NAME
    path.write_bytes(case.data)
    wheel = admit(str(path), filename=WHEEL_NAME)
    seen = readings.by_lamella(path)
    assert {member.name for member in wheel.members} == seen.keys()
    assert "pair-1.0.dist-info/RECORD" in seen


@pytest.mark.parametrize("reader", readings.READERS)
@pytest.mark.parametrize("case", ODDITIES, ids=lambda case: case.name.replace(" ", "-"))
def test_oddity_is_read_alike(case: Oddity, reader: str, tmp_path: Path) -> None:
    if program := readings.missing(reader):
        pytest.skip(f"{program} is {readings.HOW_TO_INSTALL}")
    path = tmp_path / WHEEL_NAME
    path.write_bytes(case.data)
    assert readings.disagreement(reader, path, readings.by_lamella(path)) == ""
