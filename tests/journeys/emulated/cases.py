"""Handlers, each of which answers, fails, ends or logs in its own way.  What is on line N is in tracebacks: both's."""

# ruff: noqa: ARG001, ARG002

from __future__ import annotations

import asyncio
import datetime
import decimal
import enum
import fractions
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

SIX_MB = 6 * 1024 * 1024
COUNTED: list[int] = []


# What is answered


def echo(event: Any, context: Any) -> Any:
    return event


def nothing(event: Any, context: Any) -> Any:
    pass


def numbers(event: Any, context: Any) -> Any:
    return [0, -1, 1.0, 1e300, 1e-7, 2**70, True, False]


def nan(event: Any, context: Any) -> Any:
    return float("nan")


def infinity(event: Any, context: Any) -> Any:
    return {"up": float("inf"), "down": float("-inf")}


def empty_text(event: Any, context: Any) -> Any:
    return ""


def quoted(event: Any, context: Any) -> Any:
    return 'a "quoted" \\ text\n\t\x00\x1f\x7f/'


def binary(event: Any, context: Any) -> Any:
    return b"bytes"


def several(event: Any, context: Any) -> Any:
    return {1, 2}


def numbers_decimal(event: Any, context: Any) -> Any:
    return {"decimal": decimal.Decimal("1.10"), "large": decimal.Decimal("12345678901234567890.123")}


def decimal_nan(event: Any, context: Any) -> Any:
    return decimal.Decimal("NaN")


def date(event: Any, context: Any) -> Any:
    return datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


def identifier(event: Any, context: Any) -> Any:
    return uuid.UUID(int=1)


def fraction(event: Any, context: Any) -> Any:
    return fractions.Fraction(1, 3)


def path(event: Any, context: Any) -> Any:
    return Path("/tmp")


def pair(event: Any, context: Any) -> Any:
    return (1, ("a", None))


class Point(tuple[int, int]):
    __slots__ = ()
    _fields = ("x", "y")

    def _asdict(self) -> dict[str, int]:
        return dict(zip(self._fields, self, strict=True))


def named_pair(event: Any, context: Any) -> Any:
    return Point((1, 2))


def keys(event: Any, context: Any) -> Any:
    return {1: "int", 1.5: "float", None: "none", False: "false", "text": "text"}


def keys_pair(event: Any, context: Any) -> Any:
    return {(1, 2): "tuple"}


class Colour(enum.IntEnum):
    RED = 1


class Shade(enum.StrEnum):
    DARK = "dark"


def enumerated(event: Any, context: Any) -> Any:
    return [Colour.RED, Shade.DARK]


def ordered(event: Any, context: Any) -> Any:
    return OrderedDict(z=1, a=2)


def object_(event: Any, context: Any) -> Any:
    return object()


def generator(event: Any, context: Any) -> Any:
    yield 1


async def coroutine(event: Any, context: Any) -> Any:
    await asyncio.sleep(0)
    return 1


def circle(event: Any, context: Any) -> Any:
    found: list[Any] = []
    found.append(found)
    return found


def deep(event: Any, context: Any) -> Any:
    found: list[Any] = []
    for _ in range(100_000):
        found = [found]
    return found


def unicode(event: Any, context: Any) -> Any:
    return {"ключ": "Grüße, 世界", "nested": [{"emoji": "🦊👨‍👩‍👧‍👦", "combined": "e\u0301"}], "line": "\u2028\u2029"}


def surrogate(event: Any, context: Any) -> Any:
    return "\ud83e"


def surrogate_key(event: Any, context: Any) -> Any:
    return {"\udc00": 1}


def proxy(event: Any, context: Any) -> Any:
    return {"statusCode": 200, "headers": {"X": "ü"}, "body": json.dumps({"ok": True}), "isBase64Encoded": False}


def counted(event: Any, context: Any) -> Any:
    COUNTED.append(1)
    return len(COUNTED)


def scratch(event: Any, context: Any) -> Any:
    place = Path("/tmp/kept")
    there = place.exists()
    place.write_text("x")
    return there


# What is raised


class OwnError(Exception):
    """One with a message of its own making."""

    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")


class SilentError(Exception):
    pass


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("can't be told")


def raises(event: Any, context: Any) -> Any:
    raise ValueError("wrong")


def raises_own(event: Any, context: Any) -> Any:
    raise OwnError(7)


def raises_silently(event: Any, context: Any) -> Any:
    raise SilentError


def raises_many_arguments(event: Any, context: Any) -> Any:
    raise RuntimeError("one", 2, {"three": 3})


def raises_chained(event: Any, context: Any) -> Any:
    try:
        int("x")
    except ValueError as error:
        raise LookupError("while looking") from error


def raises_key(event: Any, context: Any) -> Any:
    return event["missing"]


def raises_unicode(event: Any, context: Any) -> Any:
    raise ValueError("Grüße 世界 🦊\nsecond line\ttab")


def raises_surrogate(event: Any, context: Any) -> Any:
    raise ValueError("half \ud83e")


def raises_huge(event: Any, context: Any) -> Any:
    raise ValueError("x" * 1_000_000)


def raises_over_the_limit(event: Any, context: Any) -> Any:
    raise ValueError("x" * (SIX_MB + 1000))


def raises_unprintable(event: Any, context: Any) -> Any:
    raise UnprintableError


def raises_group(event: Any, context: Any) -> Any:
    raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])


def raises_base(event: Any, context: Any) -> Any:
    raise BaseException("the base of all")


def raises_interrupt(event: Any, context: Any) -> Any:
    raise KeyboardInterrupt


def raises_recursion(event: Any, context: Any) -> Any:
    return raises_recursion(event, context)


def raises_memory(event: Any, context: Any) -> Any:
    raise MemoryError("no more")


def raises_deep(event: Any, context: Any) -> Any:
    def inner(depth: int) -> None:
        if depth:
            inner(depth - 1)
        raise ValueError("at the bottom")

    inner(3)


def raises_in_library(event: Any, context: Any) -> Any:
    return json.loads("{")


def raises_timeout_error(event: Any, context: Any) -> Any:
    raise TimeoutError("one of its own")


def arity() -> None:
    return None


NOT_CALLABLE = {"no": "function"}


class Instance:
    def __call__(self, event: Any, context: Any) -> Any:
        return "an instance"


instance = Instance()


# How it ends


def exits_zero(event: Any, context: Any) -> Any:
    print("about to exit")
    sys.exit(0)


def exits_three(event: Any, context: Any) -> Any:
    sys.exit(3)


def exits_with_text(event: Any, context: Any) -> Any:
    sys.exit("a last word")


def leaves_zero(event: Any, context: Any) -> Any:
    print("about to leave")
    os._exit(0)


def leaves_one(event: Any, context: Any) -> Any:
    os._exit(1)


def leaves_seven(event: Any, context: Any) -> Any:
    os._exit(7)


def killed(event: Any, context: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def crashes(event: Any, context: Any) -> Any:
    os.kill(os.getpid(), signal.SIGSEGV)


def terminated(event: Any, context: Any) -> Any:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(5)


def aborts(event: Any, context: Any) -> Any:
    os.abort()


def leaves_once(event: Any, context: Any) -> Any:
    if event.get("leave"):
        os._exit(1)
    return "still here"


def leaves_something(event: Any, context: Any) -> Any:
    place = Path("/tmp/left")
    if event.get("leave"):
        place.write_text("x")
        os._exit(1)
    return place.exists()


def exits_in_thread(event: Any, context: Any) -> Any:
    thread = threading.Thread(target=sys.exit, args=(5,))
    thread.start()
    thread.join()
    return "outlived"


def sleeps(event: Any, context: Any) -> Any:
    print("going to sleep")
    time.sleep(event.get("seconds", 30))
    return "awake"


def spins(event: Any, context: Any) -> Any:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        pass


# How large


def large(event: Any, context: Any) -> Any:
    """A text whose JSON has `event["bytes"]` bytes, with the quotes."""
    return "x" * (event["bytes"] - 2)


def large_unicode(event: Any, context: Any) -> Any:
    """The same of letters that have two bytes."""
    return "ü" * ((event["bytes"] - 2) // 2)


def length(event: Any, context: Any) -> Any:
    return len(event)


# What is logged


def prints(event: Any, context: Any) -> Any:
    print("one")
    print("two\nthree")
    print("ü 世界 🦊")


def prints_unfinished(event: Any, context: Any) -> Any:
    print("no line break", end="")


def prints_nothing_much(event: Any, context: Any) -> Any:
    print()
    print("  indented\t tab ")


def prints_returns(event: Any, context: Any) -> Any:
    print("a\rb\r\nc")


def prints_long(event: Any, context: Any) -> Any:
    print("x" * 300_000)


def prints_binary(event: Any, context: Any) -> Any:
    sys.stdout.buffer.write(b"\xff\xfe binary\n")
    sys.stdout.flush()


def writes_errors(event: Any, context: Any) -> Any:
    sys.stderr.write("to stderr\n")
    print("to stdout")


def writes_directly(event: Any, context: Any) -> Any:
    os.write(1, b"by descriptor 1\n")
    os.write(2, b"by descriptor 2\n")


def logs(event: Any, context: Any) -> Any:
    logger = logging.getLogger()
    logger.info("not shown")
    logger.warning("a warning")
    logging.getLogger("named").error("an %s", "error")
    logger.critical("two\nlines")


def logs_info(event: Any, context: Any) -> Any:
    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger("deep.name").info("shown")


def logs_exception(event: Any, context: Any) -> Any:
    try:
        raise ValueError("caught")
    except ValueError:
        logging.exception("what was caught")


def logs_own_handler(event: Any, context: Any) -> Any:
    logger = logging.getLogger("own")
    logger.propagate = False
    logger.handlers = [logging.StreamHandler(sys.stdout)]
    logger.setLevel("DEBUG")
    logger.debug("by its own handler")


def warns(event: Any, context: Any) -> Any:
    warnings.warn("careful", stacklevel=1)


def logs_in_thread(event: Any, context: Any) -> Any:
    thread = threading.Thread(target=print, args=("from a thread",))
    thread.start()
    thread.join()


def logs_in_child(event: Any, context: Any) -> Any:
    subprocess.run([sys.executable, "-I", "-S", "-c", "print('from a child')"], check=True)


def logs_then_raises(event: Any, context: Any) -> Any:
    print("before it", end="")
    raise ValueError("raised")


# What is known


def attributes(event: Any, context: Any) -> Any:
    names = sorted(name for name in dir(context) if not name.startswith("_"))
    values = {name: getattr(context, name) for name in names}
    return {name: value if isinstance(value, str | None) else type(value).__name__ for name, value in values.items()}


def text_of_context(event: Any, context: Any) -> Any:
    return str(context)


def remaining(event: Any, context: Any) -> Any:
    first = context.get_remaining_time_in_millis()
    time.sleep(0.05)
    second = context.get_remaining_time_in_millis()
    return [type(first).__name__, 8000 < first <= 10_000, 40 <= first - second < 1000]


def client(event: Any, context: Any) -> Any:
    found = context.client_context
    return found and [found.client.installation_id, found.client.app_title, found.custom, found.env]


def identity(event: Any, context: Any) -> Any:
    return [context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id]


def request_id(event: Any, context: Any) -> Any:
    return [str(uuid.UUID(context.aws_request_id)) == context.aws_request_id, context.log_stream_name]


def sets_remaining(event: Any, context: Any) -> Any:
    try:
        context.memory_limit_in_mb = "7"
    except AttributeError as error:
        return str(error)
    return context.memory_limit_in_mb


def variables(event: Any, context: Any) -> Any:
    return dict(sorted(os.environ.items()))


def trace(event: Any, context: Any) -> Any:
    return os.environ.get("_X_AMZN_TRACE_ID", "none")


def process(event: Any, context: Any) -> Any:
    return {
        "argv": sys.argv,
        "cwd": os.getcwd(),
        "encoding": [sys.stdout.encoding, sys.getfilesystemencoding(), sys.stdout.errors],
        "executable": sys.executable,
        "flags": [sys.flags.isolated, sys.flags.no_site, sys.flags.utf8_mode, sys.flags.ignore_environment],
        "level": logging.getLevelName(logging.getLogger().level),
        "path": sys.path,
        "stdin": sys.stdin.read(),
        "user": [os.getuid() != 0, os.getgid() != 0],
        "writable": [os.access(place, os.W_OK) for place in ("/tmp", "/var/task", "/opt", "/var/runtime", "/")],
        "zone": time.tzname[0],
    }


def fills_environment(event: Any, context: Any) -> Any:
    """A change is seen by the next invocation of the same process."""
    seen = os.environ.get("LEFT", "nothing")
    os.environ["LEFT"] = "this"
    return seen
