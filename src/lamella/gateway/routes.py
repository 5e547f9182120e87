"""Which route a request takes.

Sources: API Gateway developer guide, "Create routes for HTTP APIs", section "Routing API requests": a full match of
route and method, then a greedy path variable, then $default; "Set up a proxy integration with a proxy resource" (read
on 2026-11-22).  REST APIs: "API Gateway removes the trailing slash if the route is not the root path" (AWS Chalice,
chalice/local.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

DEFAULT = "$default"
ANY = "ANY"
ONE, GREEDY = "{}", "{+}"
_RANKS = {ONE: 1, GREEDY: 2}


class Route(NamedTuple):
    """`method` and `path` as the configuration has them: ("ANY", "/v1/{proxy+}"), or ("$default", "").

    `function` is a key, `authorizer` that of the function that is asked first, "" for none.
    """

    method: str
    path: str
    function: str
    authorizer: str = ""

    @property
    def key(self) -> str:
        """API Gateway's routeKey: ``GET /v1/jobs/{id}``."""
        return f"{self.method} {self.path}" if self.path else self.method


class Match(NamedTuple):
    """A route, and the values of its parameters, decoded, in the path's order."""

    route: Route
    parameters: tuple[tuple[str, str], ...]


class _Resource(NamedTuple):
    """All routes of one shape: those that differ in their method, and in the names of their parameters."""

    parts: tuple[str, ...]
    methods: dict[str, Route]


class Routes:
    """An API's routes.  With `rest`, as a REST API matches them."""

    def __init__(self, routes: Iterable[Route], *, rest: bool = False) -> None:
        self.all = tuple(routes)
        self._rest = rest
        self._default = next((route for route in self.all if route.method == DEFAULT), None)
        resources: dict[tuple[str, ...], _Resource] = {}
        for route in self.all:
            if route.method != DEFAULT:
                parts = _parts(route.path)
                shape = tuple(map(_shape, parts))
                resources.setdefault(shape, _Resource(shape, {})).methods[route.method] = route
        # An HTTP API takes any full match before a greedy one; a REST API goes down its tree, what is fixed first
        self._resources = sorted(
            resources.values(),
            key=lambda one: (not rest and GREEDY in one.parts, [_RANKS.get(part, 0) for part in one.parts]),
        )

    def match(self, method: str, path: str) -> Match | None:
        """The route for a request, or None; `path` is percent-encoded, as it was sent.

        Where the best path has no such method, an HTTP API tries the next one, and a REST API does not.
        """
        parts = self._sent(path)
        for resource in self._resources:
            if _fits(resource.parts, parts):
                route = resource.methods.get(method) or resource.methods.get(ANY)
                if route is not None:
                    return Match(route, _values(_parts(route.path), parts))
                if self._rest:
                    return None
        return None if self._default is None else Match(self._default, ())

    def has(self, method: str, path: str) -> bool:
        """Is there a route of this very method for the path?  ANY and $default don't count."""
        parts = self._sent(path)
        return any(method in one.methods and _fits(one.parts, parts) for one in self._resources)

    def takes(self, path: str) -> bool:
        """Is there a route for the path, of whatever method?"""
        parts = self._sent(path)
        return self._default is not None or any(_fits(one.parts, parts) for one in self._resources)

    def _sent(self, path: str) -> tuple[str, ...]:
        return _parts(path.removesuffix("/") if self._rest and path != "/" else path)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split("/")[1:])


def _shape(part: str) -> str:
    return GREEDY if part.endswith("+}") else ONE if part.startswith("{") else part


def _fits(shape: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    """A parameter is never empty."""
    greedy = GREEDY in shape
    if len(parts) < len(shape) or (not greedy and len(parts) > len(shape)):
        return False
    for at, expected in enumerate(shape):
        if expected == GREEDY:
            return any(parts[at:])
        if not parts[at] if expected == ONE else expected not in (parts[at], unquote(parts[at])):
            return False
    return True


def _values(pattern: tuple[str, ...], parts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (expected[1:-2], unquote("/".join(parts[at:])))
        if expected.endswith("+}")
        else (expected[1:-1], unquote(parts[at]))
        for at, expected in enumerate(pattern)
        if expected.startswith("{")
    )
