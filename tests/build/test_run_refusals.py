"""A build as a whole: what it refuses, and then writes nothing."""

from __future__ import annotations

import sys

import pytest
from tests.build.projects import CONFIGURATION, HANDLER, Project

from lamella.errors import (
    ClosureError,
    CollisionError,
    ConfigError,
    IncompatibleError,
    LamellaError,
    LockError,
    OfflineError,
)


def refused(project: Project, kind: type[LamellaError]) -> str:
    """The words of the refusal; nothing may have been written."""
    before = project.states() if project.output.exists() else {}
    with pytest.raises(kind) as caught:
        project.build()
    assert (project.states() if project.output.exists() else {}) == before
    return str(caught.value)


def test_a_missing_import_names_file_line_and_layer(project: Project) -> None:
    project.wheel("rawpy")
    project.lock()
    project.source("deep/images.py", "import os\n\n\nimport rawpy\n")
    project.configure(
        CONFIGURATION.replace("[tool.lamella.layers.layer]", '[tool.lamella.layers.layer]\nexclude = ["rawpy"]')
        + '\n[tool.lamella.layers.images]\npackages = ["rawpy"]\n'
    )
    text = refused(project, ClosureError)
    assert "src/deep/images.py:4" in text
    assert "`rawpy`" in text
    assert "`images`" in text


def test_everything_that_is_missing_is_told_at_once(project: Project) -> None:
    project.source("app.py", "import nowhere\nimport stem\n" + HANDLER)
    project.source("other.py", "from absent.sub import x\n")
    text = refused(project, ClosureError)
    assert "src/app.py:1" in text
    assert "`nowhere`" in text
    assert "src/other.py:1" in text
    assert "absent" in text


@pytest.mark.parametrize(
    "guarded",
    [
        "try:\n    import rawpy\nexcept ImportError:\n    rawpy = None\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import rawpy\n",
        "import platform\nif platform.machine() == 'arm64':\n    import rawpy\n",
    ],
)
def test_a_guarded_import_is_a_note(project: Project, guarded: str) -> None:
    project.source("images.py", guarded)
    outcome = project.build()
    (note,) = outcome.notes
    assert "src/images.py" in note
    assert "rawpy" in note
    assert project.build().notes == outcome.notes, "remembered with the answer"


def test_a_file_that_only_a_newer_python_may_read_is_a_note(project: Project) -> None:
    newer = f"python3.{sys.version_info[1] + 1}"
    project.configure(CONFIGURATION.replace("python3.12", newer))
    # What each Python cannot read yet, and the next one can
    syntax = {11: "type X = int", 12: "type X[T = int] = list[T]", 13: 't"{1}"', 14: "lazy import os"}
    project.source("newer.py", f"\n{syntax[sys.version_info[1]]}\n")
    note = (
        f"src/newer.py:2 could not be read by Python 3.{sys.version_info[1]}: its imports were not checked; "
        f"run lamella on {newer}"
    )
    assert project.build().notes == (note,)


def test_a_requirement_that_nothing_holds(project: Project) -> None:
    project.configure(
        CONFIGURATION.replace("[tool.lamella.layers.layer]", '[tool.lamella.layers.layer]\nexclude = ["leaf"]')
    )
    text = refused(project, ClosureError)
    assert "`leaf`" in text
    assert "stem" in text


def test_a_handler_that_is_not_there(project: Project) -> None:
    project.configure(CONFIGURATION.replace("app.handler", "app.handle"))
    assert "handle" in refused(project, ClosureError)
    project.configure(CONFIGURATION.replace("app.handler", "lost.handler"))
    assert "lost" in refused(project, ClosureError)


def test_two_layers_with_one_distribution(project: Project) -> None:
    project.configure(CONFIGURATION + '\n[tool.lamella.layers.more]\npackages = ["leaf"]\n')
    text = refused(project, CollisionError)
    assert text.startswith("the layers `layer` and `more` both hold `leaf`")
    assert 'exclude = ["leaf"]' in text


def test_a_bundle_and_a_layer_with_one_distribution(project: Project) -> None:
    project.configure(CONFIGURATION + 'bundle = ["leaf"]\n')
    text = refused(project, ConfigError)
    assert text.startswith("`leaf` is in the bundle of function `api` and in its layer `layer`")


def test_a_bundle_travels_in_the_functions_zip(project: Project) -> None:
    project.wheel("light", requires=["leaf", "tiny"])
    project.wheel("tiny")
    project.lock()
    project.source("app.py", "import light, stem\n\n" + HANDLER)
    project.configure(
        CONFIGURATION.replace("[tool.lamella.layers.layer]", '[tool.lamella.layers.layer]\npackages = ["stem"]')
        + 'bundle = ["light"]\n'
    )
    project.build()
    assert project.packages("layer") == ["leaf", "stem"]
    assert project.packages("api") == ["app.py", "light", "tiny"], "leaf is in the layer already"
    assert [row["name"] for row in project.manifest()["functions"]["api"]["distributions"]] == ["light", "tiny"]


def test_an_empty_layer(project: Project) -> None:
    project.wheels.clear()
    project.wheel("wind", tag="py3-none-any")
    lock = project.pylock().replace('name = "wind"', 'name = "wind"\nmarker = "sys_platform == \'win32\'"', 1)
    (project.root / "pylock.toml").write_text(lock)
    project.source("app.py", HANDLER)
    assert refused(project, ConfigError).startswith("layer `layer` would be empty")


def test_two_wheels_with_one_path(project: Project) -> None:
    project.wheel("one", files={"shared/data.txt": "1", "one.py": ""})
    project.wheel("two", files={"shared/data.txt": "2", "two.py": ""})
    project.lock()
    text = refused(project, CollisionError)
    assert text.startswith("`one` and `two` both bring `python/shared/data.txt`, with different bytes")


def test_equal_files_and_namespaces_are_no_collision(project: Project) -> None:
    init = '__path__ = __import__("pkgutil").extend_path(__path__, __name__)\n'
    project.wheel("ns-one", files={"ns/one.py": "1", "old/__init__.py": init, "old/a.py": ""})
    project.wheel("ns-two", files={"ns/two.py": "2", "old/__init__.py": init, "old/b.py": ""})
    project.lock()
    project.source("app.py", "import ns.one, ns.two, old.a, old.b\n\n" + HANDLER)
    project.build()
    members = project.members("layer")
    assert {"python/ns/one.py", "python/ns/two.py", "python/old/a.py", "python/old/b.py"} <= set(members)


def test_no_wheel_for_the_target(project: Project) -> None:
    project.wheel("native", tag="cp311-cp311-manylinux_2_17_x86_64")
    project.lock()
    assert refused(project, IncompatibleError).startswith("no locked wheel of `native==1.0` runs on python3.12")


def test_offline_lists_all_that_is_missing(project: Project) -> None:
    project.lock(url="http://127.0.0.1:9/files")
    with pytest.raises(OfflineError) as caught:
        project.build(offline=True)
    assert str(caught.value) == (
        "2 wheels are not in the cache, and `--offline` was given\n"
        "  `stem-1.0-py3-none-any.whl`\n"
        "  `leaf-1.0-py3-none-any.whl`\n"
        "  hint: run the same build once without `--offline`"
    )
    assert caught.value.exit_code == 3
    assert not project.output.exists()


@pytest.mark.parametrize("hashes", [True, False])
def test_offline_with_a_requirements_file_lists_all_that_is_missing(project: Project, hashes: bool) -> None:
    (project.root / "pylock.toml").unlink()
    suffix = " --hash=sha256:" + "0" * 64 if hashes else ""
    project.requirements(f"stem==1.0{suffix}", f"leaf==1.0{suffix}")
    with pytest.raises(OfflineError) as caught:
        project.build(offline=True)
    assert caught.value.why == ("`stem==1.0`", "`leaf==1.0`")


def test_offline_with_everything_in_the_cache(project: Project) -> None:
    project.build()
    before = project.digests()
    (project.cache / "v1" / "memos").rename(project.cache / "aside")
    assert not project.build(offline=True).written
    assert project.digests() == before


def test_an_output_folder_that_is_a_file(project: Project) -> None:
    (project.root / "dist").write_text("in the way")
    with pytest.raises((LamellaError, OSError)):
        project.build()
    assert (project.root / "dist").read_text() == "in the way"


def test_a_folder_in_the_place_of_a_zip(project: Project) -> None:
    (project.output / "layer.zip" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        project.build()
    assert project.listing() == ["layer.zip"]


def test_locked_wants_a_lock(project: Project) -> None:
    (project.root / "pylock.toml").unlink()
    with pytest.raises(LockError, match="`--locked` was given"):
        project.build(locked=True)
