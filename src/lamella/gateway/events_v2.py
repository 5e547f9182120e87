"""Events of version 2.0: an HTTP API's, and those of its authorizers.

Sources: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs", "Control access to HTTP APIs
with AWS Lambda authorizers" (read on 2026-11-22).
"""

from __future__ import annotations

from lamella.gateway.request import API, Call, body, domain, forwarded, query, written_time
from lamella.runtime.model import ACCOUNT

Event = dict[str, object]


def event(call: Call) -> Event:
    """The function's event.  What there is none of is left out, as API Gateway does."""
    text, encoded = body(call)
    made = {**_request(call), "requestContext": _context(call), **_parameters(call)}
    if text is not None:
        made["body"] = text
    made["isBase64Encoded"] = encoded
    return made


def asking(call: Call, identity: tuple[str, ...]) -> Event:
    """The event of an authorizer; `identity` are the values of its sources."""
    return {
        "type": "REQUEST",
        "routeArn": call.arn,
        "identitySource": list(identity) or None,
        **_request(call),
        "requestContext": _context(call),
        **_parameters(call),
    }


def _request(call: Call) -> Event:
    headers: dict[str, list[str]] = {}
    cookies: list[str] = []
    for name, value in forwarded(call):
        lower = name.lower()
        if lower == "cookie":
            cookies.extend(part for part in (one.strip() for one in value.split(";")) if part)
        else:
            headers.setdefault(lower, []).append(value)
    made: Event = {
        "version": "2.0",
        "routeKey": call.match.route.key,
        "rawPath": call.staged,
        "rawQueryString": call.request.query,
    }
    if cookies:
        made["cookies"] = cookies
    made["headers"] = {name: ",".join(values) for name, values in headers.items()}
    parameters = query(call.request)
    if parameters:
        made["queryStringParameters"] = {name: ",".join(values) for name, values in parameters.items()}
    return made


def _context(call: Call) -> Event:
    request = call.request
    name = domain(request)
    told: Event = {
        "accountId": ACCOUNT,
        "apiId": API,
        "domainName": name,
        "domainPrefix": name.partition(".")[0],
        "http": {
            "method": request.method,
            "path": call.staged,
            "protocol": request.protocol,
            "sourceIp": request.client,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": call.request_id,
        "routeKey": call.match.route.key,
        "stage": call.api.stage,
        "time": written_time(call.time),
        "timeEpoch": int(call.time * 1000),
    }
    if call.context is not None:
        told["authorizer"] = {"lambda": call.context or None}
    return told


def _parameters(call: Call) -> Event:
    return {"pathParameters": dict(call.match.parameters)} if call.match.parameters else {}
