"""`lamella share`: let others use a layer."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from lamella.errors import LamellaError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamella.cloud.model import Place
    from lamella.config.model import Environment
    from lamella.report.console import Console
    from lamella.rollout.upkeep.share import Sharing

DESCRIPTION = "Let the accounts of an organization, or one account, use a version of a layer; or show who may."
EPILOG = """examples:
  lamella share layer --org o-a1b2c3d4e5             the newest version, in all regions of the configuration
  lamella share spectra-dependencies:7 --account 123456789012
  lamella share layer --list                         who may use it
  lamella share layer:7 --account 123456789012 --remove

LAYER is a key of the configuration or a name in AWS.  A version has a policy of its own: a version that is published
later is shared again.  What may use it already is left as it is, so that it can be run as often as one likes; what is
taken away keeps working where it is attached.  It needs boto3: install `lamella[aws]`.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli.rollouts import add_arguments as add_shared

    parser.add_argument("layer", metavar="LAYER[:VERSION]", help="the newest version where none is named")
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--org", metavar="ID", help="all accounts of this organization: o-a1b2c3d4e5")
    whom.add_argument("--account", metavar="NUMBER", help="this account: 123456789012")
    whom.add_argument("--list", action="store_true", help="change nothing: show who may use it")
    parser.add_argument("--remove", action="store_true", help="take it away again")
    add_shared(parser, built=False)


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.rollouts import open_settings, show_errors, side_by_side
    from lamella.cloud.places import open_cloud
    from lamella.report.console import Console
    from lamella.rollout.upkeep.share import listed, permission, share, unshare

    if parsed.list and parsed.remove:
        raise UsageError("`--list` changes nothing", hint="leave out `--remove`")
    wish = None if parsed.list else permission(parsed.org or "", parsed.account or "")
    console = Console(quiet=parsed.quiet)
    _, environment, places = open_settings(parsed)
    layer, version = _layer(parsed.layer, environment)

    def done(place: Place) -> Sharing:
        cloud = open_cloud(place)
        if wish is None:
            return listed(cloud, layer, version)
        return (unshare if parsed.remove else share)(cloud, layer, version, wish)

    results = side_by_side(places, done)
    if parsed.json:
        console.data(_tree(parsed.env, results))
    else:
        for place, one in results:
            if not isinstance(one, LamellaError):
                _show(console, parsed, place, one)
    return show_errors(console, results)


def _show(console: Console, parsed: argparse.Namespace, place: Place, one: Sharing) -> None:
    named = f"`{one.layer}` version {one.version} in {place}"
    whom = _whom(parsed.org or parsed.account or "", parsed.org or "")
    if parsed.list:
        if not console.quiet:
            console.data(f"{named}: " + (", ".join(_whom(*row[1:]) for row in one.permissions) or "nobody else"))
    elif parsed.remove:
        console.say(
            f"{named} is no longer shared with {whom}" if one.changed else f"{named} was not shared with {whom}"
        )
    else:
        console.say(f"{named} is shared with {whom}" + ("" if one.changed else " already"))


def _whom(principal: str, organization: str) -> str:
    from lamella.wording import printable

    if organization:
        return f"the organization {printable(organization)}"
    return "everybody" if principal == "*" else f"the account {printable(principal)}"


def _layer(text: str, environment: Environment) -> tuple[str, int]:
    """The layer's name in AWS, and the version, 0 for the newest.  Raises UsageError."""
    from lamella.deployed.model import LAYER
    from lamella.deployed.reference import read_reference

    found = read_reference(text, kind=LAYER)
    if ":" in found.name:
        raise UsageError(
            f"`{text}` is an ARN", why=["a layer is shared in all places of the environment"],
            hint="name the layer, and its place with `--env`, `--region` and `--profile`",
        )  # fmt: skip
    return dict(environment.layers).get(found.name, found.name), int(found.qualifier or 0)


def _tree(environment: str, results: Sequence[tuple[Place, Sharing | LamellaError]]) -> str:
    import json

    from lamella.cli.rollouts import error_tree

    rows = [
        error_tree(place, one)
        if isinstance(one, LamellaError)
        else {
            "place": {"environment": place.environment, "account": place.account, "region": place.region},
            "layer": one.layer,
            "version": one.version,
            "changed": one.changed,
            "permissions": [row._asdict() for row in one.permissions],
        }
        for place, one in results
    ]
    return json.dumps({"schema": 1, "environment": environment, "places": rows}, indent=2)
