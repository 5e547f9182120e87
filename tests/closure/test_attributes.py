"""`unbound`: what is imported from the function's own packages is there."""

from __future__ import annotations

import pytest

from lamella.closure.attributes import unbound
from lamella.closure.findings import Finding, Severity
from lamella.closure.imports import scan
from lamella.closure.modules import index_modules
from lamella.contents.model import BUNDLE


def run(sources: dict[str, str], bundle: list[str] | None = None) -> tuple[Finding, ...]:
    files = {path: text.encode() for path, text in sources.items()}
    imports = {f"src/{path}": scan(path, source) for path, source in files.items()}
    return unbound("api", imports, files, index_modules(files), {BUNDLE: index_modules(bundle or [])})


@pytest.mark.parametrize("statement", ["from . import nothere", "from app import nothere"])
def test_a_name_that_a_package_lacks(statement: str) -> None:
    (finding,) = run({"app/__init__.py": "VERSION = 1", "app/main.py": f"\n{statement}"})
    assert finding == Finding(
        "api",
        Severity.ERROR,
        "app.nothere",
        "imports `app.nothere`: `app` defines no `nothere` and has no such module",
        "src/app/main.py",
        2,
        "is it misspelt, or left out by `include` or `exclude`?",
    )


def test_a_package_does_not_define_what_it_imports_from_itself() -> None:
    assert [each.subject for each in run({"app/__init__.py": "from . import nothere"})] == ["app.nothere"]
    assert run({"app/__init__.py": "from . import there", "app/there.py": ""}) == ()


def test_a_guarded_one_is_a_note_and_a_near_one_is_proposed() -> None:
    (finding,) = run({"app/__init__.py": "", "app/worker.py": "", "m.py": "from app import woker"})
    assert finding.hint == "did you mean `worker`?"
    source = "try:\n  from app import x\nexcept ImportError:\n  x = None"
    (finding,) = run({"app/__init__.py": "", "m.py": source})
    assert finding.severity is Severity.NOTE


@pytest.mark.parametrize(
    "init",
    [
        "nothere = 1",
        "def nothere(): ...",
        "from os import path as nothere",
        "if x:\n  nothere = 1",
        "def f():\n  global nothere\n  nothere = 1",
        "from os.path import *",
        "def __getattr__(name): ...",
        "__getattr__, __dir__, __all__ = attach(__name__)",
        "globals().update(x)",
        "sys.modules[__name__] = Lazy()",
    ],
)
def test_packages_that_have_it_or_may_make_it(init: str) -> None:
    assert run({"app/__init__.py": init, "m.py": "from app import nothere"}) == ()


def test_what_is_there_otherwise() -> None:
    base = {"app/__init__.py": "", "m.py": "from app import nothere, __name__"}
    assert run({**base, "app/nothere.py": ""}) == ()
    assert run({**base, "app/nothere/x.py": ""}) == ()
    assert run(base, ["app/nothere.py"]) == ()
    assert run({**base, "n.py": "import app\napp.nothere = 1"}) == ()
    assert run({**base, "n.py": "import app\nsetattr(app, 'nothere', 1)"}) == ()
    assert len(run({**base, "n.py": "self.nothere = 1\nif app.nothere == 1: pass"})) == 1


def test_modules_and_other_peoples_packages_are_left_alone() -> None:
    assert run({"app.py": "", "m.py": "from app import nothere\nfrom other import nothere"}) == ()
    assert run({"m.py": "from app import nothere"}, ["app/__init__.py"]) == ()
