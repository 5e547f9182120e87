from __future__ import annotations

from collections.abc import Callable

import pytest

from lamella.config.model import Settings
from lamella.config.routes import shape, written

Read = Callable[[str], Settings]
Refusal = Callable[[str], str]

REST = "[tool.lamella.api]\ntype = 'rest'\n"
APP = "`[tool.lamella.functions.app] routes` in pyproject.toml"
EXAMPLE = '\n  hint: write `routes = ["GET /v1/jobs/{id}"]`, say'


def functions(**routes: list[str]) -> str:
    return "".join(
        f"[tool.lamella.functions.{key}]\nhandler = 'a.b'\nroutes = {listed}\n" for key, listed in routes.items()
    )


def test_routes(settings: Read) -> None:
    given = ["POST /v1/queries", "ANY /{proxy+}", "GET /v1/jobs/{id}", "$default", "GET /", "GET /a/"]
    assert settings(functions(app=given)).functions[0].routes == (
        ("POST", "/v1/queries"),
        ("ANY", "/{proxy+}"),
        ("GET", "/v1/jobs/{id}"),
        ("$default", ""),
        ("GET", "/"),
        ("GET", "/a/"),
    )
    assert [written(route) for route in settings(functions(app=given)).functions[0].routes] == given


def test_several_functions_share_paths_by_their_methods(settings: Read) -> None:
    both = settings(functions(app=["GET /a/{id}", "ANY /b"], other=["PUT /a/{name}", "GET /b"]))
    assert [len(function.routes) for function in both.functions] == [2, 2]


WRONG = [
    (
        "jobs",
        "holds what is no route\n"
        '  found the string "jobs"\n'
        "  a route is a method, a space, and a path that begins with `/`",
    ),
    (
        "GET jobs",
        "holds what is no route\n"
        '  found the string "GET jobs"\n'
        "  a route is a method, a space, and a path that begins with `/`",
    ),
    (
        "GET  /jobs",
        "holds what is no route\n"
        '  found the string "GET  /jobs"\n'
        "  a route is a method, a space, and a path that begins with `/`",
    ),
    (
        "GET /a//b",
        "lists `GET /a//b`, which has nothing between two slashes",
    ),
    (
        "GET /{}",
        "lists `GET /{}`, which has a parameter `{}` that has no name of letters and digits",
    ),
    (
        "GET /{a+}/b",
        "lists `GET /{a+}/b`, which goes on behind `{a+}`, which takes all that follows",
    ),
    (
        "GET /{a}/{a}",
        "lists `GET /{a}/{a}`, which has the parameter `a` twice",
    ),
    (
        "GET /a?b=c",
        "lists `GET /a?b=c`, which has a part `a?b=c` with other characters than a-z, A-Z, 0-9 and -._~:@$",
    ),
    (
        "GET /v{a}",
        "lists `GET /v{a}`, which has a part `v{a}` with other characters than a-z, A-Z, 0-9 and -._~:@$",
    ),
]


@pytest.mark.parametrize(("route", "problem"), WRONG)
def test_what_is_no_route(refusal: Refusal, route: str, problem: str) -> None:
    assert refusal(functions(app=[route])) == f"{APP} {problem}{EXAMPLE}"


def test_methods(refusal: Refusal) -> None:
    known = "whose method is none of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, ANY"
    assert refusal(functions(app=["get /a"])) == f"{APP} lists `get /a`, {known}\n  hint: did you mean `GET`?"
    assert refusal(functions(app=["XY /a"])) == f"{APP} lists `XY /a`, {known}{EXAMPLE}"


def test_one_route_in_two_functions(refusal: Refusal) -> None:
    assert refusal(functions(app=["GET /a"], other=["POST /a", "GET /a"])) == (
        "`[tool.lamella.functions.other] routes` in pyproject.toml lists `GET /a`, which is a route of `app`\n"
        "  hint: remove it from one of them"
    )
    assert refusal(functions(app=["GET /a/{id}"], other=["GET /a/{name}"])) == (
        "`[tool.lamella.functions.other] routes` in pyproject.toml lists `GET /a/{name}`, which is a route of `app`\n"
        "  that one has `GET /a/{id}`\n"
        "  hint: remove it from one of them"
    )
    assert "`$default`, which is a route of `app`" in refusal(functions(app=["$default"], other=["$default"]))


def test_one_route_twice(refusal: Refusal) -> None:
    assert refusal(functions(app=["GET /a/{id}", "GET /a/{name}"])) == (
        f"{APP} lists one route twice: `GET /a/{{id}}` and `GET /a/{{name}}`\n  hint: remove one of them"
    )


def test_what_a_rest_api_lacks(refusal: Refusal) -> None:
    assert refusal(REST + functions(app=["$default"])) == (
        f"{APP} lists `$default`, and a REST API has no such route\n"
        '  hint: write `"ANY /{proxy+}"` and `"ANY /"`, which take every path together'
    )
    assert refusal(REST + functions(app=["GET /a/"])) == f"{APP} lists `GET /a/`, which ends with a slash{EXAMPLE}"
    assert refusal(REST + functions(app=["GET /a/{id}"], other=["GET /a/{name}/b"])) == (
        "`[tool.lamella.functions.other] routes` in pyproject.toml lists `GET /a/{name}/b`, and `GET /a/{id}` has "
        "another parameter in that place\n"
        "  a REST API has one parameter below `/a`\n"
        "  hint: call both `{id}`"
    )


def test_a_rest_api_takes_what_differs_elsewhere(settings: Read) -> None:
    given = functions(
        app=["GET /", "GET /a/{id}", "GET /a/{id}/b"], other=["PUT /a/{id}", "GET /b/{name}", "ANY /c/{x+}"]
    )
    assert len(settings(REST + given).functions) == 2


def test_shapes() -> None:
    assert shape(("GET", "/a/{b}/{c+}")) == ("GET", "/a/{}/{+}")
    assert shape(("$default", "")) == ("$default", "")
