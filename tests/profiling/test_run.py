from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lamella.errors import OutsideError
from lamella.manifest import Distribution
from lamella.profiling.model import MISSING, OWN, PYTHON, ImportFailedError
from lamella.profiling.origins import Sources
from lamella.profiling.run import Subject, measure, profile
from lamella.sandbox.model import Finished

LEAF = Distribution(
    name="leaf", version="1", file="leaf.whl", sha256="0", runtimes=(), modules=("leaf",), zipped=1, unzipped=1
)


class Here:
    """This interpreter with two folders on its path, as the sandbox runs the target's."""

    def __init__(self, folder: Path) -> None:
        self.task = folder / "task"
        self.layer = folder / "layer"
        self.task.mkdir()
        self.layer.mkdir()
        self.order: list[str] = []

    def write(self, path: str, text: str) -> None:
        file = (self.layer if path.startswith("leaf") else self.task) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, arguments: Sequence[str], **variables: str) -> Finished:
        environment = {
            "PYTHONPATH": os.pathsep.join([str(self.task), str(self.layer)]),
            "LAMBDA_TASK_ROOT": str(self.task),
            **variables,
        }
        done = subprocess.run([sys.executable, "-S", *arguments], env=environment, capture_output=True, check=False)
        code = done.returncode if done.returncode >= 0 else 128 - done.returncode
        return Finished(code, done.stdout, done.stderr, "path-only")

    def subject(self, handler: str = "app.handler", label: str = "dist", **variables: str) -> Subject:
        def run(arguments: Sequence[str]) -> Finished:
            self.order.append(label)
            return self.run(arguments, **variables)

        return Subject(label, "api", handler, "python3.12", Sources((), (LEAF,)), run)


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


def test_what_the_handler_imports_and_nothing_else(here: Here) -> None:
    here.write("leaf/__init__.py", "from . import part\n")
    here.write("leaf/part.py", "import importlib\ndeep = importlib.import_module('.deep', 'leaf')\n")
    here.write("leaf/deep.py", "import colorsys\n")
    here.write("app.py", "import sys\nprint('hello', file=sys.stderr, end='')\nimport leaf\ntry:\n    import absent\n"
               "except ImportError:\n    pass\nimport os\n")  # fmt: skip
    (result,) = profile([here.subject()], repeat=3)
    assert [(node.name, node.origin) for node in result.tree.walk()] == [
        ("app", OWN),
        ("leaf", "leaf"),
        ("leaf.part", "leaf"),
        ("leaf.deep", "leaf"),
        ("colorsys", PYTHON),
        ("absent", MISSING),
    ]
    assert len(result.runs) == 3
    assert all(run > 0 for run in result.runs)
    assert (result.module, result.function, result.label, result.isolation) == ("app", "api", "dist", "path-only")
    assert result.python == "{}.{}.{}".format(*sys.version_info[:3])


def test_no_run_leaves_bytecode_for_the_next(here: Here) -> None:
    here.write("leaf.py", "")
    here.write("app.py", "import leaf\n")
    profile([here.subject()], repeat=1)
    assert not [*here.task.rglob("*.pyc"), *here.layer.rglob("*.pyc")]


def test_builds_are_measured_in_turn(here: Here) -> None:
    here.write("app.py", "")
    rounds: list[tuple[int, int]] = []
    before, after = profile(
        [here.subject(label="a"), here.subject(label="b")], repeat=2, progress=lambda *done: rounds.append(done)
    )
    assert here.order == ["a", "b"] * 3
    assert rounds == [(1, 3), (2, 3), (3, 3)]
    assert (before.label, after.label) == ("a", "b")


@pytest.mark.parametrize("handler", ["pkg/sub/api.handler", "pkg.sub.api.handler"])
def test_a_handler_in_packages(here: Here, handler: str) -> None:
    for path in ("pkg/__init__.py", "pkg/sub/__init__.py", "pkg/sub/api.py"):
        here.write(path, "")
    run = measure(here.subject(handler))
    assert run.made.name == "pkg.sub.api"
    assert "pkg" in str(run.made.children)


def test_a_missing_variable(here: Here) -> None:
    here.write("settings.py", "import os\nTABLE = os.environ['TABLE']\n")
    here.write("app.py", "import settings\n")
    with pytest.raises(ImportFailedError) as caught:
        measure(here.subject())
    error = caught.value
    assert error.exit_code == 1
    assert error.what == "importing `app` for `api` in `dist` raised KeyError"
    assert error.why[0] == "Traceback (most recent call last):"
    assert any("settings.py" in line and "line 2" in line for line in error.why)
    assert error.why[-1] == "KeyError: 'TABLE'"
    assert not any("<string>" in line for line in error.why)
    assert error.hint == "set the variable for the measurement: `--env TABLE=VALUE`"
    assert measure(here.subject(TABLE="x")).made.name == "app"


def refused(here: Here, code: str) -> str:
    here.write("app.py", code)
    with pytest.raises(ImportFailedError) as caught:
        measure(here.subject())
    return str(caught.value)


def test_other_failures(here: Here) -> None:
    assert "hint: `lamella check`" in refused(here, "import absent\n")
    text = refused(here, "raise ValueError('one\\ntwo\\x1b')\n")
    assert "raised ValueError" in text
    assert "ValueError: one" in text
    assert "two\\x1b" in text
    assert "`--env NAME=VALUE`" in text
    assert "raised SystemExit" in refused(here, "import sys\nsys.exit(3)\n")
    assert "raised KeyError" in refused(here, "{}['x']\n")
    assert "--env x=" not in refused(here, "{}['x']\n")
    assert "ended the process with 7" in refused(here, "import os\nos._exit(7)\n")
    killed = refused(here, "import os, sys\nprint('last words', file=sys.stderr)\nos.kill(os.getpid(), 11)\n")
    assert "was killed by SIGSEGV\n  last words" in killed


def test_a_module_that_does_not_end() -> None:
    def run(_: Sequence[str]) -> Finished:
        return Finished(None, b"", b"import time: self [us] | cumulative | imported package\nwaiting\n", "path-only")

    with pytest.raises(OutsideError, match="did not end in time\n  waiting\n  hint"):
        measure(Subject("dist", "api", "app.handler", "python3.12", Sources((), ()), run))


def test_a_module_that_leads_stderr_elsewhere(here: Here) -> None:
    here.write("app.py", "import os\nkept = os.dup(2)\nos.dup2(os.open(os.devnull, os.O_WRONLY), 2)\nimport colorsys\n")
    with pytest.raises(ImportFailedError, match="can't be measured"):
        measure(here.subject())
