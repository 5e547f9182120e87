"""`lamella size`: what takes the space, and what was saved?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamella.config.model import Settings
    from lamella.report.console import Console
    from lamella.sizes.model import Sums

DESCRIPTION = (
    "Show what takes the space in an artifact, by distribution and by kind of file, and what each rule saved.\n"
    "It is told of what a build would make now."
)
EPILOG = """examples:
  lamella size                       every layer and function
  lamella size layer --by rule       what each rule and step saved
  lamella size layer --html size.html  a page with a map to zoom into, before and after
  lamella size --json
"""
# The zip's end record, which belongs to no file
_END = 22


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("artifact", nargs="?", metavar="ARTIFACT", help="a layer or function; all when left out")
    parser.add_argument("--by", choices=("distribution", "kind", "rule"), help="one table instead of all three")
    parser.add_argument("--html", metavar="FILE", help="write a page, complete in itself, with a map to zoom into")
    parser.add_argument("--output", metavar="DIR", help="the folder that was built into, instead of the configured one")
    parser.add_argument("--offline", action="store_true", help="use no network: everything must be in the cache")
    parser.add_argument("--json", action="store_true", help="print all sums as JSON on stdout")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.explaining import explained
    from lamella.config.read import read
    from lamella.report.console import Console
    from lamella.report.size import BY, as_json, show
    from lamella.sizes.sums import sums

    console = Console(quiet=parsed.quiet)
    if parsed.html:
        from lamella.cli.writing import refuse_place

        refuse_place(parsed.html)
    settings = read(os.getcwd(), output=parsed.output)
    found = explained(settings, [parsed.artifact] if parsed.artifact else [], console, offline=parsed.offline)
    summed = [(one.key, sums(one)) for one in found]
    if parsed.json:
        console.data(as_json(summed))
    else:
        show(console, summed, by=[parsed.by] if parsed.by else BY)
    _compare_with_built(console, settings, summed)
    if parsed.html:
        from lamella.cli.writing import write
        from lamella.report.treemap import treemap
        from lamella.sizes.sums import placed

        page = treemap(settings.project, [(one.key, sums(one), placed(one)) for one in found])
        write(parsed.html, page)
        console.say(f"Wrote `{os.path.relpath(parsed.html)}`")
    return 0


def _compare_with_built(console: Console, settings: Settings, summed: Sequence[tuple[str, Sums]]) -> None:
    """Say so when what lies in the output folder is something else."""
    from lamella import manifest

    built = manifest.read(settings.output) if manifest.is_ours(settings.output) else None
    if built is None:
        return
    zipped: dict[str, int] = {}
    for artifact in built.artifacts:
        key = manifest.whole_of(artifact)
        zipped[key] = zipped.get(key, 0) + artifact.zipped - _END
    folder = os.path.relpath(settings.output)
    for key, one in summed:
        if key in zipped and zipped[key] != one.after.zipped:
            console.note(f"`{key}` in `{folder}` is not what a build would make now: run `lamella build`")
