"""Keys, handlers and sources: what every way of packaging has, in the configuration's words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

from lamella.config.handlers import python_files
from lamella.config.names import is_handler
from lamella.config.propose import TAKEN, as_key, packages_of
from lamella.migrate.model import Notes, Place

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+|[0-9]+")
LAYER = "layer"


def key_of(name: str, taken: Iterable[str]) -> str:
    """A key for what is called `name` elsewhere (``ApiHandler``: api-handler), different from those `taken`."""
    whole = as_key(_WORD.findall(name)) if name != name.lower() else as_key([name])
    used = {*TAKEN, *taken}
    key, number = whole, 2
    while key in used:
        key, number = f"{whole}-{number}", number + 1
    return key


def layer_key(requirements: str, taken: Iterable[str]) -> str:
    """A key for a layer: "layer" for the first, then the folder of its requirements file, or the file's own name."""
    if LAYER not in taken:
        return LAYER
    folder, file = os.path.split(requirements)
    return key_of(folder or file.removesuffix(".txt"), [*taken, LAYER])


def handler_of(written: str) -> str | None:
    """``src/api.handler`` as the runtime imports it, ``src.api.handler``; None for no handler."""
    dotted = written.strip().removeprefix("./").replace("/", ".")
    return dotted if is_handler(dotted) else None


def check_handler(root: str, source: Sequence[str], handler: str, place: Place, notes: Notes) -> None:
    """An item where no source has the handler's module."""
    path = handler.rpartition(".")[0].replace(".", os.sep)
    for folder in source:
        start = os.path.join(root, folder, path)
        if os.path.isfile(f"{start}.py") or os.path.isfile(os.path.join(start, "__init__.py")):
            return
    where = " or ".join(f"`{folder}`" for folder in source)
    notes.open(place, f"the handler's module `{path}.py` is not in {where}", "correct `handler` or `source`")


def whole_folder(root: str, folder: str, place: Place, notes: Notes) -> tuple[str, ...]:
    """Patterns for what a function of the `folder` needs when all of it was zipped: its packages and modules.

    What else is in the folder is an item: it may be data that the code reads, or nothing of the function's.
    """
    start = os.path.join(root, folder)
    at, files = python_files(start)
    if at == "src":
        found: tuple[str, ...] = ("/src/",)
    else:
        found = packages_of(files)
    known = {pattern.strip("/") for pattern in found}
    others = sorted(name for name in _entries(start) if name not in known)
    if others:
        shown = ", ".join(f"`{name}`" for name in others[:6]) + (", …" if len(others) > 6 else "")
        notes.mapped(
            place,
            f"everything beside the code went into the zip: {shown}",
            "add to `include` what the code reads at run time, as `/NAME`",
        )
    return found


# Never a function's own, whoever packages it
_OTHERS = re.compile(
    r"(?i)\..*|node_modules|__pycache__|venv|env|tests?|docs?|dist|build|(readme|licen[cs]e|changelog)(\..*)?|makefile"
    r"|dockerfile.*|package(-lock)?\.json|yarn\.lock|(.*-)?requirements.*\.(txt|in)|pipfile(\.lock)?|poetry\.lock"
    r"|uv\.lock|pylock.*\.toml|pyproject\.toml|setup\.(py|cfg)|serverless\.(ya?ml|json|ts|js)|template\.(ya?ml|json)"
    r"|samconfig\.(toml|ya?ml)|lamella\.toml|.*\.(sh|zip)|tox\.ini|.*\.egg-info|conftest\.py|noxfile\.py"
)


def _entries(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if not _OTHERS.fullmatch(name)]
    except OSError:
        return []
