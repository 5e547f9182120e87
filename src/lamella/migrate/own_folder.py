"""A script's own folder, where the script asks for it: `cd "$(dirname "$0")/.."`."""

from __future__ import annotations

import os
import re

# The script's own folder, as scripts ask for it: "$(dirname "$0")", "${0%/*}", and what `cd … && pwd` makes of it
_OWN = r"(?:\$0|\$\{0\}|\$\{?BASH_SOURCE(?:\[0\])?\}?)"
_OWN_FILE = re.compile(rf"\$\(\s*(?:realpath|readlink\s+-f)\s+(?:--\s+)?\"?({_OWN})\"?\s*\)")
_OWN_FOLDER = re.compile(
    rf"\$\(\s*dirname\s+(?:--\s+)?\"?{_OWN}\"?\s*\)|`\s*dirname\s+\"?{_OWN}\"?\s*`"
    r"|\$\{(?:0|BASH_SOURCE(?:\[0\])?)%/\*\}"
)
_PROJECT = "$__project"
_BELOW = re.compile(re.escape(_PROJECT) + r"((?:/[^\s:;\"']*)?)")
_PRINTED = re.compile(
    r"\$\(\s*cd\s+(?:-P\s+|--\s+)*(?:\"([^\"()]*)\"|([^\s\"'()&;<>]+))"
    r"(?:\s*&?>\s*/dev/null(?:\s+2>&1)?)?\s*(?:&&|;)\s*pwd(?:\s+-P)?\s*\)"
)


def placed(text: str, folder: str) -> str:
    """The script with its own folder where it asks for that, as a path from the project's: `$__project/scripts`."""
    own = f"{_PROJECT}/{folder}" if folder else _PROJECT
    text = _OWN_FOLDER.sub(lambda _: own, _OWN_FILE.sub(lambda match: match[1], text))
    for _ in range(2):  # one folder is made of another: ROOT=$(cd "$(cd "$(dirname "$0")" && pwd)/.." && pwd)
        text = _PRINTED.sub(lambda match: match[1] or match[2], text)
    return text


def seen_from(folder: str, word: str) -> str:
    """The word with paths from the project's folder as they are from `folder`."""
    return _BELOW.sub(lambda match: os.path.relpath(os.path.normpath("." + match[1]), folder), word)
