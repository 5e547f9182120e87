"""AWS Lambda as the port of this room sees it: botocore's answers made values."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from lamella import aws
from lamella.cloud import answers
from lamella.deployed.model import DeployedFunction, DeployedLayer, Offered
from lamella.errors import OutsideError, UsageError


class Lambdas:
    """`model.Lambda`, answered by AWS.  Nothing is asked, and botocore not loaded, before it is needed.

    An ARN is asked for in its own region, whatever `region` says.  `access` is the way into `region`, where there is
    one that others use, too: its rate is theirs together.  Threads may share it.
    """

    def __init__(
        self,
        profile: str | None = None,
        region: str | None = None,
        *,
        role: str = "",
        access: aws.Access | None = None,
    ) -> None:
        self._profile = profile
        self._region = region
        self._role = role
        self._lock = threading.Lock()
        self._ways: dict[str | None, aws.Access] = {region: access} if access is not None else {}

    def function(self, name: str, qualifier: str) -> Offered[DeployedFunction]:
        wanted = {"FunctionName": name} | ({"Qualifier": qualifier} if qualifier else {})
        doing = f"read the function `{name}{f':{qualifier}' if qualifier else ''}`"
        client = self._client(name)
        with aws.told(doing):
            answer = client.get_function(**wanted)
        facts = answer["Configuration"]
        if facts.get("PackageType") == "Image":
            raise UsageError(
                f"the function `{name}` is a container image",
                why=["there is no zip of it, and no layers"],
                hint="run its image with Docker instead",
            )
        code = answer.get("Code", {})
        if place := answers.referenced(code):
            raise UsageError(
                f"the code of the function `{name}` is not Lambda's own, but `{place}`",
                why=["its S3ObjectStorageMode is REFERENCE"],
                hint=f"`aws s3 cp {place} .` has it",
            )
        return Offered(_function(facts, qualifier, doing), code.get("Location", ""))

    def layer(self, name: str, version: int) -> Offered[DeployedLayer]:
        doing = f"read the layer `{name}:{version}`"
        client = self._client(name)
        with aws.told(doing):
            # Works with an ARN, across accounts, and needs the one permission that layers are shared by
            answer = client.get_layer_version(LayerName=name, VersionNumber=version)
        content = answer["Content"]
        layer = DeployedLayer(
            arn=answer["LayerVersionArn"],
            name=answer["LayerArn"].rpartition(":")[2],
            code_sha256=_digest(content, doing),
            size=content["CodeSize"],
            version=answer["Version"],
            runtimes=tuple(answer.get("CompatibleRuntimes", ())),
            architectures=tuple(answer.get("CompatibleArchitectures", ())),
        )
        return Offered(layer, content["Location"])

    def newest(self, name: str) -> int:
        client = self._client(name)
        with aws.told(f"list the versions of the layer `{name}`"):
            # Newest first.  A layer that isn't there has none
            rows = client.list_layer_versions(LayerName=name, MaxItems=1)["LayerVersions"]
        if not rows:
            raise aws.NotThereError(
                f"there is no layer `{name}`",
                why=["AWS lists no version of a layer of this name"],
                hint="look at its name, `--region` and `--profile`; name the version of a layer of another account",
            )
        return max(int(row["Version"]) for row in rows)

    def content(self, location: str, start: int) -> AbstractContextManager[Iterator[bytes]]:
        return aws.opened(location, start, self._profile)

    def _client(self, name: str) -> Any:
        region = name.split(":")[3] if name.startswith("arn:") else self._region
        with self._lock:
            if region not in self._ways:
                self._ways[region] = aws.Access(self._profile, region, role=self._role)
            way = self._ways[region]
        return way.client("lambda")


def _function(facts: dict[str, Any], qualifier: str, doing: str) -> DeployedFunction:
    # Where its key could not be used, AWS gives an error in place of the variables
    values = facts.get("Environment", {}).get("Variables")
    unreadable = "Error" in facts.get("Environment", {})
    environment = None if unreadable else tuple(sorted((values or {}).items()))
    digest = _digest(facts, doing)
    told = answers.function(facts)
    return DeployedFunction(
        arn=told.arn,
        name=told.name,
        code_sha256=digest,
        size=told.size,
        version=told.version,
        qualifier=qualifier,
        runtime=told.runtime,
        handler=told.handler,
        memory=told.memory,
        timeout=told.timeout,
        scratch=facts.get("EphemeralStorage", {}).get("Size", 512),
        architecture=told.architecture,
        layer_arns=told.layers,
        variables=tuple(name for name, _ in environment or ()),
        state=told.state or "Active",
        environment=environment,
    )


def _digest(facts: dict[str, Any], doing: str) -> str:
    """CodeSha256, which is to be the base64 of 32 bytes: it becomes a file's name.  Raises OutsideError."""
    try:
        return answers.digest(facts)
    except (KeyError, ValueError):
        told = facts.get("CodeSha256", "")
        why = [f"AWS says no SHA-256 of it, but `{told}`"]
        raise OutsideError(f"could not {doing}", why=why, hint="try again later") from None
