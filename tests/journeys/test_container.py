"""`lamella build --container` and `lamella check --container` with a real engine.

The image is Debian's, with its Python 3.11, for no registry is asked: `.ci/container-image` makes it.
"""

from __future__ import annotations

import binascii
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.journeys.native import LIBRARY, PACKAGE, make_native
from tests.wheels.wheelmaker import sha256

pytestmark = [pytest.mark.container, pytest.mark.journey]

_IMAGE = Path(__file__).parents[2] / ".ci" / "container-image"
# A distribution of the index that has no wheel, and C in it
CRCMOD = "crcmod==1.7 --hash=sha256:dc7051a0db5f2bd48665a990d3ec1cc305a466a77358ca4492826f41f283601e"
OPTIONS = '["--isolation=chroot", "--network=host", "--ulimit=nofile=1024:1024"]'
CONFIGURATION = """
[project]
name = "native"
version = "1"
requires-python = ">=3.11"

[tool.lamella]
runtime = "python3.11"

[tool.lamella.layers.layer]

[tool.lamella.functions.app]
handler = "app.handler"
layers = ["layer"]

[tool.lamella.container]
engine = "podman"
packages = {packages}
build-image = "{image}"
run-image = "{image}"
options = {options}
"""
APP = """
import crcmod._crcfunext
import crcmod.predefined
import mirrored


def handler(event, context):
    crc = crcmod.predefined.mkCrcFun("xmodem")
    return {"mirrored": mirrored.mirror(event["text"]), "crc": crc(event["text"].encode())}
"""
# What a function can tell of where it is.  It fails, so that it is told
TELLING = """
import json, os, platform


def handler(event, context): ...


found = {"user": os.getuid(), "folder": os.getcwd(), "python": platform.python_version(), "writable": []}
for place in ("/opt/file", "/var/task/file", "/tmp/file", "/file"):
    try:
        open(place, "w").close()
        found["writable"].append(place)
    except OSError:
        pass
try:
    open("/lamella/variables").close()
    found["variables"] = "readable"
except OSError:
    found["variables"] = "not readable"
found["token"] = os.environ.get("TOKEN")
raise RuntimeError(json.dumps(found))
"""


class Shop(NamedTuple):
    """A project in `root`, with its cache in `cache`."""

    root: Path
    cache: Path
    image: str

    @classmethod
    def at(cls, folder: Path, image: str, *, cache: Path | None = None, packages: str = f'["{PACKAGE}"]') -> Shop:
        root = folder / "shop"
        (root / "src").mkdir(parents=True)
        (root / "src" / "app.py").write_text(APP)
        text = CONFIGURATION.format(image=image, packages=packages, options=OPTIONS)
        (root / "pyproject.toml").write_text(text)
        sdist = make_native(root)
        (root / "requirements.txt").write_text(
            f"mirrored @ file:./{sdist.name} --hash=sha256:{sha256(sdist.read_bytes())}\n{CRCMOD}\n"
        )
        return cls(root, cache or folder / "cache", image)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        own: Mapping[str, str] = {"LAMELLA_CACHE_DIR": str(self.cache), "NO_COLOR": "1"}
        return subprocess.run(
            [sys.executable, "-m", "lamella", *arguments], cwd=self.root, env={**os.environ, **own, **environment},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def edit(self, old: str, new: str) -> None:
        path = self.root / "pyproject.toml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    @property
    def layer(self) -> Path:
        return self.root / "dist" / "lambda" / "layer.zip"

    def distributions(self) -> dict[str, str]:
        """The files that the layer's distributions came from, by name."""
        tree = json.loads((self.root / "dist" / "lambda" / "manifest.json").read_text())
        return {row["name"]: row["file"] for row in tree["layers"]["layer"]["distributions"]}


def stored() -> tuple[str, str]:
    """The images and containers that podman has."""
    found = [
        subprocess.run(["podman", *words], capture_output=True, text=True, check=True).stdout
        for words in (
            ("images", "--all", "--no-trunc", "--format", "{{.ID}} {{.Repository}}"),
            ("ps", "-aq", "--external"),
        )
    ]
    return found[0], found[1]


@pytest.fixture(scope="module")
def image() -> str:
    done = subprocess.run([str(_IMAGE)], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def like_lambda(image: str, tmp_path: Path) -> Iterator[str]:
    """An image that has the interpreter where Lambda has it, and a library that the runtime brings."""
    name = "localhost/lamella-tests:like-lambda"
    steps = "RUN mkdir -p /var/lang/bin /var/runtime && ln -s /usr/bin/python3.11 /var/lang/bin/python3.11"
    (tmp_path / "Containerfile").write_text(f"FROM {image}\n{steps} && echo 'ours = 1' >/var/runtime/boto3.py\n")
    command = ["podman", "build", *json.loads(OPTIONS), "--layers=false", "--tag", name, str(tmp_path)]
    subprocess.run(command, capture_output=True, check=True)
    yield name
    subprocess.run(["podman", "image", "rm", "--force", name], capture_output=True, check=True)


@pytest.fixture(scope="module")
def shop(image: str, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Built, in a container."""
    made = Shop.at(tmp_path_factory.mktemp("container"), image)
    before = stored()
    done = made.run("build", "--container")
    assert done.returncode == 0, done.stderr
    assert f"building `crcmod`, `mirrored` in {image} with podman" in done.stderr
    assert "built mirrored" in done.stderr
    assert stored() == before
    return made


def copy_of(shop: Shop, folder: Path) -> Shop:
    """Another project of the same, with the same cache."""
    return Shop.at(folder, shop.image, cache=shop.cache)


def test_sources_become_wheels_for_lambdas_glibc_with_what_lambda_lacks(shop: Shop) -> None:
    wheels = shop.distributions()
    assert set(wheels) == {"crcmod", "mirrored"}
    for filename in wheels.values():
        found = re.search(r"-cp311-cp311-(?:\w+\.)*manylinux_2_(\d+)_x86_64", filename)
        assert found is not None, filename
        assert int(found[1]) <= 26
    with zipfile.ZipFile(shop.layer) as archive:
        names = archive.namelist()
    assert [name for name in names if name.startswith(f"python/mirrored.libs/{LIBRARY}")]


def test_the_next_build_wants_no_engine_and_no_network(shop: Shop, tmp_path: Path) -> None:
    other = copy_of(shop, tmp_path)
    tools = tmp_path / "bin"
    tools.mkdir()
    done = other.run("build", "--offline", PATH=f"{Path(sys.executable).parent}:{tools}")
    assert done.returncode == 0, done.stderr
    assert other.layer.read_bytes() == shop.layer.read_bytes()


def test_built_again_from_nothing_it_is_the_same(shop: Shop, tmp_path: Path) -> None:
    other = Shop.at(tmp_path, shop.image)
    done = other.run("build", "--container")
    assert done.returncode == 0, done.stderr
    assert other.layer.read_bytes() == shop.layer.read_bytes()


def test_it_passes_every_check_and_runs(shop: Shop) -> None:
    checked = shop.run("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "platform OK" in checked.stdout
    (shop.root / "event.json").write_text('{"text": "("}')
    done = shop.run("invoke", "app", "--event", "event.json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"mirrored": ")", "crc": binascii.crc_hqx(b"(", 0)}


def test_it_imports_in_the_image(shop: Shop) -> None:
    before = stored()
    done = shop.run("check", "--container", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    tree = json.loads(done.stdout)
    assert tree["findings"] == []
    how = re.escape(shop.image) + r", Python 3\.11\.\d+, glibc 2\.36, by podman [\d.]+"
    assert re.fullmatch(rf"2 modules of 2 distributions, 1 handler \({how}\)", tree["checks"]["imports"]["summary"])
    assert re.fullmatch(rf"2 distributions \({how}\)", tree["checks"]["metadata"]["summary"])
    assert f"note: `{shop.image}` has glibc 2.36, and python3.11 has 2.26" in done.stderr
    assert stored() == before


def test_a_function_sees_there_what_it_sees_in_lambda(shop: Shop, tmp_path: Path) -> None:
    other = copy_of(shop, tmp_path)
    (other.root / "src" / "app.py").write_text(TELLING)
    assert other.run("build", "app", "layer").returncode == 0
    done = other.run("check", "--container", "--only", "imports", "--env", "TOKEN=hidden-one", "--json")
    assert done.returncode == 1
    (finding,) = json.loads(done.stdout)["findings"]
    start = f"handler `app.handler` in `{shop.image}` can't be imported: RuntimeError: "
    assert finding["reason"].startswith(start)
    found = json.loads(finding["reason"].removeprefix(start))
    assert found.pop("python").startswith("3.11.")
    assert found == {
        "user": 993,
        "folder": "/var/task",
        "writable": ["/tmp/file"],
        "variables": "not readable",
        "token": "hidden-one",
    }
    assert (finding["path"], finding["line"]) == ("app.py", 21)


def test_the_runtimes_own_interpreter_and_libraries_are_the_images(
    shop: Shop, like_lambda: str, tmp_path: Path
) -> None:
    other = copy_of(shop, tmp_path)
    (other.root / "src" / "app.py").write_text(
        "import sys\nimport boto3\n\nassert boto3.ours\n"
        "assert sys.executable == '/var/lang/bin/python3.11', sys.executable\n\n\ndef handler(event, context): ...\n"
    )
    assert other.run("build", "--offline").returncode == 0
    lacking = other.run("check", "--container", "--only", "imports")
    assert lacking.returncode == 0
    assert "it needs `boto3`, which the runtime brings and the image has not" in lacking.stdout
    other.edit(f'run-image = "{shop.image}"', f'run-image = "{like_lambda}"')
    done = other.run("check", "--container", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["findings"] == []


def test_a_library_that_was_left_out_is_missed_there(shop: Shop, tmp_path: Path) -> None:
    other = copy_of(shop, tmp_path)
    other.edit("[tool.lamella.layers.layer]\n", f'[tool.lamella.layers.layer]\ndrop = ["mirrored.libs/{LIBRARY}*"]\n')
    assert other.run("build").returncode == 0
    done = other.run("check", "--container", "--only", "imports", "--json")
    assert done.returncode == 1
    reasons = [finding["reason"] for finding in json.loads(done.stdout)["findings"]]
    start = f"`mirrored` of `mirrored` 1.0 in `{shop.image}` can't be imported: ImportError: {LIBRARY}"
    assert any(reason.startswith(start) and "cannot open shared object file" in reason for reason in reasons), reasons


def test_a_header_that_the_image_lacks(image: str, tmp_path: Path) -> None:
    shop = Shop.at(tmp_path, image, packages="[]")
    done = shop.run("build", "--container")
    assert done.returncode == 2, done.stderr
    assert f"`mirrored` could not be built into a wheel in `{image}`" in done.stderr
    assert "fribidi/fribidi.h: No such file or directory" in done.stderr
    assert "hint: name the package that has the header `fribidi/fribidi.h` in" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_image_without_the_runtimes_python(shop: Shop, tmp_path: Path) -> None:
    other = copy_of(shop, tmp_path)
    other.edit("python3.11", "python3.12")
    building = other.run("build", "--container")
    assert building.returncode == 3
    assert "the image has no python3.12 with pip" in building.stderr
    (other.root / "requirements.txt").write_text("")
    (other.root / "src" / "app.py").write_text("def handler(event, context): ...\n")
    other.edit("[tool.lamella.layers.layer]\n", "")
    other.edit('layers = ["layer"]\n', "")
    made = other.run("build", "app")
    assert made.returncode == 0, made.stderr
    done = other.run("check", "--container")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error: `{shop.image}` has no python3.12\n" in done.stderr


def test_a_network_that_isolation_by_chroot_can_not_refuse(shop: Shop, tmp_path: Path) -> None:
    """podman takes that isolation with this machine's network alone, and would refuse any other."""
    other = copy_of(shop, tmp_path)
    assert other.run("build", "--offline").returncode == 0
    other.edit(', "--network=host"', "")
    done = other.run("check", "--container", "--only", "imports")
    assert done.returncode == 0, done.stderr
