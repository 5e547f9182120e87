"""Values of a CloudFormation template: parameters with defaults, `!Ref`, `!Sub`, `!Join`, and SAM's Globals."""

from __future__ import annotations

import re

from lamella.migrate.model import Notes
from lamella.migrate.tree import Tree

_VARIABLE = re.compile(r"\$\{([^{}!]+)\}")


class Values:
    """Texts of the template `top`; the default of a parameter is taken for its value, which is an item."""

    def __init__(self, top: Tree | None, notes: Notes) -> None:
        self._parameters = top.get("Parameters") if top is not None else None
        self._notes = notes

    def text(self, tree: Tree | None, *, quiet: bool = False) -> str | None:
        """The text; None for none, and where AWS alone knows it, which is an item unless `quiet`."""
        if tree is None:
            return None
        found = self._text(tree)
        if found is None and tree.call() is not None and not quiet:
            self._notes.open(tree.place, "a value that CloudFormation computes", "write the value by hand")
        return found

    def texts(self, tree: Tree | None) -> tuple[str, ...]:
        if tree is None:
            return ()
        rows = tree.list() or (tree,)
        return tuple(text for row in rows if (text := self._text(row)) is not None)

    def whole(self, tree: Tree | None) -> int | None:
        text = self.text(tree)
        return int(text) if text is not None and text.strip().isdigit() else None

    def _text(self, tree: Tree) -> str | None:
        call = tree.call()
        if call is None:
            return tree.text()
        name, argument = call
        if name == "Ref":
            return self._parameter(argument.text() or "", tree)
        if name == "Sub":
            return self._substituted(argument, tree)
        if name == "Join" and len(argument.list()) == 2:
            separator, parts = argument.list()
            texts = [self._text(part) for part in parts.list()]
            known = [text for text in texts if text is not None]
            return (separator.text() or "").join(known) if texts and len(known) == len(texts) else None
        return None

    def _parameter(self, name: str, tree: Tree) -> str | None:
        default = self._parameters.get(name, "Default") if self._parameters is not None else None
        text = default.text() if default is not None else None
        if text is not None:
            self._notes.mapped(
                tree.place,
                f"the parameter `{name}` is taken to be its default, `{text}`",
                "give other values an `[environments.NAME]` of their own",
            )
        return text

    def _substituted(self, argument: Tree, tree: Tree) -> str | None:
        rows = argument.list()
        text = rows[0].text() if rows else argument.text()
        own = dict(rows[1].items()) if len(rows) > 1 else {}
        if text is None:
            return None
        for match in list(_VARIABLE.finditer(text)):
            name = match.group(1).strip()
            value = self._text(own[name]) if name in own else self._parameter(name, tree)
            if value is None:
                return None
            text = text.replace(match.group(), value)
        return text.replace("${!", "${")


def properties(one: Tree, shared: Tree | None) -> dict[str, Tree]:
    """The properties of a resource, with those that `Globals` has for its kind.

    Lists are joined in the template, Globals' first; of a mapping (Environment) the resource's own keys win.  Both are
    done where they are read: here a list or mapping of both is a `_Joined` one.
    """
    own = one.get("Properties")
    found = dict(own.items()) if own is not None else {}
    for key, value in shared.items() if shared is not None else ():
        if value.null:
            continue
        found[key] = (
            Joined(value, found[key]) if key in found and (value.list() or value.items()) else found.get(key, value)
        )
    return found


class Joined(Tree):
    """Two lists behind each other, or two mappings in one, the second's keys first."""

    def __init__(self, first: Tree, second: Tree) -> None:
        super().__init__(second._node, second._file)
        self._first = first
        self._second = second

    def list(self) -> tuple[Tree, ...]:
        return (*self._first.list(), *self._second.list())

    def items(self) -> tuple[tuple[str, Tree], ...]:
        own = dict(self._second.items())
        found: dict[str, Tree] = {}
        for name, value in self._first.items():
            both = name in own and bool(value.items()) and value.call() is None
            found[name] = Joined(value, own[name]) if both else own.get(name, value)
        return tuple({**found, **{name: value for name, value in own.items() if name not in found}}.items())

    def call(self) -> tuple[str, Tree] | None:
        return self._second.call()
