from __future__ import annotations

import io
import json
from pathlib import Path

from tests.sbom.artifacts import function, layer

from lamella.report.console import Console
from lamella.report.sbom import as_json, show_licences, shown
from lamella.sbom.model import Component, Inventory, Licence


def component(licence: Licence, *files: str, metadata: bool = True) -> Component:
    return Component(
        key="a", name="a", version="1.0", file="a.whl", sha256="", runtimes=(), metadata=metadata, licence=licence,
        licence_files=files, needs=(), parts=(), parts_needed=(), libraries=(), unread=(),
    )  # fmt: skip


def inventory(tmp_path: Path, *components: Component) -> Inventory:
    return Inventory(layer(tmp_path, (), {}), components, ())


def lines(inventory: Inventory, *, quiet: bool = False) -> list[str]:
    out = io.StringIO()
    show_licences(Console(quiet=quiet, out=out, err=out), [inventory])
    return out.getvalue().splitlines()


def test_an_unknown_licence_is_said_to_be_that() -> None:
    assert shown(component(Licence("MIT"))) == "MIT"
    assert shown(component(Licence(stated=("BSD", "x")))) == "unknown, stated as `BSD`, `x`"
    assert shown(component(Licence())) == "unknown, none is stated"
    assert shown(component(Licence(), metadata=False)) == "unknown, there is no METADATA"


def test_licence_files_are_named_and_counted(tmp_path: Path) -> None:
    row = component(Licence("MIT"), "python/a-1.0.dist-info/licenses/LICENSE", "x/NOTICE", "x/COPYING")
    _, first, last = lines(inventory(tmp_path, row))
    assert first.split() == ["a", "1.0", "MIT", "LICENSE", "and", "2", "more"]
    assert last == "Licences of `layer`: MIT"


def test_nothing_in_it(tmp_path: Path) -> None:
    empty = Inventory(function(tmp_path, (), {}), (), ())
    assert lines(empty) == ["`api` holds no distribution"]
    assert lines(empty, quiet=True) == []


def test_json_is_ascii(tmp_path: Path) -> None:
    text = as_json([inventory(tmp_path, component(Licence(stated=("Licență",)), "x/LICENSE"))])
    assert text.isascii()
    assert json.loads(text)["layer"]["distributions"] == [
        {"name": "a", "version": "1.0", "licence": None, "stated": ["Licență"], "licence_files": ["x/LICENSE"]}
    ]
