from __future__ import annotations

import os
import random
import tracemalloc
from pathlib import Path

import pytest
from tests.deployed.faking import PIECE, FakeWorld, digest, layer_arn
from tests.deployed.moto_server import zipped

from lamella.aws import ExpiredError, NotThereError, UnreachableError
from lamella.deployed import kept, pull
from lamella.deployed.model import FUNCTION, LAYER, DeployedFunction, DeployedLayer, Reference
from lamella.errors import ArchiveError, OfflineError, OutsideError
from lamella.sandbox.unpack import merged, unpack

TOOLS = zipped({"python/tools.py": "answer = 42\n", "python/data.bin": random.Random(4).randbytes(3 * PIECE)})
CODE = zipped({"app.py": "def handler(event, context):\n    return event\n"})


class Shown:
    """A `Progress` that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, int | None]] = []

    def began(self, filename: str, size: int | None) -> None:
        self.told.append(("began", filename, size))

    def received(self, filename: str, count: int) -> None:
        self.told.append(("received", filename, count))

    def ended(self, filename: str) -> None:
        self.told.append(("ended", filename, None))


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


@pytest.fixture
def root(tmp_path: Path) -> str:
    return str(tmp_path / "cache")


def layer(world: FakeWorld, root: str, version: str = "") -> DeployedLayer:
    return pull.pull_layer(world.port, Reference(LAYER, "tools", version), root, wait=_no_wait)


def function(world: FakeWorld, root: str, qualifier: str = "") -> DeployedFunction:
    return pull.pull_function(world.port, Reference(FUNCTION, "api", qualifier), root, wait=_no_wait)


def _no_wait(_: float) -> None: ...


def files(root: str) -> list[str]:
    return sorted(name for _, _, names in os.walk(root) for name in names)


def test_a_layer_comes_whole_and_proven(world: FakeWorld, root: str) -> None:
    world.layer("tools", TOOLS)
    shown = Shown()
    found = pull.pull_layer(world.port, Reference(LAYER, "tools"), root, shown)
    assert found.fetched
    assert found.path == kept.place(found.sha256, root)
    assert Path(found.path).read_bytes() == TOOLS
    assert found.unpackable == (found.path, found.sha256)
    assert shown.told[0] == ("began", "tools:1", len(TOOLS))
    assert shown.told[-1] == ("ended", "tools:1", None)
    assert sum(count or 0 for what, _, count in shown.told if what == "received") == len(TOOLS)


def test_a_layer_version_that_was_pulled_is_not_asked_for_again(world: FakeWorld, root: str) -> None:
    arn = world.layer("tools", TOOLS)
    first = layer(world, root)
    asked = list(world.port.asked)
    again = pull.pull_layer(world.port, Reference(LAYER, *arn.rsplit(":", 1)), root)
    assert world.port.asked == asked
    assert (again.path, again.fetched, again.arn) == (first.path, False, arn)


def test_the_newest_version_is_always_asked_for(world: FakeWorld, root: str) -> None:
    world.layer("tools", TOOLS)
    assert layer(world, root).version == 1
    world.layer("tools", zipped({"python/tools.py": "answer = 43\n"}))
    assert layer(world, root).version == 2
    assert layer(world, root, "1").version == 1


def test_a_function_and_its_layers_are_ready_to_run(world: FakeWorld, root: str) -> None:
    other = zipped({"python/tools.py": "answer = 7\n"})
    layers = (world.layer("tools", TOOLS), world.layer("more", other))
    world.function("api", CODE, layers)
    found = function(world, root)
    assert [one.arn for one in found.layers] == list(layers)
    task = unpack(*found.unpackable, root)
    opt = merged([one.unpackable for one in found.layers], root)
    assert (Path(task) / "app.py").read_text().startswith("def handler")
    assert (Path(str(opt)) / "python/tools.py").read_text() == "answer = 7\n"


def test_a_second_pull_of_a_function_downloads_nothing(world: FakeWorld, root: str) -> None:
    world.function("api", CODE, (world.layer("tools", TOOLS),))
    assert function(world, root).fetched
    downloads, asked = len(world.port.downloads), len(world.port.asked)
    again = function(world, root)
    assert len(world.port.downloads) == downloads
    assert world.port.asked[asked:] == ["function api:"]
    assert (again.fetched, [one.fetched for one in again.layers]) == (False, [False])


def test_what_was_damaged_in_the_cache_is_downloaded_again(world: FakeWorld, root: str) -> None:
    world.function("api", CODE, (world.layer("tools", TOOLS),))
    found = function(world, root)
    zips: list[DeployedFunction | DeployedLayer] = [found, *found.layers]
    for one in zips:
        data = bytearray(Path(one.path).read_bytes())
        data[40] ^= 1
        Path(one.path).write_bytes(data)
    again = function(world, root)
    assert (again.fetched, again.layers[0].fetched) == (True, True)
    assert Path(again.path).read_bytes() == CODE
    assert Path(again.layers[0].path).read_bytes() == TOOLS


def test_other_bytes_than_the_digest_promised_are_not_kept(world: FakeWorld, root: str) -> None:
    world.layer("tools", TOOLS)
    world.port.faults = ["other", "other"]
    with pytest.raises(OutsideError) as caught:
        layer(world, root)
    assert digest(TOOLS) in str(caught.value)
    assert digest(b"\0" * len(TOOLS)) in str(caught.value)
    assert files(root) == []


@pytest.mark.parametrize("fault", ["other", "expired"])
def test_a_link_that_leads_elsewhere_or_nowhere_is_asked_for_once_more(
    world: FakeWorld, root: str, fault: str
) -> None:  # fmt: skip
    world.function("api", CODE)
    world.port.faults = [fault]
    assert Path(function(world, root).path).read_bytes() == CODE
    assert world.port.asked == ["function api:", "function api:"]


def test_a_link_that_never_opens(world: FakeWorld, root: str) -> None:
    world.layer("tools", TOOLS)
    world.port.faults = ["expired", "expired"]
    with pytest.raises(ExpiredError):
        layer(world, root)
    assert len(world.port.downloads) == 2
    assert files(root) == []


def test_a_download_that_breaks_off_is_continued(world: FakeWorld, root: str) -> None:
    world.layer("tools", TOOLS)
    world.port.faults = [1500, 100]
    waited: list[float] = []
    found = pull.pull_layer(world.port, Reference(LAYER, "tools"), root, wait=waited.append)
    assert world.port.downloads == [0, 1500, 1600]
    assert waited == [1, 2]
    assert Path(found.path).read_bytes() == TOOLS


def test_a_download_that_always_breaks_off(world: FakeWorld, root: str) -> None:
    world.layer("tools", TOOLS)
    world.port.faults = [10] * 9
    with pytest.raises(UnreachableError):
        layer(world, root)
    assert files(root) == []


def test_an_interrupt_leaves_nothing(world: FakeWorld, root: str) -> None:
    world.layer("tools", TOOLS)
    world.port.faults = ["interrupt"]
    shown = Shown()
    with pytest.raises(KeyboardInterrupt):
        pull.pull_layer(world.port, Reference(LAYER, "tools"), root, shown)
    assert files(root) == []
    assert shown.told[-1] == ("ended", "tools:1", None)


def test_large_zips_are_never_held_whole(world: FakeWorld, root: str) -> None:
    content = zipped({"python/large.bin": random.Random(7).randbytes(24_000_000)})
    world.layer("tools", content)
    tracemalloc.start()
    try:
        layer(world, root)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 4_000_000


def test_a_zip_that_never_ends(world: FakeWorld, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "MOST", 1000)
    world.layer("tools", TOOLS)
    with pytest.raises(OutsideError, match="more than 1000 bytes"):
        layer(world, root)
    assert files(root) == []


def test_no_value_of_the_environment_is_written_down(world: FakeWorld, root: str) -> None:
    world.function("api", CODE, variables={"TOKEN": "s3cret-value"})
    found = function(world, root)
    assert found.environment == (("TOKEN", "s3cret-value"),)
    held = b"".join(Path(folder, name).read_bytes() for folder, _, names in os.walk(root) for name in names)
    assert b"TOKEN" in held
    assert b"s3cret-value" not in held


class TestKinds:
    def test_a_function_goes_before_a_layer(self, world: FakeWorld, root: str) -> None:
        world.function("both", CODE)
        world.layer("both", TOOLS)
        assert isinstance(pull.pull(world.port, Reference("", "both"), root), DeployedFunction)
        assert isinstance(pull.pull(world.port, Reference(LAYER, "both"), root), DeployedLayer)

    def test_a_layer_where_there_is_no_function(self, world: FakeWorld, root: str) -> None:
        world.layer("tools", TOOLS)
        assert isinstance(pull.pull(world.port, Reference("", "tools", "1"), root), DeployedLayer)

    @pytest.mark.parametrize("qualifier", ["", "3", "live"])
    def test_neither(self, world: FakeWorld, root: str, qualifier: str) -> None:
        reference = Reference("", "nope", qualifier)
        with pytest.raises(NotThereError, match=f"neither a function nor a layer `{reference}`"):
            pull.pull(world.port, reference, root)

    def test_a_function_that_is_forced_is_not_looked_for_among_layers(self, world: FakeWorld, root: str) -> None:
        world.layer("tools", TOOLS)
        with pytest.raises(NotThereError, match="function `tools`"):
            pull.pull(world.port, Reference(FUNCTION, "tools"), root)


class TestRecall:
    def test_a_function_without_aws(self, world: FakeWorld, root: str) -> None:
        arn = world.layer("tools", TOOLS)
        world.function("api", CODE, (arn,), {"TOKEN": "s3cret"})
        pulled = function(world, root)
        for reference in (Reference(FUNCTION, "api"), Reference("", "api"), Reference(FUNCTION, pulled.arn)):
            found = pull.recall(reference, root)
            assert isinstance(found, DeployedFunction)
            assert (found.arn, found.path, found.handler) == (pulled.arn, pulled.path, "app.handler")
            assert (found.variables, found.environment) == (("TOKEN",), None)
            assert [one.arn for one in found.layers] == [arn]
            assert (Path(unpack(*found.unpackable, root)) / "app.py").is_file()

    def test_qualifiers_are_apart(self, world: FakeWorld, root: str) -> None:
        world.function("api", CODE)
        version = world.publish("api", "live")
        function(world, root, "live")
        found = pull.recall(Reference(FUNCTION, "api", "live"), root)
        assert isinstance(found, DeployedFunction)
        assert (found.version, found.qualifier) == (version, "live")
        with pytest.raises(OfflineError):
            pull.recall(Reference(FUNCTION, "api"), root)

    @pytest.mark.parametrize(
        "reference",
        [Reference("", "tools"), Reference(LAYER, "tools", "1"), Reference(LAYER, layer_arn("tools"), "1")],
    )
    def test_a_layer(self, world: FakeWorld, root: str, reference: Reference) -> None:
        world.layer("tools", TOOLS)
        pulled = layer(world, root)
        assert pull.recall(reference, root).path == pulled.path

    def test_what_was_never_pulled(self, root: str) -> None:
        with pytest.raises(OfflineError, match="`api` is not in the cache"):
            pull.recall(Reference("", "api"), root)

    @pytest.mark.parametrize("damage", [b"", b"PK\x03\x04"])
    def test_what_is_gone_or_damaged(self, world: FakeWorld, root: str, damage: bytes) -> None:
        world.function("api", CODE, (world.layer("tools", TOOLS),))
        found = function(world, root)
        path = Path(found.layers[0].path)
        path.write_bytes(damage + path.read_bytes()[len(damage) :] if damage else b"")
        path.write_bytes(path.read_bytes().replace(b"tools", b"fools")) if damage else path.unlink()
        with pytest.raises(OfflineError):
            pull.recall(Reference(FUNCTION, "api"), root)


def test_a_zip_that_no_reader_should_take_says_why(world: FakeWorld, root: str) -> None:
    world.layer("tools", b"this is no zip at all")
    with pytest.raises(ArchiveError) as caught:
        layer(world, root)
    assert "the zip of `tools:1` can't be unpacked here" in str(caught.value)
    assert "not a zip" in str(caught.value)


def test_a_zip_that_is_laid_out_anew_runs_and_is_recalled(world: FakeWorld, root: str) -> None:
    world.function("api", zipped({"./app.py": "answer = 42\n"}))
    found = function(world, root)
    assert found.unpackable != (found.path, found.sha256)
    assert (Path(unpack(*found.unpackable, root)) / "app.py").read_text() == "answer = 42\n"
    again = function(world, root)
    assert (again.fetched, again.unpackable) == (False, found.unpackable)
    assert pull.recall(Reference(FUNCTION, "api"), root).unpackable == found.unpackable
    os.unlink(found.unpackable[0])
    with pytest.raises(OfflineError):
        pull.recall(Reference(FUNCTION, "api"), root)
    assert os.path.isfile(function(world, root).unpackable[0])
    assert [name for name in files(root) if name.endswith(".partial")] == []
