from __future__ import annotations

from collections.abc import Callable

import pytest

from lamella.config.model import Settings

Read = Callable[[str], Settings]
Refusal = Callable[[str], str]

ARN = "arn:aws:lambda:eu-west-1:123456789012:layer:other"
API = "`[tool.lamella.functions.api]"
TWO_LAYERS = "[tool.lamella.layers.base]\n[tool.lamella.layers.images]\nruntime = ['python3.13', 'python3.14']\n"
REFUSALS = [
    ("", f'{API} handler` in pyproject.toml is needed\n  hint: write `handler = "module.path.function"`'),
    (
        "handler = 'app'",
        f"{API} handler` in pyproject.toml must look like `module.path.function`\n"
        '  found the string "app"\n'
        '  hint: write `handler = "module.path.function"`',
    ),
    (
        "handler = 'src/app.handler'",
        f"{API} handler` in pyproject.toml must look like `module.path.function`\n"
        '  found the string "src/app.handler"\n'
        '  hint: write `handler = "module.path.function"`',
    ),
    (
        "handler = 'a.b'\nlayers = ['bse']",
        f"{API} layers` in pyproject.toml lists `bse`, which is no layer\n"
        "  the project's layers: base, images\n"
        "  hint: did you mean `base`?",
    ),
    (
        "handler = 'a.b'\nlayers = ['xyz']",
        f"{API} layers` in pyproject.toml lists `xyz`, which is no layer\n"
        "  the project's layers: base, images\n"
        "  hint: declare it below `layers`, or give the ARN of a layer version",
    ),
    (
        f"handler = 'a.b'\nlayers = ['{ARN}']",
        f"{API} layers` in pyproject.toml lists `{ARN}`, which is no ARN of a layer version\n"
        "  hint: it must look like `arn:aws:lambda:REGION:123456789012:layer:NAME:VERSION`",
    ),
    (
        f"handler = 'a.b'\nlayers = ['{ARN}:1', '{ARN}:2']",
        f"{API} layers` in pyproject.toml lists two versions of one layer\n"
        f"  `{ARN}:1`\n"
        f"  `{ARN}:2`\n"
        "  hint: Lambda allows one version of a layer in a function: remove the other",
    ),
    (
        "handler = 'a.b'\nlayers = ['base', 'base']",
        f"{API} layers` in pyproject.toml lists `base` twice\n  hint: remove one of them",
    ),
    (
        f"handler = 'a.b'\nlayers = ['base', {', '.join(repr(f'{ARN}{n}:1') for n in range(5))}]",
        f"{API} layers` in pyproject.toml lists 6 layers\n"
        "  Lambda allows 5 in a function\n"
        "  hint: merge some of them, or put distributions into the function's `bundle`",
    ),
    (
        "handler = 'a.b'\nlayers = ['base', 'images']",
        f"{API} runtime` in pyproject.toml is python3.12, and its layer `images` is not built for that\n"
        "  the layer's runtimes: python3.13, python3.14\n"
        "  hint: give the layer `python3.12` too, or the function one of the layer's",
    ),
    (
        "handler = 'a.b'\nruntime = ['python3.12']",
        f'{API} runtime` in pyproject.toml must be a string\n  found a list\n  hint: write `runtime = "…"`',
    ),
    (
        "handler = 'a.b'\nbundle = ['./local']",
        f"{API} bundle` in pyproject.toml holds what is no name of a distribution\n"
        '  found the string "./local"\n'
        "  hint: write the name alone: the lock pins its version",
    ),
]


@pytest.mark.parametrize(("keys", "text"), REFUSALS)
def test_refusals(refusal: Refusal, keys: str, text: str) -> None:
    assert refusal(f"{TWO_LAYERS}[tool.lamella.functions.api]\n{keys}\n") == text


def test_the_default_is_the_newest_runtime_of_the_project(settings: Read) -> None:
    function = '[tool.lamella]\nruntime = ["python3.13", "python3.9", "python3.12"]\n[tool.lamella.functions.api]\n'
    assert settings(f'{function}handler = "a.b"\n').functions[0].runtime == "python3.13"


def test_five_layers_are_fine(settings: Read) -> None:
    used = [f"{ARN}{number}:1" for number in range(4)] + ["base"]
    tables = f"{TWO_LAYERS}[tool.lamella.functions.api]\nhandler = 'a.b'\nlayers = {used}\n"
    assert settings(tables).functions[0].layers == tuple(used)


def test_a_handler_that_is_too_long(refusal: Refusal) -> None:
    handler = "a." + "b" * 127
    lines = refusal(f"[tool.lamella.functions.api]\nhandler = '{handler}'\n").splitlines()
    assert lines[2] == "  it has 129 characters, AWS takes 128"
