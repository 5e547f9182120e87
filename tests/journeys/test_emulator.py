"""The same handlers here and in AWS's emulator: the same answers, but for the differences that are listed."""

from __future__ import annotations

import json
import re
import shutil
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.journeys import differences
from tests.journeys.emulated.contract import MODULES, Case, cases
from tests.journeys.emulator import Answered, invoked, prepared

from lamella.runtime.model import Asked, Launch
from lamella.runtime.pool import Pool
from lamella.sandbox.run import Sandbox

pytestmark = pytest.mark.journey

CASES = cases()
_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# What is new each time, or this machine's
_NEW = (
    (re.compile(_ID), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\[\d{13}\]"), "[<time>]"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:<port>"),
    (re.compile(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?!;Sampled=1-given)"), "Root=<trace>"),
    (re.compile(r"Parent=[0-9a-f]{16}"), "Parent=<span>"),
    (re.compile(r"x{100,}"), lambda found: f"<{len(found[0])} x>"),
    (re.compile(r"(ü|\\u00fc){100,}"), lambda found: f"<{len(found[0])} ü>"),
)
_PLATFORM = re.compile(
    r"(START|END|REPORT) RequestId: .*|INIT_START .*|INIT_REPORT .*|RequestId: <id> Error: .*|^Runtime\.\w+$|"
    r"<time> <id> Task timed out .*"
)
_ORPHANED = re.compile(r"\[ERROR\] \[\d+\] LAMBDA_RUNTIME Failed to get next invocation")
_WARNING = re.compile(r"LAMBDA_WARNING: Unhandled exception\..*?runtimes-update\.html")


class Seen(NamedTuple):
    """One invocation, without what is new each time.

    `log` is what the function wrote, `platform` what the platform says around it; `failed` whether it says so.
    """

    payload: str
    log: str
    platform: str
    failed: bool


class Told(NamedTuple):
    """Where the two differ, and what is there: `Difference` without its reason."""

    aspect: str
    ours: str
    emulator: str


@pytest.fixture(scope="session")
def function(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sandbox, Launch]:
    task = tmp_path_factory.mktemp("emulated")
    shutil.copy(Path(__file__).parent / "emulated" / "cases.py", task)
    for name, text in MODULES.items():
        (task / name).parent.mkdir(parents=True, exist_ok=True)
        (task / name).write_text(text, encoding="utf-8")
    return prepared(task)


@pytest.mark.parametrize("name", CASES)
def test_the_same_as_in_the_emulator(name: str, function: tuple[Sandbox, Launch]) -> None:
    case = CASES[name]
    sandbox, launch = function
    env = {**dict(launch.env), "_HANDLER": case.handler, **dict(case.env)}
    launch = launch._replace(handler=case.handler, timeout=case.timeout, env=tuple(env.items()))
    found = set(compared(case, ours(case, sandbox, launch), theirs(case, sandbox, launch)))
    known = {Told(row.aspect, row.ours, row.emulator) for row in differences.read() if name in row.cases}
    assert found == known, "differences that are not listed, or listed ones that are gone: differences.toml"


def test_each_difference_has_its_source_and_its_cases() -> None:
    for row in differences.read():
        assert row.why
        assert row.source.startswith("https://docs.aws.amazon.com/")
        assert set(row.cases) <= set(CASES)


def test_the_page_is_of_the_table() -> None:
    assert differences.PAGE.read_text(encoding="utf-8") == differences.markdown()


def ours(case: Case, sandbox: Sandbox, launch: Launch) -> list[Seen]:
    seen = []
    pool = Pool(sandbox, launch, limit=1)
    try:
        for event in case.events:
            asked = Asked(event, str(uuid.uuid4()), "", case.client_context, "", case.trace)
            result = pool.invoke(asked, None)
            lines = result.log.decode("utf-8", "backslashreplace")
            seen.append(Seen(_text(result.payload), *_parted(lines), bool(result.error)))
    finally:
        pool.close()
    return seen


def theirs(case: Case, sandbox: Sandbox, launch: Launch) -> list[Seen]:
    answers = invoked(sandbox, launch, *case.events, client_context=case.client_context, trace=case.trace)
    parts = re.split(r"(?m)^(?=START RequestId: )", answers[0].out.decode("utf-8", "backslashreplace"))
    # The client outlives it for a moment
    parts[-1] = _ORPHANED.split(parts[-1])[0]
    # What comes before the first is of the init phase
    logs = [parts[0] + parts[1], *parts[2:]] if len(parts) > 1 else parts
    assert len(logs) == len(answers), parts
    return [
        Seen(_text(answer.payload), *_parted(log), _failed(answer)) for answer, log in zip(answers, logs, strict=True)
    ]


def _failed(answer: Answered) -> bool:
    """It marks no answer as an error's: what it is, is to be read from it."""
    try:
        payload = json.loads(answer.payload)
    except ValueError:
        payload = None
    of_function = isinstance(payload, dict) and payload.keys() >= {"errorMessage", "errorType"}
    return answer.status != 200 or of_function or answer.payload.startswith(b"Task timed out")


def compared(case: Case, ours: Sequence[Seen], theirs: Sequence[Seen]) -> list[Told]:
    """Each difference once, by the first invocation that has it."""
    assert len(ours) == len(theirs) == len(case.events)
    found: list[Told] = []
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        assert one.failed == other.failed, (one, other)
        for told in _differing(one, other):
            if told not in found and (case.log or "log" not in told.aspect):
                found.append(told._replace(aspect=f"{told.aspect}, later") if number else told)
    return found


def _differing(one: Seen, other: Seen) -> Iterator[Told]:
    if one.log == re.sub("\r\n?", "\n", other.log) != other.log:
        yield Told("line breaks in the log", "\\n", "\\r")
    elif one.log != other.log:
        yield Told("log", _short(one.log), _short(other.log))
    if one.platform != other.platform:
        yield Told("platform's lines", one.platform, other.platform)
    if one.payload != other.payload:
        for where, left, right in _payloads(one.payload, other.payload):
            yield Told(where, _short(left), _short(right))


def _payloads(ours: str, theirs: str) -> Iterator[tuple[str, str, str]]:
    """The differing values by their names where both are tables, else the whole."""
    try:
        one, other = json.loads(ours), json.loads(theirs)
    except ValueError:
        one = other = None
    if not (isinstance(one, dict) and isinstance(other, dict)) or "errorType" in one:
        # An error of the platform's own, with its names in another order, is the same
        if one is None or one != other:
            yield "answer", ours, theirs
        return
    other.pop("AWS_LAMBDA_FUNCTION_TIMEOUT", None)  # how the emulator is told
    for name in sorted(one.keys() | other.keys()):
        if one.get(name) != other.get(name):
            yield f"answer: {name}", _value(one, name), _value(other, name)


def _value(table: dict[str, Any], name: str) -> str:
    return json.dumps(table[name], ensure_ascii=False) if name in table else ""


def _text(data: bytes) -> str:
    return _known(data.decode("utf-8", "backslashreplace"))


def _known(text: str) -> str:
    for pattern, instead in _NEW:
        text = pattern.sub(instead, text)
    return text


def _parted(log: str) -> tuple[str, str]:
    """The function's own lines, and the platform's without what they measured."""
    own, platform = [], []
    for line in _known(_WARNING.sub("LAMBDA_WARNING: …", log)).split("\n"):
        match = _PLATFORM.search(line)
        if match is None:
            own.append(line + "\n")
            continue
        # A last line without its break stands before it
        own.append(line[: match.start()])
        platform.append(_measured(match[0]))
    return "".join(own).rstrip("\n"), "\n".join(platform)


def _measured(line: str) -> str:
    """`REPORT, Billed Duration, Duration, …, Status: timeout`: names in alphabetical order, of values only words."""
    if line.startswith(("RequestId: ", "<time>")):
        return re.sub(r"(Error:|timed out).*", r"\1 …", line)
    kind, _, rest = line.partition(" ")
    fields = [part.strip() for part in re.sub("RequestId: <id> ?", "", rest).split("\t") if part.strip()]
    names = [field if field.startswith(("Status", "Phase")) else field.partition(":")[0] for field in fields]
    return ", ".join([kind, *sorted(names)])


def _short(text: str) -> str:
    text = re.sub(r"(Runtime exited) [\w :]+", r"\1 …", text)
    return text if len(text) <= 400 else f"{text[:200]}… ({len(text)} characters) …{text[-100:]}"
