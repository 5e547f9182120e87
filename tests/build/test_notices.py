from __future__ import annotations

import json

import pytest
from tests.build.projects import CONFIGURATION, Project

from lamella.build.notices import describe
from lamella.manifest import Distribution


def row(name: str, version: str = "1.0") -> Distribution:
    return Distribution(name, version, "", "", (), (), 0, 0)


def test_what_is_in_it() -> None:
    assert describe("shop", [row("a"), row("b", "2"), row("a")]) == "shop: a 1.0, b 2"
    assert describe("", [row("a")]) == "a 1.0"
    assert describe("shop", [row("a")], "Libraries of the shop") == "Libraries of the shop"


def test_what_does_not_fit_is_counted() -> None:
    text = describe("shop", [row(f"distribution-{number}") for number in range(100)])
    assert 230 < len(text) <= 256
    told = text.removeprefix("shop: ").split(", ")
    assert told[:-1] == [f"distribution-{number} 1.0" for number in range(len(told) - 1)]
    assert told[-1] == f"and {100 - (len(told) - 1)} more"


@pytest.mark.parametrize(("project", "text"), [("p" * 250, "p" * 250 + ": and "), ("p" * 300, "p" * 256)])
def test_a_name_that_leaves_no_room(project: str, text: str) -> None:
    assert describe(project, [row("a" * 300)]) == text


METADATA = "Metadata-Version: 2.4\nName: {0}\nVersion: 1.0\n{1}\n"


def stated(project: Project, name: str, line: str) -> None:
    files = {f"{name}/__init__.py": "", f"{name}-1.0.dist-info/METADATA": METADATA.format(name, line)}
    project.wheel(name, files=files)


@pytest.fixture
def licensed(project: Project) -> Project:
    stated(project, "stem", "License-Expression: MIT OR Apache-2.0\n")
    stated(project, "leaf", "Classifier: License :: OSI Approved :: BSD License\n")
    stated(project, "moss", "License: MIT\n")
    project.source("app.py", "import stem\n\ndef handler(event, context): ...\n")
    project.configure(CONFIGURATION.replace("layers.layer]\n", "layers.layer]\npackages = ['stem', 'leaf', 'moss']\n"))
    project.lock()
    return project


def notices(project: Project) -> tuple[str, str]:
    layer = project.manifest()["layers"]["layer"]
    return layer["description"], layer["licence"]


def test_the_licences_that_wheels_state(licensed: Project) -> None:
    licensed.build()
    assert notices(licensed) == (
        ("spectra: leaf 1.0, moss 1.0, stem 1.0", "(MIT OR Apache-2.0) AND MIT; licence unknown: leaf")
    )


def test_the_same_in_every_build_and_asked_once(licensed: Project) -> None:
    licensed.build()
    before = licensed.states()
    kept = sorted((licensed.cache / "v1/memos/licences").iterdir())
    assert len(kept) == 4  # the layer's and each wheel's
    licensed.build()
    assert licensed.states() == before
    assert sorted((licensed.cache / "v1/memos/licences").iterdir()) == kept
    licensed.cache = licensed.cache.with_name("another")
    assert not licensed.build().written
    assert licensed.states() == before


def test_where_the_layer_leaves_metadata_out_the_wheel_still_tells(licensed: Project) -> None:
    text = (licensed.root / "pyproject.toml").read_text()
    (licensed.root / "pyproject.toml").write_text(
        text.replace("packages = [", "drop = ['*.dist-info/METADATA']\npackages = [")
    )
    licensed.build()
    assert not any(path.endswith("METADATA") for path in licensed.members("layer"))
    assert notices(licensed)[1] == "(MIT OR Apache-2.0) AND MIT; licence unknown: leaf"


def test_a_description_alone_changes_the_manifest_alone(licensed: Project) -> None:
    licensed.build()
    zips = licensed.digests()
    text = (licensed.root / "pyproject.toml").read_text()
    (licensed.root / "pyproject.toml").write_text(
        text.replace("packages = [", "description = 'What the shop needs'\npackages = [")
    )
    outcome = licensed.build()
    assert (outcome.told, [made.written for made in outcome.made]) == (True, [False, False])
    assert notices(licensed)[0] == "What the shop needs"
    assert {name: digest for name, digest in licensed.digests().items() if name != "manifest.json"} == {
        name: digest for name, digest in zips.items() if name != "manifest.json"
    }


def test_a_manifest_of_the_format_before_is_made_anew(licensed: Project) -> None:
    licensed.build()
    path = licensed.output / "manifest.json"
    now = path.read_bytes()
    tree = json.loads(now)
    tree["schema"] = 1
    del tree["layers"]["layer"]["description"], tree["layers"]["layer"]["licence"]
    path.write_text(json.dumps(tree))
    outcome = licensed.build()
    assert path.read_bytes() == now
    assert not any(made.written for made in outcome.made)
