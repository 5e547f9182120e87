"""A template of CloudFormation as text: YAML with its short functions, and names that it takes.

Sources: AWS CloudFormation user guide, "CloudFormation template format", "Resources section": a logical ID is
alphanumeric (A-Za-z0-9) and unique in the template (read on 2026-11-22).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from yaml import SafeDumper

_WIDTH = 120
# Their values are logical IDs and attributes
_BARE = ("!Ref", "!GetAtt")


class Function(NamedTuple):
    """``!Ref Layer``: one of CloudFormation's functions with the one text that it takes."""

    name: str
    value: str


class Row(NamedTuple):
    """A list that is written in one line."""

    items: tuple[str | int, ...]


def ref(logical_id: str) -> Function:
    return Function("!Ref", logical_id)


def arn(logical_id: str) -> Function:
    return Function("!GetAtt", f"{logical_id}.Arn")


def sub(text: str) -> Function:
    return Function("!Sub", text)


def text_of(comment: str, sections: dict[str, Any]) -> str:
    """The template: a line of comment, then the sections with a blank line between two, keys in their order."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
            super().increase_indent(flow, indentless=False)

        def choose_scalar_style(self) -> str:
            # With a tag there would be quotes, always
            bare = isinstance(self.event, yaml.ScalarEvent) and self.event.tag in _BARE
            return "" if bare else super().choose_scalar_style()

    def function(dumper: SafeDumper, data: Function) -> yaml.ScalarNode:
        return dumper.represent_scalar(data.name, data.value)

    def text(dumper: SafeDumper, data: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=_style(data))

    def row(dumper: SafeDumper, data: Row) -> yaml.SequenceNode:
        return dumper.represent_sequence("tag:yaml.org,2002:seq", data.items, flow_style=True)

    Dumper.add_representer(Function, function)
    Dumper.add_representer(Row, row)
    Dumper.add_representer(str, text)
    parts = []
    for name, content in sections.items():
        parts.append(yaml.dump({name: content}, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH))
    return f"# {comment}\n" + "\n".join(parts)


def _style(text: str) -> str | None:
    """Quotes where another reader of YAML may see a number or a date: `2.0`, `2010-09-09`, `1e3`, `0x10`."""
    return '"' if text[:1].isdigit() else None


def logical_ids(keys: Iterable[str], ending: str) -> dict[str, str]:
    """A logical ID for each key: `api-handler` is ``ApiHandler`` and the ending, if it doesn't end so by itself.

    Keys that come to the same have some of their digest behind, whichever of them comes first.
    """
    found = {key: _ended(camel(key), ending) for key in keys}
    often = Counter(found.values())
    return {key: name + (digest(key) if often[name] > 1 else "") for key, name in found.items()}


def camel(text: str) -> str:
    """The letters and digits (ASCII) of a text, each word with a capital: ``GET /v1/jobs`` is ``GETV1Jobs``."""
    spaced = "".join(one if one.isascii() and one.isalnum() else " " for one in text)
    return "".join(word[0].upper() + word[1:] for word in spaced.split())


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _ended(name: str, ending: str) -> str:
    return name if name.endswith(ending) else name + ending
