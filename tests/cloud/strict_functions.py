"""Functions and their versions, kept by moto, with the rules that moto has not.

- RevisionId changes with every change of $LATEST, once more when an update completes, and when a version is published;
  a version's stays when it becomes Active.  Given, it must be the latest (412 PreconditionFailedException).
  https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html, …_PublishVersion.html
- Updates are under way for a while (LastUpdateStatus InProgress); meanwhile other changes are refused, and the old code
  answers.  https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
- A published version is Pending, then Active; where neither code nor configuration changed since the last one, none is
  made; CodeSha256 must be that of $LATEST.  https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
- Lists have 50 rows at most, and no states.  https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
- A version that an alias points at is not deleted.
  https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html

Laxer than AWS: a created function is Active at once.
"""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from typing import Any

from tests.cloud.strict_facts import LATEST, Configurations, Facts, arn_of, key_of, now, revision
from tests.cloud.strict_layers import Answer, Layers
from tests.cloud.strict_routes import Request
from tests.cloud.strict_rules import (
    STALE,
    RefusedError,
    conflict,
    fetched,
    fits,
    invalid,
    not_there,
    sent,
    unzipped,
)


class Functions(Configurations):
    """The operations; `layers` says what can be attached, `link` gives links to zips."""

    def __init__(self, layers: Layers, link: Callable[[bytes], str], clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._layers = layers
        self._link = link

    # Reads

    def list_functions(self, request: Request) -> Answer:
        held = list(_held(request).values())
        start, most = int(request.parameters.get("Marker", 0)), min(50, request.parameters.get("MaxItems", 50))
        tree: dict[str, Any] = {"Functions": [self.row(each["latest"]) for each in held[start : start + most]]}
        if start + most < len(held):
            tree["NextMarker"] = str(start + most)
        return 200, tree

    def list_versions_by_function(self, request: Request) -> Answer:
        name, _ = named(request)
        group = self._group(request, name)
        rows = [group["latest"], *group["versions"]]
        start, most = int(request.parameters.get("Marker", 0)), min(50, request.parameters.get("MaxItems", 50))
        tree: dict[str, Any] = {"Versions": [self.row(each, LATEST) for each in rows[start : start + most]]}
        if start + most < len(rows):
            tree["NextMarker"] = str(start + most)
        return 200, tree

    def get_function_configuration(self, request: Request) -> Answer:
        name, qualifier = named(request)
        return 200, self.told(self.find(request, name, qualifier), qualifier, polled=True)

    def get_function(self, request: Request) -> Answer:
        name, qualifier = named(request)
        function = self.find(request, name, qualifier)
        code = {"RepositoryType": "S3", "Location": self._link(function.code_bytes)}
        return 200, {"Configuration": self.told(function, qualifier, polled=True), "Code": code}

    # Writes

    def create_function(self, request: Request) -> Answer:
        spec = dict(request.parameters)
        if spec["FunctionName"] in _held(request):
            raise conflict(f"Function already exist: {spec['FunctionName']}")
        if spec.get("PackageType", "Zip") == "Zip":
            code = self._code(request, spec["Code"])
            spec["Code"] = {"ZipFile": base64.b64encode(code).decode()}
            layers = self._layers.attachable(request, spec.pop("Layers", []), [])
            fits(unzipped(code), sum(self._layers.unzipped(arn) for arn, _ in layers))
        publish = spec.pop("Publish", False)
        function = _backend(request).create_function(spec)
        function.code.pop("ZipFile", None)
        function.layers = [{"Arn": arn, "CodeSize": size} for arn, size in layers] if "Code" in spec else []
        function.last_modified = now()
        self.facts[key_of(function)] = Facts(revision())
        return 201, self.told(self._published(function, "") if publish else function)

    def update_function_configuration(self, request: Request) -> Answer:
        function, asked = self._changing(request), dict(request.parameters)
        before = copy.copy(function)
        if (wanted := asked.pop("Layers", None)) is not None:
            attached = [row["Arn"] for row in function.layers]
            layers = self._layers.attachable(request, wanted, attached)
            if function.package_type == "Zip":
                fits(unzipped(function.code_bytes), sum(self._layers.unzipped(arn) for arn, _ in layers))
            function.layers = [{"Arn": arn, "CodeSize": size} for arn, size in layers]
        function.update_configuration(asked)
        return 200, self.begun(function, before)

    def update_function_code(self, request: Request) -> Answer:
        function, asked = self._changing(request), request.parameters
        if asked.get("Publish"):
            raise NotImplementedError("Publish")
        code = self._code(request, asked)
        fits(unzipped(code), sum(self._layers.unzipped(row["Arn"]) for row in function.layers))
        if asked.get("DryRun"):
            return 200, self.told(function)
        before = copy.copy(function)
        function.update_function_code({"ZipFile": base64.b64encode(code).decode()})
        function.code.pop("ZipFile", None)
        if wanted := asked.get("Architectures"):
            function.architectures = list(wanted)
        return 200, self.begun(function, before)

    def publish_version(self, request: Request) -> Answer:
        function, asked = self._changing(request), request.parameters
        digest = asked.get("CodeSha256") or function.code_sha_256
        if digest != function.code_sha_256:
            raise invalid(
                f"CodeSHA256 ({digest}) is different from current CodeSHA256 in $LATEST ({function.code_sha_256}). "
                "Please try again with the CodeSHA256 in $LATEST."
            )
        versions = self._group(request, function.function_name)["versions"]
        if versions and versions[-1].version == self.last[arn_of(function)] and _same(versions[-1], function):
            return 201, self.told(versions[-1], str(versions[-1].version))
        made = self._published(function, asked.get("Description", ""))
        return 201, self.told(made, str(made.version))

    def delete_function(self, request: Request) -> Answer:
        name, qualifier = named(request)
        function = self.find(request, name, qualifier)
        if not qualifier:
            _backend(request).delete_function(name)
            return 204, None
        aliases = self.aliases(request, name).values()
        if users := sorted(alias.name for alias in aliases if qualifier in points_at(alias)):
            arn = function.function_arn
            raise conflict(f"Lambda was unable to delete {arn} because the following aliases reference it: {users}")
        if qualifier == LATEST:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        self._group(request, name)["versions"].remove(function)
        return 204, None

    # What others ask

    def find(self, request: Request, name: str, qualifier: str) -> Any:
        """moto's function, or its version, or the one behind an alias."""
        group = self._group(request, name)
        alias = self.aliases(request, name).get(qualifier)
        wanted = alias.function_version if alias else qualifier
        if wanted in ("", LATEST):
            return group["latest"]
        for version in group["versions"]:
            if str(version.version) == wanted:
                return version
        raise not_there(f"Function not found: {arn_of(group['latest'])}:{qualifier}")

    def aliases(self, request: Request, name: str) -> dict[str, Any]:
        """moto's aliases of a function, by name."""
        held: dict[str, Any] = _backend(request)._lambdas._aliases[arn_of(self._group(request, name)["latest"])]
        return held

    def answering(self, function: Any) -> Any:
        """What answers an invocation.  Raises RefusedError while that is not Active."""
        facts = self.looked(function, polled=False)
        if facts.pending is None:
            return function
        if function.version != LATEST:
            raise conflict(
                "The operation cannot be performed at this time. "
                "The function is currently in the following state: Pending"
            )
        return facts.pending.before

    def _published(self, function: Any, description: str) -> Any:
        arn = arn_of(function)
        number = self.last[arn] = self.last.get(arn, 0) + 1
        made = copy.copy(function)
        made.set_version(number)
        made.last_modified = now()
        made.description = description or function.description
        storage = _backend_of(arn)._lambdas
        group = storage._functions[function.function_name]
        group["versions"] = [*group["versions"], made]
        storage._arns[made.function_arn] = made
        self.made(made, function)
        return made

    def _changing(self, request: Request) -> Any:
        name, qualifier = named(request)
        if qualifier not in ("", LATEST):
            raise invalid("This operation is not permitted on a published version or an alias")
        function = self.find(request, name, "")
        facts = self.looked(function, polled=True)
        if facts.pending:
            raise conflict(
                "The operation cannot be performed at this time. "
                f"An update is in progress for resource: {function.function_arn}"
            )
        if request.parameters.get("RevisionId", facts.revision) != facts.revision:
            raise RefusedError(412, "PreconditionFailedException", STALE)
        return function

    def _code(self, request: Request, place: dict[str, Any]) -> bytes:
        if "ZipFile" in place:
            return sent(place["ZipFile"], request.operation)
        return fetched(request.account, place["S3Bucket"], place["S3Key"])

    def _group(self, request: Request, name: str) -> dict[str, Any]:
        group: dict[str, Any] | None = _held(request).get(name)
        if group is None:
            arn = f"arn:aws:lambda:{request.region}:{request.account}:function:{name}"
            raise not_there(f"Function not found: {arn}")
        return group


def named(request: Request) -> tuple[str, str]:
    """The function's name and the qualifier, "" for none."""
    text = str(request.parameters["FunctionName"])
    text = text.partition(":function:")[2] or text
    name, _, qualifier = text.partition(":")
    return name, str(request.parameters.get("Qualifier", qualifier))


def points_at(alias: Any) -> set[str]:
    weights = (alias.routing_config or {}).get("AdditionalVersionWeights", {})
    return {str(alias.function_version), *weights}


def _same(one: Any, other: Any) -> bool:
    return _counted(one) == _counted(other)


def _counted(function: Any) -> dict[str, Any]:
    """What makes PublishVersion publish."""
    tree: dict[str, Any] = function.get_configuration()
    own = ("FunctionArn", "Version", "LastModified", "Description", "State", "LastUpdateStatus")
    return {name: value for name, value in tree.items() if name not in own}


def _held(request: Request) -> dict[str, Any]:
    functions: dict[str, Any] = _backend(request)._lambdas._functions
    return functions


def _backend(request: Request) -> Any:
    from moto.backends import get_backend

    return get_backend("lambda")[request.account][request.region]


def _backend_of(arn: str) -> Any:
    from moto.backends import get_backend

    parts = arn.split(":")
    return get_backend("lambda")[parts[4]][parts[3]]
