"""Imports are found without a parser: all that one would find, on whatever Python this runs."""

from __future__ import annotations

import ast
import sys
import sysconfig
from pathlib import Path

import pytest

from lamella.closure.imports import scan
from lamella.errors import LamellaError
from lamella.pruning.imports import imported

STATEMENTS = {
    "import a": {"a"},
    "import a.b.c as d, e": {"a.b.c", "e"},
    "import a . b": {"a.b"},
    "import a, \\\n    b, \\\r\n  c.d": {"a", "b", "c.d"},
    "import a; import b;import c": {"a", "b", "c"},
    "from a.b import c as d, e": {"a.b", "a.b.c", "a.b.e"},
    "from a import b; from c import d": {"a", "a.b", "c", "c.d"},
    "from a import *": {"a"},
    "from a import (b)": {"a", "a.b"},
    "from a import(\n    b as x,  # (see c)\n    # d\n    e,\n)\nimport f": {"a", "a.b", "a.e", "f"},
    "from a import \\\n    b, \\\n    c": {"a", "a.b", "a.c"},
    "from \\\n  a \\\n import b": {"a", "a.b"},
    "from . import b": {"top.pkg", "top.pkg.b"},
    "from.import b": {"top.pkg", "top.pkg.b"},
    "from .a import b": {"top.pkg.a", "top.pkg.a.b"},
    "from .. a import b": {"top.a", "top.a.b"},
    "from ... import b": set(),
    "try: import a\nexcept ImportError: import b": {"a", "b"},
    "if x:\n\timport a\nelse:\n\x0cimport b": {"a", "b"},
    "def f():\n    from a import b": {"a", "a.b"},
    "class A: import a": {"a"},
    "import a\rimport b": {"a", "b"},
    "import é.ü": {"é.ü"},
    "exec('import a')": {"a"},
    "x = 1  # as in: import a": {"a"},  # more than a parser finds, as is the next
    '"""\nimport a\n"""': {"a"},
    "'''\nfrom a import (b\n'''\nimport c": {"a", "a.b", "c"},
}


@pytest.mark.parametrize("source", STATEMENTS)
def test_statements(source: str) -> None:
    for text in (source, f"{source}\n", f"x = 1\n{source}\ny = 2\n"):
        assert {name for name in imported("top/pkg/mod.py", text.encode()) if "*" not in name} == STATEMENTS[source]
        assert imported("top/pkg/__init__.py", text.encode()) == imported("top/pkg/mod.py", text.encode())
    assert imported("m.py", b"\xef\xbb\xbfimport a") == {"a"}


CALLS = {
    "import_module('a')": {"a"},
    'importlib.import_module( "a.b" )': {"a.b"},
    "import_module('.a', __package__)": {"top.pkg.a", "top.pkg.mod.a"},
    "import_module('.a', __name__)": {"top.pkg.a", "top.pkg.mod.a"},
    "import_module('..a', package='other.pkg')": {"other.a"},
    "import_module(name='a')": {"a"},
    "__import__('a', globals(), locals())": {"a"},
    "__import__('a-b.c')": {"a-b.c"},
    "pytest.importorskip('a')": {"a"},
    "import_module(name)": set(),
    "import_module(f'a{b}')": set(),
}


@pytest.mark.parametrize("source", CALLS)
def test_calls(source: str) -> None:
    assert imported("top/pkg/mod.py", source.encode()) == CALLS[source]


@pytest.mark.parametrize(
    "source",
    [
        "# import a",
        "# from a import b; import c",
        ">>> import a",
        ">>> 1; import a",
        "important = 1",
        "x.imports\nfrom_import = 2",
        "raise ValueError from error",
        "reimport a",
        "fromage import b",
    ],
)
def test_what_is_no_import(source: str) -> None:
    assert imported("top/pkg/mod.py", source.encode()) == set()


FOLDERS = [Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))]


@pytest.mark.parametrize("folder", FOLDERS, ids=["standard library", "what is installed"])
def test_it_finds_all_that_a_parser_finds(folder: Path) -> None:
    compared = 0
    for path in sorted(folder.rglob("*.py"))[::3]:  # thousands all the same: the parser takes most of a minute for all
        below = path.relative_to(folder).as_posix()
        if below.startswith("site-packages/"):
            continue
        source = path.read_bytes()
        try:
            found = scan(below, source)
        except LamellaError:
            continue  # bad on purpose, or of another version: there is nothing to compare with
        parsed = {name for each in found for name in _names(each.module, each.names)}
        compared += len(parsed)
        assert parsed <= imported(below, source), below
    assert compared > 2000


def _names(module: str, names: tuple[str, ...]) -> set[str]:
    """What leads above the top is nobody's."""
    return {module, *(f"{module}.{name}" for name in names if name != "*")} if module[:1] not in ("", ".") else set()


NEWER = [
    "type X = int",
    "try: pass\nexcept* E: pass",
    "x = f'{d['a']}'",
    "x = t'{a}'",
    "try: pass\nexcept A, B: pass",
    "def f[T](): pass",
]


@pytest.mark.parametrize("syntax", NEWER)
def test_the_syntax_of_any_python_gives_the_same(syntax: str) -> None:
    assert imported("m.py", f"{syntax}\nfrom a import b\n{syntax}\nimport c\n".encode()) == {"a", "a.b", "c"}


def test_some_of_that_is_newer_than_this_python() -> None:
    def reads(syntax: str) -> bool:
        try:
            ast.parse(syntax)
        except SyntaxError:
            return False
        return True

    if sys.version_info < (3, 14):
        assert not all(map(reads, NEWER))


def test_a_long_line_takes_no_time() -> None:
    for text in (
        b"from a" * 100_000,
        b"from " + b"a." * 300_000,
        b"import " + b"a, " * 200_000,
        b"from a import (" * 50_000,
    ):
        imported("m.py", text)
