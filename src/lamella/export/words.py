"""What texts of several kinds have in common."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamella.config.model import Environment

# Text in YAML without quotes, but for words that are something else in YAML 1.1 or 1.2
_PLAIN = re.compile(r"(?!(?i:true|false|null|yes|no|on|off|y|n)\Z)[A-Za-z][A-Za-z0-9_./-]*")


def environment_words(environment: Environment) -> str:
    """`` --env prod``; "" for the one without a name."""
    return f" --env {environment.name}" if environment.name else ""


def quoted(text: str) -> str:
    """As YAML takes text."""
    return text if _PLAIN.fullmatch(text) else "'" + text.replace("'", "''") + "'"
