import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version
from tests.container.engines import IDENTITY, FakeEngine, on_path
from tests.wheels.sdists import make_sdist, make_tools
from tests.wheels.wheelmaker import sha256

from lamella.build.natives import Natives
from lamella.build.sources import Builder, Raw
from lamella.container.model import ContainerSettings
from lamella.errors import BuildError, OfflineError, OutsideError
from lamella.index.settings import IndexSettings
from lamella.lock.model import FromDirectory, FromIndex, LockedFile, Pin
from lamella.target import Target
from lamella.wheels.admit import admit
from lamella.wheels.cache import Cache
from lamella.wheels.model import Wheel
from lamella.wheels.obtain import Silent, Source

TARGET = Target("python3.11", "x86_64")
IMAGE = "registry.example/build:1"
SETTINGS = ContainerSettings(build_images=(("python3.11", IMAGE),))


class Said(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def said(self, text: str) -> None:
        self.lines.append(text)


class Bench:
    """Where sdists are built by an engine that carries out the recipe on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.podman = FakeEngine(folder / "podman", "podman", images={IMAGE: f"{IDENTITY} amd64"})
        self.cache = Cache(str(folder / "cache"))
        self.progress = Said()

    def raw(self, name: str, *, tag: str = "py3-none-any", act: str = "pass", here: bool = False) -> Raw:
        path = make_sdist(self.folder, name, tag=tag, act=act)
        file = LockedFile(path.name, path=str(path), hashes=(("sha256", sha256(path.read_bytes())),))
        return Raw(Pin(canonicalize_name(name), Version("1.0"), FromIndex((file,))), file, here)

    def project(self, name: str, *, tag: str) -> Raw:
        folder = self.folder / name
        folder.mkdir()
        make_sdist(folder, name, tag=tag)
        import subprocess

        subprocess.run(["tar", "xf", f"{name}-1.0.tar.gz"], cwd=folder, check=True)
        return Raw(Pin(canonicalize_name(name), None, FromDirectory(str(folder / f"{name}-1.0"))))

    def builder(
        self, settings: ContainerSettings = SETTINGS, *, allowed: bool = True, offline: bool = False
    ) -> Builder:
        source = Source(
            self.cache,
            lambda: IndexSettings(no_index=True, keyring="disabled"),
            offline=offline,
            progress=self.progress,
        )
        return Builder(source, TARGET, Natives(settings, source, TARGET, self._tools, allowed=allowed))

    def _tools(self) -> Sequence[Wheel]:
        path = make_tools(self.folder)
        return [admit(str(path), filename=path.name)]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    found = Bench(tmp_path)
    monkeypatch.setenv("PATH", on_path(found.podman.folder, Path("/usr/bin"), Path("/bin")))
    return found


def test_several_are_built_in_one_run_and_found_again_without_an_engine(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    raws = [bench.raw("one", tag="cp311-cp311-linux_x86_64"), bench.raw("two")]
    made = bench.builder().wheels(raws)
    assert made["one"].filename == "one-1.0-cp311-cp311-manylinux_2_26_x86_64.whl"
    assert made["two"].filename == "two-1.0-py3-none-any.whl"
    assert len(bench.podman.builds) == 1
    assert bench.progress.lines[0] == f"building `one`, `two` in {IMAGE} with podman 5.0.1"
    assert sorted(bench.progress.lines[1:]) == ["building one", "building two", "built one", "built two"]
    monkeypatch.setenv("PATH", "/nowhere")
    assert bench.builder(offline=True).wheels(raws) == made
    assert bench.builder(allowed=False).wheels(raws) == made


def test_only_what_is_missing_is_built(bench: Bench) -> None:
    bench.builder().wheels([bench.raw("one")])
    bench.builder().wheels([bench.raw("one"), bench.raw("two")])
    assert bench.progress.lines[-3] == f"building `two` in {IMAGE} with podman 5.0.1"


def test_another_image_behind_the_tag_or_other_packages_make_another_wheel(bench: Bench) -> None:
    bench.builder().wheels([bench.raw("one")])
    bench.builder(SETTINGS._replace(packages=("gcc",))).wheels([bench.raw("one")])
    assert len(bench.podman.builds) == 2
    # A tag is looked up anew when the engine is asked, and not before
    bench.podman.tell(images={IMAGE: f"{'00' * 32} amd64"})
    bench.builder().wheels([bench.raw("one")])
    assert len(bench.podman.builds) == 2
    bench.builder().wheels([bench.raw("two")])
    bench.builder().wheels([bench.raw("one")])
    assert len(bench.podman.builds) == 4


def test_what_failed_is_told_when_the_others_are_kept(bench: Bench) -> None:
    broken = bench.raw("broken", act="sys.exit('fatal error: ffi.h: No such file or directory')")
    with pytest.raises(BuildError) as caught:
        bench.builder().wheels([broken, bench.raw("fine")])
    assert caught.value.what == f"`broken` could not be built into a wheel in `{IMAGE}`"
    assert caught.value.hint == "name the package that has the header `ffi.h` in `[tool.lamella.container] packages`"
    assert bench.builder(allowed=False).wheels([bench.raw("fine")])["fine"].version == "1.0"


def test_a_wheel_for_another_machine_is_refused(bench: Bench) -> None:
    with pytest.raises(BuildError) as caught:
        bench.builder().wheels([bench.raw("plain", tag="cp312-cp312-linux_x86_64")])
    assert str(caught.value) == (
        "`plain-1.0-cp312-cp312-linux_x86_64.whl`, built in a container, does not run on "
        "python3.11 (x86_64, glibc 2.26)\n"
        "  is for CPython 3.12\n"
        "  hint: name the runtime's own image: `[tool.lamella.container] build-image`"
    )


def test_offline_nothing_is_built(bench: Bench) -> None:
    with pytest.raises(OfflineError) as caught:
        bench.builder(offline=True).wheels([bench.raw("one"), bench.raw("two")])
    assert str(caught.value) == (
        "2 distributions would have to be built in a container, and `--offline` was given\n"
        "  `one`\n  `two`\n"
        "  hint: run the same build once without `--offline`"
    )
    assert bench.podman.asked == []


def test_without_an_engine_the_error_is_the_engines(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(OutsideError, match="no container engine can be used here"):
        bench.builder().wheels([bench.raw("one")])


def test_a_sdist_with_another_hash_is_not_built(bench: Bench) -> None:
    raw = bench.raw("one")
    assert raw.sdist is not None
    other = dataclasses.replace(raw.sdist, hashes=(("sha256", "00" * 32),))
    with pytest.raises(Exception, match="is not what the lock pins"):
        bench.builder().wheels([raw._replace(sdist=other)])
    assert bench.podman.builds == []


def test_a_native_project_goes_to_the_container_when_uv_says_that_it_is_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    from lamella.uv import program

    monkeypatch.setenv("PATH", on_path(bench.podman.folder, Path(os.path.dirname(program())), Path("/usr/bin")))
    raws = [bench.project("native", tag="cp311-cp311-linux_x86_64"), bench.project("pure", tag="py3-none-any")]
    with pytest.raises(BuildError) as caught:
        bench.builder(allowed=False).wheels(raws)
    assert caught.value.hint == "`lamella build --container` builds it in the runtime's build image"
    made = bench.builder().wheels(raws)
    assert made["native"].filename == "native-1.0-cp311-cp311-manylinux_2_26_x86_64.whl"
    assert bench.progress.lines[0] == f"building `native` in {IMAGE} with podman 5.0.1"
    assert made == bench.builder(allowed=False).wheels(raws)
