"""What is in a layer: its size beside other ways to the same packages, and what the first and the next build cost."""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import measure, serverless, sets
from bench.commands import BARE, DELETE, KINDS, MADE, PACKED, PIP, WHEELS_ONLY, ZIP
from bench.measure import Once, Timings
from bench.tools import Bench
from bench.verdicts import Verdict, seconds, within

MB = 1_000_000
RECIPES = (
    ("pip", "pip + zip, without bytecode", f"{BARE} && {ZIP}"),
    ("recipe", "the same, `tests` and `*.dist-info` deleted", f"{PIP} && {DELETE} && {ZIP}"),
)
LABELS = (
    *((key, label) for key, label, _ in RECIPES),
    ("slim", "serverless-python-requirements, `slim`"),
    ("plain", "lamella, plain: nothing left out, no bytecode"),
    ("default", "lamella, default: `safe`, bytecode beside the sources"),
    ("small", "lamella, `lean`, `max`, bytecode instead of the sources"),
)
# MB that a zip may have, and MB unzipped
BOUNDS: dict[str, dict[str, tuple[float, float | None]]] = {
    "Spectra": {"default": (38.5, 115), "small": (35, None)},
    "Galerly": {"default": (28, None), "small": (25.5, None)},
}


@dataclass(frozen=True, slots=True)
class Packed:
    """One zip, sizes in MB, and how the line ran that made it."""

    zipped: float
    unzipped: float
    made: Once


@dataclass(frozen=True, slots=True)
class Contents:
    """Of one set: what each way made, by the keys of LABELS, and how long warm builds of ours take.

    `theirs` is the zip that pip + zip made.
    """

    packed: dict[str, Packed | None]
    warm: Timings
    theirs: Path


def measured(
    bench: Bench, slim: Bench | None, dependencies: sets.Dependencies, locked: Path, *, quick: bool
) -> Contents:
    """`locked` is a project that has the lock of the set; `slim` is where serverless runs, None when it can't."""
    folder = bench.root / f"{dependencies.name.lower()}-contents"
    layers = {"plain": sets.PLAIN, "default": dependencies.less, "small": sets.SMALL + dependencies.less}
    sets.write_project(folder, dependencies, layers)
    for name in ("uv.lock", "requirements.txt"):
        shutil.copy(locked / name, folder / name)
    packed: dict[str, Packed | None] = {}
    for key, _, line in RECIPES:
        bench.must(f"rm -rf {' '.join(MADE)}", folder)
        packed[key] = _packed(folder / "layer.zip", measure.once(bench, line, folder, shell=True))
        if packed[key]:
            shutil.move(folder / "layer.zip", folder / f"{key}.zip")
    bench.must(f"rm -rf {' '.join(MADE)}", folder)
    packed["slim"] = _slimmed(slim, dependencies.name, folder / "requirements.txt") if slim else None
    packed |= {command.key: _first(bench, folder, command.key) for command in KINDS}
    # Once each, untimed, which fills the cache: the first builds had one of their own
    chosen = [command for command in KINDS if measure.works(bench, command, folder)]
    warm = measure.in_rounds(bench, chosen, folder, rounds=2 if quick else 5, runs=4)
    return Contents(packed, warm, folder / "pip.zip")


def _packed(path: Path, made: Once | None) -> Packed | None:
    if made is None:
        return None
    with zipfile.ZipFile(path) as archive:
        unzipped = sum(member.file_size for member in archive.infolist())
    return Packed(path.stat().st_size / MB, unzipped / MB, made)


def _slimmed(bench: Bench, name: str, requirements: Path) -> Packed | None:
    print(f"  serverless package of {name}", file=sys.stderr)
    folder = serverless.write_project(bench, name, requirements)
    found = _packed(folder / serverless.MADE, measure.once(bench, serverless.PACKAGE, folder, shell=True))
    shutil.rmtree(folder)
    return found


def _first(bench: Bench, folder: Path, key: str) -> Packed | None:
    """The first build of one layer: all wheels are in the cache, and nothing that was derived from them."""
    bench.must("rm -rf first dist", folder)
    cache = Path(bench.environment["LAMELLA_CACHE_DIR"])
    for wheels in cache.glob("*/wheels"):
        shutil.copytree(wheels, folder / "first" / wheels.relative_to(cache))
    made = measure.once(bench, first(key), folder)
    found = _packed(folder / PACKED.format(key), made)
    bench.must("rm -rf first dist", folder)
    return found


def first(key: str) -> str:
    """The line of a first build."""
    return f"{WHEELS_ONLY} lamella build {key}"


def verdicts(name: str, contents: Contents) -> Iterator[Verdict]:
    """What must hold of the set of this name."""
    for key, (zipped, unzipped) in BOUNDS[name].items():
        label = dict(LABELS)[key].removeprefix("lamella, ")
        packed = contents.packed[key]
        yield Verdict(f"zipped, {label}", packed.zipped if packed else None, zipped, " MB", False)
        if unzipped is not None:
            yield Verdict(f"unzipped, {label}", packed.unzipped if packed else None, unzipped, " MB", False)
    warm = contents.warm.median
    label = dict(LABELS)["small"].removeprefix("lamella, ")
    yield within(f"warm build, {label}, beside plain", warm("small"), [warm("plain")], 2)


def table(name: str, contents: Contents) -> str:
    """Every way to the set's packages in one zip."""
    lines = [
        f"| {name} | MB zipped | MB unzipped | first build, seconds | its peak, MiB | warm build, seconds |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for key, label in LABELS:
        found, again = contents.packed[key], contents.warm.median(key)
        if found is None:
            lines.append(f"| {label} | skipped | | | | |")
            continue
        cells = [f"{found.zipped:.1f}", f"{found.unzipped:.1f}", f"{found.made.seconds:.1f}"]
        cells += [f"{found.made.mebibytes:.0f}", seconds(again) if again else ""]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)
