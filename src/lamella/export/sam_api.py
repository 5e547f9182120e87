"""The API of a SAM template: the functions' routes as events, the API with its authorizers and CORS.

Sources: AWS SAM developer guide, AWS::Serverless::HttpApi, AWS::Serverless::Api, HttpApi and Api event sources,
LambdaAuthorizer, CorsConfiguration (read on 2026-11-22).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lamella.errors import UsageError
from lamella.export.cloudformation import Function, camel, digest, ref, sub

if TYPE_CHECKING:
    from lamella.config.model import ApiSettings, Authorizer, Cors, FunctionSettings

API = "Api"
_REST = "rest"
_DEFAULT = "$default"
_ANY = "ANY"
_SOURCES = {"$request.header.": "Headers", "$request.querystring.": "QueryStrings", "$context.": "Context"}

Tree = dict[str, Any]


def api(settings: ApiSettings, invoked: Mapping[str, Function]) -> Tree:
    """The API's resource.  `invoked` is by key what is invoked of a function: its alias, or itself.

    Raises UsageError for what SAM can't say.
    """
    return _rest_api(settings, invoked) if settings.type == _REST else _http_api(settings, invoked)


def events(function: FunctionSettings, settings: ApiSettings) -> Tree:
    """The function's routes, by the names of their events."""
    names = {route: camel(f"{route[0].title()} {route[1]}") or API for route in function.routes}
    often = Counter(names.values())
    found: Tree = {}
    for route, name in names.items():
        unique = name + (digest(" ".join(route)) if often[name] > 1 else "")
        found[unique] = _event(route, function.authorizer, settings)
    return found


def url(settings: ApiSettings) -> Function:
    """Where the API is found."""
    stage = "" if settings.stage == _DEFAULT else settings.stage
    return sub(f"https://${{{API}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{stage}")


def _event(route: tuple[str, str], authorizer: str, settings: ApiSettings) -> Tree:
    method, path = route
    rest = settings.type == _REST
    properties: Tree = {"RestApiId" if rest else "ApiId": ref(API)}
    if method != _DEFAULT:  # an event that says neither takes what no other does
        properties |= {"Method": "any" if method == _ANY else method, "Path": path}
    if not rest:
        properties["PayloadFormatVersion"] = settings.payload
    if authorizer:
        properties["Auth"] = {"Authorizer": camel(authorizer)}
    return {"Type": "Api" if rest else "HttpApi", "Properties": properties}


def _http_api(settings: ApiSettings, invoked: Mapping[str, Function]) -> Tree:
    properties: Tree = {"StageName": settings.stage}
    if settings.cors is not None:
        properties["CorsConfiguration"] = _http_cors(settings.cors)
    if settings.authorizers:
        authorizers = {camel(one.function): _http_authorizer(one, invoked) for one in settings.authorizers}
        properties["Auth"] = {"Authorizers": authorizers}
    return {"Type": "AWS::Serverless::HttpApi", "Properties": properties}


def _http_cors(cors: Cors) -> Tree:
    said = {
        "AllowOrigins": list(cors.origins),
        "AllowMethods": list(cors.methods),
        "AllowHeaders": list(cors.headers),
        "ExposeHeaders": list(cors.expose),
        "AllowCredentials": cors.credentials,
    }
    found: Tree = {name: value for name, value in said.items() if value}
    return found if cors.max_age is None else {**found, "MaxAge": cors.max_age}


def _http_authorizer(one: Authorizer, invoked: Mapping[str, Function]) -> Tree:
    return {
        "FunctionArn": invoked[one.function],
        "AuthorizerPayloadFormatVersion": one.payload,
        **({"EnableSimpleResponses": True} if one.payload == "2.0" and one.simple else {}),
        "EnableFunctionDefaultPermissions": True,
        "Identity": _identity(one),
    }


def _rest_api(settings: ApiSettings, invoked: Mapping[str, Function]) -> Tree:
    # Without a version SAM makes a stage more, which is called `Stage`
    properties: Tree = {"StageName": settings.stage, "OpenApiVersion": "3.0.1"}
    if settings.binary:
        properties["BinaryMediaTypes"] = [one.replace("/", "~1") for one in settings.binary]
    if settings.cors is not None:
        properties["Cors"] = _rest_cors(settings.cors)
    if settings.authorizers:
        authorizers = {camel(one.function): _rest_authorizer(one, invoked) for one in settings.authorizers}
        properties["Auth"] = {"Authorizers": authorizers}
    return {"Type": "AWS::Serverless::Api", "Properties": properties}


def _rest_cors(cors: Cors) -> Tree:
    """What the API answers to a preflight.  The other answers' headers are the function's own in a REST API."""
    if len(cors.origins) > 1 or cors.origins[0].endswith("://*"):
        raise UsageError(
            "a SAM template can't let several origins call a REST API",
            why=["AWS::Serverless::Api answers every preflight with one text, and `cors` has more to say"],
            hint='make the API an `http` one, or write one origin, or `["*"]`',
        )
    said = {
        "AllowOrigin": f"'{cors.origins[0]}'",
        "AllowMethods": f"'{','.join(cors.methods)}'" if cors.methods else "",
        "AllowHeaders": f"'{','.join(cors.headers)}'" if cors.headers else "",
        "AllowCredentials": cors.credentials,
        "MaxAge": "" if cors.max_age is None else f"'{cors.max_age}'",
    }
    return {name: value for name, value in said.items() if value}


def _rest_authorizer(one: Authorizer, invoked: Mapping[str, Function]) -> Tree:
    found: Tree = {"FunctionArn": invoked[one.function], "FunctionPayloadType": one.type.upper()}
    if one.type == "token":
        header = one.identity[0].removeprefix("$request.header.")
        return {**found, "Identity": {"Header": header, "ReauthorizeEvery": one.ttl}}
    return {**found, "Identity": _identity(one)}


def _identity(one: Authorizer) -> Tree:
    found: Tree = {}
    for source in one.identity:
        for beginning, name in _SOURCES.items():
            if source.startswith(beginning):
                found.setdefault(name, []).append(source.removeprefix(beginning))
    return {**found, "ReauthorizeEvery": one.ttl}
