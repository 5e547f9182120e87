"""`handler_finding`: the handler is a module of the zip, and a name that it defines."""

from __future__ import annotations

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
        "async def handler(event, context): ...",
        "class handler: ...",
        "handler = make()",
        "handler: Handler = make()",
        "(first, [handler, *rest]) = make()",
        "from other import handler",
        "from other import main as handler",
        "import other as handler",
        "import handler.deep",
        "if fast:\n  from a import handler\nelse:\n  handler = None",
        "try:\n  from a import handler\nexcept ImportError:\n  def handler(): ...",
        "with setting():\n  def handler(): ...",
        "for handler in all_of_them: pass",
        "x = [handler := make()][0]",
        "match x:\n  case 1:\n    handler = 1",
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


def test_packages_slashes_and_unusual_names() -> None:
    files = {"spectra/handlers/api.py": b"handler = 1", "spectra/__init__.py": b"main = 1", "my-fn.py": b"handler = 1"}
    for handler in ("spectra.handlers.api.handler", "spectra/handlers/api.handler", "spectra.main", "my-fn.handler"):
        assert handler_finding("api", handler, files) is None


def test_a_package_wins_over_a_module() -> None:
    files = {"app.py": b"handler = 1", "app/__init__.py": b"other = 1"}
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
    finding = handler_finding("api", handler, {"spectra/api.py": b"handler = 1"})
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
