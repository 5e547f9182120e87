"""`lamella diff`: what changed between two artifacts, or two whole builds?"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamella.sizes.model import Comparison

DESCRIPTION = (
    "Show what changed between two zips, or between all artifacts of two output folders: by distribution,\n"
    "then by path.  Files are the same when their size, CRC-32 and mode are."
)
EPILOG = """examples:
  lamella diff old/layer.zip dist/lambda/layer.zip
  lamella diff /tmp/before dist/lambda       every artifact of two builds
  lamella diff old.zip dist/lambda           a zip and the artifact of the same file name
  lamella diff --exit-code --json OLD NEW    1 when something differs
"""
# Paths that are shown when nobody said how many
_PATHS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = "a zip, an output folder, or its manifest.json"
    parser.add_argument("old", metavar="OLD", help=what)
    parser.add_argument("new", metavar="NEW", help=what)
    parser.add_argument(
        "--paths", metavar="N", type=_count, default=_PATHS, help=f"show this many paths, or `all` (default: {_PATHS})"
    )
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 when something differs")
    parser.add_argument("--json", action="store_true", help="print all differences as JSON on stdout")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors; see --exit-code")


def run(parsed: argparse.Namespace) -> int:
    from lamella.report.console import Console
    from lamella.report.diff import as_json, show

    console = Console(quiet=parsed.quiet)
    found = comparisons(parsed.old, parsed.new)
    if parsed.json:
        console.data(as_json(found))
    else:
        show(console, found, paths=parsed.paths)
    return int(parsed.exit_code and any(one.how != "same" for one in found))


def comparisons(old: str, new: str) -> list[Comparison]:
    """One for two zips, one for each key of two folders.  Raises UsageError, ArchiveError."""
    from lamella.sizes.comparing import compare
    from lamella.sizes.reading import read_pair, sides

    (old, was), (new, now) = sides(old), sides(new)
    if was is None or now is None:
        pair = [old, new]
        if was is not None:
            pair[0] = os.path.join(old, os.path.basename(new))
        if now is not None:
            pair[1] = os.path.join(new, os.path.basename(old))
        first, second = read_pair(*pair)
        return [compare(os.path.basename(pair[1]).removesuffix(".zip"), first, second)]
    files = [{artifact.key: artifact.file for artifact in built.artifacts} for built in (was, now)]
    found = []
    for key in dict.fromkeys((*files[1], *files[0])):
        places = [
            os.path.join(folder, names[key]) for folder, names in zip((old, new), files, strict=True) if key in names
        ]
        first, second = read_pair(places[0], places[-1])
        found.append(compare(key, first if key in files[0] else None, second if key in files[1] else None))
    return found


def _count(text: str) -> int | None:
    if text == "all":
        return None
    count = int(text)
    if count < 0:
        raise ValueError(text)
    return count


_count.__name__ = "number"
