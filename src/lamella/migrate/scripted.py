"""The commands of scripts, put together: which install goes into which layer, which folder into which function."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lamella.migrate.model import Layer, Origin, Place, Reading
from lamella.migrate.naming import layer_key
from lamella.migrate.scripted_functions import Functions
from lamella.migrate.scripted_parts import Parts, known
from lamella.migrate.steps import Aws, Installed, Zipped

if TYPE_CHECKING:
    from lamella.migrate.scripts import Row


def read(root: str, files: tuple[str, ...], rows: Sequence[Row]) -> Reading:
    """What the rows say together."""
    return _Scripts(root, rows).reading(files)


class _Scripts:
    def __init__(self, root: str, rows: Sequence[Row]) -> None:
        self.parts = Parts(root, rows)

    def reading(self, files: tuple[str, ...]) -> Reading:
        parts = self.parts
        for row in parts.rows:
            if isinstance(row.step, Aws) and row.step.verb == "publish-layer-version":
                self._published(row.command.place, row.step)
        for place, zipped in parts.unclaimed():
            if parts.is_layer(zipped):
                self._unpublished(place, zipped)
        functions = Functions(parts).read()
        for command, install in parts.installs:
            self._check_install(command.place, install)
        runtime, architecture = parts.target()
        return Reading(
            Origin("scripts", files),
            runtime,
            architecture,
            tuple(parts.layers),
            functions,
            items=parts.notes.items,
        )

    def _published(self, place: Place, one: Aws) -> None:
        """The layer that a command publishes."""
        name = one.one("layer-name")
        zipped = self.parts.archive(one)
        inside = self.parts.inside(zipped) if zipped is not None else []
        if not inside and len(self.parts.installs) == 1:
            inside = [self.parts.installs[0][1]]
        if not inside or "$" in name or not name:
            what = f"the layer `{name}`" if name and "$" not in name else "a layer whose name is computed"
            self.parts.notes.open(
                place,
                f"{what}: what is in it was not found",
                "write a `[layers]` table with its `name`, and its distributions in `packages`",
            )
            return
        runtimes = tuple(text for text in one.all("compatible-runtimes") if text.startswith("python"))
        made = self._layer(place, name, inside)
        self.parts.layers.append(
            made._replace(runtimes=runtimes if len(runtimes) > 1 else (), description=known(one.one("description")))
        )
        self.parts.unasked(place, one)

    def _unpublished(self, place: Place, zipped: Zipped) -> None:
        """The layer that a zip is, which nothing publishes."""
        self.parts.claimed.add(zipped.archive)
        name = os.path.basename(zipped.archive).removesuffix(".zip")
        self.parts.layers.append(self._layer(place, name, self.parts.inside(zipped)))
        self.parts.notes.open(place, f"nothing publishes `{zipped.archive}`", "write the layer's `name` in AWS")

    def _layer(self, place: Place, name: str, inside: Sequence[Installed]) -> Layer:
        requirements = [path for install in inside for path in install.requirements]
        packages = [text for install in inside for text in install.packages]
        key = layer_key(requirements[0] if requirements else name, [layer.key for layer in self.parts.layers])
        self.parts.extra(requirements, place)
        self.parts.folders.update((install.target, key) for install in inside)
        return Layer(
            key,
            name,
            requirements[0] if requirements else "",
            self.parts.names(packages, place),
            drop=self.parts.drop(),
        )

    def _check_install(self, place: Place, one: Installed) -> None:
        if one.target not in self.parts.folders:
            self.parts.notes.open(
                place,
                f"what is installed into `{one.target}` is in no layer and no function that was found",
                "add it to a layer's `packages`, or leave it out",
            )
        for option in one.unlike:
            todo = (
                "put the constraint into the lock"
                if option in ("-c", "--constraint")
                else "indexes are read from the lock, uv's and pip's own settings: set it there"
            )
            self.parts.notes.open(place, f"`{option}` of pip", todo)
