"""Which function a request means: by key, by name in AWS, by whole or partial ARN, each with a qualifier or without."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from lamella.endpoint.model import Found, Named, RefusedError
from lamella.endpoint.refusals import invalid, malformed
from lamella.runtime.model import LATEST

# botocore's service model of Lambda, NamespacedFunctionName, as AWS shows it
PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)
_LONGEST = 256
_QUALIFIER = re.compile(r"\$LATEST\.PUBLISHED|[a-zA-Z0-9$_-]{1,128}")
# What was once found is kept, for as many ways to write a name
_KEPT = 1000


class Names:
    """The functions that can be asked for.  Used by one thread."""

    def __init__(self, functions: Sequence[Named]) -> None:
        self.functions = tuple(functions)
        self._by_name = {
            **{function.key: function for function in functions},
            **{function.name: function for function in functions},
        }
        self._base = functions[0].arn.rpartition(":")[0] + ":" if functions else "function:"
        self._found: dict[tuple[bytes, str], Found] = {}

    def find(self, raw: bytes, qualifier: str) -> Found:
        """The function that `raw`, percent-encoded as in a path, and ``?Qualifier=`` name.

        Any account and region will do: here a function has none but what its caller thinks of.  Raises RefusedError.
        """
        found = self._found.get((raw, qualifier))
        if found is None:
            found = self._find(unquote(raw.decode("latin-1")), qualifier)
            if len(self._found) >= _KEPT:
                self._found.clear()
            self._found[raw, qualifier] = found
        return found

    def _find(self, text: str, qualifier: str) -> Found:
        match = re.fullmatch(PATTERN, text, re.ASCII) if len(text) <= _LONGEST else None
        if match is None:
            raise malformed("functionName", text, f"Member must satisfy regular expression pattern: {PATTERN}")
        if qualifier and not _QUALIFIER.fullmatch(qualifier):
            pattern = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
            raise malformed("qualifier", qualifier, f"Member must satisfy regular expression pattern: {pattern}")
        name, own = match[11], match[13] or ""
        if own and qualifier and own != qualifier:
            raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
        asked = own or qualifier
        given = text.removesuffix(f":{own}") if own else text
        if not given.startswith("arn:"):
            given = ""
        function = self._by_name.get(name)
        if function is None or asked not in ("", LATEST, function.alias):
            arn = given or (function.arn if function else self._base + name)
            raise _missing(f"{arn}:{asked}" if asked else arn)
        if not asked:
            return Found(function, given)
        return Found(function, f"{given or function.arn}:{asked}")


def _missing(arn: str) -> RefusedError:
    return RefusedError(404, "ResourceNotFoundException", f"Function not found: {arn}")
