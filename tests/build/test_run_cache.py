"""A build as a whole: what lies in the cache and the output folder is never trusted blindly."""

from __future__ import annotations

import hashlib
import os
import shutil
import time

import pytest
from tests.build.projects import CONFIGURATION, Project, all_bytes, cached_wheels

from lamella.errors import (
    LamellaError,
    OutsideError,
    UsageError,
)


@pytest.mark.parametrize("how", ["flip", "truncate", "delete", "empty"])
@pytest.mark.parametrize("which", ["wheel", "index"])
def test_a_damaged_cache_is_noticed(project: Project, how: str, which: str) -> None:
    project.configure(CONFIGURATION.replace("layers.layer]\n", "layers.layer]\nprofile = 'none'\n", 1))
    project.build()
    before = project.digests()
    for wheel in cached_wheels(project.cache):
        path = wheel if which == "wheel" else wheel.with_suffix(".json")
        data = bytearray(path.read_bytes())
        match how:
            case "flip":
                data[len(data) // 3] ^= 2
                path.write_bytes(data)
            case "truncate":
                path.write_bytes(data[: len(data) // 2])
            case "empty":
                path.write_bytes(b"")
            case "delete":
                path.unlink()
    (project.output / "layer.zip").unlink()
    project.build()
    assert project.digests() == before
    for wheel in cached_wheels(project.cache):
        assert hashlib.sha256(wheel.read_bytes()).hexdigest() == wheel.stem


@pytest.mark.parametrize("how", ["flip", "truncate", "delete", "empty"])
@pytest.mark.parametrize("which", [".pack", ".json"])
def test_damaged_derived_members_are_made_again(project: Project, how: str, which: str) -> None:
    project.build()
    before = project.digests()
    paths = sorted(project.cache.glob(f"v1/derived/*/*{which}"))
    kept = {path: path.read_bytes() for path in paths}
    assert kept
    for path, data in kept.items():
        match how:
            case "flip":
                path.write_bytes(
                    data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 2]) + data[len(data) // 2 + 1 :]
                )
            case "truncate":
                path.write_bytes(data[: len(data) // 2])
            case "empty":
                path.write_bytes(b"")
            case "delete":
                path.unlink()
    if which == ".json":  # asked only when the list of entries is made anew
        shutil.rmtree(project.cache / "v1/memos/entries")
    (project.output / "layer.zip").unlink()
    project.build()
    assert project.digests() == before
    # What only the finished list was made of is not needed for the next
    mended = [path for path in paths if path.exists() and path.read_bytes() == kept[path]]
    assert mended if which == ".json" else mended == [path for path in paths if path.exists()]


def test_every_byte_of_an_index_counts(project: Project) -> None:
    """A flipped bit anywhere in what is kept beside a wheel never gives another layer."""
    project.build()
    before = (project.output / "layer.zip").read_bytes()
    index = cached_wheels(project.cache)[0].with_suffix(".json")
    data = index.read_bytes()
    for at in range(0, len(data), 23):
        index.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        (project.output / "layer.zip").unlink()
        project.build()
        assert (project.output / "layer.zip").read_bytes() == before, at


@pytest.mark.parametrize("kind", ["resolved", "zips", "closures", "sources", "entries", "dropped", "licences"])
def test_a_damaged_memo_is_no_answer(project: Project, kind: str) -> None:
    project.build()
    before = project.digests()
    memos = list((project.cache / "v1" / "memos" / kind).glob("*")) if kind != "sources" else []
    for memo in memos:
        data = memo.read_bytes()
        for damaged in (b"", b"{}", b"null", data[:-2], data.replace(b"1", b"2"), data[:40] + b"x" + data[41:]):
            memo.write_bytes(damaged)
            project.build()
            assert project.digests() == before
    assert memos or kind == "sources"


def test_a_memo_of_folders_gone_by(project: Project) -> None:
    """The list of a function's files is kept; a file that comes, goes or changes is seen all the same."""
    for folder in ("", "deep"):
        later = project.source(f"{folder}/later.py".lstrip("/"), "x = 1\n")
        project.build()
        project.build()
        later.write_text("x = 2\n")
        project.build()
        assert project.members("api")[f"{folder}/later.py".lstrip("/")] == b"x = 2\n"
        later.unlink()
        project.build()
        assert f"{folder}/later.py".lstrip("/") not in project.members("api")


def test_staging_of_a_killed_build_is_cleared_away(project: Project) -> None:
    (project.output / ".staging").mkdir(parents=True)
    (project.output / ".staging" / "layer.zip").write_bytes(b"half")
    project.build()
    assert project.listing() == ["api.zip", "layer.zip", "manifest.json"]


def test_a_manifest_of_somebody_else_is_left_alone(project: Project) -> None:
    project.output.mkdir(parents=True)
    theirs = project.output / "manifest.json"
    theirs.write_text('{"name": "a web app", "icons": []}')
    with pytest.raises(UsageError, match=r"was not written by lamella"):
        project.build()
    assert theirs.read_text() == '{"name": "a web app", "icons": []}'
    assert project.listing() == ["manifest.json"]


def test_memory_of_paths(project: Project) -> None:
    """Nothing of this machine is in what is written."""
    project.build()
    for path, data in all_bytes(project.output):
        assert str(project.root).encode() not in data, path
        assert os.uname().nodename.encode() not in data, path


def test_the_time_of_day_has_no_say(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.build()
    before = project.digests()
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        for path in project.root.rglob("*"):
            os.utime(path, (0, 0))
        project.cache = project.cache.with_name("another")
        (project.output / "layer.zip").unlink()
        project.build()
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
    assert project.digests() == before


def test_a_wheel_by_path_that_is_not_there(project: Project) -> None:
    for path in project.wheelhouse.iterdir():
        path.unlink()
    with pytest.raises(OutsideError, match="can't be read"):
        project.build()
    assert not project.output.exists()


def test_a_wheel_that_is_not_the_locked_one(project: Project) -> None:
    (project.wheelhouse / "leaf-1.0-py3-none-any.whl").write_bytes(b"PK another")
    with pytest.raises(LamellaError, match="leaf"):
        project.build()
    assert not project.output.exists()
    assert list((project.cache / "v1" / "partial").iterdir()) == []
