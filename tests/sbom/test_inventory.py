from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from tests.sbom.artifacts import function, layer, metadata, row

from lamella.errors import UsageError
from lamella.sbom.inventory import inventory
from lamella.sbom.model import Licence

SITE_11, SITE_12 = (f"python/lib/python3.{minor}/site-packages" for minor in (11, 12))


def test_a_layer(tmp_path: Path) -> None:
    info = "python/Stem_Cell-1.0.dist-info"
    lines = ("License-Expression: MIT", "License-File: LICENSE", "Requires-Dist: leaf>=1")
    artifact = layer(
        tmp_path,
        (row("leaf", "2.0"), row("stem-cell")),
        {
            f"{info}/METADATA": metadata("Stem.Cell", "1.0", *lines),
            f"{info}/licenses/LICENSE": "…",
            f"{info}/licenses/vendored/COPYING": "…",
            f"{info}/WHEEL": "",
            "python/leaf-2.dist-info/METADATA": metadata("leaf", "2.0", "License: BSD"),
            "python/leaf-2.dist-info/LICENCE.txt": "…",
            "python/leaf-2.dist-info/entry_points.txt": "",
            "python/leaf.libs/libx-1.so.6.0": b"\x7fELF",
            "python/leaf.libs/data.txt": "",
        },
        links={"python/leaf.libs/libx.so": "libx-1.so.6.0"},
    )
    found = inventory(artifact, str(tmp_path))
    leaf, stem = found.components
    assert (stem.name, stem.version, stem.licence, stem.metadata) == ("stem-cell", "1.0", Licence("MIT"), True)
    assert stem.licence_files == (f"{info}/licenses/LICENSE", f"{info}/licenses/vendored/COPYING")
    assert stem.needs == (leaf.key,)
    assert leaf.licence == Licence(stated=("BSD",))
    assert leaf.licence_files == ("python/leaf-2.dist-info/LICENCE.txt",)
    assert [(lib.path, lib.sha256) for lib in leaf.libraries] == [
        ("python/leaf.libs/libx-1.so.6.0", hashlib.sha256(b"\x7fELF").hexdigest())
    ]
    assert found.needs == (stem.key,)
    assert stem.key == "pkg:pypi/stem-cell@1.0"


def test_a_function_with_its_bundle_at_the_root(tmp_path: Path) -> None:
    files = {"app.py": "", "leaf-1.0.dist-info/METADATA": metadata("leaf", "1.0", "License: MIT License")}
    (leaf,) = inventory(function(tmp_path, (row("leaf"),), files), str(tmp_path)).components
    assert leaf.licence == Licence("MIT")


def test_metadata_that_is_not_there(tmp_path: Path) -> None:
    files = {"python/leaf-1.1.dist-info/METADATA": metadata("leaf", "1.1", "License: MIT"), "python/leaf.py": ""}
    (leaf,) = inventory(layer(tmp_path, (row("leaf"),), files), str(tmp_path)).components
    assert (leaf.metadata, leaf.licence, leaf.needs) == (False, Licence(), ())


def test_several_runtimes(tmp_path: Path) -> None:
    """The wheels of one version lie in a folder each; equal files are one, and a link."""
    both = ("python3.11", "python3.12")
    rows = (
        row("fast", tag="cp311-cp311-linux_x86_64", runtimes=both[:1]),
        row("fast", tag="cp312-cp312-linux_x86_64", runtimes=both[1:]),
        row("old", "1.0", runtimes=both[:1]),
        row("old", "2.0", runtimes=both[1:]),
        row("pure", runtimes=both),
    )
    files = {
        f"{SITE_11}/fast-1.0.dist-info/METADATA": metadata("fast", "1.0", "License-Expression: MIT"),
        f"{SITE_11}/fast.libs/liba.so": "eleven",
        f"{SITE_12}/fast.libs/liba.so": "twelve",
        f"{SITE_11}/old-1.0.dist-info/METADATA": metadata("old", "1.0", "License-Expression: ISC"),
        f"{SITE_12}/old-2.0.dist-info/METADATA": metadata("old", "2.0", "License-Expression: Zlib"),
        "python/pure-1.0.dist-info/METADATA": metadata("pure", "1.0", "Requires-Dist: fast", "Requires-Dist: old"),
    }
    links = {f"{SITE_12}/fast-1.0.dist-info/METADATA": "../../../python3.11/site-packages/fast-1.0.dist-info/METADATA"}
    found = inventory(layer(tmp_path, rows, files, links=links, runtimes=both), str(tmp_path))
    eleven, twelve, one, two, pure = found.components
    assert eleven.key != twelve.key
    assert eleven.licence == twelve.licence == Licence("MIT")
    assert [lib.path for lib in (*eleven.libraries, *twelve.libraries)] == [
        f"{SITE_11}/fast.libs/liba.so",
        f"{SITE_12}/fast.libs/liba.so",
    ]
    assert (one.licence, two.licence) == (Licence("ISC"), Licence("Zlib"))
    assert pure.needs == tuple(sorted(component.key for component in (eleven, twelve, one, two)))
    assert found.needs == (pure.key,)


def test_sboms_of_the_wheel(tmp_path: Path) -> None:
    info = "python/demo-1.0.dist-info"
    listed = {"bomFormat": "CycloneDX", "components": [{"name": "crate", "version": "3"}]}
    files = {
        f"{info}/METADATA": metadata("demo"),
        f"{info}/sboms/rust/demo.cdx.json": json.dumps(listed),
        f"{info}/sboms/auditwheel.cdx.json": json.dumps(listed),
        f"{info}/sboms/demo.spdx.json": '{"spdxVersion": "SPDX-2.3"}',
    }
    (demo,) = inventory(layer(tmp_path, (row("demo"),), files), str(tmp_path)).components
    assert [(part.key, part.name) for part in demo.parts] == [
        ("auditwheel.cdx.json#0", "crate"),
        ("rust/demo.cdx.json#0", "crate"),
    ]
    assert demo.unread == (f"{info}/sboms/demo.spdx.json",)


def test_another_zip_than_the_manifests(tmp_path: Path) -> None:
    artifact = layer(tmp_path, (), {"python/a.py": ""})
    (tmp_path / "layer.zip").write_bytes((tmp_path / "layer.zip").read_bytes() + b"\0")
    with pytest.raises(UsageError):
        inventory(artifact, str(tmp_path))
