"""The table of rules → what they would drop."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from lamella.facts import tables
from lamella.pruning.model import Fate, File
from lamella.pruning.patterns import compiled
from lamella.pruning.sources import module_of

# Distributions whose business is tests: `opentelemetry-test-utils` has nothing but `opentelemetry/test/`
_ABOUT_TESTS = re.compile(r"(?:^|-)tests?(?:ing)?(?:-|$)")


def matched(files: Sequence[File], kept: Iterable[int], places: Iterable[int], profile_of: Sequence[str]) -> list[int]:
    """The number of the rule that is about each of `files`, or -1; rules are asked about those at `places` alone.

    `kept` are the places of all that is still in, and `profile_of` has each file's profile.
    """
    table = [(number, rule, compiled(rule.drops), compiled(rule.never)) for number, rule in enumerate(tables.pruning())]
    paths = {files[place].path for place in kept}
    by = [-1] * len(files)
    for place in places:
        file = files[place]
        if not file.at_site:
            continue
        parts = file.path.split("/")
        for number, rule, drops, never in table:
            if (
                drops.match(file.path, parts)
                and profile_of[place] in rule.profiles
                and file.distribution not in rule.spares
                and not (rule.distributions and file.distribution not in rule.distributions)
                and not never.match(file.path, parts)
                and (not rule.beside or os.path.splitext(file.path)[0] + rule.beside in paths)
            ):
                by[place] = number
                break
    _spare_those_about_tests(files, by)
    return by


def _spare_those_about_tests(files: Sequence[File], by: list[int]) -> None:
    """Distributions that are all tests, or about tests by their name, keep their modules."""
    having = {file.distribution for file, number in zip(files, by, strict=True) if number < 0 and module_of(file.path)}
    for place, file in enumerate(files):
        name = file.distribution
        if by[place] >= 0 and module_of(file.path) and (name not in having or _ABOUT_TESTS.search(name)):
            by[place] = -1


class Stays:
    """Files that rules are about (`by`, see `matched`) and that stay for what kept sources say.

    `look` at each of those once.
    """

    def __init__(self, files: Sequence[File], by: Sequence[int]) -> None:
        self.files = files
        self.by = by
        self._found: set[int] = set()
        rules = tables.pruning()
        about = {number for number in by if number >= 0}
        self._for = {number: _bytes(rules[number].stays_for) for number in about if rules[number].stays_for}
        self._beside: dict[str, list[tuple[int, list[bytes]]]] = {}  # path of a source → files that stay for a word
        self._named: dict[str, dict[bytes, list[int]]] = {}  # distribution → name of a file → files
        for place, number in enumerate(by):
            if number >= 0 and rules[number].stays_beside:
                self._wait_beside(place, _bytes(rules[number].stays_beside))
            if number >= 0 and rules[number].stays_if_named:
                names = self._named.setdefault(files[place].distribution, {})
                names.setdefault(files[place].path.rpartition("/")[2].encode(), []).append(place)
        self._ends = _ends_of_strings({name for names in self._named.values() for name in names})

    def _wait_beside(self, place: int, words: list[bytes]) -> None:
        folder, slash, name = self.files[place].path.rpartition("/")
        for beside in {name.partition(".")[0], "__init__"}:
            self._beside.setdefault(f"{folder}{slash}{beside}.py", []).append((place, words))

    def look(self, place: int, source: bytes) -> None:
        """Take in the `source` of the module at `place`."""
        file = self.files[place]
        for number, words in list(self._for.items()):
            if any(word in source for word in words):
                del self._for[number]
                self._found.update(place for place, by in enumerate(self.by) if by == number)
        for waiting, words in self._beside.get(file.path, ()):
            if any(word in source for word in words):
                self._found.add(waiting)
        if names := self._named.get(file.distribution):
            for match in self._ends(source):
                line = source[max(0, match.end() - 201) : match.end() - 1]
                self._found.update(names.pop(re.split(rb"[/\"'\s]", line)[-1], ()))

    def dropped(self) -> dict[int, Fate]:
        """The fates of the others, by their place, before anybody asks who imports them."""
        fates = [Fate(False, rule.name, rule.reason) for rule in tables.pruning()]
        return {
            place: fates[number] for place, number in enumerate(self.by) if number >= 0 and place not in self._found
        }


def _bytes(words: Iterable[str]) -> list[bytes]:
    return [word.encode() for word in words]


def _ends_of_strings(names: Iterable[bytes]) -> Callable[[bytes], Iterator[re.Match[bytes]]]:
    """What finds the ends of strings that may be one of the `names`: their endings, with the quote."""
    dotted = {ending for name in names if (ending := name.rpartition(b".")[2]) != name}
    plain = {name for name in names if b"." not in name}
    # A first letter that all have in common makes the search several times as fast
    either = [rb"\.(?:" + b"|".join(sorted(map(re.escape, dotted))) + rb")[\"']"] if dotted else []
    either += [re.escape(name) + rb"[\"']" for name in sorted(plain)]
    searches = [re.compile(pattern).finditer for pattern in either]
    return lambda text: chain.from_iterable(search(text) for search in searches)
