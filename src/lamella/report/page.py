"""A page of one file: its style, script and data are inside, and it asks for nothing else.

The style is page.css, which has the variables and classes that pages share: `--ink`, `--muted`, `--line`, `--panel`,
`--accent`, `--stdlib`, `--own`, `--hue-0` to `--hue-11` (colours of distributions, light enough in the light scheme
and dark enough in the dark one for text in `--ink` on them), `.lead`, `.figures`, `.tools`, `.key`, `.tip`, `.scroll`.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from hashlib import sha256
from html import escape

from lamella import __version__

HUES = 12

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body>
{body}
<footer>Made by lamella {version}. This file is complete: it loads nothing.</footer>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def page(title: str, body: str, *, script: str = "", style: str = "", data: object = None) -> str:
    """The page as text, to be written as UTF-8.  Equal arguments give an equal page: it has no date.

    `title` is plain text.  `body` is HTML (take `html.escape` for what comes from outside), `script` and `style` are
    code of ours, and neither may hold its own end tag.  `data` is what `json.dumps` takes; the script reads it with
    `JSON.parse(document.getElementById("data").textContent)`.  The policy of the page allows this one script and no
    address: style attributes and `element.style` work, handlers in attributes (`onclick=`) do not.
    """
    code = f"\n{script}\n"
    digest = b64encode(sha256(code.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"
    return _PAGE.format(
        policy=policy,
        title=escape(title),
        style=text_beside("page.css") + style,
        body=body,
        version=__version__,
        data=as_script_data(data),
        script=code,
    )


def as_script_data(value: object) -> str:
    """JSON that can stand inside a script element: ASCII, and no `<`, `>` or `&` that HTML would read."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def text_beside(name: str) -> str:
    """A file of this folder that is part of pages."""
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()
