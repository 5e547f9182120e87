"""What a run is less than Lambda is said before it."""

from __future__ import annotations

import pytest
from tests.build.projects import WITHOUT_BYTECODE, Project
from tests.elf.making import elf

from lamella.config.read import read
from lamella.local.functions import Built, code_of
from lamella.local.prepare import too_new
from lamella.wheels.cache import Cache


def said(project: Project) -> tuple[str, ...]:
    outcome = project.build()
    built = Built(read(str(project.root)), outcome.manifest)
    cache = Cache(str(project.cache))
    found = too_new(code_of(built, "api", str(project.cache)), cache)
    assert too_new(code_of(built, "api", str(project.cache)), cache) == tuple(found), "as it is remembered"
    return tuple(found)


@pytest.fixture
def native(project: Project) -> Project:
    project.configure(WITHOUT_BYTECODE)
    return project


def library(version: str) -> bytes:
    return elf(needed=["libc.so.6"], needs={"libc.so.6": ["GLIBC_2.2.5", version]}, modules=["_leaf"])


def make(project: Project, version: str, count: int = 1) -> None:
    names = [f"leaf/_leaf{number or ''}.abi3.so" for number in range(count)]
    files: dict[str, str | bytes] = {name: library(version) for name in names}
    imports = "".join(f"from leaf import _leaf{number or ''}\n" for number in range(count))
    project.wheels.clear()
    project.wheel("stem", requires=["leaf"])
    project.wheel("leaf", files={**files, "leaf/__init__.py": imports})
    project.lock()


def test_a_symbol_that_lambda_has_not(native: Project) -> None:
    make(native, "GLIBC_2.39")
    assert said(native) == (
        "`python/leaf/_leaf.abi3.so`: it needs GLIBC_2.39 of `libc.so.6`, and python3.12 (x86_64, glibc 2.34) has "
        "up to GLIBC_2.34; that it runs here proves nothing",
    )


def test_all_that_lambda_has(native: Project) -> None:
    make(native, "GLIBC_2.34")
    assert said(native) == ()


def test_many_are_counted(native: Project) -> None:
    make(native, "GLIBC_2.40", 6)
    found = said(native)
    assert len(found) == 4
    assert found[-1] == "3 more like that: `lamella check --only platform`"
