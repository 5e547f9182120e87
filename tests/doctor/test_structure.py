"""What is wrong with a zip's layout, and that the commands which are said to mend it do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.doctor.zips import HANDLER, Files, make

from lamella.checks.model import Severity
from lamella.doctor import packed
from lamella.doctor.guess import guess
from lamella.doctor.model import Asked, Diagnosis, Row
from lamella.doctor.structure import structure

INFO = "six-1.16.0.dist-info/METADATA"
SIX = {"six.py": "__version__ = '1.16.0'\n", INFO: "Metadata-Version: 2.1\nName: six\nVersion: 1.16.0\n"}


def examined(path: Path, **asked: str) -> tuple[Diagnosis, ...]:
    rows = packed.rows(str(path))
    guessed = guess(rows, Asked(**asked), called=path.name)
    return structure(path.name, str(path), rows, guessed)


def wrong(path: Path, **asked: str) -> list[tuple[str, str]]:
    """Severity and path of each finding."""
    return [(one.finding.severity.value, one.finding.path) for one in examined(path, **asked)]


def below(folder: str, files: Files) -> dict[str, str | bytes]:
    return {f"{folder}/{name}": content for name, content in files.items()}


def test_what_lies_right(tmp_path: Path) -> None:
    assert examined(make(tmp_path / "layer.zip", {"python/": "", **below("python", SIX)})) == ()
    assert examined(make(tmp_path / "f.zip", {"app.py": HANDLER})) == ()


@pytest.mark.parametrize(
    "files",
    [
        SIX,
        below("layer", SIX),
        below("layer/python", SIX),
        below("python/python", SIX),
        below("python/lib/site-packages", SIX),
        below("lib/python3.12/site-packages", SIX),
        below("my layer/venv's", SIX),
    ],
)
def test_layers_that_lie_wrong_are_mended_by_the_commands(tmp_path: Path, files: Files) -> None:
    path = make(tmp_path / "a layer.zip", files, modes={next(iter(files)): 0o640})
    found = examined(path)
    assert [one.finding.severity for one in found] == [Severity.ERROR, Severity.ERROR]
    assert found[0].fix == found[1].fix
    run(found[0].fix, tmp_path)
    assert wrong(path) == []
    assert {row.name for row in packed.rows(str(path)) if not row.is_dir} == {f"python/{name}" for name in SIX}


def test_a_function_in_a_folder_is_mended_by_the_commands(tmp_path: Path) -> None:
    path = make(tmp_path / "f.zip", {"project/app.py": HANDLER, "project/lib/db.py": ""}, mode=0o600)
    first, second = examined(path, kind="function")
    assert first.finding.reason.startswith("everything in it lies below `project`")
    assert "0600" in second.finding.reason
    run(first.fix, tmp_path)
    assert wrong(path, kind="function") == []
    assert {row.name for row in packed.rows(str(path)) if not row.is_dir} == {"app.py", "lib/db.py"}


def run(commands: tuple[str, ...], folder: Path) -> None:
    """As somebody pastes them into a shell."""
    if not (shutil.which("unzip") and shutil.which("zip")):
        pytest.skip("needs zip and unzip")
    subprocess.run(["sh", "-euc", "\n".join(commands)], cwd=folder, check=True, stdin=subprocess.DEVNULL)


def test_modes_of_folders_and_of_other_systems(tmp_path: Path) -> None:
    assert wrong(make(tmp_path / "a.zip", {"python/": "", "python/six.py": ""}, modes={"python/": 0o750})) == [
        ("error", "python/")
    ]
    # What zip programs of Windows write has no modes, and works
    path = tmp_path / "b.zip"
    with packed_on_windows(path) as archive:
        archive.writestr("python/six.py", "")
    assert wrong(path) == []
    # adm-zip and others say that it was made on Unix, and give no mode
    assert wrong(make(tmp_path / "c.zip", {"python/six.py": ""}, mode=0)) == [("error", "python/six.py")]


def packed_on_windows(path: Path):  # type: ignore[no-untyped-def]
    from zipfile import ZipFile, ZipInfo

    class Windows(ZipFile):
        def writestr(self, name, data):  # type: ignore[no-untyped-def,override]
            info = ZipInfo(name)
            info.create_system, info.external_attr = 0, 0x20
            super().writestr(info, data)

    return Windows(path, "w")


def test_what_is_for_another_runtime(tmp_path: Path) -> None:
    files = {"python/lib/python3.11/site-packages/six.py": ""}
    path = make(tmp_path / "layer.zip", files)
    assert wrong(path) == []
    reasons = [one.finding.reason for one in examined(path, runtime="python3.12")]
    assert len(reasons) == 1
    assert "python3.11" in reasons[0] or "site-packages" in reasons[0]
    both = make(tmp_path / "both.zip", {**files, "python/lib/python3.12/site-packages/six.py": ""})
    assert [row[0] for row in wrong(both, runtime="python3.12")] == ["note"]


def test_litter_and_emptiness(tmp_path: Path) -> None:
    files = {"python/six.py": "", "__MACOSX/python/._six.py": "", "python/.DS_Store": ""}
    (one,) = examined(make(tmp_path / "layer.zip", files))
    assert (one.finding.severity, one.fix) == (Severity.NOTE, ())
    for files in ({"python/": ""}, {}):
        (nothing,) = examined(make(tmp_path / "empty.zip", files), kind="layer")
        assert (nothing.finding.reason, nothing.fix) == ("there is no file in it", ())


@pytest.mark.parametrize(
    "name",
    ["nodejs/node_modules/a/index.js", "nodejs/node_modules/node-gyp/gyp/x.py", "data/weights.bin", "java/lib/a.jar"],
)
def test_layers_without_python_lie_right(tmp_path: Path, name: str) -> None:
    (one,) = examined(make(tmp_path / "layer.zip", {name: ""}))
    assert (one.finding.severity, one.fix) == (Severity.NOTE, ())
    assert one.finding.reason == "there is nothing for Python in it"


def test_what_is_not_sure_is_not_laid_anew(tmp_path: Path) -> None:
    """Where a distribution doesn't say what is its own, the rest may be a function's or its."""
    files = {"shop/__init__.py": "", "six.py": "", INFO: "Name: six\nVersion: 1.16.0\n"}
    (one,) = examined(make(tmp_path / "a.zip", files))
    assert (one.finding.severity, one.fix) == (Severity.NOTE, ())
    assert "--handler" in one.finding.hint
    assert wrong(make(tmp_path / "a.zip", files, mode=0o600)) == [("note", ""), ("error", "shop/__init__.py")]


def test_sizes(tmp_path: Path) -> None:
    path = str(make(tmp_path / "layer.zip", {"python/big.bin": ""}))
    rows = (Row("python/big.bin", 0o644, 263_000_000, False),)
    one = structure("layer.zip", path, rows, guess(rows, Asked()))[-1]
    assert (one.finding.check, one.finding.severity) == ("size", Severity.ERROR)
    assert "856000 more" in one.finding.reason
