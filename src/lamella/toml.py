"""TOML of any room: bytes → tables, and one way of saying why they can't be read."""

from __future__ import annotations

from typing import Any

from lamella.errors import LamellaError

HINT = "correct it; TOML's rules are at toml.io"


def parse(data: bytes, file: str, error: type[LamellaError], *, hint: str = HINT) -> dict[str, Any]:
    """`data` as TOML.  Raises `error`, which calls it `file` and names line and column."""
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        why = f"line {line}: byte 0x{data[wrong.start]:02x} is not UTF-8"
    except tomllib.TOMLDecodeError as wrong:
        what, _, place = str(wrong).rpartition(" (at ")
        place = place.rstrip(")")
        if place == "end of document":
            lines = data.count(b"\n") + 1
            place = f"line {lines}, the end of the document"
        why = f"{place}: {what}"
    except (RecursionError, ValueError) as wrong:  # nested too deeply; an integer of too many digits, a wrong date
        why = "nested too deeply" if isinstance(wrong, RecursionError) else str(wrong)
    raise error(f"`{file}` is not valid TOML", why=(why,), hint=hint)


def load(path: str, file: str, error: type[LamellaError], *, hint: str = HINT) -> dict[str, Any]:
    """The tables of the file at `path`.  Raises `error`, which calls it `file`."""
    try:
        with open(path, "rb") as opened:
            data = opened.read()
    except OSError as wrong:
        raise error(
            f"`{file}` can't be read", why=(wrong.strerror or str(wrong),), hint="check the path and its permissions"
        ) from None
    return parse(data, file, error, hint=hint)
