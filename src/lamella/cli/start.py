"""Where the program starts.  A build with nothing to do ends here, before anything heavy is imported."""

from __future__ import annotations

import sys


def main() -> int:
    """The console script.  Returns the exit code."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["build"]:
        from lamella.build import stamp

        told = stamp.recall(arguments)
        if told is not None:
            out, err = told
            sys.stdout.write(out)
            sys.stderr.write(err)
            return 0
    from lamella.cli.app import run

    return run(arguments)
