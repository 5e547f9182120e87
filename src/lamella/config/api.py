"""`[tool.lamella.api]`: the API that the functions' routes make up.  Defaults and rules are API Gateway's.

Sources: API Gateway developer guide, "Control access to HTTP APIs with AWS Lambda authorizers", "Use API Gateway Lambda
authorizers", "Configure CORS for HTTP APIs"; API references of v1 and v2, CreateAuthorizer (read on 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lamella.config.model import ApiSettings, Authorizer, Cors, FunctionSettings
from lamella.config.names import ALNUM, NAME
from lamella.config.routes import METHODS, REST, check_routes
from lamella.config.section import Section, described
from lamella.wording import did_you_mean

TYPES = ("http", REST)
PAYLOADS = ("2.0", "1.0")
KEYS = frozenset({"type", "payload", "stage", "cors", "binary", "authorizers"})
CORS_KEYS = frozenset({"origins", "methods", "headers", "expose", "credentials", "max-age"})
AUTHORIZER_KEYS = frozenset({"type", "identity", "ttl", "payload", "simple"})
KINDS = ("request", "token")
LONGEST_TTL = 3600  # seconds; CreateAuthorizer: "The maximum value is 3600, or 1 hour"
LONGEST_MAX_AGE = 86400  # seconds; Cors, MaxAge
STAGES = {"http": "$default", REST: "prod"}
_STAGE_LENGTH = 128
_AUTHORIZATION = "$request.header.Authorization"
_SOURCES = ("$request.header.", "$request.querystring.", "$context.")
_REST_SOURCES = {"method.request.": "$request.", "context.": "$context."}
_TOKEN = ALNUM | frozenset("!#$%&'*+-.^_`|~")  # RFC 9110, 5.6.2: what a header's name is made of


def api_type(top: Section, override: str | None = None) -> str:
    """The API's type, needed before its functions' routes are read; `override` is the command line's."""
    section = _section(top)
    given = section.one_of("type", TYPES) if section else None
    return override or given or "http"


def read_api(top: Section, functions: Sequence[FunctionSettings], kind: str) -> ApiSettings:
    """The API of type `kind`, and a check of what the functions say of it.

    Every function that another names as its `authorizer` gets an entry in `authorizers`.  Raises ConfigError.
    """
    sections = dict(top.sections("functions"))
    check_routes([(sections[function.key], function.routes) for function in functions], kind)
    keys = [function.key for function in functions]
    asked = _authorizers_named(sections, functions, keys)
    section = _section(top) or Section({}, top.file, top.prefix, (*top.path, "api"))
    section.only(KEYS)
    declared = {}
    for key, below in section.sections("authorizers"):
        if key not in keys:
            raise below.refuse(
                None, "names no function", why=(_known(keys),), hint=did_you_mean(key, keys) or "declare the function"
            )
        declared[key] = _authorizer(below, key, kind)
    for key in asked:
        if key not in declared:
            declared[key] = _authorizer(Section({}, top.file, top.prefix), key, kind)
    return ApiSettings(
        type=kind,
        payload=_payload(section, kind),
        stage=_stage(section, kind),
        cors=_cors(section),
        binary=_binary(section, kind),
        authorizers=tuple(declared.values()),
    )


def _section(top: Section) -> Section | None:
    given = top.data.get("api")
    if given is None:
        return None
    if not isinstance(given, dict):
        header = ".".join((*top.prefix, *top.path, "api"))
        raise top.wrong_type("api", "a table", given, f"write `[{header}]` with its keys below")
    return Section(given, top.file, top.prefix, (*top.path, "api"))


def _authorizers_named(
    sections: dict[str, Section], functions: Iterable[FunctionSettings], keys: list[str]
) -> dict[str, None]:
    found: dict[str, None] = {}
    for function in functions:
        asked, section = function.authorizer, sections[function.key]
        if not asked:
            continue
        if asked == function.key:
            raise section.refuse(
                "authorizer", "names the function itself", hint="name the function that is asked before this one"
            )
        if asked not in keys:
            others = [key for key in keys if key != function.key]
            raise section.refuse(
                "authorizer",
                f"names `{asked}`, which is no function",
                why=(_known(others),),
                hint=did_you_mean(asked, others) or "declare it below `functions`, or remove it here",
            )
        found[asked] = None
    return found


def _known(keys: Iterable[str]) -> str:
    return f"the project's functions: {', '.join(keys) or 'none'}"


def _payload(section: Section, kind: str) -> str:
    given = section.one_of("payload", PAYLOADS)
    if kind == REST and given == "2.0":
        raise section.refuse(
            "payload", "is 2.0, and a REST API has events of 1.0 alone", hint='remove it, or write `type = "http"`'
        )
    return given or ("1.0" if kind == REST else "2.0")


def _stage(section: Section, kind: str) -> str:
    given = section.text("stage")
    if given is None or (given == STAGES["http"] and kind == "http"):
        return STAGES[kind]
    if len(given) > _STAGE_LENGTH or not NAME.issuperset(given):
        raise section.refuse(
            "stage",
            "is no name of a stage that AWS accepts",
            why=(f"found {described(given)}",),
            hint=f"use at most {_STAGE_LENGTH} ASCII letters, digits, `-` and `_`",
        )
    return given


def _binary(section: Section, kind: str) -> tuple[str, ...]:
    given = section.texts("binary") or ()
    if given and kind != REST:
        raise section.refuse(
            "binary",
            "is a key for REST APIs",
            why=("an HTTP API tells by the content type whether a body is text",),
            hint='remove it, or write `type = "rest"`',
        )
    for item in given:
        kind_of, slash, subtype = item.partition("/")
        if not (slash and kind_of and subtype) or not (_TOKEN | {"/"}).issuperset(item):
            raise section.refuse(
                "binary",
                "holds what is no media type",
                why=(f"found {described(item)}",),
                hint='write `"image/png"`, say',
            )
    return tuple(item.lower() for item in given)


def _cors(section: Section) -> Cors | None:
    given = section.data.get("cors")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise section.wrong_type("cors", "a table", given, 'write `cors = { origins = ["*"] }`')
    below = Section(given, section.file, section.prefix, (*section.path, "cors"))
    below.only(CORS_KEYS)
    origins = below.texts("origins")
    if not origins:
        raise below.refuse("origins", "is needed", hint='write `origins = ["https://www.example.com"]`, or `["*"]`')
    credentials = below.flag("credentials")
    for origin in origins:
        _check_origin(below, origin)
    if credentials and "*" in origins:
        raise below.refuse(
            "credentials",
            "can't be true for every origin",
            why=('`origins` has `"*"`, and browsers then send no credentials',),
            hint="list the origins",
        )
    methods = below.texts("methods") or ()
    for method in methods:
        if method not in (*METHODS[:-1], "*"):
            hint = did_you_mean(method.upper(), METHODS[:-1]) or 'write `["GET", "POST"]`, or `["*"]`'
            raise below.refuse("methods", f"lists `{method}`, which is no method", hint=hint)
    for key in ("headers", "expose"):
        for name in below.texts(key) or ():
            if not _TOKEN.issuperset(name):
                raise below.refuse(key, f"lists `{name}`, which is no name of a header", hint="remove it")
    return Cors(
        origins=origins,
        methods=methods,
        headers=below.texts("headers") or (),
        expose=below.texts("expose") or (),
        credentials=credentials,
        max_age=below.whole("max-age", -1, LONGEST_MAX_AGE, unit="seconds"),
    )


def _check_origin(section: Section, origin: str) -> None:
    scheme, separator, host = origin.partition("://")
    if (origin != "*" and not (scheme and separator and host)) or "/" in host:
        raise section.refuse(
            "origins",
            f"lists `{origin}`, which is no origin",
            why=("an origin is a scheme, a host and, if it is not the scheme's own, a port",),
            hint='write `"https://www.example.com"`, `"http://localhost:5173"`, `"https://*"` or `"*"`',
        )


def _authorizer(section: Section, key: str, kind: str) -> Authorizer:
    """One `[tool.lamella.api.authorizers.KEY]`; of an empty section, what API Gateway takes."""
    section.only(AUTHORIZER_KEYS)
    sort = section.one_of("type", KINDS) or ("token" if kind == REST else "request")
    if sort == "token" and kind != REST:
        raise section.refuse(
            "type",
            "is token, which REST APIs have alone",
            hint='write `type = "request"`, or make the API a `rest` one',
        )
    payload = section.one_of("payload", PAYLOADS)
    if kind == REST and payload == "2.0":
        raise section.refuse("payload", "is 2.0, and a REST API has events of 1.0 alone", hint="remove it")
    payload = payload or ("1.0" if kind == REST else "2.0")
    simple = section.flag("simple")
    if simple and payload != "2.0":
        raise section.refuse("simple", "can't be true: simple answers come with a payload of 2.0", hint="remove it")
    identity = _identity(section, sort)
    ttl = section.whole("ttl", 0, LONGEST_TTL, unit="seconds")
    if ttl and not identity:
        raise section.refuse(
            "ttl",
            "keeps answers, and nothing says for whom",
            why=("`identity` is empty: its values are what an answer is kept under",),
            hint=f'write `identity = ["{_AUTHORIZATION}"]`, say, or `ttl = 0`',
        )
    return Authorizer(key, sort, identity, (300 if identity else 0) if ttl is None else ttl, payload, simple)


def _identity(section: Section, sort: str) -> tuple[str, ...]:
    given = section.texts("identity")
    if given is None:
        return (_AUTHORIZATION,)
    found = tuple(_source(section, item) for item in given)
    section.different("identity", found)
    if sort == "token" and (len(found) != 1 or not found[0].startswith(_SOURCES[0])):
        raise section.refuse(
            "identity",
            "must be one header for an authorizer of type token",
            why=(f"found {', '.join(f'`{item}`' for item in given) or 'an empty list'}",),
            hint=f'write `identity = ["{_AUTHORIZATION}"]`, or `type = "request"`',
        )
    return found


def _source(section: Section, item: str) -> str:
    """The source as an HTTP API writes it; a REST API's ``method.request.header.Auth`` is taken, too."""
    text = next((new + item.removeprefix(old) for old, new in _REST_SOURCES.items() if item.startswith(old)), item)
    for start in _SOURCES:
        name = text.removeprefix(start)
        if name != text and name and (start != _SOURCES[0] or _TOKEN.issuperset(name)):
            return text
    raise section.refuse(
        "identity",
        "holds what is no source of an identity",
        why=(f"found {described(item)}", f"sources begin with {', '.join(f'`{start}`' for start in _SOURCES)}"),
        hint=f'write `"{_AUTHORIZATION}"`, say',
    )
