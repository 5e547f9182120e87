"""Variables of the Serverless Framework: ``${self:custom.name}``, ``${opt:stage, 'dev'}``, ``${file(a.yml):key}``.

Source: Serverless Framework documentation, "Variables" (v3 and v4, read on 2026-11-22).
"""

from __future__ import annotations

import os
import re

from lamella.errors import ConfigError
from lamella.migrate.model import Notes
from lamella.migrate.tree import Tree, load

_INNERMOST = re.compile(r"\$\{([^${}]*)\}")
_FILE = re.compile(r"file\(\s*([^)]+?)\s*\)(?::(.+))?")
_ROUNDS = 30  # variables within variables, and those that lead to others; a circle ends here
_LOOKED_UP = 20_000  # variables in one file
_STAGE = frozenset({"opt:stage", "sls:stage"})
_REGION = frozenset({"opt:region", "aws:region"})


class Variables:
    """Follows the variables of one serverless.yml in the folder `root`; what it takes for granted is in `notes`."""

    def __init__(self, root: str, top: Tree, notes: Notes) -> None:
        self._root = root
        self._top = top
        self._notes = notes
        self._following: list[str] = []
        self._followed = 0

    def tree(self, tree: Tree | None) -> Tree | None:
        """The value, or the one that its only variable leads to; None for nothing that can be followed."""
        for _ in range(_ROUNDS):
            text = tree.text() if tree is not None else None
            if tree is None or text is None or "${" not in text:
                return tree
            found = self._whole(text)
            if found is None:
                return tree
            tree = found
        return None

    def get(self, tree: Tree | None, *keys: str) -> Tree | None:
        """What stands below the keys, each followed."""
        at = self.tree(tree)
        for key in keys:
            at = self.tree(at.get(key)) if at is not None else None
        return at

    def text(self, tree: Tree | None) -> str | None:
        """The text with all variables filled in; None where one has no value here, which is an item."""
        followed = self.tree(tree)
        text = followed.text() if followed is not None else None
        if followed is None or text is None:
            return None
        for _ in range(_ROUNDS):
            match = _INNERMOST.search(text)
            if match is None:
                return text
            value = self._value(match.group(1), followed)
            if value is None:
                self._notes.open(
                    followed.place,
                    f"`${{{match.group(1)}}}` has no value that is known here",
                    "write the value where the proposal needs it; secrets belong in Secrets Manager or Parameter Store",
                )
                return None
            text = text[: match.start()] + value + text[match.end() :]
        return None

    def texts(self, tree: Tree | None) -> tuple[str, ...]:
        followed = self.tree(tree)
        if followed is None:
            return ()
        rows = followed.list() or (followed,)
        return tuple(text for text in map(self.text, rows) if text is not None)

    def whole(self, tree: Tree | None) -> int | None:
        text = self.text(tree)
        return int(text) if text is not None and text.strip().isdigit() else None

    @property
    def stage(self) -> str:
        given = self._top.get("provider", "stage")
        text = given.text() if given is not None else None
        if given is None or text is None:
            return "dev"  # the framework's own
        if "${" not in text:
            return text
        return (self.text(given) if not any(name in text and "," not in text for name in _STAGE) else None) or "dev"

    def _whole(self, text: str) -> Tree | None:
        """The value of a text that is one variable, where that can be more than a text."""
        match = _INNERMOST.fullmatch(text)
        inner = match.group(1).strip() if match else self._inlined(text)
        if inner is None:
            return None
        for part in _alternatives(inner):
            found = self._looked_up(part)
            if found is not None:
                return found
        return None

    def _inlined(self, text: str) -> str | None:
        """A variable whose name has variables: ``${self:custom.${opt:stage}}`` with the inner ones filled in."""
        for _ in range(_ROUNDS):
            match = _INNERMOST.search(text)
            if match is None:
                return None
            if match.group() == text:
                return match.group(1).strip()
            value = self._value(match.group(1), self._top)
            if value is None:
                return None
            text = text[: match.start()] + value + text[match.end() :]
        return None

    def _looked_up(self, part: str) -> Tree | None:
        """What a variable leads to; None for nothing, a circle, and where a file asks for too much."""
        if part in self._following or self._followed > _LOOKED_UP:
            return None
        self._following.append(part)
        self._followed += 1
        try:
            return self._found(part)
        finally:
            self._following.pop()

    def _found(self, part: str) -> Tree | None:
        if part.startswith("self:"):
            keys = [key for key in part.removeprefix("self:").split(".") if key]
            return self.get(self._top, *keys) if keys else None
        match = _FILE.fullmatch(part)
        if match is None:
            return None
        file = os.path.normpath(match.group(1).strip("'\""))
        if os.path.isabs(file) or file.startswith("..") or not file.endswith((".yml", ".yaml", ".json")):
            return None
        try:
            top = load(self._root, file)
        except ConfigError:
            return None
        return self.get(top, *(match.group(2) or "").split(".")) if match.group(2) else top

    def _value(self, inner: str, near: Tree) -> str | None:
        """The text of what is between ``${`` and ``}``; the first alternative that has one."""
        parts = _alternatives(inner)
        if parts and parts[0] in _STAGE and near is not self._top:
            self._notes.mapped(
                near.place,
                f"`${{{inner}}}` is taken to be `{self._stage_of(parts)}`",
                "give other stages an `[environments.NAME]` of their own, with their names",
            )
        for part in parts:
            value = self._one(part, parts)
            if value is not None:
                return value
        return None

    def _one(self, part: str, parts: list[str]) -> str | None:
        if part in _STAGE:
            return self._stage_of(parts)
        if part in _REGION:
            given = self._top.get("provider", "region")
            text = given.text() if given is not None else None
            return text if text and "${" not in text else None
        if part in ("self:service", "self:service.name"):
            service = self.tree(self._top.get("service"))
            return (service.text() or self.text(service.get("name"))) if service is not None else None
        if part == "self:provider.stage":
            return self.stage
        if part[:1] in "'\"" and part:
            return part.strip("'\"")
        if part.isdigit() or part in ("true", "false"):
            return part
        found = self._looked_up(part)
        return self.text(found) if found is not None and found.text() is not None else None

    def _stage_of(self, parts: list[str]) -> str:
        literal = next((part.strip("'\"") for part in parts if part[:1] in "'\"" and part), None)
        return literal or self.stage


def _alternatives(inner: str) -> list[str]:
    """The parts between commas; one within quotes or parentheses separates nothing."""
    return [part.strip() for part in re.split(r",(?=(?:[^'\"]*['\"][^'\"]*['\"])*[^'\"]*$)(?![^(]*\))", inner)]
