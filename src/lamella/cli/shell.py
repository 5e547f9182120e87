"""`lamella shell`: a Python that sees what a function sees."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamella.local.prepare import Ready
    from lamella.report.console import Console

DESCRIPTION = (
    "Open the target's Python with a function's layers at /opt, its code at /var/task, the runtime's own packages and "
    "the function's variables.  On a terminal it is interactive; else it runs the script on stdin.  Exits as it does."
)
EPILOG = """examples:
  lamella shell api-handler                             a prompt
  lamella shell api-handler -- -c 'import app, sys; print(sys.path)'
  lamella shell api-handler -- -m timeit 'import numpy'
  lamella shell api-handler < script.py

What is behind `--` goes to Python.  Its working folder is that of the function's code, so a script is named by its path
there.  Files can be written in /tmp alone, and are gone at the end; the network is this machine's.
"""
# What a prompt needs to know of the terminal; a script sees Lambda's variables alone
_OF_TERMINAL = ("TERM", "COLORTERM", "NO_COLOR", "TERMINFO_DIRS")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli.running import add_arguments as add_running

    parser.usage = "%(prog)s [options] FUNCTION [-- ARGUMENTS …]"
    parser.add_argument("function", metavar="FUNCTION", help="its key in the configuration, or name in AWS")
    add_running(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors before Python starts")
    parser.set_defaults(rest=())


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.running import open_project
    from lamella.report.console import Console

    console = Console(quiet=parsed.quiet)
    progress = console.progress()
    try:
        with open_project(parsed, console, progress) as project:
            ready = project.ready(parsed.function)
    finally:
        progress.close()
    environment = dict(ready.launch.env)
    if not parsed.rest and sys.stdin is not None and sys.stdin.isatty():
        environment = {name: os.environ[name] for name in _OF_TERMINAL if name in os.environ} | environment
        _introduce(ready, console)
    else:
        console.say(f"isolation: {ready.sandbox.isolation}")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return ready.sandbox.foreground(parsed.rest, ready.launch.place, env=environment)


def _introduce(ready: Ready, console: Console) -> None:
    """Say where the prompt is."""
    from lamella.sandbox.model import PATH_ONLY
    from lamella.sandbox.view import LAYERS, TASK

    launch, kind = ready.launch, ready.sandbox.isolation
    seen = [(launch.place.opt, LAYERS, "layers"), (launch.place.task, TASK, "code")]
    where = [f"{what} at {folder if kind == PATH_ONLY else place}" for folder, place, what in seen if folder]
    console.say(f"{launch.key} ({kind}): {', '.join(where)}")
