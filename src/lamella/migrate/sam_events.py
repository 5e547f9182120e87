"""Events, APIs and authorizers of a SAM template → routes and the API.

Source: AWS SAM developer guide, "Api", "HttpApi", "ApiAuth", "HttpApiAuth", "LambdaTokenAuthorizer",
"LambdaRequestAuthorizer", "LambdaAuthorizer" (read on 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from lamella.migrate.model import Api, Asked, Notes
from lamella.migrate.sam_values import Values, properties
from lamella.migrate.tree import Tree

_TYPES = {"Api": "rest", "HttpApi": "http"}
_KINDS = {"Api": "AWS::Serverless::Api", "HttpApi": "AWS::Serverless::HttpApi"}
_CORS = {
    "AllowOrigins": "origins",
    "AllowOrigin": "origins",
    "AllowMethods": "methods",
    "AllowHeaders": "headers",
    "ExposeHeaders": "expose",
    "AllowCredentials": "credentials",
    "MaxAge": "max-age",
}
_READ = frozenset({"StageName", "CorsConfiguration", "Cors", "Auth", "Name", "Description"})
_STAYS = "it stays in the template: lamella changes a function's code, and knows routes alone"


class Asks(TypedDict):
    routes: tuple[str, ...]
    authorizer: str


class Events:
    """Reads functions' events.  The first kind of API that has a route is the one that the configuration gets."""

    def __init__(
        self,
        values: Values,
        top: Tree | None,
        apis: Mapping[str, Tree],
        kinds: Mapping[str, str],
        keys: Mapping[str, str],
        notes: Notes,
    ) -> None:
        self.values = values
        self.keys = keys
        self.notes = notes
        self.kind = ""
        self.asked: dict[str, Asked] = {}
        self.apis = {name: (kinds[name], properties(one, _shared(top, kinds[name]))) for name, one in apis.items()}
        self.shared = {
            kind: dict(shared.items()) if (shared := _shared(top, kind)) is not None else {} for kind in _KINDS.values()
        }

    def of(self, name: str, one: Tree, given: Mapping[str, Tree]) -> Asks:
        """The routes of the function, and who is asked about them."""
        routes: dict[str, None] = {}
        authorizers: dict[str, None] = {}
        events = given.get("Events")
        for title, event in events.items() if events is not None else ():
            kind = (event.get("Type") or event).text() or ""
            if kind not in _TYPES:
                self.notes.open(event.place, f"the event `{title}` ({kind}) of `{name}`", _STAYS)
                continue
            self.kind = self.kind or kind
            if self.kind != kind:
                self.notes.open(
                    event.place,
                    f"the event `{title}` of `{name}` is of another kind of API",
                    "a configuration has one API: give these routes to a project of its own",
                )
                continue
            routes[self._route(event.get("Properties"), kind)] = None
            authorizers[self._authorizer(name, kind, event)] = None
        if len(authorizers) > 1:
            self.notes.open(
                one.place,
                f"only some routes of `{name}` have an authorizer",
                "an `authorizer` is for all routes of a function: make two functions of it",
            )
        return Asks(routes=tuple(routes), authorizer=next(iter(authorizers), "") if len(authorizers) == 1 else "")

    def _route(self, given: Tree | None, kind: str) -> str:
        path = self.values.text(given.get("Path")) if given is not None else None
        method = ((self.values.text(given.get("Method")) if given is not None else None) or "ANY").upper()
        method = "ANY" if method in ("ANY", "*", "X-AMAZON-APIGATEWAY-ANY-METHOD") else method
        if path is None or path == "$default":
            return "$default" if kind == "HttpApi" else f"{method} /"
        return f"{method} {path.rstrip('/') or '/'}"

    def _api_of(self, kind: str, event: Tree) -> dict[str, Tree]:
        reference = event.get("Properties", "RestApiId" if kind == "Api" else "ApiId")
        call = reference.call() if reference is not None else None
        name = call[1].text() if call is not None else None
        if name in self.apis:
            return self.apis[name or ""][1]
        return self.shared[_KINDS[kind]]

    def _authorizer(self, name: str, kind: str, event: Tree) -> str:
        api = self._api_of(kind, event)
        auth = api.get("Auth")
        given = event.get("Properties", "Auth", "Authorizer")
        default = auth.get("DefaultAuthorizer") if auth is not None else None
        text = (given or default).text() if (given or default) is not None else None  # type: ignore[union-attr]
        if not text or text == "NONE":
            return ""
        settings = auth.get("Authorizers", text) if auth is not None else None
        place = (given or default or event).place
        arn = settings.get("FunctionArn") if settings is not None else None
        call = arn.call() if arn is not None else None
        logical = (call[1].text() or "").partition(".")[0] if call is not None else ""
        logical = logical or (call[1].texts()[0] if call is not None and call[1].texts() else "")
        key = self.keys.get(logical)
        if key is None or settings is None:
            self.notes.open(
                place,
                f"the authorizer `{text}` of `{name}` is no function of this template",
                "it stays in AWS: `start-api` here lets these routes pass without it",
            )
            return ""
        if key not in self.asked:
            self.asked[key] = Asked(key, tuple(self._settings(kind, settings).items()))
        return key

    def _settings(self, kind: str, settings: Tree) -> dict[str, object]:
        found: dict[str, object] = {}
        identity = settings.get("Identity")
        if kind == "Api":
            sort = (self.values.text(settings.get("FunctionPayloadType")) or "TOKEN").lower()
            found["type"] = sort
        payload = self.values.text(settings.get("AuthorizerPayloadFormatVersion"))
        if kind == "HttpApi" and payload:
            found["payload"] = payload
        simple = settings.get("EnableSimpleResponses")
        if simple is not None and simple.flag():
            found["simple"] = True
        if identity is None:
            return found
        sources = [
            f"$request.header.{text}" for key in ("Header", "Headers") for text in self.values.texts(identity.get(key))
        ]
        sources += [f"$request.querystring.{text}" for text in self.values.texts(identity.get("QueryStrings"))]
        sources += [f"$context.{text}" for text in self.values.texts(identity.get("Context"))]
        if sources:
            found["identity"] = sources
        ttl = self.values.whole(identity.get("ReauthorizeEvery"))
        if ttl is not None:
            found["ttl"] = ttl
        return found

    def api(self, functions: set[str]) -> Api:
        """The API of all that was read."""
        if not self.kind:
            return Api()
        kind = _KINDS[self.kind]
        declared = [given for one, given in self.apis.values() if one == kind]
        given = declared[0] if declared else self.shared[kind]
        for other in declared[1:]:
            place = next(iter(other.values())).place if other else None
            if place is not None:
                self.notes.open(
                    place, "a second API", "a configuration has one API: give its routes a project of its own"
                )
        for key, value in given.items():
            if key not in _READ:
                self.notes.open(value.place, f"`{key}` of the API", _STAYS)
        stage = self.values.text(given.get("StageName")) or ("Prod" if self.kind == "Api" else "")
        asked = tuple(one for one in self.asked.values() if one.function in functions)
        cors = self._cors(given.get("CorsConfiguration") or given.get("Cors"))
        return Api(_TYPES[self.kind], "" if stage == "$default" else stage, cors, asked)

    def _cors(self, given: Tree | None) -> tuple[tuple[str, object], ...]:
        if given is None or given.flag() is False:
            return ()
        if given.flag():
            return (("origins", ["*"]),)
        text = self.values.text(given, quiet=True)
        if text is not None:
            return (("origins", [text.strip("'")]),)
        found: dict[str, object] = {}
        for key, value in given.items():
            name = _CORS.get(key)
            if name is None:
                self.notes.open(value.place, f"`{key}` of CORS", "it has no counterpart")
            elif name == "credentials":
                found[name] = value.flag() is True
            elif name == "max-age":
                found[name] = int((self.values.text(value) or "0").strip("'") or 0)
            else:  # a REST API has one text in quotes: "'GET,POST'"
                found[name] = [part.strip() for text in self.values.texts(value) for part in text.strip("'").split(",")]
        return tuple({"origins": ["*"], **found}.items())


def _shared(top: Tree | None, kind: str) -> Tree | None:
    return top.get("Globals", kind.rpartition(":")[2]) if top is not None else None
