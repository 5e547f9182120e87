"""What texts of several kinds have in common."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lamella.export.model import MARK
from lamella.wording import escaped

if TYPE_CHECKING:
    from lamella.config.model import Environment
    from lamella.export.model import Source

# Text in YAML without quotes, but for words that are something else in YAML 1.1 or 1.2
_PLAIN = re.compile(r"(?!(?i:true|false|null|yes|no|on|off|y|n)\Z)[A-Za-z][A-Za-z0-9_./-]*")


# Of the first line of a file that several projects of one repository might write: whose it is
_PROJECT = re.compile(r"` in `(.+)`, which writes it anew")


def written_by(kind: str, source: Source) -> str:
    """The first line of a file of the repository: what wrote it, for which project."""
    inside = "" if source.place.inside == "." else f" in `{escaped(source.place.inside)}`"
    return f"# {MARK} {kind}{environment_words(source.environment)}`{inside}, which writes it anew"


def written_for(line: str) -> str:
    """The project that such a line names, "" for the one that is the whole repository."""
    found = _PROJECT.search(line)
    return found[1] if found else ""


def environment_words(environment: Environment) -> str:
    """`` --env prod``; "" for the one without a name."""
    return f" --env {environment.name}" if environment.name else ""


def quoted(text: str) -> str:
    """As YAML takes text."""
    return text if _PLAIN.fullmatch(text) else "'" + text.replace("'", "''") + "'"
