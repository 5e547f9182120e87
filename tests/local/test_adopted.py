"""A process that was started early, and does not work any more: the project is opened as if it had not been."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from lamella.local import early
from lamella.local.adopted import Adopted
from lamella.local.functions import Project
from lamella.runtime.model import Asked, Launch, Log, Report, Result
from lamella.sandbox.model import PATH_ONLY
from lamella.sandbox.run import Place

ASKED = Asked(b"{}", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
RESULT = Result(b"7", "", b"", Report(ASKED.request_id, 1, 1, 128, 1, None, ""), PATH_ONLY)
REFUSED = "import os; os.write(2, b'bwrap: no\\n'); os._exit(1)"
SILENT = "import os; os._exit(1)"
SLOW = "import os, time; print('begun', flush=True); time.sleep(1.3); os.write(2, b'bwrap: no\\n'); os._exit(1)"
ANSWERS = """
import http.client, os, sys
with open(int(sys.argv[1])) as file:
    api = http.client.HTTPConnection(file.read())
print("init", flush=True)
for answer in (b"1", b"2"):
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    given = api.getresponse()
    given.read()
    number = given.headers["Lambda-Runtime-Aws-Request-Id"]
    api.request("POST", f"/2018-06-01/runtime/invocation/{number}/response", answer)
    api.getresponse().read()
api.request("GET", "/2018-06-01/runtime/invocation/next")
api.getresponse()
"""


class Voice:
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)

    warning = note


class Normal:
    """The project, opened the normal way: it says all that it would."""

    def __init__(self, voice: Voice) -> None:
        self.voice = voice
        self.invoked = 0
        self.closed = False

    def invoke(self, key: str, asked: Asked, log: Log | None = None) -> Result:
        assert (key, asked) == ("api", ASKED)
        self.invoked += 1
        if self.invoked == 1:
            self.voice.note("isolated less")
        if log is not None:
            log(b"START\n")
        return RESULT

    def lacking(self, _key: str) -> tuple[tuple[str, ...], str]:
        return ("boto3",), "because"

    def close(self) -> None:
        self.closed = True


Open = Callable[[str], tuple[Adopted, Voice, list[Normal]]]


@pytest.fixture
def adopt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """An adopted process that runs this code, who hears what is said, and what was opened the normal way."""
    monkeypatch.setenv("LAMELLA_CACHE_DIR", str(tmp_path / "cache"))
    words = ["invoke", "api"]
    made: list[Adopted] = []

    def adopt(code: str) -> tuple[Adopted, Voice, list[Normal]]:
        launch = Launch("api", "api", "arn", "app.handler", sys.executable, (3, 12), Place(), (), 128, 3)
        plain = tuple(tuple(value) if isinstance(value, Place) else value for value in launch)
        told = ((("note", "stands in"),), (), "")
        command = [sys.executable, "-I", "-c", code, early.DESCRIPTOR]
        early.remember(words, command, f"127.0.0.1:{early.PORT}".encode(), plain, told, [], [], 0)
        early.begin(words)
        started = early.taken()
        assert started is not None
        voice = Voice()
        opened: list[Normal] = []

        def otherwise() -> Project:
            opened.append(Normal(voice))
            return cast(Project, opened[-1])

        made.append(Adopted(started, voice, otherwise))
        return made[-1], voice, opened

    yield adopt
    for one in made:
        one.__exit__()


def kept(tmp_path: Path) -> int:
    return len(list(tmp_path.glob("cache/v1/starts/*")))


@pytest.mark.parametrize("code", [REFUSED, SILENT])
def test_what_does_not_work_any_more(adopt: Open, tmp_path: Path, code: str) -> None:
    adopted, voice, opened = adopt(code)
    heard: list[bytes] = []
    with adopted:
        for _ in range(2):
            assert adopted.invoke("api", ASKED, heard.append) == RESULT
        assert adopted.lacking("api") == (("boto3",), "because")
    assert heard == [b"START\n"] * 2
    assert voice.said == ["isolated less"], "of what was kept nothing was said"
    (normal,) = opened
    assert (normal.invoked, normal.closed) == (2, True)
    assert kept(tmp_path) == 0


def test_what_works_is_heard_once_and_stays(adopt: Open, tmp_path: Path) -> None:
    adopted, voice, opened = adopt(ANSWERS)
    heard: list[bytes] = []
    with adopted:
        first = adopted.invoke("api", ASKED, heard.append)
        assert (first.payload, first.log) == (b"1", b"".join(heard))
        assert adopted.invoke("api", ASKED._replace(request_id="2"), None).payload == b"2"
        assert adopted.lacking("api") == ((), "")
    assert [line.split()[0] for line in first.log.splitlines()] == [b"init", b"START", b"END", b"REPORT"]
    assert voice.said == ["stands in"]
    assert not opened
    assert kept(tmp_path) == 1


def test_notes_are_said_to_whoever_hears_no_log(adopt: Open) -> None:
    adopted, voice, _ = adopt(ANSWERS)
    with adopted:
        adopted.invoke("api", ASKED)
    assert voice.said == ["stands in"]


def test_one_that_took_its_time_was_the_function(adopt: Open) -> None:
    """What it wrote has been told: it is not started once more."""
    adopted, voice, opened = adopt(SLOW.replace("bwrap: no", "oh no"))
    heard: list[bytes] = []
    with adopted:
        result = adopted.invoke("api", ASKED, heard.append)
    assert result.error == "Unhandled"
    assert b"".join(heard).startswith(b"begun\noh no\nINIT_REPORT")
    assert voice.said == ["stands in"]
    assert not opened
    assert os.path.exists(adopted._started.place)
