"""A function's routes, and that no two functions have the same.

Sources: API Gateway developer guide, "Create routes for HTTP APIs", "Set up a proxy integration with a proxy
resource"; API Gateway API reference, CreateResource (read on 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Iterable

from lamella.config.names import ALNUM
from lamella.config.section import Section, described
from lamella.errors import ConfigError
from lamella.wording import did_you_mean

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY")
DEFAULT = "$default"
REST = "rest"
_LITERAL = ALNUM | frozenset("-._~:@$")
_NAME = ALNUM | frozenset("-._")
_EXAMPLE = 'write `routes = ["GET /v1/jobs/{id}"]`, say'

Route = tuple[str, str]


def read_routes(section: Section, kind: str) -> tuple[Route, ...]:
    """The key `routes` of a function: pairs of method and path, or ("$default", "").

    `kind` is the API's type: a REST API has no default route, and no path that ends with a slash.  Raises ConfigError.
    """
    found: list[Route] = []
    for text in section.texts("routes") or ():
        route = _route(section, text, kind)
        for other in found:
            if shape(other) == shape(route):
                raise section.refuse(
                    "routes",
                    f"lists one route twice: `{written(other)}` and `{written(route)}`",
                    hint="remove one of them",
                )
        found.append(route)
    return tuple(found)


def check_routes(functions: Iterable[tuple[Section, tuple[Route, ...]]], kind: str) -> None:
    """Refuse a route that two functions have.  Parameters' names don't make routes different.

    In a REST API, also a resource with two parameters below it (CreateResource: "A sibling of this resource already
    has a variable path part -- only one is allowed").
    """
    seen: dict[Route, tuple[str, Route]] = {}
    parameters: dict[str, tuple[str, Route]] = {}
    for section, routes in functions:
        key = section.path[-1]
        for route in routes:
            other, taken = seen.setdefault(shape(route), (key, route))
            if other != key:
                raise section.refuse(
                    "routes",
                    f"lists `{written(route)}`, which is a route of `{other}`",
                    why=(f"that one has `{written(taken)}`",) if taken != route else (),
                    hint="remove it from one of them",
                )
            for resource, parameter in _parameters(route[1]) if kind == REST else ():
                name, taken = parameters.setdefault(resource, (parameter, route))
                if name != parameter:
                    raise section.refuse(
                        "routes",
                        f"lists `{written(route)}`, and `{written(taken)}` has another parameter in that place",
                        why=(f"a REST API has one parameter below `{resource or '/'}`",),
                        hint=f"call both `{name}`",
                    )


def written(route: Route) -> str:
    """The route as the configuration has it, and as API Gateway's routeKey says it: ``GET /v1/jobs/{id}``."""
    return f"{route[0]} {route[1]}".rstrip()


def shape(route: Route) -> Route:
    """The route without the names of its parameters: two of the same shape match the same requests."""
    method, path = route
    return method, "/".join(
        "{+}" if part.endswith("+}") else "{}" if part[:1] == "{" else part for part in _parts(path)
    )


def _parts(path: str) -> list[str]:
    return path.split("/")


def _parameters(path: str) -> Iterable[tuple[str, str]]:
    parts = _parts(path)
    for at, part in enumerate(parts):
        if part[:1] == "{":
            yield shape(("", "/".join(parts[:at])))[1], part


def _route(section: Section, text: str, kind: str) -> Route:
    if text == DEFAULT:
        if kind == REST:
            raise section.refuse(
                "routes",
                "lists `$default`, and a REST API has no such route",
                hint='write `"ANY /{proxy+}"` and `"ANY /"`, which take every path together',
            )
        return DEFAULT, ""
    method, space, path = text.partition(" ")
    if not space or not path.startswith("/"):
        raise section.refuse(
            "routes",
            "holds what is no route",
            why=(f"found {described(text)}", "a route is a method, a space, and a path that begins with `/`"),
            hint=_EXAMPLE,
        )
    if method not in METHODS:
        raise section.refuse(
            "routes",
            f"lists `{text}`, whose method is none of {', '.join(METHODS)}",
            hint=did_you_mean(method.upper(), METHODS) or _EXAMPLE,
        )
    _check_path(section, text, path, kind)
    return method, path


def _check_path(section: Section, text: str, path: str, kind: str) -> None:
    parts = _parts(path)[1:]
    names: list[str] = []
    for at, part in enumerate(parts):
        last = at == len(parts) - 1
        if not part:
            if not last or (kind == REST and path != "/"):
                raise _refused(section, text, "has nothing between two slashes" if not last else "ends with a slash")
        elif part[0] == "{" and part[-1] == "}":
            name = part[1:-1].removesuffix("+")
            if not name or not _NAME.issuperset(name):
                raise _refused(section, text, f"has a parameter `{part}` that has no name of letters and digits")
            if part.endswith("+}") and not last:
                raise _refused(section, text, f"goes on behind `{part}`, which takes all that follows")
            if name in names:
                raise _refused(section, text, f"has the parameter `{name}` twice")
            names.append(name)
        elif not _LITERAL.issuperset(part):
            raise _refused(section, text, f"has a part `{part}` with other characters than a-z, A-Z, 0-9 and -._~:@$")


def _refused(section: Section, text: str, problem: str) -> ConfigError:
    return section.refuse("routes", f"lists `{text}`, which {problem}", hint=_EXAMPLE)
