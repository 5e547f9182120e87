"""Which wheels a layer or bundle comes to on a target: lock → pins → files → wheels, and the walk among them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lamella.digests import key_of
from lamella.errors import ConfigError
from lamella.revision import revision
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
    With both, all of that.  `exclude`: not these, nor what only they need; `held`, the same for what layers beside it
    have, pinned or not.  `place` is the table of the configuration.
    """

    place: str
    project: bool
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


Extras = tuple[tuple[str, tuple[str, ...]], ...]


class Answer(NamedTuple):
    """The wheels, by name, and sentences for the person.

    `extras` are those that the project or its lock asks for by name; `perhaps` those that may have been asked for:
    the lock doesn't tell, but pins all that they need.
    """

    wheels: tuple[Wheel, ...]
    extras: Extras
    perhaps: Extras
    notes: tuple[str, ...]


class _Reading(NamedTuple):
    """A lock as it was read, and the fingerprints of its inputs at that time."""

    pins: Pins
    inputs: Mapping[str, str]


class Resolver:
    """Answers questions about one lock.  Remembers answers in the cache with the files that they were drawn from.

    `unstamped`: answers rest on what no file tells (variables of the environment, index settings), so that files
    alone do not prove that there is nothing to do.
    """

    def __init__(
        self,
        settings: Settings,
        source: Source,
        *,
        locked: bool,
        contained: bool = False,
    ) -> None:
        self.root = settings.root
        self.source = source
        self.allow_build = settings.allow_build
        self.container = settings.container
        self.contained = contained
        self.locked = locked
        self.notes: list[str] = []
        self.inputs: set[str] = set()
        self.unstamped = False
        self._configured_lock = settings.lock
        self._readings: dict[Selection, _Reading] = {}
        self._wheels: dict[tuple[Target, Pin], Wheel] = {}
        self._asked: dict[tuple[str, Target], tuple[Extras, Extras]] = {}

    def answer(self, question: Question, target: Target) -> Answer:
        """The wheels for one target.  Raises LockError, IncompatibleError, ConfigError, OutsideError.

        An answer is remembered whether or not the lock may change: uv brought the lock up to date before it was
        read, and neither it nor what it was made from has changed since.
        """
        key = key_of(
            revision(), self.root, self._configured_lock, self.allow_build, self.container.build_images,
            self.container.packages, self.container.options, question, target.runtime, target.architecture,
        )  # fmt: skip
        answer = self._recall(key)
        if answer is None:
            self.source.warm()
            readings = self._read_for(question)
            answer = self._work_out(question, target, [reading.pins for reading in readings])
            self._remember(key, answer, readings)
        self._asked[question.place, target] = answer.extras, answer.perhaps
        return answer

    def asked(
        self, places: Iterable[str], target: Target
    ) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
        """The extras, and those that may have been asked for, of the distributions in the answers to these places."""
        answers = [self._asked[place, target] for place in places if (place, target) in self._asked]
        certain, perhaps = ([row for answer in answers for row in answer[kind]] for kind in (0, 1))
        return (
            united((name, frozenset(extras)) for name, extras in certain),
            united((name, frozenset(extras)) for name, extras in perhaps),
        )

    def _recall(self, key: str) -> Answer | None:
        memo: Any = self.source.cache.recall("resolved", key)
        if memo is None or any(fingerprint(path) != known for path, known in memo["inputs"]):
            return None
        if any(_variable(name) != known for name, known in memo["variables"]):
            return None
        if memo["settings"] is not None and memo["settings"] != self.source.settings_digest():
            return None
        if memo["beside"] != _locks_beside(self.root):
            return None
        wheels = [self.source.kept(sha256) for sha256 in memo["wheels"]]
        if None in wheels:
            return None
        self.inputs.update(path for path, _ in memo["inputs"])
        self.unstamped = self.unstamped or bool(memo["variables"]) or memo["settings"] is not None
        return Answer(
            tuple(wheel for wheel in wheels if wheel is not None),
            _extras(memo["extras"]),
            _extras(memo["perhaps"]),
            tuple(memo["notes"]),
        )

    def _remember(self, key: str, answer: Answer, readings: list[_Reading]) -> None:
        """Keep the answer, unless an input changed while it was worked out: then it is of neither state."""
        inputs = {path: known for reading in readings for path, known in reading.inputs.items()}
        variables = sorted({name for reading in readings for name in reading.pins.variables})
        bare = any(_is_bare(pin) for reading in readings for pin in reading.pins.pins)
        self.inputs |= inputs.keys()
        self.unstamped = self.unstamped or bool(variables) or bare
        if all(fingerprint(path) == known for path, known in inputs.items()):
            memo = {
                "beside": _locks_beside(self.root),
                "inputs": sorted(inputs.items()),
                "variables": [(name, _variable(name)) for name in variables],
                "settings": self.source.settings_digest() if bare else None,
                "wheels": [wheel.sha256 for wheel in answer.wheels],
                "extras": answer.extras,
                "perhaps": answer.perhaps,
                "notes": answer.notes,
            }
            self.source.cache.remember("resolved", key, memo)

    def _read_for(self, question: Question) -> list[_Reading]:
        """The lock as the question needs it: for `packages` whole, and then for the groups and extras beside them."""
        from lamella.lock.model import Selection

        part = Selection(project=question.project, extras=question.extras, groups=question.groups)
        if not question.packages:
            return [self._read(part)]
        whole = self._read(Selection(project=question.project, everything=True))
        return [whole, self._read(part)] if question.extras or question.groups else [whole]

    def _work_out(self, question: Question, target: Target, read: list[Pins]) -> Answer:
        from lamella.lock.select import for_target
        from lamella.wheels import graph

        environment = target.environment()
        each = [{str(pin.name): pin for pin in for_target(pins, environment)} for pins in read]
        here = {name: pin for pinned in each for name, pin in pinned.items()}
        _known(question, {pin.name for pins in read for pin in pins.pins})
        notes: list[str] = []
        bare = any(pins.roots is None for pins in read)

        def load(names: Iterable[str]) -> dict[str, Wheel]:
            return self._load([here[name] for name in names if name in here], target, here, read[0], notes)

        def extras(wheel: Wheel) -> frozenset[str]:
            found = frozenset(here[wheel.name].extras)
            return found | graph.complete(wheel, environment, here) if bare else found

        roots = united(node for pins in read for node in graph.applicable(pins.roots or (), environment))
        whole = not (question.packages or question.extras or question.exclude or question.held)
        if whole:
            taken = load(here)
        else:
            start = [(name, roots.get(name, frozenset())) for name in question.packages]
            if not question.packages or len(read) > 1:
                start += _roots(read[-1], each[-1], load, environment, extras)
            without = frozenset(question.exclude + question.held)
            taken = load(graph.reach(start, load, environment, without=without, extras=extras))
        certain = {name: roots.get(name, frozenset()) | set(here[name].extras) for name in sorted(taken)}
        perhaps = {} if whole else {name: extras(wheel) - certain[name] for name, wheel in sorted(taken.items())}
        wheels = tuple(taken[name] for name in sorted(taken))
        return Answer(wheels, _extras(certain.items()), _extras(perhaps.items()), tuple(dict.fromkeys(notes)))

    def pinned(self) -> list[str]:
        """Every name that the lock pins, for hints.  Reads the lock whole, or remembers what it said."""
        key = key_of(revision(), self.root, self._configured_lock)
        memo: Any = self.source.cache.recall("pinned", key)
        fresh = memo is not None and memo["beside"] == _locks_beside(self.root)
        if fresh and all(fingerprint(path) == known for path, known in memo["inputs"]):
            self.inputs.update(path for path, _ in memo["inputs"])
            names: list[str] = memo["names"]
            return names
        (reading,) = self._read_for(Question("", True, packages=("",)))
        self.inputs |= reading.inputs.keys()
        names = sorted({pin.name for pin in reading.pins.pins})
        if all(fingerprint(path) == known for path, known in reading.inputs.items()):
            inputs = sorted(reading.inputs.items())
            memo = {"beside": _locks_beside(self.root), "inputs": inputs, "names": names}
            self.source.cache.remember("pinned", key, memo)
        return names

    def _read(self, selection: Selection) -> _Reading:
        from lamella.lock import discover, reading

        if selection not in self._readings:
            found = discover.find(self.root, self._configured_lock)
            pins = reading.read(found, selection, root=self.root, locked=self.locked, offline=self.source.offline)
            # At once: what is changed while wheels load is not what was read.  uv may have changed its lock just now
            inputs = {path: fingerprint(path) for path in sorted(inputs_of(pins, self.root))}
            self.notes += [note for note in pins.notes if note not in self.notes]
            self._readings[selection] = _Reading(pins, inputs)
        return self._readings[selection]

    def _load(
        self, wanted: list[Pin], target: Target, here: Mapping[str, Pin], pins: Pins, notes: list[str]
    ) -> dict[str, Wheel]:
        """The admitted wheels of these pins, each chosen for the target."""
        from lamella.build.choosing import Chooser

        fresh = [pin for pin in wanted if (target, pin) not in self._wheels]
        if fresh:
            chooser = Chooser(self.source, self.allow_build, target, self.container, contained=self.contained)
            wheels = chooser.wheels(fresh, here, pins, notes)
            self._wheels.update(((target, pin), wheels[pin.name]) for pin in fresh)
        return {pin.name: self._wheels[target, pin] for pin in wanted}


def _roots(
    pins: Pins,
    here: Iterable[str],
    load: Callable[[Iterable[str]], dict[str, Wheel]],
    environment: Mapping[str, str],
    extras: Callable[[Wheel], frozenset[str]],
) -> list[graph.Node]:
    """Where the walk over a selection begins."""
    from lamella.wheels import graph

    if pins.roots is not None:
        return graph.applicable(pins.roots, environment)
    return [(name, frozenset()) for name in graph.unasked(load(here), environment, extras)]


def united(nodes: Iterable[graph.Node]) -> dict[str, frozenset[str]]:
    """Each name once, with every extra of it that is asked for."""
    found: dict[str, frozenset[str]] = {}
    for name, extras in nodes:
        found[name] = found.get(name, frozenset()) | extras
    return found


def _extras(rows: Iterable[tuple[str, Iterable[str]]]) -> Extras:
    """Sorted, and only the names that have some."""
    return tuple(sorted((name, tuple(sorted(extras))) for name, extras in rows if extras))


def _is_bare(pin: Pin) -> bool:
    """Whether a version alone is pinned: the index settings decide what that is."""
    from lamella.lock.model import FromIndex

    return isinstance(pin.source, FromIndex) and not (pin.source.files or pin.source.hashes)


def _variable(name: str) -> str:
    """A digest of the variable's value, which may be a credential; "unset" without."""
    value = os.environ.get(name)
    return "unset" if value is None else key_of("variable", name, value)


def _known(question: Question, names: set[str]) -> None:
    packages = "bundle" if question.place.startswith("functions.") else "packages"
    for key, asked, hint in (
        (packages, question.packages, "add `{}` to the project and lock again"),
        ("exclude", question.exclude, "remove `{}` from `exclude`: nothing brings it"),
    ):
        for name in asked:
            if name not in names:
                raise ConfigError(
                    f"`[tool.lamella.{question.place}] {key}` names `{name}`, which the lock does not pin",
                    hint=did_you_mean(name, names) or hint.format(name),
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


def _locks_beside(root: str) -> list[str]:
    """The names in the project's folder that a search for its lock looks at: another one may win, or forbid to lock."""
    return sorted(
        name for name in os.listdir(root) if name.endswith(".lock") or name.startswith(("pylock", "requirements"))
    )
