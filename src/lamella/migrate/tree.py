"""YAML with the line of every value, CloudFormation's short tags included.  Nothing is expanded before it is asked for.

Source: AWS CloudFormation user guide, "Intrinsic function reference": ``!Name value`` is ``{"Fn::Name": value}``, and
``!Ref``, ``!Condition`` have no ``Fn::`` (read on 2026-11-22).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lamella.errors import ConfigError
from lamella.migrate.model import Place

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, ScalarNode, SequenceNode

    Node = MappingNode | ScalarNode | SequenceNode

_YAML = "tag:yaml.org,2002:"
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})
_LONGEST = 4_000_000  # bytes; CloudFormation takes templates of 1 MB


class Tree:
    """One value of a YAML file.  What it is not, it has not: `text()` of a list is None, `items()` of a text is ()."""

    def __init__(self, node: Node, file: str) -> None:
        self._node = node
        self._file = file

    @property
    def place(self) -> Place:
        return Place(self._file, self._node.start_mark.line + 1)

    @property
    def null(self) -> bool:
        return bool(self._node.tag == f"{_YAML}null")

    def text(self) -> str | None:
        """A string, or a number or boolean as it is written."""
        if self._node.id != "scalar" or self.null or self._node.tag.startswith("!"):
            return None
        return str(self._node.value)

    def whole(self) -> int | None:
        text = self.text()
        try:
            return None if text is None else int(text)
        except ValueError:
            return None

    def flag(self) -> bool | None:
        text = (self.text() or "").lower()
        return True if text in _TRUE else False if text in _FALSE else None

    def items(self) -> tuple[tuple[str, Tree], ...]:
        """The pairs of a mapping, merge keys (``<<``) included; the first of two equal keys is the one that counts."""
        found: dict[str, Tree] = {}
        _collect(self._node, self._file, found, ())
        return tuple(found.items())

    def get(self, *keys: str) -> Tree | None:
        """What stands at the key, or below several."""
        at: Tree | None = self
        for key in keys:
            at = dict(at.items()).get(key) if at is not None else None
        return None if at is None or at.null else at

    def list(self) -> tuple[Tree, ...]:
        if self._node.id != "sequence" or self._node.tag.startswith("!"):
            return ()
        return tuple(Tree(node, self._file) for node in self._node.value)

    def texts(self) -> tuple[str, ...]:
        """The texts of a list, or the one text."""
        one = self.text()
        return (one,) if one is not None else tuple(text for text in map(Tree.text, self.list()) if text is not None)

    def call(self) -> tuple[str, Tree] | None:
        """An intrinsic function and its argument, the name without ``Fn::``: ("Ref", …), ("GetAtt", …)."""
        tag = self._node.tag
        if tag.startswith("!"):
            return tag[1:], Tree(_untagged(self._node), self._file)
        pairs = self.items()
        if len(pairs) == 1 and (pairs[0][0] in ("Ref", "Condition") or pairs[0][0].startswith("Fn::")):
            return pairs[0][0].removeprefix("Fn::"), pairs[0][1]
        return None


def _untagged(node: Node) -> Node:
    kind = {"scalar": "str", "sequence": "seq", "mapping": "map"}[node.id]
    return type(node)(f"{_YAML}{kind}", node.value, node.start_mark, node.end_mark)


def _collect(node: Node, file: str, found: dict[str, Tree], above: tuple[int, ...]) -> None:
    if node.id != "mapping":
        return
    merged = []
    for key, value in node.value:
        if key.tag == f"{_YAML}merge":
            merged.append(value)
        elif key.id == "scalar":
            found.setdefault(str(key.value), Tree(value, file))
    for value in merged:
        for one in value.value if value.id == "sequence" else (value,):
            if one.id == "mapping" and id(one) not in above:  # a mapping may merge itself
                _collect(one, file, found, (*above, id(node)))


def parse(text: str, file: str) -> Tree | None:
    """The first document of `text`; None for an empty one.  Raises ConfigError, which calls it `file`."""
    import yaml

    try:
        # libyaml's loader ends the process where a file is nested deeply (PyYAML 6.0.3)
        node = next(iter(yaml.compose_all(text, Loader=yaml.SafeLoader)), None)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise _wrong(file, f"{where}{error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise _wrong(file, str(error).splitlines()[0]) from None
    except RecursionError:
        raise _wrong(file, "nested too deeply") from None
    return None if node is None else Tree(node, file)  # type: ignore[arg-type]


def _wrong(file: str, why: str) -> ConfigError:
    return ConfigError(f"`{file}` is not valid YAML", why=(why,), hint="correct it")


def load(root: str, file: str) -> Tree | None:
    """The YAML file at `file`, relative to `root`.  Raises ConfigError."""
    return parse(content(root, file), file)


def content(root: str, file: str) -> str:
    """The text of a file of the project.  Raises ConfigError."""
    try:
        with open(os.path.join(root, file), "rb") as opened:
            data = opened.read(_LONGEST + 1)
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(f"`{file}` can't be read", why=(why,), hint="check its permissions") from None
    if len(data) > _LONGEST:
        raise ConfigError(f"`{file}` is too long to be read", why=(f"more than {_LONGEST:,} bytes",), hint="split it")
    return data.decode("utf-8-sig", "replace")
