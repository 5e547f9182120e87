"""What a word on the command line means: a key of the configuration, a name in AWS, or an ARN."""

from __future__ import annotations

import re

from lamella.config.model import FunctionSettings, LayerSettings, Settings
from lamella.deployed.model import FUNCTION, LAYER, Reference
from lamella.errors import UsageError
from lamella.wording import printable

# AWS Lambda API reference: LayerName, FunctionName, Qualifier
_NAME = r"[A-Za-z0-9_-]{1,140}"
_QUALIFIER = r"\$LATEST|[A-Za-z0-9_-]{1,128}"
_WORD = re.compile(rf"({_NAME})(?::({_QUALIFIER}))?")
_ARN = re.compile(rf"(arn:[a-z0-9-]+:lambda:[a-z0-9-]+:\d{{12}}:(layer|function):{_NAME})(?::({_QUALIFIER}))?")
# AWS takes these for a function, too: ``123456789012:function:name``
_PARTIAL_ARN = re.compile(rf"(\d{{12}}:function:{_NAME})(?::({_QUALIFIER}))?")
_FORMS = "NAME, NAME:VERSION, FUNCTION:ALIAS, or an ARN of a layer version or function"


def read_reference(text: str, settings: Settings | None = None, *, kind: str = "") -> Reference:
    """What `text` means; its kind stays "" where only AWS can tell.

    A key of the configuration goes before a name in it.  `kind` (`LAYER` or `FUNCTION`) leaves only that one.
    Raises UsageError for what has none of the forms, or is two things in the configuration.
    """
    found = _arn(text) or _word(text, settings, kind)
    if found is None:
        raise UsageError(
            f"`{printable(text)}` names no layer and no function", why=[f"the forms are {_FORMS}"], hint="correct it"
        )
    if kind and found.kind not in ("", kind):
        raise UsageError(f"`{text}` is a {found.kind}", hint=f"leave out `--{kind}`")
    found = found._replace(kind=found.kind or kind)
    if found.kind == LAYER and found.qualifier and not is_version(found.qualifier):
        raise UsageError(
            f"a layer has no version `{found.qualifier}`",
            why=["its versions are numbers from 1 on"],
            hint=f"leave it out for the newest, or use `--{FUNCTION}` where it is a function",
        )
    return found


def is_version(text: str) -> bool:
    """Whether it can be the number of a layer's version."""
    return text.isascii() and text.isdigit() and int(text) > 0


def _arn(text: str) -> Reference | None:
    if found := _ARN.fullmatch(text):
        return Reference(found[2], found[1], found[3] or "")
    if found := _PARTIAL_ARN.fullmatch(text):
        return Reference(FUNCTION, found[1], found[2] or "")
    return None


def _word(text: str, settings: Settings | None, kind: str) -> Reference | None:
    found = _WORD.fullmatch(text)
    if found is None:
        return None
    word, qualifier = found[1], found[2] or ""
    one = _configured(word, settings, kind) if settings else None
    if isinstance(one, LayerSettings):
        return Reference(LAYER, one.name, qualifier)
    if isinstance(one, FunctionSettings):
        # The alias is what its callers reach: $LATEST may be anybody's experiment
        return Reference(FUNCTION, one.name, qualifier or one.alias)
    return Reference("", word, qualifier)


def _configured(word: str, settings: Settings, kind: str) -> LayerSettings | FunctionSettings | None:
    """The one of the configuration with this key, or else with this name in AWS.  Raises UsageError for two."""
    both: list[LayerSettings | FunctionSettings] = []
    both += settings.layers if kind != FUNCTION else ()
    both += settings.functions if kind != LAYER else ()
    for found in ([one for one in both if one.key == word], [one for one in both if one.name == word]):
        if len(found) > 1:
            raise UsageError(
                f"`{word}` is both a layer and a function of the configuration",
                hint=f"say which one with `--{LAYER}` or `--{FUNCTION}`",
            )
        if found:
            return found[0]
    return None
