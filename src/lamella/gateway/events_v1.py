"""Events of version 1.0: a REST API's, an HTTP API's with that payload, and their authorizers'.

Sources: API Gateway developer guide, "Input format of a Lambda function for proxy integration", "Create AWS Lambda
proxy integrations for HTTP APIs", "Input to an API Gateway Lambda authorizer" (read on 2026-11-22).
"""

from __future__ import annotations

from lamella.gateway.request import API, Call, body, domain, forwarded, query, written_time
from lamella.runtime.model import ACCOUNT

Event = dict[str, object]

# An HTTP API writes the names of headers small, but for these.  Not documented; a capture in
# milliHQ/terraform-aws-next-js, pull request 31 (2021-01-13)
_CAPITALS = (
    *("Content-Length", "Content-Type", "Host", "User-Agent", "X-Amzn-Trace-Id"),
    *("X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"),
)
_CAPITAL = {name.lower(): name for name in _CAPITALS}
_NOBODY = ("accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType", "cognitoIdentityId")
_NOBODY_EITHER = ("accessKey", "cognitoIdentityPoolId", "principalOrgId", "user", "userArn")


def event(call: Call) -> Event:
    """The function's event."""
    text, encoded = body(call)
    return {**_request(call), "requestContext": context(call), "body": text, "isBase64Encoded": encoded}


def token(call: Call, value: str) -> Event:
    """The event of an authorizer of type token; `value` is the header's."""
    return {"type": "TOKEN", "methodArn": call.arn, "authorizationToken": value}


def asking(call: Call, identity: tuple[str, ...]) -> Event:
    """The event of an authorizer of type request; `identity` are the values of its sources."""
    event: Event = {"type": "REQUEST", "methodArn": call.arn, **_request(call), "requestContext": context(call)}
    if not call.rest:
        event["identitySource"] = event["authorizationToken"] = ",".join(identity)
    return event


def _request(call: Call) -> Event:
    multiple = _headers(call)
    parameters = query(call.request)
    version: Event = {} if call.rest else {"version": "1.0"}
    return {
        **version,
        "resource": _resource(call),
        "path": call.path if call.rest else call.staged,
        "httpMethod": call.request.method,
        "headers": {name: values[-1] for name, values in multiple.items()},
        "multiValueHeaders": multiple,
        "queryStringParameters": {name: values[-1] for name, values in parameters.items()} or None,
        "multiValueQueryStringParameters": parameters or None,
        "pathParameters": dict(call.match.parameters) or None,
        "stageVariables": None,
    }


def context(call: Call) -> Event:
    """requestContext."""
    request = call.request
    name = domain(request)
    told: Event = {
        "accountId": ACCOUNT,
        "apiId": API,
        "domainName": name,
        "domainPrefix": name.partition(".")[0],
        "extendedRequestId": call.request_id,
        "httpMethod": request.method,
        "identity": _identity(call),
        "path": call.staged,
        "protocol": request.protocol,
        "requestId": call.request_id,
        "requestTime": written_time(call.time),
        "requestTimeEpoch": int(call.time * 1000),
        "resourceId": _resource_id(call),
        "resourcePath": _resource(call),
        "stage": call.api.stage,
    }
    if call.context is not None:
        told["authorizer"] = {"principalId": call.principal, **call.context} if call.principal else call.context
    return told


def _identity(call: Call) -> Event:
    nobody: Event = dict.fromkeys(sorted(_NOBODY + _NOBODY_EITHER))
    return {**nobody, "sourceIp": call.request.client, "userAgent": call.request.header("user-agent")}


def _resource(call: Call) -> str:
    return call.match.route.path or call.match.route.method


def _resource_id(call: Call) -> str | None:
    """An HTTP API has none in its documentation's example; a REST API's has six letters and digits."""
    return "000000" if call.rest else None


def _headers(call: Call) -> dict[str, list[str]]:
    """All values by name.  A REST API keeps the names as they were sent, the first spelling of each."""
    names: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for name, value in forwarded(call):
        lower = name.lower()
        shown = names.setdefault(lower, name if call.rest else _CAPITAL.get(lower, lower))
        found.setdefault(shown, []).append(value)
    return found
