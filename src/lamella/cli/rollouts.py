"""What all commands of a rollout share: their options, the project, its places, and places side by side."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from lamella.errors import LamellaError, OutsideError

if TYPE_CHECKING:
    from lamella.cloud.model import Cloud, Place
    from lamella.config.model import Environment, Settings
    from lamella.manifest import Manifest
    from lamella.report.console import Console
    from lamella.rollout.journal.journal import Journal
    from lamella.rollout.model import Wanted

T = TypeVar("T")


class Project(NamedTuple):
    """The project here, and where one environment of it is deployed.  `manifest` and `wanted` are what was built."""

    settings: Settings
    environment: Environment
    places: tuple[Place, ...]
    manifest: Manifest
    wanted: Wanted


class Named(argparse.Action):
    """An option whose value may not be empty: `--env "$STAGE"` without STAGE is a mistake, not the default."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        if not values:
            raise argparse.ArgumentError(self, "it is empty: leave the option out, or see whether a variable is unset")
        setattr(namespace, self.dest, values)


class Site(NamedTuple):
    """One place with everything that it is asked through, and what is known of earlier deploys there."""

    cloud: Cloud
    journal: Journal


def add_arguments(parser: argparse.ArgumentParser, *, built: bool = True) -> None:
    """What all of them take; with `built`, where what was built lies, too."""
    parser.add_argument("--env", metavar="NAME", default="", action=Named, help="the environment of the configuration")
    parser.add_argument("--profile", metavar="NAME", help="the profile of AWS's configuration to use")
    parser.add_argument("--region", metavar="REGION", action=Named, help="this region alone")
    if built:
        parser.add_argument(
            "--output", metavar="DIR", help="the folder that was built into, instead of the configured one"
        )
    parser.add_argument("--json", action="store_true", help="print everything as JSON on stdout")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors, and data with --json")


def open_project(parsed: argparse.Namespace, *, layers_only: bool = False) -> Project:
    """What was built, and its places.  AWS is asked for the accounts.  What changed since the build is told.

    With `layers_only` no function needs to have been built, and none is in `wanted`.

    Raises ConfigError; UsageError where nothing was built or there is no such environment; what AWS refuses.
    """
    from lamella.cli.artifacts import open_built
    from lamella.rollout.planning.desired import wanted

    settings, manifest = open_built(parsed.output, layers_only=layers_only)
    one = environment_of(settings, parsed.env)
    meant = wanted(settings, manifest, one.name, layers_only=layers_only)
    _tell_changes(settings, quiet=parsed.quiet)
    return Project(settings, one, _places(one, parsed), manifest, meant)


def open_settings(parsed: argparse.Namespace) -> tuple[Settings, Environment, tuple[Place, ...]]:
    """The configuration and its places, for a command that needs nothing that was built.  Raises as `open_project`."""
    from lamella.config.read import read

    settings = read(os.getcwd(), output=getattr(parsed, "output", None))
    one = environment_of(settings, parsed.env)
    return settings, one, _places(one, parsed)


def open_site(place: Place, settings: Settings) -> Site:
    """Nothing is asked yet.  Raises LamellaError where botocore is missing or can't be used."""
    from lamella.cloud.places import open_cloud
    from lamella.rollout.journal.journal import open_journal

    cloud = open_cloud(place)
    return Site(cloud, open_journal(cloud, settings.root))


def environment_of(settings: Settings, name: str) -> Environment:
    """The environment of this name, "" for the one without.  Raises UsageError."""
    from lamella.rollout.planning.desired import environment

    return environment(settings, name)


def side_by_side(places: Sequence[Place], do: Callable[[Place], T]) -> tuple[tuple[Place, T | LamellaError], ...]:
    """Each place with what `do` gave for it, or raised, in order.  One that fails stops no other."""

    def caught(place: Place) -> T | LamellaError:
        try:
            return do(place)
        except LamellaError as error:
            return error
        except OSError as error:
            named = f"`{error.filename}`: " if error.filename else "writing failed: "
            hint = "check the disk and the permissions there"
            return OutsideError(f"{named}{error.strerror or error}", hint=hint)

    if len(places) == 1:  # in this thread, which Ctrl-C reaches
        return ((places[0], caught(places[0])),)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max(1, min(len(places), 16)), thread_name_prefix="place") as pool:
        return tuple(zip(places, pool.map(caught, places), strict=True))


def show_errors(console: Console, results: Sequence[tuple[Place, object]]) -> int:
    """Show what was raised, with its place where there are several.  The exit code: the greatest, 0 for none."""
    code = 0
    for place, result in results:
        if isinstance(result, LamellaError):
            console.error(_in(place, result) if len(results) > 1 else result)
            code = max(code, result.exit_code)
    return code


def error_tree(place: Place, error: LamellaError) -> dict[str, Any]:
    """What was raised for a place, as JSON has it instead of a result."""
    from lamella.report.plan import place_tree

    return {"place": place_tree(place), "error": {"what": error.what, "why": list(error.why), "hint": error.hint}}


def _tell_changes(settings: Settings, *, quiet: bool) -> None:
    from lamella.build.since import changes
    from lamella.report.console import Console
    from lamella.wording import counted

    found = () if quiet else changes(settings)
    if found:
        more = f" and {counted(len(found) - 1, 'other')}" if found[1:] else ""
        Console().note(f"`{found[0]}`{more} changed since the build: run `lamella build`")


def _in(place: Place, error: LamellaError) -> LamellaError:
    return LamellaError(f"{place}: {error.what}", why=error.why, hint=error.hint)


def _places(environment: Environment, parsed: argparse.Namespace) -> tuple[Place, ...]:
    from lamella.cloud.places import places

    return tuple(places(environment, profile=parsed.profile, region=parsed.region))
