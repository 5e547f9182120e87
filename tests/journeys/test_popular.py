"""Popular distributions lose nothing that they need: all of them in one layer, slimmed, imported and put to work."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.utils import canonicalize_name
from tests.journeys.lambdas import IN_SCRATCH, Lambda, cleared, lamella, sandbox_of
from tests.journeys.layers import lock
from tests.journeys.popular import data, text, web

from lamella import manifest
from lamella.checks.model import Tried
from lamella.checks.trials import Attempt, attempt, trials, wanted
from lamella.manifest import LayerArtifact
from lamella.sandbox.run import Place

# One worker, for what all tests need takes minutes to make
pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("popular")]

HERE = Path(__file__).with_name("popular")
NAMED = [
    canonicalize_name(re.split(r"\[", line)[0])
    for line in (HERE / "popular.in").read_text().splitlines()
    if line and not line.startswith("#")
]
MANNERS = {
    "safe": 'profile = "safe"\nbytecode = "beside"',
    "lean": 'profile = "lean"\nbytecode = "instead"',
}
USES = {**data.USES, **web.USES, **text.USES}
PLAIN = 'profile = "none"\nbytecode = "none"'


class Slimmed(NamedTuple):
    """A layer of all, what is said of it, and what became of an import of each of its top-level modules."""

    layer: Lambda
    artifact: LayerArtifact
    attempt: Attempt

    @property
    def failed(self) -> dict[str, Tried]:
        return {tried.subject: tried for tried in self.attempt.tried if tried.failed}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a lock file of the pins, with the hashes that the index has."""
    with cleared(tmp_path_factory.mktemp("popular")) as folder:
        lock(HERE / "popular.txt", folder)
        yield folder


@pytest.fixture(scope="module")
def as_it_comes(project: Path) -> Callable[[list[str]], Slimmed]:
    """Makes a layer of some distributions, and what these require, from which nothing is left out; each once."""
    known: dict[str, Slimmed] = {}

    def of(names: list[str]) -> Slimmed:
        packages = repr(sorted(names))
        if packages not in known:
            known[packages] = made(project, "plain", f"{PLAIN}\npackages = {packages}")
        return known[packages]

    return of


@pytest.fixture(scope="module", params=MANNERS)
def slimmed(request: pytest.FixtureRequest, project: Path) -> Slimmed:
    return made(project, request.param, MANNERS[request.param])


def made(project: Path, key: str, manner: str) -> Slimmed:
    """Build a layer and try all that it brings."""
    (project / "lamella.toml").write_text(
        'runtime = "python3.12"\narchitecture = "x86_64"\nlock = "requirements.txt"\noutput = "out"\n'
        f'[layers.{key}]\nname = "{key}"\n{manner}\n'
    )
    sandbox = sandbox_of("3.12")
    done = lamella("build", cwd=project, cache=project / "cache")
    assert done.returncode == 0, done.stderr
    built = manifest.read(str(project / "out"))
    assert built is not None
    layer = Lambda.unpack(sandbox, project / "run", None, [project / "out" / f"{key}.zip"])
    (trial,) = trials(built)
    tried = attempt(trial, sandbox, Place(layer.opt), wanted(trial), at_once=os.cpu_count() or 1)
    assert not tried.broken
    return Slimmed(layer, built.layers[0], tried)


def test_all_are_there(slimmed: Slimmed) -> None:
    brought = {row.name: row.modules for row in slimmed.artifact.distributions}
    assert len(NAMED) >= 60
    assert [name for name in NAMED if not brought.get(name)] == []
    assert {tried.subject for tried in slimmed.attempt.tried} == {name for names in brought.values() for name in names}


def test_all_import(slimmed: Slimmed, as_it_comes: Callable[[list[str]], Slimmed]) -> None:
    """What doesn't, doesn't as it comes from its wheel either, for the same reason: it wants an extra, or a sister."""
    owners = [row.name for row in slimmed.artifact.distributions if slimmed.failed.keys() & set(row.modules)]
    before = as_it_comes(owners).failed if owners else {}
    lost = {
        name: (tried.kind, tried.text)
        for name, tried in slimmed.failed.items()
        if name not in before or (before[name].kind, before[name].text) != (tried.kind, tried.text)
    }
    assert lost == {}
    assert len(slimmed.failed) < 5, "more than that is no accident of the day"


def test_all_answer_for_their_version(slimmed: Slimmed) -> None:
    answers = [(row.name, row.version, row.failed) for row in slimmed.attempt.answers]
    assert answers == sorted((row.name, row.version, "") for row in slimmed.artifact.distributions)


@pytest.mark.parametrize("name", USES)
def test_used(slimmed: Slimmed, name: str) -> None:
    code, expected = USES[name]
    assert slimmed.layer.run(IN_SCRATCH + code) == expected
