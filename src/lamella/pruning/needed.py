"""Modules that a rule would drop and something needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from lamella.archive.entry import content
from lamella.pruning.imports import imported
from lamella.pruning.model import Fate, File
from lamella.pruning.sources import code, module_of

_DOTTED_STRING = re.compile(rb"[\"']([A-Za-z_]\w*\.[\w.]*)", re.ASCII)
# What a module has that looks for files beside itself
_READS_FILES = (b"__file__", b"importlib.resources", b"importlib_resources", b"pkgutil", b"get_data")


class Search:
    """What of the files that rules may drop (their places, `open`) is needed by what is kept.

    That is: each module that the source of a kept one imports or names in a string, or an entry point names, with the
    packages that it is in, and what these need in turn.  A file that is no module stays when its package itself is
    named, or when a module there that stays looks for files, if the rule that would drop it is that module's; and when
    an entry point names its folder.

    `look` at each source that is kept, once; then `run`.
    """

    def __init__(self, files: Sequence[File], kept: Iterable[int], open: Iterable[int]) -> None:
        self.files = files
        names = (module_of(files[place].path) for place in open if files[place].at_site)
        self.open = {name for name in names if name}
        self.alive = self._alive(place for place in kept)  # modules that are kept, and the packages around them
        self.words = frozenset(map(self._word, self.open))
        # One that is part of another finds that as well
        self.parts = [
            word.encode() for word in self.words if not any(other in word for other in self.words if other != word)
        ]
        self.says: dict[int, tuple[set[str], set[str]]] = {}
        self.found: dict[int, str] = {}
        self.waiting: list[int] = []
        self.whole: dict[tuple[str, str | None], str] = {}  # folders whose other files stay, of a rule or of any: why

    def look(self, place: int, source: bytes) -> None:
        """Take in what the `source` at `place`, which is kept, imports or names."""
        if not any(part in source for part in self.parts):
            return
        imports, strings = _said(self.files[place].path, source)
        # The rest, which is nearly all, needs nobody to remember it
        imports, strings = set(filter(self._is_about, imports)), set(filter(self._is_about, strings))
        if imports or strings:
            self.says[place] = (imports, strings)

    def run(self, kept: Iterable[int], dropped: Mapping[int, Fate]) -> dict[int, str]:
        """Those of `dropped` that what is `kept` needs, each with a sentence on who needs it.  DamagedSourceError."""
        self.dropped = dropped
        self.modules: dict[str, list[int]] = {}
        self.rules: dict[str, set[str]] = {}  # packages of which nothing is kept → the rules that are about them
        for place, fate in dropped.items():
            path = self.files[place].path
            if self.files[place].at_site and (name := module_of(path)):
                self.modules.setdefault(name, []).append(place)
                ends = [*_dots(name), *([len(name)] if path.rpartition("/")[2].startswith("__init__.") else [])]
                for at in ends:
                    if name[:at] not in self.alive:
                        self.rules.setdefault(name[:at], set()).add(fate.rule)
        for place in kept:
            if place in self.says:
                self._take(place, *self.says[place])
            elif self.files[place].path.endswith(".dist-info/entry_points.txt"):
                self._entry_points(place)
        while self.waiting:
            self._read(self.waiting.pop())
        self._other_files()
        return self.found

    def _alive(self, kept: Iterable[int]) -> set[str]:
        alive: set[str] = set()
        for place in kept:
            if self.files[place].at_site and (name := module_of(self.files[place].path)):
                while name and name not in alive:
                    alive.add(name)
                    name = name.rpartition(".")[0]
        return alive

    def _word(self, module: str) -> str:
        """What any import of the dropped `module` from outside of what is dropped has in it.

        That is the first part of its name below the last package of which something is kept: `tests` for
        `numpy.tests.test_api`.
        """
        dead = (module[:at] for at in (*_dots(module), len(module)) if module[:at] not in self.alive)
        return next(dead, module).rpartition(".")[2]

    def _is_about(self, name: str) -> bool:
        return not self.words.isdisjoint(name.split("."))

    def _read(self, place: int) -> None:
        """Take in what a module that stays after all says."""
        source = code(self.files[place])
        if source is None:
            return
        path = self.files[place].path
        if any(word in source for word in _READS_FILES):
            who = f"`{path}`, which stays, looks for files beside it"
            self._stays_whole(path.rpartition("/")[0], who, self.dropped[place].rule)
        self._take(place, *_said(path, source))

    def _take(self, place: int, imports: Iterable[str], strings: Iterable[str]) -> None:
        for verb, names in (("imports", imports), ("names", strings)):
            for name in sorted(names):
                self._need(name, f"`{self.files[place].path}` {verb}")

    def _entry_points(self, place: int) -> None:
        """Any group's; one may name a folder of data alone: `pkg_config` does."""
        file = self.files[place]
        for line in content(file.entry).decode("utf-8", "replace").splitlines():
            _, equals, value = line.partition("=")
            if equals and (name := value.partition(":")[0].partition("[")[0].strip()):
                who = f"an entry point in `{file.path}` names"
                self._need(name, who)
                if name not in self.alive and name not in self.modules:
                    self._stays_whole(name.replace(".", "/"), f"{who} `{name}`", None)

    def _need(self, name: str, who: str) -> None:
        """The module `name`, or the one that it is an attribute of, stays with the packages that it is in."""
        ends = [*_dots(name), len(name)]
        wanted = [name[:at] for at in ends if name[:at] in self.modules or name[:at] in self.rules]
        if not wanted:
            return
        reason = f"{who} `{wanted[-1]}`"
        for rule in self.rules.get(name, ()):
            self._stays_whole(name.replace(".", "/"), reason, rule)
        for module in wanted:
            for place in self.modules.get(module, ()):
                if place not in self.found:
                    self.found[place] = reason
                    self.waiting.append(place)

    def _stays_whole(self, folder: str, who: str, rule: str | None) -> None:
        self.whole.setdefault((folder, rule), who)

    def _other_files(self) -> None:
        """Files that are no modules, in folders that stay whole."""
        if not self.whole:
            return
        for place, fate in self.dropped.items():
            file = self.files[place]
            if not file.at_site or module_of(file.path) is not None:
                continue
            folder, of_others = file.path, False
            while "/" in folder:
                folder = folder.rpartition("/")[0]
                package = folder.replace("/", ".")
                # What looks for files beside a kept package doesn't look for those of its test suite
                if of_others and package in self.alive:
                    break
                if who := self.whole.get((folder, fate.rule)) or self.whole.get((folder, None)):
                    self.found[place] = who
                    break
                of_others = of_others or package in self.rules


def _said(path: str, source: bytes) -> tuple[set[str], set[str]]:
    """The names that a source imports, and those that stand in strings."""
    strings = {match[1].decode("ascii").rstrip(".") for match in _DOTTED_STRING.finditer(source)}
    return imported(path, source), strings


def _dots(name: str) -> list[int]:
    return [at for at, letter in enumerate(name) if letter == "."]
