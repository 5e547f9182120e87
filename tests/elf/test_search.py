from __future__ import annotations

from lamella.elf.links import Library
from lamella.elf.search import folders, passed_on

AT = "/opt/python/demo/_demo.so"


def library(rpath: tuple[str, ...] = (), runpath: tuple[str, ...] = ()) -> Library:
    return Library("x86_64", True, False, rpath=rpath, runpath=runpath)


def test_rpath_comes_before_library_path_and_runpath_behind_it() -> None:
    both = ("/opt/lib",)
    assert folders(library(rpath=("$ORIGIN/../demo.libs",)), AT, (), both) == ("/opt/python/demo.libs", "/opt/lib")
    assert folders(library(runpath=("${ORIGIN}",)), AT, (), both) == ("/opt/lib", "/opt/python/demo")


def test_the_rpath_of_who_loads_it_counts_unless_it_has_a_runpath() -> None:
    assert folders(library(), AT, ("/opt/python/demo.libs",)) == ("/opt/python/demo.libs",)
    assert folders(library(runpath=("$ORIGIN",)), AT, ("/opt/python/demo.libs",)) == ("/opt/python/demo",)


def test_rpaths_are_handed_down_and_runpaths_are_not() -> None:
    above = ("/opt/a",)
    assert passed_on(library(rpath=("$ORIGIN",)), AT, above) == ("/opt/python/demo", "/opt/a")
    assert passed_on(library(runpath=("$ORIGIN",)), AT, above) == above
    assert passed_on(library(rpath=("$ORIGIN",), runpath=("/usr/lib",)), AT) == ()


def test_folders_that_are_nowhere_in_an_artifact_are_left_out() -> None:
    assert folders(library(rpath=("relative", "$LIB/x", "/opt/$PLATFORM", "$ORIGIN/.")), AT) == ("/opt/python/demo",)
