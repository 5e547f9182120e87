"""Each rule of the table: what it drops, and what it must never touch."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pruning.deciding import fates, gone, made

from lamella.config.model import Slimming
from lamella.facts import tables

LEAN = Slimming(profile="lean")


def dropped(folder: Path, contents: dict[str, str | bytes], name: str = "pkg", slimming: Slimming = LEAN) -> set[str]:
    """What is dropped of a wheel that holds a module beside `contents`, without the rules on its dist-info."""
    files = made(folder, name, {"pkg/__init__.py": "", **contents})
    return {path for path in gone(files, slimming) if path.removesuffix("/RECORD").removesuffix("/WHEEL") == path}


NEVER = [
    "numpy/testing/__init__.py",
    "numpy/testing/_private/utils.py",
    "jinja2/tests.py",
    "werkzeug/test.py",
    "django/test/client.py",
    "django/core/management/commands/test.py",
    "sqlalchemy/testing/suite/test_select.py",
    "aiohttp/test_utils.py",
    "opentelemetry/semconv/attributes/test_attributes.py",
    "pandas/_testing/asserters.py",
    "ansible/plugins/test/core.py",
    "scaffold/templates/project/tests/test_app.py",
    "jsonschema_specifications/schemas/draft7/metaschema.json",
    "pkg/data/a/tests/table.json",
    "botocore/data/devicefarm/2015-06-23/service-2.json.gz",
    "botocore/docs/__init__.py",
    "botocore/cacert.pem",
    "certifi/cacert.pem",
    "matplotlib/mpl-data/matplotlibrc",
    "django/conf/locale/de/LC_MESSAGES/django.mo",
    "pkg/locale/de/LC_MESSAGES/uncompiled.po",
    "mypkg/LICENSE.md",
    "mypkg/NOTICE",
    "mypkg/AUTHORS.rst",
    "mypkg/COPYING.txt",
    "mypkg/prompts/system.md",
    "mypkg/README.py",
    "mypkg/sourceless.pyc",
    "mypkg/model.obj",
    "mypkg/cache/.gitkeep",
    "dateutil/zoneinfo/dateutil-zoneinfo.tar.gz",
    "tzdata/zoneinfo/Europe/Berlin",
    "docutils/parsers/rst/include/isonum.txt",
]


@pytest.mark.parametrize("path", NEVER)
def test_no_rule_touches(path: str, tmp_path: Path) -> None:
    assert dropped(tmp_path, {path: "x = 1\n"}) == set()


def test_metadata_entry_points_licences_and_top_level_stay(tmp_path: Path) -> None:
    info = "pkg-1.0.dist-info"
    stays: dict[str, str | bytes] = {
        f"{info}/entry_points.txt": "[console_scripts]\nx = pkg:x\n",
        f"{info}/top_level.txt": "pkg\n",
        f"{info}/LICENSE": "MIT",
        f"{info}/licenses/README.md": "MIT",
        f"{info}/licenses/tests/LICENSE.c": "MIT",
        f"{info}/licenses/AUTHORS.md": "me",
    }
    goes: dict[str, str | bytes] = {f"{info}/INSTALLER": "pip", f"{info}/REQUESTED": "", f"{info}/zip-safe": ""}
    files = made(tmp_path, "pkg", {"pkg/__init__.py": "", **stays, **goes})
    assert set(gone(files)) == {*goes, f"{info}/RECORD"}
    assert set(gone(files, LEAN)) == {*goes, f"{info}/RECORD", f"{info}/WHEEL"}
    assert fates(files)[f"{info}/METADATA"].kept


# By their names alone; rules that look for a file beside it have tests of their own
DROPS = [
    ("tests", ["pkg/tests/a.py", "pkg/a/test/b.txt", "pkg/conftest.py", "pkg/_umath_tests.abi3.so", "tests/x.py"]),
    ("stubs", ["pkg/a.pyi", "pkg/py.typed", "pkg-stubs/b.pyi", "pkg/static/x.d.ts"]),
    ("headers", ["pkg/include/a.h", "pkg/a.pyx", "pkg/a.pxd", "pkg/b.c", "pkg/c.cpp", "pkg/lib/libx.a"]),
    ("leftovers", ["pkg/__pycache__/a.cpython-312.pyc", "pkg/a.o", "pkg/Makefile", "pkg/x.cmake", "pkg/x.pc"]),
    ("documentation", ["pkg/README.md", "pkg/CHANGELOG", "README.rst", "pkg-1.0.data/data/share/man/man1/x.1"]),
    ("suites", ["pkg/testsuite/x.py", "pkg/benchmarks/x.py", "Crypto/SelfTest/x.py"]),
    ("examples", ["boto3/examples/s3.rst", "botocore/data/s3/2006-03-01/examples-1.json"]),
    ("plugins", ["pydantic/mypy.py", "numpy/_pyinstaller/hook-numpy.py", "sqlalchemy/ext/mypy/plugin.py"]),
    ("maps", ["pkg/static/x.js.map"]),
    ("wheel notes", ["pkg-1.0.dist-info/WHEEL"]),
    ("records", ["pkg-1.0.dist-info/RECORD", "pkg-1.0.dist-info/RECORD.jws"]),
]
BESIDE = [
    (
        "catalogs",
        {"pkg/locale/de/a.po": "", "pkg/locale/de/a.mo": "", "pkg/locale/de/b.po": ""},
        {"pkg/locale/de/a.po"},
    ),
    ("protocols", {"pkg/a.proto": "", "pkg/a_pb2.py": "", "pkg/b.proto": ""}, {"pkg/a.proto"}),
]


@pytest.mark.parametrize(("rule", "paths"), DROPS)
def test_a_rule_drops(rule: str, paths: list[str], tmp_path: Path) -> None:
    given: dict[str, str | bytes] = {path: "x = 1\n" for path in paths if not path.endswith(("/RECORD", "/WHEEL"))}
    lean = gone(made(tmp_path, "pkg", {"pkg/__init__.py": "", **given}), LEAN)
    # RECORD.jws of the wheel is for admission to refuse or to pass on
    assert [path for path in lean if lean[path] == rule] == [
        path for path in lean if path in {path.replace("pkg-1.0.data/data/", "") for path in paths}
    ]
    assert len([path for path in lean if lean[path] == rule]) == len(paths)


@pytest.mark.parametrize(("rule", "contents", "goes"), BESIDE)
def test_a_rule_drops_what_has_another_beside_it(
    rule: str, contents: dict[str, str | bytes], goes: set[str], tmp_path: Path
) -> None:
    found = gone(made(tmp_path, "pkg", {"pkg/__init__.py": "", **contents}), LEAN)
    assert {path for path in found if found[path] == rule} == goes
    assert goes == dropped(tmp_path, contents)


def test_every_rule_of_the_table_is_tried_here() -> None:
    assert {rule for rule, *_ in (*DROPS, *BESIDE)} == {rule.name for rule in tables.pruning()}


def test_stubs_stay_where_they_are_read_at_run_time(tmp_path: Path) -> None:
    contents: dict[str, str | bytes] = {
        "pkg/__init__.py": "import lazy_loader\na, b, c = lazy_loader.attach_stub(__name__, __file__)\n",
        "pkg/__init__.pyi": "from .one import x",
        "pkg/one.pyi": "",
        "pkg/sub/__init__.py": "",
        "pkg/sub/__init__.pyi": "",
    }
    assert dropped(tmp_path, contents) == {"pkg/sub/__init__.pyi"}


def test_a_file_stays_that_a_source_has_the_name_of(tmp_path: Path) -> None:
    contents: dict[str, str | bytes] = {
        "pkg/__init__.py": "TEXT = open(HERE + '/docs/README.md').read()\nKERNEL = \"kernel.h\"\n# other.h",
        "pkg/docs/README.md": "",
        "pkg/kernel.h": "",
        "pkg/other.h": "",
    }
    assert dropped(tmp_path, contents) == {"pkg/other.h"}


def test_records_stay_where_packages_are_asked_for(tmp_path: Path) -> None:
    asking = "from importlib.metadata import packages_distributions\n"
    files = made(tmp_path, "pkg", {"pkg/__init__.py": asking}) + made(tmp_path, "other", {"other.py": ""})
    assert gone(files) == {}
    assert set(gone(files[:-4])) == set()


@pytest.mark.parametrize("name", ["cython", "cffi", "numba", "torch"])
def test_distributions_that_compile_keep_their_sources(name: str, tmp_path: Path) -> None:
    assert dropped(tmp_path, {"pkg/runtime.h": "", "pkg/a.pyx": ""}, name) == set()


def test_a_distribution_that_is_all_tests_keeps_its_modules(tmp_path: Path) -> None:
    only = made(tmp_path, "suite", {"test/__init__.py": "", "test/support.py": "", "test/a.csv": ""})
    assert {path for path in gone(only) if path.endswith(".py")} == set()
    about = made(tmp_path, "opentelemetry-test-utils", {"opentelemetry/test/base.py": "", "opentelemetry/x.py": ""})
    assert {path for path in gone(about) if path.endswith(".py")} == set()
