"""Licences of what artifacts hold: as tables, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lamella.sbom.info import licence_info

if TYPE_CHECKING:
    from lamella.report.console import Console
    from lamella.sbom.model import Component, Inventory


def show_licences(console: Console, inventories: Sequence[Inventory]) -> None:
    """A table for each artifact that holds distributions, and all of its licences in one line behind it."""
    for inventory in inventories:
        key = inventory.artifact.key
        if not inventory.components:
            console.say(f"`{key}` holds no distribution")
            continue
        rows = [_row(component) for component in inventory.components]
        console.table(("distribution", "version", "licence", "licence files"), rows, right=frozenset())
        console.data(f"Licences of `{key}`: {licence_info(inventory)}")


def _row(component: Component) -> tuple[str, ...]:
    names = [path.rpartition("/")[2] for path in component.licence_files]
    files = names[0] + (f" and {len(names) - 1} more" if names[1:] else "") if names else "none"
    return (component.name, component.version, shown(component), files)


def shown(component: Component) -> str:
    """The licence as people read it; one that SPDX has no words for is said to be that."""
    if component.licence.expression:
        return component.licence.expression
    if component.licence.stated:
        return f"unknown, stated as {', '.join(f'`{word}`' for word in component.licence.stated)}"
    return "unknown, none is stated" if component.metadata else "unknown, there is no METADATA"


def as_json(inventories: Sequence[Inventory]) -> str:
    """One object by artifact: `licence_info`, and a row for each distribution.

    `licence` is an SPDX expression or null, `stated` what the author wrote instead.
    """
    return json.dumps({inventory.artifact.key: _tree(inventory) for inventory in inventories}, indent=2)


def _tree(inventory: Inventory) -> dict[str, object]:
    return {
        "licence_info": licence_info(inventory),
        "distributions": [
            {
                "name": component.name,
                "version": component.version,
                "licence": component.licence.expression or None,
                "stated": list(component.licence.stated),
                "licence_files": list(component.licence_files),
            }
            for component in inventory.components
        ],
    }
