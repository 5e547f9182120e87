"""Is what AWS has what was meant?  Pure."""

from __future__ import annotations

from itertools import zip_longest

from lamella.cloud.model import FunctionState
from lamella.rollout.model import After
from lamella.wording import printable

# AWS Lambda developer guide, "Lambda function states": an Inactive function is started by its next invocation
_RUNS = frozenset({"Active", "Inactive"})


def differences(meant: After, size: int | None, got: FunctionState) -> tuple[str, ...]:
    """What is otherwise than it was meant, a sentence each; () where all is as it was meant.

    `size` is that of the zip in bytes, None where it isn't known.  `got` is a version, or $LATEST; its states are not
    looked at where they weren't asked for.
    """
    return (*_states(got), *_layers(meant.layers, got.layers), *_values(meant, size, got))


def _states(got: FunctionState) -> list[str]:
    """What AWS says of a version that can't be invoked as it should be."""
    reason = f": {printable(got.reason)}" if got.reason else ""
    said = []
    if got.state and got.state not in _RUNS:
        said.append(f"its state is {got.state}{reason}")
    if got.update and got.update != "Successful":
        said.append(f"its last update is {got.update}{reason}")
    return said


def _layers(meant: tuple[str, ...], got: tuple[str, ...]) -> list[str]:
    if meant == got:
        return []
    missing = [arn for arn in meant if arn not in got]
    more = [arn for arn in got if arn not in meant]
    said = [f"the layer `{arn}` is not attached" for arn in missing]
    said += [f"the layer `{arn}` is attached, and wasn't meant to be" for arn in more]
    if said:
        return said
    first, instead = next((one, other) for one, other in zip_longest(meant, got, fillvalue="none") if one != other)
    return [f"its layers are in another order: `{instead}` stands where `{first}` was meant"]


def _values(meant: After, size: int | None, got: FunctionState) -> list[str]:
    said = []
    if meant.code_sha256 != got.code_sha256:
        said.append(f"its code has the CodeSha256 `{got.code_sha256}`, not `{meant.code_sha256}`")
    if size is not None and size != got.size:
        said.append(f"its code has {got.size:,} bytes, not {size:,}")
    pairs = (
        ("runtime", meant.runtime, got.runtime),
        ("handler", meant.handler, got.handler),
        ("architecture", meant.architecture, got.architecture),
    )
    said += [f"its {name} is `{printable(found)}`, not `{wanted}`" for name, wanted, found in pairs if wanted != found]
    if meant.version and meant.version != got.version:
        said.append(f"it is version {got.version}, not {meant.version}")
    return said
