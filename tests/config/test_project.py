from __future__ import annotations

from typing import Any

import pytest

from lamella.config.project import project_of
from lamella.errors import ConfigError


def test_a_project() -> None:
    tables: dict[str, Any] = {
        "project": {
            "name": "Zope.Interface",
            "requires-python": ">=3.12",
            "dependencies": ["a"],
            "optional-dependencies": {"Big_One": []},
        },
        "dependency-groups": {"Test_Two": []},
    }
    project = project_of(tables, "pyproject.toml")
    assert (project.name, project.requires_python) == ("zope-interface", ">=3.12")
    assert project.extras == frozenset({"big-one"})
    assert project.groups == frozenset({"test-two"})
    assert project.dependencies


def test_dynamic_fields_are_told_elsewhere() -> None:
    project = project_of({"project": {"name": "a", "dynamic": ["dependencies", "optional-dependencies"]}}, "p")
    assert project.dependencies
    assert project.extras is None


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (3, "`project` in p must be a table\n  found the integer 3\n  hint: correct its type"),
        ({"name": 3}, "`[project] name` in p must be a string\n  found the integer 3\n  hint: correct its type"),
        (
            {"name": "a b"},
            '`[project] name` in p is no valid name\n  found the string "a b"\n'
            "  hint: use ASCII letters and digits, with `.`, `_` or `-` between them",
        ),
        (
            {"requires-python": [">=3"]},
            "`[project] requires-python` in p must be a string\n  found a list\n  hint: correct its type",
        ),
    ],
)
def test_refusals(table: object, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        project_of({"project": table}, "p")
    assert str(caught.value) == text
