"""What browsers on other origins are told.

Sources: API Gateway developer guide, "Configure CORS for HTTP APIs in API Gateway", "CORS for REST APIs in API Gateway"
(read on 2026-11-22); Fetch standard, "CORS protocol".
"""

from __future__ import annotations

from lamella.config.model import Cors
from lamella.gateway.answers import Response
from lamella.gateway.request import Request

_OWN = "access-control-"


def is_preflight(request: Request) -> bool:
    """Does a browser ask whether it may send a request?"""
    return (
        request.method == "OPTIONS"
        and request.header("origin") is not None
        and request.header("access-control-request-method") is not None
    )


def preflight(cors: Cors, request: Request, *, rest: bool) -> Response:
    """The gateway's own answer: an HTTP API's 204, or what a REST API's mock integration says."""
    headers = _origin(cors, request)
    if headers:
        if cors.methods:
            headers.append(("access-control-allow-methods", ",".join(cors.methods)))
        if cors.headers:
            headers.append(("access-control-allow-headers", ",".join(cors.headers)))
        if cors.max_age is not None:
            headers.append(("access-control-max-age", str(cors.max_age)))
    if rest:
        return Response(200, (("content-type", "application/json"), *headers), b"")
    return Response(204, tuple(headers), b"")


def allowed(cors: Cors, request: Request, response: Response) -> Response:
    """An HTTP API's response with the configured headers.

    "If you configure CORS for an API, API Gateway ignores CORS headers returned from your backend integration."
    """
    if request.header("origin") is None:
        return response
    kept = [(name, value) for name, value in response.headers if not name.lower().startswith(_OWN)]
    headers = _origin(cors, request)
    if headers and cors.expose:
        headers.append(("access-control-expose-headers", ",".join(cors.expose)))
    return response._replace(headers=(*kept, *headers))


def _origin(cors: Cors, request: Request) -> list[tuple[str, str]]:
    """The headers that allow the request's origin; none where it is not allowed."""
    origin = request.header("origin") or ""
    if "*" in cors.origins:
        told = "*"
    elif any(_is(origin, allowed) for allowed in cors.origins):
        told = origin
    else:
        return []
    headers = [("access-control-allow-origin", told)]
    if cors.credentials:
        headers.append(("access-control-allow-credentials", "true"))
    return headers


def _is(origin: str, allowed: str) -> bool:
    """``https://*`` is every origin of its scheme; else all must be the same, whatever the case."""
    if allowed.endswith("://*"):
        return origin.lower().startswith(allowed[:-1].lower())
    return origin.lower() == allowed.lower()
