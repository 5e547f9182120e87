"""What fills a layer or bundle, from the configuration to the zip."""

from __future__ import annotations

import os
import stat
import sys
import zipfile
from pathlib import Path

import pytest
from tests.build.projects import CONFIGURATION, HANDLER, Project
from tests.elf.making import elf

from lamella.errors import ClosureError, ConfigError
from lamella.manifest import read as read_manifest

OWN = f"python{sys.version_info[0]}.{sys.version_info[1]}"
TAG = f"cpython-{sys.version_info[0]}{sys.version_info[1]}"
LAYER = f"[tool.lamella]\nruntime = '{OWN}'\n[tool.lamella.layers.layer]\n"
FUNCTION = "[tool.lamella.functions.api]\nhandler = 'app.handler'\nlayers = ['layer']\n"


def configured(project: Project, *lines: str, function: str = "") -> None:
    project.configure(LAYER + "".join(f"{line}\n" for line in lines) + FUNCTION + function)


def with_tests(project: Project) -> None:
    """`stem` gets a test suite, type stubs and a module that only its tests import."""
    files = {
        "stem/__init__.py": "from stem.core import f\n",
        "stem/core.py": "def f(): return 1\n",
        "stem/core.pyi": "def f() -> int: ...\n",
        "stem/tests/__init__.py": "",
        "stem/tests/test_core.py": "from stem.core import f\n",
    }
    project.wheel("stem", files=files, requires=["leaf"])
    project.lock()


def test_the_defaults_leave_tests_out_and_add_bytecode(project: Project) -> None:
    with_tests(project)
    configured(project)
    project.build()
    members = project.members("layer")
    assert "python/stem/core.py" in members
    assert f"python/stem/__pycache__/core.{TAG}.pyc" in members
    assert not [path for path in members if "tests" in path or path.endswith((".pyi", "RECORD"))]
    assert {"python/stem-1.0.dist-info/METADATA"} <= set(members)


def test_none_of_it(project: Project) -> None:
    with_tests(project)
    configured(project, "profile = 'none'", "bytecode = 'none'")
    project.build()
    assert "python/stem/tests/test_core.py" in project.members("layer")
    assert not [path for path in project.members("layer") if path.endswith(".pyc")]


def test_bytecode_instead(project: Project) -> None:
    with_tests(project)
    configured(project, "bytecode = 'instead'")
    project.build()
    members = project.members("layer")
    assert "python/stem/core.pyc" in members
    assert not [path for path in members if path.startswith("python/") and path.endswith(".py")]
    assert "stem" in project.packages("layer")


def test_each_option_gives_other_bytes_and_the_same_ones_again(project: Project) -> None:
    with_tests(project)
    seen: dict[str, str] = {}
    variants = ("", "profile = 'none'", "bytecode = 'none'", "bytecode = 'instead'", "keep = ['stem/tests/']")
    for _ in range(2):
        for line in variants:
            configured(project, line)
            project.build()
            assert seen.setdefault(line, project.digest_of("layer.zip")) == project.digest_of("layer.zip"), line
    assert len(set(seen.values())) == len(variants)


def test_a_distributions_own_rules(project: Project) -> None:
    with_tests(project)
    configured(project, "distributions.stem = { profile = 'none' }")
    project.build()
    assert "python/stem/tests/test_core.py" in project.members("layer")
    assert "python/leaf-1.0.dist-info/RECORD" not in project.members("layer")


def test_a_module_that_is_left_out_can_not_be_imported(project: Project) -> None:
    with_tests(project)
    project.source("app.py", "import stem.tests.test_core\n\n" + HANDLER)
    configured(project)
    with pytest.raises(ClosureError, match=r"stem\.tests"):
        project.build()
    configured(project, "keep = ['stem/tests/']")
    project.build()
    assert "python/stem/tests/test_core.py" in project.members("layer")


def test_the_bundle_of_a_function_is_slimmed_and_its_own_files_are_not(project: Project) -> None:
    with_tests(project)
    project.source("tests/test_app.py", "x = 1\n")
    project.configure(
        f"[tool.lamella]\nruntime = '{OWN}'\n[tool.lamella.functions.api]\nhandler = 'app.handler'\nbundle = ['stem']\n"
    )
    project.build()
    members = project.members("api")
    assert {"app.py", "tests/test_app.py", "stem/core.py", f"stem/__pycache__/core.{TAG}.pyc"} <= set(members)
    assert not [path for path in members if path.startswith("stem/tests")]


LIBRARY = b"\x7fNOT an ELF file, but large and twice there" * 1000


def with_twins(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "stem/__init__.py": "import ctypes\nctypes.CDLL('libx.so.1')\nctypes.CDLL('libx.so.1.2')\n",
        "stem/libx.so.1": LIBRARY,
        "stem/libx.so.1.2": LIBRARY,
    }
    project.wheel("stem", files=files, requires=["leaf"])
    project.lock()


def test_equal_libraries_become_links(project: Project) -> None:
    with_twins(project)
    configured(project)
    project.build()
    links = [path for path, mode in project.modes("layer").items() if stat.S_ISLNK(mode)]
    assert links == ["python/stem/libx.so.1"]
    assert project.members("layer")[links[0]] == b"libx.so.1.2"


def test_a_file_that_is_kept_becomes_no_link(project: Project) -> None:
    with_twins(project)
    configured(project, "keep = ['libx.so.1']")
    project.build()
    assert not [path for path, mode in project.modes("layer").items() if stat.S_ISLNK(mode)]


def test_a_distribution_that_is_left_alone_gets_no_links(project: Project) -> None:
    with_twins(project)
    configured(project, "distributions.stem = { profile = 'none' }")
    project.build()
    assert not [path for path, mode in project.modes("layer").items() if stat.S_ISLNK(mode)]
    configured(project, "profile = 'none'", "distributions.stem = { profile = 'safe' }")
    project.build()
    assert [path for path, mode in project.modes("layer").items() if stat.S_ISLNK(mode)]


def test_a_file_that_is_kept_is_not_blanked(project: Project) -> None:
    library, other = elf(), elf(text=b"other code")
    files: dict[str, str | bytes] = {"stem/__init__.py": "", "stem/one.abi3.so": library, "stem/two.abi3.so": other}
    project.wheel("stem", files=files, requires=["leaf"])
    project.lock()
    configured(project, "keep = ['one.abi3.so']")
    project.build()
    members = project.members("layer")
    assert members["python/stem/one.abi3.so"] == library
    assert len(members["python/stem/two.abi3.so"]) < len(other)


def test_an_interpreter_that_is_not_here(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    project.configure(CONFIGURATION.replace("python3.12", "python3.15"))
    with pytest.raises(Exception, match=r"no Python 3\.15") as caught:
        project.build(offline=True)
    assert "uv python install 3.15" in str(caught.value)
    assert "bytecode" in str(caught.value)
    assert not os.path.exists(project.output)
    project.configure(
        CONFIGURATION.replace("python3.12", "python3.15").replace("layer]\n", "layer]\nbytecode = 'none'\n", 1)
    )
    project.build(offline=True)


def test_two_runtimes_get_bytecode_each(project: Project) -> None:
    with_tests(project)
    project.configure(CONFIGURATION.replace('"python3.12"', '["python3.11", "python3.12"]'))
    project.build()
    compiled = [path for path in project.members("layer") if "stem/__pycache__/core" in path]
    assert sorted(path.rpartition("core.")[2] for path in compiled) == ["cpython-311.pyc", "cpython-312.pyc"]


def heavy(project: Project, *names: str, mebibytes: int = 20) -> None:
    for number, name in enumerate(names):
        data = os.urandom(1024) * 0 + bytes(
            bytearray((number * 31 + at * at * 7 + (at >> 3)) & 255 for at in range(4096))
        )
        project.wheel(name, files={f"{name}/__init__.py": "", f"{name}/data.bin": _noise(name, mebibytes) + data})
    project.lock()


def _noise(seed: str, mebibytes: int) -> bytes:
    import random

    return random.Random(seed).randbytes(mebibytes * 1024 * 1024)


def test_a_layer_is_split(project: Project) -> None:
    heavy(project, "one", "two", "three")
    configured(project, "split = true")
    project.build()
    parts = sorted(path.name for path in project.output.glob("layer*.zip"))
    assert parts == ["layer-1.zip", "layer-2.zip"]
    for part in parts:
        assert (project.output / part).stat().st_size <= 50 * 1024 * 1024
    built = read_manifest(str(project.output))
    assert built is not None
    assert [(layer.key, layer.name, layer.part_of) for layer in built.layers] == [
        ("layer-1", "spectra-layer-1", "layer"), ("layer-2", "spectra-layer-2", "layer"),
    ]  # fmt: skip
    assert built.functions[0].layers == ("layer-1", "layer-2")
    assert {name for _, names in built.functions[0].needs for name in names} == {"stem"}
    held = [row.name for layer in built.layers for row in layer.distributions]
    assert sorted(held) == ["leaf", "one", "stem", "three", "two"]


def test_a_change_in_one_distribution_changes_one_part(project: Project) -> None:
    heavy(project, "one", "two", "three")
    configured(project, "split = true")
    project.build()
    before = project.digests()
    project.wheels = {name: data for name, data in project.wheels.items() if not name.startswith("leaf")}
    project.wheel("leaf", "1.1", files={"leaf/__init__.py": "x = 2\n"})
    project.lock()
    project.build()
    changed = [name for name, digest in project.digests().items() if before[name] != digest and name.endswith("zip")]
    assert len(changed) == 1


def test_a_layer_that_fits_stays_whole(project: Project) -> None:
    configured(project, "split = true")
    project.build()
    assert (project.output / "layer.zip").exists()
    assert not (project.output / "layer-1.zip").exists()


def test_parts_that_are_no_longer_needed_go(project: Project) -> None:
    heavy(project, "one", "two", "three")
    configured(project, "split = true")
    project.build()
    configured(project, "split = true", "exclude = ['one']")
    project.build("layer")
    assert [path.name for path in sorted(project.output.glob("*.zip"))] == ["api.zip", "layer.zip"]
    built = read_manifest(str(project.output))
    assert built is not None
    assert built.functions[0].layers == ("layer",)


def test_a_bundle_is_split_off_into_layers(project: Project) -> None:
    heavy(project, "one", "two", "three")
    project.configure(
        f"[tool.lamella]\nruntime = '{OWN}'\n[tool.lamella.functions.api]\nhandler = 'app.handler'\n"
        "bundle = ['stem', 'one', 'two', 'three']\nsplit = true\n"
    )
    project.build()
    assert sorted(path.name for path in project.output.glob("*.zip")) == ["api-1.zip", "api-2.zip", "api.zip"]
    with zipfile.ZipFile(project.output / "api.zip") as archive:
        assert archive.namelist() == ["app.py"]
    members = {**project.members("api-1"), **project.members("api-2")}
    assert {"python/stem/__init__.py", "python/three/data.bin"} <= set(members)
    built = read_manifest(str(project.output))
    assert built is not None
    assert built.functions[0].layers == ("api-1", "api-2")


def test_more_layers_than_a_function_may_have(project: Project) -> None:
    arns = ", ".join(f"'arn:aws:lambda:eu-central-1:123456789012:layer:l{number}:1'" for number in range(4))
    heavy(project, "one", "two", "three")
    project.configure(LAYER + "split = true\n" + FUNCTION.replace("layers = ['layer']", f"layers = ['layer', {arns}]"))
    with pytest.raises(ConfigError, match="would have 6 layers"):
        project.build()
    assert not (project.output / "manifest.json").exists()


def test_unknown_folder_is_not_touched(project: Project, tmp_path: Path) -> None:
    """Nothing is written outside of the output and the cache."""
    before = sorted(path for path in tmp_path.rglob("*") if "project" in path.parts and path.is_file())
    configured(project)
    project.build()
    after = sorted(path for path in tmp_path.rglob("*") if "project" in path.parts and path.is_file())
    assert {path for path in after if project.output not in path.parents} == set(before)
