"""Functions run here: lamella beside AWS's own emulator, both with AWS's runtime client and one interpreter."""

from __future__ import annotations

import os
import shlex
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.servers import Function, asked, emulator, served
from bench.tools import Bench, BenchError
from bench.verdicts import Verdict

FUNCTION = "nothing"
INVOKE = "lamella invoke {} --event event.json"
_PROJECT = f"""\
[project]
name = "local"
version = "1"
requires-python = ">=3.12"

[tool.lamella]
runtime = "python3.12"

[tool.lamella.functions.{FUNCTION}]
handler = "app.handler"
"""
_HANDLER = "def handler(event, context):\n    return event\n"
# A route of the example, as an HTTP API sends it
_HEALTH = """\
{"version": "2.0", "routeKey": "GET /health", "rawPath": "/health", "rawQueryString": "", "headers": {},
 "requestContext": {"http": {"method": "GET", "path": "/health"}, "stage": "$default"}, "isBase64Encoded": false}
"""
FIRST, WARM = 1.5, 1.0


@dataclass
class Runs:
    """Seconds of every run: a first response, the end of the process behind it, a warm invocation."""

    first: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Measured:
    """Of the handler that does nothing; of the example's, first responses alone.  `repeated` is of `--repeat`."""

    ours: Runs
    theirs: Runs
    repeated: float
    ours_example: Runs
    theirs_example: Runs


def measured(bench: Bench, project: Path, *, quick: bool) -> Measured:
    """The Spectra example must be built and unpacked by then (`imports.measured`).

    Raises BenchError where the emulator or the runtime client can't be had, or something answers wrongly.
    """
    program, python = _programs(bench, project)
    nothing = _nothing(bench, program, python)
    example = bench.root / "spectra-handlers"
    (example / "event.json").write_text(_HEALTH, encoding="utf-8")
    places = (example / "task0", example / "ours" / "python")
    handler = "spectra.handlers.api.handler"
    api = _function(bench, program, python, example, "api-handler", handler, places)
    found = Measured(Runs(), Runs(), 0.0, Runs(), Runs())
    for function in (nothing, api):
        _same(bench, function)
    _firsts(bench, nothing, found.ours, found.theirs, 3 if quick else 40)
    _firsts(bench, api, found.ours_example, found.theirs_example, 2 if quick else 15)
    _warm(bench, nothing, found.ours, found.theirs, rounds=2 if quick else 10)
    return Measured(
        found.ours, found.theirs, _repeated(bench, nothing, quick=quick), found.ours_example, found.theirs_example
    )


def _programs(bench: Bench, project: Path) -> tuple[Path, str]:
    """The emulator and the interpreter; the runtime client is put into `client`, as lamella pins it."""
    pins = project / "src" / "lamella" / "local"
    bench.must(f"pip download --quiet --no-deps --require-hashes -r '{pins}/events.txt' -d sam", bench.root)
    machine = {"aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    member = f"samcli/local/rapid/aws-lambda-rie-{machine}"
    bench.must(f"unzip -qo sam/*.whl {member} -d emulator && chmod +x emulator/{member}", bench.root)
    python = bench.must("uv python find --no-project 3.12", bench.root).strip()
    bench.must(
        f"uv pip install --quiet --compile-bytecode --require-hashes --python '{python}' --target client "
        f"-r '{pins}/client.txt'",
        bench.root,
    )
    return bench.root / "emulator" / member, python


def _nothing(bench: Bench, program: Path, python: str) -> Function:
    folder = bench.root / "local"
    (folder / "src").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(_PROJECT, encoding="utf-8")
    (folder / "src" / "app.py").write_text(_HANDLER, encoding="utf-8")
    (folder / "event.json").write_text('{"a": 1}\n', encoding="utf-8")
    bench.must("uv lock --quiet && lamella build", folder)
    return _function(bench, program, python, folder, FUNCTION, "app.handler", (folder / "src",))


def _function(
    bench: Bench, program: Path, python: str, folder: Path, key: str, handler: str, places: Sequence[Path]
) -> Function:
    environment = {
        # In Lambda, and in lamella, the client sees this one, and waits for events in another way on python3.12
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
        "AWS_LAMBDA_FUNCTION_NAME": key,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "LANG": "en_US.UTF-8",
        "PATH": bench.environment["PATH"],
        "PYTHONPATH": os.pathsep.join(str(place) for place in (*places, bench.root / "client")),
        "TZ": ":UTC",
        "_HANDLER": handler,
    }
    event = (folder / "event.json").read_bytes()
    return Function(folder, key, handler, event, (str(program), python), environment)


def _same(bench: Bench, function: Function) -> None:
    """Once each, untimed, which warms the caches; both must answer the same, and rightly."""
    ours = bench.must(INVOKE.format(function.key), function.folder).encode().strip()
    with emulator(function) as connection:
        theirs = asked(connection, "function", function.event)
    if ours != theirs or b"error" in ours.lower():
        raise BenchError(f"`{function.key}` answers {ours[:200]!r} here and {theirs[:200]!r} in the emulator")


def _firsts(bench: Bench, function: Function, ours: Runs, theirs: Runs, rounds: int) -> None:
    for number in range(rounds):
        for mine in (True, False) if number % 2 else (False, True):
            if mine:
                first, ended = _invoked(bench, function)
                ours.first.append(first)
                ours.ended.append(ended)
            else:
                start = time.perf_counter()
                with emulator(function) as connection:
                    asked(connection, "function", function.event)
                    theirs.first.append(time.perf_counter() - start)


def _invoked(bench: Bench, function: Function) -> tuple[float, float]:
    """Seconds from the start of `lamella invoke` until its answer is on stdout, and until it has ended."""
    command = shlex.split(INVOKE.format(function.key))
    command[0] = str(bench.root / "ours" / "bin" / "lamella")
    start = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=function.folder,
        env=dict(bench.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        answer = process.stdout.readline()
        first = time.perf_counter() - start
        process.wait()
        ended = time.perf_counter() - start
    if process.returncode or not answer.strip():
        raise BenchError(f"`{shlex.join(command)}` ended with {process.returncode}")
    return first, ended


def _warm(bench: Bench, function: Function, ours: Runs, theirs: Runs, *, rounds: int) -> None:
    """Both servers stay up, and are asked in turn, by one client each that keeps its connection."""
    with served(bench, function) as mine, emulator(function) as other:
        sides = ((mine, function.key, ours), (other, "function", theirs))
        for connection, name, _ in sides:
            for _ in range(100):
                asked(connection, name, function.event)
        for number in range(rounds):
            for connection, name, runs in sides if number % 2 else reversed(sides):
                for _ in range(200):
                    start = time.perf_counter()
                    asked(connection, name, function.event)
                    runs.warm.append(time.perf_counter() - start)


def _repeated(bench: Bench, function: Function, *, quick: bool) -> float:
    """Seconds of each further invocation by `--repeat`: what a thousand more of them take."""

    def seconds(count: int) -> float:
        start = time.perf_counter()
        bench.must(f"lamella invoke {function.key} --event event.json --quiet --repeat {count}", function.folder)
        return time.perf_counter() - start

    runs = 1 if quick else 5
    more = statistics.median(seconds(1001) for _ in range(runs))
    return (more - statistics.median(seconds(1) for _ in range(runs))) / 1000


def verdicts(found: Measured) -> Iterator[Verdict]:
    """What must hold of the handler that does nothing."""
    rows = (
        ("first response from the start of the process", _median(found.ours.first), _median(found.theirs.first), FIRST),
        ("a warm invocation, median", _median(found.ours.warm), _median(found.theirs.warm), WARM),
        ("a warm invocation, 95th percentile", _high(found.ours.warm), _high(found.theirs.warm), WARM),
    )
    for claim, ours, theirs, bound in rows:
        yield Verdict(f"{claim}, beside AWS's emulator", ours / theirs, bound, " ×", False)


def table(found: Measured) -> str:
    """Medians in milliseconds."""
    ours, theirs = found.ours, found.theirs
    rows = [
        ("first response from the start of the process", _median(ours.first), _median(theirs.first)),
        ("the same, until `lamella invoke` has ended", _median(ours.ended), None),
        (f"a warm invocation over HTTP, median of {len(ours.warm)}", _median(ours.warm), _median(theirs.warm)),
        ("the same, 95th percentile", _high(ours.warm), _high(theirs.warm)),
        ("each further one of `lamella invoke --repeat`", found.repeated, None),
        (
            "Spectra's `api-handler`, first response",
            _median(found.ours_example.first),
            _median(found.theirs_example.first),
        ),
    ]
    lines = ["| milliseconds | lamella | AWS's emulator | |", "|---|--:|--:|--:|"]
    for label, mine, other in rows:
        cells = ("", "") if other is None else (_milliseconds(other), f"{mine / other:.2f} ×")
        lines.append(f"| {label} | {_milliseconds(mine)} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def _median(runs: Sequence[float]) -> float:
    return statistics.median(runs)


def _high(runs: Sequence[float]) -> float:
    return statistics.quantiles(runs, n=20)[-1]


def _milliseconds(value: float) -> str:
    return f"{value * 1e3:.2f}" if value < 0.01 else f"{value * 1e3:.1f}"
