"""The policy allows what is called, on what it is called on, and nothing else."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable
from pathlib import Path

import botocore.session  # type: ignore[import-untyped]
import pytest
from tests.cloud.fake import Fake, denied
from tests.rollout.scene import Scene

import lamella
from lamella.config.model import Canary, Smoke
from lamella.rollout.model import Record
from lamella.rollout.upkeep.policy import CALLS, PURPOSES, Function, Scope, allows, document, partition, policy
from lamella.rollout.upkeep.prune import perform, prune
from lamella.rollout.upkeep.share import listed, permission, share, unshare

SOURCES = Path(lamella.__file__).parent
PLACES = (("eu-central-1", "123456789012"),)
API = Function("shop-api")
KEY = "arn:aws:kms:eu-central-1:123456789012:key/k"
SCOPE = Scope(
    PLACES, (API, Function("shop-plain", alias=False, canary=False)), ("shop-deps",),
    ("arn:aws:lambda:eu-central-1:999999999999:layer:tools:3",),
    (("zips", "lamella"),), (("state", "lamella"),), (("cache", ""),), (KEY,), (("test-state", "shop/"),),
)  # fmt: skip
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:"
LAYER = "arn:aws:lambda:eu-central-1:123456789012:layer:"

POINTED = ("update_alias", "worker")

# Where each service is called, and by which names of botocore's
ADAPTERS = {
    "cloud/lambdas.py": "lambda", "deployed/lambdas.py": "lambda", "cloud/alarms.py": "cloudwatch",
    "cloud/logs.py": "logs", "objects.py": "s3", "cloud/places.py": "sts", "doctor/access.py": "iam",
}  # fmt: skip


def operations(service: str) -> dict[str, str]:
    """botocore's names of a service's methods → its operations."""
    from botocore import xform_name

    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


def called(path: str, service: str) -> set[str]:
    """The operations that a file calls: as methods, or by their name in a paginator."""
    known = operations(service)
    tree = ast.parse((SOURCES / path).read_text())
    names = {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    names |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    # Methods of the port that are called as botocore's are
    return {f"{service}:{known[name]}" for name in names & known.keys()}


def test_every_call_of_the_adapters_is_known_and_no_other() -> None:
    made = set().union(*(called(path, service) for path, service in ADAPTERS.items()))
    # s3transfer's, where a file goes up in parts
    made |= {f"s3:{name}MultipartUpload" for name in ("Create", "Complete", "Abort")} | {"s3:UploadPart"}
    assert made == set(CALLS)


def test_the_names_are_those_of_the_service() -> None:
    for call in CALLS:
        service, _, operation = call.partition(":")
        assert operation in operations(service).values(), call


def test_together_the_commands_may_do_all_that_is_called_and_nothing_else() -> None:
    allowed = {action for statement in policy(SCOPE, list(PURPOSES)) for action in statement.actions}
    known = {action for actions in CALLS.values() for action in actions}
    assert allowed - {"kms:Decrypt", "kms:GenerateDataKey"} == known


API_ARN, PLAIN = f"{FUNCTION}shop-api", f"{FUNCTION}shop-plain"
DEPS, TOOLS = f"{LAYER}shop-deps", "arn:aws:lambda:eu-central-1:999999999999:layer:tools:3"
LOG = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/"
JOURNAL, ZIPS, CACHE = (f"arn:aws:s3:::{name}" for name in ("state", "zips", "cache"))
_READS = [
    ("lambda:ListFunctions", "*"),
    ("lambda:GetFunctionConfiguration", API_ARN),
    ("lambda:GetFunctionConfiguration", f"{API_ARN}:7"),
    ("lambda:GetFunctionConfiguration", PLAIN),
    ("lambda:GetAlias", API_ARN),
    ("lambda:GetAlias", f"{API_ARN}:live"),
    ("lambda:ListLayerVersions", DEPS),
    ("lambda:GetLayerVersion", f"{DEPS}:7"),
    ("s3:GetObject", f"{JOURNAL}/lamella/prod-1-eu.json"),
    ("s3:ListBucket", JOURNAL),
    ("kms:Decrypt", KEY),
]
_BACK = [
    *_READS,
    ("lambda:ListVersionsByFunction", API_ARN),
    ("lambda:GetFunction", API_ARN),
    ("lambda:GetFunction", f"{API_ARN}:7"),
    ("lambda:UpdateFunctionCode", API_ARN),
    ("lambda:UpdateFunctionConfiguration", PLAIN),
    ("lambda:GetLayerVersion", TOOLS),
    *((f"lambda:{do}Alias", arn) for do in ("Create", "Update", "Delete") for arn in (API_ARN, f"{API_ARN}:live")),
    *((f"s3:{do}Object", f"{ZIPS}/lamella/0a.zip") for do in ("Get", "Put")),
    ("s3:AbortMultipartUpload", f"{ZIPS}/lamella/0a.zip"),
    ("s3:ListBucket", ZIPS),
    *((f"s3:{do}Object", f"{JOURNAL}/lamella/prod-1-eu.lock") for do in ("Get", "Put", "Delete")),
    ("s3:AbortMultipartUpload", f"{JOURNAL}/lamella/prod-1-eu.kept/0a.zip"),
    ("kms:GenerateDataKey", KEY),
]
# What IAM asks for, and on what: by the Service Authorization Reference, in all forms that a name's qualifier has
ASKED = {
    "plan": _READS,
    "deploy": [
        *_BACK,
        ("lambda:PublishLayerVersion", DEPS),
        ("lambda:DeleteLayerVersion", f"{DEPS}:7"),
        ("lambda:PublishVersion", API_ARN),
        ("lambda:InvokeFunction", f"{API_ARN}:7"),
        ("lambda:InvokeFunction", PLAIN),
        ("cloudwatch:GetMetricData", "*"),
        ("cloudwatch:DescribeAlarms", "*"),
    ],
    "rollback": _BACK,
    "verify": [*_READS, ("lambda:InvokeFunction", f"{API_ARN}:7"), ("lambda:InvokeFunction", PLAIN)],
    "status": [*_READS, ("lambda:ListLayerVersions", f"{LAYER}of-others")],
    "versions": [
        ("lambda:ListFunctions", "*"),
        ("lambda:GetFunctionConfiguration", API_ARN),
        ("lambda:ListLayerVersions", DEPS),
        ("lambda:GetLayerVersion", f"{DEPS}:7"),
    ],
    "prune": [
        ("lambda:ListFunctions", "*"),
        ("lambda:ListVersionsByFunction", f"{FUNCTION}of-others"),
        ("lambda:ListAliases", f"{FUNCTION}of-others"),
        ("lambda:ListLayerVersions", DEPS),
        ("lambda:GetLayerVersion", f"{DEPS}:7"),
        ("lambda:GetLayerVersionPolicy", f"{DEPS}:7"),
        ("lambda:DeleteLayerVersion", f"{DEPS}:7"),
        *((f"s3:{do}Object", f"{JOURNAL}/lamella/prod-1-eu.lock") for do in ("Get", "Put", "Delete")),
        ("s3:AbortMultipartUpload", f"{JOURNAL}/lamella/prod-1-eu.kept/0a.zip"),
        ("s3:GetObject", "arn:aws:s3:::test-state/shop/test-1-eu.json"),
        ("s3:ListBucket", "arn:aws:s3:::test-state"),
        ("kms:Decrypt", KEY),
        ("kms:GenerateDataKey", KEY),
    ],
    "share": [
        ("lambda:ListLayerVersions", DEPS),
        ("lambda:GetLayerVersion", f"{DEPS}:7"),
        *((f"lambda:{do}LayerVersionPermission", f"{DEPS}:7") for do in ("Add", "Remove")),
        ("lambda:GetLayerVersionPolicy", f"{DEPS}:7"),
    ],
    "logs": [
        ("lambda:GetFunctionConfiguration", API_ARN),
        *((f"lambda:{do}", arn) for do in ("GetAlias", "ListAliases") for arn in (API_ARN, PLAIN)),
        ("lambda:GetAlias", f"{PLAIN}:any"),
        ("s3:GetObject", f"{JOURNAL}/lamella/prod-1-eu.json"),
        ("s3:ListBucket", JOURNAL),
        ("logs:FilterLogEvents", f"{LOG}shop-api:log-stream:"),
        ("kms:Decrypt", KEY),
    ],
    "doctor": [
        *_READS,
        ("lambda:GetFunction", f"{API_ARN}:7"),
        ("lambda:ListLayerVersions", f"{LAYER}of-others"),
        ("iam:SimulatePrincipalPolicy", "arn:aws:iam::123456789012:role/deployer"),
        ("iam:SimulatePrincipalPolicy", "arn:aws:iam::123456789012:user/me"),
    ],
    "build": [
        *((f"s3:{do}Object", f"{CACHE}/wheels/a") for do in ("Get", "Put")),
        ("s3:AbortMultipartUpload", f"{CACHE}/wheels/a"),
        ("s3:ListBucket", CACHE),
        ("kms:Decrypt", KEY),
        ("kms:GenerateDataKey", KEY),
    ],
    "pull-request": [("s3:GetObject", f"{CACHE}/wheels/a"), ("s3:ListBucket", CACHE), ("kms:Decrypt", KEY)],
}
_STRANGERS = (
    f"{FUNCTION}strange", f"{FUNCTION}strange:7", f"{LAYER}strange", f"{LAYER}strange:7", f"{LOG}strange:log-stream:",
    "arn:aws:s3:::strange", "arn:aws:s3:::strange/lamella/a", f"{ZIPS}/a", f"{JOURNAL}/a", f"{KEY}2",
)  # fmt: skip
_FOR_ALL = {
    "status": {"lambda:ListLayerVersions"},
    "doctor": {"lambda:ListLayerVersions"},
    "prune": {"lambda:ListVersionsByFunction", "lambda:ListAliases"},
}


@pytest.mark.parametrize("purpose", PURPOSES)
def test_each_command_may_do_what_it_asks_for_where_it_asks(purpose: str) -> None:
    made = policy(SCOPE, [purpose])
    assert [row for row in ASKED[purpose] if not allows(made, *row)] == []
    asked = {action for action, _ in ASKED[purpose]}
    assert {action for one in made for action in one.actions} == asked
    for action in asked - {"lambda:ListFunctions", "cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"}:
        strange = [arn for arn in _STRANGERS if allows(made, action, arn)]
        assert bool(strange) is (action in _FOR_ALL.get(purpose, ())), (action, strange)


def test_layers_are_deleted_and_shared_by_their_versions_alone() -> None:
    made = policy(SCOPE, ["prune", "share"])
    for action in ("DeleteLayerVersion", "GetLayerVersionPolicy", "AddLayerVersionPermission"):
        assert not allows(made, f"lambda:{action}", DEPS)


def test_buckets_are_in_the_partitions_of_the_places() -> None:
    places = (("cn-north-1", "123456789012"), ("eu-central-1", "123456789012"))
    (made,) = (one for one in policy(SCOPE._replace(places=places), ["build"]) if one.sid == "WriteCache")
    assert made.resources == ("arn:aws-cn:s3:::cache/*", "arn:aws:s3:::cache/*")


def test_a_log_group_that_is_not_the_functions_own() -> None:
    made = policy(SCOPE._replace(groups=("/shop/all",)), ["logs"])
    assert allows(
        made, "logs:FilterLogEvents", "arn:aws:logs:eu-central-1:123456789012:log-group:/shop/all:log-stream:"
    )


@pytest.mark.parametrize("purpose", ["plan", "status", "versions", "doctor", "pull-request"])
def test_what_reads_changes_nothing(purpose: str) -> None:
    actions = {action for statement in policy(SCOPE, [purpose]) for action in statement.actions}
    assert actions
    assert all(re.match(r"\w+:(Get|List|Simulate|Decrypt)", action) for action in actions), actions


def test_a_deploy_changes_its_own_functions_alone() -> None:
    made = policy(SCOPE, ["deploy"])
    assert allows(made, "lambda:UpdateFunctionCode", f"{FUNCTION}shop-api")
    assert not allows(made, "lambda:UpdateFunctionCode", f"{FUNCTION}shop-apiary")
    assert not allows(made, "lambda:UpdateFunctionCode", "arn:aws:lambda:eu-west-1:123456789012:function:shop-api")
    assert not allows(made, "lambda:UpdateFunctionCode", "arn:aws:lambda:eu-central-1:111111111111:function:shop-api")
    assert allows(made, "lambda:PublishLayerVersion", f"{LAYER}shop-deps")
    assert not allows(made, "lambda:PublishLayerVersion", f"{LAYER}other")
    assert allows(made, "lambda:GetLayerVersion", f"{LAYER}shop-deps:7")
    assert allows(made, "lambda:GetLayerVersion", "arn:aws:lambda:eu-central-1:999999999999:layer:tools:3")
    assert not allows(made, "lambda:GetLayerVersion", "arn:aws:lambda:eu-central-1:999999999999:layer:tools:4")
    assert allows(made, "lambda:DeleteLayerVersion", f"{LAYER}shop-deps:7")  # its own twin of another's version
    assert not allows(made, "lambda:DeleteLayerVersion", f"{LAYER}other:7")
    assert not allows(made, "lambda:DeleteFunction", f"{FUNCTION}shop-api")
    assert not allows(made, "iam:PassRole", "*")


def test_aliases_and_versions_are_for_functions_that_have_them() -> None:
    made = policy(SCOPE, ["deploy"])
    assert allows(made, "lambda:UpdateAlias", f"{FUNCTION}shop-api:live")
    assert not allows(made, "lambda:UpdateAlias", f"{FUNCTION}shop-plain")
    assert not allows(made, "lambda:PublishVersion", f"{FUNCTION}shop-plain")
    assert allows(made, "lambda:InvokeFunction", f"{FUNCTION}shop-api:12")
    assert not allows(made, "lambda:InvokeFunction", f"{FUNCTION}shop-api")
    assert allows(made, "lambda:InvokeFunction", f"{FUNCTION}shop-plain")


def test_what_is_not_configured_is_not_asked_for() -> None:
    bare = Scope(PLACES, (Function("api", alias=False, smoke=False, canary=False),), ())
    actions = {action for statement in policy(bare, ["deploy"]) for action in statement.actions}
    assert actions == {
        "lambda:ListFunctions", "lambda:GetFunctionConfiguration", "lambda:GetFunction", "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
    }  # fmt: skip


def test_buckets() -> None:
    made = policy(SCOPE, ["deploy"])
    assert allows(made, "s3:PutObject", "arn:aws:s3:::zips/lamella/abc.zip")
    assert not allows(made, "s3:PutObject", "arn:aws:s3:::zips/other")
    assert allows(made, "s3:DeleteObject", "arn:aws:s3:::state/lamella/prod-1-eu.json")
    assert not allows(made, "s3:DeleteObject", "arn:aws:s3:::zips/lamella/abc.zip")
    assert allows(made, "s3:ListBucket", "arn:aws:s3:::state")
    cache = policy(SCOPE, ["pull-request"])
    assert allows(cache, "s3:GetObject", "arn:aws:s3:::cache/anything")
    assert not allows(cache, "s3:PutObject", "arn:aws:s3:::cache/anything")


def test_what_knows_no_resources_is_bound_to_the_regions() -> None:
    statements = {statement.sid: statement for statement in policy(SCOPE, ["deploy"])}
    for sid in ("ListFunctions", "WatchMetrics", "WatchAlarms"):
        assert statements[sid].resources == ("*",)
        assert statements[sid].conditions == (("StringEquals", "aws:RequestedRegion", ("eu-central-1",)),)
    assert all(statement.conditions == () for sid, statement in statements.items() if statement.resources != ("*",))


def test_the_document_is_iams() -> None:
    tree = document(policy(SCOPE, ["deploy"]))
    assert json.loads(json.dumps(tree)) == tree
    assert tree["Version"] == "2012-10-17"
    statements = tree["Statement"]
    assert isinstance(statements, list)
    sids = [row["Sid"] for row in statements]
    assert len(set(sids)) == len(sids)
    assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids)
    assert all(row.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"} for row in statements)


def test_partitions_are_botocores() -> None:
    session = botocore.session.get_session()
    for name in session.get_available_partitions():
        for region in session.get_available_regions("lambda", partition_name=name):
            assert partition(region) == name
    assert partition("*") == "*"


def actions_of(calls: Iterable[tuple[str, ...]]) -> set[str]:
    """The permissions that calls of the ports go by, told from what the adapters make of them."""
    by_method: dict[str, set[str]] = {}
    for path, service in ADAPTERS.items():
        known = operations(service)
        for node in ast.walk(ast.parse((SOURCES / path).read_text())):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                words = {word.attr for word in ast.walk(node) if isinstance(word, ast.Attribute)}
                words |= {word.value for word in ast.walk(node) if isinstance(word, ast.Constant)}  # type: ignore[misc]
                by_method.setdefault(node.name, set()).update(
                    f"{service}:{known[word]}" for word in words if word in known
                )
    made = {call for name, *_ in calls for call in by_method.get(name, ())}
    assert made
    return {action for call in made for action in CALLS[call] if action.startswith(("lambda:", "cloudwatch:"))}


def allowed(purpose: str) -> set[str]:
    found = {action for statement in policy(SCOPE, [purpose]) for action in statement.actions}
    return {action for action in found if action.startswith(("lambda:", "cloudwatch:"))}


def test_a_deploy_makes_no_call_that_is_not_allowed_and_all_kinds_that_are(tmp_path: Path) -> None:
    """One with a canary, and one that makes an alias, fails behind it, and takes all back."""
    used: set[str] = set()
    for number, canary in enumerate((Canary(0.1, 1, ("alarm",)), None)):
        folder = tmp_path / str(number)
        folder.mkdir()
        scene = Scene(folder, smoke=(Smoke("health"),), canary=canary)
        scene.fake.alarms.states["alarm"] = "OK"
        if canary is None:
            scene.fake.delete_alias("api", "live")
            scene.fake.faults = lambda name, arguments, _: denied() if (name, arguments[0]) == POINTED else None
            scene.fake.calls.clear()
        outcome = scene.deploy()
        assert bool(outcome.failures) is (canary is None), outcome
        used |= actions_of(scene.fake.calls)
    assert used <= allowed("deploy")
    # A project of more than ten functions is read by list, a rollback without a journal asks for versions, and of two
    # versions that are published in the same moment one is deleted
    unused = {"lambda:ListFunctions", "lambda:ListVersionsByFunction", "lambda:DeleteLayerVersion"}
    assert allowed("deploy") - used == unused


@pytest.mark.parametrize("journal", [True, False])
def test_a_rollback_makes_no_call_that_is_not_allowed(tmp_path: Path, journal: bool) -> None:
    scene = Scene(tmp_path)
    assert not scene.deploy().failures
    if not journal:
        scene.lose_journal()
    scene.fake.calls.clear()
    outcome = scene.roll_back(*(() if journal else ("api",)))
    assert not outcome.failures, outcome
    used = actions_of(scene.fake.calls)
    assert "lambda:UpdateAlias" in used
    assert used <= allowed("rollback")


def test_sharing_and_pruning_make_no_call_that_is_not_allowed() -> None:
    fake = Fake()
    for code in (b"one", b"two", b"three"):
        fake.add_layer("deps", code)
    fake.add_function("api", layers=[fake.layer_arn("deps", 3)], alias="live")
    share(fake.cloud(), "deps", 3, permission(account="999999999999"))
    unshare(fake.cloud(), "deps", 3, permission(account="999999999999"))
    listed(fake.cloud(), "deps")
    assert actions_of(fake.calls) == allowed("share")
    fake.calls.clear()
    planned = prune(fake.cloud(), ["deps"], [Record()], keep=1)
    assert perform(fake.cloud(), planned).deleted
    assert actions_of(fake.calls) <= allowed("prune")
