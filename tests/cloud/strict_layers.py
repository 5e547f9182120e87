"""Layers and their versions, kept by moto, with the rules that moto has not.

- PublishLayerVersion always makes a version, and takes no RevisionId; numbers are not used twice.
  https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html
- ListLayerVersions is newest first, has MaxItems (50 at most), Marker, CompatibleRuntime and CompatibleArchitecture,
  and tells no digests.  https://docs.aws.amazon.com/lambda/latest/api/API_ListLayerVersions.html
- GetLayerVersion has a link to the zip, valid for ten minutes.
  https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html
- "Deleted versions can no longer be viewed or added to functions"; a copy remains for functions that use it.
  https://docs.aws.amazon.com/lambda/latest/api/API_DeleteLayerVersion.html
- Another account's version needs a statement that allows lambda:GetLayerVersion.
  https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any

from tests.cloud.strict_routes import Request
from tests.cloud.strict_rules import STALE, RefusedError, conflict, denied, fetched, not_there, sent, unzipped

Answer = tuple[int, dict[str, Any] | None]

_ABSENT = "The resource you requested does not exist."


class Layers:
    """`deleted` are the versions that functions may still use, by ARN."""

    def __init__(self, link: Callable[[bytes], str], user: Callable[[Request], str]) -> None:
        self._link = link
        self._user = user
        self.deleted: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}

    def publish_layer_version(self, request: Request) -> Answer:
        spec = dict(request.parameters)
        content = spec["Content"]
        if "ZipFile" in content:
            code = sent(content["ZipFile"], request.operation)
        else:
            code = fetched(request.account, content["S3Bucket"], content["S3Key"])
        size = unzipped(code)
        spec["Content"] = {"ZipFile": base64.b64encode(code).decode()}
        version = _backend(request).publish_layer_version(spec)
        version.content = {}
        self._sizes[version.arn] = size
        return 201, self._told(version)

    def get_layer_version(self, request: Request) -> Answer:
        return 200, self._told(self._version(request))

    def get_layer_version_by_arn(self, request: Request) -> Answer:
        layer, _, number = str(request.parameters["Arn"]).rpartition(":")
        named = {"LayerName": layer, "VersionNumber": number}
        return self.get_layer_version(request._replace(parameters=named))

    def list_layer_versions(self, request: Request) -> Answer:
        asked = request.parameters
        account, name = _split(request)
        layer = _backend(request, account)._layers._layers.get(name)
        versions = sorted(layer.layer_versions.values(), key=lambda row: -row.version) if layer else []
        if runtime := asked.get("CompatibleRuntime"):
            versions = [row for row in versions if runtime in row.compatible_runtimes]
        if architecture := asked.get("CompatibleArchitecture"):
            versions = [row for row in versions if architecture in row.compatible_architectures]
        start, most = int(asked.get("Marker", 0)), min(50, asked.get("MaxItems", 50))
        page = versions[start : start + most]
        tree: dict[str, Any] = {"LayerVersions": [_listed(row) for row in page]}
        if start + most < len(versions):
            tree["NextMarker"] = str(start + most)
        return 200, tree

    def delete_layer_version(self, request: Request) -> Answer:
        _, name = _split(request)
        layer = _backend(request)._layers._layers.get(name)
        found = layer.layer_versions.pop(str(request.parameters["VersionNumber"]), None) if layer else None
        if found is not None:
            self.deleted[found.arn] = found
        return 204, None

    def get_layer_version_policy(self, request: Request) -> Answer:
        policy = self._version(request).policy
        if not policy.statements:
            raise not_there("No policy is associated with the given resource.")
        text = json.dumps({"Version": "2012-10-17", "Id": "default", "Statement": policy.statements})
        return 200, {"Policy": text, "RevisionId": policy.revision}

    def add_layer_version_permission(self, request: Request) -> Answer:
        version, asked = self._version(request), request.parameters
        _same(version.policy, asked)
        named = asked["StatementId"]
        if any(row["Sid"] == named for row in version.policy.statements):
            raise conflict(
                f"The statement id ({named}) provided already exists. "
                "Please provide a new statement id, or remove the existing statement."
            )
        who = asked["Principal"]
        row: dict[str, Any] = {
            "Sid": named,
            "Effect": "Allow",
            "Principal": "*" if who == "*" else {"AWS": f"arn:aws:iam::{who}:root"},
            "Action": asked["Action"],
            "Resource": version.arn,
        }
        if organization := asked.get("OrganizationId"):
            row["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": organization}}
        version.policy.statements = [*version.policy.statements, row]
        version.policy.revision = str(uuid.uuid4())
        return 201, {"Statement": json.dumps(row), "RevisionId": version.policy.revision}

    def remove_layer_version_permission(self, request: Request) -> Answer:
        policy = self._version(request).policy
        _same(policy, request.parameters)
        named = request.parameters["StatementId"]
        left = [row for row in policy.statements if row["Sid"] != named]
        if len(left) == len(policy.statements):
            raise not_there(f"Statement {named} is not found in resource policy.")
        policy.statements, policy.revision = left, str(uuid.uuid4())
        return 204, None

    # What functions ask

    def attachable(self, request: Request, arns: list[str], attached: list[str]) -> list[tuple[str, int]]:
        """The ARNs with sizes of zips.  Raises RefusedError.

        https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html: up to five layers, of one version each, in the
        function's Region.
        """
        from tests.cloud.strict_rules import MOST_LAYERS, invalid

        if len(arns) > MOST_LAYERS:
            raise invalid(f"Cannot reference more than {MOST_LAYERS} layers.")
        seen: dict[str, str] = {}
        for arn in arns:
            layer = arn.rpartition(":")[0]
            if layer in seen:
                raise invalid(
                    "Two different versions of the same layer are not allowed to be referenced in the same function. "
                    f"{seen[layer]} and {arn} are versions of the same layer."
                )
            seen[layer] = arn
        rows = []
        for arn in arns:
            if arn in attached and arn in self.deleted:
                rows.append((arn, int(self.deleted[arn].code_size)))
                continue
            named = dict(zip(("LayerName", "VersionNumber"), arn.rsplit(":", 1), strict=True))
            if arn.split(":")[3] != request.region:
                raise invalid(
                    "Layers are not in the same region as the function. "
                    f"Layers are expected to be in region {request.region}."
                )
            try:
                version = self._version(request._replace(parameters=named))
            except RefusedError as refused:
                raise refused if refused.status == 403 else invalid(f"Layer version {arn} does not exist.") from None
            rows.append((arn, int(version.code_size)))
        return rows

    def content(self, arn: str) -> bytes:
        """The zip of a version, a deleted one, too."""
        code: bytes = self._held(arn).code_bytes
        return code

    def unzipped(self, arn: str) -> int:
        if arn not in self._sizes:
            self._sizes[arn] = unzipped(self.content(arn))
        return self._sizes[arn]

    def _held(self, arn: str) -> Any:
        from moto.backends import get_backend

        parts = arn.split(":")
        layer = get_backend("lambda")[parts[4]][parts[3]]._layers._layers.get(parts[6])
        return layer.layer_versions.get(parts[7]) or self.deleted[arn] if layer else self.deleted[arn]

    def _version(self, request: Request) -> Any:
        account, name = _split(request)
        number = str(request.parameters["VersionNumber"])
        layer = _backend(request, account)._layers._layers.get(name)
        version = layer.layer_versions.get(number) if layer else None
        if account != request.account and (version is None or not _allows(version.policy, request.account)):
            arn = f"arn:aws:lambda:{request.region}:{account}:layer:{name}:{number}"
            raise denied(self._user(request), "lambda:GetLayerVersion", arn, "resource-based")
        if version is None:
            raise not_there(_ABSENT)
        return version

    def _told(self, version: Any) -> dict[str, Any]:
        tree = {name: value for name, value in version.get_layer_version().items() if value != ""}
        tree["Content"] = {**tree["Content"], "Location": self._link(version.code_bytes)}
        return tree


def _listed(version: Any) -> dict[str, Any]:
    tree = version.get_layer_version()
    del tree["Content"], tree["LayerArn"]
    return {name: value for name, value in tree.items() if value != ""}


def _same(policy: Any, asked: dict[str, Any]) -> None:
    if asked.get("RevisionId", policy.revision) != policy.revision:
        raise RefusedError(412, "PreconditionFailedException", STALE)


def _allows(policy: Any, account: str) -> bool:
    allowed = ("*", {"AWS": f"arn:aws:iam::{account}:root"})
    return any(row["Principal"] in allowed and "Condition" not in row for row in policy.statements)


def _split(request: Request) -> tuple[str, str]:
    """The account and the name of a layer that is named by name or by ARN."""
    named = str(request.parameters["LayerName"])
    parts = named.split(":")
    return (parts[4], parts[6]) if named.startswith("arn:") else (request.account, named)


def _backend(request: Request, account: str = "") -> Any:
    from moto.backends import get_backend

    return get_backend("lambda")[account or request.account][request.region]
