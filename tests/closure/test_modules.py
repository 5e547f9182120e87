"""The module index of an archive, and the search in it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from lamella.closure.findings import Kind, ModuleIndex, Provided
from lamella.closure.modules import index_modules, known_modules, provides, search

YES, NO, UNSURE = Provided.YES, Provided.NO, Provided.UNSURE

LAYER = [
    "python/rawpy/__init__.py",
    "python/rawpy/_rawpy.cpython-312-x86_64-linux-gnu.so",
    "python/rawpy/enhance.py",
    "python/rawpy/data/readme.txt",
    "python/rawpy.libs/libraw.so.23",
    "python/rawpy-0.28.0.dist-info/METADATA",
    "python/six.py",
    "python/google/cloud/storage/__init__.py",
    "python/google/cloud/storage/client.py",
    "python/google/protobuf/__init__.py",
    "python/_cffi_backend.cpython-312-x86_64-linux-gnu.so",
    "python/stable.abi3.so",
    "python/plain.so",
    "python/mac.cpython-312-darwin.so",
    "python/compiled/__init__.pyc",
    "python/compiled/part.pyc",
    "python/cached/__pycache__/x.cpython-312.pyc",
    "python/only_data/a.json",
    "python/lib/python3.12/site-packages/numpy/__init__.py",
    "python/lib/python3.11/site-packages/pandas/__init__.py",
    "bin/tool.py",
    "lib/libz.so",
]
SITES = ("python", "python/lib/python3.12/site-packages")


@pytest.mark.parametrize(
    ("module", "answer"),
    [
        ("rawpy", YES),
        ("rawpy._rawpy", YES),
        ("rawpy.enhance", YES),
        ("rawpy.made_at_run_time", UNSURE),
        ("rawpy.data", UNSURE),
        ("six", YES),
        ("six.moves", UNSURE),
        ("six.moves.urllib", UNSURE),
        ("google", YES),
        ("google.cloud", YES),
        ("google.cloud.storage", YES),
        ("google.cloud.storage.client", YES),
        ("google.cloud.storage.nothing", UNSURE),
        ("google.cloud.bigquery", NO),
        ("google.auth", NO),
        ("google.protobuf", YES),
        ("_cffi_backend", YES),
        ("stable", YES),
        ("plain", YES),
        ("mac", NO),
        ("compiled", YES),
        ("compiled.part", YES),
        ("cached", NO),
        ("only_data", NO),
        ("numpy", YES),
        ("pandas", NO),
        ("lib", NO),
        ("python", NO),
        ("bin", NO),
        ("tool", NO),
        ("PIL", NO),
    ],
)
def test_provides(module: str, answer: Provided) -> None:
    assert provides(index_modules(LAYER, SITES), module) is answer


def test_kinds_and_the_root_of_a_function() -> None:
    files = ["app.py", "pkg/__init__.py", "pkg/a/b/c.py", "my-handler.py", "__init__.py", "x/y/__init__.py"]
    index = index_modules(files)
    assert index == ModuleIndex(
        packages=frozenset({"pkg", "x.y"}),
        modules=frozenset({"app", "pkg.a.b.c", "my-handler"}),
        namespaces=frozenset({"pkg.a", "pkg.a.b", "x"}),
    )
    assert index.kind("pkg") is Kind.PACKAGE
    assert index.kind("app") is Kind.MODULE
    assert index.kind("x") is Kind.NAMESPACE
    assert index.kind("nothing") is None


def test_a_name_alone_covers_all_below_it() -> None:
    index = known_modules(["botocore"])
    assert provides(index, "botocore.exceptions") is YES
    assert provides(index, "botocore") is YES
    assert provides(index, "boto3") is NO


IMPORTED = ["own", "own.x", "space", "space.first", "space.second", "space.inner.x", "space.none", "shadow"]
IMPORTED += ["shadow.hidden", "late", "late.first", "late.second", "third", "deep.space.one", "deep.space.two"]
IMPORTED += ["deep.space.three", "none"]
PLACES: list[Mapping[str, str]] = [
    {"own.py": "", "space/first.py": "", "shadow/__init__.py": "", "late/first.py": "", "deep/space/one.py": ""},
    {"space/second.py": "", "shadow/hidden.py": "", "late/__init__.py": "", "late/second.py": "", "own/x.py": ""},
    {"third.py": "", "space/inner/__init__.py": "", "space/inner/x.py": "", "deep/space/two.py": ""},
]


@pytest.mark.parametrize(
    "module",
    [
        "own",
        "own.x",
        "space",
        "space.first",
        "space.second",
        "space.inner.x",
        "space.none",
        "shadow",
        "shadow.hidden",
        "late",
        "late.first",
        "late.second",
        "third",
        "deep.space.one",
        "deep.space.two",
        "deep.space.three",
        "none",
    ],
)
def test_the_search_agrees_with_importlib(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, files in enumerate(PLACES):
        for path, text in files.items():
            target = tmp_path / str(number) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    monkeypatch.setattr(sys, "path", [str(tmp_path / str(number)) for number in range(len(PLACES))] + sys.path)
    before = set(sys.modules)
    importlib.invalidate_caches()
    try:
        there = importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        there = False
    finally:
        for name in set(sys.modules) - before:
            del sys.modules[name]
    assert (search([index_modules(files) for files in PLACES], module).answer is YES) == there
