"""What an invocation with a smoke event came to, against what was expected of it.  Pure."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, NamedTuple

from lamella.cloud.model import Invoked
from lamella.cloud.reports import InitReport, InitStart, Report, lines
from lamella.config.model import Smoke
from lamella.wording import printable

# AWS Lambda API reference, Invoke: LogResult has the last 4 KB; less the bytes of a character that was cut in two
_CUT = 4096 - 3


class Seen(NamedTuple):
    """What an invocation logged.  `whole` is "" where all of it is there, else why lines may be missing.

    `cut` says that some surely are.
    """

    text: str
    whole: str = ""
    cut: bool = False


class Took(NamedTuple):
    """Seconds that the handler and the init took; None for an init that there wasn't, or what the log doesn't tell.

    A start from a snapshot counts as an init: it is what a user waits for.
    """

    handler: float | None = None
    init: float | None = None


def seen(invoked: Invoked) -> Seen:
    """The log that came with the answer: its end."""
    if len(invoked.log.encode()) >= _CUT:
        return Seen(invoked.log, "the log is longer than the 4 KB that come with an answer", cut=True)
    found = lines(invoked.log)
    started = any(isinstance(line, Report) and line.init is not None for line in found)
    if started and not any(isinstance(line, InitStart) for line in found):
        return Seen(invoked.log, "what was logged while it was imported is not in the log that came with the answer")
    return Seen(invoked.log)


def took(invoked: Invoked) -> Took:
    """What the REPORT line says; of an init that was repeated, the longest."""
    handler, inits = None, []
    for line in lines(invoked.log):
        if isinstance(line, Report):
            handler = line.duration / 1000
            inits += [time for time in (line.init, line.restore) if time is not None]
        elif isinstance(line, InitReport):
            inits.append(line.duration)
    return Took(handler, max(inits) / 1000 if inits else None)


def needs_more(smoke: Smoke, found: Seen) -> bool:
    """Whether lines may be missing in the log that would decide."""
    words = _words(found.text)
    if not found.whole or any(line in words for line in smoke.no_log):
        return False
    return bool(smoke.no_log) or any(line not in words for line in smoke.log)


def shortfalls(smoke: Smoke, invoked: Invoked, log: Seen, times: Took) -> tuple[str, ...]:
    """What is otherwise than expected, a sentence each; () where the event passed.

    `times.init` is that of this invocation, or of the version's start, where an earlier one met it.
    """
    if invoked.error:
        return (_raised(invoked),)
    return (*_answer(smoke, invoked.payload), *_log(smoke, log), *_times(smoke, times))


def decoded(payload: bytes) -> Any:
    """The answer as JMESPath sees it: an object or list that stands as JSON text in `body` is decoded.

    A `body` in base64 is decoded first.  Raises ValueError where the answer is no JSON.
    """
    try:
        tree = json.loads(payload)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(tree, dict) or not isinstance(tree.get("body"), str):
        return tree
    body: str | bytes = tree["body"]
    try:
        if tree.get("isBase64Encoded") is True:
            body = base64.b64decode(body, validate=True)
        inner = json.loads(body)
    except (ValueError, binascii.Error, RecursionError):
        return tree
    return {**tree, "body": inner} if isinstance(inner, dict | list) else tree


def _raised(invoked: Invoked) -> str:
    """What the function says of its failure (AWS: errorType, errorMessage), else its answer."""
    try:
        tree = json.loads(invoked.payload)
        kind, message = str(tree.get("errorType", "")), str(tree["errorMessage"])
    except (ValueError, KeyError, AttributeError, RecursionError):
        return f"it failed ({invoked.error}): {_short(invoked.payload)}"
    return f"it raised `{printable(kind)}`: {printable(message)}" if kind else f"it failed: {printable(message)}"


def _answer(smoke: Smoke, payload: bytes) -> list[str]:
    if smoke.status is None and not smoke.answer:
        return []
    try:
        tree = decoded(payload)
    except ValueError:
        return [f"its answer is no JSON: {_short(payload)}"]
    said = []
    if smoke.status is not None:
        status = tree.get("statusCode") if isinstance(tree, dict) else None
        if status is None:
            said.append(f"its answer has no statusCode, {smoke.status} was expected: {_short(payload)}")
        elif str(status) != str(smoke.status):  # API Gateway takes "200", too
            said.append(f"it answered {printable(str(status))}, not {smoke.status}: {_short(payload)}")
    said += [text for expression, value in smoke.answer if (text := _path(expression, value, tree))]
    return said


def _path(expression: str, value: str, tree: Any) -> str:
    from jmespath import search  # type: ignore[import-untyped]
    from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]

    try:
        found = search(expression, tree)
    except (JMESPathError, ValueError, TypeError) as error:
        return f"`{printable(expression)}` can't be asked of its answer: {printable(str(error).splitlines()[0])}"
    if _same(found, json.loads(value)):
        return ""
    shown = json.dumps(found, ensure_ascii=False, default=str)
    return f"`{printable(expression)}` is {printable(shown)}, not {printable(value)}"


def _same(one: Any, other: Any) -> bool:
    """As JSON has it: `true` is no number, and 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _log(smoke: Smoke, log: Seen) -> list[str]:
    words = _words(log.text)
    said = [_shown(line, words) for line in smoke.no_log if line in words]
    missing = [line for line in smoke.log if line not in words]
    said += [f"its log has no `{printable(line)}`" for line in missing]
    if log.whole and missing:
        said.append(log.whole)
    elif log.cut and smoke.no_log and not said:
        unproven = ", ".join(f"`{printable(line)}`" for line in smoke.no_log)
        said += [f"it can't be told whether its log has {unproven}", log.whole]
    return said


def _shown(unwanted: str, words: str) -> str:
    """What is in the log, and the line that it is in."""
    line = next((line.strip() for line in words.splitlines() if unwanted in line), unwanted)
    text = f"its log has `{printable(unwanted)}`"
    return text if line == unwanted else f"{text}: {printable(line[:200])}"


def _words(text: str) -> str:
    """The log's text, and behind it the messages of lines that are JSON, without JSON's escapes."""
    messages = []
    for line in text.splitlines():
        if line.startswith("{") and "\\" in line:
            try:
                tree = json.loads(line)
            except (ValueError, RecursionError):
                continue
            messages += [value for value in tree.values() if isinstance(value, str)]
    return "\n".join([text, *messages])


def _times(smoke: Smoke, times: Took) -> list[str]:
    said = []
    pairs = (("init", times.init, smoke.longest_init), ("handler", times.handler, smoke.longest))
    for name, time, longest in pairs:
        if time is not None and longest is not None and time > longest:
            said.append(f"its {name} took {time:.2f} s, more than {longest:g} s")
    return said


def _short(payload: bytes) -> str:
    return printable(payload[:2000].decode("utf-8", "replace")) or "nothing"
