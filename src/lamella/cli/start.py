"""Where the program starts.  A build with nothing to do ends here, before anything heavy is imported."""

from __future__ import annotations

import os
import sys

_INTERRUPTED = 130  # 128 and the number of SIGINT, as shells say it


def main() -> int:
    """The console script.  Returns the exit code."""
    try:
        code = _main(sys.argv[1:])
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader of our output went away (`lamella … | head`): nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.stderr.flush()
        # All is put away by now but downloads that wait for a silent server; what came of them stays for next time
        os._exit(_INTERRUPTED)


def _main(arguments: list[str]) -> int:
    if sys.stdout is None:  # `lamella … >&-`
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # Names may have any characters; a stream that lacks some (PYTHONIOENCODING=ascii) shows them escaped
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if arguments[:1] == ["build"]:
        from lamella.build import stamp

        told = stamp.recall(arguments)
        if told is not None:
            out, err = told
            sys.stdout.write(out)
            sys.stderr.write(err)
            return 0
    import gc

    # A build makes many small values that live to its end: looking through them for rings again and again is in vain
    gc.set_threshold(100_000)
    from lamella.cli.app import run

    return run(arguments)
