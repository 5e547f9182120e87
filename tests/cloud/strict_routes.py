"""Which operation of which service a request is, told by botocore's own models."""

from __future__ import annotations

import io
import json
import re
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from tests.deployed.moto_server import ACCOUNT, REGION, Environ

_CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d+/([^/]+)/([^/]+)/")
_HELD = 1 << 20  # bytes of a body that are read to find the operation's name in it


class Call(NamedTuple):
    """A request that was made: ``("lambda", "GetAlias", "api:live")``."""

    service: str
    operation: str
    detail: str


class Request(NamedTuple):
    """`parameters` are those of the path, the query, the headers and the JSON body, by the model's names."""

    service: str
    operation: str
    region: str
    account: str
    key: str
    parameters: dict[str, Any]
    body: bytes = b""

    @property
    def call(self) -> Call:
        if self.service == "s3":
            return Call(self.service, self.operation, str(self.parameters["path"]))
        names = ("FunctionName", "LayerName", "Name", "Qualifier", "VersionNumber", "Arn")
        parts = [str(self.parameters[name]) for name in names if self.parameters.get(name)]
        return Call(self.service, self.operation, ":".join(parts))


class _Route(NamedTuple):
    operation: str
    method: str
    path: re.Pattern[str]
    query: dict[str, tuple[str, str]]
    headers: dict[str, tuple[str, str]]
    literal: str
    takes_json: bool


class Routes:
    """The requests of Lambda, from its model; of others the name alone."""

    def __init__(self) -> None:
        from botocore.session import Session  # type: ignore[import-untyped]

        model = Session().get_service_model("lambda")
        self._routes = [_route(model.operation_model(name)) for name in model.operation_names]
        self._found: dict[tuple[str, str], list[_Route]] = {}

    def read(self, environ: Environ) -> Request:
        """The request; its body can be read again."""
        found = _CREDENTIAL.search(str(environ.get("HTTP_AUTHORIZATION", "")))
        key, region, service = found.groups() if found else ("", REGION, "s3")
        account = _account(key)
        if service != "lambda":
            operation, parameters = _other(environ, service)
            return Request(service, operation, region, account, key, parameters)
        body = _body(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        query = parse_qs(str(environ["QUERY_STRING"]), keep_blank_values=True)
        route, values = self._match(str(environ["REQUEST_METHOD"]), str(environ["PATH_INFO"]), query)
        for name, (member, kind) in route.query.items():
            if name in query:
                values[member] = int(query[name][0]) if kind in ("integer", "long") else query[name][0]
        for header, (member, _) in route.headers.items():
            if header in environ:
                values[member] = environ[header]
        if route.takes_json and body:
            values.update(json.loads(body))
        return Request(service, route.operation, region, account, key, values, body)

    def _match(self, method: str, path: str, query: dict[str, list[str]]) -> tuple[_Route, dict[str, Any]]:
        for route in self._routes:
            if route.method == method and (found := route.path.fullmatch(path)) and _has(query, route.literal):
                return route, dict(found.groupdict())
        raise LookupError(f"Lambda has no operation {method} {path}")


def _route(operation: Any) -> _Route:
    path, _, literal = operation.http["requestUri"].partition("?")
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path.rstrip("/")))
    members = operation.input_shape.members if operation.input_shape else {}
    placed: dict[str, dict[str, tuple[str, str]]] = {"querystring": {}, "header": {}}
    for name, shape in members.items():
        where = shape.serialization.get("location")
        if where in placed:
            wire = shape.serialization["name"]
            wire = wire if where == "querystring" else "HTTP_" + wire.upper().replace("-", "_")
            placed[where][wire] = (name, shape.type_name)
    payload = operation.input_shape.serialization.get("payload") if operation.input_shape else None
    method = operation.http["method"]
    path_of = re.compile(pattern + "/?")
    return _Route(operation.name, method, path_of, placed["querystring"], placed["header"], literal, not payload)


def _has(query: dict[str, list[str]], literal: str) -> bool:
    name, _, value = literal.partition("=")
    return query.get("find") == [value] if name else "find" not in query


def _account(key: str) -> str:
    from moto.iam.models import get_account_id_from

    return get_account_id_from(key) if key.startswith(("ASIA", "AKIA")) else ACCOUNT


def _body(environ: Environ) -> bytes:
    content: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return content


def _other(environ: Environ, service: str) -> tuple[str, dict[str, Any]]:
    if service == "s3":
        return _s3(environ), {"path": environ["PATH_INFO"]}
    path = str(environ["PATH_INFO"])
    if "/operation/" in path:
        return path.rpartition("/")[2], {}
    if target := str(environ.get("HTTP_X_AMZ_TARGET", "")):
        return target.rpartition(".")[2], {}
    if int(environ.get("CONTENT_LENGTH") or 0) < _HELD:
        body = _body(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        found = re.search(rb"(?:^|&)Action=(\w+)", body) or re.search(
            rb"Action=(\w+)", str(environ["QUERY_STRING"]).encode()
        )
        if found:
            return found[1].decode(), {}
    return str(environ["REQUEST_METHOD"]), {}


def _s3(environ: Environ) -> str:
    """S3's operations that a rollout and a shared cache make."""
    method, query = str(environ["REQUEST_METHOD"]), str(environ["QUERY_STRING"])
    parts = str(environ["PATH_INFO"]).strip("/").split("/", 1)
    if len(parts) == 1:
        of_buckets = {"PUT": "CreateBucket", "HEAD": "HeadBucket", "DELETE": "DeleteBucket", "POST": "DeleteObjects"}
        return of_buckets.get(method, "ListObjectsV2" if "list-type" in query else "ListObjects")
    if "uploads" in query:
        return "CreateMultipartUpload"
    if "partNumber" in query:
        return "UploadPart"
    if "uploadId" in query:
        return {"POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}.get(method, "ListParts")
    return f"{method.title()}Object"
