"""`lamella why`: why is a path in an artifact, or not?"""

from __future__ import annotations

import argparse
import os

DESCRIPTION = "Say for any path why it is in an artifact or not: from which wheel, by which rule."
EPILOG = """examples:
  lamella why layer numpy/tests               a folder: how many files are in or out, by rule
  lamella why layer python/six.py             a file, as it is in the zip or would be
  lamella why layer 'pyarrow/**/*.pyx'        a pattern, read as `keep` and `drop` read it
  lamella why layer scikit-learn              all that a distribution brings, or why it brings nothing
  lamella why api app/notes.md                of a function's own sources, too
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("artifact", metavar="ARTIFACT", help="a layer or function")
    parser.add_argument(
        "path", metavar="PATH", help="a file or folder, a pattern, or the name of a distribution or module"
    )
    parser.add_argument("--output", metavar="DIR", help="the folder that was built into, instead of the configured one")
    parser.add_argument("--offline", action="store_true", help="use no network: everything must be in the cache")
    parser.add_argument("--json", action="store_true", help="print every file that is meant as JSON on stdout")


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.explaining import absence, explained
    from lamella.config.read import read
    from lamella.report.console import Console
    from lamella.report.why import as_json, show
    from lamella.sizes.asking import UnknownError, absent, ask, missing

    console = Console()
    settings = read(os.getcwd(), output=parsed.output)
    (one,) = explained(settings, [parsed.artifact], console, offline=parsed.offline)
    try:
        answer = ask(one, parsed.path)
    except UnknownError:
        name = missing(one, parsed.path)
        found = absence(settings, one.key, name, console, offline=parsed.offline) if name else None
        if name is None or found is None:
            raise
        answer = absent(parsed.path, name, *found)
    if parsed.json:
        console.data(as_json(one.key, answer))
    else:
        show(console, one.key, answer)
    return 0
