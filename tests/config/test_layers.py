from __future__ import annotations

from collections.abc import Callable

import pytest

from lamella.config.model import Settings
from lamella.facts.tables import runtimes

Read = Callable[[str], Settings]
Refusal = Callable[[str], str]

LAYER = "`[tool.lamella.layers.layer]"
REFUSALS = [
    (
        f"description = '{'é' * 257}'",
        f"{LAYER} description` in pyproject.toml is too long\n"
        "  it has 257 characters, AWS takes 256\n"
        "  hint: shorten it, or remove it: one is made from what is in the layer",
    ),
    (
        "name = 'a.b'",
        f"{LAYER} name` in pyproject.toml is no name that AWS accepts\n"
        '  found the string "a.b"\n'
        "  hint: write a `name` of at most 140 ASCII letters, digits, `-` and `_`",
    ),
    (
        "runtime = '3.12'",
        f"{LAYER} runtime` in pyproject.toml names an unknown runtime `3.12`\n"
        f"  known are {', '.join(runtimes())}\n"
        "  hint: did you mean `python3.12`?",
    ),
    (
        "runtime = []",
        f'{LAYER} runtime` in pyproject.toml must name a runtime\n  hint: write `runtime = "python3.13"`, say',
    ),
    (
        "runtime = ['python3.12', 'python3.12']",
        f"{LAYER} runtime` in pyproject.toml lists `python3.12` twice\n  hint: remove one of them",
    ),
    (
        "groups = ['workers']",
        f"{LAYER} groups` in pyproject.toml names `workers`, which pyproject.toml doesn't have\n"
        "  `[dependency-groups]` has: worker\n"
        "  hint: did you mean `worker`?",
    ),
    (
        "extras = ['audio']",
        f"{LAYER} extras` in pyproject.toml names `audio`, which pyproject.toml doesn't have\n"
        "  `[project.optional-dependencies]` has: images\n"
        "  hint: add it to `[project.optional-dependencies]`, or remove it here",
    ),
    (
        "extras = ['a b']",
        f"{LAYER} extras` in pyproject.toml holds what is no name of an extra\n"
        '  found the string "a b"\n'
        "  hint: use ASCII letters and digits, with `-` between them",
    ),
    (
        "packages = ['numpy==2']",
        f"{LAYER} packages` in pyproject.toml holds what is no name of a distribution\n"
        '  found the string "numpy==2"\n'
        "  hint: write the name alone: the lock pins its version",
    ),
    (
        "packages = ['a.b', 'A_B']",
        f"{LAYER} packages` in pyproject.toml lists `a-b` twice\n  hint: remove one of them",
    ),
    (
        "packages = ['numpy', 'boto3']\nexclude = ['Boto3']",
        f"{LAYER} exclude` in pyproject.toml takes away what `packages` asks for\n"
        "  both name `boto3`\n"
        "  hint: remove it from one",
    ),
]


@pytest.mark.parametrize(("keys", "text"), REFUSALS)
def test_refusals(refusal: Refusal, keys: str, text: str) -> None:
    assert refusal(f"[tool.lamella.layers.layer]\n{keys}\n") == text


def test_a_default_name_that_is_too_long(refusal: Refusal) -> None:
    key = "k" * 64
    function = f'[tool.lamella.functions.{key}]\nhandler = "a.b"\n'
    assert refusal(function) == (
        f"`[tool.lamella.functions.{key}] name` in pyproject.toml is needed\n"
        f"  its default, `spectra-{key}`, has 72 characters\n"
        "  hint: write a `name` of at most 64 ASCII letters, digits, `-` and `_`"
    )


def test_runtimes_are_sorted_by_age_not_by_letters(settings: Read) -> None:
    both = settings('[tool.lamella.layers.layer]\nruntime = ["python3.10", "python3.9"]\n')
    assert both.layers[0].runtimes == ("python3.9", "python3.10")


def test_uv_keeps_an_older_spelling_of_the_dev_group(settings: Read) -> None:
    tables = '[tool.uv]\ndev-dependencies = ["ruff"]\n[tool.lamella.layers.layer]\ngroups = ["dev"]\n'
    assert settings(tables).layers[0].groups == ("dev",)


def test_a_description(settings: Read) -> None:
    text = "é" * 256
    assert settings(f'[tool.lamella.layers.layer]\ndescription = "{text}"\n').layers[0].description == text
    assert settings("[tool.lamella.layers.layer]\n").layers[0].description == ""
