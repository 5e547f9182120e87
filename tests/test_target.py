from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import date, timedelta

import pytest
from packaging import tags as packaging_tags
from packaging.markers import Marker

from lamella import target as module
from lamella.errors import ConfigError
from lamella.facts.tables import runtimes
from lamella.target import Target

EVERY = [Target(runtime, architecture) for runtime in runtimes() for architecture in ("x86_64", "arm64")]


def each(target: Target) -> str:
    return f"{target.runtime}-{target.architecture}"


def test_a_target_says_what_its_runtime_is() -> None:
    target = Target.parse("python3.12", "x86_64")
    assert target.python == (3, 12)
    assert target.glibc == (2, 34)
    assert target.machine == "x86_64"
    assert target.site_packages == "python/lib/python3.12/site-packages"
    assert target.interpreter == "/var/lang/bin/python3.12"
    assert str(target) == "python3.12 (x86_64, glibc 2.34)"


def test_arm64_is_aarch64_in_wheels() -> None:
    target = Target.parse("python3.11", "arm64")
    assert target.machine == "aarch64"
    assert str(target) == "python3.11 (arm64, glibc 2.26)"


@pytest.mark.parametrize(
    ("runtime", "architecture", "hint"),
    [
        ("python3.21", "x86_64", "did you mean `python3.1"),
        ("3.12", "x86_64", "did you mean `python3.12`?"),
        ("pyhton3.13", "x86_64", "did you mean `python3.13`?"),
        ("python3.12", "aarch64", 'write architecture = "arm64"'),
        ("python3.12", "amd64", 'write architecture = "x86_64"'),
        ("python3.12", "x86_46", "did you mean `x86_64`?"),
    ],
)
def test_a_word_that_is_not_known_gets_the_one_that_was_meant(runtime: str, architecture: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Target.parse(runtime, architecture)
    assert caught.value.hint is not None
    assert hint in caught.value.hint
    assert (runtime if runtime not in runtimes() else architecture) in caught.value.what


def test_a_runtime_of_another_language_gets_the_list() -> None:
    with pytest.raises(ConfigError) as caught:
        Target.parse("nodejs24.x", "x86_64")
    assert "python3.9, python3.10" in str(caught.value)
    assert caught.value.hint is None


@pytest.mark.parametrize("target", EVERY, ids=each)
def test_the_newest_platform_is_the_runtimes_glibc_and_none_is_newer(target: Target) -> None:
    platforms = target.platforms()
    assert platforms[0] == f"manylinux_2_{target.glibc[1]}_{target.machine}"
    assert platforms[-1] == f"linux_{target.machine}"
    minors = [int(name.split("_")[2]) for name in platforms if name.startswith("manylinux_")]
    assert minors == list(range(target.glibc[1], {"x86_64": 4, "arm64": 16}[target.architecture], -1))


@pytest.mark.parametrize("target", EVERY, ids=each)
def test_an_old_name_stands_behind_the_glibc_that_it_means(target: Target) -> None:
    platforms = target.platforms()
    old = {"manylinux2014": "2_17", "manylinux2010": "2_12", "manylinux1": "2_5"}
    if target.architecture == "arm64":
        old = {"manylinux2014": "2_17"}
    for name, glibc in old.items():
        place = platforms.index(f"{name}_{target.machine}")
        assert platforms[place - 1] == f"manylinux_{glibc}_{target.machine}"
    assert len([name for name in platforms if not name.startswith("manylinux_")]) == len(old) + 1


def test_platforms_are_those_of_packaging_on_this_machine() -> None:
    machine = platform.machine()
    if sys.platform != "linux" or machine not in ("x86_64", "aarch64"):
        pytest.skip("compares with packaging on 64-bit Linux")
    try:
        major, minor = (os.confstr("CS_GNU_LIBC_VERSION") or "").removeprefix("glibc ").split(".")
    except ValueError:
        pytest.skip("compares with packaging on glibc")
    own = list(module._platforms(machine, (int(major), int(minor))))
    # packaging puts plain `linux` first, for what was built on the same machine; here it is a stranger's.
    assert own.pop() == f"linux_{machine}"
    assert own == [name for name in packaging_tags.platform_tags() if name.startswith("manylinux")]


@pytest.mark.parametrize("target", EVERY, ids=each)
def test_tags_start_with_the_own_abi_and_end_with_pure_python(target: Target) -> None:
    tags = [str(tag) for tag in target.tags()]
    own = f"cp3{target.python[1]}"
    assert tags[0] == f"{own}-{own}-manylinux_2_{target.glibc[1]}_{target.machine}"
    assert tags[-1] == "py30-none-any"
    assert len(set(tags)) == len(tags)
    assert tags.index("py3-none-any") > tags.index(f"cp32-abi3-linux_{target.machine}")


@pytest.mark.parametrize("target", EVERY, ids=each)
def test_tags_of_what_lambda_has_not_are_missing(target: Target) -> None:
    for tag in target.tags():
        assert not tag.abi.endswith("t")  # free-threaded
        assert tag.abi != "abi3t"
        assert tag.platform == "any" or tag.platform.endswith(target.machine)
        assert not tag.platform.startswith(("musllinux", "macosx", "win"))
        assert not tag.interpreter.startswith("pp")


def test_tags_are_made_once() -> None:
    assert Target("python3.13", "arm64").tags() is Target("python3.13", "arm64").tags()


def test_the_abi_does_not_come_from_the_interpreter_that_runs_this() -> None:
    abis = {tag.abi for tag in Target("python3.14", "x86_64").tags()}
    assert abis == {"cp314", "abi3", "none"}


@pytest.mark.parametrize(
    ("marker", "holds"),
    [
        ('sys_platform == "linux" and os_name == "posix"', True),
        ('sys_platform == "win32"', False),
        ('platform_machine == "aarch64"', True),
        ('platform_machine == "arm64"', False),
        ('platform_python_implementation == "CPython"', True),
        ('implementation_name == "pypy"', False),
        ('python_version < "3.11"', True),
        ('python_version >= "3.9" and python_version < "3.13"', True),
        ('python_full_version >= "3.10.12"', True),
        ('python_full_version < "3.10.2"', False),
        ('python_full_version < "3.11"', True),
        ('platform_system == "Linux" and platform_release == ""', True),
        ('extra == "dev"', False),
    ],
)
def test_markers_are_answered_for_lambda(marker: str, holds: bool) -> None:
    assert Marker(marker).evaluate(Target("python3.10", "arm64").environment()) is holds


def test_the_environment_has_every_variable_that_markers_know() -> None:
    from packaging.markers import default_environment

    assert Target("python3.12", "x86_64").environment().keys() == {*default_environment(), "extra"}


def test_a_deprecated_runtime_is_warned_about_with_its_dates() -> None:
    facts = runtimes()["python3.9"]
    assert facts.deprecated is not None
    assert facts.update_blocked is not None
    target = Target("python3.9", "x86_64")
    assert target.warnings(facts.deprecated - timedelta(days=1)) == ()
    (warning,) = target.warnings(facts.deprecated)
    assert f"deprecated since {facts.deprecated}" in warning
    assert f"updating functions will be blocked on {facts.update_blocked}" in warning
    (warning,) = target.warnings(facts.update_blocked)
    assert f"updating functions is blocked since {facts.update_blocked}" in warning


def test_a_current_runtime_gives_no_warning() -> None:
    assert Target("python3.13", "x86_64").warnings(date(2026, 11, 22)) == ()


def test_an_unverified_base_is_said() -> None:
    (warning,) = Target("python3.15", "arm64").warnings(date(2026, 11, 22))
    assert "not verified" in warning
    assert "glibc 2.34" in warning


def test_a_target_costs_no_packaging_until_it_is_asked_for_tags() -> None:
    code = (
        "import sys; from lamella.target import Target; t = Target.parse('python3.12', 'x86_64'); "
        "t.environment(); print('packaging' in sys.modules); t.tags(); print('packaging' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True"]
