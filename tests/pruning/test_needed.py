"""A module that a rule would drop stays when something that is kept needs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pruning.deciding import fates, gone, made

from lamella.config.model import Rules, Slimming
from lamella.pruning.model import Fate

TESTS: dict[str, str | bytes] = {
    "pkg/__init__.py": "",
    "pkg/tests/__init__.py": "",
    "pkg/tests/_natype.py": "x = 1",
    "pkg/tests/test_a.py": "",
    "pkg/tests/data/a.csv": "1",
    "pkg/sub/__init__.py": "",
    "pkg/sub/tests/__init__.py": "",
    "pkg/sub/tests/util.py": "",
}
NATYPE = {"pkg/tests/__init__.py", "pkg/tests/_natype.py"}


def stays(folder: Path, contents: dict[str, str | bytes], name: str = "pkg", **more: object) -> set[str]:
    """What the rule on tests would drop and does not."""
    decided = fates(made(folder, name, {**TESTS, **contents}, **more))
    assert all(
        fate.reason.startswith("a rule would drop it, but ") for fate in decided.values() if fate.kept and fate.rule
    )
    return {path for path, fate in decided.items() if fate.kept and fate.rule == "tests"}


@pytest.mark.parametrize(
    "source",
    [
        "import pkg.tests._natype",
        "import os, pkg.tests._natype as x",
        "import os, \\\n    pkg.tests._natype",
        "from pkg.tests._natype import x",
        "from .tests._natype import x",
        "from .tests import _natype",
        "from pkg.tests import (  # the suite (import it late)\n    test_none,\n    _natype,\n)",
        "def late():\n    from pkg.tests._natype import x",
        "try:\n    from .tests._natype import x\nexcept ImportError:\n    x = None",
        "import importlib\nimportlib.import_module('pkg.tests._natype')",
        "import importlib\nimportlib.import_module('.tests._natype', __package__)",
        "__import__('pkg.tests._natype')",
        "SUITE = 'pkg.tests._natype'",
        "SUITE = 'pkg.tests._natype:x'",
        'SUITE = "pkg.tests._natype.x"',
    ],
)
def test_an_imported_module_stays_with_the_packages_that_it_is_in(source: str, tmp_path: Path) -> None:
    # An import of the package itself may be there for its data
    assert stays(tmp_path, {"pkg/user.py": source}) - {"pkg/tests/data/a.csv"} == NATYPE


@pytest.mark.parametrize(
    "source",
    [
        "# from pkg.tests import _natype",
        "import pkg",
        "tests = 1",
        "# to try it: import pkg.tests._natype",
        '"""\n>>> import pkg.tests._natype\n>>> 1; from pkg.tests import _natype\n"""',
        "import other.tests._natype",
        "from .latests import _natype",
        '"""See the tests in pkg.tests._natype."""',
    ],
)
def test_what_names_no_dropped_module_keeps_none(source: str, tmp_path: Path) -> None:
    assert stays(tmp_path, {"pkg/user.py": source}) == set()


def test_what_a_module_that_stays_imports_stays_too(tmp_path: Path) -> None:
    more: dict[str, str | bytes] = {
        "pkg/user.py": "from .tests import first",
        "pkg/tests/first.py": "from . import second",
        "pkg/tests/second.py": "from ..sub.tests.util import x",
        "pkg/tests/third.py": "from . import first",
    }
    assert stays(tmp_path, more) - {"pkg/tests/data/a.csv"} == {
        "pkg/tests/__init__.py",
        "pkg/tests/first.py",
        "pkg/tests/second.py",
        "pkg/sub/tests/__init__.py",
        "pkg/sub/tests/util.py",
    }


def test_an_init_that_stays_only_as_a_package_is_read_too(tmp_path: Path) -> None:
    more: dict[str, str | bytes] = {
        "pkg/user.py": "import pkg.tests._natype",
        "pkg/tests/__init__.py": "from .base import Case",
        "pkg/tests/base.py": "",
    }
    assert stays(tmp_path, more) == NATYPE | {"pkg/tests/base.py"}


def test_the_reason_names_the_file_that_imports_it(tmp_path: Path) -> None:
    decided = fates(made(tmp_path, "pkg", {**TESTS, "pkg/user.py": "from pkg.tests._natype import x"}))
    reason = "a rule would drop it, but `pkg/user.py` imports `pkg.tests._natype`"
    assert decided["pkg/tests/_natype.py"] == Fate(True, "tests", reason)
    assert decided["pkg/tests/__init__.py"].reason == reason


def test_another_distribution_can_need_it(tmp_path: Path) -> None:
    files = made(tmp_path, "pkg", TESTS)
    learn = made(tmp_path, "learn", {"learn/__init__.py": "from pkg.tests._natype import x"})
    assert "pkg/tests/_natype.py" in gone(files)
    assert "pkg/tests/_natype.py" not in gone(files + learn)


def test_an_extension_module_stays_as_a_source_does(tmp_path: Path) -> None:
    more: dict[str, str | bytes] = {
        "pkg/_umath_tests.cpython-312-x86_64-linux-gnu.so": b"",
        "pkg/_rational_tests.abi3.so": b"",
        "pkg/user.py": "from pkg import _umath_tests",
    }
    assert stays(tmp_path, more) == {"pkg/_umath_tests.cpython-312-x86_64-linux-gnu.so"}


def test_the_data_of_a_package_that_is_named_itself_stays(tmp_path: Path) -> None:
    source = "from importlib.resources import files\nfiles('pkg.tests')"
    assert stays(tmp_path, {"pkg/user.py": source}) == {"pkg/tests/__init__.py", "pkg/tests/data/a.csv"}


def test_the_data_beside_a_module_that_looks_for_files_stays(tmp_path: Path) -> None:
    more: dict[str, str | bytes] = {
        "pkg/user.py": "import pkg.tests._natype",
        "pkg/tests/_natype.py": "import os\nHERE = os.path.dirname(__file__)",
    }
    assert stays(tmp_path, more) == NATYPE | {"pkg/tests/data/a.csv"}


BESIDE: dict[str, str | bytes] = {
    "pkg/conftest.py": "import os\nHERE = os.path.dirname(__file__)",
    "pkg/user.py": "import pkg.conftest",
    "pkg/py.typed": "",
    "pkg/api.pyi": "",
    "pkg/include/api.h": "",
    "pkg/README.md": "",
    "pkg/pkg.pc": "",
}


def test_only_what_the_same_rule_would_drop_stays_with_a_module_that_looks_for_files(tmp_path: Path) -> None:
    files = made(tmp_path, "pkg", {**TESTS, **BESIDE, "pkg/test/cases.csv": "", "tests/data.csv": ""})
    tests = {path for path, rule in gone(files).items() if rule == "tests"}
    assert {path: rule for path, rule in gone(files).items() if rule != "tests"} == {
        "pkg/py.typed": "stubs",
        "pkg/api.pyi": "stubs",
        "pkg/include/api.h": "headers",
        "pkg/README.md": "documentation",
        "pkg/pkg.pc": "leftovers",
        "pkg-1.0.dist-info/RECORD": "records",
    }
    assert "pkg/conftest.py" not in tests
    # Below its folder, but neither in another that has a suite of its own, nor elsewhere
    assert "pkg/test/cases.csv" not in tests
    assert {"pkg/tests/data/a.csv", "tests/data.csv"} <= tests


def test_a_package_that_is_named_keeps_no_stubs_and_headers(tmp_path: Path) -> None:
    more: dict[str, str | bytes] = {"pkg/tests/api.pyi": "", "pkg/user.py": "from .tests import _natype"}
    kept = fates(made(tmp_path, "pkg", {**TESTS, **more}))
    # The rule on tests is the first that is about it, so that it is a file of the tests
    assert kept["pkg/tests/api.pyi"].rule == "tests"
    more = {"pkg/sub/stub.pyi": "", "pkg/user.py": "import pkg.sub.conftest", "pkg/sub/conftest.py": "__file__"}
    assert gone(made(tmp_path, "pkg", {**TESTS, **more}))["pkg/sub/stub.pyi"] == "stubs"


def test_a_folder_without_an_init_is_a_package_too(tmp_path: Path) -> None:
    more: dict[str, str | bytes] = {"pkg/a/test/support.py": "", "pkg/user.py": "import pkg.a.test.support"}
    assert stays(tmp_path, more) == {"pkg/a/test/support.py"}


@pytest.mark.parametrize(
    "points", [{"pytest11": ["x = pkg.tests._natype"]}, {"console_scripts": ["x = pkg.tests._natype:main [extra]"]}]
)
def test_a_module_that_an_entry_point_names_stays(points: dict[str, list[str]], tmp_path: Path) -> None:
    assert stays(tmp_path, {}, entry_points=points) == NATYPE


@pytest.mark.parametrize("group", ["pkg_config", "anything"])
def test_the_folder_that_an_entry_point_names_stays(group: str, tmp_path: Path) -> None:
    """numpy's `pkg_config` names `numpy._core.lib.pkgconfig`, where nothing but numpy.pc is."""
    more: dict[str, str | bytes] = {"pkg/lib/pkgconfig/pkg.pc": "Name: pkg", "pkg/lib/other.pc": "", "pkg/other.pc": ""}
    files = made(tmp_path, "pkg", {**TESTS, **more}, entry_points={group: ["pkg = pkg.lib.pkgconfig", "x = pkg:main"]})
    reason = "an entry point in `pkg-1.0.dist-info/entry_points.txt` names `pkg.lib.pkgconfig`"
    assert fates(files)["pkg/lib/pkgconfig/pkg.pc"] == Fate(True, "leftovers", f"a rule would drop it, but {reason}")
    assert {"pkg/lib/other.pc", "pkg/other.pc", "pkg/tests/data/a.csv"} <= gone(files).keys()


def test_a_script_can_need_it(tmp_path: Path) -> None:
    more: dict[str, str | bytes] = {"pkg-1.0.data/scripts/run": "#!python\nimport pkg.tests._natype\n"}
    assert stays(tmp_path, more) == NATYPE
    native: dict[str, str | bytes] = {"pkg-1.0.data/scripts/run": b"\x7fELF import pkg.tests._natype"}
    assert stays(tmp_path, native) == set()


def test_what_rules_out_an_import_is_not_asked(tmp_path: Path) -> None:
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pkg.tests._natype import x"
    assert stays(tmp_path, {"pkg/user.py": source}) == NATYPE


NEWER = {
    "Python 2": "print 'python 2'\n",
    "a group of exceptions": "try:\n    pass\nexcept* ValueError:\n    pass\n",
    "an alias of a type": "type X = int\ndef f[T: int](x: T) -> T: return x\n",
    "nested quotes": "x = f'{d['a']!r} {'\\n'.join(\n    y)}'\n",
    "a template": "x = t'{name}'\n",
    "a Python that is not there yet": "perhaps x:\n    lazy import (y from z)\n",
}


@pytest.mark.parametrize("syntax", NEWER.values(), ids=NEWER.keys())
def test_syntax_that_this_python_can_not_read_changes_nothing(syntax: str, tmp_path: Path) -> None:
    more: dict[str, str | bytes] = {"pkg/user.py": f"{syntax}# test_a\nfrom .tests._natype import x\n{syntax}"}
    assert stays(tmp_path, more) == NATYPE


def test_what_was_asked_to_go_keeps_nothing_and_stays_away(tmp_path: Path) -> None:
    files = made(tmp_path, "pkg", {**TESTS, "pkg/user.py": "import pkg.tests._natype"})
    assert gone(files, Slimming(drop=("/pkg/user.py",)))["pkg/tests/_natype.py"] == "tests"
    assert gone(files, Slimming(drop=("/pkg/tests/",)))["pkg/tests/_natype.py"] == "drop"


def test_a_distribution_with_the_profile_none_can_need_it(tmp_path: Path) -> None:
    files = made(tmp_path, "pkg", TESTS) + made(tmp_path, "user", {"user.py": "import pkg.tests._natype"})
    slimming = Slimming(distributions=(("user", Rules("none")),))
    assert "pkg/tests/_natype.py" not in gone(files, slimming)
