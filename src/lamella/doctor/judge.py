"""What is wrong with a function as AWS has it.  Pure decisions over what was seen and what is wanted.

Sources: AWS Lambda developer guide ("Lambda function states", "Lambda runtimes", "Managing Lambda dependencies with
layers", "Lambda function aliases") and API reference (FunctionConfiguration, AliasConfiguration).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from lamella.checks.model import Finding, Severity
from lamella.cloud.model import FunctionState, LayerVersion
from lamella.doctor.model import Diagnosis, Seen
from lamella.facts.tables import limits, runtimes
from lamella.rollout.model import WantedFunction
from lamella.rollout.planning.layers import identity, name_of, short, version_of
from lamella.target import Target
from lamella.wording import counted

# What Lambda gives to whoever says nothing, and from which size on it is surely too little: packages unzipped, bytes
_LEAST_MEMORY = 128
_LEAST_TIMEOUT = 3
_HEAVY = 50 * 1024**2
_OK_STATES = ("Active", "Inactive", "")
_IDLE_UPDATES = ("Successful", "")


class Meant(NamedTuple):
    """What a function should be.  `wanted` is None where nothing was built, `unzipped` (bytes) 0 where nobody knows.

    `digests` are pairs of a layer's name and the CodeSha256 that was built.  `environment` is the configuration's, and
    `options` are those that lead a program of AWS to the place: ``--region eu-central-1``; `carried` those that lead
    lamella there, beside the environment, and `output` is the folder that was built into, "" for the configured one.
    `create` is the command that makes the function, "" for none.  `memory` (MB) and `timeout` (seconds) are 0 where
    nobody configured them.
    """

    wanted: WantedFunction | None = None
    digests: tuple[tuple[str, str], ...] = ()
    unzipped: int = 0
    environment: str = ""
    options: tuple[str, ...] = ()
    create: str = ""
    carried: tuple[str, ...] = ()
    output: str = ""
    memory: int = 0
    timeout: int = 0

    @property
    def deploy(self) -> tuple[str, ...]:
        """The command that makes it as it is wanted; () where there is nothing to deploy."""
        if self.wanted is None:
            return ()
        option = ["--env", self.environment] if self.environment else []
        return (shlex.join(["lamella", "deploy", *option, *self.carried, *self._into]),)

    @property
    def rebuild(self) -> tuple[str, ...]:
        """The commands that build it again, and bring it there; () where nothing was built."""
        return (shlex.join(["lamella", "build", *self._into]), *self.deploy) if self.wanted is not None else ()

    @property
    def _into(self) -> list[str]:
        return ["--output", self.output] if self.output else []

    def aws(self, *words: str) -> tuple[str, ...]:
        """A command of AWS's own."""
        return (shlex.join(["aws", "lambda", *words, *self.options]),)

    def configured(self, name: str, *words: str) -> tuple[str, ...]:
        """A change of a function's configuration."""
        return self.aws("update-function-configuration", "--function-name", name, *words)


def judge(seen: Seen, meant: Meant, today: date) -> tuple[Diagnosis, ...]:
    """All that is wrong with it, in the order in which one would mend it."""
    state = seen.function
    if state is None:
        return () if seen.denied else (_absent(seen.name, meant),)
    if state.package == "Image":
        reason = "it is a container image: it has no zip, and no layers"
        return (_said(seen, "code", Severity.NOTE, reason),)
    return (
        *_state(seen, state, meant),
        *_runtime(seen, state, meant, today),
        *_layers(seen, state, meant),
        *_code(seen, state, meant),
        *_alias(seen, state, meant),
        *_means(seen, state, meant),
    )


def _said(
    seen: Seen, check: str, severity: Severity, reason: str, hint: str = "", fix: tuple[str, ...] = ()
) -> Diagnosis:
    return Diagnosis(Finding(check, severity, seen.name, "", reason, hint), fix)


def _absent(name: str, meant: Meant) -> Diagnosis:
    reason = "there is no such function in this account and region"
    hint = "look at its name, `--region`, `--profile` and `--env`"
    if meant.create:
        return Diagnosis(Finding("function", Severity.ERROR, name, "", reason, f"{hint}, or make it"), (meant.create,))
    fix = meant.aws("list-functions", "--query", "Functions[].FunctionName", "--output", "text")
    return Diagnosis(Finding("function", Severity.ERROR, name, "", reason, hint), fix)


def _state(seen: Seen, state: FunctionState, meant: Meant) -> Iterator[Diagnosis]:
    why = f": {state.reason}" if state.reason else ""
    wait = meant.aws("wait", "function-updated-v2", "--function-name", seen.name)
    if state.state not in _OK_STATES:
        pending = state.state == "Pending"
        severity = Severity.WARNING if pending else Severity.ERROR
        yield _said(seen, "state", severity, f"it is {state.state}{why}", "", wait if pending else meant.deploy)
    if state.update not in _IDLE_UPDATES:
        busy = state.update == "InProgress"
        severity = Severity.WARNING if busy else Severity.ERROR
        reason = f"its last update {'is under way' if busy else 'failed'}{why}"
        yield _said(seen, "state", severity, reason, "", wait if busy else meant.deploy)


def _runtime(seen: Seen, state: FunctionState, meant: Meant, today: date) -> Iterator[Diagnosis]:
    wanted = meant.wanted
    if state.runtime not in runtimes():
        reason = f"its runtime is {state.runtime or 'not said'}, which lamella doesn't know"
        yield _said(seen, "runtime", Severity.NOTE, reason)
    else:
        for warning in Target(state.runtime, state.architecture).warnings(today):
            facts = runtimes()[state.runtime]
            blocked = any(day and today >= day for day in (facts.create_blocked, facts.update_blocked))
            hint = "move to a newer runtime: write it as `runtime`, lock, build and deploy again"
            severity = Severity.ERROR if blocked else Severity.WARNING
            yield _said(seen, "runtime", severity, warning, hint, meant.rebuild)
    if wanted is None:
        return
    for name, there, built in (
        ("runtime", state.runtime, wanted.runtime),
        ("architecture", state.architecture, wanted.architecture),
        ("handler", state.handler, wanted.handler),
    ):
        if there != built:
            reason = f"its {name} is {there}, and what was built is for {built}"
            if name == "handler":
                reason = f"its handler is `{there}`, and the configuration says `{built}`"
            yield _said(seen, name, Severity.ERROR, reason, "", meant.deploy)


def _layers(seen: Seen, state: FunctionState, meant: Meant) -> Iterator[Diagnosis]:
    there = {identity(arn): arn for arn in state.layers}
    newest = dict(seen.newest)
    if meant.wanted is not None:
        yield from _wanted_layers(seen, state, meant)
    for arn, layer in seen.attached:
        if layer is None:
            reason = f"layer `{short(arn)}` was deleted: it works where it is, and can't be attached again"
            yield _said(seen, "layers", Severity.WARNING, reason, "attach a version that is there", meant.deploy)
            continue
        yield from _compatible(seen, state, layer)
    wanted = {_identity_of(state, layer) for layer in meant.wanted.layers} if meant.wanted else set()
    for key, arn in there.items():
        last = newest.get(key)
        if key in wanted or last is None or not version_of(arn) or int(version_of(arn)) >= last.version:
            continue
        reason = f"layer `{short(arn)}` is not the newest: that is {last.version}"
        arns = [last.arn if one == arn else one for one in state.layers]
        yield _said(seen, "layers", Severity.WARNING, reason, "", meant.configured(seen.name, "--layers", *arns))


def _identity_of(state: FunctionState, layer: str) -> str:
    """That of a wanted layer: an ARN, or a name beside the function."""
    if layer.startswith("arn:"):
        return identity(layer)
    _, _, _, region, account = state.arn.split(":")[:5]
    return f"{region}:{account}:layer:{layer}"


def _wanted_layers(seen: Seen, state: FunctionState, meant: Meant) -> Iterator[Diagnosis]:
    """Layers that it should have."""
    assert meant.wanted is not None
    there, newest, digests = {identity(arn): arn for arn in state.layers}, dict(seen.newest), dict(meant.digests)
    layers = dict(seen.attached)
    keys = [_identity_of(state, layer) for layer in meant.wanted.layers]
    for key, layer in zip(keys, meant.wanted.layers, strict=True):
        arn = there.get(key)
        if arn is None:
            known = newest.get(key)
            reason = f"layer `{short(layer)}` is not attached"
            if known is None and not layer.startswith("arn:"):
                reason += ", and was never published"
            hint = "importing its modules fails with `No module named …`"
            yield _said(seen, "layers", Severity.ERROR, reason, hint, meant.deploy)
            continue
        found, digest = layers.get(arn), digests.get(layer)
        if found is not None and digest and found.code_sha256 != digest:
            reason = f"layer `{short(arn)}` is not what was built"
            yield _said(seen, "layers", Severity.WARNING, reason, "", meant.deploy)
        elif layer.startswith("arn:") and layer != arn:
            reason = f"layer `{short(arn)}` is attached, and the configuration says version {version_of(layer)}"
            yield _said(seen, "layers", Severity.WARNING, reason, "", meant.deploy)
    order = [key for key in there if key in keys]
    if order != [key for key in keys if key in there]:
        reason = "its layers are in another order than configured: of two with one file the later wins"
        yield _said(seen, "layers", Severity.WARNING, reason, "", meant.deploy)
    others = [arn for key, arn in there.items() if key not in keys]
    if (excess := len(others) + len(keys) - limits().layers) > 0:
        names = ", ".join(f"`{name_of(arn)}`" for arn in others)
        is_to_have = f"it is to have {counted(len(keys), 'layer')} of its own"
        reason = f"{is_to_have}, others attached {names}, and Lambda takes {limits().layers}"
        # Which of them it can do without is for those to say who attached them
        which = f"{excess} of {names}" if len(others) > excess else names
        hint = f"take {which} away, or merge layers"
        yield _said(seen, "layers", Severity.ERROR, reason, hint)


def _compatible(seen: Seen, state: FunctionState, layer: LayerVersion) -> Iterator[Diagnosis]:
    """What a layer says that it is for: a filter in the console, and mostly true."""
    for what, there, said in (
        ("runtime", state.runtime, layer.runtimes),
        ("architecture", state.architecture, layer.architectures),
    ):
        if said and there not in said:
            reason = f"layer `{layer.name}:{layer.version}` says that it is for {', '.join(said)}, not for {there}"
            hint = f"its compiled modules may not load: build it for this {what}"
            yield _said(seen, "layers", Severity.WARNING, reason, hint)


def _code(seen: Seen, state: FunctionState, meant: Meant) -> Iterator[Diagnosis]:
    if meant.wanted is not None and state.code_sha256 != meant.wanted.content.code_sha256:
        reason = f"its code is not what was built (last changed {state.modified})"
        yield _said(seen, "code", Severity.WARNING, reason, "", meant.deploy)


def _alias(seen: Seen, state: FunctionState, meant: Meant) -> Iterator[Diagnosis]:
    if not seen.alias_name:
        return
    name, alias = seen.alias_name, seen.alias
    if alias is None:
        if not any(error.action == "lambda:GetAlias" for error in seen.denied):
            reason = f"it has no alias `{name}`: whoever calls it by that gets ResourceNotFoundException"
            yield _said(seen, "alias", Severity.ERROR, reason, "", meant.deploy)
        return
    options = ["--function-name", seen.name, "--name", name]
    if alias.weights:
        parts = ", ".join(f"{weight:.0%} to version {version}" for version, weight in alias.weights)
        reason = f"its alias `{name}` still sends {parts}"
        fix = meant.aws("update-alias", *options, "--routing-config", "AdditionalVersionWeights={}")
        yield _said(seen, "alias", Severity.WARNING, reason, "a canary that nobody ended", fix)
    behind = next((one for one in seen.behind if one.version == alias.version), None)
    if behind is None:
        return
    differing = [
        what
        for what, old, new in (
            ("code", behind.code_sha256, state.code_sha256),
            ("layers", behind.layers, state.layers),
            ("runtime", behind.runtime, state.runtime),
            ("handler", behind.handler, state.handler),
        )
        if old != new
    ]
    if differing:
        reason = f"its alias `{name}` points at version {alias.version}, and $LATEST has other {', '.join(differing)}"
        hint = "what users meet is the version behind the alias"
        yield _said(seen, "alias", Severity.WARNING, reason, hint, meant.deploy)


def _means(seen: Seen, state: FunctionState, meant: Meant) -> Iterator[Diagnosis]:
    """Memory and time that are not the configured ones, or that nobody chose for packages that need more."""
    size = f"{meant.unzipped / 1e6:.0f} MB of code and layers" if meant.unzipped >= _HEAVY else ""
    if meant.memory and state.memory != meant.memory:
        yield _differing(seen, "memory", state.memory, meant.memory, "MB", meant.configured(
            seen.name, "--memory-size", str(meant.memory)
        ))  # fmt: skip
    elif size and state.memory <= _LEAST_MEMORY:
        reason = f"it has {state.memory} MB of memory, and {size}: imports get slow, or fail"
        hint = "give it more: with memory comes more of a processor, the init is shorter, and often cheaper"
        yield _said(seen, "memory", Severity.WARNING, reason, hint)
    if meant.timeout and state.timeout != meant.timeout:
        yield _differing(seen, "timeout", state.timeout, meant.timeout, "s", meant.configured(
            seen.name, "--timeout", str(meant.timeout)
        ))  # fmt: skip
    elif size and state.timeout <= _LEAST_TIMEOUT:
        reason = f"its timeout is {state.timeout} s, and it has {size} to load"
        hint = "give it more: an init that takes longer than 10 s is done again within the first invocation"
        yield _said(seen, "timeout", Severity.WARNING, reason, hint)


def _differing(seen: Seen, name: str, there: int, configured: int, unit: str, fix: tuple[str, ...]) -> Diagnosis:
    """What AWS has otherwise than the configuration; more of it than configured harms nobody."""
    severity = Severity.WARNING if there < configured else Severity.NOTE
    reason = f"its {name} is {there} {unit}, and the configuration says {configured} {unit}"
    return _said(seen, name, severity, reason, "a deploy never sets it", fix)
