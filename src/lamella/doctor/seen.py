"""What AWS has of one function, read with as few permissions as there are: what is denied is part of the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from lamella.aws import DeniedError, NotThereError
from lamella.cloud.model import LATEST, AliasState, Cloud, FunctionState, LayerVersion
from lamella.doctor.model import Seen
from lamella.rollout.planning.layers import identity, version_of

T = TypeVar("T")


def see(cloud: Cloud, name: str, alias: str = "", layers: tuple[str, ...] = ()) -> Seen:
    """The function, its layers, and where `alias` leads.  `layers` are names of layers that it should have.

    Raises what the ports do, but for what isn't there and what is denied.
    """
    return _Reader(cloud).read(name, alias, layers)


class _Reader:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.denied: list[DeniedError] = []

    def read(self, name: str, alias: str, layers: tuple[str, ...]) -> Seen:
        lambdas = self.cloud.lambdas
        function = self.tried(lambda: lambdas.function(name))
        if function is None:
            return Seen(name, alias_name=alias, denied=tuple(self.denied))
        found = self.tried(lambda: lambdas.alias(name, alias)) if alias else None
        attached = self.attached(function)
        newest = self.newest(function, layers)
        behind = self.behind(found)
        return Seen(name, function, alias, found, behind, attached, newest, tuple(self.denied))

    def attached(self, function: FunctionState) -> tuple[tuple[str, LayerVersion | None], ...]:
        """Its layers.  That those of other accounts can't be looked into is no fault: they may be used alone."""
        found: list[tuple[str, LayerVersion | None]] = []
        for arn in function.layers:
            try:
                found.append((arn, self.cloud.lambdas.layer_version(arn.rpartition(":")[0], int(version_of(arn)))))
            except NotThereError:
                found.append((arn, None))
            except DeniedError as error:
                if arn.split(":")[4] == function.arn.split(":")[4]:
                    self.denied.append(error)
        return tuple(found)

    def newest(self, function: FunctionState, layers: tuple[str, ...]) -> tuple[tuple[str, LayerVersion], ...]:
        """Of the layers in the function's own account, and of those that it should have: others can't be listed."""
        account = function.arn.split(":")[4]
        asked = {identity(arn): arn.rpartition(":")[0] for arn in function.layers if arn.split(":")[4] == account}
        region = function.arn.split(":")[3]
        asked |= {f"{region}:{account}:layer:{name}": name for name in layers}
        found = []
        for key, name in asked.items():
            rows = self.tried(lambda name=name: self.cloud.lambdas.layer_versions(name, 1))  # type: ignore[misc]
            found += [(key, row) for row in (rows or ())[:1]]
        return tuple(found)

    def behind(self, alias: AliasState | None) -> tuple[FunctionState, ...]:
        """The versions that an alias leads to."""
        if alias is None:
            return ()
        numbers = [alias.version, *(version for version, _ in alias.weights)]
        read = [
            self.tried(lambda number=number: self.cloud.lambdas.function(alias.function, number))  # type: ignore[misc]
            for number in numbers
            if number != LATEST
        ]
        return tuple(one for one in read if one is not None)

    def tried(self, ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except NotThereError:
            return None
        except DeniedError as error:
            self.denied.append(error)
            return None
