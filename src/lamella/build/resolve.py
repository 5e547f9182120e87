"""Which wheels a layer or bundle comes to on a target: lock → pins → files → wheels, and the walk among them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lamella.errors import ConfigError
from lamella.revision import revision
from lamella.wheels.cache import key_of
from lamella.wheels.obtain import Source
from lamella.wording import did_you_mean

if TYPE_CHECKING:
    from lamella.config.model import Settings
    from lamella.lock.model import Pin, Pins, Selection
    from lamella.target import Target
    from lamella.wheels import graph
    from lamella.wheels.model import Wheel


class Question(NamedTuple):
    """What a layer or bundle asks for.  All names are normalized.

    `packages`: these and what they need; otherwise the project (when `project`), `extras` and `groups`.
    `exclude`: not these, nor what only they need.  `place` is the table of the configuration, for messages.
    """

    place: str
    project: bool
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class Answer(NamedTuple):
    """The wheels, by name, and sentences for the person.

    `extras` are those that the project itself asks for, of distributions that it names.
    """

    wheels: tuple[Wheel, ...]
    extras: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[str, ...]


class Resolver:
    """Answers questions about one lock.  Remembers answers in the cache with the files that they were drawn from."""

    def __init__(
        self,
        settings: Settings,
        source: Source,
        *,
        locked: bool,
    ) -> None:
        self.root = settings.root
        self.source = source
        self.allow_build = settings.allow_build
        self.locked = locked
        self.notes: list[str] = []
        self.inputs: set[str] = set()
        self.extras: dict[str, tuple[str, ...]] = {}
        self._configured_lock = settings.lock
        self._pins: dict[Selection, Pins] = {}
        self._wheels: dict[tuple[Target, str], Wheel] = {}

    def answer(self, question: Question, target: Target) -> Answer:
        """The wheels for one target.  Raises LockError, IncompatibleError, ConfigError, OutsideError.

        An answer is remembered whether or not the lock may change: uv brought the lock up to date before it was
        read, and neither it nor what it was made from has changed since.
        """
        key = key_of(
            revision(), self.root, self._configured_lock, self.allow_build, question,
            target.runtime, target.architecture,
        )  # fmt: skip
        answer = self._recall(key)
        if answer is None:
            answer, inputs = self._work_out(question, target)
            self.inputs |= inputs
            memo = {
                "inputs": [[path, fingerprint(path)] for path in sorted(inputs)],
                "wheels": [wheel.sha256 for wheel in answer.wheels],
                "extras": answer.extras,
                "notes": answer.notes,
            }
            self.source.cache.remember("resolved", key, memo)
        self.extras.update(answer.extras)
        return answer

    def _recall(self, key: str) -> Answer | None:
        memo: Any = self.source.cache.recall("resolved", key)
        if memo is None or any(fingerprint(path) != known for path, known in memo["inputs"]):
            return None
        wheels = [self.source.cache.wheel(sha256) for sha256 in memo["wheels"]]
        if None in wheels:
            return None
        self.inputs.update(path for path, _ in memo["inputs"])
        return Answer(
            tuple(wheel for wheel in wheels if wheel is not None),
            tuple((name, tuple(extras)) for name, extras in memo["extras"]),
            tuple(memo["notes"]),
        )

    def _work_out(self, question: Question, target: Target) -> tuple[Answer, set[str]]:
        from lamella.lock.select import for_target
        from lamella.wheels import graph

        self.source.warm()
        pins = self._read(question)
        environment = target.environment()
        here: dict[str, Pin] = {pin.name: pin for pin in for_target(pins, environment)}
        _known(question, {pin.name for pin in pins.pins})
        notes: list[str] = []

        def load(names: Iterable[str]) -> dict[str, Wheel]:
            return self._load([here[name] for name in names if name in here], target, here, pins, notes)

        if not (question.packages or question.extras or question.exclude):
            taken = load(here)
        else:
            start = self._start(question, pins, load, here, environment)
            reached = graph.reach(start, load, environment, without=frozenset(question.exclude))
            taken = load(reached)
        wheels = tuple(taken[name] for name in sorted(taken))
        roots = graph.applicable(pins.roots or (), environment)
        extras = tuple((name, tuple(sorted(asked))) for name, asked in roots if asked)
        return Answer(wheels, extras, tuple(dict.fromkeys(notes))), inputs_of(pins, self.root)

    def pinned(self) -> list[str]:
        """Every name that the lock pins, for hints.  Reads the lock whole."""
        pins = self._read(Question("", True, packages=("",)))
        return sorted({pin.name for pin in pins.pins})

    def _read(self, question: Question) -> Pins:
        from lamella.lock import discover, reading
        from lamella.lock.model import Selection

        selection = Selection(
            project=question.project,
            extras=question.extras,
            groups=question.groups,
            everything=bool(question.packages),
        )
        if selection not in self._pins:
            found = discover.find(self.root, self._configured_lock)
            pins = reading.read(found, selection, root=self.root, locked=self.locked, offline=self.source.offline)
            self.notes += [note for note in pins.notes if note not in self.notes]
            self._pins[selection] = pins
        return self._pins[selection]

    def _start(
        self,
        question: Question,
        pins: Pins,
        load: Callable[[Iterable[str]], dict[str, Wheel]],
        here: Mapping[str, Pin],
        environment: Mapping[str, str],
    ) -> list[graph.Node]:
        """Where the walk begins."""
        from lamella.wheels import graph

        roots = graph.applicable(pins.roots or (), environment)
        if question.packages:
            extras = {name: frozenset(asked) for name, asked in roots}
            return [(name, extras.get(name, frozenset())) for name in question.packages]
        if pins.roots is not None:
            return roots
        return [(name, frozenset()) for name in graph.unasked(load(here), environment)]

    def _load(
        self, wanted: list[Pin], target: Target, here: Mapping[str, Pin], pins: Pins, notes: list[str]
    ) -> dict[str, Wheel]:
        """The admitted wheels of these pins, each chosen for the target."""
        from lamella.build.choosing import Chooser

        fresh = [pin for pin in wanted if (target, pin.name) not in self._wheels]
        if fresh:
            chooser = Chooser(self.source, self.allow_build, target)
            for name, wheel in chooser.wheels(fresh, here, pins, notes).items():
                self._wheels[target, name] = wheel
        return {pin.name: self._wheels[target, pin.name] for pin in wanted}


def _known(question: Question, names: set[str]) -> None:
    for key, asked in (("packages", question.packages), ("exclude", question.exclude)):
        for name in asked:
            if name not in names:
                raise ConfigError(
                    f"`{key}` of `{question.place}` names `{name}`, which the lock does not pin",
                    hint=did_you_mean(name, names) or f"add `{name}` to the project and lock again",
                )


def inputs_of(pins: Pins, root: str) -> set[str]:
    """The files and folders that an answer drawn from these pins depends on."""
    from lamella.lock.model import FromDirectory, FromFile

    # A lock that is added later would be found before the one that was read
    beside = ("pyproject.toml", "uv.lock", "pylock.toml", "requirements.txt")
    inputs = {pins.path, *pins.inputs, *(os.path.join(root, name) for name in beside)}
    for pin in pins.pins:
        match pin.source:
            case FromDirectory(path=path):
                inputs.add(path)
            case FromFile(file=file) if file.path is not None:
                inputs.add(file.path)
    return inputs


def fingerprint(path: str) -> str:
    """A digest of a file's bytes or a project folder's files; "absent" where there is nothing."""
    if os.path.isdir(path):
        from lamella.wheels.build import tree_digest

        return tree_digest(path)
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return "absent"
