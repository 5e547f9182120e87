"""How a function runs: its memory, timeout, variables and alias.  The rules are Lambda's.

Source: AWS Lambda API reference, CreateFunction and CreateAlias; developer guide, "Working with Lambda environment
variables" (read on 2026-11-22).
"""

from __future__ import annotations

from lamella.config.names import ALNUM, ALPHA, DIGITS, is_aws_name
from lamella.config.section import Section, described
from lamella.errors import ConfigError
from lamella.facts.tables import limits

MEMORY = (128, 10240)  # megabytes
TIMEOUT = (1, 900)  # seconds
ALIAS_LENGTH = 128
RESERVED = frozenset(
    {"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"}
    | {"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"}
    | {"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"}
    | {"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    | {"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"}
)


def memory(section: Section) -> int:
    """The key `memory`, in megabytes."""
    given = section.whole("memory", *MEMORY, unit="MB")
    return MEMORY[0] if given is None else given


def timeout(section: Section) -> int:
    """The key `timeout`, in seconds."""
    given = section.whole("timeout", *TIMEOUT, unit="seconds")
    return 3 if given is None else given


def alias(section: Section) -> str:
    """The key `alias`, or ""."""
    given = section.text("alias") or ""
    if given and (not is_aws_name(given, ALIAS_LENGTH) or DIGITS.issuperset(given)):
        raise section.refuse(
            "alias",
            "is no name of an alias that AWS accepts",
            why=(f"found {described(given)}",),
            hint=f"use at most {ALIAS_LENGTH} ASCII letters, digits, `-` and `_`, and not digits alone",
        )
    return given


def environment(section: Section) -> tuple[tuple[str, str], ...]:
    """The variables of the table `environment`, in the file's order."""
    given = section.data.get("environment")
    if given is None:
        return ()
    if not isinstance(given, dict):
        raise section.wrong_type("environment", "a table of strings", given, 'write `environment = { NAME = "…" }`')
    below = Section(given, section.file, section.prefix, (*section.path, "environment"))
    variables = tuple((name, _value(below, name, value)) for name, value in given.items())
    size = sum(len(text.encode()) for pair in variables for text in pair)
    if size > limits().environment:
        raise section.refuse(
            "environment",
            f"holds {size:,} bytes of names and values",
            why=(f"Lambda allows {limits().environment:,} in a function",),
            hint="keep what is long in a file of the function, or in Parameter Store or Secrets Manager",
        )
    return variables


def _value(below: Section, name: str, value: object) -> str:
    if name in RESERVED:
        raise below.refuse(name, "has a name that Lambda keeps for itself", hint="rename it")
    if not _is_variable(name):
        raise below.refuse(
            name,
            "has a name that Lambda does not accept",
            hint="use at least two ASCII letters, digits and `_`, with a letter first",
        )
    if not isinstance(value, str):
        raise _no_string(below, name, value)
    if "\0" in value:
        raise below.refuse(name, "holds a NUL character", hint="remove it: no variable can have it")
    return value


def _no_string(below: Section, name: str, value: object) -> ConfigError:
    quoted = str(value).lower() if isinstance(value, bool | int) else "…"
    return below.wrong_type(name, "a string", value, f'write `{name} = "{quoted}"`')


def _is_variable(name: str) -> bool:
    """``[a-zA-Z]([a-zA-Z0-9_])+``."""
    return len(name) > 1 and name[0] in ALPHA and (ALNUM | {"_"}).issuperset(name)
