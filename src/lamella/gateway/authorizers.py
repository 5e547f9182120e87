"""Asks Lambda authorizers, obeys their answers, and keeps these for a while.

Sources: API Gateway developer guide, "Use API Gateway Lambda authorizers", "Control access to HTTP APIs with AWS Lambda
authorizers", "Output from an API Gateway Lambda authorizer"; API reference, CreateAuthorizer (read on 2026-11-22).
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from lamella.config.model import Authorizer
from lamella.gateway import events_v1, events_v2
from lamella.gateway.answers import Response, error
from lamella.gateway.policy import ALLOW, DENY, PolicyError, Statement, effect, statements
from lamella.gateway.request import Call, query
from lamella.runtime.model import Asked, Functions, Log

# Answers that are over are forgotten when so many have gathered
_MANY = 1000

Identity = tuple[str, ...]


class Answer(NamedTuple):
    """What an authorizer said: `allows` for every request, or, where that is None, the statements of a policy."""

    context: dict[str, object]
    principal: str = ""
    allows: bool | None = None
    policy: tuple[Statement, ...] = ()


class _Kept(NamedTuple):
    until: float
    answer: Answer


class _RefusedError(Exception):
    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Authorizers:
    """The authorizers of one API.  Used from several threads at once; waits for the function while it is asked.

    `clock` gives seconds.  `log` is given the authorizers' log.
    """

    def __init__(self, functions: Functions, clock: Callable[[], float], log: Log | None = None) -> None:
        self._functions = functions
        self._clock = clock
        self._log = log
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, Identity], _Kept] = {}
        self._asking: dict[tuple[str, Identity], Future[Answer]] = {}

    def admit(self, authorizer: Authorizer, call: Call) -> Call | Response:
        """The call with what the authorizer passes on, or the response that refuses it.

        Raises LamellaError where the authorizer can't be started.
        """
        identity = identity_of(authorizer, call)
        # With a cache, or as a token, what is missing is asked of nobody; an HTTP API never asks without it
        if None in identity and (authorizer.ttl or authorizer.type == "token" or not call.rest):
            return _unauthorized(call.rest)
        try:
            answer = self._answer(authorizer, call, tuple(value or "" for value in identity))
        except _RefusedError as refused:
            return refused.response
        return _obeyed(answer, call)

    def _answer(self, authorizer: Authorizer, call: Call, identity: Identity) -> Answer:
        if not authorizer.ttl:
            return self._asked(authorizer, call, identity)
        key = authorizer.function, identity
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and self._clock() < kept.until:
                return kept.answer
            others = self._asking.get(key)
            if others is None:
                mine = self._asking[key] = Future[Answer]()
        if others is not None:
            return others.result()
        try:
            answer = self._asked(authorizer, call, identity)
        except BaseException as failure:
            with self._lock:
                del self._asking[key]
            mine.set_exception(failure)
            raise
        with self._lock:
            del self._asking[key]
            self._keep(key, _Kept(self._clock() + authorizer.ttl, answer))
        mine.set_result(answer)
        return answer

    def _keep(self, key: tuple[str, Identity], kept: _Kept) -> None:
        if len(self._kept) >= _MANY:
            now = self._clock()
            self._kept = {one: other for one, other in self._kept.items() if now < other.until}
        self._kept[key] = kept

    def _asked(self, authorizer: Authorizer, call: Call, identity: Identity) -> Answer:
        event = _event(authorizer, call, identity)
        asked = Asked(json.dumps(event).encode(), str(uuid.uuid4()), trace=call.trace)
        result = self._functions.invoke(authorizer.function, asked, self._log)
        if result.error:
            raise _RefusedError(_failure(authorizer, call.rest, result.payload))
        try:
            return read(authorizer, result.payload, rest=call.rest)
        except PolicyError as reason:
            raise _RefusedError(_invalid(call.rest, f"`{authorizer.function}` gave a wrong answer: {reason}")) from None


def identity_of(authorizer: Authorizer, call: Call) -> tuple[str | None, ...]:
    """The values of the authorizer's sources; None for one that is missing or empty."""
    return tuple(_value(source, call) or None for source in authorizer.identity)


def read(authorizer: Authorizer, payload: bytes, *, rest: bool) -> Answer:
    """The authorizer's answer, JSON.  Raises PolicyError where it is none."""
    given = json.loads(payload)
    if not isinstance(given, dict):
        raise PolicyError("it is no object")
    context = _context(given.get("context"), rest)
    if authorizer.simple:
        allows = given.get("isAuthorized")
        if not isinstance(allows, bool):
            raise PolicyError("`isAuthorized` is neither true nor false, and the authorizer is a `simple` one")
        return Answer(context, allows=allows)
    principal = given.get("principalId")
    if rest and not (isinstance(principal, str) and principal):
        raise PolicyError("`principalId` is no string")
    return Answer(context, str(principal or ""), policy=statements(given.get("policyDocument")))


def _context(given: object, rest: bool) -> dict[str, object]:
    """What is passed on; to functions of REST APIs all of it as strings."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise PolicyError("`context` is no object")
    if not rest:
        return given
    found: dict[str, object] = {}
    for name, value in given.items():
        if isinstance(value, dict | list):
            raise PolicyError(f"`context.{name}` is {'an object' if isinstance(value, dict) else 'a list'}")
        found[name] = value if value is None or isinstance(value, str) else json.dumps(value)
    return found


def _obeyed(answer: Answer, call: Call) -> Call | Response:
    said = (ALLOW if answer.allows else DENY) if answer.allows is not None else effect(answer.policy, call.arn)
    if said == ALLOW:
        # A payload of 2.0 has what was passed on alone
        principal = answer.principal if call.api.payload == "1.0" else ""
        return call._replace(context=answer.context, principal=principal)
    if not call.rest:
        return error(403, "Forbidden")
    text = "User is not authorized to access this resource" + (" with an explicit deny" if said == DENY else "")
    return error(403, text, "AccessDeniedException", key="Message")  # so written by AWS, unlike all others


def _event(authorizer: Authorizer, call: Call, identity: Identity) -> dict[str, object]:
    if authorizer.type == "token":
        return events_v1.token(call, identity[0])
    if authorizer.payload == "1.0":
        return events_v1.asking(call, identity)
    return events_v2.asking(call, identity)


def _value(source: str, call: Call) -> str | None:
    where, _, name = source.removeprefix("$request.").partition(".")
    if where == "header":
        values = call.request.values(name)
        return ",".join(values) if values else None
    if where == "querystring":
        return ",".join(query(call.request).get(name, ())) or None
    found: object = _variables(call)
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


def _variables(call: Call) -> dict[str, object]:
    return {**events_v1.context(call), "routeKey": call.match.route.key}


def _unauthorized(rest: bool) -> Response:
    return error(401, "Unauthorized", "UnauthorizedException" if rest else "")


def _failure(authorizer: Authorizer, rest: bool, payload: bytes) -> Response:
    """The authorizer failed.  One that raises `Exception("Unauthorized")` says 401 by that."""
    try:
        given = json.loads(payload)
        message = given.get("errorMessage") if isinstance(given, dict) else None
    except ValueError:
        message = None
    if message == "Unauthorized":
        return _unauthorized(rest)
    return _invalid(rest, f"the authorizer `{authorizer.function}` failed: {message}")


def _invalid(rest: bool, problem: str) -> Response:
    if rest:
        return error(500, None, "AuthorizerConfigurationException", problem)
    return error(500, "Internal Server Error", problem=problem)
