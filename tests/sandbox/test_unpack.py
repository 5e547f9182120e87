from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from tests.sandbox.zips import make_zip

from lamella.archive.entry import LINK, PROGRAM, DamagedSourceError, Entry, from_bytes
from lamella.errors import ArchiveError
from lamella.sandbox.unpack import laid, merged, unpack

FILES: dict[str, str | bytes] = {
    "python/six.py": "six = 6\n",
    "python/pkg/__init__.py": "",
    "bin/tool": "#!/bin/sh\n",
    "python/big.bin": b"x" * 3_000_000,
}


def modes(folder: str) -> dict[str, str]:
    found = {}
    for base, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(base, name)
            found[os.path.relpath(path, folder)] = oct(stat.S_IMODE(os.lstat(path).st_mode))
    return found


def test_what_unzip_would_make_and_nobody_can_write(tmp_path: Path) -> None:
    path, sha256 = make_zip(tmp_path / "a.zip", FILES, links={"python/lib.so": "six.py"})
    folder = unpack(path, sha256, str(tmp_path / "cache"))
    assert folder == str(tmp_path / "cache/v1/unpacked" / sha256)
    for name, content in FILES.items():
        expected = content.encode() if isinstance(content, str) else content
        assert (Path(folder) / name).read_bytes() == expected
    found = modes(folder)
    assert found["python/six.py"] == "0o444"
    assert found["bin/tool"] == "0o555"
    assert found["python/pkg"] == found["python"] == "0o555"
    assert os.readlink(f"{folder}/python/lib.so") == "six.py"


def test_the_umask_has_no_say(tmp_path: Path) -> None:
    path, sha256 = make_zip(tmp_path / "a.zip", FILES)
    before = os.umask(0o077)
    try:
        folder = unpack(path, sha256, str(tmp_path / "cache"))
    finally:
        os.umask(before)
    assert set(modes(folder).values()) == {"0o444", "0o555"}


def test_once_per_digest(tmp_path: Path) -> None:
    path, sha256 = make_zip(tmp_path / "a.zip", FILES)
    folder = unpack(path, sha256, str(tmp_path / "cache"))
    before = os.stat(f"{folder}/python/six.py").st_ino
    os.unlink(path)  # the zip is not even looked at
    assert unpack(path, sha256, str(tmp_path / "cache")) == folder
    assert os.stat(f"{folder}/python/six.py").st_ino == before
    assert os.listdir(os.path.dirname(folder)) == [sha256]


def test_another_file_than_the_manifest_says(tmp_path: Path) -> None:
    path, _ = make_zip(tmp_path / "a.zip", FILES)
    with pytest.raises(ArchiveError, match="not the file that the manifest describes"):
        unpack(path, "0" * 64, str(tmp_path / "cache"))
    assert os.listdir(tmp_path / "cache/v1/unpacked") == []


def test_damaged(tmp_path: Path) -> None:
    path, _ = make_zip(tmp_path / "a.zip", {"a.bin": os.urandom(10_000)})
    data = bytearray(Path(path).read_bytes())
    data[5000] ^= 1
    Path(path).write_bytes(data)
    with pytest.raises(ArchiveError, match=r"`a.bin` in `a.zip` is damaged"):
        unpack(path, hashlib.sha256(data).hexdigest(), str(tmp_path / "cache"))


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "b/../../outside"])
def test_a_link_that_leads_outside(tmp_path: Path, target: str) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, target)
    with pytest.raises(ArchiveError, match="the link `link`"):
        unpack(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), str(tmp_path / "cache"))


def test_a_name_that_leads_outside(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../outside", "x")
    with pytest.raises(ArchiveError, match="leaves the root"):
        unpack(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), str(tmp_path / "cache"))
    assert not (tmp_path / "cache/v1/outside").exists()


def test_several_processes_at_once_make_one_folder(tmp_path: Path) -> None:
    path, sha256 = make_zip(tmp_path / "a.zip", {f"m{number}.py": f"{number}\n" * 99 for number in range(300)})
    code = "import sys; from lamella.sandbox.unpack import unpack; print(unpack(*sys.argv[1:]))"
    command = [sys.executable, "-c", code, path, sha256, str(tmp_path / "cache")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    folders = {process.communicate(timeout=60)[0].strip() for process in running}
    assert folders == {str(tmp_path / "cache/v1/unpacked" / sha256)}
    assert os.listdir(tmp_path / "cache/v1/unpacked") == [sha256]
    assert len(os.listdir(folders.pop())) == 300


def test_what_was_abandoned_or_is_long_unused_goes(tmp_path: Path) -> None:
    base = tmp_path / "cache/v1/unpacked"
    now = time.time()
    for name, age in (("x.1-1.partial", 2 * 3600), ("y.1-1.partial", 60), ("old", 15 * 86400), ("young", 86400)):
        (base / name / "in").mkdir(parents=True)
        (base / name / "in").chmod(0o555)
        os.utime(base / name, (now - age, now - age))
    path, sha256 = make_zip(tmp_path / "a.zip", FILES)
    unpack(path, sha256, str(tmp_path / "cache"))
    assert sorted(os.listdir(base)) == sorted([sha256, "y.1-1.partial", "young"])


def test_a_folder_that_is_used_stays(tmp_path: Path) -> None:
    root = str(tmp_path / "cache")
    first = make_zip(tmp_path / "a.zip", FILES)
    folder = unpack(*first, root)
    os.utime(folder, (0, 0))
    unpack(*first, root)
    unpack(*make_zip(tmp_path / "b.zip", {"b.py": ""}), root)
    assert os.path.isdir(folder)


def test_layers_are_merged_and_the_later_wins(tmp_path: Path) -> None:
    root = str(tmp_path / "cache")
    one = make_zip(tmp_path / "1.zip", {"python/a.py": "1", "python/b.py": "1", "lib/x/y": "1"}, links={"l": "python"})
    two = make_zip(tmp_path / "2.zip", {"python/b.py": "2", "python/c.py": "2", "lib/x": "2", "l/z": "2"})
    folder = merged([one, two], root)
    assert folder is not None
    found = {
        path: (Path(folder) / path).read_text()
        for path in ("python/a.py", "python/b.py", "python/c.py", "lib/x", "l/z")
    }
    assert found == {"python/a.py": "1", "python/b.py": "2", "python/c.py": "2", "lib/x": "2", "l/z": "2"}
    assert not os.path.exists(f"{folder}/python/z"), "nothing is written through a link"
    assert (Path(unpack(*one, root)) / "python/b.py").read_text() == "1", "the layers stay what they are"
    again = merged([two, one], root)
    assert again is not None
    assert again != folder
    assert (Path(again) / "python/b.py").read_text() == "1"
    assert set(modes(folder).values()) <= {"0o444", "0o555"}


def test_one_layer_and_none(tmp_path: Path) -> None:
    root = str(tmp_path / "cache")
    layer = make_zip(tmp_path / "1.zip", FILES)
    assert merged([layer], root) == unpack(*layer, root)
    assert merged([], root) is None


def test_entries_that_were_never_a_zip(tmp_path: Path) -> None:
    asked: list[str] = []

    def entries() -> list[Entry]:
        asked.append("now")
        return [
            from_bytes("pkg/__init__.py", "pkg", b"pkg = 1\n"),
            from_bytes("bin/tool", "pkg", b"#!/bin/sh\n", PROGRAM),
            from_bytes("pkg/link", "pkg", b"__init__.py", LINK),
        ]

    for _ in range(2):
        folder = laid("a" * 64, entries, str(tmp_path / "cache"))
    assert asked == ["now"]
    assert (Path(folder) / "pkg/link").read_text() == "pkg = 1\n"
    found = modes(folder)
    assert (found["pkg/__init__.py"], found["bin/tool"], found["pkg"]) == ("0o444", "0o555", "0o555")


def test_entries_that_can_not_be_read_leave_nothing(tmp_path: Path) -> None:
    gone = from_bytes("a.py", "a", b"")._replace(data=None, source=str(tmp_path / "gone.whl"))
    with pytest.raises(DamagedSourceError):
        laid("a" * 64, lambda: [gone], str(tmp_path / "cache"))
    assert os.listdir(tmp_path / "cache/v1/unpacked") == []
