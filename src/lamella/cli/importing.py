"""`lamella import`: proposes a configuration for a project that packages by Serverless, SAM or scripts."""

from __future__ import annotations

import argparse
import os

DESCRIPTION = (
    "Read how a project packages by other means, and propose the configuration that builds the same:\n"
    "serverless.yml with serverless-python-requirements, a SAM template, or scripts, Makefiles and\n"
    "GitHub workflows that call pip, zip and aws.  What it can't map it lists, with file and line."
)
EPILOG = """examples:
  lamella import                     show the configuration, and what could not be mapped
  lamella import --write             write it to pyproject.toml, or, without one, to lamella.toml
  lamella import services/orders     of the project in another folder
  lamella import template.yaml       of one file
  lamella import --from sam          where a project has a template, and scripts besides
  lamella import --json | jq '.open[].what'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.migrate.detect import KINDS

    parser.add_argument(
        "path",
        nargs="?",
        default=".",
        metavar="PATH",
        help="the project's folder, or one file; this folder when left out",
    )
    parser.add_argument(
        "--from", dest="kind", choices=KINDS, metavar="KIND", help=f"which one to read: {', '.join(KINDS)}"
    )
    parser.add_argument("--write", action="store_true", help="write the configuration")
    parser.add_argument("--json", action="store_true", help="print all of it as JSON")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but the configuration and errors")


def run(parsed: argparse.Namespace) -> int:
    """The command.  Returns the exit code.  Raises LamellaError."""
    from lamella.config.find import load_toml
    from lamella.errors import UsageError
    from lamella.migrate.detect import choose, of_file, read
    from lamella.migrate.proposal import PYPROJECT, propose
    from lamella.report import migrate as report
    from lamella.report.console import Console

    console = Console(quiet=parsed.quiet or parsed.json)
    if not os.path.exists(parsed.path):
        raise UsageError(f"there is no `{parsed.path}`", hint="name the folder of the project, or a file of it")
    root = os.path.abspath(parsed.path)
    if os.path.isdir(root):
        origin = choose(root, parsed.kind)
    else:
        root, origin = of_file(parsed.path, parsed.kind)
    pyproject = load_toml(os.path.join(root, PYPROJECT), os.getcwd())
    proposal = propose(root, read(root, origin), pyproject)
    written = parsed.write and not proposal.refused
    if parsed.write:
        _refuse_configured(root, pyproject)
    if written:
        _write(root, proposal.file, proposal.text)
    if parsed.json:
        console.data(report.as_json(proposal, written=written))
    else:
        report.show(console, proposal, written=written)
        if parsed.write and proposal.refused:
            raise report.refusal(proposal)
        report.following(console, proposal, written=written)
    return UsageError.exit_code if parsed.write and not written else 0


def _refuse_configured(root: str, pyproject: dict[str, object] | None) -> None:
    from lamella.cli.init import refuse_configured

    refuse_configured(root, pyproject or {})


def _write(root: str, file: str, text: str) -> None:
    """As `lamella init` does: behind the other tables of pyproject.toml, every other byte of which stays."""
    from lamella.cli.init import pyproject_of, with_section, write_pyproject
    from lamella.cli.writing import write
    from lamella.migrate.proposal import OWN

    path = os.path.realpath(os.path.join(root, file))
    if file == OWN:
        write(path, text)
        return
    before, _ = pyproject_of(path, root)
    write_pyproject(path, with_section(before, text))
