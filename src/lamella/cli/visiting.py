"""Functions as AWS has them, for `lamella doctor`: place by place, whatever is denied told with what allows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lamella.checks.bench import Means
    from lamella.checks.model import Finding
    from lamella.cloud.model import Cloud, FunctionState, Place
    from lamella.config.model import Environment, FunctionSettings, Settings
    from lamella.doctor.judge import Meant
    from lamella.doctor.model import Diagnosis, Identity, Person
    from lamella.errors import LamellaError
    from lamella.manifest import Manifest
    from lamella.rollout.model import Wanted
    from lamella.wheels.obtain import Progress


class Patient(NamedTuple):
    """A function by its name in AWS; `alias` is "" for none, `meant` what is known of how it should be."""

    name: str
    alias: str
    meant: Meant


def patients(
    settings: Settings | None,
    environment: Environment,
    built: tuple[Manifest, Wanted] | None,
    names: Sequence[str],
    output: str = "",
) -> tuple[Patient, ...]:
    """The functions that are named (by key, or as AWS calls them), or all that are configured.

    `output` is the folder that was built into where the command line names one.
    """
    from lamella.doctor.judge import Meant

    called = dict(environment.functions)
    aliases = dict(environment.aliases)
    functions = settings.functions if settings is not None else ()
    known = {called.get(one.key, one.name): one for one in functions}
    by_word = {one.key: name for name, one in known.items()} | {name: name for name in known}
    wanted = {one.name: one for one in built[1].functions} if built else {}
    found = []
    for word in names or [*known]:
        name, _, qualifier = word.partition(":") if not word.startswith("arn:") else (word, "", "")
        name = by_word.get(name, name)
        configured = known.get(name)
        alias = qualifier or (aliases.get(configured.key, configured.alias) if configured else "")
        memory, timeout = _chosen(configured)
        meant = Meant(
            wanted.get(name), _digests(built), _unzipped(built, name), environment.name,
            output=output, memory=memory, timeout=timeout,
        )  # fmt: skip
        found.append(Patient(name, alias, meant))
    return tuple(found)


def _chosen(configured: FunctionSettings | None) -> tuple[int, int]:
    """The memory and the timeout that somebody wrote down; 0 for what is Lambda's own."""
    if configured is None:
        return 0, 0
    own = configured._field_defaults
    memory, timeout = configured.memory, configured.timeout
    return (memory if memory != own["memory"] else 0, timeout if timeout != own["timeout"] else 0)


def _digests(built: tuple[Manifest, Wanted] | None) -> tuple[tuple[str, str], ...]:
    return tuple((layer.name, layer.content.code_sha256) for layer in built[1].layers) if built else ()


def _unzipped(built: tuple[Manifest, Wanted] | None, name: str) -> int:
    """Bytes of a function and its local layers; 0 where nothing was built."""
    if built is None:
        return 0
    manifest, wanted = built
    keys = {one.key for one in wanted.functions if one.name == name}
    layers = {layer.key: layer.unzipped for layer in manifest.layers}
    return sum(
        one.unzipped + sum(layers.get(key, 0) for key in one.layers) for one in manifest.functions if one.key in keys
    )


def visit(
    cloud: Cloud, identity: Identity, who: Sequence[Patient], *, labelled: bool, carried: Sequence[str] = ()
) -> tuple[tuple[str, ...], tuple[Diagnosis, ...], LamellaError | None]:
    """What was looked at, what was found, and why AWS could not be asked on.

    `labelled`: findings say the place, as there are several.  `carried` are the options that lead lamella there.
    """
    from datetime import datetime

    from lamella.doctor.access import lacking
    from lamella.doctor.judge import judge
    from lamella.doctor.seen import see
    from lamella.errors import LamellaError

    place = cloud.place
    today = datetime.fromtimestamp(cloud.clock.now(), UTC).date()
    person: Person | None = None
    looked: list[str] = []
    found: list[Diagnosis] = []
    denied: list[tuple[str, str]] = []
    failed: LamellaError | None = None
    try:
        person = identity.person()
        looked.append(f"AWS: account {person.account}, region {place.region}, as {person.arn}")
        for one in who:
            meant = _placed(one.meant, place, carried)
            layers = meant.wanted.layers if meant.wanted else ()
            seen = see(cloud, one.name, one.alias, tuple(layer for layer in layers if not layer.startswith("arn:")))
            denied += [(error.action, error.resource) for error in seen.denied]
            found += judge(seen, meant, today)
            looked.append(_line(seen.function, one))
    except LamellaError as error:
        failed = error
    found += lacking(person, denied, f"account {place.account}")
    if labelled:
        found = [one._replace(finding=_labelled(one, place)) for one in found]
    return tuple(filter(None, looked)), tuple(found), failed


def carried(place: Place, *, profile: str | None, region: str | None, several: bool) -> tuple[str, ...]:
    """What leads lamella to this place: what the command line had, and, of several places, this one's."""
    named = place.profile if several else ""
    profile = profile if profile is not None else named or None
    region = place.region if several else region
    return (*(("--profile", profile) if profile is not None else ()), *(("--region", region) if region else ()))


def _placed(meant: Meant, place: Place, carried: Sequence[str]) -> Meant:
    """With the options that lead programs to the place, and the command that makes the function there."""
    import os

    from lamella.rollout.planning.missing import create_command

    options = ["--region", place.region] if place.region else []
    options += ["--profile", place.profile] if place.profile else []
    create = create_command(meant.wanted, place, os.getcwd()) if meant.wanted else ""
    return meant._replace(options=tuple(options), create=create, carried=tuple(carried))


def _line(state: FunctionState | None, one: Patient) -> str:
    if state is None:
        return ""
    from lamella.rollout.planning.layers import short

    layers = ", ".join(short(arn) for arn in state.layers) or "no layers"
    return f"{one.name}: {state.runtime} ({state.architecture}), {layers}, last changed {state.modified}"


def _labelled(one: Diagnosis, place: Place) -> Finding:
    return one.finding._replace(artifact=f"{one.finding.artifact} in {place.region} of {place.account}")


def unasked(error: LamellaError, profile: str | None = None) -> Diagnosis:
    """The finding for credentials or a region that are not there, for the profile that was named or configured."""
    import shlex

    from lamella.checks.model import Finding, Severity
    from lamella.doctor.model import Diagnosis

    text = error.what
    fix: tuple[str, ...] = ()
    option = ["--profile", profile] if profile else []
    if "region" in text:
        fix = (shlex.join(["aws", "configure", "set", "region", "REGION", *option]),)
    elif "expired" in text or "no AWS credentials" in text or "accept the credentials" in text:
        fix = (shlex.join(["aws", "sso", "login", *option]),)
    reason = "; ".join((error.what, *error.why))
    return Diagnosis(Finding("credentials", Severity.ERROR, "AWS", "", reason, error.hint or ""), fix)


def simulated(
    cloud: Cloud, identity: Identity, names: Sequence[Patient], layers: Sequence[str]
) -> tuple[Diagnosis, ...]:
    """What a deploy would be denied, as IAM's simulation has it; a warning where that can't be asked."""
    from lamella.doctor.access import lacking
    from lamella.errors import LamellaError
    from lamella.rollout.upkeep.policy import Function, Scope, policy

    place = cloud.place
    functions = tuple(Function(one.name, bool(one.alias), True, False) for one in names)
    journal = place.journal.removeprefix("s3://").partition("/")
    scope = Scope(
        ((place.region, place.account),),
        functions,
        tuple(layers),
        bucket=((place.bucket, "lamella"),) if place.bucket else (),
        journal=((journal[0], journal[2]),) if place.journal else (),
    )
    person: Person | None = None
    refused: list[tuple[str, str]] = []
    where = f"account {place.account}"
    unasked: tuple[Diagnosis, ...] = ()
    try:
        person = identity.person()
        for statement in policy(scope, ["deploy"]):
            for actions, resources in _fitting(statement.actions, statement.resources):
                refused += identity.refused(person, actions, resources, place.region)
    except LamellaError as error:
        unasked = (_unsimulated(error, person, where),)
    return (*lacking(person, refused, where), *unasked)


def _unsimulated(error: LamellaError, person: Person | None, where: str) -> Diagnosis:
    """The finding for a simulation that could not be made, or not to its end."""
    from lamella.aws import DeniedError
    from lamella.checks.model import Finding, Severity
    from lamella.doctor.access import granting, principal
    from lamella.doctor.model import Diagnosis
    from lamella.rollout.upkeep.policy import Statement

    reason = "; ".join((f"a deploy was not simulated: {error.what}", *error.why))
    finding = Finding("permissions", Severity.WARNING, where, "", reason, error.hint or "", tried=False)
    if not isinstance(error, DeniedError) or person is None:
        return Diagnosis(finding)
    statement = Statement("Simulate", ("iam:SimulatePrincipalPolicy",), (principal(person.arn),))
    return Diagnosis(finding, granting(person, (statement,)))


def _fitting(actions: Sequence[str], resources: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    """Actions with the resources that they know: of a bucket its listing, of objects the rest."""
    of_buckets = [action for action in actions if action == "s3:ListBucket"]
    others = [action for action in actions if action != "s3:ListBucket"]
    buckets = [one for one in resources if ":s3:::" in one and "/" not in one]
    objects = [one for one in resources if one not in buckets]
    # IAM simulates wildcards as text: a resource that the pattern stands for
    objects = [f"{one[:-1]}x" if one.endswith("*") and one != "*" else one for one in objects]
    return [pair for pair in ((of_buckets, buckets), (others, objects)) if pair[0] and pair[1]]


def deployed(
    place: Place, who: Sequence[Patient], given: Means, progress: Progress, carried: Sequence[str] = ()
) -> tuple[tuple[str, ...], tuple[Diagnosis, ...]]:
    """The zips of functions and their layers, pulled, and looked at as bare ones are."""
    import os
    import tempfile

    from lamella.cachedir import cache_dir
    from lamella.checks.model import Severity
    from lamella.cli.examining import zips
    from lamella.deployed.lambdas import Lambdas
    from lamella.deployed.model import FUNCTION as PULLED
    from lamella.deployed.model import Reference
    from lamella.deployed.pull import pull_function
    from lamella.doctor.model import FUNCTION, LAYER, Asked
    from lamella.errors import LamellaError

    looked: list[str] = []
    found: list[Diagnosis] = []
    port = Lambdas(place.profile or None, place.region or None, role=place.role)
    for one in who:
        try:
            pulled = pull_function(port, Reference(PULLED, one.name, one.alias), cache_dir(os.environ), progress)
            asked = Asked(FUNCTION, pulled.runtime, pulled.architecture, pulled.handler, f"{one.name}:{pulled.version}")
            named = [(pulled.path, asked)]
            named += [
                (layer.path, asked._replace(kind=LAYER, handler="", name=f"{layer.name}:{layer.version}"))
                for layer in pulled.layers
            ]
            with tempfile.TemporaryDirectory(prefix="lamella-doctor-") as folder:
                lines, diagnoses = zips(named, given, folder)
        except LamellaError as error:
            found.append(unpulled(one.name, error))
            continue
        looked += lines
        # What is deployed is not mended where it was downloaded to
        mends = one.meant._replace(carried=tuple(carried)).rebuild
        bad = [bool(each.fix) or each.finding.severity is Severity.ERROR for each in diagnoses]
        found += [each._replace(fix=mends if mendable else ()) for each, mendable in zip(diagnoses, bad, strict=True)]
    return tuple(looked), tuple(found)


def unpulled(name: str, error: LamellaError) -> Diagnosis:
    """The finding for zips that could not be looked at."""
    from lamella.checks.model import Finding, Severity
    from lamella.doctor.model import Diagnosis

    reason = "; ".join((f"its zips were not looked at: {error.what}", *error.why))
    return Diagnosis(Finding("structure", Severity.WARNING, name, "", reason, error.hint or "", tried=False))
