from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.gateway.requests import HTTP, REST, call, request
from tests.runtime.faking import Fake, failed

from lamella.config.model import Authorizer
from lamella.gateway.answers import Response
from lamella.gateway.authorizers import Authorizers
from lamella.gateway.request import Call
from lamella.runtime.model import Asked

TOKEN = Authorizer("gate", "token", payload="1.0")
REQUEST = Authorizer("gate", "request", payload="1.0")
SECOND = Authorizer("gate", "request")
SIMPLE = Authorizer("gate", "request", simple=True)
BASE = "arn:aws:execute-api:us-east-1:123456789012:lamella000"


def policy(resource: str, effect: str = "Allow", **more: Any) -> bytes:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return json.dumps({"principalId": "ann", "policyDocument": document, **more}).encode()


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def asking(answers: Any) -> tuple[Authorizers, Fake, Clock]:
    fake, clock = Fake({"gate": answers}), Clock()
    return Authorizers(fake, clock), fake, clock


def with_token(api: Any = REST, url: str = "/v1/jobs", method: str = "GET", token: str = "Bearer x") -> Call:
    return call(api, request(method, url, Authorization=token), "ANY /{proxy+}")


def events(fake: Fake) -> list[dict[str, Any]]:
    return [json.loads(asked.event) for _, asked in fake.asked]


def refusal(found: Call | Response) -> tuple[int, str]:
    assert isinstance(found, Response)
    return found.status, found.body.decode()


def test_each_kind_is_asked_in_its_own_form() -> None:
    for api, authorizer, key in (
        (REST, TOKEN, "methodArn"),
        (REST, REQUEST, "methodArn"),
        (HTTP, REQUEST, "methodArn"),
        (HTTP, SECOND, "routeArn"),
    ):
        authorizers, fake, _ = asking(policy("*"))
        found = authorizers.admit(authorizer, with_token(api))
        assert isinstance(found, Call)
        (event,) = events(fake)
        assert event[key].startswith(BASE)
        assert event["type"] == ("TOKEN" if authorizer is TOKEN else "REQUEST")


@pytest.mark.parametrize("api", [REST, HTTP])
def test_who_says_nothing_of_himself_is_asked_nothing(api: Any) -> None:
    authorizers, fake, _ = asking(policy("*"))
    authorizer = TOKEN if api is REST else SECOND
    for asked in (request(), request(Authorization="")):
        assert refusal(authorizers.admit(authorizer, call(api, asked))) == (401, '{"message":"Unauthorized"}')
    assert fake.asked == []


def test_without_a_cache_a_rest_api_asks_a_request_authorizer_about_anyone() -> None:
    authorizers, fake, _ = asking(policy("*"))
    assert isinstance(authorizers.admit(REQUEST._replace(ttl=0), call(REST)), Call)
    assert len(fake.asked) == 1


def test_sources_of_identity() -> None:
    sources = ("$request.header.X-Key", "$request.querystring.team", "$context.identity.sourceIp", "$context.routeKey")
    authorizers, fake, _ = asking(policy("*"))
    asked = call(HTTP, request("GET", "/a?team=red", x_key="7"), "GET /a")
    assert isinstance(authorizers.admit(SECOND._replace(identity=sources), asked), Call)
    assert events(fake)[0]["identitySource"] == ["7", "red", "192.0.2.7", "GET /a"]
    case = call(HTTP, request("GET", "/a?Team=red", x_key="7"), "GET /a")  # names in queries have a case
    assert refusal(authorizers.admit(SECOND._replace(identity=sources), case))[0] == 401


def test_what_is_passed_on() -> None:
    passed = {"s": "x", "n": 1, "b": True, "none": None}
    rest, _, _ = asking(policy("*", context=passed))
    found = rest.admit(TOKEN, with_token())
    assert isinstance(found, Call)
    assert (found.context, found.principal) == ({"s": "x", "n": "1", "b": "true", "none": None}, "ann")
    http, _, _ = asking(policy("*", context={**passed, "list": [1]}))
    other = http.admit(SECOND, with_token(HTTP))
    assert isinstance(other, Call)
    assert (other.context, other.principal) == ({**passed, "list": [1]}, "")


DENIED = "User is not authorized to access this resource"


@pytest.mark.parametrize(
    ("api", "authorizer", "answer", "status", "body"),
    [
        (REST, TOKEN, policy("*", "Deny"), 403, f'{{"Message":"{DENIED} with an explicit deny"}}'),
        (REST, TOKEN, policy(f"{BASE}/prod/POST/*"), 403, f'{{"Message":"{DENIED}"}}'),
        (HTTP, SECOND, policy("*", "Deny"), 403, '{"message":"Forbidden"}'),
        (HTTP, SIMPLE, b'{"isAuthorized": false}', 403, '{"message":"Forbidden"}'),
        (HTTP, SIMPLE, b'{"isAuthorized": "yes"}', 500, '{"message":"Internal Server Error"}'),
        (HTTP, SIMPLE, policy("*"), 500, '{"message":"Internal Server Error"}'),
        (HTTP, SECOND, b'{"isAuthorized": true}', 500, '{"message":"Internal Server Error"}'),
        (HTTP, SECOND, b"null", 500, '{"message":"Internal Server Error"}'),
        (REST, TOKEN, b"null", 500, '{"message":null}'),
        (REST, TOKEN, b'{"policyDocument": {}}', 500, '{"message":null}'),
        (REST, TOKEN, policy("*", context={"a": [1]}), 500, '{"message":null}'),
        (REST, TOKEN, policy("*", context="x"), 500, '{"message":null}'),
        (REST, TOKEN, lambda asked: failed(asked, "Unauthorized", "Exception"), 401, '{"message":"Unauthorized"}'),
        (HTTP, SECOND, lambda asked: failed(asked, "Unauthorized", "Exception"), 401, '{"message":"Unauthorized"}'),
        (REST, TOKEN, lambda asked: failed(asked, "unauthorized"), 500, '{"message":null}'),
        (HTTP, SECOND, lambda asked: failed(asked, "boom"), 500, '{"message":"Internal Server Error"}'),
    ],
)
def test_refusals(api: Any, authorizer: Authorizer, answer: Any, status: int, body: str) -> None:
    authorizers, _, _ = asking(answer)
    found = authorizers.admit(authorizer, with_token(api))
    assert refusal(found) == (status, body)
    assert isinstance(found, Response)
    assert bool(found.problem) == (status == 500)


def test_an_answer_is_kept_for_its_time_and_its_identity() -> None:
    authorizers, fake, clock = asking(policy("*"))
    for _ in range(3):
        assert isinstance(authorizers.admit(TOKEN, with_token()), Call)
    assert len(fake.asked) == 1
    authorizers.admit(TOKEN, with_token(token="Bearer y"))
    assert len(fake.asked) == 2
    clock.now += 299
    authorizers.admit(TOKEN, with_token())
    assert len(fake.asked) == 2
    clock.now += 2
    authorizers.admit(TOKEN, with_token())
    assert len(fake.asked) == 3


def test_nothing_is_kept_without_a_ttl() -> None:
    authorizers, fake, _ = asking(policy("*"))
    for _ in range(2):
        authorizers.admit(TOKEN._replace(ttl=0), with_token())
    assert len(fake.asked) == 2


def test_a_kept_policy_is_evaluated_for_the_other_routes() -> None:
    authorizers, fake, _ = asking(policy(f"{BASE}/prod/GET/v1/jobs"))
    assert isinstance(authorizers.admit(TOKEN, with_token()), Call)
    assert refusal(authorizers.admit(TOKEN, with_token(method="POST")))[0] == 403
    assert refusal(authorizers.admit(TOKEN, with_token(url="/v1/other")))[0] == 403
    assert len(fake.asked) == 1


def test_a_simple_answer_is_for_all_routes() -> None:
    authorizers, fake, _ = asking([b'{"isAuthorized": true}', b'{"isAuthorized": false}'])
    assert isinstance(authorizers.admit(SIMPLE, with_token(HTTP)), Call)
    assert isinstance(authorizers.admit(SIMPLE, with_token(HTTP, url="/other")), Call)
    by_route = SIMPLE._replace(identity=("$request.header.Authorization", "$context.routeKey"))
    assert refusal(authorizers.admit(by_route, with_token(HTTP)))[0] == 403
    assert len(fake.asked) == 2


def test_denials_are_kept_and_failures_are_not() -> None:
    authorizers, fake, _ = asking([policy("*", "Deny"), policy("*")])
    assert refusal(authorizers.admit(TOKEN, with_token()))[0] == 403
    assert refusal(authorizers.admit(TOKEN, with_token()))[0] == 403
    assert len(fake.asked) == 1
    authorizers, fake, _ = asking([failed, policy("*")])
    assert refusal(authorizers.admit(TOKEN, with_token()))[0] == 500
    assert isinstance(authorizers.admit(TOKEN, with_token()), Call)


def test_what_is_over_is_forgotten() -> None:
    authorizers, fake, clock = asking(policy("*"))
    for number in range(1000):
        authorizers.admit(TOKEN, with_token(token=str(number)))
    clock.now += 301
    authorizers.admit(TOKEN, with_token(token="new"))
    assert len(authorizers._kept) == 1
    assert len(fake.asked) == 1001


def test_first_requests_at_once_ask_once() -> None:
    entered, go = threading.Semaphore(0), threading.Event()

    def slowly(_: Asked) -> bytes:
        entered.release()
        assert go.wait(10)
        return policy("*")

    authorizers, fake, _ = asking(slowly)
    with ThreadPoolExecutor(8) as threads:
        running = [threads.submit(authorizers.admit, TOKEN, with_token()) for _ in range(8)]
        assert entered.acquire(timeout=10)
        go.set()
        assert all(isinstance(one.result(10), Call) for one in running)
    assert len(fake.asked) == 1


def test_first_requests_at_once_fail_together_and_the_next_asks_again() -> None:
    authorizers, fake, _ = asking([RuntimeError("no interpreter"), policy("*")])
    with pytest.raises(RuntimeError):
        authorizers.admit(TOKEN, with_token())
    assert isinstance(authorizers.admit(TOKEN, with_token()), Call)
    assert len(fake.asked) == 2
