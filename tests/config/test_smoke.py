from __future__ import annotations

from collections.abc import Callable

import pytest

from lamella.config.model import Canary, FunctionSettings, Settings, Smoke

Read = Callable[[str], Settings]
Refusal = Callable[[str], str]

FUNCTION = "[tool.lamella.functions.app]\nhandler = 'a.b'\n"
HERE = "`[tool.lamella.functions.app"


def function(settings: Read, keys: str) -> FunctionSettings:
    return settings(f"{FUNCTION}{keys}\n").functions[0]


def test_nothing_is_asked_where_nothing_is_said(settings: Read) -> None:
    found = function(settings, "")
    assert (found.smoke, found.canary) == ((), None)


def test_every_key_of_an_event(settings: Read) -> None:
    (found,) = function(
        settings,
        'smoke = [{ event = "events/./health.json", name = "health", '
        'expect = { status = 200, json = { "body.ready" = true, "length(a)" = 2, x = { b = [1, "é"], a = 0.5 } } }, '
        'log = ["RAW format support: ENABLED"], no-log = ["not installed"], max-init = 2, max-duration = 0.5 }]',
    ).smoke
    assert found == Smoke(
        event="health",
        path="events/health.json",
        payload="",
        status=200,
        answer=(("body.ready", "true"), ("length(a)", "2"), ("x", '{"a": 0.5, "b": [1, "é"]}')),
        log=("RAW format support: ENABLED",),
        no_log=("not installed",),
        longest_init=2.0,
        longest=0.5,
    )


def test_events_without_a_file(settings: Read) -> None:
    found = function(
        settings, 'smoke = [{}, { payload = { a = [1, true] } }, { payload = "text", name = "words" }]'
    ).smoke
    assert [(smoke.event, smoke.path, smoke.payload) for smoke in found] == [
        ("event 1", "", "{}"),
        ("event 2", "", '{"a": [1, true]}'),
        ("words", "", '"text"'),
    ]


def test_tables_of_their_own(settings: Read) -> None:
    found = function(settings, '[[tool.lamella.functions.app.smoke]]\nevent = "a.json"\nexpect.json."a.b" = false')
    assert found.smoke == (Smoke("a.json", "", answer=(("a.b", "false"),), path="a.json"),)


def test_a_canary(settings: Read) -> None:
    found = function(settings, 'alias = "live"\ncanary = { weight = 0.1, minutes = 5, alarms = ["a b"], errors = 3 }')
    assert found.canary == Canary(0.1, 5.0, ("a b",), 3)
    assert function(settings, 'alias = "live"\ncanary = { weight = 0.5, minutes = 1 }').canary == Canary(0.5, 1.0)


REFUSALS = [
    (
        "smoke = { event = 'a.json' }",
        f"{HERE}] smoke` in pyproject.toml must be a list of tables\n"
        "  found a table\n"
        '  hint: write `smoke = [{ event = "events/health.json", expect = { status = 200 } }]`',
    ),
    (
        "smoke = ['a.json']",
        f"{HERE}] smoke` in pyproject.toml must be a list of tables\n"
        '  found the string "a.json"\n'
        '  hint: write `smoke = [{ event = "events/health.json", expect = { status = 200 } }]`',
    ),
    (
        "smoke = [{}, { no_log = ['x'] }]",
        f"{HERE}.smoke.2] no_log` in pyproject.toml is not a known key\n"
        "  known keys: event, expect, log, max-duration, max-init, name, no-log, payload\n"
        "  hint: did you mean `no-log`?",
    ),
    (
        "smoke = [{ expect = { stats = 200 } }]",
        f"{HERE}.smoke.1.expect] stats` in pyproject.toml is not a known key\n"
        "  known keys: json, status\n"
        "  hint: did you mean `status`?",
    ),
    (
        "smoke = [{ expect = { status = 2000 } }]",
        f"{HERE}.smoke.1.expect] status` in pyproject.toml must be an HTTP status, 100 to 599\n"
        "  found the integer 2000\n"
        "  hint: write `status = 200`, say",
    ),
    (
        "smoke = [{ expect = { json = 'body' } }]",
        f"{HERE}.smoke.1.expect] json` in pyproject.toml must be a table\n"
        '  found the string "body"\n'
        '  hint: write `json = { "body.ready" = true }`',
    ),
    (
        "smoke = [{ expect = { json = { a = nan } } }]",
        f"{HERE}.smoke.1.expect.json] a` in pyproject.toml holds what JSON can't say\n"
        "  a date or time of TOML, `nan` or `inf`\n"
        "  hint: write it as a string, as the function gets or gives it",
    ),
    (
        "smoke = [{ payload = { day = 2026-11-22 } }]",
        f"{HERE}.smoke.1] payload` in pyproject.toml holds what JSON can't say\n"
        "  a date or time of TOML, `nan` or `inf`\n"
        "  hint: write it as a string, as the function gets or gives it",
    ),
    (
        "smoke = [{ event = { a = 1 } }]",
        f"{HERE}.smoke.1] event` in pyproject.toml must be the path of a JSON file\n"
        "  found a table\n"
        '  hint: write `event = "events/health.json"`, or give the event itself as `payload`',
    ),
    (
        "smoke = [{ event = 'a.json', payload = {} }]",
        f"{HERE}.smoke.1] payload` in pyproject.toml is given beside `event`\n"
        "  hint: keep one: a file (`event`), or the event itself (`payload`)",
    ),
    (
        "smoke = [{ event = '/etc/hosts' }]",
        f"{HERE}.smoke.1] event` in pyproject.toml must be relative to the project, and below it\n"
        "  found `/etc/hosts`\n"
        "  hint: write the path from the directory of the configuration: `events/health.json`, say",
    ),
    (
        "smoke = [{ event = 'a/../../b.json' }]",
        f"{HERE}.smoke.1] event` in pyproject.toml must be relative to the project, and below it\n"
        "  found `a/../../b.json`\n"
        "  hint: write the path from the directory of the configuration: `events/health.json`, say",
    ),
    (
        "smoke = [{ event = 'a.json' }, { event = './a.json' }]",
        f"{HERE}] smoke` in pyproject.toml lists `a.json` twice\n  hint: remove one of them",
    ),
    (
        "smoke = [{ log = ['a', 'b'], no-log = ['b'] }]",
        f"{HERE}.smoke.1] no-log` in pyproject.toml has `b`, which `log` asks for\n  hint: remove one of them",
    ),
    (
        "smoke = [{ max-init = 0 }]",
        f"{HERE}.smoke.1] max-init` in pyproject.toml must be a number of seconds above 0, at most 900\n"
        "  found the integer 0\n"
        "  hint: write `max-init = 1`, say",
    ),
    (
        "smoke = [{ max-duration = true }]",
        f"{HERE}.smoke.1] max-duration` in pyproject.toml must be a number of seconds above 0, at most 900\n"
        "  found the boolean true\n"
        "  hint: write `max-duration = 1`, say",
    ),
    (
        "canary = { weight = 0.1, minutes = 5 }",
        f"{HERE}] canary` in pyproject.toml needs an alias, which shares invocations out between two versions\n"
        "  the function has none\n"
        '  hint: write `alias = "live"` and let callers name that, or remove `canary`',
    ),
    (
        "alias = 'live'\ncanary = true",
        f"{HERE}] canary` in pyproject.toml must be a table\n"
        "  found the boolean true\n"
        "  hint: write `canary = { weight = 0.1, minutes = 5 }`",
    ),
    (
        "alias = 'live'\ncanary = { weight = 0.1, minuts = 5 }",
        f"{HERE}.canary] minuts` in pyproject.toml is not a known key\n"
        "  known keys: alarms, errors, minutes, weight\n"
        "  hint: did you mean `minutes`?",
    ),
    (
        "alias = 'live'\ncanary = { minutes = 5 }",
        f"{HERE}.canary] weight` in pyproject.toml is needed\n  hint: write `weight = 0.1`, say",
    ),
    (
        "alias = 'live'\ncanary = { weight = 1, minutes = 5 }",
        f"{HERE}.canary] weight` in pyproject.toml must be a part of the invocations: above 0 and below 1\n"
        "  found the integer 1\n"
        "  hint: write `weight = 0.1`, say, or remove `canary`: without it all of them go to the new version at once",
    ),
    (
        "alias = 'live'\ncanary = { weight = 10, minutes = 5 }",
        f"{HERE}.canary] weight` in pyproject.toml must be a number above 0, at most 1\n"
        "  found the integer 10\n"
        "  hint: write `weight = 0.1`, say",
    ),
    (
        "alias = 'live'\ncanary = { weight = 0.1, minutes = inf }",
        f"{HERE}.canary] minutes` in pyproject.toml must be a number of minutes above 0, at most 1440\n"
        "  found the number inf\n"
        "  hint: write `minutes = 5`, say",
    ),
]


@pytest.mark.parametrize(("keys", "text"), REFUSALS)
def test_refusals(refusal: Refusal, keys: str, text: str) -> None:
    assert refusal(f"{FUNCTION}{keys}\n") == text
