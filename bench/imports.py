"""How long handlers take to import: those of the examples, from lamella's layers and from what pip + zip make."""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.tools import Bench, BenchError
from bench.verdicts import Verdict, seconds

# -I -S: nothing of this machine but the standard library; -B: nothing writes bytecode, as where Lambda is read-only
PYTHON = "python -I -S -B"
PROGRAM = """\
import importlib, sys, time
module, before, *places = sys.argv[1:]
sys.path[:0] = places
for name in before.split():
    importlib.import_module(name)
start = time.perf_counter()
importlib.import_module(module)
print(time.perf_counter() - start)
"""
# No real credentials are looked for: nothing is called
AWS = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True, slots=True)
class Example:
    """One of the example projects.

    `lock` makes its lock where pins.txt has the versions of the set; `theirs` installs all of it by pip where it has
    more than the set, "" where it has no more; `runtime` is what its handlers take from Lambda's own packages; `ratio`
    is the bound.
    """

    folder: str
    lock: str
    theirs: str
    functions: tuple[str, ...]
    runtime: str
    ratio: float


EXAMPLES = {
    "Spectra": Example(
        "spectra",
        "uv lock --quiet",
        "uv export --quiet --frozen --no-emit-project --no-hashes --format requirements-txt -o theirs.txt && "
        "pip install --quiet --no-compile --no-deps --target theirs/python -r theirs.txt",
        ("api-handler", "worker", "authorizer"),
        "",
        0.45,
    ),
    "Galerly": Example(
        "galerly",
        "uv pip compile --quiet --generate-hashes --no-annotate --python-version 3.12 --constraints pins.txt "
        "--python-platform x86_64-manylinux_2_34 --extra images pyproject.toml --output-file requirements.txt",
        "",
        ("image-processor",),
        "boto3",
        0.55,
    ),
}


@dataclass(frozen=True, slots=True)
class Imported:
    """Seconds of each run.  `bound` is None where it is for information."""

    label: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    bound: float | None

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.theirs)


def measured(bench: Bench, name: str, examples: Path, locked: Path, theirs: Path, *, quick: bool) -> list[Imported]:
    """Of each handler of an example.  `locked` is a project with the set's pins, `theirs` the zip of pip + zip."""
    example = EXAMPLES[name]
    folder = bench.root / f"{name.lower()}-handlers"
    _write_project(bench, example, examples, locked, folder)
    bench.must("lamella build", folder)
    functions = _functions(folder / "dist" / "lambda", example)
    for number, (_, zips) in enumerate(functions.values()):
        for path in zips:
            bench.must(f"unzip -qo '{path}' -d {f'task{number}' if path == zips[0] else 'ours'}", folder)
    bench.must(example.theirs or f"unzip -qo '{theirs}' -d theirs", folder)
    if example.runtime:
        python = bench.root / "ours" / "bin" / "python"
        install = f"uv pip install --quiet --compile-bytecode --python '{python}' --target runtime {example.runtime}"
        bench.must(install, folder)
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    bench.must("chmod -R a-w ours theirs", folder)
    found: list[Imported] = []
    for number, (key, (module, _)) in enumerate(functions.items()):
        for before in (example.runtime, "") if example.runtime else ("",):
            runs = _in_turn(bench, folder, number, module, before, rounds=3 if quick else 15)
            label = f"`{key}`"
            if example.runtime:
                label += f", the runtime's {example.runtime} {'there before' if before else 'included'}"
            found.append(Imported(label, *runs, example.ratio if before == example.runtime else None))
    if any((folder / "theirs").rglob("__pycache__")):
        raise BenchError("bytecode was written beside what pip made: its times are too good")
    bench.must("chmod -R u+w ours theirs", folder)  # or it can't be removed
    return found


def _write_project(bench: Bench, example: Example, examples: Path, locked: Path, folder: Path) -> None:
    """A copy of the example, whose lock has the versions that `locked` has."""
    ignored = shutil.ignore_patterns("dist", "uv.lock", "requirements.txt", "__pycache__")
    shutil.copytree(examples / example.folder, folder, ignore=ignored)
    text = (locked / "requirements.txt").read_text(encoding="utf-8")
    pins = [line.split(" ")[0] for line in text.splitlines() if "==" in line]
    (folder / "pins.txt").write_text("\n".join(pins) + "\n", encoding="utf-8")
    pyproject = folder / "pyproject.toml"
    # For one runtime, as the other tools' are; and the newest wheels are not for python3.11
    text = pyproject.read_text(encoding="utf-8").replace('runtime = ["python3.11", "python3.12"]\n', "")
    pyproject.write_text(f"{text}\n[tool.uv]\nconstraint-dependencies = {json.dumps(pins)}\n", encoding="utf-8")
    bench.must(example.lock, folder)


def _functions(output: Path, example: Example) -> dict[str, tuple[str, list[Path]]]:
    """The module of each handler, its zip and those of its layers, as the manifest has them."""
    manifest = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    found = {}
    for key in example.functions:
        row = manifest["functions"][key]
        files = [row["file"], *(manifest["layers"][layer]["file"] for layer in row["layers"])]
        found[key] = (row["handler"].rpartition(".")[0], [output / file for file in files])
    return found


def _in_turn(
    bench: Bench, folder: Path, number: int, module: str, before: str, *, rounds: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Ours and theirs in turn, either first every other time; each once before, untimed: all files are in memory."""

    def seconds_of(opt: str, python: str = PYTHON) -> float:
        places = " ".join(f"'{folder / place}'" for place in (f"task{number}", f"{opt}/python", "runtime"))
        return float(bench.must(f"{variables} {python} program.py {module} '{before}' {places}", folder))

    variables = " ".join(f"{name}={value}" for name, value in AWS.items())
    # The standard library's bytecode, where this Python never needed it yet
    seconds_of("ours", PYTHON.replace(" -B", ""))
    bench.must(f"find task{number} -depth -name __pycache__ -exec rm -r '{{}}' +", folder)
    for opt in ("ours", "theirs"):
        seconds_of(opt)
    runs: dict[str, list[float]] = {"ours": [], "theirs": []}
    for number_of_round in range(rounds):
        for opt in sorted(runs, reverse=number_of_round % 2 == 1):
            runs[opt].append(seconds_of(opt))
    return tuple(runs["ours"]), tuple(runs["theirs"])


def verdicts(imported: Sequence[Imported]) -> Iterator[Verdict]:
    """What must hold of each handler."""
    for row in imported:
        if row.bound is not None:
            yield Verdict(f"import of {row.label}, beside pip + zip", row.ratio, row.bound, " ×", False)


def table(sets: Sequence[tuple[str, Sequence[Imported]]]) -> str:
    """Medians in seconds."""
    lines = [
        "| import of the handler, median seconds | set | lamella, default | pip + zip | |",
        "|---|---|--:|--:|--:|",
    ]
    for name, imported in sets:
        for row in imported:
            ours, theirs = (seconds(statistics.median(runs)) for runs in (row.ours, row.theirs))
            lines.append(f"| {row.label} | {name} | {ours} | {theirs} | {row.ratio:.2f} × |")
    return "\n".join(lines)
