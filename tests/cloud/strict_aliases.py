"""Aliases, kept by moto, and invocations, answered by the test.

- UpdateAlias takes a RevisionId, and gives a new one; RoutingConfig weights one more version; without it, weights stay.
  https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html
- "You can point an alias to a maximum of two Lambda function versions", which must be published, and exist.
  https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
- Invoke tells the version that answered, the last 4 KB of its log (LogType Tail), and whether the function failed.
  https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any, NamedTuple

from tests.cloud.strict_facts import LATEST
from tests.cloud.strict_functions import Functions, named, points_at
from tests.cloud.strict_layers import Answer, Layers
from tests.cloud.strict_routes import Request
from tests.cloud.strict_rules import STALE, RefusedError, conflict, invalid, not_there

_TAIL = 4096  # bytes
_WEIGHTED = "AdditionalVersionWeights"


class Invocation(NamedTuple):
    """What is invoked: `layers` are zips, in order; `environment` the function's variables."""

    function: str
    qualifier: str
    version: str
    payload: bytes
    code: bytes
    layers: tuple[bytes, ...]
    handler: str
    runtime: str
    environment: dict[str, str]


class Answered(NamedTuple):
    """`error` is AWS's FunctionError: "Unhandled", or "" for none."""

    payload: bytes = b'{"statusCode": 200, "body": "{}"}'
    error: str = ""
    log: str = ""


def answered(invocation: Invocation) -> Answered:
    """What a function answers that nobody wrote an answer for."""
    return Answered(log=logged(invocation.version))


def logged(version: str, *lines: str, init: float = 120.0) -> str:
    """The log of an invocation, with the REPORT line of a cold start of `init` milliseconds."""
    return "".join(
        f"{line}\n"
        for line in (
            f"START RequestId: 5ec2e7 Version: {version}",
            *lines,
            "END RequestId: 5ec2e7",
            "REPORT RequestId: 5ec2e7\tDuration: 2.00 ms\tBilled Duration: 123 ms\tMemory Size: 128 MB\t"
            f"Max Memory Used: 40 MB\tInit Duration: {init:.2f} ms\t",
        )
    )


class Aliases:
    """Every `weight`-th invocation of an alias meets its second version."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self.invoked: dict[str, int] = {}

    def create_alias(self, request: Request) -> Answer:
        held, asked = self._held(request), request.parameters
        arn = f"{_arn(request)}:{asked['Name']}"
        if asked["Name"] in held:
            raise conflict(f"Alias already exists: {arn}")
        self._routed(request, asked["FunctionVersion"], asked.get("RoutingConfig"))
        name, _ = named(request)
        alias = _backend(request).create_alias(
            asked["Name"], name, asked["FunctionVersion"], asked.get("Description", ""), asked.get("RoutingConfig")
        )
        alias.revision_id = str(uuid.uuid4())
        return 201, _told(alias)

    def get_alias(self, request: Request) -> Answer:
        return 200, _told(self._alias(request))

    def list_aliases(self, request: Request) -> Answer:
        wanted = request.parameters.get("FunctionVersion")
        rows = sorted(self._held(request).values(), key=lambda alias: str(alias.name))
        return 200, {"Aliases": [_told(row) for row in rows if not wanted or wanted in points_at(row)]}

    def update_alias(self, request: Request) -> Answer:
        alias, asked = self._alias(request), request.parameters
        if asked.get("RevisionId", alias.revision_id) != alias.revision_id:
            raise RefusedError(412, "PreconditionFailedException", STALE)
        version = asked.get("FunctionVersion", alias.function_version)
        routing = asked.get("RoutingConfig", alias.routing_config)
        self._routed(request, version, routing)
        alias.update(asked.get("Description"), version, routing)
        alias.revision_id = str(uuid.uuid4())
        return 200, _told(alias)

    def delete_alias(self, request: Request) -> Answer:
        self._held(request).pop(request.parameters["Name"], None)
        return 204, None

    def meant(self, request: Request) -> tuple[Any, str]:
        """What an invocation meets: moto's function, and the version's number.  Raises RefusedError."""
        name, qualifier = named(request)
        alias = self._functions.aliases(request, name).get(qualifier)
        if alias is not None:
            count = self.invoked[alias.arn] = self.invoked.get(alias.arn, 0) + 1
            qualifier = str(alias.function_version)
            for other, weight in (alias.routing_config or {}).get(_WEIGHTED, {}).items():
                if int(count * weight) > int((count - 1) * weight):
                    qualifier = other
        function = self._functions.answering(self._functions.find(request, name, qualifier))
        return function, qualifier or LATEST

    def _routed(self, request: Request, version: str, routing: Any) -> None:
        weights: dict[str, float] = (routing or {}).get(_WEIGHTED, {})
        name, _ = named(request)
        for each in (version, *weights):
            if each != LATEST and not each.isdecimal():
                raise invalid(f"{each} is no version")
            self._functions.find(request, name, each)
        if weights and LATEST in (version, *weights):
            raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
        if version in weights:
            raise invalid(f"Invalid function version {version}. Function version {version} is already included")
        if len(weights) > 1 or not all(0 <= weight <= 1 for weight in weights.values()):
            raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")

    def _held(self, request: Request) -> dict[str, Any]:
        name, _ = named(request)
        self._functions.find(request, name, "")
        return self._functions.aliases(request, name)

    def _alias(self, request: Request) -> Any:
        name = request.parameters["Name"]
        if (alias := self._held(request).get(name)) is None:
            raise not_there(f"Cannot find alias arn: {_arn(request)}:{name}")
        return alias


def invocation(request: Request, function: Any, version: str, layers: Layers) -> Invocation:
    name, qualifier = named(request)
    return Invocation(
        name, qualifier, version, request.body, function.code_bytes,
        tuple(layers.content(row["Arn"]) for row in function.layers),
        function.handler, function.run_time, dict(function.environment_vars),
    )  # fmt: skip


def headers(request: Request, answer: Answered, version: str) -> list[tuple[str, str]]:
    told = [("X-Amz-Executed-Version", version)]
    if answer.error:
        told.append(("X-Amz-Function-Error", answer.error))
    if request.parameters.get("LogType") == "Tail":
        told.append(("X-Amz-Log-Result", base64.b64encode(answer.log.encode()[-_TAIL:]).decode()))
    return told


def _told(alias: Any) -> dict[str, Any]:
    tree = {name: value for name, value in alias.to_json().items() if value}
    if not tree.get("RoutingConfig", {}).get(_WEIGHTED):
        tree.pop("RoutingConfig", None)
    copied: dict[str, Any] = json.loads(json.dumps(tree))
    return copied


def _arn(request: Request) -> str:
    name, _ = named(request)
    return f"arn:aws:lambda:{request.region}:{request.account}:function:{name}"


def _backend(request: Request) -> Any:
    from moto.backends import get_backend

    return get_backend("lambda")[request.account][request.region]
