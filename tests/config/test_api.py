from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lamella.config.model import ApiSettings, Authorizer, Cors, Settings
from lamella.config.read import read

Read = Callable[[str], Settings]
Refusal = Callable[[str], str]

API = "`[tool.lamella.api]"
GATE = "`[tool.lamella.api.authorizers.gate]"
FUNCTIONS = """\
[tool.lamella.functions.app]
handler = 'a.b'
authorizer = 'gate'
[tool.lamella.functions.gate]
handler = 'a.c'
"""


def test_what_api_gateway_takes_where_nothing_is_said(settings: Read) -> None:
    assert settings("[tool.lamella.functions.app]\nhandler = 'a.b'\n").api == ApiSettings("http", "2.0", "$default")
    assert settings(FUNCTIONS).api.authorizers == (
        Authorizer("gate", "request", ("$request.header.Authorization",), 300, "2.0", simple=False),
    )
    rest = settings(f"{FUNCTIONS}[tool.lamella.api]\ntype = 'rest'\n").api
    assert rest == ApiSettings(
        "rest",
        "1.0",
        "prod",
        authorizers=(Authorizer("gate", "token", ("$request.header.Authorization",), 300, "1.0", simple=False),),
    )


def test_every_key(settings: Read) -> None:
    found = settings(f"""\
{FUNCTIONS}
[tool.lamella.api]
type = "http"
payload = "1.0"
stage = "dev"
[tool.lamella.api.cors]
origins = ["https://www.example.com", "http://localhost:5173", "https://*"]
methods = ["GET", "POST"]
headers = ["authorization"]
expose = ["x-total"]
credentials = true
max-age = 300
[tool.lamella.api.authorizers.gate]
identity = ["$request.header.X-Key", "$request.querystring.key", "$context.routeKey"]
ttl = 60
payload = "2.0"
simple = true
""").api
    assert found == ApiSettings(
        "http",
        "1.0",
        "dev",
        Cors(
            ("https://www.example.com", "http://localhost:5173", "https://*"),
            ("GET", "POST"),
            ("authorization",),
            ("x-total",),
            True,
            300,
        ),
        (),
        (
            Authorizer(
                "gate",
                "request",
                ("$request.header.X-Key", "$request.querystring.key", "$context.routeKey"),
                60,
                "2.0",
                True,
            ),
        ),
    )


def test_a_rest_apis_own(settings: Read) -> None:
    found = settings(f"""\
{FUNCTIONS}
[tool.lamella.api]
type = "rest"
binary = ["image/PNG", "*/*"]
[tool.lamella.api.authorizers.gate]
type = "request"
identity = ["method.request.header.X-Key", "context.httpMethod"]
""").api
    assert found.binary == ("image/png", "*/*")
    assert found.authorizers[0].identity == ("$request.header.X-Key", "$context.httpMethod")


def test_without_an_identity_nothing_is_kept(settings: Read) -> None:
    gate = settings(f"{FUNCTIONS}[tool.lamella.api.authorizers.gate]\nidentity = []\n").api.authorizers[0]
    assert (gate.identity, gate.ttl) == ((), 0)


def test_the_command_line_can_say_the_type(settings: Read, tmp_path: Path) -> None:
    assert settings(FUNCTIONS).api.type == "http"
    assert read(str(tmp_path), api="rest").api == settings(f"{FUNCTIONS}[tool.lamella.api]\ntype = 'rest'\n").api


NO_AUTHORIZER = [
    (
        "[tool.lamella.functions.app]\nhandler = 'a.b'\nauthorizer = 'gat'\n"
        "[tool.lamella.functions.gate]\nhandler = 'a.c'\n",
        "`[tool.lamella.functions.app] authorizer` in pyproject.toml names `gat`, which is no function\n"
        "  the project's functions: gate\n"
        "  hint: did you mean `gate`?",
    ),
    (
        "[tool.lamella.functions.app]\nhandler = 'a.b'\nauthorizer = 'xyz'\n",
        "`[tool.lamella.functions.app] authorizer` in pyproject.toml names `xyz`, which is no function\n"
        "  the project's functions: none\n"
        "  hint: declare it below `functions`, or remove it here",
    ),
    (
        "[tool.lamella.functions.app]\nhandler = 'a.b'\nauthorizer = 'app'\n",
        "`[tool.lamella.functions.app] authorizer` in pyproject.toml names the function itself\n"
        "  hint: name the function that is asked before this one",
    ),
    (
        f"{FUNCTIONS}[tool.lamella.api.authorizers.gat]\n",
        "`[tool.lamella.api.authorizers.gat]` in pyproject.toml names no function\n"
        "  the project's functions: app, gate\n"
        "  hint: did you mean `gate`?",
    ),
]


@pytest.mark.parametrize(("tables", "text"), NO_AUTHORIZER)
def test_authorizers_are_functions_here(refusal: Refusal, tables: str, text: str) -> None:
    assert refusal(tables) == text


KEYS = [
    (
        "type = 'htp'",
        f"{API} type` in pyproject.toml must be one of http, rest\n"
        '  found the string "htp"\n'
        "  hint: did you mean `http`?",
    ),
    (
        "type = 'rest'\npayload = '2.0'",
        f"{API} payload` in pyproject.toml is 2.0, and a REST API has events of 1.0 alone\n"
        '  hint: remove it, or write `type = "http"`',
    ),
    (
        "stage = 'a b'",
        f"{API} stage` in pyproject.toml is no name of a stage that AWS accepts\n"
        '  found the string "a b"\n'
        "  hint: use at most 128 ASCII letters, digits, `-` and `_`",
    ),
    (
        "type = 'rest'\nstage = '$default'",
        f"{API} stage` in pyproject.toml is no name of a stage that AWS accepts\n"
        '  found the string "$default"\n'
        "  hint: use at most 128 ASCII letters, digits, `-` and `_`",
    ),
    (
        "binary = ['image/png']",
        f"{API} binary` in pyproject.toml is a key for REST APIs\n"
        "  an HTTP API tells by the content type whether a body is text\n"
        '  hint: remove it, or write `type = "rest"`',
    ),
    (
        "type = 'rest'\nbinary = ['png']",
        f"{API} binary` in pyproject.toml holds what is no media type\n"
        '  found the string "png"\n'
        '  hint: write `"image/png"`, say',
    ),
    (
        "cors = true",
        f"{API} cors` in pyproject.toml must be a table\n"
        "  found the boolean true\n"
        '  hint: write `cors = { origins = ["*"] }`',
    ),
    (
        "cors = {}",
        "`[tool.lamella.api.cors] origins` in pyproject.toml is needed\n"
        '  hint: write `origins = ["https://www.example.com"]`, or `["*"]`',
    ),
    (
        "cors = { origins = ['*'], credentials = true }",
        "`[tool.lamella.api.cors] credentials` in pyproject.toml can't be true for every origin\n"
        '  `origins` has `"*"`, and browsers then send no credentials\n'
        "  hint: list the origins",
    ),
    (
        "cors = { origins = ['*'], methods = ['get'] }",
        "`[tool.lamella.api.cors] methods` in pyproject.toml lists `get`, which is no method\n"
        "  hint: did you mean `GET`?",
    ),
    (
        "cors = { origins = ['*'], headers = ['a b'] }",
        "`[tool.lamella.api.cors] headers` in pyproject.toml lists `a b`, which is no name of a header\n"
        "  hint: remove it",
    ),
    (
        "stages = 1",
        f"{API} stages` in pyproject.toml is not a known key\n"
        "  known keys: authorizers, binary, cors, payload, stage, type\n"
        "  hint: did you mean `stage`?",
    ),
    (
        "authorizers = { gate = { type = 'token' } }",
        f"{GATE} type` in pyproject.toml is token, which REST APIs have alone\n"
        '  hint: write `type = "request"`, or make the API a `rest` one',
    ),
    (
        "authorizers = { gate = { simple = true, payload = '1.0' } }",
        f"{GATE} simple` in pyproject.toml can't be true: simple answers come with a payload of 2.0\n  hint: remove it",
    ),
    (
        "authorizers = { gate = { ttl = 3601 } }",
        f"{GATE} ttl` in pyproject.toml must be a whole number of seconds from 0 to 3600\n"
        "  found the integer 3601\n"
        "  hint: write `ttl = 3600`, say",
    ),
    (
        "authorizers = { gate = { ttl = 5, identity = [] } }",
        f"{GATE} ttl` in pyproject.toml keeps answers, and nothing says for whom\n"
        "  `identity` is empty: its values are what an answer is kept under\n"
        '  hint: write `identity = ["$request.header.Authorization"]`, say, or `ttl = 0`',
    ),
    (
        "authorizers = { gate = { identity = ['X-Key'] } }",
        f"{GATE} identity` in pyproject.toml holds what is no source of an identity\n"
        '  found the string "X-Key"\n'
        "  sources begin with `$request.header.`, `$request.querystring.`, `$context.`\n"
        '  hint: write `"$request.header.Authorization"`, say',
    ),
    (
        "type = 'rest'\nauthorizers = { gate = { identity = ['$context.path'] } }",
        f"{GATE} identity` in pyproject.toml must be one header for an authorizer of type token\n"
        "  found `$context.path`\n"
        '  hint: write `identity = ["$request.header.Authorization"]`, or `type = "request"`',
    ),
    (
        "type = 'rest'\nauthorizers = { gate = { payload = '2.0' } }",
        f"{GATE} payload` in pyproject.toml is 2.0, and a REST API has events of 1.0 alone\n  hint: remove it",
    ),
]


@pytest.mark.parametrize(("keys", "text"), KEYS)
def test_refusals(refusal: Refusal, keys: str, text: str) -> None:
    assert refusal(f"{FUNCTIONS}[tool.lamella.api]\n{keys}\n") == text


@pytest.mark.parametrize("origin", ["www.example.com", "https://a.example/", "https://a.example/b", "://a", "https://"])
def test_what_is_no_origin(refusal: Refusal, origin: str) -> None:
    assert refusal(f"[tool.lamella.api]\ncors = {{ origins = ['{origin}'] }}\n").startswith(
        f"`[tool.lamella.api.cors] origins` in pyproject.toml lists `{origin}`, which is no origin\n"
    )


def test_what_is_no_table(refusal: Refusal) -> None:
    assert refusal("[tool.lamella]\napi = 'http'\n") == (
        "`[tool.lamella] api` in pyproject.toml must be a table\n"
        '  found the string "http"\n'
        "  hint: write `[tool.lamella.api]` with its keys below"
    )
