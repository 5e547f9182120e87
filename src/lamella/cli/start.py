"""Where the program starts.  A build with nothing to do ends here, before anything heavy is imported."""

from __future__ import annotations

import os
import sys

_OUTSIDE = 3  # as `errors.OutsideError` has it
_INTERRUPTED = 130  # 128 and the number of SIGINT, as shells say it


def entry() -> None:
    """The console script: `main`, then the end at once.

    By then everything is written, closed and put away; to take apart each value and module one by one, as Python does
    at its end, takes a tenth of a warm build.
    """
    code = main()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:  # noqa: SIM105  contextlib would be imported for this alone
                stream.flush()
            except OSError:
                pass
    os._exit(code)


def main() -> int:
    """The program.  Returns the exit code."""
    code = 0
    try:
        try:
            code = _main(sys.argv[1:])
        except SystemExit as ended:  # argparse, after --help or a mistake
            code = ended.code if isinstance(ended.code, int) else 0
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader of our output went away (`lamella … | head`): it has what it wanted, and no say in what came of it
        _let_go_of_stdout()
        return code
    except OSError as error:
        _let_go_of_stdout()
        sys.stderr.write(f"error: stdout can't be written to: {error.strerror or error}\n")
        return _OUTSIDE
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.stderr.flush()
        # All is put away by now but downloads that wait for a silent server; what came of them stays for next time
        os._exit(_INTERRUPTED)


def _let_go_of_stdout() -> None:
    """What is still in its buffer goes nowhere, instead of failing once more when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


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
    if arguments[:1] == ["invoke"]:
        from lamella.local import early

        early.begin(arguments)
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what could come next
        from lamella.cli.completing import complete

        complete()
    import gc

    # A build makes many small values that live to its end: looking through them for rings again and again is in vain
    gc.set_threshold(100_000)
    from lamella.cli.app import run

    return run(arguments)
