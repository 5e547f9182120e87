"""Functions that run here, for every command that starts some: its options, and the project made ready."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamella.build.model import Outcome
    from lamella.config.model import Settings
    from lamella.local.functions import Project, Single
    from lamella.local.prepare import Options
    from lamella.report.console import Console
    from lamella.wheels.obtain import Progress

# As many processes of one function as a machine of today bears; Lambda's own limit is of an account
LIMIT = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What all of them take."""
    from lamella.cli.variables import add_env, add_env_file
    from lamella.sandbox.model import AUTO, ISOLATIONS

    add_env(parser)
    add_env_file(parser)
    parser.add_argument("--isolation", choices=ISOLATIONS, default=AUTO, help="the strongest that works, if left out")
    parser.add_argument("--offline", action="store_true", help="use no network: all must be here, or in the cache")
    parser.add_argument("--output", metavar="DIR", help="the folder that was built into, instead of the configured one")


def add_server(parser: argparse.ArgumentParser, port: int) -> None:
    """What a server takes besides; `port` is the one if none is given."""
    from lamella.cli.numbers import port as port_number

    parser.add_argument(
        "--host", default="127.0.0.1", metavar="NAME", help="where to listen; this machine, if left out"
    )
    parser.add_argument(
        "--port", type=port_number, default=port, metavar="N", help=f"{port} if left out; 0 is a free one"
    )
    add_arguments(parser)
    parser.add_argument(
        "--watch", action="store_true", help="build again when a source, the lock or the configuration changed"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")


def options_of(parsed: argparse.Namespace) -> Options:
    """Raises UsageError."""
    from lamella.cli.variables import chosen
    from lamella.local.prepare import Options

    return Options(
        tuple(chosen(parsed).items()),
        parsed.isolation,
        parsed.offline,
        getattr(parsed, "memory", None),
        getattr(parsed, "timeout", None),
        getattr(parsed, "concurrency", None) or LIMIT,
        hasattr(parsed, "port"),
    )


def open_project(parsed: argparse.Namespace, console: Console, progress: Progress) -> Project:
    """The functions of what was built, with `--watch` of what is built now.  Nothing is started yet.

    Raises ConfigError; UsageError when nothing was built; with `--watch` all that a build raises.
    """
    from lamella.cachedir import cache_dir
    from lamella.cli.artifacts import open_built
    from lamella.local.functions import Built, Project
    from lamella.wheels.cache import Cache

    root = cache_dir(os.environ)
    cache = Cache(root)
    options = options_of(parsed)
    if not getattr(parsed, "watch", False):
        return Project(Built(*open_built(parsed.output, cache)), cache, root, progress, options, console)
    from lamella.local.watch import Watch

    def told(outcome: Outcome) -> None:
        for warning in outcome.warnings:
            console.warning(warning)
        for made in outcome.made:
            if made.written:
                console.say(f"Built `{made.file}`: {', '.join(made.changes)}")

    watch = Watch(os.getcwd(), parsed.output, cache, progress, offline=parsed.offline, told=told)
    return Project(watch.newest(None), cache, root, progress, options, console, watch)


def open_deployed(parsed: argparse.Namespace, console: Console, progress: Progress) -> Single:
    """The function as it is in AWS: pulled now, or, with `--offline`, as it was last pulled.

    Raises what `deployed.pull` does.
    """
    from lamella.cachedir import cache_dir
    from lamella.deployed.lambdas import Lambdas
    from lamella.deployed.model import FUNCTION, DeployedFunction
    from lamella.deployed.pull import pull_function, recall
    from lamella.deployed.reference import read_reference
    from lamella.local.deployed import open_deployed, without_project
    from lamella.wheels.cache import Cache

    root = cache_dir(os.environ)
    settings = settings_here()
    reference = read_reference(parsed.function, settings, kind=FUNCTION)
    if parsed.offline:
        found = recall(reference, root)
        assert isinstance(found, DeployedFunction)
    else:
        found = pull_function(Lambdas(parsed.profile, parsed.region), reference, root, progress)
    settings = settings or without_project(os.getcwd())
    return open_deployed(found, settings, Cache(root), root, progress, options_of(parsed), console)


def settings_here() -> Settings | None:
    """The configuration of the project here, None where there is none.  Raises ConfigError for one that is wrong."""
    from lamella.config.find import NoConfigurationError
    from lamella.config.read import read

    try:
        return read(os.getcwd())
    except NoConfigurationError:
        return None
