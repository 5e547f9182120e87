"""Machines with empty caches of their own and one bucket between them: what one made, the next needs not."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.build.projects import WITHOUT_BYTECODE, Project, alone, cached_wheels
from tests.elf.making import Section, elf
from tests.shared.fake import Memory
from tests.wheels.index_server import IndexServer
from tests.wheels.wheelmaker import sha256

from lamella.archive.writer import Written
from lamella.aws import DeniedError, UnreachableError
from lamella.build import fleet
from lamella.build.filling import Order
from lamella.build.model import Outcome
from lamella.config.model import Slimming
from lamella.errors import OfflineError
from lamella.manifest import Distribution
from lamella.shared.depot import Depot
from lamella.shared.model import Blob
from lamella.shared.record import blob_key, from_bytes, object_key, to_bytes
from lamella.wheels.cache import Cache

# A library that gets smaller when it is blanked, and modules to compile
LIBRARY = elf(sections=[Section(".symtab", bytes(range(256)) * 16)])
CONFIGURATION = WITHOUT_BYTECODE.replace('bytecode = "none"\n', 'bytecode = "beside"\n')


class Machines:
    """One project, built on machines that have nothing: no cache, no output."""

    def __init__(self, folder: Path, index: IndexServer) -> None:
        self.folder = folder
        self.index = index
        self.memory = Memory()
        self.project = Project(folder)
        self.project.wheel(
            "stem", files={"stem/__init__.py": "import leaf\n", "stem/_c.so": LIBRARY}, requires=["leaf"]
        )
        self.project.wheel("leaf", files={"leaf/__init__.py": "LEAF = 1\n"})
        self.project.source("app.py", "import stem\n\ndef handler(event, context): ...\n")
        self.project.configure(WITHOUT_BYTECODE)
        self.lock()
        self.count = 0

    def lock(self) -> None:
        for filename, content in self.project.wheels.items():
            self.index.add(filename, content)
        self.project.lock(f"{self.index.url}/files")

    def new(self) -> None:
        """From now on another machine builds."""
        self.count += 1
        self.project.cache = self.folder / f"cache-{self.count}"
        shutil.rmtree(self.project.output, ignore_errors=True)

    def build(self, depot: Depot | None = None, **options: Any) -> Outcome:
        """Build; nothing is noted of what was asked before."""
        self.index.seen.clear()
        self.memory.asked.clear()
        return self.project.build(depot=depot or self.memory.depot(), **options)

    def anew(self, depot: Depot | None = None, **options: Any) -> Outcome:
        self.new()
        return self.build(depot, **options)

    def downloads(self) -> list[str]:
        """The wheels that the index was asked for."""
        return sorted(seen.path.rpartition("/")[2].split("-")[0] for seen in self.index.seen if ".whl" in seen.path)

    def alone(self) -> dict[str, str]:
        """What a machine makes that has no shared cache."""
        self.new()
        self.project.build()
        return self.project.digests()

    def reference(self, kind: str) -> list[tuple[str, str, dict[str, Any]]]:
        """The objects of one kind: object's key, key, facts."""
        found = []
        for place in self.memory.below("keys"):
            tree = opened(self.memory.held[place])
            if tree["kind"] == kind:
                found.append((place, tree["key"], tree))
        return found


def opened(data: bytes) -> dict[str, Any]:
    import zlib

    tree: dict[str, Any] = json.loads(zlib.decompress(data.partition(b"\n")[2]))
    return tree


@pytest.fixture
def machines(tmp_path: Path, index: IndexServer, monkeypatch: pytest.MonkeyPatch) -> Machines:
    made = Machines(tmp_path, index)
    alone(made.project, monkeypatch)
    return made


def test_the_second_machine_needs_neither_wheels_nor_compilers(machines: Machines) -> None:
    machines.project.configure(CONFIGURATION)
    expected = machines.alone()
    first = machines.anew()
    assert machines.downloads() == ["leaf", "stem"]
    assert machines.project.digests() == expected
    # Two wheels, the bytecode of each, the blanked library, the layer
    assert machines.memory.calls() == {"get keys": 6, "put_file blobs": 6, "put keys": 6}
    assert first.warnings == ()
    second = machines.anew()
    assert machines.project.digests() == expected
    assert machines.downloads() == []
    # What is known of two wheels; what is known of the layer, and its zip
    assert machines.memory.calls() == {"get keys": 3, "fetch blobs": 1}
    assert (first.warnings, second.warnings) == ((), ())
    assert first.fetched == sum(map(len, machines.project.wheels.values()))
    assert second.fetched > os.path.getsize(machines.project.output / "layer.zip")
    assert cached_wheels(machines.project.cache) == []
    assert sorted(made.written for made in second.made) == [True, True]


def test_a_machine_that_has_everything_asks_nobody(machines: Machines) -> None:
    machines.anew()
    machines.build()
    assert machines.memory.asked == []
    machines.project.source("more.py", "MORE = 1\n")
    assert machines.build().written
    shutil.rmtree(machines.project.output)
    assert machines.build().written
    assert (machines.memory.asked, machines.index.seen) == ([], [])


def test_a_machine_that_was_lent_a_layer_asks_nobody_until_that_is_gone(machines: Machines) -> None:
    machines.anew()
    machines.anew()
    before = machines.project.digests()
    machines.build()
    machines.project.source("more.py", "MORE = 1\n")
    machines.build()
    assert (machines.memory.asked, machines.index.seen) == ([], [])
    (machines.project.root / "src/more.py").unlink()
    shutil.rmtree(machines.project.output)
    machines.build()
    assert machines.memory.calls() == {"get keys": 1, "fetch blobs": 1}
    assert machines.project.digests() == before


def test_what_was_lent_is_fetched_whole_where_the_shared_cache_is_no_more(machines: Machines) -> None:
    machines.anew()
    machines.anew()
    before = machines.project.digests()
    shutil.rmtree(machines.project.output)
    with pytest.raises(OfflineError, match="2 wheels are not in the cache"):
        machines.build(offline=True)
    assert machines.memory.asked == []
    machines.index.seen.clear()
    machines.project.build()
    assert machines.downloads() == ["leaf", "stem"]
    assert machines.project.digests() == before


def test_one_wheel_is_new(machines: Machines) -> None:
    """The others, and what was derived of them, come from the bucket."""
    machines.project.configure(CONFIGURATION)
    machines.anew()
    (machines.project.wheelhouse / "leaf-1.0-py3-none-any.whl").unlink()
    del machines.project.wheels["leaf-1.0-py3-none-any.whl"]
    machines.project.wheel("leaf", "1.1", {"leaf/__init__.py": "LEAF = 2\n"})
    machines.lock()
    expected = machines.alone()
    outcome = machines.anew()
    assert machines.downloads() == ["leaf"]
    assert machines.project.digests() == expected
    assert outcome.warnings == ()
    # The wheel, its bytecode, the layer
    assert machines.memory.calls()["put keys"] == 3
    machines.anew()
    assert machines.downloads() == []
    assert machines.memory.calls() == {"get keys": 3, "fetch blobs": 1}
    assert machines.project.digests() == expected


def test_in_a_pull_request_nothing_is_written(machines: Machines) -> None:
    machines.anew(machines.memory.depot(writes=False))
    assert machines.memory.held == {}
    machines.anew()
    held = dict(machines.memory.held)
    machines.project.wheel("other", files={"other.py": "OTHER = 1\n"})
    machines.lock()
    machines.anew(machines.memory.depot(writes=False))
    assert machines.memory.writes() == []
    assert machines.memory.held == held
    assert machines.downloads() == ["other"]


def test_every_poisoned_blob_is_refused_and_mended(machines: Machines) -> None:
    expected = machines.alone()
    machines.anew()
    held = dict(machines.memory.held)
    for place in machines.memory.below("blobs"):
        machines.memory.held[place] = held[place][:-1] + bytes([held[place][-1] ^ 1])
    outcome = machines.anew(machines.memory.depot(writes=False))
    assert machines.project.digests() == expected
    assert machines.downloads() == ["leaf", "stem"]
    refused = [warning.split("`")[1] for warning in outcome.warnings]
    assert sorted(refused) == machines.memory.below("blobs")
    assert not outcome.inputs_tell
    outcome = machines.anew()
    assert len(outcome.warnings) == 4
    assert machines.memory.held == held
    assert machines.anew().warnings == ()


def test_every_poisoned_reference_is_refused_and_mended(machines: Machines) -> None:
    expected = machines.alone()
    machines.anew()
    held = dict(machines.memory.held)
    for place in machines.memory.below("keys"):
        machines.memory.held[place] = held[place][:-1]
    outcome = machines.anew()
    assert machines.project.digests() == expected
    assert sorted(warning.split("`")[1] for warning in outcome.warnings) == machines.memory.below("keys")
    assert machines.memory.held == held


@pytest.mark.parametrize("kind", ["wheel", "derived", "layer"])
@pytest.mark.parametrize("facts", [None, [], {"zips": {"written": {}}}, [[1], [2], [3], [4], [5], [6], [7]]])
def test_facts_that_can_not_be_meant_are_of_no_use(machines: Machines, kind: str, facts: Any) -> None:
    """Written by somebody who may write, and whole: but what they say is nothing that a build says."""
    expected = machines.alone()
    machines.anew()
    for place, key, tree in machines.reference(kind):
        found = from_bytes(kind, key, machines.memory.held[place])
        assert found.facts == tree["facts"]
        machines.memory.held[place] = to_bytes(kind, key, found.files, facts)
    if kind != "layer":
        for place, _, _ in machines.reference("layer"):
            del machines.memory.held[place]
    machines.anew()
    assert machines.project.digests() == expected
    machines.anew()
    assert machines.project.digests() == expected


def test_a_reference_to_another_file_is_refused(machines: Machines) -> None:
    """A wheel is proven by the lock, however whole what stands in its place is."""
    expected = machines.alone()
    machines.anew()
    for place, key, _ in machines.reference("layer"):
        del machines.memory.held[place], key
    wheels = machines.reference("wheel")
    (one, one_key, _), (other, other_key, _) = wheels
    files = [from_bytes("wheel", key, machines.memory.held[place]) for place, key, _ in wheels]
    machines.memory.held[one] = to_bytes("wheel", one_key, files[1].files, files[1].facts)
    machines.memory.held[other] = to_bytes("wheel", other_key, files[0].files, files[0].facts)
    machines.anew()
    assert machines.project.digests() == expected
    assert machines.downloads() == ["leaf", "stem"]
    machines.anew()
    assert machines.downloads() == []


@pytest.mark.parametrize(
    "error",
    [
        DeniedError("could not read `x`", action="s3:GetObject", why=["AccessDenied"], hint="let a policy allow it"),
        UnreachableError("could not read `x`", why=["nobody answers"], hint="check the network"),
    ],
    ids=["denied", "unreachable"],
)
@pytest.mark.parametrize("call", ["get", "fetch", "put", "put_file"])
def test_a_shared_cache_that_fails_fails_no_build(machines: Machines, call: str, error: Exception) -> None:
    expected = machines.alone()
    if call == "fetch":
        machines.anew()
    machines.memory.fault = lambda asked, key: error if asked == call else None  # type: ignore[assignment, return-value]  # noqa: ARG005
    outcome = machines.anew()
    assert machines.project.digests() == expected
    (told,) = outcome.warnings
    assert told.startswith("this build goes on without the shared cache `s3://built/ci`: could not read `x`")
    if call in ("get", "fetch"):
        assert machines.downloads() == ["leaf", "stem"]
        assert [asked for asked, _ in machines.memory.asked].count(call) <= 16  # those that were under way
    machines.memory.fault = lambda asked, key: None  # noqa: ARG005
    # What is in this machine's cache is none of the shared cache's business
    assert machines.build().warnings == ()
    assert machines.memory.asked == []


def test_other_options_are_another_layer(machines: Machines) -> None:
    machines.anew()
    for change in (
        ('bytecode = "beside"\n', 'bytecode = "instead"\n'),
        ('bytecode = "beside"\n', 'bytecode = "beside"\nprofile = "none"\n'),
        ('bytecode = "beside"\n', 'bytecode = "beside"\ncompression = "max"\n'),
        ('bytecode = "beside"\n', 'bytecode = "beside"\ndrop = ["leaf/__init__.py"]\n'),
    ):
        machines.project.source("app.py", "def handler(event, context): ...\n")
        machines.project.configure(CONFIGURATION.replace(*change))
        expected = machines.alone()
        machines.anew()
        assert machines.project.digests() == expected
        assert len(machines.reference("layer")) > 1
        machines.anew()
        assert machines.project.digests() == expected
        assert machines.downloads() == []


def test_patterns_that_match_nothing_are_told_on_every_machine(machines: Machines) -> None:
    machines.project.configure(WITHOUT_BYTECODE.replace('"none"\n', '"none"\ndrop = ["nothing/**"]\n'))
    first, second = machines.anew(), machines.anew()
    assert first.notes == second.notes == ("layer `layer`: the pattern `drop: nothing/**` matches no file",)
    assert machines.downloads() == []


def test_a_bundle_is_made_of_what_others_derived(machines: Machines) -> None:
    """A function's own code changes with every build: its zip is not shared."""
    machines.project.configure(
        CONFIGURATION.replace('layers = ["layer"]', 'bundle = ["stem"]\nbytecode = "beside"').replace(
            '[tool.lamella.layers.layer]\nbytecode = "beside"\n', ""
        )
    )
    expected = machines.alone()
    machines.anew()
    machines.anew()
    assert machines.downloads() == []
    assert machines.project.digests() == expected
    assert machines.reference("layer") == []
    assert machines.memory.writes() == []


def test_a_split_layer_is_made_of_what_others_derived(machines: Machines) -> None:
    machines.project.configure(WITHOUT_BYTECODE.replace('"none"\n', '"none"\nsplit = true\n'))
    expected = machines.alone()
    machines.anew()
    machines.anew()
    assert machines.downloads() == []
    assert machines.project.digests() == expected


class Raced(Cache):
    """A cache from which another build, lent the same, clears that away as soon as it lies there."""

    def remember(self, kind: str, key: str, answer: object) -> None:
        super().remember(kind, key, answer)
        os.unlink(self.partial(f"{key}.zip"))


def test_another_build_clears_away_what_was_lent_to_both(tmp_path: Path) -> None:
    memory = Memory()
    content, order = b"a layer", Order("layer `layer`", {}, Slimming(), {}, False, "ab")
    memory.held[blob_key(sha256(content))] = content
    row = Distribution("stem", "1.0", "stem.whl", sha256(b""), ("python3.12",), ("stem",), 1, 1)
    facts = {"zips": {"written": Written(sha256(content), 7, 7, 1)._asdict(), "distributions": [row._asdict()]}}
    key = fleet._salted(order.key)
    memory.held[object_key("layer", key)] = to_bytes("layer", key, {"file": Blob(sha256(content), 7)}, facts)

    def given(cache: Cache) -> bool:
        lent = fleet.Fleet(memory.depot(), cache).layers
        try:
            return lent.give(order, sha256(content), str(tmp_path / "layer.zip"))
        finally:
            lent.close()

    assert not given(Raced(str(tmp_path / "raced")))
    assert not (tmp_path / "layer.zip").exists()
    assert given(Cache(str(tmp_path / "alone")))
    assert (tmp_path / "layer.zip").read_bytes() == content


def test_no_traces_of_what_was_lent_stay(machines: Machines) -> None:
    machines.anew()
    machines.anew()
    partial = machines.project.cache / "v1/partial"
    assert not partial.exists() or os.listdir(partial) == []
