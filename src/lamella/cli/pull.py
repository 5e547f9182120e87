"""`lamella pull`: what is deployed, brought to the cache."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamella.config.model import Settings
    from lamella.deployed.model import DeployedFunction, DeployedLayer, Lambda, Progress, Reference
    from lamella.report.console import Console

DESCRIPTION = (
    "Bring what is deployed to the cache, checked against AWS's CodeSha256: a layer version, or a function with its "
    "layers."
)
EPILOG = """examples:
  lamella pull api-handler                   the function that the configuration calls so, and its layers
  lamella pull api-handler:7                 its version 7; aliases, too, and '$LATEST'
  lamella pull spectra-dependencies          the newest version of a layer
  lamella pull arn:aws:lambda:eu-west-1:123456789012:layer:tools:3

REFERENCE is a key of the configuration, a name in AWS, or an ARN; behind a colon stands a version or an alias.  A
function for which an alias is configured is pulled by it.  Credentials, region and endpoint are those that every AWS
program finds.  Nothing is changed in AWS, and no value of a function's environment is written down.  It needs boto3:
install `lamella[aws]`.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("references", nargs="+", metavar="REFERENCE", help="LAYER[:VERSION], FUNCTION[:ALIAS] or ARN")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--layer", dest="kind", action="store_const", const="layer", help="it is a layer")
    kind.add_argument("--function", dest="kind", action="store_const", const="function", help="it is a function")
    parser.set_defaults(kind="")
    parser.add_argument("--profile", metavar="NAME", help="the profile of AWS's configuration to use")
    parser.add_argument("--region", metavar="REGION", help="the region to ask; an ARN names its own")
    parser.add_argument("--offline", action="store_true", help="use no network: show what was pulled before")
    parser.add_argument("--json", action="store_true", help="print everything as JSON on stdout")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors, and data with --json")


def run(parsed: argparse.Namespace) -> int:
    from lamella.cachedir import cache_dir
    from lamella.deployed.lambdas import Lambdas
    from lamella.deployed.reference import read_reference
    from lamella.report.console import Console

    console = Console(quiet=parsed.quiet)
    settings = _settings(parsed.references, console)
    references = [read_reference(text, settings, kind=parsed.kind) for text in parsed.references]
    port = None if parsed.offline else Lambdas(parsed.profile, parsed.region)
    progress = console.progress()
    try:
        found = []
        for reference in references:
            one = _one(port, reference, cache_dir(os.environ), progress)
            found.append(one)
            if not parsed.json:
                progress.close()  # what is shown comes below the bars, not between them
                _show(console, one)
    finally:
        progress.close()
    if parsed.json:
        import json

        console.data(json.dumps([_tree(one) for one in found], indent=2))
    return 0


def _one(port: Lambda | None, reference: Reference, root: str, progress: Progress) -> DeployedFunction | DeployedLayer:
    from lamella.deployed.pull import pull, recall

    return recall(reference, root) if port is None else pull(port, reference, root, progress)


def _settings(references: list[str], console: Console) -> Settings | None:
    """The configuration, None where only ARNs are named, or where there is none: all names are AWS's then."""
    from lamella.config.read import read
    from lamella.errors import ConfigError

    if all(text.startswith("arn:") for text in references):
        return None
    try:
        return read(os.getcwd())
    except ConfigError as error:
        console.note(f"names are taken as AWS's: {error.what}")
        return None


def _show(console: Console, one: DeployedFunction | DeployedLayer) -> None:
    from lamella.deployed.model import DeployedFunction

    if isinstance(one, DeployedFunction):
        alias = f" ({one.qualifier})" if one.qualifier not in ("", one.version) else ""
        console.say(
            f"Function `{one.name}` version {one.version}{alias}: {one.runtime} ({one.architecture}), {one.handler}, "
            f"{one.memory} MB, {one.timeout} s"
        )
        if one.state not in ("Active", "Inactive"):
            console.warning(f"AWS says that `{one.name}` is {one.state}: it may not be what is invoked")
        _show_zip(console, one)
        for layer in one.layers:
            console.say(f"Layer `{layer.name}` version {layer.version}")
            _show_zip(console, layer)
    else:
        console.say(f"Layer `{one.name}` version {one.version}{_meant(one)}")
        _show_zip(console, one)


def _meant(layer: DeployedLayer) -> str:
    said = [*layer.runtimes, *layer.architectures]
    return f": for {', '.join(said)}" if said else ""


def _show_zip(console: Console, one: DeployedFunction | DeployedLayer) -> None:
    from lamella.report.sizes import megabytes

    how = "downloaded" if one.fetched else "already here"
    console.say(f"  {one.arn}")
    console.say(f"  {megabytes(one.size)}, sha256 {one.sha256} verified, {how}")
    console.say(f"  {one.path}")
    if one.unpackable[1] != one.sha256:
        console.note(
            f"the zip of `{one.name}` is not one that lamella reads as it is: it runs from one with the same content"
        )


def _tree(one: DeployedFunction | DeployedLayer) -> dict[str, object]:
    """As JSON: without the values of the environment."""
    from lamella.deployed.model import DeployedFunction

    tree: dict[str, object] = {
        "kind": "function" if isinstance(one, DeployedFunction) else "layer",
        "name": one.name,
        "arn": one.arn,
        "version": one.version,
        "sha256": one.sha256,
        "code_sha256": one.code_sha256,
        "size": one.size,
        "path": one.path,
        "fetched": one.fetched,
    }
    if isinstance(one, DeployedFunction):
        names = (
            "qualifier",
            "runtime",
            "handler",
            "memory",
            "timeout",
            "scratch",
            "architecture",
            "variables",
            "state",
        )
        layers = [_tree(layer) for layer in one.layers]
        return {**tree, **{name: getattr(one, name) for name in names}, "layers": layers}
    return {**tree, "runtimes": one.runtimes, "architectures": one.architectures}
