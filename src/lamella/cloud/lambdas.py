"""AWS Lambda as the port of this room sees it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from lamella import aws
from lamella.cloud import answers
from lamella.cloud.model import (
    LATEST,
    AliasState,
    Content,
    FunctionState,
    Invoked,
    LayerVersion,
    NewLayer,
    Permission,
)
from lamella.errors import LamellaError
from lamella.wording import printable

_PAGE = 50  # the most that AWS gives at once
_WRITE_TIMEOUT = 300.0  # seconds: a layer near the limit is unpacked before the answer comes
_INVOKE_TIMEOUT = 910.0  # a function may take 900
_UPLOADS = 2  # contents in memory at once: each is there three times while it is sent


Row = TypeVar("Row")


class Lambdas:
    """`model.Lambda`, answered by AWS.  Threads may share it."""

    def __init__(self, access: aws.Access) -> None:
        self._access = access
        self._uploads = threading.Semaphore(_UPLOADS)

    # Reads: botocore tries them again

    def functions(self) -> Iterator[FunctionState]:
        return self._rows("list_functions", "Functions", answers.function, "list the functions")

    def function(self, name: str, qualifier: str = "") -> FunctionState:
        wanted = {"FunctionName": name} | ({"Qualifier": qualifier} if qualifier else {})
        with _told(f"read the function `{printable(name)}{f':{qualifier}' if qualifier else ''}`"):
            return answers.function(self._reads.get_function_configuration(**wanted))

    def versions(self, name: str) -> Iterator[FunctionState]:
        doing = f"list the versions of the function `{printable(name)}`"
        found = self._rows("list_versions_by_function", "Versions", answers.function, doing, FunctionName=name)
        yield from sorted((row for row in found if row.version != LATEST), key=lambda row: int(row.version))

    def layer_versions(self, name: str, newest: int | None = None) -> Sequence[LayerVersion]:
        doing = f"list the versions of the layer `{printable(name)}`"
        if newest is not None and newest <= _PAGE:
            with _told(doing):
                page = self._reads.list_layer_versions(LayerName=name, MaxItems=newest)
                rows = [answers.layer_row(facts) for facts in page["LayerVersions"]]
        else:
            rows = list(self._rows("list_layer_versions", "LayerVersions", answers.layer_row, doing, LayerName=name))
        return sorted(rows, key=lambda row: -row.version)[:newest]

    def layer_version(self, name: str, version: int) -> LayerVersion:
        with _told(f"read the layer `{printable(name)}:{version}`"):
            return answers.layer(self._reads.get_layer_version(LayerName=name, VersionNumber=version))

    def alias(self, function: str, name: str) -> AliasState | None:
        try:
            with _told(f"read the alias `{printable(name)}` of `{printable(function)}`"):
                return answers.alias(function, self._reads.get_alias(FunctionName=function, Name=name))
        except aws.NotThereError:
            return None

    def aliases(self, function: str) -> Sequence[AliasState]:
        doing = f"list the aliases of `{printable(function)}`"
        read = partial(answers.alias, function)
        return tuple(self._rows("list_aliases", "Aliases", read, doing, FunctionName=function))

    def permissions(self, layer: str, version: int) -> Sequence[Permission]:
        try:
            with _told(f"read who may use the layer `{printable(layer)}:{version}`"):
                answer = self._reads.get_layer_version_policy(LayerName=layer, VersionNumber=version)
                return answers.permissions(answer["Policy"])
        except aws.NotThereError:  # a version without a policy
            return ()

    # Writes: made once

    def publish_layer(self, layer: NewLayer) -> LayerVersion:
        said = {
            "CompatibleRuntimes": list(layer.runtimes),
            "CompatibleArchitectures": list(layer.architectures),
            "Description": layer.description,
            "LicenseInfo": layer.licence,
        }
        facts = {name: value for name, value in said.items() if value}
        with self._sent(layer.content) as content, _told(f"publish the layer `{printable(layer.name)}`"):
            return answers.layer(self._writes.publish_layer_version(LayerName=layer.name, Content=content, **facts))

    def update_configuration(
        self, name: str, *, revision: str, layers: Sequence[str], runtime: str, handler: str
    ) -> FunctionState:
        facts = {"FunctionName": name, "Layers": list(layers), "Runtime": runtime, "Handler": handler}
        with _told(f"update the configuration of `{printable(name)}`"):
            return answers.function(self._writes.update_function_configuration(**facts, **_if(RevisionId=revision)))

    def update_code(self, name: str, *, revision: str, content: Content, architecture: str) -> FunctionState:
        facts = {"FunctionName": name, "Architectures": [architecture]} | _if(RevisionId=revision)
        with self._sent(content) as sent:
            facts |= _if(SourceKMSKeyArn=self._key(name))
            with _told(f"update the code of `{printable(name)}`"):
                return answers.function(self._writes.update_function_code(**facts, **sent))

    def publish_version(self, name: str, *, revision: str, code_sha256: str, description: str) -> FunctionState:
        facts = _if(RevisionId=revision, CodeSha256=code_sha256, Description=description)
        with _told(f"publish a version of `{printable(name)}`"):
            return answers.function(self._writes.publish_version(FunctionName=name, **facts))

    def create_alias(self, function: str, name: str, version: str) -> AliasState:
        facts = {"FunctionName": function, "Name": name, "FunctionVersion": version}
        with _told(f"create the alias `{printable(name)}` of `{printable(function)}`"):
            return answers.alias(function, self._writes.create_alias(**facts))

    def update_alias(
        self, function: str, name: str, *, version: str, weights: Sequence[tuple[str, float]], revision: str
    ) -> AliasState:
        facts = {"FunctionName": function, "Name": name, "FunctionVersion": version} | _if(RevisionId=revision)
        routing = {"AdditionalVersionWeights": dict(weights)}  # an empty one takes weights away
        with _told(f"point the alias `{printable(name)}` of `{printable(function)}` at the version {version}"):
            return answers.alias(function, self._writes.update_alias(**facts, RoutingConfig=routing))

    def delete_alias(self, function: str, name: str) -> None:
        with _told(f"delete the alias `{printable(name)}` of `{printable(function)}`"):
            self._writes.delete_alias(FunctionName=function, Name=name)

    def delete_layer_version(self, name: str, version: int) -> None:
        with _told(f"delete the layer `{printable(name)}:{version}`"):
            self._writes.delete_layer_version(LayerName=name, VersionNumber=version)

    def share(self, layer: str, version: int, permission: Permission) -> None:
        with _told(f"share the layer `{printable(layer)}:{version}`"):
            self._writes.add_layer_version_permission(
                LayerName=layer,
                VersionNumber=version,
                StatementId=permission.statement,
                Action="lambda:GetLayerVersion",
                Principal=permission.principal,
                **_if(OrganizationId=permission.organization),
            )

    def unshare(self, layer: str, version: int, statement: str) -> None:
        with _told(f"take back `{printable(statement)}` of the layer `{printable(layer)}:{version}`"):
            self._writes.remove_layer_version_permission(
                LayerName=layer, VersionNumber=version, StatementId=statement
            )  # fmt: skip

    def invoke(self, name: str, qualifier: str, payload: bytes) -> Invoked:
        client = self._access.client("lambda", attempts=1, read_timeout=_INVOKE_TIMEOUT)
        facts = {"FunctionName": name, "InvocationType": "RequestResponse", "LogType": "Tail", "Payload": payload}
        with _told(f"invoke `{printable(name)}{f':{qualifier}' if qualifier else ''}`"):
            answer = client.invoke(**facts, **_if(Qualifier=qualifier))
            return Invoked(
                status=int(answer["StatusCode"]),
                payload=answer["Payload"].read(),
                error=answer.get("FunctionError", ""),
                log=base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace"),
                version=answer.get("ExecutedVersion", ""),
            )

    @property
    def _reads(self) -> Any:
        return self._access.client("lambda")

    @property
    def _writes(self) -> Any:
        return self._access.client("lambda", attempts=1, read_timeout=_WRITE_TIMEOUT)

    def _key(self, name: str) -> str:
        """The KMS key of the user's that the code is encrypted with, or "": AWS takes its own where none is sent.

        Raises LamellaError where Lambda has no copy of the code.  Not asked again here: the whole update is.
        """
        with _told(f"read the function `{printable(name)}`"):
            code = self._writes.get_function(FunctionName=name).get("Code", {})
        if place := answers.referenced(code):
            raise LamellaError(
                f"the code of `{printable(name)}` is not Lambda's own, but `{printable(place)}`",
                why=["its S3ObjectStorageMode is REFERENCE: an update would copy the code, and end that"],
                hint="end it yourself: `aws lambda update-function-code --s3-object-storage-mode COPY`",
            )
        return str(code.get("SourceKMSKeyArn", ""))

    def _rows(
        self, operation: str, key: str, read: Callable[[Mapping[str, Any]], Row], doing: str, **facts: Any
    ) -> Iterator[Row]:
        with _told(doing):
            pages = self._reads.get_paginator(operation).paginate(**facts, PaginationConfig={"PageSize": _PAGE})
            for page in pages:
                yield from [read(facts) for facts in page[key]]

    @contextlib.contextmanager
    def _sent(self, content: Content) -> Iterator[dict[str, Any]]:
        """The content as a call takes it; a file is read now, and stays in memory no longer than the block."""
        if content.bucket:
            yield {"S3Bucket": content.bucket, "S3Key": content.key}
            return
        with self._uploads:
            yield {"ZipFile": _read(content)}


def _read(content: Content) -> bytes:
    """The file, which is to be the one that was planned with."""
    shown = printable(os.path.basename(content.path))
    try:
        with open(content.path, "rb") as file:
            code = file.read()
    except OSError as error:
        raise LamellaError(f"`{shown}` can't be read", why=[str(error)], hint="`lamella build` makes it") from None
    if hashlib.sha256(code).hexdigest() != content.sha256:
        raise LamellaError(f"`{shown}` was changed since it was planned with", hint="run it again")
    return code


def _if(**facts: str) -> dict[str, str]:
    """What is said at all."""
    return {name: value for name, value in facts.items() if value}


@contextlib.contextmanager
def _told(doing: str) -> Iterator[None]:
    """`aws.told`; an answer that isn't AWS's (a proxy's page, say) is none."""
    try:
        with aws.told(doing):
            yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        why = f"the answer can't be understood: {type(error).__name__}: {printable(str(error))}"
        raise aws.UnreachableError(
            f"could not {doing}", why=[why], hint="check the proxy and AWS_ENDPOINT_URL"
        ) from None
