"""`handler_finding`: the handler is a module of the zip, and a name that it defines."""

from __future__ import annotations

import sys

import pytest

from lamella.closure.findings import Finding, ModuleIndex, Severity
from lamella.closure.handler import handler_finding
from lamella.closure.modules import index_modules
from lamella.errors import ConfigError


def run(handler: str, **files: str) -> Finding | None:
    """`files` are keyed by their path without .py."""
    return handler_finding("api", handler, {f"{path}.py": text.encode() for path, text in files.items()})


@pytest.mark.parametrize(
    "source",
    [
        "def handler(event, context): ...",
        "@wrapped\nasync def handler(event): ...",
        "@app.route\ndef handler(): ...",
        "def handler(*args): ...",
        "def handler(event, /, context, more=1, *, flag=True, **rest): ...",
        "handler = lambda event, context: None",
        "class handler(Base): ...",
        "class handler(metaclass=Meta): ...",
        "class handler:\n  def __init__(self, event, context): ...",
        "class handler:\n  __new__ = make",
        "handler = None\ndef init():\n  global handler\n  handler = make()",
        "match x:\n  case handler: pass",
        "handler = make()",
        "handler: Handler = make()",
        "(first, [handler, *rest]) = make()",
        "from other import handler",
        "from other import main as handler",
        "import other as handler",
        "import handler.deep",
        "if fast:\n  from a import handler\nelse:\n  handler = None",
        "try:\n  from a import handler\nexcept ImportError:\n  def handler(): ...",
        "with setting():\n  def handler(event, context): ...",
        "for handler in all_of_them: pass",
        "x = [handler := make()][0]",
        "match x:\n  case 1:\n    handler = make()",
        "from framework import *",
        "def __getattr__(name): ...",
        "globals()['handler'] = make()",
    ],
)
def test_ways_to_define_a_handler(source: str) -> None:
    assert run("app.handler", app=source) is None


@pytest.mark.parametrize(
    "source",
    [
        "",
        "def main():\n  handler = 1",
        "class Main:\n  def handler(self): ...",
        "handler: Handler",
        "print(handler)",
        "module.handler = make()",
        "import other.handler",
        "x = lambda: (handler := 1)",
        "x = [handler for handler in y]",
    ],
)
def test_what_defines_no_handler(source: str) -> None:
    finding = run("app.handler", app=source)
    assert finding is not None
    assert finding.severity is Severity.ERROR
    assert finding.message == "handler `app.handler`: `app.py` defines no `handler`"


CALLS = "Lambda calls it as `handler(event, context)`"


@pytest.mark.parametrize(
    ("source", "why", "hint"),
    [
        (
            "async def handler(event, context): ...",
            "defines `handler` as async",
            "Lambda doesn't await: make it a `def` that calls `asyncio.run`",
        ),
        ("handler = 3", "sets `handler` to a value that is no function", CALLS),
        ("handler: dict = {}", "sets `handler` to a value that is no function", CALLS),
        ("class handler: ...", "defines `handler` as a class that takes no arguments", CALLS),
        ("class handler:\n  def run(self): ...", "defines `handler` as a class that takes no arguments", CALLS),
        ("def handler(): ...", "defines `handler` with no arguments", CALLS),
        ("def handler(event): ...", "defines `handler` with one argument", CALLS),
        ("def handler(event, **rest): ...", "defines `handler` with one argument", CALLS),
        ("def handler(event, context, db): ...", "defines `handler` with 3 required arguments", CALLS),
        ("def handler(e, c, *, db): ...", "defines `handler` with a required keyword argument `db`", CALLS),
        ("handler = lambda event: event", "defines `handler` with one argument", CALLS),
    ],
)
def test_what_lambda_can_not_call(source: str, why: str, hint: str) -> None:
    finding = handler_finding("api", "app.handler", {"app.py": source.encode()}, shown={"app.py": "src/app.py"})
    assert finding == Finding(
        "api", Severity.ERROR, "app.handler", f"handler `app.handler`: `src/app.py:1` {why}", hint=hint
    )


def test_a_handler_in_a_file_that_only_a_newer_python_reads_is_not_judged() -> None:
    newer = (3, sys.version_info[1] + 1)
    assert handler_finding("api", "app.handler", {"app.py": b"new syntax"}, target=newer) is None


def test_packages_slashes_and_unusual_names() -> None:
    files = {
        "spectra/handlers/api.py": b"handler = make()",
        "spectra/__init__.py": b"main = make()",
        "my-fn.py": b"handler = make()",
    }
    for handler in ("spectra.handlers.api.handler", "spectra/handlers/api.handler", "spectra.main", "my-fn.handler"):
        assert handler_finding("api", handler, files) is None


def test_a_package_wins_over_a_module() -> None:
    files = {"app.py": b"handler = make()", "app/__init__.py": b"other = 1"}
    finding = handler_finding("api", "app.handler", files)
    assert finding is not None
    assert "`app/__init__.py` defines no `handler`" in finding.message


@pytest.mark.parametrize(
    ("handler", "hint"),
    [
        ("src.spectra.api.handler", "did you mean `spectra.api.handler`?"),
        ("api.handler", "did you mean `spectra.api.handler`?"),
        ("spectra.apy.handler", "did you mean `spectra.api.handler`?"),
        ("spectra.handler", "did you mean"),
        ("elsewhere.entirely.handler", "the content of a source directory lands at the root of the zip"),
    ],
)
def test_a_module_that_is_not_there(handler: str, hint: str) -> None:
    finding = handler_finding("api", handler, {"spectra/api.py": b"handler = make()"})
    assert finding is not None
    base = handler.rpartition(".")[0].replace(".", "/")
    assert finding.message == f"handler `{handler}`: there is no `{base}.py` in the zip"
    assert str(finding.hint).startswith(hint)


def test_a_name_that_is_nearly_right() -> None:
    finding = run("app.lambda_handler", app="def lambda_handeler(): ...\ndef _private(): ...")
    assert finding is not None
    assert finding.hint == "did you mean `app.lambda_handeler`?"
    finding = run("app.handler", app="x = 1")
    assert finding is not None
    assert finding.hint == "define it at the top level of `app`, or name another function"


@pytest.mark.parametrize("handler", ["", "handler", "app.", ".handler", "a..handler", "app/"])
def test_what_is_no_handler_at_all(handler: str) -> None:
    finding = run(handler, app="handler = 1")
    assert finding is not None
    assert finding.message == f"handler `{handler}`: it names no module and function"
    assert finding.hint == 'write it as "package.module.function"'


def test_handlers_in_layers_and_extension_modules() -> None:
    layer: ModuleIndex = index_modules(["monitor/handler.py"])
    files = {"fast.cpython-312-x86_64-linux-gnu.so": b"", "app.py": b""}
    assert handler_finding("api", "monitor.handler.handler", files, available={"layer `monitor`": layer}) is None
    assert handler_finding("api", "fast.handler", files) is None
    finding = handler_finding("api", "monitor.handler.handler", files, foreign=["arn:aws:lambda:x"])
    assert finding is not None
    assert finding.severity is Severity.NOTE
    assert "`arn:aws:lambda:x` can't be looked into" in finding.message


def test_a_handler_that_is_no_python() -> None:
    with pytest.raises(ConfigError, match=r"`app\.py:1` can't be read as Python"):
        run("app.handler", app="def handler(")
