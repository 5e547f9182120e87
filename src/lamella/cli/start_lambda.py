"""`lamella start-lambda`: Lambda's Invoke endpoint on this machine, for AWS's SDKs and CLI."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lamella.errors import UsageError

if TYPE_CHECKING:
    from lamella.endpoint.events import Events
    from lamella.endpoint.letters import Letters
    from lamella.endpoint.model import Named
    from lamella.local.functions import Project
    from lamella.report.console import Console

DESCRIPTION = (
    "Serve Lambda's Invoke operation: AWS's SDKs and CLI invoke the functions here when this is their endpoint.  "
    "Each function runs with exactly its layers, as `lamella invoke` runs it."
)
EPILOG = """examples:
  lamella start-lambda                                on http://127.0.0.1:3001
  lamella start-lambda --port 0 --watch               a free port; what changes is built anew
  AWS_ENDPOINT_URL_LAMBDA=http://127.0.0.1:3001 python app.py
  aws lambda invoke --endpoint-url http://127.0.0.1:3001 --function-name api-handler out.json

A function is known by its key, its name in AWS or any ARN of that name, with its alias or $LATEST.  The functions' log
goes to stderr.  Events (--invocation-type Event) are tried three times; then their records go to a file, one line each,
as Lambda would send them to a destination.  Ctrl-C ends the server; events that wait then go to the file as well.
"""
PORT = 3001
RETRY_SECONDS = 1.0
# In the output folder
DEAD_LETTERS = "dead-letters.jsonl"
# How long events that are under way are waited for at the end, and threads after all processes were ended
_EVENT_SECONDS = 5.0
_THREAD_SECONDS = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli.numbers import positive, seconds
    from lamella.cli.running import LIMIT, add_server

    add_server(parser, PORT)
    parser.add_argument(
        "--concurrency",
        type=positive,
        default=LIMIT,
        metavar="N",
        help=f"invocations of each function that run at once, {LIMIT} if left out; others wait",
    )
    parser.add_argument(
        "--retry-delay",
        type=seconds(3600, zero=True),
        default=RETRY_SECONDS,
        metavar="SECONDS",
        help="between the first and the second try of an event, twice as long before the third; 1 if left out",
    )
    parser.add_argument(
        "--dead-letters",
        metavar="FILE",
        help=f"where the records of events go that failed; {DEAD_LETTERS} in the output folder, if left out",
    )


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.running import open_project
    from lamella.report.console import Console

    console = Console(quiet=parsed.quiet)
    progress = console.progress()
    try:
        with open_project(parsed, console, progress) as project:
            named = _named(project)
            if not named:
                raise UsageError(
                    "the project has no functions",
                    why=[f"`{os.path.relpath(project.settings.file)}` configures none"],
                    hint="write a table `[tool.lamella.functions.KEY]` with its `handler`",
                )
            _serve(parsed, project, console)
    finally:
        progress.close()
    return 0


def _serve(parsed: argparse.Namespace, project: Project, console: Console) -> None:
    """Serve until somebody ends it, then let go of all that was started.  The project's functions are ended, too."""
    from lamella.endpoint.app import Endpoint
    from lamella.endpoint.events import Events
    from lamella.endpoint.later import Later
    from lamella.serving import serve
    from lamella.waiting import Threads

    letters = _letters(parsed, project)
    # Each function has its own processes: one that invokes another must not wait for a thread that it holds itself
    threads = Threads(parsed.concurrency * len(_named(project)))
    later = Later()
    log = None if parsed.quiet else console.log
    events = Events(
        project,
        threads.submit,
        letters,
        console.warning,
        console.error,
        after=later,
        retry_delay=parsed.retry_delay,
        most=max(1, parsed.concurrency // 2),
        log=log,
    )

    def ready(url: str) -> None:
        _show(console, url, _named(project))

    endpoint = Endpoint(
        project, lambda: _renewed(project), threads.run, events, console.warning, console.error, log,
        changing=parsed.watch,
    )  # fmt: skip
    try:
        serve(endpoint, host=parsed.host, port=parsed.port, ready=ready)
    finally:
        _end(events, console)
        later.close()
        project.close()
        threads.close(_THREAD_SECONDS)


def _end(events: Events, console: Console) -> None:
    """Let events come to their end; who asks for the end again does not want to wait."""
    import signal

    # Two would end it with letters unwritten; a shell's background has the third ignored, which the server was not
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        ignored = number == signal.SIGINT and signal.getsignal(number) == signal.SIG_IGN
        if ignored or signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    try:
        if not events.idle:
            console.say("Waiting for events that are under way; Ctrl-C ends them")
        events.close(_EVENT_SECONDS)
    except KeyboardInterrupt:
        events.close(0)


def _letters(parsed: argparse.Namespace, project: Project) -> Letters:
    """Raises UsageError where the file can't be written to."""
    from lamella.endpoint.letters import Letters

    path = os.path.abspath(parsed.dead_letters or os.path.join(project.settings.output, DEAD_LETTERS))
    letters = Letters(path)
    try:
        letters.try_it()
    except OSError as error:
        raise UsageError(
            f"the records of events that fail can't be written to `{os.path.relpath(path)}`",
            why=[error.strerror or str(error)],
            hint="name another file with `--dead-letters`",
        ) from None
    return letters


def _renewed(project: Project) -> Sequence[Named]:
    project.refresh()
    return _named(project)


def _named(project: Project) -> Sequence[Named]:
    from lamella.endpoint.model import Named
    from lamella.runtime.model import ACCOUNT
    from lamella.sandbox.variables import REGION

    aliases = {function.key: function.alias for function in project.settings.functions}
    return [
        Named(
            function.key,
            function.name,
            f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}",
            aliases[function.key],
        )
        for function in project.built.manifest.functions
        if function.key in aliases
    ]


def _show(console: Console, url: str, named: Sequence[Named]) -> None:
    rows = [(function.key, function.name, function.alias) for function in named]
    console.table(("function", "name in AWS", "alias"), rows, right=frozenset())
    console.say(f"Serving Lambda's Invoke on {url}; Ctrl-C ends it")
    console.say(f"  AWS_ENDPOINT_URL_LAMBDA={url} leads AWS's SDKs here, or by hand:")
    console.say(f"  aws lambda invoke --endpoint-url {url} --function-name {shlex.quote(named[0].key)} out.json")
