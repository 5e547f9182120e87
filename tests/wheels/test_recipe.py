import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.wheels.sdists import make_sdist, make_tools

from lamella.wheels.native import RECIPE


class Image:
    """The folders that the recipe sees, and what it says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.log = ""
        (folder / "in" / "tools").mkdir(parents=True)
        make_tools(folder / "in" / "tools")

    def build(self, sdists: Sequence[Path]) -> None:
        names = [path.name.split("-")[0] for path in sdists]
        job = {"names": names, "platform": "manylinux_2_26_x86_64", "libraries": ["libc.so.6"]}
        (self.folder / "in" / "job.json").write_text(json.dumps(job))
        for at, path in enumerate(sdists):
            place = self.folder / "in" / "sources" / str(at)
            place.mkdir(parents=True)
            shutil.copy(path, place)
        done = subprocess.run(
            [sys.executable, RECIPE, str(self.folder / "in"), str(self.out)],
            env={"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        self.log = done.stdout

    def made(self, at: int) -> list[str]:
        return sorted(path.name for path in (self.out / str(at)).iterdir())


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return Image(tmp_path / "image")


def test_each_becomes_a_wheel_or_says_why_not(image: Image, tmp_path: Path) -> None:
    image.build(
        [
            make_sdist(tmp_path, "pure"),
            make_sdist(tmp_path, "broken", act="sys.exit('fatal error: ffi.h: No such file or directory')"),
            make_sdist(tmp_path, "other"),
        ]
    )
    assert image.made(0) == ["pure-1.0-py3-none-any.whl"]
    assert image.made(1) == ["failed.txt"]
    assert "fatal error: ffi.h: No such file or directory" in (image.out / "1" / "failed.txt").read_text()
    assert image.made(2) == ["other-1.0-py3-none-any.whl"]
    told = [line for line in image.log.splitlines() if line.startswith("lamella: ")]
    assert sorted(told) == [
        "lamella: building broken", "lamella: building other", "lamella: building pure", "lamella: built other",
        "lamella: built pure", "lamella: could not build broken",
    ]  # fmt: skip
    assert not (image.folder / "tools").exists()  # nothing to repair


def test_a_native_one_is_repaired_for_the_targets_glibc_with_what_its_runtime_has(image: Image, tmp_path: Path) -> None:
    image.build([make_sdist(tmp_path, "native", tag="cp311-cp311-linux_x86_64")])
    assert image.made(0) == ["native-1.0-cp311-cp311-manylinux_2_26_x86_64.whl"]
    asked, policies, epoch = json.loads((image.out / "asked.json").read_text())
    assert asked[:3] == ["repair", "--plat", "manylinux_2_26_x86_64"]
    assert policies == [{"name": "manylinux_2_26", "lib_whitelist": ["libc.so.6"]}]  # no libX11 in the runtime
    assert epoch == "315532800"


def test_one_with_a_platform_and_nothing_native_stays_as_it_is(image: Image, tmp_path: Path) -> None:
    image.build([make_sdist(tmp_path, "plain", tag="py3-none-linux_x86_64")])
    assert image.made(0) == ["plain-1.0-py3-none-linux_x86_64.whl"]


def test_one_that_can_not_be_repaired_has_failed(image: Image, tmp_path: Path) -> None:
    image.build([make_sdist(tmp_path, "newer", tag="cp311-cp311-linux_x86_64")])
    assert image.made(0) == ["failed.txt"]
    assert "too-recent versioned symbols" in (image.out / "0" / "failed.txt").read_text()


def test_what_is_built_lies_at_the_same_place_each_time(image: Image, tmp_path: Path) -> None:
    here = str(image.folder / "build" / "steady" / "steady-1.0")
    image.build([make_sdist(tmp_path, "first"), make_sdist(tmp_path, "steady", act=f"assert os.getcwd() == {here!r}")])
    assert image.made(1) == ["steady-1.0-py3-none-any.whl"]


def test_an_sdist_that_leads_out_of_its_folder_fails_by_itself(image: Image, tmp_path: Path) -> None:
    path = tmp_path / "evil-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../../outside"))
    image.build([path, make_sdist(tmp_path, "fine")])
    assert image.made(0) == ["failed.txt"]
    assert image.made(1) == ["fine-1.0-py3-none-any.whl"]
    assert not (image.folder / "outside").exists()


def test_the_clock_and_the_hash_seed_have_no_say(image: Image, tmp_path: Path) -> None:
    act = "assert (os.environ['SOURCE_DATE_EPOCH'], os.environ['PYTHONHASHSEED']) == ('315532800', '0')"
    image.build([make_sdist(tmp_path, "steady", act=act)])
    assert image.made(0) == ["steady-1.0-py3-none-any.whl"]
