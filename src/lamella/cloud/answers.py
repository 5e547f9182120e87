"""AWS's answers made values of this room: the members of botocore's service model, read once, here.

All of it raises LookupError, TypeError or ValueError where the answer isn't one of AWS.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from lamella.cloud.model import AliasState, FunctionState, LayerVersion, Permission

Facts = Mapping[str, Any]


def digest(facts: Facts) -> str:
    """CodeSha256, which is to be the base64 of 32 bytes: names of files and proofs are made of it."""
    told = str(facts["CodeSha256"])
    if len(base64.b64decode(told, validate=True)) != 32:
        raise ValueError(f"`{told}` is not the SHA-256 of code")
    return told


def function(facts: Facts) -> FunctionState:
    """A FunctionConfiguration.  One of a container image has no digest of a zip: it is taken as it comes."""
    package = facts.get("PackageType", "Zip")
    return FunctionState(
        name=facts["FunctionName"],
        arn=":".join(facts["FunctionArn"].split(":")[:7]),
        version=facts["Version"],
        code_sha256=digest(facts) if package == "Zip" else str(facts.get("CodeSha256", "")),
        size=int(facts["CodeSize"]),
        runtime=facts.get("Runtime", ""),
        handler=facts.get("Handler", ""),
        architecture=next(iter(facts.get("Architectures") or ("x86_64",))),
        layers=tuple(str(layer["Arn"]) for layer in facts.get("Layers") or ()),
        revision=facts.get("RevisionId", ""),
        modified=facts.get("LastModified", ""),
        state=facts.get("State", ""),
        update=facts.get("LastUpdateStatus", ""),
        reason=facts.get("LastUpdateStatusReason") or facts.get("StateReason") or "",
        package=package,
        log_group=(facts.get("LoggingConfig") or {}).get("LogGroup", ""),
        memory=int(facts.get("MemorySize", 128)),
        timeout=int(facts.get("Timeout", 3)),
        role=facts.get("Role", ""),
        description=facts.get("Description", ""),
    )


def referenced(code: Facts) -> str:
    """``s3://BUCKET/KEY`` of code that Lambda has no copy of (S3ObjectStorageMode REFERENCE), else ""."""
    there = code.get("ResolvedS3Object")
    return f"s3://{there['S3Bucket']}/{there['S3Key']}" if there and not code.get("Location") else ""


def layer_row(facts: Facts) -> LayerVersion:
    """A row of a listing, which has no digest."""
    arn = str(facts["LayerVersionArn"])
    return LayerVersion(
        arn=arn,
        name=arn.split(":")[6],
        version=int(facts["Version"]),
        runtimes=tuple(facts.get("CompatibleRuntimes") or ()),
        architectures=tuple(facts.get("CompatibleArchitectures") or ()),
        description=facts.get("Description", ""),
        created=facts.get("CreatedDate", ""),
    )


def layer(facts: Facts) -> LayerVersion:
    """One version, as GetLayerVersion and PublishLayerVersion tell of it."""
    content = facts["Content"]
    return layer_row(facts)._replace(code_sha256=digest(content), size=int(content["CodeSize"]))


def alias(name: str, facts: Facts) -> AliasState:
    """An AliasConfiguration of the function `name`."""
    routing = facts.get("RoutingConfig") or {}
    weights = routing.get("AdditionalVersionWeights") or {}
    return AliasState(
        function=name,
        name=facts["Name"],
        version=facts["FunctionVersion"],
        revision=facts.get("RevisionId", ""),
        weights=tuple(sorted((str(version), float(weight)) for version, weight in weights.items())),
    )


def permissions(policy: str) -> tuple[Permission, ...]:
    """The statements of a layer version's policy, which is JSON."""
    return tuple(_permission(statement) for statement in json.loads(policy)["Statement"])


def _permission(statement: Facts) -> Permission:
    principal = statement.get("Principal", "")
    if isinstance(principal, Mapping):
        principal = principal.get("AWS", "")
    if principal.startswith("arn:"):  # arn:aws:iam::123456789012:root
        principal = principal.split(":")[4]
    condition = statement.get("Condition", {}).get("StringEquals", {})
    return Permission(str(statement["Sid"]), principal, str(condition.get("aws:PrincipalOrgID", "")))
