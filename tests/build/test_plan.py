"""Targets: several runtimes in one layer, arm64, functions of different runtimes."""

from __future__ import annotations

import pytest
from tests.build.projects import CONFIGURATION, HANDLER, Project

from lamella.errors import IncompatibleError

TWO = CONFIGURATION.replace('runtime = "python3.12"', 'runtime = ["python3.11", "python3.12"]')


def native(project: Project, *tags: str, name: str = "native") -> None:
    for tag in tags:
        interpreter = tag.split("-")[0]
        project.wheel(name, files={f"{name}/__init__.py": "", f"{name}/core.{interpreter}.so": tag}, tag=tag)
    project.lock()


def test_a_layer_for_two_runtimes(project: Project) -> None:
    native(project, "cp311-cp311-manylinux2014_x86_64", "cp312-cp312-manylinux_2_28_x86_64")
    project.configure(TWO)
    project.build()
    members = set(project.members("layer"))
    assert {"python/stem/__init__.py", "python/leaf/__init__.py"} <= members
    for runtime, interpreter in (("python3.11", "cp311"), ("python3.12", "cp312")):
        assert f"python/lib/{runtime}/site-packages/native/core.{interpreter}.so" in members
    assert not any("site-packages/stem" in path for path in members), "pure code is there once"
    layer = project.manifest()["layers"]["layer"]
    assert layer["runtimes"] == ["python3.11", "python3.12"]
    assert [(row["name"], row["runtimes"]) for row in layer["distributions"]] == [
        ("leaf", ["python3.11", "python3.12"]),
        ("native", ["python3.11"]),
        ("native", ["python3.12"]),
        ("stem", ["python3.11", "python3.12"]),
    ]
    assert project.manifest()["functions"]["api"]["runtime"] == "python3.12"


def test_a_wheel_for_both_is_there_once(project: Project) -> None:
    native(project, "cp39-abi3-manylinux2014_x86_64")
    project.configure(TWO)
    project.build()
    assert "python/native/core.cp39.so" in project.members("layer")


def test_one_runtime_without_a_wheel_is_refused_for_all(project: Project) -> None:
    native(project, "cp312-cp312-manylinux_2_28_x86_64")
    project.configure(TWO)
    with pytest.raises(IncompatibleError, match=r"python3\.11 \(x86_64, glibc 2\.26\)"):
        project.build()


def test_markers_differ_between_runtimes(project: Project) -> None:
    project.wheel("backport")
    lock = project.pylock().replace('name = "backport"\n', 'name = "backport"\nmarker = "python_version < \'3.12\'"\n')
    (project.root / "pylock.toml").write_text(lock)
    project.configure(TWO)
    project.build()
    members = set(project.members("layer"))
    assert "python/lib/python3.11/site-packages/backport/__init__.py" in members
    assert "python/backport/__init__.py" not in members, "python3.12 would see it"


def test_the_best_wheel_for_the_glibc(project: Project) -> None:
    native(
        project,
        "cp312-cp312-manylinux_2_17_x86_64",
        "cp312-cp312-manylinux_2_28_x86_64",
        "cp312-cp312-manylinux_2_39_x86_64",
    )
    project.build()
    assert project.members("layer")["python/native/core.cp312.so"] == b"cp312-cp312-manylinux_2_28_x86_64"


def test_arm64(project: Project) -> None:
    native(project, "cp312-cp312-manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_28_aarch64")
    project.configure(CONFIGURATION.replace("runtime =", 'architecture = "arm64"\nruntime ='))
    project.build()
    assert project.members("layer")["python/native/core.cp312.so"].endswith(b"aarch64")
    tree = project.manifest()
    assert tree["layers"]["layer"]["architecture"] == tree["functions"]["api"]["architecture"] == "arm64"
    project.configure()
    assert project.build().made[0].changes == ("arm64 → x86_64",)
    assert project.members("layer")["python/native/core.cp312.so"].endswith(b"x86_64")


def test_arm64_without_a_wheel(project: Project) -> None:
    native(project, "cp312-cp312-manylinux_2_28_x86_64")
    project.configure(CONFIGURATION.replace("runtime =", 'architecture = "arm64"\nruntime ='))
    with pytest.raises(IncompatibleError, match="arm64"):
        project.build()


def test_functions_of_two_runtimes_on_one_layer(project: Project) -> None:
    native(project, "cp311-cp311-manylinux2014_x86_64", "cp312-cp312-manylinux_2_28_x86_64")
    project.source("app.py", "import native\n\n" + HANDLER)
    project.configure(
        TWO + '\n[tool.lamella.functions.old]\nruntime = "python3.11"\nhandler = "app.handler"\nlayers = ["layer"]\n'
    )
    project.build()
    functions = project.manifest()["functions"]
    assert {key: (row["runtime"], row["needs"]) for key, row in functions.items()} == {
        "api": ("python3.12", {"layer": ["native"]}),
        "old": ("python3.11", {"layer": ["native"]}),
    }
    assert functions["api"]["sha256"] == functions["old"]["sha256"]


def test_an_old_runtime_is_warned_of(project: Project) -> None:
    project.configure(CONFIGURATION.replace("python3.12", "python3.9"))
    assert any("python3.9 is deprecated" in warning for warning in project.build().warnings)


def test_a_layer_that_only_a_function_names_comes_along(project: Project) -> None:
    """A build of the function alone looks at its layer, and leaves its zip alone."""
    project.build()
    before = project.states()["layer.zip"]
    project.source("app.py", "import leaf\n\n" + HANDLER)
    project.build("api")
    assert project.states()["layer.zip"] == before
    assert project.manifest()["functions"]["api"]["needs"] == {"layer": ["leaf"]}
