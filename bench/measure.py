"""Times through hyperfine, memory through GNU time: both run the commands, this module reads what they wrote."""

from __future__ import annotations

import json
import shlex
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.tools import Bench, BenchError

TIME = "/usr/bin/time"


@dataclass(frozen=True, slots=True)
class Command:
    """A line as a person would type it.  `clean` are paths that are removed before every run, untimed.

    With `shell` hyperfine runs it through bash and takes the start of bash off; without, it runs the program itself.
    """

    key: str
    line: str
    clean: tuple[str, ...] = ()
    shell: bool = False

    @property
    def prepare(self) -> str:
        return shlex.join(["rm", "-rf", *self.clean]) if self.clean else "true"


class Timings:
    """Seconds of every run, by the command's key."""

    def __init__(self) -> None:
        self.runs: dict[str, list[float]] = {}

    def median(self, key: str) -> float | None:
        """None when the command was skipped."""
        return statistics.median(self.runs[key]) if self.runs.get(key) else None


def works(bench: Bench, command: Command, cwd: Path) -> bool:
    """Run it once, untimed, which warms its caches.  Says loudly when it can't be measured."""
    done = bench.run(f"{command.prepare} && {command.line}", cwd)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-6:]
        print(f"SKIPPED `{command.line}`: exit code {done.returncode}", *said, sep="\n    ", file=sys.stderr)
    return done.returncode == 0


def in_rounds(bench: Bench, commands: Sequence[Command], cwd: Path, *, rounds: int, runs: int) -> Timings:
    """Each command `runs` times in a row, then the next, and all of that `rounds` times.

    So what else the machine does, and what the network does, hits all of them alike.
    """
    timings = Timings()
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}: {', '.join(command.key for command in commands)}", file=sys.stderr)
        for shell in (False, True):
            chosen = [command for command in commands if command.shell is shell]
            try:
                measured = _hyperfine(bench, chosen, cwd, runs) if chosen else {}
            except BenchError as error:
                # A network that hiccups once in minutes shall not cost all the rest
                print(f"SKIPPED round {number + 1}: {error}", file=sys.stderr)
                continue
            for key, seconds in measured.items():
                timings.runs.setdefault(key, []).extend(seconds)
    return timings


def _hyperfine(bench: Bench, commands: Sequence[Command], cwd: Path, runs: int) -> dict[str, list[float]]:
    export = bench.root / "hyperfine.json"
    arguments = ["hyperfine", "--style", "none", "--runs", str(runs), "--export-json", str(export)]
    arguments += ["--shell", "bash" if commands[0].shell else "none"]
    for command in commands:
        arguments += ["--command-name", command.key, "--prepare", command.prepare]
    done = subprocess.run(
        [*arguments, *(command.line for command in commands)],
        cwd=cwd,
        env=dict(bench.environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"hyperfine failed in `{cwd.name}`\n{done.stderr.strip()}")
    results = json.loads(export.read_text(encoding="utf-8"))["results"]
    return {result["command"]: result["times"] for result in results}


def peak_memory(bench: Bench, command: Command, cwd: Path, *, runs: int) -> float | None:
    """The largest resident set in MiB of any process of the command, in the worst of `runs`.  None when skipped."""
    worst = 0.0
    for _ in range(runs):
        bench.run(command.prepare, cwd)
        done = once(bench, command.line, cwd, shell=command.shell)
        if done is None:
            return None
        worst = max(worst, done.mebibytes)
    return worst


@dataclass(frozen=True, slots=True)
class Once:
    """One run of a line, as GNU time saw it."""

    seconds: float
    mebibytes: float


def once(bench: Bench, line: str, cwd: Path, *, shell: bool = False) -> Once | None:
    """Run it once; None, and why on stderr, when it fails.  Memory is that of the line's largest process."""
    report = bench.root / "time.txt"
    timed = f"{TIME} --verbose --output {shlex.quote(str(report))} "
    timed += f"bash -c {shlex.quote(line)}" if shell else line
    done = bench.run(timed, cwd)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-6:]
        print(f"SKIPPED `{line}`: exit code {done.returncode}", *said, sep="\n    ", file=sys.stderr)
        return None
    values = dict(row.strip().rpartition(": ")[::2] for row in report.read_text(encoding="utf-8").splitlines())
    seconds = 0.0
    for part in values["Elapsed (wall clock) time (h:mm:ss or m:ss)"].split(":"):
        seconds = seconds * 60 + float(part)
    return Once(seconds, int(values["Maximum resident set size (kbytes)"]) / 1024)
