"""What the AWS in memory holds of functions and layers, and how it words its refusals."""

from __future__ import annotations

from datetime import UTC, datetime

from lamella import aws
from lamella.cloud.model import AliasState, FunctionState, Invoked, LayerVersion, Permission
from lamella.errors import LamellaError, OutsideError

_KINDS: dict[str, type[LamellaError]] = {
    "ResourceNotFoundException": aws.NotThereError,
    "ResourceConflictException": aws.BusyError,
    "PreconditionFailedException": aws.StaleError,
}


class Function:
    """`until` is when the update that is under way completes; `before` what invocations meet till then."""

    def __init__(self, state: FunctionState) -> None:
        self.state = state
        self.until: float | None = None
        self.before: FunctionState | None = None
        self.versions: dict[int, FunctionState] = {}
        self.active: dict[int, float] = {}
        self.last = 0
        self.aliases: dict[str, AliasState] = {}
        self.invoked = 0


class Layer:
    def __init__(self) -> None:
        self.versions: dict[int, LayerVersion] = {}
        self.permissions: dict[int, dict[str, Permission]] = {}
        self.last = 0


def moment(seconds: float) -> str:
    """As AWS writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def same(one: FunctionState, other: FunctionState) -> bool:
    """Whether PublishVersion finds nothing changed: code and configuration, but for what AWS itself counts."""
    return _counted(one) == _counted(other)


def _counted(state: FunctionState) -> FunctionState:
    return state._replace(version="", revision="", modified="", state="", update="", reason="", description="")


def refused(code: str, message: str) -> LamellaError:
    """As `aws.told` says it."""
    return _KINDS.get(code, OutsideError)("could not do it", why=[f"{code}: {message}"], hint="what AWS says above")


def answered(state: FunctionState, payload: bytes) -> Invoked:  # noqa: ARG001
    """What a function answers that nobody wrote an answer for."""
    log = (
        f"START RequestId: 5ec2e7 Version: {state.version}\nEND RequestId: 5ec2e7\n"
        "REPORT RequestId: 5ec2e7\tDuration: 2.00 ms\tBilled Duration: 123 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 40 MB\tInit Duration: 120.00 ms\t\n"
    )
    return Invoked(200, b'{"statusCode": 200, "body": "{}"}', "", log, state.version)
