"""Events, authorizers and CORS of a serverless.yml → routes and the API.

Source: Serverless Framework documentation, "API Gateway", "HTTP API (API Gateway v2)" (read on 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from lamella.migrate.model import Api, Asked, Notes
from lamella.migrate.tree import Tree
from lamella.migrate.variables import Variables

_TYPES = {"http": "rest", "httpApi": "http"}
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"})
_CORS = {
    "allowedOrigins": "origins",
    "origins": "origins",
    "origin": "origins",
    "allowedMethods": "methods",
    "allowedHeaders": "headers",
    "headers": "headers",
    "exposedResponseHeaders": "expose",
    "allowCredentials": "credentials",
    "maxAge": "max-age",
}


class Asks(TypedDict):
    routes: tuple[str, ...]
    authorizer: str


class Events:
    """Reads functions' events.  The first kind of API that has a route is the one that the configuration gets."""

    def __init__(self, variables: Variables, top: Tree, keys: Mapping[str, str], notes: Notes) -> None:
        self.variables = variables
        self.keys = keys
        self.notes = notes
        self.type = ""
        self.cors: tuple[tuple[str, object], ...] = ()
        self.asked: dict[str, Asked] = {}
        self.shared = variables.get(top, "provider", "httpApi")

    def of(self, name: str, row: Tree) -> Asks:
        """The routes of the function, and who is asked about them."""
        routes: dict[str, None] = {}
        authorizers: dict[str, None] = {}
        given = self.variables.tree(row.get("events"))
        for event in given.list() if given is not None else ():
            followed = self.variables.tree(event)
            pairs = followed.items() if followed is not None else ()
            if not pairs:
                text = event.text()
                self.notes.open(event.place, f"the event `{text}` of `{name}`", _ELSEWHERE)
            for kind, value in pairs:
                if kind not in _TYPES:
                    self.notes.open(event.place, f"the event `{kind}` of `{name}`", _ELSEWHERE)
                elif self._is_other(kind, name, value):
                    continue
                elif route := self._route(name, kind, value):
                    routes[route] = None
                    authorizers[self._authorizer(name, kind, value)] = None
        if len(authorizers) > 1:
            self.notes.open(
                row.place,
                f"only some routes of `{name}` have an authorizer",
                "an `authorizer` is for all routes of a function: make two functions of it",
            )
            return Asks(routes=tuple(routes), authorizer="")
        return Asks(routes=tuple(routes), authorizer=next(iter(authorizers), ""))

    def _is_other(self, kind: str, name: str, value: Tree) -> bool:
        self.type = self.type or _TYPES[kind]
        if self.type == _TYPES[kind]:
            return False
        self.notes.open(
            value.place,
            f"a route of `{name}` is of another kind of API (`{kind}`)",
            "a configuration has one API: give these routes to a project of its own",
        )
        return True

    def _route(self, name: str, kind: str, value: Tree) -> str:
        followed = self.variables.tree(value) or value
        short = self.variables.text(followed)
        if short is not None:
            method, _, path = short.strip().partition(" ")
        else:
            method = self.variables.text(followed.get("method")) or "*"
            path = self.variables.text(followed.get("path")) or ""
            self._cors_of(followed.get("cors"))
        method, path = method.upper(), path.strip()
        if kind == "httpApi" and path in ("", "*") and method in ("*", "ANY", ""):
            return "$default"
        method = "ANY" if method in ("*", "ANY") else method
        path = path if path.startswith("/") else f"/{path}"
        if method not in _METHODS:
            self.notes.open(value.place, f"a route of `{name}` has the method `{method}`", "write it by hand")
            return ""
        return f"{method} {path.rstrip('/') or '/'}"

    def _cors_of(self, given: Tree | None) -> None:
        followed = self.variables.tree(given)
        if followed is None or followed.flag() is False or self.cors:
            return
        if followed.flag():
            self.cors = (("origins", ["*"]),)
            return
        found: dict[str, object] = {}
        for key, value in followed.items():
            name = _CORS.get(key)
            if name is None:
                self.notes.open(value.place, f"`{key}` of CORS", "it has no counterpart")
            elif name == "credentials":
                found[name] = value.flag() is True
            elif name == "max-age":
                found[name] = self.variables.whole(value) or 0
            else:
                found[name] = list(self.variables.texts(value))
        self.cors = tuple({"origins": ["*"], **found}.items())

    def _authorizer(self, name: str, kind: str, value: Tree) -> str:
        """The key of the function that is asked, "" for none, or none of ours."""
        followed = self.variables.tree(value) or value
        given = self.variables.tree(followed.get("authorizer"))
        if given is None:
            return ""
        text = self.variables.text(given) or self.variables.text(given.get("name")) or ""
        settings = given if given.items() else None
        function = text
        if kind == "httpApi":
            declared = self.variables.get(self.shared, "authorizers", text) if text else None
            settings = declared if declared is not None else settings
            function = (self.variables.text(settings.get("functionName")) or "") if settings is not None else ""
        key = self.keys.get(function)
        if key is None:
            self.notes.open(
                given.place,
                f"the authorizer of `{name}` is no function of this service",
                "it stays in AWS: `start-api` here lets these routes pass without it",
            )
            return ""
        if key not in self.asked:
            self.asked[key] = Asked(key, tuple(self._settings(kind, settings).items()))
        return key

    def _settings(self, kind: str, settings: Tree | None) -> dict[str, object]:
        found: dict[str, object] = {}
        if settings is None:
            return found
        sort = (self.variables.text(settings.get("type")) or "").lower()
        if kind == "http" and sort in ("token", "request"):
            found["type"] = sort
        identity = self.variables.texts(settings.get("identitySource"))
        identity = tuple(part.strip() for text in identity for part in text.split(","))
        if identity:
            found["identity"] = list(identity)
        ttl = self.variables.whole(settings.get("resultTtlInSeconds"))
        if ttl is not None:
            found["ttl"] = ttl
        if kind == "httpApi":
            payload = self.variables.text(settings.get("payloadVersion"))
            if payload:
                found["payload"] = payload
            simple = settings.get("enableSimpleResponses")
            if simple is not None and simple.flag():
                found["simple"] = True
        return found

    def api(self, stage: str, functions: set[str]) -> Api:
        """The API of all that was read; authorizers that are no functions of the proposal are left out."""
        if not self.type:
            return Api()
        if self.type == "http" and self.shared is not None:
            self._cors_of(self.shared.get("cors"))
            for key, value in self.shared.items():
                if key not in ("cors", "authorizers", "payload", "name"):
                    self.notes.open(value.place, f"`provider.httpApi.{key}`", "it stays where it is")
        asked = tuple(one for one in self.asked.values() if one.function in functions)
        return Api(self.type, stage if self.type == "rest" else "", self.cors, asked)


_ELSEWHERE = "it stays where it is: lamella changes a function's code, and knows routes alone"
