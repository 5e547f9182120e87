"""Slimmed layers as a whole: metadata, tracebacks, bytecode, and what other programs make of the zips."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from tests.archive.readings import HOW_TO_INSTALL
from tests.journeys.layers import Layer

from lamella.sandbox.model import PATH_ONLY

# One worker, for all tests share what is built first
pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("used")]


def test_versions_entry_points_and_licences_answer(layer: Layer) -> None:
    answer = layer.run(f"""
from importlib.metadata import distribution, distributions, entry_points, metadata, requires, version
from importlib.util import find_spec
names = {sorted(layer.versions)!r}
def licences(name):
    said = metadata(name)
    files = said.get_all("License-File") or []
    folder = distribution(name)
    texts = [folder.read_text(f"licenses/{{file}}") or folder.read_text(file) for file in files]
    return [bool(said["License"] or said["License-Expression"] or "License ::" in str(said)), len(files), all(texts)]
answer = {{
    "versions": {{name: version(name) for name in names}},
    "found": len(list(distributions())),
    "requires": [name for name in names if requires(name)],
    "licences": {{name: licences(name) for name in names}},
    "points": sorted(f"{{point.group}}:{{point.name}}" for point in entry_points()),
    # Those of pkg_config are folders of libraries to build with
    "lost": [point.value for point in entry_points() if point.group != "pkg_config" and not find_spec(point.module)],
}}
""")
    assert answer["versions"] == layer.versions
    assert answer["found"] == len(layer.versions)
    assert [name for name, (said, _, there) in answer["licences"].items() if not (said and there)] == []
    assert sum(files for _, files, _ in answer["licences"].values()) >= 4
    if "boto3" in layer.versions:
        assert "boto3" in answer["requires"]
        assert "console_scripts:dotenv" in answer["points"]
    assert answer["lost"] == []


def test_tracebacks_name_the_files_in_the_layer(layer: Layer) -> None:
    """What a .pyc says of its source, which `instead` has left out, is where Lambda would have it."""
    if layer.unpacked.sandbox.isolation == PATH_ONLY:
        pytest.skip("path-only has the layer elsewhere")
    module, call = ("boto3", "boto3.client(1)")
    if layer.zip.stem == "pictures":
        module, call = "PIL", "import PIL.Image; PIL.Image.open('/nowhere.png')"
    answer = layer.run(f"""
import traceback, {module}
try:
    {call}
except Exception as error:
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
answer = [files[-1], {module}.__file__, {module}.__cached__]
""")
    file, initial, cached = answer
    assert file.startswith("/opt/python/")
    assert file.endswith(".py")
    folder = f"/opt/python/{module}"
    if layer.manner == "safe":
        assert (initial, cached) == (f"{folder}/__init__.py", f"{folder}/__pycache__/__init__.cpython-312.pyc")
    else:
        assert (initial, cached) == (f"{folder}/__init__.pyc",) * 2


def test_every_source_has_its_bytecode(layer: Layer) -> None:
    sources, compiled, without = layer.run("""
import importlib.util, os, sys
sources, compiled = set(), set()
site = next(path for path in sys.path if path.endswith("/python") and os.path.isdir(path))
for folder, _, names in os.walk(site):
    for name in names:
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            head = file.read(8)
        # Not what only a path leads to, nor a program with its own first line
        if name.endswith(".py") and name[:-3].isidentifier() and head[:2] != b"#!":
            sources.add(path)
        elif name.endswith(".pyc"):
            compiled.add(importlib.util.source_from_cache(path) if "__pycache__" in folder else path[:-1])
            assert head == importlib.util.MAGIC_NUMBER + bytes((1, 0, 0, 0)), path  # unchecked-hash, PEP 552
answer = [len(sources), len(compiled), sorted(sources - compiled)]
""")
    assert compiled > 200
    if layer.manner == "safe":
        assert without == []
    else:
        assert sources < compiled / 50, "some that are read as files may stay"


def test_nothing_writes_into_a_layer(layer: Layer) -> None:
    if layer.unpacked.sandbox.isolation == PATH_ONLY:
        pytest.skip("without a sandbox only permissions protect it")
    code = (
        "answer = ''\ntry:\n    open('/opt/python/new.py', 'w')\nexcept OSError as error:\n    answer = error.strerror"
    )
    assert layer.run(code) == "Read-only file system"


@pytest.mark.parametrize("program", [["unzip", "-tqq"], ["bsdtar", "-xOf"]], ids=["unzip", "bsdtar"])
def test_other_programs_read_the_zip(layer: Layer, program: list[str]) -> None:
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is {HOW_TO_INSTALL}")
    subprocess.run([*program, str(layer.zip)], check=True, stdout=subprocess.DEVNULL)
