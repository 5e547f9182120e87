"""`lamella invoke`: run a function once, with exactly its layers, as Lambda would."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import TYPE_CHECKING, TypeVar

from lamella.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lamella.local.adopted import Adopted
    from lamella.local.events import Samples
    from lamella.local.functions import Project, Single
    from lamella.report.console import Console
    from lamella.runtime.model import Asked, Result
    from lamella.wheels.obtain import Progress

DESCRIPTION = (
    "Run a function by AWS's own runtime client, with its layers at /opt and its code at /var/task.  Its answer goes "
    "to stdout, its log and a REPORT line to stderr.  Exits 1 when the function failed."
)
EPILOG = """examples:
  lamella invoke api-handler --event event.json
  lamella invoke worker --generate sqs                  with a sample event; `--generate list` names them
  echo '{"id": 7}' | lamella invoke api-handler --event - --env TABLE=jobs --json
  lamella invoke api-handler --repeat 100 -q            the first one cold, the others warm

What the run is isolated by is said in its last line.  The machine's C library is not Lambda's: a run proves nothing
about symbols that are too new, `lamella check` does.
"""
_CONTEXT = "aws_request_id, invoked_function_arn, identity.KEY, client_context.client.KEY, .custom.KEY or .env.KEY"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli.numbers import positive, seconds, whole
    from lamella.cli.running import add_arguments as add_running
    from lamella.config.running import MEMORY

    parser.add_argument("function", metavar="FUNCTION", nargs="?", help="its key in the configuration, or name in AWS")
    event = parser.add_mutually_exclusive_group()
    event.add_argument("--event", metavar="FILE", help="the event, as JSON; `-` is stdin; {} if left out")
    event.add_argument("--generate", metavar="KIND", help="a sample event: s3:put, sqs, …; `list` names all")
    parser.add_argument(
        "--set", action="append", default=[], type=_pair, metavar="NAME=VALUE", help="a value of the sample event"
    )
    parser.add_argument(
        "--context", action="append", default=[], type=_pair, metavar="NAME=VALUE", help=f"one of {_CONTEXT}"
    )
    parser.add_argument(
        "--timeout",
        type=seconds(900, zero=False, why=", Lambda's limit"),
        metavar="SECONDS",
        help="instead of the configured one",
    )
    parser.add_argument(
        "--memory", type=whole(*MEMORY, "megabytes"), metavar="MB", help="instead of the configured size"
    )
    parser.add_argument("--repeat", type=positive, default=1, metavar="N", help="invoke it so often, warm after once")
    parser.add_argument(
        "--from", dest="origin", choices=("build", "aws"), default="build", help="run what is deployed: aws"
    )
    parser.add_argument("--profile", metavar="NAME", help="the profile for `--from aws`")
    parser.add_argument("--region", metavar="NAME", help="the region for `--from aws`")
    add_running(parser)
    parser.add_argument("--json", action="store_true", help="print answer, log and report as JSON on stdout")
    parser.add_argument("-q", "--quiet", action="store_true", help="print no log and no report, only the answer")


def run(parsed: argparse.Namespace) -> int:
    began = time.time_ns()
    from lamella.report.console import Console
    from lamella.report.invoke import as_json, show

    console = Console(quiet=parsed.quiet)
    if parsed.generate == "list":
        return _list(parsed, console)
    if parsed.function is None:
        raise UsageError("no function is named", hint="`lamella invoke FUNCTION`")
    asked = _asked(parsed)
    log = None if parsed.quiet or parsed.json else console.log
    results: list[Result] = []
    progress = console.progress()
    try:
        with _functions(parsed, console, progress) as functions:
            for count in range(1, parsed.repeat + 1):
                result = functions.invoke(parsed.function, next(asked), log)
                results.append(result)
                if not parsed.json:
                    show(console, result, last=count == parsed.repeat)
            _remember(parsed, functions, began)
            _tell_lacking(parsed, functions, results[-1], console)
    finally:
        progress.close()
    if parsed.json:
        console.data(as_json(parsed.function, results))
    return 1 if any(result.error for result in results) else 0


def _functions(parsed: argparse.Namespace, console: Console, progress: Progress) -> Project | Single | Adopted:
    from lamella.local.early import taken

    def project() -> Project:
        from lamella.cli.running import open_project

        return open_project(parsed, console, progress)

    early = taken()
    if early is not None:
        from lamella.local.adopted import Adopted

        return Adopted(early, console, project)
    if parsed.origin == "build":
        for name in ("profile", "region"):
            if getattr(parsed, name) is not None:
                raise UsageError(f"`--{name}` is about AWS", hint="say `--from aws`, too, or leave it out")
        return project()
    from lamella.cli.running import open_deployed

    return open_deployed(parsed, console, progress)


def _remember(parsed: argparse.Namespace, functions: Project | Single | Adopted, began: int) -> None:
    """Let the same words start the same process at once next time."""
    import contextlib

    from lamella.local.adopted import Adopted, keep

    if isinstance(functions, Adopted):  # what it takes to keep one takes longer to load than the process to end
        return
    from lamella.config.find import candidates
    from lamella.local.functions import Project

    if not isinstance(functions, Project) or parsed.env or parsed.env_file:
        return
    with contextlib.suppress(OSError):  # it is only a shortcut
        keep(sys.argv[1:], functions, candidates(os.getcwd(), os.path.dirname(functions.settings.file)), began)


def _tell_lacking(
    parsed: argparse.Namespace, functions: Project | Single | Adopted, result: Result, console: Console
) -> None:
    """Where a module of the runtime's own is missed, say why it is not here."""
    if b"Runtime.ImportModuleError" not in result.payload:
        return
    modules, why = functions.lacking(parsed.function)
    for module in modules:
        if f"No module named '{module}".encode() in result.payload:
            console.note(f"Lambda's runtime brings `{module}`, and nothing stands in for it here: {why}")


def _asked(parsed: argparse.Namespace) -> Iterator[Asked]:
    """One invocation after the other.  All that a person gave is looked at before the first."""
    from uuid import uuid4

    from lamella.local.asking import asked

    event = _event(parsed)
    first = asked(event, str(uuid4()), parsed.context)

    def each() -> Iterator[Asked]:
        yield first
        given = any(name == "aws_request_id" for name, _ in parsed.context)
        while True:
            yield first if given else first._replace(request_id=str(uuid4()))

    return each()


def _event(parsed: argparse.Namespace) -> bytes:
    from lamella.local.asking import event_of

    if parsed.set and parsed.generate is None:
        raise UsageError("`--set` is about a sample event", hint="name one with `--generate`, or leave it out")
    if parsed.generate is not None:
        sample = _samples(parsed, lambda samples: samples.event(parsed.generate, dict(parsed.set)))
        return event_of(sample, f"`{parsed.generate}`")
    if parsed.event is None:
        return b"{}"
    if parsed.event == "-":
        return event_of(sys.stdin.buffer.read() if sys.stdin is not None else b"", "stdin")
    try:
        with open(parsed.event, "rb") as file:
            return event_of(file.read(), f"`{parsed.event}`")
    except OSError as error:
        raise UsageError(
            f"the event `{parsed.event}` can't be read",
            why=[error.strerror or str(error)],
            hint="name a file with JSON, `-` for stdin, or a sample with `--generate`",
        ) from None


def _list(parsed: argparse.Namespace, console: Console) -> int:
    from lamella.report.invoke import samples_as_json, show_samples

    samples = _samples(parsed, lambda samples: samples.all())
    if parsed.json:
        console.data(samples_as_json(samples))
    else:
        show_samples(console, samples)
    return 0


T = TypeVar("T")


def _samples(parsed: argparse.Namespace, wanted: Callable[[Samples], T]) -> T:
    from lamella.build.run import index_settings
    from lamella.cachedir import cache_dir
    from lamella.config.read import read
    from lamella.local.events import Samples
    from lamella.wheels.cache import Cache
    from lamella.wheels.obtain import Silent, Source

    settings = read(os.getcwd(), output=parsed.output)
    cache = Cache(cache_dir(os.environ))
    with Source(cache, lambda: index_settings(settings), offline=parsed.offline, progress=Silent()) as source:
        return wanted(Samples(settings, source))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"`{text}` is not NAME=VALUE")
    return name, value
