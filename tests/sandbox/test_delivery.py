from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.sandbox.zips import make_zip

from lamella.errors import ArchiveError, UsageError
from lamella.sandbox.delivery import deliver

FILES = {"python/a.py": "A = 1\n", "bin/run": "#!/bin/sh\n", "python/empty/__init__.py": ""}
LINKS = {"python/b.py": "a.py"}


def test_files_programs_and_links_as_in_the_zip(tmp_path: Path) -> None:
    path, sha256 = make_zip(tmp_path / "a.zip", FILES, links=LINKS)
    umask = os.umask(0o077)
    try:
        deliver(path, sha256, str(tmp_path / "out" / "put"))
    finally:
        os.umask(umask)
    folder = tmp_path / "out" / "put"
    modes = {name: (folder / name).stat().st_mode & 0o777 for name in FILES}
    assert modes == {"python/a.py": 0o644, "bin/run": 0o755, "python/empty/__init__.py": 0o644}
    assert {name: (folder / name).read_text() for name in FILES} == FILES
    assert os.readlink(folder / "python" / "b.py") == "a.py"


def test_the_folder_stays_its_owners(tmp_path: Path) -> None:
    path, sha256 = make_zip(tmp_path / "a.zip", FILES)
    deliver(path, sha256, str(tmp_path / "put"))
    (tmp_path / "put" / "python" / "a.py").write_text("A = 2\n")
    (tmp_path / "put" / "python" / "empty" / "__init__.py").unlink()


def test_again_is_nothing_to_do(tmp_path: Path) -> None:
    path, sha256 = make_zip(tmp_path / "a.zip", FILES, links=LINKS)
    deliver(path, sha256, str(tmp_path / "put"))
    before = (tmp_path / "put" / "python" / "a.py").stat().st_mtime_ns
    deliver(path, sha256, str(tmp_path / "put"))
    assert (tmp_path / "put" / "python" / "a.py").stat().st_mtime_ns == before


def test_into_what_is_no_folder(tmp_path: Path) -> None:
    path, sha256 = make_zip(tmp_path / "a.zip", FILES)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "link"):
        with pytest.raises(UsageError, match="is not a folder"):
            deliver(path, sha256, str(tmp_path / name))
    assert (tmp_path / "file").read_text() == "mine"


def _more(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "file").write_text("")


def _less(folder: Path) -> None:
    (folder / "python" / "a.py").unlink()


def _other(folder: Path) -> None:
    (folder / "python" / "a.py").write_text("A = 2\n")


def _no_program(folder: Path) -> None:
    (folder / "bin" / "run").chmod(0o644)


def _no_link(folder: Path) -> None:
    (folder / "python" / "b.py").unlink()
    (folder / "python" / "b.py").write_text("A = 1\n")


def _another_link(folder: Path) -> None:
    (folder / "python" / "b.py").unlink()
    (folder / "python" / "b.py").symlink_to("empty")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_more, "`more/file` is not in the zip"),
        (_less, "`python/a.py` is missing"),
        (_other, "`python/a.py` is another file"),
        (_no_program, "`bin/run` is another file"),
        (_no_link, "`python/b.py` is another file"),
        (_another_link, "`python/b.py` is another file"),
    ],
)
def test_a_folder_with_something_else_is_left_alone(tmp_path: Path, change: object, why: str) -> None:
    path, sha256 = make_zip(tmp_path / "a.zip", FILES, links=LINKS)
    deliver(path, sha256, str(tmp_path / "put"))
    assert callable(change)
    change(tmp_path / "put")
    before = sorted(str(one) for one in (tmp_path / "put").rglob("*"))
    with pytest.raises(UsageError) as caught:
        deliver(path, sha256, str(tmp_path / "put"))
    assert list(caught.value.why) == [why]
    assert "--no-cached" in (caught.value.hint or "")
    assert sorted(str(one) for one in (tmp_path / "put").rglob("*")) == before


def test_another_zip_than_the_manifest_says(tmp_path: Path) -> None:
    path, _ = make_zip(tmp_path / "a.zip", FILES)
    with pytest.raises(ArchiveError):
        deliver(path, "0" * 64, str(tmp_path / "put"))
    assert list((tmp_path / "put").iterdir()) == []
