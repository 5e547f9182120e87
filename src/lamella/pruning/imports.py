"""Python source → the names that it imports, without a parser.

A parser reads the syntax of the Python that runs it, and a layer's bytes must not depend on that.  So statements are
found by their lines, which every version writes alike: more than a parser would find, never less.  What stands in a
multi-line string, or is for type checkers alone, counts.

Source of the rules: The Python Language Reference, "The import statement" and "Explicit line joining".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_NAME = rb"[\w\x80-\xff]"  # of UTF-8, too
_JOIN = rb"\\(?:\r\n?|\n)"  # a backslash at the end of a line
# A statement starts on a line, or behind a `;`, the `:` of what is around it, or the quote of a string for `exec`
_HEAD = re.compile(
    rb"[\n\r;:\"'][ \t\f]*(?:import|from(?=[. \t\f\\])((?:[. \t\f]|" + _NAME + rb"|" + _JOIN + rb")+?)"
    rb"(?<![\w\x80-\xff])import)(?![\w\x80-\xff])"
)
_IN_PARENTHESES = re.compile(rb"(?:[ \t\f]|" + _JOIN + rb")*+\(((?:[^)#]++|#[^\n\r]*+)*+)")
_ON_THE_LINE = re.compile(rb"((?:[^\n\r;#\\]++|" + _JOIN + rb")*+)")
_COMMENT = re.compile(rb"#[^\n\r]*")
_AROUND_DOTS = re.compile(rb"[\s\\]*\.[\s\\]*")
_FIRST = re.compile(rb"[\s\\]*((?:" + _NAME + rb"|\.)+)")
_CALL = re.compile(
    rb"(?:import_module|__import__|importorskip)\s*\(\s*(?:(?:name|modname)\s*=\s*)?[rRuU]?([\"'])([^\"'\s\\]+)\1"
    rb"(?:\s*,\s*(?:package\s*=\s*)?[rRuU]?([\"'])([^\"'\s\\]+)\3)?"
)
_BOM = b"\xef\xbb\xbf"


def imported(path: str, source: bytes) -> set[str]:
    """The dotted names that the source at `path`, below the folder of importable code, may import.

    Absolute; ``from a.b import c`` gives `a.b` and `a.b.c`.
    """
    package = path.split("/")[:-1]
    found: set[str] = set()
    # A first line is like any other
    source = b"\n" + source.removeprefix(_BOM)
    for head in _HEAD.finditer(source):
        if source[head.start()] not in b"\n\r" and _is_prose(source, head.start()):
            continue
        if head[1] is None:
            found.update(_names(_span(_ON_THE_LINE, source, head.end())))
            continue
        module = _resolved(package, _text(_AROUND_DOTS.sub(b".", head[1]).strip(b" \t\f\r\n\\")))
        if module is None:
            continue
        names = _span(_IN_PARENTHESES, source, head.end()) or _span(_ON_THE_LINE, source, head.end())
        found.add(module)
        found.update(f"{module}.{name}" for name in _names(names))
    if b"import_module" in source or b"__import__" in source or b"importorskip" in source:
        found.update(_called(path, package, source))
    return found


def _is_prose(source: bytes, at: int) -> bool:
    """Tell whether the line of `at` is a comment, or an example of a docstring."""
    start = source.rfind(b"\n", 0, at) + 1
    return source[start:at].lstrip().startswith((b"#", b">>>"))


def _span(pattern: re.Pattern[bytes], source: bytes, at: int) -> bytes:
    match = pattern.match(source, at)
    return match[1] if match else b""


def _names(text: bytes) -> Iterator[str]:
    """`a.b` and `c` of ``a . b as x, c``."""
    for piece in _AROUND_DOTS.sub(b".", _COMMENT.sub(b"", text)).split(b","):
        if name := _FIRST.match(piece):
            yield _text(name[1])


def _called(path: str, package: list[str], source: bytes) -> Iterator[str]:
    """The names that calls are given as a string.  A relative one without an anchor may mean package or module."""
    module = path.removesuffix(".py").split("/")
    for call in _CALL.finditer(source):
        name = _text(call[2])
        anchors = [_text(call[4]).split(".")] if call[4] else [package, module]
        for anchor in anchors if name.startswith(".") else anchors[:1]:
            if resolved := _resolved(anchor, name):
                yield resolved


def _resolved(package: list[str], name: str) -> str | None:
    """PEP 328.  None for what leads above the top."""
    own = name.lstrip(".")
    level = len(name) - len(own)
    if not level:
        return name
    if level > len(package):
        return None
    return ".".join([*package[: len(package) - level + 1], *([own] if own else [])])


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
