from __future__ import annotations

import sys
import time

from tests.checks.builds import RUNTIME, Build

from lamella.checks.trials import Attempt, attempt, trials, wanted
from lamella.sandbox.run import Place, Sandbox


def shape(build: Build) -> list[tuple[str, tuple[str, ...], str | None, tuple[str, ...], bool]]:
    return [
        (
            trial.runtime,
            tuple(layer.key for layer in trial.layers),
            trial.function.key if trial.function is not None else None,
            tuple(one.key for one in trial.subjects),
            trial.alone,
        )
        for trial in trials(build.manifest)
    ]


def test_each_set_of_layers_once_each_function_and_what_is_left(build: Build) -> None:
    build.layer("a", {}, runtimes=("python3.11", "python3.12"))
    build.layer("b", {}, runtimes=("python3.12",))
    build.layer("c", {}, runtimes=("python3.12",))
    build.function("one", {"app.py": ""}, ["a", "b"], runtime="python3.12")
    build.function("two", {"app.py": ""}, ["a", "b"], runtime="python3.12")
    build.function("bare", {"app.py": ""}, runtime="python3.12")
    assert shape(build) == [
        ("python3.12", ("a", "b"), None, ("a", "b"), False),
        ("python3.12", ("a", "b"), "one", ("one",), False),
        ("python3.12", ("a", "b"), "two", ("two",), False),
        ("python3.12", (), "bare", ("bare",), False),
        ("python3.11", ("a",), None, ("a",), True),
        ("python3.12", ("c",), None, ("c",), True),
    ]


def test_time_is_up_for_one_and_not_for_the_others(build: Build) -> None:
    """A process that a module leaves behind holds nobody up."""
    leaves = "import os, time\nif os.fork() == 0:\n    time.sleep(100)\n"
    build.layer(
        "a",
        {"slow": {"slow.py": "import time; time.sleep(100)"}, "quick": {"quick.py": ""}, "fork": {"fork.py": leaves}},
    )
    (trial,) = trials(build.manifest)
    bench = build.bench()
    from lamella.sandbox.unpack import merged

    opt = merged([(bench.path(layer), layer.sha256) for layer in build.layers], str(build.cache))
    began = time.monotonic()
    asked = wanted(trial, metadata=False)
    done = attempt(trial, Sandbox(sys.executable, sys.version_info[:2]), Place(opt), asked, at_once=3, seconds=2)
    assert time.monotonic() - began < 30
    assert [(tried.subject, tried.failed) for tried in done.tried] == [("fork", ""), ("quick", ""), ("slow", "time")]


def test_nothing_to_try_starts_nothing(build: Build) -> None:
    build.layer("a", {})
    (trial,) = trials(build.manifest)
    assert trial.runtime == RUNTIME
    assert attempt(trial, Sandbox("/nonexistent/bin/python", (3, 12)), Place(), wanted(trial)) == Attempt()


def test_a_sandbox_that_ends_early(build: Build) -> None:
    """What the interpreter said is passed on."""
    build.layer(
        "a",
        {
            "sitecustomize": {
                "sitecustomize.py": "import sys, os\nprint('gone', file=sys.stderr, flush=True)\nos._exit(5)\n"
            }
        },
    )
    bench = build.bench()
    ((_, done),) = bench.tested(imports=True, metadata=True).attempts
    assert done.broken == "the sandbox ended with 5: gone"
