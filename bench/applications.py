"""The two applications of examples/: what their layers weigh, and how long their functions take to start."""

from __future__ import annotations

import datetime
import json
import shutil
import statistics
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import tools
from bench.tools import Bench
from bench.verdicts import between_markers

NAMES = ("spectra", "galerly")
INVOKE = "lamella invoke {} --event {} --json --quiet"
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Start:
    """Of one function's cold starts: milliseconds of each, and the most memory that any took, in MB."""

    key: str
    inits: tuple[float, ...]
    memory: int


@dataclass(frozen=True, slots=True)
class Application:
    """`zips` are names, and what they weigh: bytes zipped, bytes unzipped, members."""

    name: str
    zips: tuple[tuple[str, int, int, int], ...]
    starts: tuple[Start, ...]


def measured(bench: Bench, examples: Path, *, quick: bool) -> list[Application]:
    """Each built anew with the versions that it locks (Galerly), or with today's (Spectra).  Raises BenchError."""
    return [_measured(bench, examples / name, quick=quick) for name in NAMES]


def write(applications: list[Application], examples: Path, load: float) -> None:
    """Put each table into its application's README, between its markers, with the day."""
    for application in applications:
        readme = examples / application.name / "README.md"
        text = between_markers(readme.read_text(encoding="utf-8"), section(application, load))
        readme.write_text(text, encoding="utf-8")


def section(application: Application, load: float) -> str:
    rounds = len(application.starts[0].inits)
    lines = [
        f"Measured on {datetime.datetime.now(datetime.UTC):%Y-%m-%d} by `make bench ARGS='--applications --write'`: "
        f"{tools.machine()}; load average at the start {load:.1f}.",
        "",
        "| zip | MB zipped | MB unzipped | files |",
        "|---|--:|--:|--:|",
    ]
    for name, zipped, unzipped, files in sorted(application.zips, key=lambda row: -row[1]):
        lines.append(f"| `{name}` | {_mb(zipped)} | {_mb(unzipped)} | {files} |")
    lines += ["", f"| cold start, {rounds} times | init, median | longest | memory |", "|---|--:|--:|--:|"]
    for start in application.starts:
        median, longest = statistics.median(start.inits), max(start.inits)
        lines.append(f"| `{start.key}` | {median:.0f} ms | {longest:.0f} ms | {start.memory} MB |")
    lines += [
        "",
        f"An init is what `{INVOKE.format('FUNCTION', 'EVENT')}` reports: the start of the runtime client",
        "and the handler's imports, on this machine. In Lambda a function of less memory has less of a processor.",
    ]
    return "\n".join(lines)


def _measured(bench: Bench, source: Path, *, quick: bool) -> Application:
    folder = bench.root / f"{source.name}-application"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("dist", "tests", "terraform", "__pycache__", ".*"))
    bench.must("lamella build", folder)
    configured = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["lamella"]
    events = {key: table["smoke"][0]["event"] for key, table in configured["functions"].items()}
    runs: dict[str, list[dict[str, Any]]] = {key: [] for key in events}
    # Once each before, untimed: the layers are unpacked, and all files are in memory
    for number in range(1 + (2 if quick else 15)):
        for key, event in events.items():
            told = json.loads(bench.must(INVOKE.format(key, event), folder))
            if number:
                runs[key].append(told["invocations"][0]["report"])
    starts = tuple(
        Start(key, tuple(run["initDuration"] for run in found), max(run["maxMemoryUsed"] for run in found))
        for key, found in runs.items()
    )
    return Application(source.name, tuple(_zips(folder / "dist" / "lambda")), starts)


def _zips(output: Path) -> Iterator[tuple[str, int, int, int]]:
    manifest = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    for row in (*manifest["layers"].values(), *manifest["functions"].values()):
        yield row["file"], row["zipped"], row["unzipped"], row["members"]


def _mb(size: int) -> str:
    return f"{size / MB:.1f}" if size >= MB / 10 else f"{size / MB:.3f}"
