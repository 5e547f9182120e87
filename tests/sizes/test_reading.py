from __future__ import annotations

from pathlib import Path

import pytest
from tests.build.projects import Project
from tests.sizes.zips import make_zip, metadata

from lamella.errors import ArchiveError, UsageError
from lamella.sizes.reading import described, read_pair, sides


def owners(contents: object) -> dict[str, str]:
    return {path: member.distribution for path, member in contents.members.items()}  # type: ignore[attr-defined]


def test_a_record_tells_for_both(tmp_path: Path) -> None:
    """As pip installs, and zip packs: one zip has RECORD, the other has not."""
    record = "PIL/Image.py,,\n../../bin/run,,\n"
    info = {**metadata("pillow", "12.0"), "python/pillow-12.0.dist-info/RECORD": record}
    old = make_zip(tmp_path / "old.zip", {**info, "python/PIL/Image.py": "1", "bin/run": ""})
    new = make_zip(tmp_path / "new.zip", {"python/PIL/Image.py": "2", "python/PIL/New.py": "3"})
    first, second = read_pair(str(old), str(new))
    assert set(owners(first).values()) | set(owners(second).values()) == {"pillow"}
    assert (first.versions, second.versions) == ({"pillow": "12.0"}, {})


def test_sizes_and_records(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"app.py": "x" * 1000})
    contents, _ = read_pair(str(path), str(path))
    assert contents.members["app.py"].unzipped == 1000
    assert sum(member.zipped for member in contents.members.values()) + 22 == path.stat().st_size


@pytest.fixture
def built(app: Project) -> Project:
    app.wheel("python-leaf", files={"leafs/__init__.py": "", "leafs/x.py": "x = 1\n"})
    app.wheel("stem", requires=["python-leaf"])
    app.configure(
        '[tool.lamella]\nruntime = "python3.12"\n[tool.lamella.layers.layer]\nbytecode = "none"\n'
        'packages = ["stem", "python-leaf"]\n'
    )
    app.lock()
    app.run("build", check=True)
    return app


def test_a_manifest_tells_of_names_that_differ(built: Project) -> None:
    layer = built.output / "layer.zip"
    contents, _ = read_pair(str(layer), str(layer))
    assert owners(contents)["python/leafs/x.py"] == "python-leaf"


def test_a_manifest_that_describes_another_zip_tells_nothing(built: Project) -> None:
    layer = built.output / "layer.zip"
    assert described(str(layer)) is not None
    make_zip(layer, {"python/leafs/x.py": ""})
    assert described(str(layer)) is None


def test_what_an_argument_means(built: Project) -> None:
    folder = str(built.output)
    path, manifest = sides(folder)
    assert (path, manifest and [layer.key for layer in manifest.layers]) == (folder, ["layer"])
    assert sides(f"{folder}/manifest.json") == (path, manifest)
    assert sides(f"{folder}/layer.zip") == (f"{folder}/layer.zip", None)
    with pytest.raises(UsageError, match=r"has no manifest\.json"):
        sides(str(built.root))


def test_no_zip(tmp_path: Path) -> None:
    text = tmp_path / "text.zip"
    text.write_text("nothing of the kind, and long enough to hold an end record")
    with pytest.raises(ArchiveError):
        read_pair(str(text), str(text))
    with pytest.raises(UsageError, match="there is no file"):
        read_pair(str(tmp_path / "gone.zip"), str(text))


def test_a_damaged_record(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"python/a-1.dist-info/RECORD": "a/b.py,,\n" * 100})
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="damaged"):
        read_pair(str(path), str(path))
