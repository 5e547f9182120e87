"""What is told of modules and handlers that are really imported in a sandbox."""

from __future__ import annotations

import sys

import pytest
from tests.checks.builds import RUNTIME, Build, metadata

from lamella.checks.bench import Bench
from lamella.checks.imports import imports, outcome
from lamella.checks.model import Finding, Severity
from lamella.errors import UsageError
from lamella.interpreter import Interpreter
from lamella.manifest import Distribution
from lamella.sandbox.model import KINDS, StandIn
from lamella.sandbox.run import Sandbox
from lamella.target import Target

HANDLER = "def handler(event, context):\n    return {}\n"
SEGFAULT = "import ctypes\nctypes.string_at(0)\n"


def found(build: Build, isolation: str = "auto", **env: str) -> list[Finding]:
    bench = build.bench(isolation, **env)
    tested = bench.tested(imports=True, metadata=False)
    return [
        *(finding for _, finding in tested.untried),
        *(finding for trial, attempt in tested.attempts for finding in imports(trial, attempt, bench.zips).values()),
    ]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    try:
        return Sandbox(sys.executable, sys.version_info[:2], request.param).isolation
    except UsageError as error:
        pytest.skip(str(error).replace("\n", " "))


def test_all_of_it_works(build: Build, kind: str) -> None:
    build.layer("a", {"stem": {"stem/__init__.py": "import leaf", "stem/data.txt": "x"}, "leaf": {"leaf.py": ""}})
    build.function("api", {"app.py": f"import stem, six\n{HANDLER}"}, ["a"], bundle={"six": {"six.py": ""}})
    assert found(build, kind) == []


@pytest.mark.parametrize("name", ["json", "select", "tempfile", "contextlib", "errno", "socket", "email"])
def test_modules_that_are_called_like_those_of_the_standard_library(build: Build, kind: str, name: str) -> None:
    """Lambda's own program, too, has what it needs before a function's code is on the path."""
    build.function("api", {f"{name}.py": "x = 1\n", "app.py": HANDLER}, bundle={"six": {"six.py": ""}})
    assert found(build, kind) == []
    build.function("bad", {f"{name}.py": "x = 1\n", "app.py": "import nowhere\n"})
    (one,) = [each for each in found(build, kind) if each.artifact == "bad"]
    assert "No module named 'nowhere'" in one.reason


def test_each_failure_is_told_and_none_stops_the_rest(build: Build, kind: str) -> None:
    build.layer(
        "a",
        {
            "raises": {"raises.py": "\nraise ValueError('no\\nway')\n"},
            "ends": {"ends.py": "import os\nos._exit(3)\n"},
            "exits": {"exits.py": "raise SystemExit(4)\n"},
            "crashes": {"crashes.py": SEGFAULT},
            "lacks": {"lacks/__init__.py": "from lacks import tests\nimport lacks.tests.deep\n"},
            "broken": {"broken.py": "def :\n"},
            "works": {"works.py": "print('noise', flush=True)\n"},
        },
    )
    rows = {finding.reason.split("`")[1]: finding for finding in found(build, kind)}
    assert sorted(rows) == ["broken", "crashes", "ends", "exits", "lacks", "raises"]
    assert {finding.severity for finding in rows.values()} == {Severity.ERROR}
    assert rows["raises"].reason == "`raises` of `raises` 1.0 can't be imported: ValueError: no way"
    assert (rows["raises"].artifact, rows["raises"].path, rows["raises"].line) == ("a", "python/raises.py", 2)
    assert 'profile = "none"' in rows["raises"].hint
    assert rows["ends"].reason.endswith("can't be imported: it ended the process with code 3")
    assert rows["exits"].reason.endswith("can't be imported: it called `sys.exit(4)`")
    assert "it was killed by SIGSEGV (Fatal Python error: Segmentation fault)" in rows["crashes"].reason
    assert (rows["broken"].path, rows["broken"].line) == ("python/broken.py", 1)


def test_a_module_that_was_left_out_of_a_package(build: Build) -> None:
    build.layer("a", {"stem": {"stem/__init__.py": "import stem._core.tests\n", "stem/_core/__init__.py": ""}})
    (finding,) = found(build)
    assert finding.severity is Severity.ERROR
    assert "No module named 'stem._core.tests'" in finding.reason
    assert finding.hint == "`lamella why a stem/_core/tests.py` says what left it out; `keep` brings it back"


def test_what_only_the_runtime_brings_is_a_note(build: Build) -> None:
    build.function("api", {"app.py": f"import boto3\n{HANDLER}"})
    (finding,) = found(build)
    assert (finding.severity, finding.artifact, finding.path) == (Severity.NOTE, "api", "app.py")
    assert finding.reason.startswith(
        "handler `app.handler` was not tried to its end: it needs `boto3`, which the runtime"
    )


def test_a_handler_that_needs_what_nothing_brings(build: Build) -> None:
    build.function("api", {"app.py": f"import nowhere\n{HANDLER}"})
    (finding,) = found(build)
    assert finding.severity is Severity.ERROR
    assert finding.reason.endswith("ModuleNotFoundError: No module named 'nowhere'")
    assert (finding.path, finding.line) == ("app.py", 1)


def test_somebody_elses_layer_may_bring_it(build: Build) -> None:
    arn = "arn:aws:lambda:eu-west-1:123456789012:layer:theirs:3"
    build.function("api", {"app.py": f"import nowhere\n{HANDLER}"}, [arn])
    (finding,) = found(build)
    assert finding.severity is Severity.WARNING
    assert arn in finding.reason


def test_a_layer_that_no_function_has(build: Build) -> None:
    build.layer("a", {"stem": {"stem.py": "import nowhere"}})
    (finding,) = found(build)
    assert finding.severity is Severity.WARNING


def test_a_part_that_can_do_without(build: Build) -> None:
    build.layer("a", {"stem": {"stem.py": "", "stem_pandas.py": "import pandas"}})
    build.function("api", {"app.py": HANDLER}, ["a"])
    (finding,) = found(build)
    assert finding.severity is Severity.WARNING
    assert finding.reason.startswith("`stem_pandas` of `stem` 1.0 can't be imported, the rest of it can")


def test_layers_are_tried_as_their_function_has_them(build: Build) -> None:
    build.layer("a", {"stem": {"stem.py": "import leaf"}})
    build.layer("b", {"leaf": {"leaf.py": ""}})
    build.function("api", {"app.py": f"import stem\n{HANDLER}"}, ["a", "b"])
    assert found(build) == []


def test_the_parts_of_a_split_layer_are_tried_together(build: Build) -> None:
    build.layer("a-1", {"stem": {"stem.py": "import leaf"}}, part_of="a")
    build.layer("a-2", {"leaf": {"leaf.py": ""}}, part_of="a")
    assert found(build) == []


def test_an_environment_variable(build: Build) -> None:
    build.function("api", {"app.py": f"import os\nTABLE = os.environ['TABLE']\n{HANDLER}"})
    (finding,) = found(build)
    assert finding.severity is Severity.WARNING
    assert finding.reason.endswith("it needs the environment variable `TABLE`")
    assert finding.hint == "say what it is in Lambda: `lamella check --env TABLE=…`"
    assert found(build, TABLE="orders") == []


def test_lambdas_own_variables_are_there(build: Build) -> None:
    names = ("AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME", "LAMBDA_TASK_ROOT", "AWS_ACCESS_KEY_ID", "_HANDLER")
    lines = "".join(f"os.environ[{name!r}]\n" for name in names)
    build.function("api", {"app.py": f"import os\n{lines}{HANDLER}"})
    assert found(build) == []


def test_a_connection_on_import(build: Build) -> None:
    connects = "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=5)\n"
    build.function("api", {"app.py": connects + HANDLER})
    (finding,) = found(build)
    if "Errno" not in finding.reason:
        pytest.skip("without a view there is this machine's network, whatever it answers")
    assert finding.severity is Severity.WARNING
    assert "it wants the network, which the sandbox has not" in finding.reason


def test_another_architecture_is_not_tried_and_says_so(build: Build) -> None:
    import platform

    other = "x86_64" if platform.machine() != "x86_64" else "arm64"
    build.layer("a", {"stem": {"stem.py": "raise ValueError"}}, architecture=other)
    (finding,) = found(build)
    assert finding.severity is Severity.NOTE
    assert finding.reason.startswith("not tried: it is for Linux on ")


def test_without_an_interpreter(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_PYTHON_SEARCH_PATH", "/nonexistent")
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", "/nonexistent")
    other = "python3.9" if RUNTIME != "python3.9" else "python3.10"
    build.function("api", {"app.py": HANDLER}, runtime=other)
    for asked, severity in (((), Severity.WARNING), (("imports",), Severity.ERROR)):
        tested = build.bench(asked=asked).tested(imports=True, metadata=False)
        ((_, finding),) = tested.untried
        assert finding.severity is severity
        assert finding.reason.startswith(f"not tried: no Python {other.removeprefix('python')} ")
        assert f"uv python install {other.removeprefix('python')}" in finding.hint


BINARY = "import sys\nif 'stem' not in sys.modules:\n    raise ImportError('stem must be imported first')\n"


def test_a_module_that_only_its_parent_may_import(build: Build, kind: str) -> None:
    """As psycopg_binary, which is nothing without psycopg."""
    wheels = {
        "stem": {
            "stem.py": "",
            "stem-1.0.dist-info/METADATA": metadata("stem", "1.0", 'stem-binary>=1; extra == "binary"'),
        },
        "stem-binary": {"stem_binary.py": BINARY},
        "alone": {"alone.py": "raise ImportError('not like this')\n"},
        "needs": {"needs.py": "", "needs-1.0.dist-info/METADATA": metadata("needs", "1.0", "alone")},
    }
    build.layer("a", wheels)
    (finding,) = found(build, kind)
    assert (finding.severity, finding.path) == (Severity.ERROR, "python/alone.py")


def test_a_private_part_of_a_namespace_may_want_what_is_not_there(build: Build) -> None:
    build.layer(
        "a", {"stem": {"space/_inner/__init__.py": "import nowhere\n"}, "leaf": {"_leaf.py": "import nowhere\n"}}
    )
    layer = build.layers[0]
    rows = tuple(
        row._replace(modules=("space._inner",) if row.name == "stem" else row.modules) for row in layer.distributions
    )
    build.layers[0] = layer._replace(distributions=rows)
    build.function("api", {"app.py": HANDLER}, ["a"])
    assert {finding.path: finding.severity for finding in found(build)} == {
        "python/space/_inner/__init__.py": Severity.WARNING,
        "python/_leaf.py": Severity.ERROR,
    }


def standing(build: Build, files: dict[str, str], why: str = "") -> Bench:
    """A bench with these files at /var/runtime, if there are any."""
    folder = build.folder.parent / "runtime"
    for name, text in files.items():
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    row = Distribution("boto3", "1.44.5", "boto3.whl", "0", (RUNTIME,), ("boto3",), 0, 0)
    standin = StandIn(str(folder), (row,), ("boto3",), why) if files else StandIn(why=why)
    bench = build.bench()
    bench.means = bench.means._replace(standin=lambda target, python, held: standin)  # noqa: ARG005
    return bench


def test_what_stands_in_for_the_runtimes_own(build: Build) -> None:
    build.function("api", {"app.py": f"import boto3\n{HANDLER}"})
    build.function("idle", {"app.py": HANDLER})
    bench = standing(
        build, {"boto3.py": "import sys\nassert sys.path.index('/'.join(__file__.split('/')[:-1])) >= 3\n"}
    )
    told = outcome(bench.tested(imports=True, metadata=True), bench.zips)
    assert told.findings == ()
    assert told.summary.startswith("0 modules of 0 distributions, 2 handlers (")
    assert told.summary.endswith("; boto3 1.44.5 of the lock stands in for the runtime's)")


def test_nothing_is_said_of_what_nobody_imports(build: Build) -> None:
    build.function("idle", {"app.py": HANDLER})
    bench = standing(build, {"boto3.py": ""})
    assert "boto3" not in outcome(bench.tested(imports=True, metadata=False), bench.zips).summary


def test_why_nothing_stands_in(build: Build) -> None:
    build.function("api", {"app.py": f"import boto3\n{HANDLER}"})
    build.function("idle", {"app.py": HANDLER})
    bench = standing(build, {}, "the lock does not pin it")
    told = outcome(bench.tested(imports=True, metadata=False), bench.zips)
    (finding,) = told.findings
    assert (finding.severity, finding.tried) == (Severity.NOTE, False)
    assert finding.reason.endswith("which the runtime brings and this machine has not (the lock does not pin it)")
    assert ", 1 of 2 handlers (" in told.summary
    assert told.summary.endswith("; 1 not tried: `app.handler`")


def test_the_artifacts_distributions_need_no_stand_in(build: Build) -> None:
    held: list[frozenset[str]] = []

    def standin(target: Target, python: Interpreter, names: frozenset[str]) -> StandIn:  # noqa: ARG001
        held.append(names)
        return StandIn()

    build.layer("a", {"six": {"six.py": ""}})
    build.function("api", {"app.py": HANDLER}, ["a"], bundle={"boto3": {"boto3.py": ""}})
    bench = build.bench()
    bench.means = bench.means._replace(standin=standin)
    bench.tested(imports=True, metadata=False)
    assert held == [frozenset({"six"}), frozenset({"six", "boto3"})]


def test_nothing_that_could_be_tried(build: Build) -> None:
    import platform

    other = "x86_64" if platform.machine() != "x86_64" else "arm64"
    build.layer("a", {"stem": {"stem.py": ""}}, architecture=other)
    bench = build.bench()
    told = outcome(bench.tested(imports=True, metadata=False), bench.zips)
    assert not told.tried
    assert told.summary.startswith("it is for Linux on ")
    build.layer("b", {"leaf": {"leaf.py": ""}})
    bench = build.bench()
    told = outcome(bench.tested(imports=True, metadata=False), bench.zips)
    assert told.tried
    assert told.summary.startswith("1 of 2 modules of 2 distributions (")
    assert told.summary.endswith("; 1 not tried: `stem`")
