"""`lamella logs`: what does a function write, and how long does it take to start?"""

from __future__ import annotations

import argparse
import contextlib
import re
from typing import TYPE_CHECKING, NamedTuple

from lamella.errors import LamellaError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lamella.cloud.model import Cloud, FunctionState, LogEvent, Place
    from lamella.config.model import Settings
    from lamella.report.console import Console

DESCRIPTION = "Show what a function writes into its log, or, with --init, how long its versions take to start."
EPILOG = """examples:
  lamella logs api-handler                  the last ten minutes
  lamella logs api-handler --follow         and what comes; Ctrl-C ends it
  lamella logs api-handler:live --since 2h --filter 'ERROR'
  lamella logs api-handler --init           p50 and p95 of inits by version, and since the last deploy
  lamella logs api-handler --init --since 30d --json

FUNCTION is a key of the configuration, a name in AWS, or an ARN; behind a colon stands a version or an alias, whose
lines alone are shown.  WORDS must all be in a line; what begins with one of { [ ? % " is a pattern of CloudWatch.
With --follow CloudWatch is asked every two seconds, and an alias read again every ten; a line that CloudWatch gets more
than a minute late is not shown.
It needs boto3: install `lamella[aws]`.
"""
_SINCE = "10m"
_SINCE_INIT = "7d"
_AGO = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_PATTERN = tuple('{[?%"')
_AGAIN = 10.0  # seconds: how old what is known of an alias may be while its log is followed


class Asked(NamedTuple):
    """A function as it was asked for: its name in AWS, "" or a version or alias, and the alias that is configured."""

    name: str
    qualifier: str
    alias: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli.rollouts import add_arguments as add_shared

    parser.add_argument("function", metavar="FUNCTION[:VERSION]", help="a key of the configuration, a name, or an ARN")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("-f", "--follow", action="store_true", help="go on with what comes, until Ctrl-C")
    kind.add_argument("--init", action="store_true", help="a table of how long the versions took to start")
    since = f"30s, 10m, 2h, 7d, or a time of ISO 8601; {_SINCE} if left out, {_SINCE_INIT} with --init"
    parser.add_argument("--since", type=_since, metavar="AGO", help=since)
    parser.add_argument("--filter", metavar="WORDS", default="", help="lines with these words alone")
    add_shared(parser, built=False)


def run(parsed: argparse.Namespace) -> int:
    from lamella.cloud.places import open_cloud
    from lamella.report.console import Console

    if parsed.init and parsed.filter:
        raise UsageError("`--filter` chooses lines, and `--init` shows none", hint="leave one of them out")
    console = Console(quiet=parsed.quiet)
    settings = _settings()
    asked, region = _asked(parsed.function, settings, parsed.env)
    cloud = open_cloud(_place(parsed, settings, region))
    state = _state(cloud, asked, console)
    group = state.log_group if state and state.log_group else f"/aws/lambda/{asked.name}"
    since = parsed.since or _since(_SINCE_INIT if parsed.init else _SINCE)
    start = since(cloud.clock.now())
    if parsed.init:
        return _inits(console, parsed, cloud, asked, state, group, start, settings)
    return _lines(console, parsed, cloud, asked, group, start)


def _lines(
    console: Console, parsed: argparse.Namespace, cloud: Cloud, asked: Asked, group: str, start: float
) -> int:  # fmt: skip
    from lamella.report.logs import as_json_line, line

    wanted = _wanted(cloud, asked, group, again=parsed.follow)
    if parsed.follow:
        found = _followed(cloud, group, start, parsed.filter, console)
    else:
        found = _past(cloud, group, start, parsed.filter)
    number = 0
    try:
        for event in found:
            if wanted(event):
                number += 1
                console.data(as_json_line(event) if parsed.json else line(event))
    except KeyboardInterrupt:
        if not parsed.follow:
            raise
        return 0
    if not number and not parsed.json:
        console.say(f"Nothing in `{group}` in this time")
    return 0


def _past(cloud: Cloud, group: str, start: float, words: str) -> Iterator[LogEvent]:
    from lamella.aws import NotThereError

    try:
        yield from cloud.logs.events(group, int(start * 1000), None, _pattern(words))
    except NotThereError as error:
        raise NotThereError(
            f"there is no log group `{group}`",
            why=error.why,
            hint="it is made with the first invocation, where the function's role allows logs:CreateLogGroup",
        ) from None


def _followed(cloud: Cloud, group: str, start: float, words: str, console: Console) -> Iterator[LogEvent]:
    from lamella.cloud.following import followed

    def trouble(error: LamellaError) -> None:
        console.note(f"{error.what}; it is tried again")

    return followed(cloud.logs, cloud.clock, group, start, _pattern(words), trouble)


def _wanted(cloud: Cloud, asked: Asked, group: str, *, again: bool = False) -> Callable[[LogEvent], bool]:
    """Which lines are the function's, and the version's that was asked for.  Raises UsageError for no such alias.

    With `again`, where the alias points is read again and again, as a deploy may shift it.
    """
    from lamella.cloud.model import LATEST
    from lamella.cloud.reports import version_of

    versions: Callable[[str], frozenset[str]] | None = None
    if asked.qualifier.isdecimal() or asked.qualifier == LATEST:
        fixed = frozenset({asked.qualifier})
        versions = lambda _: fixed  # noqa: E731
    elif asked.qualifier:
        versions = _behind(cloud, asked, again)
    if versions is None and group == f"/aws/lambda/{asked.name}":
        return lambda _: True  # extensions may have streams of their own
    return lambda event: (
        (version := version_of(event.stream, asked.name)) != "" and (versions is None or version in versions(version))
    )


def _behind(cloud: Cloud, asked: Asked, again: bool) -> Callable[[str], frozenset[str]]:
    """The versions behind the alias, when a line of some version came.  Raises UsageError where it isn't there.

    With `again` it is read anew for the first line of a version, and where what is known is old.  What can't be read
    then stays as it was.
    """

    def read() -> frozenset[str] | None:
        alias = cloud.lambdas.alias(asked.name, asked.qualifier)
        return None if alias is None else frozenset({alias.version, *(version for version, _ in alias.weights)})

    there = read()
    if there is None:
        raise UsageError(f"`{asked.name}` has no alias `{asked.qualifier}`", hint="leave it out for all versions")
    known, met, at = there, set(there), cloud.clock.now()

    def versions(version: str) -> frozenset[str]:
        nonlocal known, at
        if again and (version not in met or cloud.clock.now() - at >= _AGAIN):
            met.add(version)
            at = cloud.clock.now()
            with contextlib.suppress(LamellaError):
                known = read() or known
        return known

    return versions


def _inits(
    console: Console,
    parsed: argparse.Namespace,
    cloud: Cloud,
    asked: Asked,
    state: FunctionState | None,
    group: str,
    start: float,
    settings: Settings | None,
) -> int:
    from lamella.cli.inits import change_of, changed, record_of, version_of_users
    from lamella.cloud.inits import PATTERN, inits
    from lamella.report.logs import inits_as_json, show_inits

    version = version_of_users(cloud, asked.name, asked.alias, console)
    record = record_of(cloud, settings)
    modified = _seconds(state.modified) if state is not None else None
    since, deployed = (None, True) if version else changed(record, asked.name, modified)
    wanted = _wanted(cloud, asked, group)
    events = (event for event in _past(cloud, group, start, PATTERN) if wanted(event))
    found = inits(events, asked.name, since)
    change = change_of(record, asked.name, version, found, deployed)
    if parsed.json:
        console.data(inits_as_json(asked.name, found, change))
    else:
        show_inits(console, asked.name, found, change)
    return 0


def _state(cloud: Cloud, asked: Asked, console: Console) -> FunctionState | None:
    """None where the function is gone, or may not be read: its log may be there all the same."""
    from lamella.aws import DeniedError, NotThereError

    try:
        return cloud.lambdas.function(asked.name)
    except (DeniedError, NotThereError) as error:
        console.note(f"{error.what}: its log is looked for in `/aws/lambda/{asked.name}`")
        return None


def _settings() -> Settings | None:
    from lamella.cli.running import settings_here

    return settings_here()


def _asked(text: str, settings: Settings | None, environment_name: str) -> tuple[Asked, str | None]:
    """The function, and the region that an ARN names.  Raises UsageError."""
    from lamella.deployed.model import FUNCTION
    from lamella.deployed.reference import read_reference
    from lamella.rollout.planning.desired import environment

    found = read_reference(text, kind=FUNCTION)
    if ":" in found.name:
        parts = found.name.split(":")
        region = parts[3] if parts[0] == "arn" else None
        return Asked(parts[-1], found.qualifier, ""), region
    if settings is None:
        return Asked(found.name, found.qualifier, ""), None
    chosen = environment(settings, environment_name)
    names = dict(chosen.functions)
    key = found.name if found.name in names else next((k for k, n in names.items() if n == found.name), "")
    return Asked(names.get(key, found.name), found.qualifier, dict(chosen.aliases).get(key, "")), None


def _place(parsed: argparse.Namespace, settings: Settings | None, region: str | None) -> Place:
    from lamella.cloud.places import places
    from lamella.config.model import Environment
    from lamella.rollout.planning.desired import environment

    if settings is None and parsed.env:
        raise UsageError("there is no configuration here, and so no environment", hint="leave out `--env`")
    chosen = environment(settings, parsed.env) if settings is not None else Environment()
    found = places(chosen, profile=parsed.profile, region=region or parsed.region)
    if len(found) > 1:
        raise UsageError(
            f"the function is in {len(found)} places",
            why=[str(place) for place in found],
            hint="choose one with `--region` or `--profile`",
        )
    return found[0]


def _pattern(words: str) -> str:
    """CloudWatch's filter pattern for lines with all these words (user guide, "Filter pattern syntax")."""
    if words.startswith(_PATTERN):
        return words
    return " ".join(word if re.fullmatch(r"\w+", word, re.ASCII) else _quoted(word) for word in words.split())


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _since(text: str) -> Callable[[float], float]:
    """What gives the beginning (seconds of the epoch) by what time it is now."""
    found = _AGO.fullmatch(text)
    if found is not None:
        return lambda now: now - int(found[1]) * _SECONDS[found[2]]
    moment = _seconds(text)
    if moment is None:
        raise argparse.ArgumentTypeError(f"`{text}` is no time: write 30s, 10m, 2h, 7d, or 2026-11-22T10:00")
    return lambda _: moment


def _seconds(text: str) -> float | None:
    """A time of ISO 8601 (AWS's, too: ``…+0000``), in UTC where it names no zone; None for anything else."""
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
