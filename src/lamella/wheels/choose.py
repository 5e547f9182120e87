"""Which of a pin's files runs on a target, and for every other one the reason why it doesn't."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from lamella.errors import IncompatibleError
from lamella.facts.tables import runtimes
from lamella.lock.model import LockedFile, Pin
from lamella.target import Target
from lamella.wheels import obstacles
from lamella.wheels.obstacles import Obstacle, Stage
from lamella.wording import escaped, printable

if TYPE_CHECKING:
    from packaging.tags import Tag


class Refused(NamedTuple):
    """A file that does not run on the target, and why: `reason` continues "the file …"."""

    filename: str
    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What became of a pin's files on one target.

    `file` is the best wheel, `also` are the others that would run, best first; `sdist` is the source distribution,
    whether it is needed or not.  Every other file is in `refused`.
    `notes` are sentences for the person (say: the chosen file was yanked).
    """

    file: LockedFile | None
    sdist: LockedFile | None
    refused: tuple[Refused, ...]
    also: tuple[LockedFile, ...] = ()
    notes: tuple[str, ...] = ()


class _Fit(NamedTuple):
    """How well a wheel fits; the greater the better.

    As pip sorts: a file that was not yanked first (PEP 592), then the tag's place, then the build number (PEP 427).
    """

    kept: bool
    place: int
    build: tuple[()] | tuple[int, str]
    filename: str  # so that equals are told apart without regard to the order of the lock


def choose(
    pin: Pin,
    files: Sequence[LockedFile],
    target: Target,
    *,
    yanked: Mapping[str, str] = {},
) -> Choice:
    """The best wheel of `files` for `target`, by the order of `Target.tags`.

    `yanked` maps filenames to the reason ("" for none given): such a file is taken where nothing else runs, with
    a note.  That a file's version is the pin's is for admission to prove; its name is looked at here.
    Raises nothing: a file that can't be used is in `refused`.
    """
    places = _places(target)
    unfit = _wrong_python(pin, target)
    fits: list[tuple[_Fit, LockedFile]] = []
    sdists: list[LockedFile] = []
    refused: list[Refused] = []
    for file in files:
        if _is_sdist(file.filename):
            # Kept even where Requires-Python says no: who allows the build gets the builder's own message.
            sdists.append(file)
            continue
        tags, build, reason = _parsed(pin, file.filename)
        if reason is None:
            place = min((places[tag] for tag in tags if tag in places), default=None)
            reason = escaped(obstacles.nearest(tags, target).text) if place is None else unfit
            if place is not None and reason is None:
                fits.append((_Fit(file.filename not in yanked, -place, build, file.filename), file))
        if reason is not None:
            refused.append(Refused(file.filename, reason))
    fits.sort(key=lambda fit: fit[0], reverse=True)
    running = tuple(file for _, file in fits)
    best = running[0] if running else None
    # Of two sdists the .tar.gz is the one that PEP 625 knows.
    sdist = max(sdists, key=lambda file: file.filename.endswith(".tar.gz"), default=None)
    refused += [
        Refused(other.filename, f"is a second source distribution, beside `{printable(sdist.filename)}`")
        for other in sdists
        if sdist is not None and other is not sdist
    ]
    return Choice(best, sdist, tuple(refused), running[1:], _notes(best, yanked))


@cache
def _places(target: Target) -> Mapping[Tag, int]:
    """The place of each tag in the target's order, from 0."""
    places: dict[Tag, int] = {}
    for place, tag in enumerate(target.tags()):
        places.setdefault(tag, place)
    return places


def _is_sdist(filename: str) -> bool:
    return filename.endswith((".tar.gz", ".zip", ".tar.bz2", ".tgz"))


def _parsed(pin: Pin, filename: str) -> tuple[frozenset[Tag], tuple[()] | tuple[int, str], str | None]:
    """A wheel's tags and build number, or why it is no wheel of the pin."""
    from packaging.utils import parse_wheel_filename

    if not filename.endswith(".whl"):
        return frozenset(), (), "is neither a wheel nor a source distribution"
    try:
        name, _, build, tags = parse_wheel_filename(filename)
    except ValueError:
        return frozenset(), (), "has a filename that the wheel specification does not allow"
    return tags, build, None if name == pin.name else f"is a wheel of `{name}`"


def _wrong_python(pin: Pin, target: Target) -> str | None:
    """Why Requires-Python keeps the whole pin away.  One that can't be read is passed over, as pip does."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    if not pin.requires_python:
        return None
    try:
        wanted = SpecifierSet(pin.requires_python)
    except InvalidSpecifier:
        return None
    if wanted.contains(target.environment()["python_full_version"], prereleases=True):
        return None
    return f"requires Python {printable(pin.requires_python)}"


def _notes(file: LockedFile | None, yanked: Mapping[str, str]) -> tuple[str, ...]:
    if file is None or file.filename not in yanked:
        return ()
    why = printable(" ".join(yanked[file.filename].split()))
    return (f"`{printable(file.filename)}` was yanked from the index" + (f": {why}" if why else ""),)


def refusal(
    pin: Pin, choice: Choice, target: Target, parents: Sequence[str] = (), *, older: str | None = None
) -> IncompatibleError:
    """The error for a pin of which `choice` has no wheel.

    `parents` are the distributions that need it.  `older` is an older version that is known to run on `target`.
    Which other runtimes would do is found by choosing from the same files for them.
    """
    name = f"{pin.name}=={pin.version}" if pin.version else pin.name
    why = [f"needed by {_words(f'`{parent}`' for parent in parents)}"] if parents else []
    wheels = [refused for refused in choice.refused if refused.filename.endswith(".whl")]
    build = (
        f'allow-build = ["{pin.name}"] builds it if it is pure Python; '
        "`lamella build --container` builds any in the runtime's build image"
    )
    if not wheels:
        if choice.sdist is None:
            why += [f"`{printable(refused.filename)}` {refused.reason}" for refused in choice.refused]
            return IncompatibleError(
                f"no file of `{name}` can be used", why=why, hint="lock again, or lock another version"
            )
        return IncompatibleError(f"`{name}` has no wheel, only a source distribution", why=why, hint=build)
    stopped = _obstacles(pin, wheels, target)
    hints = [*_elsewhere(pin, wheels, target, stopped)]
    if older:
        hints.append(f"lock `{pin.name}=={older}`, the newest version with a wheel for {target.runtime}")
    if not hints and choice.sdist is not None:
        hints.append(build)
    return IncompatibleError(
        f"no locked wheel of `{name}` runs on {target}",
        why=[*_offer(pin, wheels, target, stopped), *why],
        hint="; or ".join(hints) or f"lock a version of `{pin.name}` that has such a wheel, or leave it out",
    )


def _obstacles(pin: Pin, wheels: Sequence[Refused], target: Target) -> list[Obstacle]:
    """What stops each wheel whose tags can be read, nearest first."""
    parsed = [_parsed(pin, wheel.filename) for wheel in wheels]
    places = _places(target)
    stopped = [
        obstacles.nearest(tags, target) for tags, _, problem in parsed if problem is None and not tags & places.keys()
    ]
    # Alike things together (`CPython` apart from `free-threaded CPython`), and 3.9 before 3.10.
    return sorted(
        stopped, key=lambda found: (-found.stage, found.offers.rpartition(" ")[0].lower(), found.rank, found.offers)
    )


def _elsewhere(pin: Pin, wheels: Sequence[Refused], target: Target, stopped: Sequence[Obstacle]) -> Iterator[str]:
    """Where else these wheels run: other runtimes, and the other architecture."""
    files = [LockedFile(wheel.filename) for wheel in wheels]

    def runs(other: Target) -> bool:
        return other.facts.verified and choose(pin, files, other).file is not None

    known = [Target(name, target.architecture) for name in runtimes() if name != target.runtime]
    if newer := [other for other in known if other.python > target.python and runs(other)]:
        names = _span(newer)
        if stopped and stopped[0].stage is Stage.GLIBC:
            glibc = newer[0].glibc
            yield f"{names} {'run' if len(newer) > 1 else 'runs'} on glibc {glibc[0]}.{glibc[1]}"
        else:
            yield f"it has wheels for {names}"
        return
    if earlier := [other.runtime for other in known if other.python < target.python and runs(other)]:
        yield f"it has wheels for {_words(earlier)}"
    for architecture in target.facts.architectures:
        if architecture != target.architecture and runs(Target(target.runtime, architecture)):
            yield f'architecture = "{architecture}" has a wheel'


def _span(newer: Sequence[Target]) -> str:
    """`python3.12 and later` where that is every verified runtime from the first on; else each by name."""
    names = [other.runtime for other in newer]
    verified = [facts.name for facts in runtimes().values() if facts.verified]
    whole = len(names) > 1 and names == verified[verified.index(names[0]) :]
    return f"{names[0]} and later" if whole else _words(names)


def _offer(pin: Pin, wheels: Sequence[Refused], target: Target, stopped: Sequence[Obstacle]) -> Iterator[str]:
    """What there is instead, a line each."""
    unfit = _wrong_python(pin, target)
    if unfit and any(wheel.reason == unfit for wheel in wheels):
        yield f"it {unfit}"
    elif stopped:
        # Other Pythons explain everything where there is no wheel for this one, and nothing where there is.
        pythons = stopped[0].stage is Stage.PYTHON
        offers = [escaped(found.offers) for found in stopped if (found.stage is Stage.PYTHON) == pythons]
        yield f"the lock offers {', '.join(dict.fromkeys(offers))}"
    for wheel in wheels:
        if problem := _parsed(pin, wheel.filename)[2]:
            yield f"`{printable(wheel.filename)}` {problem}"


def _words(names: Iterable[str]) -> str:
    """a, b and c"""
    *head, last = list(names)
    return f"{', '.join(head)} and {last}" if head else last
