"""`scan`: which imports a source holds, on which line, and what guards them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lamella.closure.findings import Guard, Import
from lamella.closure.imports import scan
from lamella.errors import ConfigError, LamellaError

NONE, TRY, TYPING, PLATFORM, MAIN = Guard.NONE, Guard.TRY, Guard.TYPE_CHECKING, Guard.PLATFORM, Guard.MAIN


def read(source: str, path: str = "app.py") -> tuple[Import, ...]:
    return scan(path, textwrap.dedent(source).encode())


def guards(source: str) -> dict[str, Guard]:
    return {found.module: found.guard for found in read(source)}


def test_plain_imports_with_their_lines_and_names() -> None:
    found = read(
        """\
        import os, rawpy
        import google.cloud.storage as storage
        from PIL import Image, ImageOps as ops
        from numpy import *
        """
    )
    assert found == (
        Import("os", (), 1),
        Import("rawpy", (), 1),
        Import("google.cloud.storage", (), 2),
        Import("PIL", ("Image", "ImageOps"), 3),
        Import("numpy", ("*",), 4),
    )


def test_each_name_of_a_wrapped_statement_keeps_a_line() -> None:
    assert read("import a, \\\n  b\n") == (Import("a", (), 1), Import("b", (), 2))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("try:\n  import a\nexcept ImportError:\n  a = None", {"a": TRY}),
        ("try:\n  import a\nexcept ModuleNotFoundError:\n  a = None", {"a": TRY}),
        ("try:\n  import a\nexcept (KeyError, ImportError) as e:\n  a = None", {"a": TRY}),
        ("try:\n  import a\nexcept builtins.ImportError:\n  a = None", {"a": TRY}),
        ("try:\n  import a\nexcept Exception:\n  a = None", {"a": TRY}),
        ("try:\n  import a\nexcept BaseException:\n  a = None", {"a": TRY}),
        ("try:\n  import a\nexcept:\n  a = None", {"a": TRY}),
        ("try:\n  import a\nexcept* ImportError:\n  a = None", {"a": TRY}),
        ("try:\n  import a\nexcept KeyError:\n  a = None", {"a": NONE}),
        ("try:\n  import a\nfinally:\n  import b", {"a": NONE, "b": NONE}),
        # The fallback is guarded too: one of both must be there.
        (
            "try:\n  import tomllib\nexcept ImportError:\n  import tomli as tomllib",
            {"tomllib": TRY, "tomli": TRY},
        ),
        # A handler for something else, `finally`: those run unguarded.
        (
            "try:\n  import a\nexcept KeyError:\n  import b\nexcept ImportError:\n  import c\nfinally:\n  import d",
            {"a": TRY, "b": NONE, "c": TRY, "d": NONE},
        ),
        # `else` runs once `a` is there: more of `a` is as guarded, anything else is not.
        (
            "try:\n  import a\nexcept ImportError:\n  pass\nelse:\n  import a.b\n  from a import c\n  import d",
            {"a": TRY, "a.b": TRY, "d": NONE},
        ),
        # Nested: the outer guard holds, whatever the inner one catches.
        (
            "try:\n  try:\n    import a\n  except KeyError:\n    import b\nexcept ImportError:\n  pass\nimport c",
            {"a": TRY, "b": TRY, "c": NONE},
        ),
        # Nested the other way round: the inner one does not reach out.
        (
            "try:\n  try:\n    import a\n  except ImportError:\n    pass\n  import b\nexcept KeyError:\n  pass",
            {"a": TRY, "b": NONE},
        ),
        ("with suppress(ImportError):\n  import a", {"a": TRY}),
        ("with contextlib.suppress(KeyError, ImportError):\n  import a", {"a": TRY}),
        ("with suppress(KeyError):\n  import a", {"a": NONE}),
        ("with open(p) as f, suppress(ImportError):\n  import a", {"a": TRY}),
    ],
)
def test_try(source: str, expected: dict[str, Guard]) -> None:
    assert guards(source) == expected


def test_a_function_defined_in_a_try_runs_after_it() -> None:
    found = read("try:\n  import a\n  def f():\n    import b\nexcept ImportError:\n  pass")
    assert found == (Import("a", (), 2, TRY), Import("b", (), 4, NONE, lazy=True))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("if TYPE_CHECKING:\n  import a", {"a": TYPING}),
        ("if typing.TYPE_CHECKING:\n  import a", {"a": TYPING}),
        ("if t.TYPE_CHECKING:\n  import a\nelse:\n  import b", {"a": TYPING, "b": NONE}),
        ("if not TYPE_CHECKING:\n  import a\nelse:\n  import b", {"a": NONE, "b": TYPING}),
        ("if TYPE_CHECKING and x:\n  import a\nelse:\n  import b", {"a": TYPING, "b": NONE}),
        ("if TYPE_CHECKING or x:\n  import a\nelse:\n  import b", {"a": NONE, "b": NONE}),
        ("if TYPE_CHECKING:\n  pass\nelif x:\n  import a\nelse:\n  import b", {"a": NONE, "b": NONE}),
        ("if False:\n  import a\nelse:\n  import b", {"a": TYPING, "b": NONE}),
        ("if MYPY:\n  import a", {"a": TYPING}),
        ("if x:\n  import a\nelse:\n  import b", {"a": NONE, "b": NONE}),
        ("if TYPE_CHECKING:\n  def f():\n    import a", {"a": TYPING}),
        ("if TYPE_CHECKING:\n  try:\n    import a\n  except ImportError:\n    pass", {"a": TYPING}),
        ('if __name__ == "__main__":\n  import a\nelse:\n  import b', {"a": MAIN, "b": NONE}),
    ],
)
def test_type_checking(source: str, expected: dict[str, Guard]) -> None:
    assert guards(source) == expected


@pytest.mark.parametrize(
    "test",
    [
        'sys.platform == "win32"',
        'sys.platform.startswith("win")',
        '_sys.platform == "win32"',
        'platform == "win32"',
        'os.name == "nt"',
        'platform.system() == "Windows"',
        'platform.machine() in ("arm64", "aarch64")',
        "sys.version_info >= (3, 11)",
        "sys.version_info[0] == 3",
        "(3, 11) <= sys.version_info[:2] < (3, 13)",
        "version_info < (3, 11)",
        'sys.implementation.name == "pypy"',
        'not sys.platform == "linux"',
        'debug and sys.platform == "win32"',
        'debug or sys.platform == "win32"',
    ],
)
def test_platform(test: str) -> None:
    source = f"if {test}:\n  import winreg_x\nelse:\n  import fcntl_x\nimport after"
    assert guards(source) == {"winreg_x": PLATFORM, "fcntl_x": PLATFORM, "after": NONE}


@pytest.mark.parametrize("test", ['platform == "stripe"', "name == 'nt'", "os.environ", "sys.argv", "version"])
def test_no_platform_test(test: str) -> None:
    assert guards(f"if {test}:\n  import a") == {"a": NONE}


def test_elif_after_a_platform_test_and_match() -> None:
    source = 'if sys.platform == "win32":\n  import a\nelif x:\n  import b\nelse:\n  import c'
    assert guards(source) == dict.fromkeys("abc", PLATFORM)
    assert guards('match sys.platform:\n  case "win32":\n    import a\n  case _:\n    import b') == {
        "a": PLATFORM,
        "b": PLATFORM,
    }
    assert guards("match x:\n  case 1:\n    import a") == {"a": NONE}


@pytest.mark.parametrize(
    ("path", "source", "module"),
    [
        ("pkg/mod.py", "from . import x", "pkg"),
        ("pkg/mod.py", "from .other import x", "pkg.other"),
        ("pkg/__init__.py", "from . import x", "pkg"),
        ("pkg/__init__.py", "from .other import x", "pkg.other"),
        ("pkg/sub/mod.py", "from .. import x", "pkg"),
        ("pkg/sub/mod.py", "from ..other.deep import x", "pkg.other.deep"),
        # Above the top: the dots stay.
        ("mod.py", "from . import x", "."),
        ("mod.py", "from .other import x", ".other"),
        ("pkg/mod.py", "from ..other import x", "..other"),
        ("pkg/__init__.py", "from .. import x", ".."),
    ],
)
def test_relative(path: str, source: str, module: str) -> None:
    assert read(source, path) == (Import(module, ("x",), 1),)


def test_lazy_imports_wherever_they_stand() -> None:
    found = read(
        """\
        class A:
            import a
            async def f(self):
                for x in y:
                    while z:
                        import b
                with open(p):
                    from c import d
        """
    )
    assert found == (Import("a", (), 2), Import("b", (), 6, lazy=True), Import("c", ("d",), 8, lazy=True))


@pytest.mark.parametrize(
    ("call", "modules"),
    [
        ('importlib.import_module("a.b")', ["a.b"]),
        ('import_module("a")', ["a"]),
        ('import_module(name="a")', ["a"]),
        ('__import__("a")', ["a"]),
        ('__import__("a", globals(), locals(), [], 0)', ["a"]),
        ('__import__("a", level=1)', []),
        ('importlib.import_module(".c", "a.b")', ["a.b.c"]),
        ('importlib.import_module("..c", package="a.b")', ["a.c"]),
        ('importlib.import_module(".c", __package__)', ["pkg.c"]),
        ('importlib.import_module(".c", __name__)', ["pkg.mod.c"]),
        ('importlib.import_module(".c", anchor)', []),
        ("importlib.import_module(name)", []),
        ('importlib.import_module(f"a.{b}")', []),
        ('importlib.import_module("")', []),
        ('importlib.import_module("a..b")', []),
        ("import_module()", []),
        ("import_module(1)", []),
        ('x = [f(import_module("a")) for _ in y]', ["a"]),
    ],
)
def test_dynamic(call: str, modules: list[str]) -> None:
    assert [found.module for found in read(call, "pkg/mod.py")] == modules


def test_dynamic_imports_are_guarded_and_lazy_like_others() -> None:
    found = read(
        """\
        try:
            a = import_module("a")
        except ImportError:
            a = None
        def f(x=import_module("b")):
            return import_module("c")
        d = import_module("d") if sys.version_info > (3, 11) else import_module("e")
        g = lambda: import_module("g")
        """
    )
    assert {each.module: (each.guard, each.lazy) for each in found} == {
        "a": (TRY, False),
        "b": (NONE, False),
        "c": (NONE, True),
        "d": (PLATFORM, False),
        "e": (PLATFORM, False),
        "g": (NONE, True),
    }


def test_encodings() -> None:
    assert scan("a.py", b"# coding: latin-1\nname = '\xe9'\nimport a\n") == (Import("a", (), 3),)
    assert scan("a.py", b"\xef\xbb\xbfimport a\r\nimport b\r\n") == (Import("a", (), 1), Import("b", (), 2))
    assert scan("a.py", "import größe".encode()) == (Import("größe", (), 1),)
    with pytest.raises(ConfigError, match=r"`a\.py(:1)?` can't be read as Python"):
        scan("a.py", b"name = '\xe9'\n")
    with pytest.raises(ConfigError, match="unknown encoding"):
        scan("a.py", b"# coding: no-such\n")


def test_what_is_no_python_is_named_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"`app\.py:2` can't be read as Python") as caught:
        scan("app.py", b"x = 1\nimport\n")
    assert "leave the file out with `exclude`" in str(caught.value.hint)
    assert "run lamella on" not in str(caught.value.hint)
    with pytest.raises(ConfigError) as caught:
        scan("app.py", b"import\n", target=(sys.version_info[0], sys.version_info[1] + 1))
    assert f"run lamella on Python 3.{sys.version_info[1] + 1} or later" in str(caught.value.hint)


def test_long_chains_and_deep_nesting_end_in_imports_or_in_an_error() -> None:
    chain = "if x == 0:\n  import a\n" + "".join(f"elif x == {n}:\n  import b\n" for n in range(400))
    assert len(read(chain)) == 401
    with pytest.raises(ConfigError):
        scan("app.py", b"if " + b"not " * 900 + b"x:\n  import a\n" + b"y = " + b"(" * 5000)
    with pytest.raises(ConfigError, match="nested too deeply"):
        scan("app.py", b"if " + b"not " * 2 * sys.getrecursionlimit() + b"x:\n  import a\n")
    with pytest.raises(ConfigError):
        scan("app.py", b"x = " + b"-" * 100_000 + b"1")


def test_it_warns_of_nothing() -> None:
    """Invalid escapes are warnings to the parser; they would end on the person's terminal."""
    program = "from lamella.closure.imports import scan; scan('a.py', b\"x = '\\\\d' is 1\")"
    result = subprocess.run(
        [sys.executable, "-W", "always", "-c", program], capture_output=True, text=True, env=os.environ, check=True
    )
    assert result.stderr == ""


WORDS = st.sampled_from(
    "import |from |a|.|b| as |\n|  |try:|except ImportError:|if |else:|sys.platform|TYPE_CHECKING|(|)|*|,|def f():|pass"
    "|\\|'|\0|\xff|import_module('x')|__import__('.')|not | and |# coding: |utf-8|match x:|case _:".encode(
        "latin-1"
    ).split(b"|"),
)


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=200), st.lists(WORDS, max_size=30).map(b"".join), st.text().map(str.encode)))
@example(b"\0")
@example(b"# coding: utf-7\n+AG")
@example(b"# coding: hex\n00")
@example(b"# coding: undefined\n")
@example(b"# coding: idna\n\n\xff")
@example(b"\xff\xfe")
def test_any_bytes_give_imports_or_a_lamella_error(source: bytes) -> None:
    try:
        found = scan("pkg/mod.py", source)
    except LamellaError:
        return
    assert list(found) == sorted(found, key=lambda each: each.line)
    assert all(each.module and each.line >= 1 for each in found)
