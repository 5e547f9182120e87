"""`lamella sbom`: what is in an artifact?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from lamella.report.console import Console
    from lamella.sbom.model import Inventory

DESCRIPTION = "List what is in layers and functions: CycloneDX bills of materials, or a table of licences."
EPILOG = """examples:
  lamella sbom                           KEY.cdx.json for every artifact, beside its zip
  lamella sbom layer --output-file - | jq '.components[].purl'
  lamella sbom layer --format xml --output-file layer.xml
  lamella sbom --licences                who licensed what, and the licences of each artifact in one line
"""
_STDOUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="ARTIFACT", help="layers or functions; all when left out")
    parser.add_argument(
        "--output-file", metavar="FILE", help="write the bill of one artifact there instead; `-` is stdout"
    )
    parser.add_argument("--format", choices=("json", "xml"), help="of the bill, json by default; or of --licences")
    parser.add_argument("--licences", "--licenses", action="store_true", help="print licences instead of bills")
    parser.add_argument("--output", metavar="DIR", help="the folder that was built into, instead of the configured one")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but what was asked for")


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.artifacts import choose, open_built
    from lamella.report.console import Console
    from lamella.sbom.inventory import inventory

    console = Console(quiet=parsed.quiet)
    settings, built = open_built(parsed.output)
    chosen = choose(built, parsed.names)
    _refuse(parsed, [artifact.key for artifact in chosen])
    when = _when(os.environ)
    if not parsed.licences:
        _require_library()
    inventories = [inventory(artifact, settings.output) for artifact in chosen]
    if parsed.licences:
        _licences(parsed, console, inventories)
    else:
        _bills(parsed, console, inventories, settings.output, when)
    return 0


def _refuse(parsed: argparse.Namespace, keys: Sequence[str]) -> None:
    """Raises UsageError for options that do not go together."""
    from lamella.errors import UsageError
    from lamella.wording import listed

    if parsed.licences and parsed.format == "xml":
        raise UsageError("`--licences` can't be written as XML", hint="`--licences --format json`, or the bill itself")
    if parsed.output_file is not None and not parsed.licences and len(keys) != 1:
        raise UsageError(
            "`--output-file` takes the bill of one artifact",
            why=[f"there are {listed(keys)}"],
            hint="name one of them, or leave `--output-file` out: each gets a file of its own",
        )


def _when(environ: Mapping[str, str]) -> datetime | None:
    """The time that a reproducible build may give (reproducible-builds.org, SOURCE_DATE_EPOCH).  Raises UsageError."""
    given = environ.get("SOURCE_DATE_EPOCH")
    if not given:
        return None
    from datetime import UTC, datetime

    from lamella.errors import UsageError
    from lamella.wording import printable

    try:
        return datetime.fromtimestamp(int(given), UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"SOURCE_DATE_EPOCH is `{printable(given)}`, which is no time",
            hint="it takes whole seconds since 1970, such as `git log -1 --format=%ct` prints",
        ) from None


def _require_library() -> None:
    """Raises UsageError when what writes CycloneDX is not installed."""
    from importlib.util import find_spec

    from lamella.errors import UsageError

    if find_spec("cyclonedx") is None:
        raise UsageError(
            "`lamella sbom` needs cyclonedx-python-lib, which is not installed",
            hint="pip install 'lamella[sbom]'; `lamella sbom --licences` works without",
        )


def _licences(parsed: argparse.Namespace, console: Console, inventories: Sequence[Inventory]) -> None:
    from lamella.report.sbom import as_json, show_licences

    if parsed.output_file not in (None, _STDOUT) or parsed.format == "json":
        _write(console, parsed.output_file or _STDOUT, as_json(inventories) + "\n")
    else:
        show_licences(console, inventories)


def _bills(
    parsed: argparse.Namespace,
    console: Console,
    inventories: Sequence[Inventory],
    folder: str,
    when: datetime | None,
) -> None:
    from lamella.sbom.document import document

    form = parsed.format or "json"
    for one in inventories:
        for component in one.components:
            for path in component.unread:
                console.warning(f"`{path}` is no CycloneDX in JSON: what it lists is not in the bill")
        stem = one.artifact.file.removesuffix(".zip")
        path = parsed.output_file or os.path.join(folder, f"{stem}.cdx.{form}")
        _write(console, path, document(one, form, when))


def _write(console: Console, path: str, text: str) -> None:
    from lamella.cli.writing import write

    if path == _STDOUT:
        console.data(text)
        return
    write(path, text)
    console.say(f"Wrote `{os.path.relpath(path)}`")
