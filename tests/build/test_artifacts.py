from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.wheels.wheelmaker import make_wheel, wheel_filename

from lamella.archive.entry import content
from lamella.archive.writer import overhead
from lamella.build.artifacts import distributions, function_entries, layer_entries, state_of
from lamella.contents.model import SourceFile
from lamella.errors import CollisionError
from lamella.target import Target
from lamella.wheels.admit import admit
from lamella.wheels.model import Wheel

OLD, NEW = Target("python3.11", "x86_64"), Target("python3.12", "x86_64")


def admitted(folder: Path, name: str, files: dict[str, str], **options: Any) -> Wheel:
    filename = wheel_filename(name, "1.0", tag=options.get("tag", "py3-none-any"))
    (folder / filename).write_bytes(make_wheel(name, "1.0", files, **options))
    return admit(str(folder / filename), filename=filename)


@pytest.fixture
def pure(tmp_path: Path) -> Wheel:
    return admitted(tmp_path, "pure", {"pure.py": ""}, entry_points={"console_scripts": ["pure = pure:main"]})


@pytest.fixture
def native(tmp_path: Path) -> dict[Target, Wheel]:
    return {
        target: admitted(tmp_path, "native", {f"native.{tag}.so": tag}, tag=f"{tag}-{tag}-manylinux_2_17_x86_64")
        for target, tag in ((OLD, "cp311"), (NEW, "cp312"))
    }


def test_a_layer_for_one_runtime_lies_in_python(pure: Wheel, native: dict[Target, Wheel]) -> None:
    entries = {entry.path: entry for entry in layer_entries({NEW: [native[NEW], pure]})}
    assert {"python/native.cp312.so", "python/pure.py", "bin/pure"} <= set(entries)
    assert content(entries["bin/pure"]).startswith(b"#!/var/lang/bin/python3.12\n")
    assert not any("site-packages" in path for path in entries)


def test_a_layer_for_two_runtimes(pure: Wheel, native: dict[Target, Wheel]) -> None:
    entries = {entry.path: entry for entry in layer_entries({OLD: [native[OLD], pure], NEW: [native[NEW], pure]})}
    code = {path for path in entries if path.endswith((".py", ".so"))}
    assert code == {
        "python/pure.py",
        "python/lib/python3.11/site-packages/native.cp311.so",
        "python/lib/python3.12/site-packages/native.cp312.so",
    }
    assert content(entries["bin/pure"]).startswith(b"#!/var/lang/bin/python3\n"), "whichever of them is there"


def test_the_rows_of_two_runtimes(pure: Wheel, native: dict[Target, Wheel]) -> None:
    per_target = {OLD: [native[OLD], pure], NEW: [native[NEW], pure]}
    entries = layer_entries(per_target)
    rows = distributions(per_target, entries)
    assert [(row.name, row.file.split("-")[2], row.runtimes) for row in rows] == [
        ("native", "cp311", ("python3.11",)),
        ("native", "cp312", ("python3.12",)),
        ("pure", "py3", ("python3.11", "python3.12")),
    ]
    assert sum(row.zipped for row in rows) == sum(entry.packed + overhead(entry.path) for entry in entries)
    assert sum(row.unzipped for row in rows) == sum(entry.size for entry in entries)


def test_programs_of_native_wheels_are_there_once(tmp_path: Path) -> None:
    """There is one `bin/`: the same program starts whichever runtime is there."""
    wheels = {
        target: [
            admitted(
                tmp_path, "tool", {"tool.py": tag}, tag=f"{tag}-{tag}-manylinux_2_17_x86_64",
                entry_points={"console_scripts": ["tool = tool:main"]},
            )
        ]
        for target, tag in ((OLD, "cp311"), (NEW, "cp312"))
    }  # fmt: skip
    program = {entry.path: content(entry) for entry in layer_entries(wheels)}["bin/tool"].decode()
    assert program.startswith("#!/var/lang/bin/python3\n")
    for runtime in ("python3.11", "python3.12"):
        assert runtime not in program


def test_sources_at_the_root_and_the_bundle_beside(tmp_path: Path, pure: Wheel) -> None:
    (tmp_path / "app.py").write_text("x = 1\n")
    files = [SourceFile("deep/app.py", str(tmp_path / "app.py"), False, "src/deep/app.py")]
    entries = {entry.path: entry for entry in function_entries(files, [pure], NEW)[0]}
    assert content(entries["deep/app.py"]) == b"x = 1\n"
    assert entries["deep/app.py"].origin == "src/deep/app.py"
    assert "pure.py" in entries


def test_a_source_and_the_bundle_collide(tmp_path: Path, pure: Wheel) -> None:
    (tmp_path / "mine.py").write_text("mine")
    with pytest.raises(CollisionError, match=r"`src/pure.py` and `pure` both bring `pure.py`"):
        function_entries([SourceFile("pure.py", str(tmp_path / "mine.py"), False, "src/pure.py")], [pure], NEW)


def test_the_digest_of_sources(tmp_path: Path) -> None:
    place = tmp_path / "app.py"
    place.write_text("1")
    file = SourceFile("app.py", str(place), False, "src/app.py")
    first = state_of([file])
    assert state_of([file]) == first
    assert state_of([file._replace(path="other.py")]) != first
    assert state_of([file._replace(executable=True)]) != first
    assert state_of([file._replace(shown="elsewhere/app.py")]) == first
    place.write_text("2")
    assert state_of([file]) != first
