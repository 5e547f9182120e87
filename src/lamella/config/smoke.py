"""How a new version is proven before users meet it: `smoke` and `canary` of a function.

The events' files are not read here, in every build, but when something is to be deployed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from lamella.config.model import Canary, Smoke
from lamella.config.section import Section, described

KEYS = frozenset({"event", "payload", "name", "expect", "log", "no-log", "max-init", "max-duration"})
EXPECT_KEYS = frozenset({"status", "json"})
CANARY_KEYS = frozenset({"weight", "minutes", "alarms", "errors"})
LONGEST = 900  # seconds: Lambda quotas, function timeout
LONGEST_WATCH = 24 * 60  # minutes
_EXAMPLE = 'smoke = [{ event = "events/health.json", expect = { status = 200 } }]'
_CANARY = "canary = { weight = 0.1, minutes = 5 }"


def read_smoke(section: Section) -> tuple[Smoke, ...]:
    """The events of a function's key `smoke`.  The payload of one that is in a file is "".  Raises ConfigError."""
    found = tuple(_smoke(below, number) for number, below in enumerate(section.rows("smoke", _EXAMPLE), 1))
    section.different("smoke", (smoke.event for smoke in found))
    return found


def read_canary(section: Section, alias: str) -> Canary | None:
    """A function's key `canary`; None where it is left out.  Raises ConfigError."""
    below = section.table("canary", _CANARY)
    if below is None:
        return None
    below.only(CANARY_KEYS)
    if not alias:
        raise section.refuse(
            "canary",
            "needs an alias, which shares invocations out between two versions",
            why=("the function has none",),
            hint='write `alias = "live"` and let callers name that, or remove `canary`',
        )
    weight, minutes = (
        below.number("weight", 1, example=0.1),
        below.number("minutes", LONGEST_WATCH, unit="minutes", example=5),
    )
    for key, value, example in (("weight", weight, "0.1"), ("minutes", minutes, "5")):
        if value is None:
            raise below.refuse(key, "is needed", hint=f"write `{key} = {example}`, say")
    assert weight is not None
    assert minutes is not None
    if weight == 1:
        raise below.refuse(
            "weight",
            "must be a part of the invocations: above 0 and below 1",
            why=(f"found {described(below.data['weight'])}",),
            hint="write `weight = 0.1`, say, or remove `canary`: without it all of them go to the new version at once",
        )
    return Canary(weight, minutes, below.texts("alarms") or (), below.whole("errors", 0, 1_000_000, unit="errors") or 0)


def _smoke(section: Section, number: int) -> Smoke:
    section.only(KEYS)
    event = _event(section)
    status, answer = _expected(section)
    log, no_log = section.texts("log") or (), section.texts("no-log") or ()
    for line in log:
        if line in no_log:
            raise section.refuse("no-log", f"has `{line}`, which `log` asks for", hint="remove one of them")
    return Smoke(
        event=section.text("name") or event or f"event {number}",
        path=event,
        payload="" if event else _json(section, "payload", section.data.get("payload", {})),
        status=status,
        answer=answer,
        log=log,
        no_log=no_log,
        longest_init=section.number("max-init", LONGEST, unit="seconds"),
        longest=section.number("max-duration", LONGEST, unit="seconds"),
    )


def _event(section: Section) -> str:
    """The path of the event's file, relative to the project; "" for one that has none."""
    if isinstance(section.data.get("event"), dict | list):
        hint = 'write `event = "events/health.json"`, or give the event itself as `payload`'
        raise section.wrong_type("event", "the path of a JSON file", section.data["event"], hint)
    given = section.text("event")
    if given is None:
        return ""
    if "payload" in section.data:
        raise section.refuse(
            "payload", "is given beside `event`", hint="keep one: a file (`event`), or the event itself (`payload`)"
        )
    path = os.path.normpath(given)
    if os.path.isabs(given) or path.split(os.sep)[0] == os.pardir:
        raise section.refuse(
            "event",
            "must be relative to the project, and below it",
            why=(f"found `{given}`",),
            hint="write the path from the directory of the configuration: `events/health.json`, say",
        )
    return path


def _expected(section: Section) -> tuple[int | None, tuple[tuple[str, str], ...]]:
    """What the key `expect` says of the answer: its status, and pairs of an expression and a value as JSON."""
    expect = section.table("expect", "expect = { status = 200 }")
    if expect is None:
        return None, ()
    expect.only(EXPECT_KEYS)
    status = expect.data.get("status")
    if status is not None and not (type(status) is int and 100 <= status <= 599):
        why = (f"found {described(status)}",)
        raise expect.refuse("status", "must be an HTTP status, 100 to 599", why=why, hint="write `status = 200`, say")
    return status, tuple(_answer(expect))


def _answer(expect: Section) -> Iterator[tuple[str, str]]:
    below = expect.table("json", 'json = { "body.ready" = true }')
    if below is None:
        return
    for expression, value in below.data.items():
        if not expression.strip() or not expression.isprintable():
            raise below.refuse(expression, "is no JMESPath expression", hint='write `"body.ready" = true`, say')
        yield expression, _json(below, expression, value)


def _json(section: Section, key: str, value: object) -> str:
    """A TOML value as JSON.  Raises ConfigError for dates and for numbers that JSON has no word for."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)
    except (TypeError, ValueError):
        raise section.refuse(
            key,
            "holds what JSON can't say",
            why=("a date or time of TOML, `nan` or `inf`",),
            hint="write it as a string, as the function gets or gives it",
        ) from None
