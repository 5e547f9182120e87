from __future__ import annotations

from collections.abc import Callable

import pytest

from lamella.config.model import FunctionSettings, Settings

Read = Callable[[str], Settings]
Refusal = Callable[[str], str]

FUNCTION = "[tool.lamella.functions.app]\nhandler = 'a.b'\n"
APP = "`[tool.lamella.functions.app]"
VARIABLES = "`[tool.lamella.functions.app.environment]"


def function(settings: Read, keys: str) -> FunctionSettings:
    return settings(f"{FUNCTION}{keys}\n").functions[0]


def test_what_lambda_takes_where_nothing_is_said(settings: Read) -> None:
    found = function(settings, "")
    assert (found.memory, found.timeout, found.environment, found.alias) == (128, 3, (), "")


@pytest.mark.parametrize(("memory", "timeout"), [(128, 1), (10240, 900), (1769, 29)])
def test_sizes_and_times(settings: Read, memory: int, timeout: int) -> None:
    found = function(settings, f"memory = {memory}\ntimeout = {timeout}")
    assert (found.memory, found.timeout) == (memory, timeout)


def test_variables_keep_their_order_and_may_hold_anything_but_nul(settings: Read) -> None:
    found = function(settings, 'environment = { ZZ = "", aB_1 = "two\\nlines", LAMBDA_X = "é" }')
    assert found.environment == (("ZZ", ""), ("aB_1", "two\nlines"), ("LAMBDA_X", "é"))


def test_variables_together_have_a_limit_in_bytes(settings: Read, refusal: Refusal) -> None:
    assert function(settings, f'environment = {{ AB = "{"é" * 2047}" }}').environment[0][1] == "é" * 2047
    assert refusal(f'{FUNCTION}environment = {{ AB = "{"é" * 2047}", CD = "" }}\n') == (
        f"{APP} environment` in pyproject.toml holds 4,098 bytes of names and values\n"
        "  Lambda allows 4,096 in a function\n"
        "  hint: keep what is long in a file of the function, or in Parameter Store or Secrets Manager"
    )


REFUSALS = [
    (
        "memory = 64",
        f"{APP} memory` in pyproject.toml must be a whole number of MB from 128 to 10240\n"
        "  found the integer 64\n"
        "  hint: write `memory = 128`, say",
    ),
    (
        "memory = 20000",
        f"{APP} memory` in pyproject.toml must be a whole number of MB from 128 to 10240\n"
        "  found the integer 20000\n"
        "  hint: write `memory = 10240`, say",
    ),
    (
        "memory = 128.5",
        f"{APP} memory` in pyproject.toml must be a whole number of MB from 128 to 10240\n"
        "  found the number 128.5\n"
        "  hint: write `memory = 128`, say",
    ),
    (
        "timeout = true",
        f"{APP} timeout` in pyproject.toml must be a whole number of seconds from 1 to 900\n"
        "  found the boolean true\n"
        "  hint: write `timeout = 1`, say",
    ),
    (
        "timeout = '3s'",
        f"{APP} timeout` in pyproject.toml must be a whole number of seconds from 1 to 900\n"
        '  found the string "3s"\n'
        "  hint: write `timeout = 1`, say",
    ),
    (
        "environment = ['A=b']",
        f"{APP} environment` in pyproject.toml must be a table of strings\n"
        "  found a list\n"
        '  hint: write `environment = { NAME = "…" }`',
    ),
    (
        "environment = { DEBUG = true }",
        f"{VARIABLES} DEBUG` in pyproject.toml must be a string\n"
        "  found the boolean true\n"
        '  hint: write `DEBUG = "true"`',
    ),
    (
        "environment = { AWS_REGION = 'x' }",
        f"{VARIABLES} AWS_REGION` in pyproject.toml has a name that Lambda keeps for itself\n  hint: rename it",
    ),
    *(
        (
            f"environment = {{ '{name}' = 'x' }}",
            f"{VARIABLES} {shown}` in pyproject.toml has a name that Lambda does not accept\n"
            "  hint: use at least two ASCII letters, digits and `_`, with a letter first",
        )
        for name, shown in [("A", "A"), ("_AB", "_AB"), ("1AB", "1AB"), ("A-B", "A-B"), ("AÉ", '"AÉ"')]
    ),
    (
        'environment = { AB = "a\\u0000b" }',
        f"{VARIABLES} AB` in pyproject.toml holds a NUL character\n  hint: remove it: no variable can have it",
    ),
    (
        "alias = '12'",
        f"{APP} alias` in pyproject.toml is no name of an alias that AWS accepts\n"
        '  found the string "12"\n'
        "  hint: use at most 128 ASCII letters, digits, `-` and `_`, and not digits alone",
    ),
]


@pytest.mark.parametrize(("keys", "text"), REFUSALS)
def test_refusals(refusal: Refusal, keys: str, text: str) -> None:
    assert refusal(f"{FUNCTION}{keys}\n") == text
