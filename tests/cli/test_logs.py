# ruff: noqa: F811  fixtures of another folder
"""`logs` against a strict AWS."""

from __future__ import annotations

import argparse
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.cli.aws import Lamella, _strict, lamella, nobody, owner, project, somebody, strict  # noqa: F401
from tests.cli.journals import remember
from tests.cloud.fake import Fake, unreachable
from tests.cloud.strict import DENIED, StrictServer
from tests.deployed.moto_server import REGION, Deployer, zipped

from lamella.cli import logs as command
from lamella.cli.inits import before, changed
from lamella.cloud.model import AliasState, FunctionState, LogEvent
from lamella.rollout.model import After, Before, Deployment, Record

_GROUP = "/aws/lambda/the-api"
_STREAM = "2026/11/22/[7]5ec2e7"


def _client() -> Any:
    import boto3  # type: ignore[import-untyped]

    return boto3.client("logs", region_name=REGION)


@pytest.fixture
def writer(strict: StrictServer) -> Any:  # noqa: ARG001
    """CloudWatch's client, and the function's log group."""
    client = _client()
    client.create_log_group(logGroupName=_GROUP)
    return client


def _write(client: Any, *messages: str, stream: str = _STREAM, ago: float = 1.0, group: str = _GROUP) -> None:
    if not client.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream)["logStreams"]:
        client.create_log_stream(logGroupName=group, logStreamName=stream)
    now = int((time.time() - ago) * 1000)
    events = [{"timestamp": now, "message": message} for message in messages]
    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def _report(init: float) -> str:
    return (
        "REPORT RequestId: r\tDuration: 2.00 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t"
        f"Init Duration: {init:.2f} ms\t\n"
    )


def _function(owner: Deployer, versions: int = 0) -> None:
    owner.function("the-api", zipped({"app.py": "def handler(event, context): ...\n"}))
    for name in ("function_active_v2", "function_updated_v2"):
        owner.lambdas.get_waiter(name).wait(FunctionName="the-api", WaiterConfig={"Delay": 0})
    if versions:
        owner.lambdas.publish_version(FunctionName="the-api")
        owner.lambdas.create_alias(FunctionName="the-api", Name="live", FunctionVersion="1")


def test_lines_with_their_time_and_version(writer: Any, owner: Deployer, lamella: Lamella) -> None:
    _function(owner)
    _write(writer, "too old\n", ago=7200)
    _write(writer, "hello\n")
    _write(writer, "from latest", stream="2026/11/22/[$LATEST]aa")
    assert lamella("logs", "api") == 0
    first, second = lamella.out.splitlines()
    assert first.endswith("Z [7] hello")
    assert second.endswith("Z [$LATEST] from latest")
    assert "too old" not in lamella.out
    assert lamella("logs", "the-api:7") == 0
    assert len(lamella.out.splitlines()) == 1
    assert lamella("logs", "the-api", "--since", "1d") == 0
    assert "too old" in lamella.out


def test_json_is_an_object_in_each_line(writer: Any, owner: Deployer, lamella: Lamella) -> None:
    _function(owner)
    _write(writer, "hello\nwörld\n")
    assert lamella("logs", f"arn:aws:lambda:{REGION}:123456789012:function:the-api", "--json") == 0
    (line,) = lamella.out.splitlines()
    tree = json.loads(line)
    assert (tree["message"], tree["version"], tree["stream"]) == ("hello\nwörld", "7", _STREAM)


def test_an_alias_stands_for_its_version(writer: Any, owner: Deployer, lamella: Lamella) -> None:
    _function(owner, versions=1)
    _write(writer, "seven")
    _write(writer, "one", stream="2026/11/22/[1]aa")
    assert lamella("logs", "api:live") == 0
    assert lamella.out.endswith("one\n")
    assert len(lamella.out.splitlines()) == 1
    assert lamella("logs", "api:gone") == 2
    assert "error: `the-api` has no alias `gone`" in lamella.err


def test_words(writer: Any, owner: Deployer, lamella: Lamella) -> None:
    _function(owner)
    _write(writer, "an ERROR", "fine")
    assert lamella("logs", "api", "--filter", "ERROR") == 0
    assert lamella.out.endswith("an ERROR\n")
    assert len(lamella.out.splitlines()) == 1


@pytest.mark.usefixtures("owner")
def test_nothing_there(lamella: Lamella) -> None:
    assert lamella("logs", "api") == 2
    assert lamella.err.startswith("note: could not read the function `the-api`")
    assert f"error: there is no log group `{_GROUP}`" in lamella.err
    _client().create_log_group(logGroupName=_GROUP)
    assert lamella("logs", "api") == 0
    assert lamella.out == ""
    assert lamella.err.endswith(f"Nothing in `{_GROUP}` in this time\n")


def test_followed_until_ctrl_c(writer: Any, owner: Deployer, lamella: Lamella, monkeypatch: pytest.MonkeyPatch) -> None:
    _function(owner)
    _write(writer, "first")

    class Out(io.StringIO):
        """A reader who presses Ctrl-C at the second line."""

        def write(self, text: str) -> int:
            written = super().write(text)
            if "first" in text:
                _write(writer, "second", ago=0)
            if "second" in text:
                raise KeyboardInterrupt
            return written

    out = Out()
    monkeypatch.setattr("sys.stdout", out)
    assert lamella("logs", "api", "--follow") == 0
    assert [line.split()[-1] for line in out.getvalue().splitlines()] == ["first", "second"]


def test_inits_by_version_and_their_change(writer: Any, owner: Deployer, lamella: Lamella) -> None:
    _function(owner, versions=1)
    owner.lambdas.update_function_code(FunctionName="the-api", ZipFile=zipped({"app.py": "x = 1\n"}))
    owner.lambdas.get_waiter("function_updated_v2").wait(FunctionName="the-api", WaiterConfig={"Delay": 0})
    owner.lambdas.publish_version(FunctionName="the-api")
    owner.lambdas.update_alias(FunctionName="the-api", Name="live", FunctionVersion="2")
    _write(writer, _report(1200), "hello", _report(800), stream="2026/11/22/[1]aa")
    _write(
        writer,
        _report(400),
        "INIT_REPORT Init Duration: 9.00 ms\tPhase: init\tStatus: error",
        stream="2026/11/22/[2]aa",
    )
    assert lamella("logs", "api", "--init") == 0
    assert [line.split() for line in lamella.out.splitlines()] == [
        ["version", "inits", "failed", "p50", "p95", "longest"],
        ["1", "2", "0", "800", "ms", "1.2", "s", "1.2", "s"],
        ["2", "1", "1", "400", "ms", "400", "ms", "400", "ms"],
    ]
    assert lamella.err == "Since the last deploy (1 to 2): p50 800 ms to 400 ms (-50%), p95 1.2 s to 400 ms (-67%)\n"
    assert lamella("logs", "api", "--init", "--json") == 0
    tree = json.loads(lamella.out)
    assert [row["version"] for row in tree["versions"]] == ["1", "2"]
    assert tree["change"] == {"since": "deploy", "before": "1", "after": "2", "p50": -400.0, "p95": -800.0}


def test_inits_of_latest_before_and_after_its_last_change(writer: Any, owner: Deployer, lamella: Lamella) -> None:
    _function(owner)
    stream = "2026/11/22/[$LATEST]aa"
    _write(writer, _report(1000), stream=stream, ago=3600)
    _write(writer, _report(500), stream=stream, ago=-1)
    assert lamella("logs", "api", "--init") == 0
    assert "Since it was last changed ($LATEST (earlier) to $LATEST): p50 1.0 s to 500 ms (-50%)" in lamella.err
    assert lamella("logs", "api", "--init", "--json") == 0
    assert json.loads(lamella.out)["change"]["since"] == "change"
    assert lamella("logs", "api", "--init", "--since", "1s", "-q") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--init", "--filter", "x"), "`--filter` chooses lines"),
        (("--env", "prod"), "there is no environment `prod`"),
    ],
)
def test_mistakes(lamella: Lamella, arguments: tuple[str, ...], said: str) -> None:
    assert lamella("logs", "api", *arguments) == 2
    assert said in lamella.err


def test_without_a_project_names_are_awss(
    tmp_path: Path, writer: Any, owner: Deployer, lamella: Lamella, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _function(owner)
    _write(writer, "hello")
    assert lamella("logs", "the-api") == 0
    assert lamella.out.endswith("hello\n")
    assert lamella("logs", "the-api", "--env", "prod") == 2
    assert "no configuration here" in lamella.err


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ("ERROR", "ERROR"),
        ("not installed", "not installed"),
        ("No module named 'rawpy'", "No module named \"'rawpy'\""),
        ('{ $.level = "ERROR" }', '{ $.level = "ERROR" }'),
        ("?a ?b", "?a ?b"),
        ("größe", '"größe"'),
        ('say "hi"', r'''say "\"hi\""'''),
        (r"C:\temp", r'''"C:\\temp"'''),
        ("", ""),
    ],
)
def test_patterns(words: str, pattern: str) -> None:
    assert command._pattern(words) == pattern


def test_times() -> None:
    assert command._since("2h")(10_000.0) == 2800.0
    assert command._since("1970-01-01T00:01:00")(0.0) == 60.0
    assert command._since("1970-01-01T01:01:00+01:00")(0.0) == 60.0
    for text in ("", "h", "2 hours", "-1h", "1970-13-01"):
        with pytest.raises(argparse.ArgumentTypeError):
            command._since(text)


def test_the_version_before_is_the_journals(fake_states: tuple[FunctionState, FunctionState]) -> None:
    api, worker = fake_states
    after = (After("api", "", (), "", "", "", "9", "live"),)
    befores = (
        Before(worker, "live", AliasState("worker", "live", "3", "r")),
        Before(api, "live", AliasState("api", "live", "4", "r")),
    )
    record = Record(history=(Deployment("d", 0.0, befores, after, ()),))
    assert before(record, "api", "9") == "4"
    assert before(record, "api", "8") == ""
    assert before(record, "worker", "9") == ""


def test_latest_is_what_the_journals_last_deploy_made_it() -> None:
    after = (After("api", "", (), "", "", ""),)
    record = Record(history=(Deployment("e", 900.0, (), (), ()), Deployment("d", 500.0, (), after, ())))
    assert changed(record, "api", 480.0) == (480.0, True)
    assert changed(record, "api", 800.0) == (500.0, True)  # somebody changed a variable since
    assert changed(record, "api", None) == (500.0, True)
    assert changed(record, "worker", 800.0) == (800.0, False)
    assert changed(Record(), "api", None) == (None, False)


def test_a_deploy_in_the_journal_divides_latest(
    writer: Any, owner: Deployer, project: Path, lamella: Lamella
) -> None:  # fmt: skip
    _function(owner)
    stream = "2026/11/22/[$LATEST]aa"
    _write(writer, _report(1000), stream=stream, ago=3600)
    _write(writer, _report(500), stream=stream, ago=1200)
    remember(project, Deployment("d", time.time() - 1800, (), (After("the-api", "", (), "", "", ""),), ()))
    assert lamella("logs", "api", "--init") == 0
    assert "Since the last deploy ($LATEST (earlier) to $LATEST): p50 1.0 s to 500 ms (-50%)" in lamella.err


@pytest.mark.parametrize(("call", "function"), [("GetAlias", "api"), ("ListAliases", "the-other")])
def test_an_alias_that_may_not_be_read_takes_no_table_away(
    writer: Any, owner: Deployer, strict: StrictServer, lamella: Lamella, call: str, function: str
) -> None:
    _function(owner, versions=1)
    owner.function("the-other", zipped({"app.py": ""}))
    group = _GROUP if function == "api" else "/aws/lambda/the-other"
    if group != _GROUP:
        writer.create_log_group(logGroupName=group)
    for number in (1, 2):
        _write(writer, _report(400), stream=f"2026/11/22/[{number}]aa", group=group)
    strict.fault = lambda _, __, operation: DENIED if operation == call else None
    assert lamella("logs", function, "--init") == 0
    assert "which version users meet is not known" in lamella.err
    assert [line.split()[0] for line in lamella.out.splitlines()] == ["version", "1", "2"]
    strict.fault = None


class _Shifted:
    """A followed log of `api`, whose alias points elsewhere from some time on."""

    def __init__(self) -> None:
        self.fake = Fake()
        state = self.fake.add_function("api", alias="live")
        for code in ("A", "B"):
            state = self.fake.change("api", code_sha256=code)
            self.fake.publish_version("api", revision=state.revision, code_sha256="", description="")
        self.fake.calls.clear()
        self.wanted = command._wanted(
            self.fake.cloud(), command.Asked("api", "live", ""), "/aws/lambda/api", again=True
        )

    def shows(self, version: str) -> bool:
        return self.wanted(LogEvent(0, "x", f"2026/11/22/[{version}]aa", "1"))

    @property
    def reads(self) -> int:
        return sum(call[0] == "alias" for call in self.fake.calls)


def test_a_followed_alias_is_read_again() -> None:
    log = _Shifted()
    assert (log.shows("1"), log.shows("2")) == (True, False)
    log.fake.point("api", "live", "1", [("3", 0.5)])
    assert (log.shows("3"), log.shows("1"), log.shows("2")) == (True, True, False)  # the first line of 3 asks
    log.fake.point("api", "live", "2")
    reads = log.reads
    assert (log.shows("1"), log.reads) == (True, reads)  # not again for each line
    log.fake.clock.sleep(10)
    assert (log.shows("2"), log.shows("1"), log.reads) == (True, False, reads + 1)


def test_an_alias_that_can_not_be_read_again_stays_where_it_was() -> None:
    log = _Shifted()
    log.fake.faults = lambda *_: unreachable()
    log.fake.clock.sleep(60)
    assert (log.shows("1"), log.shows("3")) == (True, False)


@pytest.fixture
def fake_states() -> tuple[FunctionState, FunctionState]:
    fake = Fake()
    return fake.add_function("api"), fake.add_function("worker")


def test_a_function_in_two_places_is_one_to_choose(project: Path, lamella: Lamella) -> None:
    text = (project / "lamella.toml").read_text()
    (project / "lamella.toml").write_text(f'{text}\n[deploy]\nregions = ["us-east-1", "eu-west-1"]\n')
    assert lamella("logs", "api") == 2
    assert "error: the function is in 2 places" in lamella.err
    assert lamella("logs", "api", "--region", "eu-west-1") == 2
    assert "there is no log group" in lamella.err
