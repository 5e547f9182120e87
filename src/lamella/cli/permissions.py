"""`lamella permissions`: the least IAM policy that a rollout needs."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamella.config.model import Environment, Settings
    from lamella.report.console import Console
    from lamella.rollout.upkeep.policy import Function, Scope

DESCRIPTION = (
    "Print the least IAM policy that a deploy needs, for the functions, layers and buckets of the configuration "
    "alone.\nNothing need be built.  Only the account is asked for, and nothing with `--offline`."
)
EPILOG = """examples:
  lamella permissions --env prod > policy.json
  lamella permissions --read-only                 what `plan`, `status` and `doctor` need, nothing that changes
  lamella permissions --for deploy --for prune --for logs
  lamella permissions --for pull-request          the shared cache, read alone
  lamella permissions --account 123456789012 --region eu-central-1 --offline
  aws iam put-role-policy --role-name deployer --policy-name lamella --policy-document file://policy.json

`deploy` holds all that `plan` and `rollback` need.  `prune` reads the journals of the other environments, too, but for
those whose role is in another account.  Where functions write to a log group that isn't their own, `logs` needs its
name.  A role that is assumed (`role`) needs the policy itself; who assumes it needs sts:AssumeRole for that role, and
nothing else.  iam:PassRole is not needed: no command names a role.
"""
_READ_ONLY = ("plan", "status", "versions", "doctor")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli import rollouts
    from lamella.rollout.upkeep.policy import PURPOSES

    rollouts.add_arguments(parser, built=False)
    parser.add_argument(
        "--for", dest="purposes", action="append", choices=tuple(PURPOSES), metavar="COMMAND",
        help=f"what is to be allowed, may be repeated: {', '.join(PURPOSES)}; default: deploy",
    )  # fmt: skip
    parser.add_argument("--read-only", action="store_true", help="what reads alone: plan, status, versions and doctor")
    parser.add_argument(
        "--account", metavar="NUMBER", default="", help="this account, instead of asking AWS whose it is"
    )
    parser.add_argument("--prefix", metavar="PREFIX", default="", help="one wildcard for all functions and layers")
    parser.add_argument(
        "--kms-key", action="append", default=[], metavar="ARN", help="a key that a bucket is encrypted with"
    )
    parser.add_argument(
        "--attach", action="append", default=[], metavar="ARN", help="a layer that others have attached"
    )
    parser.add_argument(
        "--log-group", action="append", default=[], metavar="NAME", help="a log group that functions share, for `logs`"
    )
    parser.add_argument("--offline", action="store_true", help="use no network: `*` stands for what is not known")


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.rollouts import environment_of
    from lamella.config.read import read
    from lamella.errors import UsageError
    from lamella.report.console import Console
    from lamella.rollout.upkeep.policy import LONGEST, document, policy

    console = Console(quiet=parsed.quiet)
    settings = read(os.getcwd())
    environment = environment_of(settings, parsed.env)
    places = _places(parsed, environment, console)
    scope = _scope(parsed, settings, environment, places)
    purposes = (parsed.purposes or []) + (list(_READ_ONLY) if parsed.read_only else [])
    made = document(policy(scope, purposes or ["deploy"]))
    if not made["Statement"]:
        raise UsageError(
            "there is nothing to be allowed",
            why=["no shared cache is configured, which alone takes permissions"],
            hint="give `cache` in `[tool.lamella]`, or LAMELLA_SHARED_CACHE",
        )
    console.data(json.dumps(made, indent=2))
    length = len(json.dumps(made, separators=(",", ":")))
    if length > LONGEST:
        console.warning(
            f"it has {length} characters without white space, and IAM takes {LONGEST} in a managed policy: "
            "`--prefix` names all functions at once"
        )
    if any(not parsed.attach and one.layers for one in settings.functions):
        console.note("layers that others have attached to a function must be readable, too: name them with `--attach`")
    return 0


def _places(parsed: argparse.Namespace, environment: Environment, console: Console) -> tuple[tuple[str, str], ...]:
    """Pairs of region and account; "*" for what is not known, which a note tells."""
    from lamella.errors import LamellaError, UsageError

    if parsed.account:
        if not (parsed.account.isascii() and parsed.account.isdigit() and len(parsed.account) == 12):
            raise UsageError(f"`{parsed.account}` is no account", hint="it has 12 digits")
    elif not parsed.offline:
        from lamella.cloud.places import places

        try:
            found = places(environment, profile=parsed.profile, region=parsed.region)
            return tuple((place.region, place.account) for place in found)
        except UsageError:
            raise
        except LamellaError as error:
            console.note(f"`*` stands for the account: {error.what}")
    known = []
    for account in environment.accounts:
        number = account.role.split(":")[4] if account.role.startswith("arn:") else ""
        if parsed.account and number and number != parsed.account:
            continue
        regions = (parsed.region,) if parsed.region else account.regions or ("*",)
        known += [(region, parsed.account or number or "*") for region in regions]
    if parsed.offline and any("*" in place for place in known):
        console.note("`*` stands for what nobody told: give `--account` and `--region`")
    return tuple(dict.fromkeys(known)) or ((parsed.region or "*", parsed.account or "*"),)


def _scope(
    parsed: argparse.Namespace, settings: Settings, environment: Environment, places: tuple[tuple[str, str], ...]
) -> Scope:
    from lamella.objects import location
    from lamella.rollout.upkeep.policy import Scope
    from lamella.shared.opening import WHERE

    def filled(text: str) -> list[str]:
        """With each place put in; "" stays out."""
        if not text:
            return []
        rows = (text.replace("{region}", region).replace("{account}", account) for region, account in places)
        return list(dict.fromkeys(rows))

    cache = os.environ.get(WHERE, settings.cache)
    functions, layers = _names(settings, environment)
    if parsed.prefix:
        functions, layers = _by_prefix(parsed.prefix, functions, layers)
    arns = [arn for one in settings.functions for arn in one.layers if arn.startswith("arn:")]
    journals = [location(text) for text in filled(environment.journal)]
    others = [one for one in settings.environments if one.name != environment.name and _meet(one, places)]
    theirs = [location(text) for one in others for text in filled(one.journal)]
    return Scope(
        places,
        tuple(functions),
        tuple(layers),
        tuple(dict.fromkeys([*arns, *parsed.attach])),
        tuple((name, "lamella") for name in filled(environment.bucket)),
        tuple(journals),
        (location(cache),) if cache else (),
        tuple(parsed.kms_key),
        tuple(dict.fromkeys(theirs)),
        tuple(parsed.log_group),
    )


def _meet(other: Environment, places: tuple[tuple[str, str], ...]) -> bool:
    """Whether another environment may be in one of these places, by what the configuration says."""
    for one in other.accounts:
        number = one.role.split(":")[4] if one.role.startswith("arn:") else "*"
        for region, account in places:
            regions = not one.regions or region == "*" or region in one.regions
            if regions and (number == account or "*" in (number, account)):
                return True
    return False


def _names(settings: Settings, environment: Environment) -> tuple[list[Function], list[str]]:
    """The functions, and the names of layers; what is split into several has their names begin alike."""
    from lamella.rollout.upkeep.policy import Function

    names, aliases = dict(environment.functions), dict(environment.aliases)
    functions = [
        Function(
            names.get(one.key, one.name),
            bool(aliases.get(one.key, one.alias)),
            bool(one.smoke),
            one.canary is not None,
        )
        for one in settings.functions
    ]
    called = dict(environment.layers)
    layers = [called.get(one.key, one.name) + "*" * one.slimming.split for one in settings.layers]
    layers += [f"{names.get(one.key, one.name)}-*" for one in settings.functions if one.slimming.split]
    return functions, layers


def _by_prefix(prefix: str, functions: list[Function], layers: list[str]) -> tuple[list[Function], list[str]]:
    """One name for all of them.  Raises UsageError where one begins otherwise."""
    from lamella.errors import UsageError
    from lamella.rollout.upkeep.policy import Function
    from lamella.wording import listed

    others = [name for name in (*(one.name for one in functions), *layers) if not name.startswith(prefix)]
    if others:
        raise UsageError(
            f"not all names begin with `{prefix}`",
            why=[f"others are {listed(others[:5])}"],
            hint="take a shorter prefix",
        )
    every = Function(
        f"{prefix}*",
        any(one.alias for one in functions),
        any(one.smoke for one in functions),
        any(one.canary and one.alias for one in functions),
    )
    return ([every] if functions else []), ([f"{prefix}*"] if layers else [])
