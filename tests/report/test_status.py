from __future__ import annotations

import io
import json

from tests.cloud.fake import Fake, code_digest
from tests.rollout.wishes import deployed, function, layer, wanted

from lamella.report.console import Console
from lamella.report.status import as_tree, show, show_versions, versions_as_tree
from lamella.rollout.model import Before, Deployment, Intent, Record
from lamella.rollout.upkeep.status import Named, Status, status, versions


def found() -> Status:
    fake = Fake()
    deployed(fake, wanted(layer(), function(), function("bare", layers=[], alias=""), function("odd", alias="")))
    fake.add_layer("deps", b"v2")
    fake.publish_version("api", revision="", code_sha256="", description="")
    fake.change("api", code=b"console")
    fake.change("bare", update="Failed", reason="no such key")
    fake.publish_version("api", revision="", code_sha256="", description="")
    fake.point("api", "live", "1", [("2", 0.1)])
    unfinished = Intent("2", 1_795_132_800.0, (), (Before(fake.state("odd")),), ())
    last = Deployment("1", 1_795_132_800.0, (), (), ())
    named = [Named("api", "api", "live"), Named("bare", "bare", ""), Named("gone", "gone", "live")]
    named.append(Named("odd", "odd", "live"))
    return status(fake.cloud(), named, ["deps"], Record((), unfinished, (last,)))


def test_the_tables() -> None:
    out, err = io.StringIO(), io.StringIO()
    show(Console(out=out, err=err), found())
    rows = [line.split("  ") for line in out.getvalue().splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    when = "2026-09-21 14:13"
    assert cells == [
        ["123456789012 eu-central-1"],
        ["function", "alias", "version", "layers", "last change"],
        ["api", "live (10% to 2)", "1", "deps:1 (newest 2)", when],
        ["bare", "-", "$LATEST", "none", when],
        ["gone", "live", "not there"],
        ["odd", "live (missing)", "-", when],
    ]
    assert err.getvalue().splitlines() == [
        "warning: `api`: code was changed outside since version 1 was published",
        "warning: the last update of `bare` $LATEST failed: no such key",
        "warning: a deploy or rollback of 2026-11-20 00:00 UTC did not come to its end (1 function): `lamella deploy` "
        "goes on from what is there, `lamella rollback` goes back",
        "last deploy: 2026-11-20 00:00 UTC, 0 functions",
    ]


def test_a_deploy_that_is_under_way() -> None:
    err = io.StringIO()
    show(Console(out=io.StringIO(), err=err), found(), "process 7 of me on here, since today,")
    assert "did not come to its end" not in err.getvalue()
    assert (
        "note: a deploy or rollback of 2026-11-20 00:00 UTC is under way (1 function): "
        "process 7 of me on here, since today\n" in err.getvalue()
    )
    tree = as_tree(found(), "process 7 of me on here, since today,")
    assert tree["unfinished"]["under_way"] == "process 7 of me on here, since today"
    assert as_tree(found())["unfinished"]["under_way"] is None


def test_one_of_several_places_is_named() -> None:
    err = io.StringIO()
    show(Console(out=io.StringIO(), err=err), found(), several=True)
    for line in err.getvalue().splitlines():
        assert line.removeprefix("warning: ").startswith("123456789012 eu-central-1: ")


def test_as_json() -> None:
    tree = json.loads(json.dumps(as_tree(found())))
    api, _, gone, odd = tree["functions"]
    assert api["alias"] == {"name": "live", "version": "1", "weights": {"2": 0.1}}
    assert (api["version"], api["code_sha256"]) == ("1", code_digest(b"code"))
    assert api["layers"] == [
        {"arn": "arn:aws:lambda:eu-central-1:123456789012:layer:deps:1", "newest": 2, "is_newest": False}
    ]
    assert [one["kind"] for one in api["drift"]] == ["code"]
    assert (gone["there"], gone["version"]) == (False, None)
    assert (odd["there"], odd["alias"], odd["version"]) == (True, None, None)
    assert tree["unfinished"]["functions"] == ["odd"]
    assert tree["last_deploy"] == {"id": "1", "finished": 1_795_132_800.0}


def test_versions() -> None:
    fake = Fake()
    fake.add_layer("deps", b"1" * 4200, runtimes=["python3.12"], description="numpy 2.3")
    fake.add_layer("deps", b"2")
    for name in "abcde":
        fake.add_function(name, layers=[fake.layer_arn("deps", 1)])
    rows = versions(fake.cloud(), "deps", list("abcde"), limit=None, built=code_digest(b"2"))
    out = io.StringIO()
    show_versions(Console(out=out, err=io.StringIO()), fake.place, "deps", rows)
    head, _, new, old = out.getvalue().splitlines()
    assert head == "deps in 123456789012 eu-central-1"
    assert new.startswith("2 = this build  2026-09-21 ")
    assert " 4.2 kB  " in old
    assert "python3.12  a, b, c and 2 more  numpy 2.3" in old
    tree = json.loads(json.dumps(versions_as_tree(fake.place, "deps", rows)))
    assert [row["built"] for row in tree["versions"]] == [True, False]
    assert tree["versions"][1]["functions"] == list("abcde")
