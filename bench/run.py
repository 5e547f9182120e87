"""Measure lamella beside the tools that people build layers with today.  `make bench`, or see README.md here."""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from bench import applications, commands, contents, imports, local, measure, serverless, servers, sets, tools, verdicts  # noqa: E402
from bench.commands import BUILD, COLD, COLD_LABELS, FAST, MADE, SLOW, WARM_LABELS  # noqa: E402
from bench.measure import Timings  # noqa: E402
from bench.tools import Bench, BenchError  # noqa: E402
from bench.verdicts import Verdict  # noqa: E402


def main() -> int:
    options = _options()
    try:
        _require()
        root = Path(tempfile.mkdtemp(prefix="lamella-bench-"))
        try:
            if options.applications:
                return _applications(root, quick=options.quick, write=options.write)
            report, held = _measured(root, quick=options.quick)
        finally:
            shutil.rmtree(root, ignore_errors=True)
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    print(report)
    if options.write:
        readme = PROJECT / "README.md"
        text = verdicts.between_markers(readme.read_text(encoding="utf-8"), report)
        readme.write_text(text, encoding="utf-8")
    return 0 if held else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="also put the tables into README.md")
    parser.add_argument("--applications", action="store_true", help="only those of examples/, into their READMEs")
    parser.add_argument("--quick", action="store_true", help="one round of each: to see that it runs")
    return parser.parse_args()


def _require() -> None:
    done = subprocess.run([str(PROJECT / "bench" / "setup")], check=False)
    if shutil.which("hyperfine") is None:
        raise BenchError("nothing can be measured without hyperfine")
    if done.returncode:
        print("some lines will be SKIPPED", file=sys.stderr)


def _measured(root: Path, *, quick: bool) -> tuple[str, bool]:
    """The report, and whether all held."""
    load = _load()
    print("installing the tools", file=sys.stderr)
    bench = tools.prepare(root, PROJECT)
    warm: list[tuple[str, Timings]] = []
    cold: list[tuple[str, Timings]] = []
    imported: list[tuple[str, list[imports.Imported]]] = []
    tables: list[str] = []
    rows: list[tuple[str, Verdict]] = []
    slim = serverless.install(bench)
    for dependencies in (sets.SPECTRA, sets.GALERLY):
        print(f"{dependencies.name}", file=sys.stderr)
        folder = _project(bench, dependencies)
        timed, emptied = _times(bench, folder, quick=quick)
        warm.append((dependencies.name, timed))
        cold.append((dependencies.name, emptied))
        rows += [(dependencies.name, verdict) for verdict in verdicts.on_set(dependencies.name, timed, emptied)]
        rows += [(dependencies.name, verdict) for verdict in _memory(bench, folder, quick=quick)]
        held = contents.measured(bench, slim, dependencies, folder, quick=quick)
        tables.append(contents.table(dependencies.name, held))
        rows += [(dependencies.name, verdict) for verdict in contents.verdicts(dependencies.name, held)]
        handlers = imports.measured(bench, dependencies.name, PROJECT / "examples", folder, held.theirs, quick=quick)
        imported.append((dependencies.name, handlers))
        rows += [(dependencies.name, verdict) for verdict in imports.verdicts(handlers)]
    rows += _large(bench, quick=quick)
    print("functions run here", file=sys.stderr)
    ran = local.measured(bench, PROJECT, quick=quick)
    rows += [("no dependencies", verdict) for verdict in local.verdicts(ran)]
    parts = [
        f"Measured on {datetime.datetime.now(datetime.UTC):%Y-%m-%d} by `make bench`: {tools.machine()}; "
        f"load average at the start {load:.1f}.  {tools.versions(bench)}"
        f"{', ' + serverless.versions(slim) if slim else ''}.",
        "What is in one zip, and what it costs to make it:",
        *tables,
        "From that zip to code that runs:",
        imports.table(imported),
        "With warm caches, and plain: nothing left out, no bytecode:",
        verdicts.time_table(WARM_LABELS, warm),
        "Plain, from empty caches, over the network:",
        verdicts.time_table(COLD_LABELS, cold),
        "A function run here, beside AWS's emulator, which runs it without a sandbox:",
        local.table(ran),
        verdicts.verdict_table(rows),
        "<details><summary>The commands</summary>",
        commands.listed(*_lines()),
        "</details>",
    ]
    return "\n\n".join(parts), all(verdict.holds for _, verdict in rows)


def _load() -> float:
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"WARNING: this machine is busy (load average {load:.1f}): the figures will be off", file=sys.stderr)
    return load


def _applications(root: Path, *, quick: bool, write: bool) -> int:
    load = _load()
    bench = tools.prepare(root, PROJECT)
    found = applications.measured(bench, PROJECT / "examples", quick=quick)
    for application in found:
        print(f"{application.name}\n\n{applications.section(application, load)}\n")
    if write:
        applications.write(found, PROJECT / "examples", load)
    return 0


def _project(bench: Bench, dependencies: sets.Dependencies) -> Path:
    """A folder with the project, its lock, and the same pins as the other tools read them."""
    folder = bench.root / dependencies.name.lower()
    sets.write_project(folder, dependencies, {"layer": sets.PLAIN})
    export = "uv export --quiet --frozen --no-emit-project --no-header"
    bench.must("uv lock --quiet", folder)
    bench.must(f"{export} --no-hashes --no-annotate --format requirements-txt -o requirements.txt", folder)
    bench.must(f"{export} --format pylock.toml -o pylock.toml", folder)
    pins = (folder / "requirements.txt").read_text(encoding="utf-8")
    print("  " + ", ".join(line.split(" ")[0] for line in pins.splitlines()), file=sys.stderr)
    return folder


def _times(bench: Bench, folder: Path, *, quick: bool) -> tuple[Timings, Timings]:
    bench.must(f"{BUILD} && cp dist/lambda/layer.zip finished.zip", folder)
    slow = [command for command in SLOW if measure.works(bench, command, folder)]
    for path in MADE:
        bench.must(f"rm -rf {path}", folder)
    emptied = [command for command in COLD if measure.works(bench, command, folder)]
    cold = measure.in_rounds(bench, emptied, folder, rounds=1 if quick else 5, runs=1)
    bench.must("rm -rf empty build dist; sync", folder)
    timed = measure.in_rounds(bench, FAST, folder, rounds=2 if quick else 5, runs=4)
    timed.runs.update(measure.in_rounds(bench, slow, folder, rounds=1 if quick else 5, runs=1).runs)
    for path in MADE:
        bench.must(f"rm -rf {path}", folder)
    return timed, cold


def _memory(bench: Bench, folder: Path, *, quick: bool) -> list[Verdict]:
    runs = 1 if quick else 3
    return [
        verdicts.memory("peak memory, warm build", measure.peak_memory(bench, FAST[0], folder, runs=runs)),
        verdicts.memory("peak memory, empty cache", measure.peak_memory(bench, COLD[0], folder, runs=runs)),
    ]


def _large(bench: Bench, *, quick: bool) -> list[tuple[str, Verdict]]:
    """Memory once more, with a layer far larger than Lambda takes."""
    wheels, mebibytes, small = (2, 16, 100) if quick else (4, 272, 3000)
    name = f"{wheels * mebibytes} MiB made up"
    print(name, file=sys.stderr)
    folder = bench.root / "large"
    sets.write_large_project(folder, wheels, mebibytes, small)
    bench.must(BUILD, folder)
    found = _memory(bench, folder, quick=True)
    shutil.rmtree(folder)
    return [(name, verdict) for verdict in found]


def _lines() -> list[str]:
    """What is measured but once, or in another way."""
    recipes = [line for _, _, line in contents.RECIPES]
    firsts = [contents.first(command.key) for command in commands.KINDS]
    return [
        *firsts,
        *recipes,
        serverless.INSTALL,
        serverless.PACKAGE,
        f"{imports.PYTHON} program.py MODULE BEFORE PLACES…",
        local.INVOKE.format(local.FUNCTION),
        servers.SERVE,
        servers.EMULATOR,
    ]


if __name__ == "__main__":
    raise SystemExit(main())
