from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.wheels.wheelmaker import make_wheel, wheel_filename

from lamella.archive.entry import Entry, content
from lamella.archive.writer import overhead, write
from lamella.build.artifacts import (
    bundle_groups,
    distributions,
    joined,
    layer_groups,
    own_entries,
    state_of,
    top_modules,
)
from lamella.contents.merge import merge
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


def layer_entries(per_target: dict[Target, list[Wheel]]) -> list[Entry]:
    return joined(layer_groups(per_target))


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


def tagged(folder: Path, name: str, files: dict[str, str], **options: Any) -> dict[Target, Wheel]:
    """A wheel for each runtime; `TAG` in the contents is its tag."""
    return {
        target: admitted(
            folder, name, {path: text.replace("TAG", tag) for path, text in files.items()},
            tag=f"{tag}-{tag}-manylinux_2_17_x86_64", **options,
        )
        for target, tag in ((OLD, "cp311"), (NEW, "cp312"))
    }  # fmt: skip


def test_a_package_of_a_pure_and_a_native_wheel_can_be_imported(tmp_path: Path) -> None:
    """A stand-in for native code that any Python reads, and Lambda's order of sys.path."""
    pure = admitted(tmp_path, "pk", {"pk/__init__.py": "", "pk/a.py": "x = 'a'"})
    other = admitted(tmp_path, "space-one", {"space/one.py": "x = 'one'"})
    native = tagged(tmp_path, "pk-native", {"pk/n.py": "x = 'TAG'", "space/two.py": "x = 'two'"})
    layer = str(tmp_path / "layer.zip")
    write(layer, layer_entries({target: [other, pure, native[target]] for target in (OLD, NEW)}))
    with zipfile.ZipFile(layer) as archive:
        archive.extractall(tmp_path / "opt")
        assert "python/space/one.py" in archive.namelist()
    code = "import pk.a, pk.n, space.one, space.two; print(pk.a.x, pk.n.x, space.one.x, space.two.x)"
    for target, tag in ((OLD, "cp311"), (NEW, "cp312")):
        path = os.pathsep.join(str(tmp_path / "opt" / site) for site in (target.site_packages, "python"))
        done = subprocess.run(
            [sys.executable, "-S", "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True, check=False
        )
        assert (done.stdout, done.stderr) == (f"a {tag} one two\n", "")


def test_a_native_wheel_for_the_stable_abi_lies_there_once(tmp_path: Path) -> None:
    stable = admitted(tmp_path, "stable", {"stable.abi3.so": ""}, tag="cp39-abi3-manylinux_2_17_x86_64")
    paths = [entry.path for entry in layer_entries({OLD: [stable], NEW: [stable]})]
    assert [path for path in paths if path.endswith(".so")] == ["python/stable.abi3.so"]


def test_a_native_program_that_differs_between_runtimes(tmp_path: Path) -> None:
    tool = tagged(tmp_path, "tool", {"tool-1.0.data/scripts/tool": "\x7fELF TAG"})
    with pytest.raises(CollisionError) as caught:
        layer_entries({target: [wheel] for target, wheel in tool.items()})
    assert str(caught.value) == (
        "the program `bin/tool` of `tool` differs between the runtimes python3.11 and python3.12\n"
        "  a layer has one `bin/` for all of its runtimes\n"
        '  hint: make a layer for each runtime: `runtime = "python3.11"` in one table, '
        '`runtime = "python3.12"` in another'
    )


def test_one_program_of_two_distributions_differs_between_runtimes(tmp_path: Path) -> None:
    script = "#!/bin/sh\n"
    one = admitted(tmp_path, "one", {"one-1.0.data/scripts/tool": script})
    two = admitted(tmp_path, "two", {"two-1.0.data/scripts/tool": script + "echo\n"})
    with pytest.raises(CollisionError, match=r"`bin/tool` of `one` and `two` differs between the runtimes python3\.11"):
        layer_entries({OLD: [one], NEW: [two]})
    with pytest.raises(CollisionError, match="`one` and `two` both bring `bin/tool`"):
        layer_entries({OLD: [one, two], NEW: [one]})


def test_what_is_written_anew_counts_for_its_own_runtime(tmp_path: Path) -> None:
    """RECORD names what was moved, so that it is made for each; the program is the first one's."""
    tool = tagged(
        tmp_path, "tool", {"tool-1.0.data/purelib/tool.py": "x = 'TAG'" * 100},
        entry_points={"console_scripts": ["tool = tool:main"]},
    )  # fmt: skip
    per_target = {target: [wheel] for target, wheel in tool.items()}
    entries = layer_entries(per_target)
    program = next(entry for entry in entries if entry.path == "bin/tool")
    old, new = distributions(per_target, entries)
    assert (old.runtimes, new.runtimes) == (("python3.11",), ("python3.12",))
    for row, target, more in ((old, OLD, [program]), (new, NEW, [])):
        own = [entry for entry in entries if entry.path.startswith(target.site_packages)] + more
        assert row.unzipped == sum(entry.size for entry in own)
        assert row.zipped == sum(entry.packed + overhead(entry.path) for entry in own)


def test_a_wheel_that_lies_there_for_each_runtime_has_one_row(tmp_path: Path) -> None:
    pure = admitted(tmp_path, "pk", {"pk/__init__.py": "", "pk/a.py": "x = 'a'"})
    native = tagged(tmp_path, "pk-native", {"pk/n.py": "x = 'TAG'"})
    per_target = {target: [pure, native[target]] for target in (OLD, NEW)}
    entries = layer_entries(per_target)
    rows = {row.file.split("-")[2]: row for row in distributions(per_target, entries)}
    assert rows["py3"].runtimes == ("python3.11", "python3.12")
    assert rows["py3"].unzipped == 2 * sum(member.size for member in pure.members)


def test_sources_at_the_root_and_the_bundle_beside(tmp_path: Path, pure: Wheel) -> None:
    (tmp_path / "app.py").write_text("x = 1\n")
    files = [SourceFile("deep/app.py", str(tmp_path / "app.py"), False, "src/deep/app.py")]
    entries = {entry.path: entry for entry in merge([own_entries(files)[0], joined(bundle_groups([pure], NEW))])}
    assert content(entries["deep/app.py"]) == b"x = 1\n"
    assert entries["deep/app.py"].origin == "src/deep/app.py"
    assert "pure.py" in entries


def test_a_source_and_the_bundle_collide(tmp_path: Path, pure: Wheel) -> None:
    (tmp_path / "mine.py").write_text("mine")
    own, _ = own_entries([SourceFile("pure.py", str(tmp_path / "mine.py"), False, "src/pure.py")])
    with pytest.raises(CollisionError, match=r"`src/pure.py` and `pure` both bring `pure.py`"):
        merge([own, joined(bundle_groups([pure], NEW))])


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


def test_top_modules() -> None:
    paths = [
        "python/numpy/__init__.py", "python/numpy/core/__init__.py", "python/_cffi.abi3.so",
        "python/google/cloud/storage/__init__.py", "python/google/cloud/helpers.py", "python/numpy.libs/libx.so",
        "python/google/cloud/_storage/__init__.py",
        "python/lib/python3.12/site-packages/native.cpython-312-x86_64-linux-gnu.so", "bin/tool.py",
        "python/six.pyc", "python/six-1.0.dist-info/METADATA", "python/deep/er/__init__.py", "python/deep.py",
    ]  # fmt: skip
    assert top_modules(paths, ["python", "python/lib/python3.12/site-packages"]) == (
        "_cffi", "deep", "google.cloud.helpers", "google.cloud.storage", "native", "numpy", "six",
    )  # fmt: skip
