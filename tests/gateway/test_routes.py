from __future__ import annotations

import pytest

from lamella.gateway.routes import Route, Routes


def routes(*written: str, rest: bool = False) -> Routes:
    pairs = [text.partition(" ") for text in written]
    return Routes([Route(method, path, f"{method} {path}".strip()) for method, _, path in pairs], rest=rest)


# API Gateway developer guide, "Routing API requests": its table of routes, requests and what is selected
DOCUMENTED = ("GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default")


@pytest.mark.parametrize(
    ("method", "path", "selected"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1"),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}"),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+}"),
        ("POST", "/test/5", "ANY /{proxy+}"),
        ("POST", "/pets/dog/1", "ANY /{proxy+}"),
        ("GET", "/", "$default"),
        ("HEAD", "/pets/dog/1", "ANY /{proxy+}"),
    ],
)
def test_the_documented_priorities(method: str, path: str, selected: str) -> None:
    found = routes(*DOCUMENTED).match(method, path)
    assert found is not None
    assert found.route.key == selected


MATCHES = [
    (("GET /jobs/{id}",), "GET", "/jobs/7", "GET /jobs/{id}", {"id": "7"}),
    (("GET /jobs/{id}",), "GET", "/jobs/a%20b%2Fc", "GET /jobs/{id}", {"id": "a b/c"}),
    (("GET /jobs/{id}",), "GET", "/jobs/a/b", None, {}),
    (("GET /jobs/{id}",), "GET", "/jobs/", None, {}),
    (("GET /jobs/{id}",), "GET", "/jobs", None, {}),
    (("GET /jobs/{id}",), "POST", "/jobs/7", None, {}),
    (("GET /jobs/{id}",), "HEAD", "/jobs/7", None, {}),
    (("GET /jobs/{id}", "ANY /jobs/{name}"), "GET", "/jobs/7", "GET /jobs/{id}", {"id": "7"}),
    (("GET /jobs/{id}", "ANY /jobs/{name}"), "PUT", "/jobs/7", "ANY /jobs/{name}", {"name": "7"}),
    (("ANY /{proxy+}",), "GET", "/a/b%2Fc/d", "ANY /{proxy+}", {"proxy": "a/b/c/d"}),
    (("ANY /{proxy+}",), "GET", "/", None, {}),
    (("ANY /a/{proxy+}",), "GET", "/a/", None, {}),
    (("ANY /a/{b}/{rest+}",), "GET", "/a/x/y/z", "ANY /a/{b}/{rest+}", {"b": "x", "rest": "y/z"}),
    (("GET /",), "GET", "/", "GET /", {}),
    (("GET /a~b",), "GET", "/a%7Eb", "GET /a~b", {}),
    (("GET /caf%C3%A9",), "GET", "/caf%C3%A9", "GET /caf%C3%A9", {}),
    (("$default",), "GET", "/what/ever", "$default", {}),
    ((), "GET", "/", None, {}),
]


@pytest.mark.parametrize("rest", [False, True])
@pytest.mark.parametrize(("written", "method", "path", "selected", "parameters"), MATCHES)
def test_matching(
    written: tuple[str, ...], method: str, path: str, selected: str | None, parameters: dict[str, str], rest: bool
) -> None:
    found = routes(*written, rest=rest).match(method, path)
    assert (None if found is None else found.route.key) == selected
    assert ({} if found is None else dict(found.parameters)) == parameters


def test_a_slash_at_the_end_is_another_path_to_an_http_api_and_none_to_a_rest_api() -> None:
    assert routes("GET /pets").match("GET", "/pets/") is None
    found = routes("GET /pets", rest=True).match("GET", "/pets/")
    assert found is not None
    assert found.route.path == "/pets"


def test_a_full_match_with_parameters_goes_before_a_greedy_one_in_an_http_api_alone() -> None:
    both = ("ANY /{a}/{b}", "ANY /pets/{proxy+}")
    http, rest = routes(*both).match("GET", "/pets/dog"), routes(*both, rest=True).match("GET", "/pets/dog")
    assert http is not None
    assert rest is not None
    assert (http.route.path, rest.route.path) == ("/{a}/{b}", "/pets/{proxy+}")


def test_a_resource_without_the_method_ends_the_search_in_a_rest_api() -> None:
    both = ("GET /pets", "ANY /{proxy+}")
    assert routes(*both, rest=True).match("POST", "/pets") is None
    found = routes(*both).match("POST", "/pets")
    assert found is not None
    assert found.route.path == "/{proxy+}"


def test_the_order_of_routes_does_not_matter() -> None:
    for order in (DOCUMENTED, DOCUMENTED[::-1]):
        found = routes(*order).match("GET", "/pets/dog/1")
        assert found is not None
        assert found.route.key == "GET /pets/dog/1"


def test_methods_and_paths_that_are_there() -> None:
    some = routes("GET /a/{id}", "OPTIONS /b", "ANY /c")
    assert some.has("OPTIONS", "/b")
    assert not some.has("OPTIONS", "/c")
    assert some.takes("/a/7")
    assert not some.takes("/a")
    assert routes("$default").takes("/a")
