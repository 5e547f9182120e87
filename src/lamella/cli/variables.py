"""Variables for handlers, as the command line gives them: `--env NAME=VALUE`, `--env NAME`, `--env-file FILE`."""

from __future__ import annotations

import argparse
import os


def add_env(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        type=_variable,
        metavar="NAME=VALUE",
        help="set a variable, or pass the one of this shell on with NAME alone; may be repeated",
    )


def add_env_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--env-file", action="append", default=[], metavar="FILE", help="set the variables of a .env file"
    )


def chosen(parsed: argparse.Namespace) -> dict[str, str]:
    """All that were given; `--env` wins over a file, a later one over an earlier one.  Raises UsageError."""
    found: dict[str, str] = {}
    for path in getattr(parsed, "env_file", ()):
        found.update(_read(path))
    found.update(parsed.env)
    _refuse_own(found)
    return found


def _refuse_own(given: dict[str, str]) -> None:
    """What leads the runtime itself can't be set without being ignored."""
    from lamella.errors import UsageError

    for name in ("_HANDLER", "AWS_LAMBDA_RUNTIME_API"):
        if name in given:
            raise UsageError(f"`{name}` can't be set", why=["Lambda sets it for its runtime"], hint="leave it out")


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or "\0" in text:
        raise argparse.ArgumentTypeError(f"`{text}` is not NAME=VALUE")
    if not equals:
        if name not in os.environ:
            raise argparse.ArgumentTypeError(f"`{name}` is not set in this shell; write {name}=VALUE")
        value = os.environ[name]
    return name, value


def _read(path: str) -> dict[str, str]:
    """The variables of a file in the format of python-dotenv; nothing is put in for `${…}`."""
    from dotenv.parser import parse_stream

    from lamella.errors import UsageError

    found: dict[str, str] = {}
    try:
        with open(path, encoding="utf-8") as file:
            for row in parse_stream(file):
                if row.error or (row.key is not None and row.value is None):
                    raise UsageError(
                        f"line {row.original.line} of `{path}` is not NAME=VALUE", hint="write one variable a line"
                    )
                if row.key is not None and row.value is not None:
                    found[row.key] = row.value
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise _unreadable(path, "it is not UTF-8") from None
    return found


def _unreadable(path: str, why: str) -> Exception:
    from lamella.errors import UsageError

    return UsageError(
        f"the variables in `{path}` can't be read", why=[why], hint="give `--env-file` a file with NAME=VALUE lines"
    )
