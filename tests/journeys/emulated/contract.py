"""The cases of the contract: a handler, what it is sent, and modules that can't be kept as files here."""

from __future__ import annotations

import json
from typing import NamedTuple

from tests.journeys.emulated.cases import SIX_MB

# What Lambda takes at most as an answer: 6 MB and 100 bytes
LIMIT = SIX_MB + 100

MODULES = {
    "broken/__init__.py": "",
    "broken/imports_missing.py": "import not_installed.at_all\n",
    "broken/imports_name.py": "from json import no_such_name\n",
    "broken/syntax.py": "def handler(event, context)\n    return 1\n",
    "broken/indentation.py": "def handler(event, context):\nreturn 1\n",
    "broken/null_byte.py": 'text = "a\0b"\n',
    "broken/raises.py": 'print("before it fails")\nraise RuntimeError("at import")\n',
    "broken/raises_latin.py": 'raise RuntimeError("at import: ü")\n',
    "broken/raises_unicode.py": 'raise RuntimeError("at import: 世界")\n',
    "broken/raises_import_error.py": 'raise ImportError("said by the module")\n',
    "broken/interrupts.py": "raise KeyboardInterrupt\n",
    "broken/exits_zero.py": "import sys\n\nsys.exit(0)\n",
    "broken/exits_four.py": 'import sys\n\nprint("about to exit")\nsys.exit(4)\n',
    "broken/leaves.py": "import os\n\nos._exit(9)\n",
    "broken/killed.py": "import os, signal\n\nos.kill(os.getpid(), signal.SIGKILL)\n",
    "speaks.py": (
        'import logging\n\nprint("printed at import")\nlogging.warning("logged at import")\n\n\n'
        'def handler(event, context):\n    print("printed by the handler")\n'
    ),
    "package/inner/__init__.py": "",
    "package/inner/module.py": "def handler(event, context):\n    return __name__\n",
}


class Case(NamedTuple):
    """`events` are sent one after the other to one function; `timeout` is in seconds.

    Without `log` logs are not compared: the client writes after its answer was refused, when nobody waits for it.
    """

    handler: str
    events: tuple[bytes, ...] = (b"{}", b"{}")
    timeout: float = 10.0
    env: tuple[tuple[str, str], ...] = ()
    client_context: str = ""
    trace: str = ""
    log: bool = True


def cases() -> dict[str, Case]:
    plain = """
        nothing numbers nan infinity empty_text quoted binary several numbers_decimal decimal_nan date identifier
        fraction path pair named_pair keys keys_pair enumerated ordered object_ generator circle deep unicode
        surrogate surrogate_key proxy counted scratch fills_environment
        raises raises_own raises_silently raises_many_arguments raises_chained raises_key raises_unicode
        raises_surrogate raises_huge raises_unprintable raises_group raises_base raises_interrupt
        raises_recursion raises_memory raises_deep raises_in_library raises_timeout_error arity NOT_CALLABLE instance
        exits_zero exits_three exits_with_text leaves_zero leaves_one leaves_seven killed crashes terminated aborts
        exits_in_thread
        prints prints_unfinished prints_nothing_much prints_returns prints_long prints_binary writes_errors
        writes_directly logs logs_info logs_exception logs_own_handler warns logs_in_thread logs_in_child
        logs_then_raises
        attributes text_of_context remaining client identity request_id sets_remaining variables trace process
    """
    found = {name: Case(f"cases.{name}") for name in plain.split()}
    found |= {name.removesuffix(".py").replace("/", "."): _module(name) for name in MODULES if "__init__" not in name}
    found |= {
        # The warning that nothing awaited it comes sooner or later
        "coroutine": Case("cases.coroutine", env=(("PYTHONWARNINGS", "ignore"),)),
        "module with slashes": Case("package/inner/module.handler"),
        "no such handler": Case("cases.missing"),
        "no such module": Case("missing.handler"),
        "no such module in a package": Case("broken.missing.handler"),
        "handler without a dot": Case("handler"),
        "handler of nothing": Case(".handler"),
        "handler without a name": Case("cases."),
        "handler of a built-in module": Case("sys.exit"),
        "handler of the standard library": Case("json.loads", (b'"{}"',)),
    }
    found |= {f"event: {name}": Case("cases.echo", (event,)) for name, event in _events().items()}
    found |= {
        "timeout": Case("cases.sleeps", timeout=1.0),
        "timeout of a busy loop": Case("cases.spins", (b"{}",), 1.0),
        "timeout, then in time": Case("cases.sleeps", (b'{"seconds": 30}', b'{"seconds": 0}'), 1.0),
        "leaves once": Case("cases.leaves_once", (b'{"leave": true}', b"{}", b"{}")),
        "scratch after an exit": Case("cases.leaves_something", (b'{"leave": true}', b"{}")),
        "logs, JSON": Case("cases.logs", env=(("AWS_LAMBDA_LOG_FORMAT", "JSON"),)),
        "logs, JSON, level": Case(
            "cases.logs", env=(("AWS_LAMBDA_LOG_FORMAT", "JSON"), ("AWS_LAMBDA_LOG_LEVEL", "ERROR"))
        ),
        "raises, JSON": Case("cases.raises", env=(("AWS_LAMBDA_LOG_FORMAT", "JSON"),)),
        "client context": Case("cases.client", client_context='{"custom": {"a": "ü"}, "env": {"b": "c"}}'),
        "client context, whole": Case(
            "cases.client", client_context='{"client": {"installation_id": "i", "app_title": "t"}}'
        ),
        "trace given": Case("cases.trace", trace="Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"),
        "variables, own": Case("cases.variables", env=(("OWN", "a b=c"), ("EMPTY", ""), ("TZ", "Europe/Berlin"))),
        "6 MB out": Case("cases.large", (_sized(SIX_MB),)),
        "6 MB and 100 bytes out": Case("cases.large", (_sized(LIMIT),)),
        "6 MB and 101 bytes out": Case("cases.large", (_sized(LIMIT + 1), _sized(100)), log=False),
        "7 MB out": Case("cases.large", (_sized(7 * 1024 * 1024), _sized(100)), log=False),
        "6 MB out, of two-byte letters": Case("cases.large_unicode", (_sized(SIX_MB),)),
        "7 MB out, of two-byte letters": Case("cases.large_unicode", (_sized(7 * 1024 * 1024), _sized(100)), log=False),
        "an error of 6 MB": Case("cases.raises_over_the_limit", log=False),
        "6 MB in": Case("cases.length", (b'"' + b"x" * (SIX_MB - 2) + b'"',)),
    }
    return found


def _module(name: str) -> Case:
    return Case(f"{name.removesuffix('.py').replace('/', '.')}.handler")


def _sized(size: int) -> bytes:
    return json.dumps({"bytes": size}).encode()


def _events() -> dict[str, bytes]:
    return {
        "null": b"null",
        "a number": b"-1.5e3",
        "a text": '"ü 🦊"'.encode(),
        "a list": b'[1, [], {}, "", true]',
        "escapes": rb'"\u00fc \ud83e\udd8a \/ \u0000"',
        "half a surrogate": rb'{"half": "\ud83e"}',
        "a name twice": b'{"a": 1, "a": 2}',
        "a large number": b"123456789012345678901234567890",
        "many digits": b"0.1234567890123456789012345678901234567890",
        "spaces": b' \n{ "a" : 1 }\n ',
        "deep": b"[" * 500 + b"]" * 500,
    }
