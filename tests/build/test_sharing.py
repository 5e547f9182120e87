"""Which wheels of a layer for several runtimes lie in one place for all, and which in each runtime's own."""

from __future__ import annotations

import pytest

from lamella.build.sharing import shared
from lamella.target import Target
from lamella.wheels.model import Member, Wheel

OLD, NEW = Target("python3.11", "x86_64"), Target("python3.12", "x86_64")


def wheel(name: str, *paths: str) -> Wheel:
    members = tuple(Member(path, 0, 0, 0, 0, 0, 0, 0o644) for path in paths)
    return Wheel(name, "1.0", f"{name}.whl", name, f"/{name}.whl", True, (), (), None, (), members)


def together(*pure: Wheel, native: tuple[str, ...]) -> set[str]:
    """The names of the pure wheels that stay together beside a native one with these files."""
    old, new = wheel("old", *native), wheel("new", *native)
    return set(shared({OLD: [old, *pure], NEW: [*pure, new]}))


@pytest.mark.parametrize(
    ("pure", "native"),
    [
        # A regular package has one folder, whichever of the two brings its __init__
        (("pk/__init__.py", "pk/a.py"), ("pk/n.so",)),
        (("pk/a.py",), ("pk/__init__.py", "pk/n.so")),
        (("pk/__init__.py",), ("pk/__init__.py",)),
        (("pk/__init__.py",), ("pk/deep/er/n.so",)),
        (("space/pk/__init__.py",), ("space/pk/n.so",)),
        (("space/pk/__init__.pyc",), ("space/pk/__init__.abi3.so",)),
        # Files that a package reads beside itself, and native libraries
        (("pk/__init__.py",), ("pk/data/table.bin",)),
        (("pk-1.0.data/platlib/pk/__init__.py",), ("pk/n.so",)),
        # One module of two: the runtime's own would hide the other
        (("mod.py",), ("mod.cpython-312-x86_64-linux-gnu.so",)),
        (("mod.py",), ("mod/__init__.py",)),
        (("space/mod.py",), ("space/mod.so",)),
    ],
)
def test_what_would_be_split_is_not_shared(pure: tuple[str, ...], native: tuple[str, ...]) -> None:
    pure = tuple(path.replace("pk-1.0.data", "pure-1.0.data") for path in pure)
    assert together(wheel("pure", *pure), wheel("other", "other.py"), native=native) == {"other"}


@pytest.mark.parametrize(
    ("pure", "native"),
    [
        (("pure.py",), ("n.so",)),
        (("space/one/__init__.py",), ("space/two/__init__.py",)),
        (("space/one.py",), ("space/deep/two.so",)),
        (("pk/__init__.py",), ("pk_native/__init__.py",)),
        (("pk/__init__.py", "share/doc.txt"), ("share/other.txt", "pk.libs/x.so")),
    ],
)
def test_what_is_not_split_is_shared(pure: tuple[str, ...], native: tuple[str, ...]) -> None:
    """Portions of namespace packages are found in all folders of sys.path."""
    assert together(wheel("pure", *pure), native=native) == {"pure"}


def test_one_draws_the_next() -> None:
    first = wheel("first", "one/__init__.py", "two/a.py")
    second = wheel("second", "two/__init__.py", "three/b.py")
    third = wheel("third", "three/__init__.py")
    for order in ((first, second, third), (third, second, first)):
        assert together(*order, wheel("free", "four/__init__.py"), native=("one/n.so",)) == {"free"}


def test_an_init_of_a_third_wheel_makes_the_package_regular() -> None:
    portion, init = wheel("portion", "pk/a.py"), wheel("init", "pk/__init__.py")
    assert together(portion, init, native=("pk/n.so",)) == set()
    assert together(portion, native=("pk/n.so",)) == {"portion"}


def test_all_are_shared_where_no_runtime_has_its_own() -> None:
    pure = [wheel("one", "pk/__init__.py"), wheel("two", "pk/two.py")]
    assert shared({OLD: pure, NEW: pure}) == {"one", "two"}
