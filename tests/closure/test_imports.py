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
from lamella.closure.syntax import NewerSyntaxError
from lamella.errors import ConfigError, LamellaError

NONE, TRY, TYPING, PLATFORM, MAIN = Guard.NONE, Guard.TRY, Guard.TYPE_CHECKING, Guard.PLATFORM, Guard.MAIN


ON_312 = pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")


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


@pytest.mark.parametrize(
    ("handler", "guard"),
    [
        ("raise", NONE),
        ("raise RuntimeError('rawpy not installed') from None", NONE),
        ("log('no')\n  raise SystemExit(1)", NONE),
        ("log('no')\n  sys.exit(1)", NONE),
        ("os._exit(1)", NONE),
        ("exit()\n  x = 1", NONE),
        ("if x:\n    raise A\n  else:\n    raise B", NONE),
        ("def f():\n    return 1\n  raise", NONE),
        # These may go on.
        ("if x:\n    raise", TRY),
        ("if x:\n    raise A\n  elif y:\n    raise B", TRY),
        ("if x:\n    continue\n  raise", TRY),
        ("if x:\n    sys.exit(1)", TRY),
        ("a = None", TRY),
    ],
)
def test_a_handler_that_always_raises_is_no_guard(handler: str, guard: Guard) -> None:
    source = f"for x in y:\n try:\n  import a\n except ImportError as e:\n  {handler}\n else:\n  import a.b"
    assert guards(source) == {"a": guard, "a.b": guard}


def test_the_first_handler_that_catches_decides_and_fallbacks_stay_guarded() -> None:
    first = "try:\n  import a\nexcept {}:\n  raise\nexcept {}:\n  import b"
    assert guards(first.format("ImportError", "Exception")) == {"a": NONE, "b": TRY}
    assert guards(first.format("KeyError", "ImportError")) == {"a": TRY, "b": TRY}
    inner = "try:\n  try:\n    import a\n  except ImportError:\n    raise\nexcept ImportError:\n  pass"
    assert guards(inner) == {"a": TRY}


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
        "sys.platform == wanted",
        "sys.platform.startswith(wanted)",
        'platform == "win32"',
        'platform.machine() in ("arm64", "aarch64")',
        "sys.version_info >= (3, 11)",
        "sys.version_info[0] == 3",
        "(3, 11) <= sys.version_info[:2] < (3, 13)",
        "version_info < (3, 11)",
        'debug and platform.machine() == "x"',
        'debug or platform.machine() == "x"',
    ],
)
def test_platform(test: str) -> None:
    source = f"if {test}:\n  import winreg_x\nelse:\n  import fcntl_x\nimport after"
    assert guards(source) == {"winreg_x": PLATFORM, "fcntl_x": PLATFORM, "after": NONE}


YES, NO, BOTH = ["a"], ["b"], ["a", "b"]


@pytest.mark.parametrize(
    ("test", "branches"),
    [
        ('sys.platform == "win32"', NO),
        ('_sys.platform == "win32"', NO),
        ('"linux" == sys.platform', YES),
        ('sys.platform != "win32"', YES),
        ('sys.platform in ("win32", "cygwin")', NO),
        ('sys.platform not in {"win32", "darwin"}', YES),
        ('sys.platform.startswith("win")', NO),
        ('sys.platform.startswith(("linux", "freebsd"))', YES),
        ('"win" in sys.platform', NO),
        ('os.name == "nt"', NO),
        ('platform.system() == "Linux"', YES),
        ('platform.python_implementation() == "PyPy"', NO),
        ('sys.implementation.name == "cpython"', YES),
        ("sys.version_info >= (3, 12)", YES),
        ("sys.version_info >= (3, 12, 0)", YES),
        ("sys.version_info > (3, 12)", YES),
        ("sys.version_info <= (3, 12)", NO),
        ("sys.version_info < (3, 13)", YES),
        ("(3, 13) > sys.version_info", YES),
        ("sys.version_info >= (3,)", YES),
        ("sys.version_info == (3, 12)", NO),
        ("sys.version_info[:2] == (3, 12)", YES),
        ("(3, 11) <= sys.version_info[:2] < (3, 13)", YES),
        ("sys.version_info[:2] in ((3, 10), (3, 11))", NO),
        ("sys.version_info[0] == 2", NO),
        ("sys.version_info[0] >= 3 and sys.version_info[1] >= 11", YES),
        ("sys.version_info.minor < 11", NO),
        ('not sys.platform == "linux"', NO),
        ('sys.platform == "win32" and debug', NO),
        ('debug and sys.platform == "win32"', NO),
        ('debug or sys.platform == "linux"', YES),
        ('debug or sys.platform == "win32"', BOTH),
        ("debug and sys.version_info >= (3, 11)", BOTH),
        ('not (sys.version_info < (3, 11) or os.name == "nt")', YES),
    ],
)
def test_platform_tests_that_are_decided_for_lambda(test: str, branches: list[str]) -> None:
    found = scan("app.py", f"if {test}:\n  import a\nelse:\n  import b".encode(), target=(3, 12))
    assert [(each.module, each.guard) for each in found] == [(module, NONE) for module in branches]


@pytest.mark.parametrize(
    "test",
    [
        "sys.version_info >= (3, 12, 1)",
        "sys.version_info >= wanted",
        'sys.version_info >= "3.12"',
        'platform.machine() == "x86_64"',
        "sys.hexversion > 0x030C0000",
        "sys.platform is name",
        'debug and platform.machine() == "x86_64"',
        'sys.platform == "linux" and platform.machine() == "x86_64"',
    ],
)
def test_platform_tests_that_can_not_be_decided(test: str) -> None:
    found = scan("app.py", f"if {test}:\n  import a\nelse:\n  import b".encode(), target=(3, 12))
    assert [each.guard for each in found] == [PLATFORM, PLATFORM]


def test_of_two_versions_of_a_module_only_the_one_for_the_runtime_counts() -> None:
    source = b"if sys.version_info >= (3, 11):\n  import tomllib\nelse:\n  import tomli as tomllib"
    assert scan("app.py", source, target=(3, 12)) == (Import("tomllib", (), 2),)
    assert scan("app.py", source, target=(3, 10)) == (Import("tomli", (), 4),)


@pytest.mark.parametrize("test", ['platform == "stripe"', "name == 'nt'", "os.environ", "sys.argv", "version"])
def test_no_platform_test(test: str) -> None:
    assert guards(f"if {test}:\n  import a") == {"a": NONE}


def test_elif_after_a_platform_test_and_match() -> None:
    source = 'if sys.platform == "win32":\n  import a\nelif x:\n  import b\nelse:\n  import c'
    assert guards(source) == {"b": NONE, "c": NONE}
    source = source.replace("sys.platform", "platform.machine()")
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
    assert isinstance(caught.value, NewerSyntaxError)
    newer = f"correct it, or, where that is newer syntax, run lamella on python3.{sys.version_info[1] + 1}"
    assert (caught.value.line, caught.value.hint) == (1, newer)


@pytest.mark.parametrize("source", [b"x = 1\0", b"# coding: no-such\n", b"\xff\xfe", b"if x:\npass", b"(" * 5000])
def test_what_no_newer_python_reads_either(source: bytes) -> None:
    with pytest.raises(ConfigError, match=r"`src/app\.py") as caught:
        scan("app.py", source, target=(sys.version_info[0], sys.version_info[1] + 1), shown="src/app.py")
    assert not isinstance(caught.value, NewerSyntaxError)
    assert caught.value.hint == "correct it, or leave the file out with `exclude`"


@pytest.mark.parametrize(
    ("source", "line", "why", "minor"),
    [
        (b"x = 1\nmatch x:\n  case 1: import a\n", 2, "`match` needs Python 3.10", 9),
        (b"try:\n  import a\nexcept* ImportError:\n  pass\n", 1, "`except*` needs Python 3.11", 10),
        pytest.param(b"def f[T](x: T): ...\n", 1, "a list of type parameters needs Python 3.12", 11, marks=ON_312),
        pytest.param(b"\ntype X = int\n", 2, "`type` needs Python 3.12", 11, marks=ON_312),
    ],
)
def test_syntax_that_the_runtime_lacks(source: bytes, line: int, why: str, minor: int) -> None:
    with pytest.raises(ConfigError) as caught:
        scan("app.py", source, target=(3, minor), shown="src/app.py")
    assert caught.value.what == f"`src/app.py:{line}` can't be read by python3.{minor}"
    assert caught.value.why == (f"{why}; the function runs on python3.{minor}",)
    scan("app.py", source, target=(3, minor + 1))


def test_an_error_in_any_python_is_told_as_such_for_an_older_runtime() -> None:
    with pytest.raises(ConfigError, match=r"`app\.py:1` can't be read as Python"):
        scan("app.py", b"import\n", target=(3, 9))


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
