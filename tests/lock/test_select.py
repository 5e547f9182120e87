from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name
from packaging.version import Version

from lamella.errors import LockError
from lamella.lock.model import FromDirectory, FromGit, FromIndex, Pin, Pins
from lamella.lock.select import for_target
from lamella.target import Target

LINUX = Target.parse("python3.12", "x86_64").environment()
ARM = Target.parse("python3.12", "arm64").environment()
OLD = Target.parse("python3.9", "x86_64").environment()


def pin(name: str, version: str, marker: str | None = None, where: str = "pylock.toml") -> Pin:
    return Pin(canonicalize_name(name), Version(version), FromIndex(), Marker(marker) if marker else None, where=where)


def pins(*given: Pin, dialect: str = "pylock") -> Pins:
    return Pins(dialect, "/project/pylock.toml", given)


def chosen(given: Pins, environment: dict[str, str] = LINUX) -> list[str]:
    return [f"{each.name}=={each.version}" for each in for_target(given, environment)]


def test_markers_choose_for_the_target_not_for_this_machine() -> None:
    given = pins(
        pin("everywhere", "1"),
        pin("windows", "1", "sys_platform == 'win32'"),
        pin("arm", "1", "platform_machine == 'aarch64'"),
        pin("split", "1", "python_version < '3.10'"),
        pin("split", "2", "python_version >= '3.10'"),
        pin("patch", "1", "python_full_version >= '3.12.4'"),
    )
    assert chosen(given) == ["everywhere==1", "split==2", "patch==1"]
    assert chosen(given, ARM) == ["everywhere==1", "arm==1", "split==2", "patch==1"]
    assert chosen(given, OLD) == ["everywhere==1", "split==1"]


def test_extras_and_groups_of_a_lock() -> None:
    given = pins(pin("a", "1", "'images' in extras"), pin("b", "1", "'dev' in dependency_groups"))
    assert chosen(given) == []
    assert chosen(replace(given, extras=frozenset({"images"}))) == ["a==1"]
    assert chosen(replace(given, groups=frozenset({"dev"}))) == ["b==1"]


def test_an_extra_marker_in_a_requirements_file_is_never_the_case() -> None:
    assert chosen(pins(pin("a", "1", "extra == 'x'"), pin("b", "1"), dialect="requirements")) == ["b==1"]


def test_an_extras_marker_in_a_requirements_file_is_an_error() -> None:
    with pytest.raises(LockError, match="can't be evaluated"):
        chosen(pins(pin("a", "1", "'x' in extras", "requirements.txt:1"), dialect="requirements"))


def test_two_versions_for_one_target() -> None:
    given = pins(
        pin("leaf", "1", "python_version >= '3.10'", "requirements.txt:1"), pin("leaf", "2", None, "dev.txt:3")
    )
    with pytest.raises(LockError) as caught:
        for_target(given, LINUX, target="python3.12 (x86_64)")
    assert caught.value.what == "two pins of `leaf` apply to python3.12 (x86_64)"
    assert caught.value.why == (
        'leaf==1 from an index when python_version >= "3.10" (requirements.txt:1)',
        "leaf==2 from an index (dev.txt:3)",
    )
    assert chosen(given, OLD) == ["leaf==2"]


def test_two_sources_for_one_target() -> None:
    name = canonicalize_name("leaf")
    given = pins(Pin(name, None, FromDirectory("/srv/leaf")), Pin(name, None, FromGit("https://g.example/l", "a" * 40)))
    with pytest.raises(LockError) as caught:
        for_target(given, LINUX)
    assert caught.value.why == ("leaf from /srv/leaf ()", "leaf from commit aaaaaaaaaaaa ()")


def test_the_same_pin_under_two_markers_is_one() -> None:
    given = pins(pin("leaf", "1", "os_name == 'posix'"), pin("leaf", "1", "sys_platform == 'linux'"))
    assert chosen(given) == ["leaf==1"]


def test_requires_python_of_the_lock() -> None:
    given = replace(pins(pin("leaf", "1")), requires_python=">=3.10")
    assert chosen(given) == ["leaf==1"]
    with pytest.raises(LockError) as caught:
        for_target(given, OLD)
    assert caught.value.what == "`pylock.toml` is not for python3.9"
    assert caught.value.why == ("it requires Python >=3.10; the target has 3.9",)
    assert "widen `requires-python`" in (caught.value.hint or "")


def test_requires_python_of_a_pin_counts_only_where_the_pin_applies() -> None:
    needy = replace(pin("leaf", "1", "python_version >= '3.10'"), requires_python=">=3.10")
    assert chosen(pins(needy), OLD) == []
    with pytest.raises(LockError, match=r"`leaf==1` in `pylock\.toml` is not for python3\.9"):
        for_target(pins(replace(needy, marker=None)), OLD)


def test_the_environments_of_the_lock() -> None:
    given = replace(pins(pin("leaf", "1")), environments=(Marker("sys_platform == 'darwin'"),))
    with pytest.raises(LockError) as caught:
        for_target(given, LINUX)
    assert '`sys_platform == "darwin"`' in caught.value.why
    both = replace(given, environments=(*given.environments, Marker("platform_machine == 'x86_64'")))
    assert chosen(both) == ["leaf==1"]
    with pytest.raises(LockError):
        for_target(both, ARM)
