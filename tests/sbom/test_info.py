from __future__ import annotations

from pathlib import Path

import pytest
from packaging.licenses import canonicalize_license_expression
from tests.sbom.artifacts import layer

from lamella.sbom.info import LONGEST, licence_info
from lamella.sbom.model import Component, Inventory, Licence


def component(name: str, expression: str) -> Component:
    return Component(
        key=name, name=name, version="1", file="", sha256="", runtimes=(), metadata=True, licence=Licence(expression),
        licence_files=(), needs=(), parts=(), parts_needed=(), libraries=(), unread=(),
    )  # fmt: skip


def info(tmp_path: Path, *licences: tuple[str, str], longest: int = LONGEST) -> str:
    components = tuple(component(name, expression) for name, expression in licences)
    return licence_info(Inventory(layer(tmp_path, (), {}), components, ()), longest)


def test_one_expression_of_all(tmp_path: Path) -> None:
    text = info(tmp_path, ("a", "MIT"), ("b", "Zlib AND (MIT AND 0BSD)"), ("c", "MIT OR Apache-2.0"), ("d", "MIT"))
    assert text == "(MIT OR Apache-2.0) AND 0BSD AND MIT AND Zlib"
    assert canonicalize_license_expression(text) == text


def test_a_word_with_the_letters_of_or_is_no_or(tmp_path: Path) -> None:
    assert info(tmp_path, ("a", "LicenseRef-FOR AND MIT")) == "LicenseRef-FOR AND MIT"


def test_unknown_ones_are_named(tmp_path: Path) -> None:
    assert info(tmp_path, ("b", ""), ("a", ""), ("c", "MIT")) == "MIT; licence unknown: a, b"
    assert info(tmp_path, ("a", "")) == "licence unknown: a"
    assert info(tmp_path) == ""


def test_what_does_not_fit_is_counted(tmp_path: Path) -> None:
    many = [(f"d{number}", f"LicenseRef-{number:03}") for number in range(100)]
    text = info(tmp_path, *many)
    kept = text.split(" and ")[0].split(" AND ")
    assert len(text) <= LONGEST
    assert text.endswith(f" and {100 - len(kept)} more (see the SBOM)")
    assert kept == [f"LicenseRef-{number:03}" for number in range(len(kept))]
    assert len(kept) > 20


def test_unknown_ones_are_counted_before_licences_are(tmp_path: Path) -> None:
    unknown = [(f"a-distribution-{number}", "") for number in range(100)]
    assert info(tmp_path, ("a", "MIT"), *unknown) == "MIT; licence unknown: 100 distributions"
    text = info(tmp_path, *unknown, *[(f"d{number}", f"LicenseRef-{number:03}") for number in range(100)])
    assert len(text) <= LONGEST
    assert text.endswith(" more (see the SBOM); licence unknown: 100 distributions")


@pytest.mark.parametrize("longest", [60, 30])
def test_one_long_expression_is_not_cut(tmp_path: Path, longest: int) -> None:
    long = " OR ".join(f"LicenseRef-{number}" for number in range(60))
    assert info(tmp_path, ("a", long), longest=longest) == "1 licence (see the SBOM)"
