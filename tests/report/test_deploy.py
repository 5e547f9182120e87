from __future__ import annotations

import io

from lamella.cloud.model import LayerVersion, Place
from lamella.report.console import Console
from lamella.report.deploy import as_tree, show, summary
from lamella.rollout.model import Failure, Outcome

PLACE = Place("prod", region="eu-west-1", account="123456789012")
LAYER = LayerVersion("arn:aws:lambda:eu-west-1:123456789012:layer:deps:8", "deps", 8, "digest", 2_000_000)
WENT_WELL = Outcome(
    PLACE, (LAYER,), ("api", "cron"), (("api", "13"),), (("api", "events/health.json"),), (("api", "13"),)
)  # fmt: skip
FAILED = Outcome(
    PLACE,
    (LAYER,),
    (),
    (("api", "13"),),
    failures=(Failure("api", "it does not hold", ("statusCode 500",), "mend it"),),
    restored=("`api` has its layers of before",),
)


def shown(outcome: Outcome, what: str = "deploy", *, quiet: bool = False) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    show(Console(quiet=quiet, out=out, err=err), outcome, what)
    return out.getvalue(), err.getvalue()


def test_what_went_well() -> None:
    out, err = shown(WENT_WELL)
    assert out == (
        "The deploy to prod (123456789012 eu-west-1) is done: 1 layer published, 2 functions updated, "
        "1 version published, 1 alias shifted, 1 smoke event passed.\n"
    )
    assert err == ""
    assert shown(WENT_WELL, quiet=True) == ("", "")


def test_what_failed() -> None:
    out, err = shown(FAILED)
    assert out == ""
    assert err.splitlines() == [
        "error: the deploy to prod (123456789012 eu-west-1) failed:",
        "error: `api`: it does not hold",
        "  statusCode 500",
        "  hint: mend it",
        "note: layer `deps` version 8 (2.0 MB) stays, for the next deploy",
        "note: version 13 of `api` stays; nothing points at it",
        "error: the deploy to prod (123456789012 eu-west-1) failed; all that it changed was put back",
    ]


def test_what_is_left_for_a_person_is_said_to_the_quiet_too() -> None:
    _, err = shown(FAILED._replace(remains=("`api` could not be put back: …",)), quiet=True)
    assert "error: the deploy to prod (123456789012 eu-west-1) failed, and this is left for a person\n" in err
    assert "  `api` could not be put back: …\n" in err


def test_where_nothing_had_been_changed() -> None:
    _, err = shown(FAILED._replace(restored=()), "rollback")
    assert err.endswith("error: the rollback of prod (123456789012 eu-west-1) failed; no function was changed\n")


def test_a_remark_at_the_end_is_no_failure() -> None:
    out, err = shown(WENT_WELL._replace(remains=("all was deployed, but …",)))
    assert "is done" in out
    assert err == "warning: prod (123456789012 eu-west-1): all was deployed, but …\n"


def test_nothing() -> None:
    assert summary(Outcome(PLACE)) == "nothing had to be changed"


def test_deleted_aliases_count() -> None:
    assert summary(Outcome(PLACE, deleted=(("api", "live"),))) == "1 alias deleted"


def test_as_json() -> None:
    tree = as_tree(FAILED)
    assert tree["ok"] is False
    assert tree["place"] == {"environment": "prod", "account": "123456789012", "region": "eu-west-1"}
    assert tree["published"][0]["arn"] == LAYER.arn
    assert tree["failures"] == [
        {"function": "api", "what": "it does not hold", "why": ["statusCode 500"], "hint": "mend it"}
    ]
