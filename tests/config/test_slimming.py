from __future__ import annotations

from collections.abc import Callable

import pytest

from lamella.config.model import Rules, Settings, Slimming

Read = Callable[[str], Settings]
Refusal = Callable[[str], str]

LAYER = "`[tool.lamella.layers.layer]"
EVERY_KEY = """\
profile = "lean"
bytecode = "instead"
compression = "max"
services = ["sqs", "s3"]
without = ["PyArrow:flight", "pyarrow:s3"]
keep = ["a/*"]
drop = ["b/*"]
split = true
distributions.Pandas = { profile = "none" }
distributions.numpy = { keep = ["numpy/f2py/"], drop = ["numpy/x"] }
"""
FILLED = Slimming(
    "lean", "instead", "max", ("s3", "sqs"), (("pyarrow", "flight"), ("pyarrow", "s3")), ("a/*",), ("b/*",),
    (("numpy", Rules(None, ("numpy/f2py/",), ("numpy/x",))), ("pandas", Rules("none"))), True,
)  # fmt: skip


def test_the_defaults(settings: Read) -> None:
    found = settings("[tool.lamella.layers.layer]\n[tool.lamella.functions.api]\nhandler = 'a.b'\n")
    assert found.layers[0].slimming == found.functions[0].slimming == Slimming()
    assert Slimming() == Slimming("safe", "beside", "fast", None, (), (), (), (), False)


def test_every_key_of_a_layer_and_of_a_function(settings: Read) -> None:
    found = settings(
        f"[tool.lamella.layers.layer]\nruntime = 'python3.12'\n{EVERY_KEY}"
        f"[tool.lamella.functions.api]\nhandler = 'a.b'\n{EVERY_KEY}"
    )
    assert found.layers[0].slimming == found.functions[0].slimming == FILLED


def test_no_service_is_not_all_of_them(settings: Read) -> None:
    assert settings("[tool.lamella.layers.layer]\nservices = []\n").layers[0].slimming.services == ()


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (
            "profile = 'save'",
            f"{LAYER} profile` in pyproject.toml must be one of none, safe, lean\n"
            '  found the string "save"\n  hint: did you mean `safe`?',
        ),
        (
            "compression = 9",
            f"{LAYER} compression` in pyproject.toml must be a string\n"
            '  found the integer 9\n  hint: write `compression = "…"`',
        ),
        (
            "split = 'yes'",
            f"{LAYER} split` in pyproject.toml must be true or false\n"
            '  found the string "yes"\n  hint: write `split = true`',
        ),
        (
            "without = ['flight']",
            f"{LAYER} without` in pyproject.toml holds what is no feature of a distribution\n"
            '  found the string "flight"\n  hint: write it as `"pyarrow:flight"`',
        ),
        (
            "without = ['pyarrow:s3', 'PyArrow:s3']",
            f"{LAYER} without` in pyproject.toml lists `pyarrow:s3` twice\n  hint: remove one of them",
        ),
        (
            "runtime = ['python3.11', 'python3.12']\nbytecode = 'instead'",
            f"{LAYER} bytecode` in pyproject.toml can't be `instead` in a layer for several runtimes\n"
            "  bytecode without its source serves one minor version of Python\n"
            '  hint: give each runtime a layer of its own, or write `bytecode = "beside"`',
        ),
        (
            "distributions = ['numpy']",
            f"{LAYER} distributions` in pyproject.toml must be a table of tables\n"
            "  found a list\n  hint: write `[tool.lamella.layers.layer.distributions.NAME]`",
        ),
        (
            "distributions.numpy = { keeps = [] }",
            "`[tool.lamella.layers.layer.distributions.numpy] keeps` in pyproject.toml is not a known key\n"
            "  known keys: drop, keep, profile\n  hint: did you mean `keep`?",
        ),
        (
            "distributions.numpy = {}\ndistributions.NumPy = {}",
            "`[tool.lamella.layers.layer.distributions.NumPy]` in pyproject.toml is there twice\n"
            "  hint: write each distribution's name once",
        ),
    ],
)
def test_refusals(refusal: Refusal, lines: str, text: str) -> None:
    assert refusal(f"[tool.lamella.layers.layer]\n{lines}\n") == text


def test_a_key_that_a_part_of_a_split_layer_may_get(refusal: Refusal) -> None:
    text = "[tool.lamella.layers.data]\nsplit = true\n[tool.lamella.functions.data-2]\nhandler = 'a.b'\n"
    assert refusal(text) == (
        "`[tool.lamella.functions.data-2]` in pyproject.toml has a name that is taken\n"
        "  `data` is split: its parts are data-1 to data-5\n"
        "  hint: rename it"
    )
