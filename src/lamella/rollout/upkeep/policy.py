"""The least IAM policy that each command of a rollout needs, for exactly the functions, layers and buckets there are.

`CALLS` says which permission each call of AWS goes by; a test holds it against the calls that the adapters make, and
`PURPOSES` against the calls of a deploy.  Sources: AWS Service Authorization Reference (Lambda, S3, CloudWatch,
CloudWatch Logs); AWS Lambda developer guide, "Fine-tuning the Resources and Conditions sections of policies" and
"Granting users access to a Lambda layer"; S3 User Guide, "Required permissions for Amazon S3 API operations".

What these tell beyond the names: Invoke goes by lambda:InvokeFunction.  To attach a layer takes lambda:GetLayerVersion
of it.  ListFunctions and metrics know no resources.  DescribeAlarms does, but tells of composite alarms only to whom it
is allowed for all (CloudWatch API reference, DescribeAlarms).  A zip that is named by its place in S3 is read with the
caller's own s3:GetObject.  HeadObject goes by s3:GetObject, and says 404 rather than 403 only to whom s3:ListBucket is
allowed, without a condition on the prefix, which the call has not.  To read an object that a KMS key encrypts takes
kms:Decrypt, to write one kms:GenerateDataKey, and in parts both.  iam:PassRole is asked for where a call names a role:
none does here.

A deploy deletes a layer version where somebody published the same bytes in the same moment: its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

# The permissions that a call goes by; STS's GetCallerIdentity needs none
CALLS: Mapping[str, tuple[str, ...]] = {
    "cloudwatch:DescribeAlarms": ("cloudwatch:DescribeAlarms",),
    "cloudwatch:GetMetricData": ("cloudwatch:GetMetricData",),
    "iam:SimulatePrincipalPolicy": ("iam:SimulatePrincipalPolicy",),
    "lambda:AddLayerVersionPermission": ("lambda:AddLayerVersionPermission",),
    "lambda:CreateAlias": ("lambda:CreateAlias",),
    "lambda:DeleteAlias": ("lambda:DeleteAlias",),
    "lambda:DeleteLayerVersion": ("lambda:DeleteLayerVersion",),
    "lambda:GetAlias": ("lambda:GetAlias",),
    "lambda:GetFunction": ("lambda:GetFunction",),
    "lambda:GetFunctionConfiguration": ("lambda:GetFunctionConfiguration",),
    "lambda:GetLayerVersion": ("lambda:GetLayerVersion",),
    "lambda:GetLayerVersionPolicy": ("lambda:GetLayerVersionPolicy",),
    "lambda:Invoke": ("lambda:InvokeFunction",),
    "lambda:ListAliases": ("lambda:ListAliases",),
    "lambda:ListFunctions": ("lambda:ListFunctions",),
    "lambda:ListLayerVersions": ("lambda:ListLayerVersions",),
    "lambda:ListVersionsByFunction": ("lambda:ListVersionsByFunction",),
    "lambda:PublishLayerVersion": ("lambda:PublishLayerVersion", "s3:GetObject"),
    "lambda:PublishVersion": ("lambda:PublishVersion",),
    "lambda:RemoveLayerVersionPermission": ("lambda:RemoveLayerVersionPermission",),
    "lambda:UpdateAlias": ("lambda:UpdateAlias",),
    "lambda:UpdateFunctionCode": ("lambda:UpdateFunctionCode", "s3:GetObject"),
    "lambda:UpdateFunctionConfiguration": ("lambda:UpdateFunctionConfiguration", "lambda:GetLayerVersion"),
    "logs:FilterLogEvents": ("logs:FilterLogEvents",),
    "s3:AbortMultipartUpload": ("s3:AbortMultipartUpload",),
    "s3:CompleteMultipartUpload": ("s3:PutObject",),
    "s3:CreateMultipartUpload": ("s3:PutObject",),
    "s3:DeleteObject": ("s3:DeleteObject",),
    "s3:GetObject": ("s3:GetObject",),
    "s3:HeadObject": ("s3:GetObject", "s3:ListBucket"),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:PutObject": ("s3:PutObject",),
    "s3:UploadPart": ("s3:PutObject",),
    "sts:GetCallerIdentity": (),
}

# Managed policies may have so many characters, white space aside (IAM and AWS STS quotas)
LONGEST = 6144

# The partition that a region is in, by how its name begins (botocore, partitions.json)
_PARTITIONS = (
    ("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-isob-", "aws-iso-b"), ("us-isof-", "aws-iso-f"),
    ("us-iso-", "aws-iso"), ("eu-isoe-", "aws-iso-e"), ("eusc-", "aws-eusc"),
)  # fmt: skip


class Function(NamedTuple):
    """A function by its name in AWS, and what a deploy of it takes.  A name may end in ``*``."""

    name: str
    alias: bool = True
    smoke: bool = True
    canary: bool = True


class Scope(NamedTuple):
    """What a policy is for.

    `places` are pairs of region and account, "*" for any.  `layers` are names, `foreign` ARNs of other people's layer
    versions.  `bucket`, `journal` and `cache` are pairs of bucket and prefix ("" for all of it), () for none; so are
    `journals`, which are other environments'.  `keys` are ARNs of KMS keys that buckets are encrypted with.  `groups`
    are names of log groups that functions write to in place of their own.
    """

    places: tuple[tuple[str, str], ...]
    functions: tuple[Function, ...]
    layers: tuple[str, ...]
    foreign: tuple[str, ...] = ()
    bucket: tuple[tuple[str, str], ...] = ()
    journal: tuple[tuple[str, str], ...] = ()
    cache: tuple[tuple[str, str], ...] = ()
    keys: tuple[str, ...] = ()
    journals: tuple[tuple[str, str], ...] = ()
    groups: tuple[str, ...] = ()


class Statement(NamedTuple):
    """One statement that allows.  `conditions` are (operator, key, values)."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()


_READ = ("ListFunctions", "ReadFunctions", "ReadLayers", "ReadAliases", "ReadJournal", "ReadKeys")
_JOURNAL = ("ReadJournal", "WriteJournal")
_REST = (
    "ReadVersions", "ReadCode", "PublishLayers", "UpdateFunctions", "AttachLayers", "PublishVersions", "ShiftAliases",
    "Invoke", "Upload", "WriteJournal", "WatchMetrics", "WatchAlarms", "WriteKeys",
)  # fmt: skip
# Of these, what a way back does not do: it makes no versions, and proves and watches none
_FORWARD = ("PublishLayers", "PublishVersions", "Invoke", "WatchMetrics", "WatchAlarms")
# What each command takes, as parts: see `_PARTS`
PURPOSES: Mapping[str, tuple[str, ...]] = {
    "plan": _READ,
    # Of two versions that were published in the same moment, with the same bytes, it deletes its own
    "deploy": (*_READ, *_REST, "PruneLayers"),
    # Code above the limit of a request goes through the bucket on its way back, too
    "rollback": (*_READ, *(part for part in _REST if part not in _FORWARD)),
    "verify": (*_READ, "Invoke"),
    "status": (*_READ, "ListEveryLayer"),
    "versions": ("ListFunctions", "ReadFunctions", "ReadLayers"),
    "prune": (
        "ListFunctions", "ReadEveryVersion", "ReadLayers", "ReadPolicies", "PruneLayers", *_JOURNAL, "ReadJournals",
        "ReadKeys", "WriteKeys",
    ),
    "share": ("ReadLayers", "ReadPolicies", "ShareLayers"),
    "logs": ("ReadFunctions", "ReadEveryAlias", "ReadJournal", "ReadKeys", "ReadLogs"),
    "doctor": (*_READ, "ListEveryLayer", "ReadCode", "Simulate"),
    "build": ("ReadCache", "ReadKeys", "WriteCache", "WriteKeys"),
    "pull-request": ("ReadCache", "ReadKeys"),
}  # fmt: skip


def policy(scope: Scope, purposes: Sequence[str]) -> tuple[Statement, ...]:
    """The statements for these commands (keys of `PURPOSES`), those alone that something is there for."""
    wanted = dict.fromkeys(part for purpose in purposes for part in PURPOSES[purpose])
    made = (_PARTS[part](scope) for part in _PARTS if part in wanted)
    return tuple(statement for statement in made if statement.resources)


def document(statements: Iterable[Statement]) -> dict[str, object]:
    """As IAM takes it (IAM User Guide, "Grammar of the IAM JSON policy language")."""
    rows = []
    for statement in statements:
        row: dict[str, object] = {
            "Sid": statement.sid,
            "Effect": "Allow",
            "Action": list(statement.actions),
            "Resource": list(statement.resources),
        }
        if statement.conditions:
            conditions: dict[str, dict[str, object]] = {}
            for operator, key, values in statement.conditions:
                conditions.setdefault(operator, {})[key] = list(values)
            row["Condition"] = conditions
        rows.append(row)
    return {"Version": "2012-10-17", "Statement": rows}


def partition(region: str) -> str:
    """``aws``, ``aws-cn`` …; "*" where the region is."""
    if region == "*":
        return "*"
    return next((name for prefix, name in _PARTITIONS if region.startswith(prefix)), "aws")


def _arns(scope: Scope, names: Iterable[str], service: str = "lambda") -> tuple[str, ...]:
    """An ARN for each place and name: ``function:api``."""
    listed = tuple(names)
    return tuple(
        f"arn:{partition(region)}:{service}:{region}:{account}:{name}"
        for region, account in scope.places
        for name in listed
    )


def _functions(scope: Scope, forms: Sequence[str], which: Callable[[Function], bool] = bool) -> tuple[str, ...]:
    """Functions as resources: ``""`` is the function itself, ``":*"`` its versions and aliases."""
    return _arns(scope, [f"function:{one.name}{form}" for one in scope.functions if which(one) for form in forms])


def _layers(scope: Scope, form: str = "") -> tuple[str, ...]:
    return _arns(scope, [f"layer:{name}{form}" for name in scope.layers])


def _principals(scope: Scope) -> tuple[str, ...]:
    """Whoever policies are attached to in the accounts."""
    accounts = dict.fromkeys((partition(region), account) for region, account in scope.places)
    return tuple(f"arn:{one}:iam::{account}:{kind}/*" for one, account in accounts for kind in ("role", "user"))


def _everywhere(scope: Scope, sid: str, actions: tuple[str, ...], needed: bool = True) -> Statement:
    """Calls that know no resources: in the regions alone."""
    regions = tuple(dict.fromkeys(region for region, _ in scope.places if region != "*"))
    conditions = (("StringEquals", "aws:RequestedRegion", regions),) if regions else ()
    return Statement(sid, actions, ("*",) if needed else (), conditions)


def _objects(scope: Scope, places: Iterable[tuple[str, str]], below: str = "") -> tuple[str, ...]:
    """The objects below prefixes, as resources."""
    found = tuple(places)
    return tuple(f"{of}{bucket}/{_joined(prefix, below)}*" for of in _s3(scope) for bucket, prefix in found)


def _joined(prefix: str, below: str) -> str:
    return "/".join(filter(None, (prefix.strip("/"), below))) + ("/" if prefix and not below else "")


def _s3(scope: Scope) -> tuple[str, ...]:
    """How the ARNs of buckets begin: one for each partition that there is a place in."""
    return tuple(dict.fromkeys(f"arn:{partition(region)}:s3:::" for region, _ in scope.places))


def _with_bucket(scope: Scope, sid: str, actions: tuple[str, ...], places: tuple[tuple[str, str], ...]) -> Statement:
    """Objects and their buckets in one statement; S3 takes each action for the resources that it knows."""
    buckets = dict.fromkeys(f"{of}{bucket}" for of in _s3(scope) for bucket, _ in places)
    return Statement(sid, (*actions, "s3:ListBucket"), (*buckets, *_objects(scope, places)))


def _read_layers(scope: Scope) -> Statement:
    actions = ("lambda:GetLayerVersion", "lambda:ListLayerVersions")
    return Statement("ReadLayers", actions, (*_layers(scope), *_layers(scope, ":*"), *scope.foreign))


def _share_layers(scope: Scope) -> Statement:
    actions = ("lambda:AddLayerVersionPermission", "lambda:RemoveLayerVersionPermission")
    return Statement("ShareLayers", actions, _layers(scope, ":*"))


def _shift_aliases(scope: Scope) -> Statement:
    # DeleteAlias: one that a failed deploy made is taken away again
    actions = ("lambda:CreateAlias", "lambda:DeleteAlias", "lambda:UpdateAlias")
    return Statement("ShiftAliases", actions, _functions(scope, ("", ":*"), _has_alias))


def _invoke(scope: Scope) -> Statement:
    aliased = [one for one in scope.functions if one.smoke and one.alias]
    plain = [one for one in scope.functions if one.smoke and not one.alias]
    names = [f"function:{one.name}:*" for one in aliased] + [f"function:{one.name}" for one in plain]
    return Statement("Invoke", ("lambda:InvokeFunction",), _arns(scope, names))


def _upload(scope: Scope) -> Statement:
    actions = ("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject")
    return _with_bucket(scope, "Upload", actions, scope.bucket)


def _attach_layers(scope: Scope) -> Statement:
    return Statement("AttachLayers", ("lambda:GetLayerVersion",), scope.foreign)


def _groups(scope: Scope) -> tuple[str, ...]:
    return (*(f"/aws/lambda/{one.name}" for one in scope.functions), *scope.groups)


def _has_alias(one: Function) -> bool:
    return one.alias


def _has_canary(scope: Scope) -> bool:
    return any(one.canary and one.alias for one in scope.functions)


_KEPT = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject")
# Each part of a policy by its Sid
_PARTS: Mapping[str, Callable[[Scope], Statement]] = {
    "ListFunctions": lambda scope: _everywhere(scope, "ListFunctions", ("lambda:ListFunctions",)),
    "ReadFunctions": lambda scope: Statement(
        "ReadFunctions", ("lambda:GetFunctionConfiguration",), _functions(scope, ("", ":*"))
    ),
    "ReadAliases": lambda scope: Statement(
        "ReadAliases", ("lambda:GetAlias",), _functions(scope, ("", ":*"), _has_alias)
    ),
    "ReadVersions": lambda scope: Statement(
        "ReadVersions", ("lambda:ListVersionsByFunction",), _functions(scope, ("", ":*"), _has_alias)
    ),
    # Whatever alias is asked for, of functions that are deployed without one, too
    "ReadEveryAlias": lambda scope: Statement(
        "ReadEveryAlias", ("lambda:GetAlias", "lambda:ListAliases"), _functions(scope, ("", ":*"))
    ),
    # Whether a layer's version is needed still, any function may say
    "ReadEveryVersion": lambda scope: Statement(
        "ReadEveryVersion", ("lambda:ListAliases", "lambda:ListVersionsByFunction"), _arns(scope, ["function:*"])
    ),
    "ListEveryLayer": lambda scope: Statement(
        "ListEveryLayer", ("lambda:ListLayerVersions",), _arns(scope, ["layer:*"])
    ),
    "ReadPolicies": lambda scope: Statement("ReadPolicies", ("lambda:GetLayerVersionPolicy",), _layers(scope, ":*")),
    "ReadCode": lambda scope: Statement("ReadCode", ("lambda:GetFunction",), _functions(scope, ("", ":*"))),
    "ReadLayers": _read_layers,
    "PublishLayers": lambda scope: Statement("PublishLayers", ("lambda:PublishLayerVersion",), _layers(scope)),
    "AttachLayers": _attach_layers,
    "UpdateFunctions": lambda scope: Statement(
        "UpdateFunctions",
        ("lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"),
        _functions(scope, ("",)),
    ),
    "PublishVersions": lambda scope: Statement(
        "PublishVersions", ("lambda:PublishVersion",), _functions(scope, ("",), _has_alias)
    ),
    "ShiftAliases": _shift_aliases,
    "Invoke": _invoke,
    "WatchMetrics": lambda scope: _everywhere(scope, "WatchMetrics", ("cloudwatch:GetMetricData",), _has_canary(scope)),
    "WatchAlarms": lambda scope: _everywhere(scope, "WatchAlarms", ("cloudwatch:DescribeAlarms",), _has_canary(scope)),
    "Upload": _upload,
    "ReadJournal": lambda scope: _with_bucket(scope, "ReadJournal", ("s3:GetObject",), scope.journal),
    "WriteJournal": lambda scope: Statement("WriteJournal", _KEPT[:2] + _KEPT[3:], _objects(scope, scope.journal)),
    "ReadJournals": lambda scope: _with_bucket(scope, "ReadJournals", ("s3:GetObject",), scope.journals),
    "ReadCache": lambda scope: _with_bucket(scope, "ReadCache", ("s3:GetObject",), scope.cache),
    "WriteCache": lambda scope: Statement(
        "WriteCache", ("s3:AbortMultipartUpload", "s3:PutObject"), _objects(scope, scope.cache)
    ),
    "PruneLayers": lambda scope: Statement("PruneLayers", ("lambda:DeleteLayerVersion",), _layers(scope, ":*")),
    "ShareLayers": _share_layers,
    "ReadLogs": lambda scope: Statement(
        "ReadLogs",
        ("logs:FilterLogEvents",),
        _arns(scope, [f"log-group:{name}:*" for name in _groups(scope)], "logs"),
    ),
    "Simulate": lambda scope: Statement("Simulate", ("iam:SimulatePrincipalPolicy",), _principals(scope)),
    "ReadKeys": lambda scope: Statement("ReadKeys", ("kms:Decrypt",), scope.keys),
    "WriteKeys": lambda scope: Statement("WriteKeys", ("kms:GenerateDataKey",), scope.keys),
}


def allows(statements: Iterable[Statement], action: str, resource: str) -> bool:
    """Whether one of the statements allows `action` on `resource`, conditions aside (IAM's wildcards ``*``, ``?``)."""
    return any(
        any(_matches(one, action) for one in statement.actions)
        and any(_matches(one, resource) for one in statement.resources)
        for statement in statements
    )


def _matches(pattern: str, text: str) -> bool:
    parts: Iterator[str] = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None
