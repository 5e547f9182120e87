"""Source → tree, as the target's Python reads it.

Source of the rules: PEP 263 for encodings; the ast module's documentation for `feature_version`; What's New in Python
3.10 (`match`), 3.11 (`except*`), 3.12 (type parameters).
"""

from __future__ import annotations

import ast
import sys
import warnings

from lamella.errors import ConfigError

TOO_DEEP = "nested too deeply"


class NewerSyntaxError(ConfigError):
    """The target's Python is newer than the one that runs this, which is perhaps why that can't read a file.

    `line` is where it stopped, None where the parser doesn't say.
    """

    line: int | None = None


def parse(shown: str, source: bytes, *, target: tuple[int, int] | None = None) -> ast.Module:
    """`source` as a tree; `target` is the (major, minor) Python that will run it.

    Raises ConfigError naming `shown` and the line: for what is no Python, and for syntax that `target` lacks.  Raises
    NewerSyntaxError where a newer target may be able to read it.
    """
    own = sys.version_info[:2]
    older = target if target is not None and target < own else None
    try:
        return _tree(source, older)
    except SyntaxError as error:
        place = f"{shown}:{error.lineno}" if error.lineno else shown
        if older is not None:
            _refuse_newer(shown, source, older, error)
        if target is not None and target > own and _may_be_newer(source, error):
            newer = NewerSyntaxError(
                f"`{place}` can't be read by Python {own[0]}.{own[1]}",
                why=[error.msg],
                hint=f"correct it, or, where that is newer syntax, run lamella on python{target[0]}.{target[1]}",
            )
            newer.line = error.lineno
            raise newer from None
        raise no_python(place, error.msg) from None
    except ValueError as error:  # null bytes, before Python 3.12
        raise no_python(shown, str(error)) from None
    except (RecursionError, MemoryError):
        raise no_python(shown, TOO_DEEP) from None


def no_python(place: str, reason: str) -> ConfigError:
    """The error for what no Python reads."""
    return ConfigError(
        f"`{place}` can't be read as Python",
        why=[reason],
        hint="correct it, or leave the file out with `exclude`",
    )


def _tree(source: bytes, version: tuple[int, int] | None) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes and the like are the author's affair
        return ast.parse(source, feature_version=version)


def _refuse_newer(shown: str, source: bytes, target: tuple[int, int], error: SyntaxError) -> None:
    """Raise ConfigError if the Python that runs this can read what `target` can't."""
    try:
        tree = _tree(source, None)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    line, reason = error.lineno, error.msg
    for node in ast.walk(tree):
        found = _since(node)
        if found is not None and found[1] > target:
            line, reason = getattr(node, "lineno", line), f"{found[0]} needs Python {found[1][0]}.{found[1][1]}"
            break
    runtime = f"python{target[0]}.{target[1]}"
    raise ConfigError(
        f"`{shown}:{line}` can't be read by {runtime}",
        why=[f"{reason}; the function runs on {runtime}"],
        hint="write it for that Python, choose a newer runtime, or leave the file out with `exclude`",
    ) from None


def _since(node: ast.AST) -> tuple[str, tuple[int, int]] | None:
    """What a node is in a person's words, and the Python that it came with."""
    if isinstance(node, ast.Match):
        return "`match`", (3, 10)
    if isinstance(node, ast.TryStar):
        return "`except*`", (3, 11)
    if type(node).__name__ == "TypeAlias":
        return "`type`", (3, 12)
    return ("a list of type parameters", (3, 12)) if getattr(node, "type_params", None) else None


def _may_be_newer(source: bytes, error: SyntaxError) -> bool:
    """Whether another Python could read it: not with null bytes, unknown encodings, wrong indentation."""
    if b"\0" in source or isinstance(error, IndentationError) or error.msg.startswith("too many nested"):
        return False
    import io
    import tokenize

    try:
        source.decode(tokenize.detect_encoding(io.BytesIO(source).readline)[0])
    except (SyntaxError, ValueError, LookupError):
        return False
    return True
