"""Who may use a layer: statements of its versions' policies, with names that the same wish always gives again."""

from __future__ import annotations

import contextlib
import re
from typing import NamedTuple

from lamella.aws import NotThereError
from lamella.cloud.model import Cloud, Permission, Place
from lamella.errors import UsageError
from lamella.rollout.steps.settle import Chance, settled
from lamella.wording import printable

# AWS Lambda API reference, AddLayerVersionPermission: OrganizationId, Principal
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_ACCOUNT = re.compile(r"\d{12}")
_ANYBODY = "*"


class Sharing(NamedTuple):
    """A version of a layer in one place, and who may use it now; `changed` says that this is new."""

    place: Place
    layer: str
    version: int
    permissions: tuple[Permission, ...]
    changed: bool = False


def permission(organization: str = "", account: str = "") -> Permission:
    """The statement for all accounts of an organization, or for one account.  Raises UsageError for other forms."""
    if organization:
        if not _ORGANIZATION.fullmatch(organization):
            raise UsageError(
                f"`{printable(organization)}` is no organization",
                why=["an organization's ID is `o-` and 10 to 32 letters and digits"],
                hint="`aws organizations describe-organization` has it",
            )
        return Permission(f"lamella-{organization}", _ANYBODY, organization)
    if not _ACCOUNT.fullmatch(account) or not account.isascii():
        raise UsageError(
            f"`{printable(account)}` is no account",
            why=["an account's ID has 12 digits"],
            hint="`aws sts get-caller-identity` has it",
        )
    return Permission(f"lamella-{account}", account)


def listed(cloud: Cloud, layer: str, version: int = 0) -> Sharing:
    """Who may use a version of a layer; 0 is for the newest.  Raises UsageError where it isn't there."""
    # A version that isn't there has no policy, either
    number = cloud.lambdas.layer_version(layer, version).version if version else _newest(cloud, layer)
    return Sharing(cloud.place, layer, number, tuple(cloud.lambdas.permissions(layer, number)))


def share(cloud: Cloud, layer: str, version: int, wish: Permission) -> Sharing:
    """Let `wish` use a version of a layer; nothing is done where it may already, by whatever statement."""
    found = listed(cloud, layer, version)
    if any(_same(one, wish) for one in found.permissions):
        return found
    there = {one.statement for one in found.permissions}
    if wish.statement in there:  # somebody else's, with another meaning
        wish = wish._replace(statement=next(name for name in _names(wish.statement) if name not in there))

    def write() -> bool:
        cloud.lambdas.share(layer, found.version, wish)
        return True

    def look() -> bool | None:
        return any(_same(one, wish) for one in cloud.lambdas.permissions(layer, found.version)) or None

    settled(Chance(cloud.clock), write, look)
    return found._replace(permissions=(*found.permissions, wish), changed=True)


def unshare(cloud: Cloud, layer: str, version: int, wish: Permission) -> Sharing:
    """Take all statements away that let `wish` use a version of a layer."""
    found = listed(cloud, layer, version)
    gone = [one for one in found.permissions if _same(one, wish)]
    for one in gone:
        _remove(cloud, found, one)
    left = tuple(one for one in found.permissions if one not in gone)
    return found._replace(permissions=left, changed=bool(gone))


def _remove(cloud: Cloud, found: Sharing, one: Permission) -> None:
    def write() -> bool:
        with contextlib.suppress(NotThereError):  # somebody else did it, or a try before this one
            cloud.lambdas.unshare(found.layer, found.version, one.statement)
        return True

    def look() -> bool | None:
        left = cloud.lambdas.permissions(found.layer, found.version)
        return all(other.statement != one.statement for other in left) or None

    settled(Chance(cloud.clock), write, look)


def _newest(cloud: Cloud, layer: str) -> int:
    found = cloud.lambdas.layer_versions(layer, 1)
    if not found:
        raise UsageError(
            f"there is no layer `{printable(layer)}` in {cloud.place}",
            hint="look at its name, `--env`, `--region` and `--profile`",
        )
    return found[0].version


def _same(one: Permission, other: Permission) -> bool:
    return (_principal(one), one.organization) == (_principal(other), other.organization)


def _principal(one: Permission) -> str:
    """AWS shows an account as the ARN of its root: ``arn:aws:iam::123456789012:root``."""
    found = re.fullmatch(r"arn:[a-z0-9-]+:iam::(\d{12}):root", one.principal)
    return found[1] if found else one.principal


def _names(statement: str) -> list[str]:
    return [f"{statement}-{number}" for number in range(2, 100)]
