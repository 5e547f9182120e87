"""The trials in the image that a runtime's functions run in: its interpreter, its glibc, and what it brings.

Layers and code are mounted at /opt and /var/task, where an image build sees them and keeps nothing of them.
"""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from lamella.checks.bench import Bench, Tested, mended, once_more
from lamella.checks.trials import SECONDS, Attempt, Trial, Wanted, named, patience, program, question, trials, wanted
from lamella.checks.trials import read as read_answer
from lamella.container.engine import find
from lamella.container.images import identity, image_of, refuse_absent
from lamella.container.model import ContainerSettings, Engine, Work
from lamella.container.running import SAID, run
from lamella.errors import ConfigError
from lamella.sandbox.model import Finished
from lamella.sandbox.unpack import merged, unpack
from lamella.sandbox.view import LAYERS, TASK, Paths
from lamella.target import Target

_PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inside.py")
# Each trial is a layer of the build, of which an image may have some 120
_AT_ONCE = 40
_MODULES_AT_ONCE = 2
# Where things lie in the image
_HOME = "/lamella"
_GIVEN, _VARIABLES, _OUT = f"{_HOME}/given", f"{_HOME}/variables", f"{_HOME}/out"
_ABSENT = "no-python"
# Runs `inside.py` by the runtime's interpreter; where it is none of Amazon's images, by the one on PATH
_SCRIPT = f"""\
mkdir -p {_OUT} {LAYERS} {TASK}
for python in "$1" "$(command -v "$2")"; do
    if [ -x "$python" ]; then
        exec "$python" -I -S {_GIVEN}/inside.py {_GIVEN} {_VARIABLES} {_OUT} "$3"
    fi
done
: > {_OUT}/{_ABSENT}
"""

Said = Callable[[str], None]


class _Job(NamedTuple):
    """One trial, what is asked of it, and the folders of this machine that are its /opt and /var/task."""

    trial: Trial
    asked: Wanted
    opt: str | None
    task: str | None


class _Place(NamedTuple):
    """An image and what was found in it: the versions of its Python and of its glibc ("" for none)."""

    target: Target
    image: str
    python: str
    glibc: str


def in_images(
    bench: Bench,
    settings: ContainerSettings,
    *,
    imports: bool,
    metadata: bool,
    said: Said,
    offline: bool = False,
    seconds: float = SECONDS,
) -> Tested:
    """Make all trials, each in the image of its runtime and architecture.

    `said` is told what takes long, a sentence each; `offline`: no image is pulled; `seconds` are for one import.
    Raises OutsideError where the engine fails or there is none, OfflineError for an image that is not here, ConfigError
    for one that can't be used; ArchiveError, OSError.
    """
    return _Testing(bench, settings, said, offline, seconds).run(imports, metadata)


class _Testing:
    def __init__(self, bench: Bench, settings: ContainerSettings, said: Said, offline: bool, seconds: float) -> None:
        self.bench = bench
        self.settings = settings
        self.said = said
        self.offline = offline
        self.seconds = seconds
        self.places: dict[Target, _Place] = {}
        self._engine: Engine | None = None
        self._images: dict[Target, str] = {}

    @property
    def engine(self) -> Engine:
        """Without the network, which a sandbox has not either, unless the configuration gives one."""
        if self._engine is None:
            found = find(self.settings)
            self._engine = found if _networked(found) else found._replace(options=("--network=none", *found.options))
        return self._engine

    def run(self, imports: bool, metadata: bool) -> Tested:
        jobs = [
            self.job(trial, wanted(trial, imports=imports, metadata=metadata)) for trial in trials(self.bench.manifest)
        ]
        done = self.attempts(jobs)
        zips = self.bench.zips
        again = [
            job._replace(asked=once_more(job.trial, attempt, zips)) for job, attempt in zip(jobs, done, strict=True)
        ]
        attempts = [mended(first, second) for first, second in zip(done, self.attempts(again), strict=True)]
        return Tested(
            tuple(zip((job.trial for job in jobs), attempts, strict=True)), (), self.how(), (), tuple(self.notes())
        )

    def job(self, trial: Trial, asked: Wanted) -> _Job:
        root, path = self.bench.means.cache, self.bench.path
        opt = merged([(path(layer), layer.sha256) for layer in trial.layers], root)
        task = unpack(path(trial.function), trial.function.sha256, root) if trial.function is not None else None
        return _Job(trial, asked, opt, task)

    def attempts(self, jobs: Sequence[_Job]) -> list[Attempt]:
        """One for each job; an empty one where nothing is asked."""
        found: dict[int, Attempt] = {}
        targets: dict[Target, list[int]] = {}
        for number, job in enumerate(jobs):
            if job.asked.modules or job.asked.handlers or job.asked.distributions:
                targets.setdefault(Target(job.trial.runtime, job.trial.architecture), []).append(number)
        for target, numbers in targets.items():
            for at in range(0, len(numbers), _AT_ONCE):
                some = numbers[at : at + _AT_ONCE]
                found.update(zip(some, self.batch(target, [jobs[number] for number in some]), strict=True))
        return [found.get(number, Attempt()) for number in range(len(jobs))]

    def batch(self, target: Target, jobs: Sequence[_Job]) -> list[Attempt]:
        """What came of these jobs, in one run of the engine."""
        image = self.image(target)
        with tempfile.TemporaryDirectory(prefix="lamella-") as folder:
            given, out = os.path.join(folder, "given"), os.path.join(folder, "out")
            os.mkdir(given)
            variables = os.path.join(folder, "variables")
            _write(variables, json.dumps(self.environments(target, jobs)))
            for name, text in self.given(jobs):
                _write(os.path.join(given, name), text)
            run(self.engine, _work(target, image, jobs, given, variables), out)
            if os.path.exists(os.path.join(out, _ABSENT)):
                raise ConfigError(
                    f"`{image}` has no {target.runtime}",
                    why=[f"neither `{target.facts.interpreter}` nor one on PATH"],
                    hint="name another by `[tool.lamella.container] run-image`, or leave it out for AWS's own",
                )
            return [self.attempt(target, image, os.path.join(out, f"{number}.json")) for number in range(len(jobs))]

    def image(self, target: Target) -> str:
        """The reference of the target's image, which is here, or can be had."""
        if target not in self._images:
            reference = image_of(self.settings, "run", target.runtime, target.architecture)
            if self.offline:
                refuse_absent(self.engine, reference, target.architecture)
            identity(self.engine, reference, target.architecture, self.heard)
            self.said(f"importing in {reference} with {self.engine.kind} {self.engine.version}")
            self._images[target] = reference
        return self._images[target]

    def heard(self, line: str) -> None:
        """Of the engine's log what is meant for a person."""
        _, told, text = line.partition(SAID)
        if told:
            self.said(text)

    def environments(self, target: Target, jobs: Sequence[_Job]) -> dict[str, dict[str, str]]:
        """The variables of each trial by its number.  They may hold secrets."""
        paths, given = Paths(target.python), self.bench.means.env
        return {str(number): paths.environment({**named(job.trial), **given}) for number, job in enumerate(jobs)}

    def given(self, jobs: Sequence[_Job]) -> Iterator[tuple[str, str]]:
        """The files that the image is given."""
        with open(_PROGRAM, encoding="utf-8") as file:
            yield "inside.py", file.read()
        yield "runner.py", program()
        yield "run.sh", _SCRIPT
        # An engine that did the same before would not do it again; it does not look at variables for that
        yield "once", uuid.uuid4().hex
        for number, job in enumerate(jobs):
            asked = question(job.asked, _MODULES_AT_ONCE, self.seconds)
            yield f"{number}.json", json.dumps({"question": asked, "seconds": patience(job.asked, self.seconds)})

    def attempt(self, target: Target, image: str, path: str) -> Attempt:
        with open(path, encoding="utf-8") as file:
            told = json.load(file)
        self.places[target] = _Place(target, image, told["python"], told["glibc"])
        code = int(told["code"])
        # As shells say it
        done = Finished(code if code >= 0 else 128 - code, told["out"].encode(), told["err"].encode(), self.engine.kind)
        return read_answer(done)._replace(image=image)

    def how(self) -> str:
        """``public.ecr.aws/…, Python 3.12.7, glibc 2.34, by docker 28.2.2``."""
        if not self.places:
            return "nothing to try"
        rows = dict.fromkeys(
            ", ".join([place.image, f"Python {place.python}", f"glibc {place.glibc}" if place.glibc else "no glibc"])
            for place in self.places.values()
        )
        return f"{'; '.join(rows)}, by {self.engine.kind} {self.engine.version}"

    def notes(self) -> Iterator[str]:
        """Where an image is not what Lambda is."""
        for target, image, _, glibc in self.places.values():
            own = f"{target.glibc[0]}.{target.glibc[1]}"
            if glibc != own:
                has = f"glibc {glibc}" if glibc else "another C library than glibc"
                yield f"`{image}` has {has}, and {target.runtime} has {own}: the check `platform` goes by that"


def _networked(engine: Engine) -> bool:
    """Whether the options say which network there is; with podman's isolation "chroot" it is always the machine's."""
    words = [word for option in engine.options for word in option.split("=", 1)]
    chroot = "chroot" in (*words, os.environ.get("BUILDAH_ISOLATION"))
    return "--network" in words or (engine.kind == "podman" and chroot)


def _work(target: Target, image: str, jobs: Sequence[_Job], given: str, variables: str) -> Work:
    """A step for each job, which finds its layers and its code where Lambda has them."""
    folders: dict[str, str] = {given: "given"}
    steps = ["USER root"]
    python, on_path = target.facts.interpreter, f"python{target.python[0]}.{target.python[1]}"
    for number, job in enumerate(jobs):
        mounts = [f"--mount=type=secret,id=variables,target={_VARIABLES}"]
        for source, place in ((given, _GIVEN), (job.opt, LAYERS), (job.task, TASK)):
            if source is not None:
                name = folders.setdefault(source, f"folder{len(folders)}")
                mounts.append(f"--mount=type=bind,from={name},target={place}")
        steps.append(f"RUN {' '.join(mounts)} sh {_GIVEN}/run.sh {python} {on_path} {number}")
    pairs = tuple((name, path) for path, name in folders.items())
    return Work(image, target.architecture, tuple(steps), _OUT, given, (("variables", variables),), pairs)


def _write(path: str, text: str) -> None:
    """A file that nobody else reads."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
