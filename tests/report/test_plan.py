"""The text and the JSON of a plan, whole."""

from __future__ import annotations

import io
import json

import pytest
from tests.cloud.fake import Fake
from tests.rollout.wishes import deployed, function, layer, wanted

from lamella.cloud.model import Place
from lamella.config.model import Canary, Smoke
from lamella.report.console import Console
from lamella.report.plan import as_tree, show, summary, text
from lamella.rollout.model import Plan, Record, Wanted
from lamella.rollout.planning.plan import plan


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getcwd", lambda: "/project")


def small(fake: Fake, meant: Wanted, **place: str) -> Plan:
    return plan(fake.cloud(fake.place._replace(**place)), meant, Record())  # type: ignore[arg-type]


def everything() -> Plan:
    fake = Fake()
    deployed(fake, wanted(layer(), layer("more", b"m"), function(layers=["deps", "more"]), function("late", alias="")))
    fake.add_function("plain")
    fake.change("api", code=b"console")
    smoke = Smoke("events/health.json")
    missing = function("worker", layers=[])
    meant = wanted(
        layer(code=b"v2" * 2_100_000),
        layer("more", b"m"),
        function(code=b"new" * 700, layers=["deps", "more"], smoke=(smoke,), canary=Canary(0.1, 5, ("errors",))),
        function("late", alias="live", layers=["deps"]),
        function("plain", b"code", layers=[], alias=""),
        missing._replace(content=missing.content._replace(path="/project/dist/lambda/worker.zip")),
    )
    return small(fake, meant, environment="prod")


def test_the_text_of_everything() -> None:
    assert (
        text(everything())
        == """\
demo in prod (123456789012 eu-central-1)

Layers
  + deps:2  4.2 MB: the newest version, 1, has other bytes

Functions
  ~ api
      ~ attach `deps:2` instead of `:1`
      ~ code, 2.1 kB: $LATEST has other code than was built
      + publish a version
        prove it: compare it with what was built, invoke it with `events/health.json`
      ~ alias `live` to that version, 10% for 5 min first, watching `errors`: `live` points at version 1
  ~ late
      ~ attach `deps:2` instead of `:1`
      + publish a version
        prove it: compare it with what was built
      + alias `live` to that version: there is no alias `live`

Drift: what nobody deployed
  ! api: code was changed outside since version 1 was published

Missing: functions that are to be made first
  ! worker
        aws lambda create-function --function-name worker --runtime python3.12 --handler app.handler \
--architectures x86_64 --role ROLE_ARN --zip-file fileb://dist/lambda/worker.zip --region eu-central-1

Plan: publish 1 layer, change 2 functions (code of 1), shift 1 alias, create 1 alias, 1 function missing; \
4.2 MB to upload.
"""
    )


def test_nothing_to_do_is_a_line() -> None:
    fake = Fake()
    meant = wanted(layer(), function(alias=""))
    deployed(fake, meant)
    assert text(small(fake, meant)) == "demo in 123456789012 eu-central-1\n\nNo changes: AWS has what was built.\n"


def test_what_else_a_summary_says() -> None:
    fake = Fake()
    meant = wanted(layer(), function("a"), function("b"), function("c", alias=""))
    deployed(fake, meant)
    fake.point("a", "live", "$LATEST")
    fake.point("b", "live", "$LATEST")
    found = plan(fake.cloud(), meant, Record(), refresh=True)
    assert summary(found) == "Plan: publish 2 versions, shift 2 aliases."
    assert summary(small(fake, wanted(layer(code=b"2"), layer("x", b"x")))) == (
        "Plan: publish 2 layers; 2 B to upload."
    )  # fmt: skip


def test_on_a_terminal_marks_are_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for name, value in {"TERM": "xterm-256color", "COLUMNS": "60"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    out = Terminal()
    show(Console(out=out, err=io.StringIO()), everything())
    assert "  \x1b[1;33m~\x1b[0m api" in out.getvalue()
    assert "  \x1b[1;32m+\x1b[0m deps:2" in out.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    show(Console(out=plain, err=io.StringIO()), everything())
    assert "\x1b[3" not in plain.getvalue()


def test_quiet_shows_nothing() -> None:
    out = io.StringIO()
    show(Console(quiet=True, out=out, err=io.StringIO()), everything())
    assert out.getvalue() == ""


def test_as_json() -> None:
    tree = json.loads(json.dumps(as_tree(everything())))
    assert tree["place"] == {"environment": "prod", "account": "123456789012", "region": "eu-central-1"}
    assert tree["changed"] is True
    assert tree["upload"] == 4_202_100
    (publish,) = tree["publish"]
    assert (publish["layer"], publish["expected_version"], publish["size"]) == ("deps", 2, 4_200_000)
    assert tree["versions"] == {"more": "arn:aws:lambda:eu-central-1:123456789012:layer:more:1"}
    api, late = tree["functions"]
    assert (api["function"], late["function"]) == ("api", "late")
    assert [step["step"] for step in api["steps"]] == [
        "update_configuration", "update_code", "publish_version", "prove_version", "shift_alias"
    ]  # fmt: skip
    assert api["steps"][0]["layers"]["after"] == ["deps", "arn:aws:lambda:eu-central-1:123456789012:layer:more:1"]
    assert api["steps"][4]["before"] == {"version": "1", "weights": {}}
    assert api["steps"][4]["canary"] == {"weight": 0.1, "minutes": 5, "alarms": ["errors"], "errors": 0}
    assert late["steps"][-1]["before"] is None
    assert tree["unchanged"] == ["plain"]
    assert tree["missing"][0]["command"].startswith("aws lambda create-function --function-name worker ")
    assert tree["drift"] == [
        {"function": "api", "kind": "code", "what": "code was changed outside since version 1 was published"}
    ]


def test_a_place_without_a_name() -> None:
    fake = Fake()
    found = plan(fake.cloud(Place()), wanted(layer()), Record())
    assert text(found).startswith("demo\n\nLayers\n")
