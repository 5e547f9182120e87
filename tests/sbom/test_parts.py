from __future__ import annotations

import json

import pytest

from lamella.sbom.model import Licence
from lamella.sbom.parts import Listed, read_parts

PATH = "python/demo-1.0.dist-info/sboms/demo.cdx.json"


def read(tree: object, name: str = "demo") -> Listed | None:
    return read_parts(json.dumps(tree).encode(), PATH, name)


def document(*components: object, **more: object) -> dict[str, object]:
    return {"bomFormat": "CycloneDX", "specVersion": "1.4", "components": list(components), **more}


def test_what_auditwheel_writes() -> None:
    """auditwheel 6 lists the wheel itself among its components."""
    own, added = "pkg:pypi/Demo@1.0?file_name=demo.whl", "pkg:rpm/almalinux/libgomp@8.5#c610"
    listed = read(
        document(
            {"type": "library", "bom-ref": own, "name": "Demo", "version": "1.0", "purl": own},
            {"type": "library", "bom-ref": added, "name": "libgomp", "version": "8.5", "purl": added[:-5]},
            metadata={"component": {"type": "library", "bom-ref": own, "name": "Demo", "purl": own}},
            dependencies=[{"ref": own, "dependsOn": [added]}, {"ref": added}],
        )
    )
    assert listed is not None
    (part,) = listed.parts
    assert (part.name, part.version, part.purl) == ("libgomp", "8.5", "pkg:rpm/almalinux/libgomp@8.5")
    assert part.sbom == PATH
    assert listed.needed == (part.key,)
    assert part.key == f"demo.cdx.json#{added}"


def test_what_cargo_writes() -> None:
    """cargo-cyclonedx has components inside of the described one; crates need crates."""
    digest = "5a15f179cd60c4584b8a8c596927aadc462e27f2ca70c04e0071964a73ba7a75"
    listed = read(
        document(
            {
                "type": "library",
                "bom-ref": "one",
                "name": "ahash",
                "version": "0.8.12",
                "hashes": [{"alg": "SHA-256", "content": digest.upper()}, {"alg": "SHA-1", "content": "short"}],
                "licenses": [{"expression": "MIT OR Apache-2.0"}],
                "purl": "pkg:cargo/ahash@0.8.12",
            },
            {"type": "library", "bom-ref": "two", "name": "cfg-if", "licenses": [{"license": {"id": "MIT"}}]},
            metadata={"component": {"bom-ref": "root", "components": [{"bom-ref": "root bin", "name": "_demo"}]}},
            dependencies=[
                {"ref": "root", "dependsOn": ["one", "elsewhere"]},
                {"ref": "one", "dependsOn": ["two", "root"]},
            ],
        )
    )
    assert listed is not None
    one, two = listed.parts
    assert one.hashes == (("SHA-256", digest),)
    assert one.licence == Licence("MIT OR Apache-2.0")
    assert (one.needs, two.needs) == ((two.key,), ())
    assert two.licence == Licence("MIT")
    assert listed.needed == (one.key,)


def test_components_inside_of_components_are_parts() -> None:
    listed = read(document({"name": "outer", "components": [{"name": "inner", "components": [{"name": "inmost"}]}]}))
    assert listed is not None
    assert [part.name for part in listed.parts] == ["outer", "inner", "inmost"]


def test_several_licences_stay_apart() -> None:
    """Whether all or any of them hold is not said."""
    licences = [{"license": {"id": "BSD-3-Clause"}}, {"license": {"name": "Some Terms"}}, {"license": {}}, "MIT"]
    listed = read(document({"name": "a", "licenses": licences}))
    assert listed is not None
    assert listed.parts[0].licence == Licence(stated=("BSD-3-Clause", "Some Terms"))


def test_malformed_values_are_left_out() -> None:
    listed = read(
        document(
            7,
            {"bom-ref": "nameless"},
            {"name": ["no", "text"]},
            {"name": "a\x1b\0", "type": "spell", "version": 7, "hashes": 7, "licenses": {}, "purl": None},
            metadata=[],
            dependencies=[{"ref": [], "dependsOn": 7}, {"dependsOn": [{}]}, None],
        )
    )
    assert listed is not None
    (part,) = listed.parts
    assert (part.name, part.type, part.version, part.hashes, part.purl) == ("a\\x1b\\x00", "library", "", (), "")


def test_a_reference_that_stands_twice_counts_once() -> None:
    listed = read(document({"bom-ref": "x", "name": "first"}, {"bom-ref": "x", "name": "second"}))
    assert listed is not None
    assert [part.name for part in listed.parts] == ["first"]


@pytest.mark.parametrize(
    "data",
    [b"", b"<bom/>", b"[]", b"{}", b'{"spdxVersion": "SPDX-2.3"}', b"[" * 100_000, b"\xff", b'{"bomFormat": ["x"]}'],
)
def test_what_is_no_cyclonedx_json(data: bytes) -> None:
    assert read_parts(data, PATH, "demo") is None
