"""Small made-up projects and zips that are wrong in one way each, and what lamella prints of them.

The pages below docs/troubleshooting show it: docs/printed.py writes it there, and a test compares.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.build.projects import CONFIGURATION, HANDLER, Project, clean_environment
from tests.checks.builds import metadata
from tests.doctor.zips import make
from tests.elf.making import elf
from tests.wheels.wheelmaker import make_wheel, wheel_filename

RUNTIME = "python3.12"
OLD = "python3.11"  # the last one on Amazon Linux 2
MACHO = b"\xcf\xfa\xed\xfe" + bytes(100)  # how a library of macOS begins
PLAIN = CONFIGURATION.replace("layers.layer]\n", 'layers.layer]\nbytecode = "none"\n', 1)
COLUMNS = "100"


class Desk:
    """A folder to work in.  `printed` has what each command printed, by the name of its block in a page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed: dict[str, str] = {}
        self.environment: dict[str, str] = {}

    def project(self, tables: str = PLAIN, app: str = HANDLER) -> Project:
        """A project in the folder whose function is `app`."""
        made = Project(self.folder)
        made.configure(tables)
        made.source("app.py", app)
        return made

    def offered(self, name: str, version: str, tag: str) -> None:
        """A wheel that the index has, and no lock."""
        folder = self.folder / "index"
        folder.mkdir(exist_ok=True)
        content = make_wheel(name, version, {f"{name}/__init__.py": ""}, tag=tag)
        (folder / wheel_filename(name, version, tag=tag)).write_bytes(content)

    def run(self, block: str, *arguments: str, cwd: Path | None = None) -> None:
        """Run lamella, and keep its command line and all that it prints as the block `block`."""
        more = {
            "LAMELLA_CACHE_DIR": str(self.folder / "cache"),
            "NO_COLOR": "1",
            "COLUMNS": COLUMNS,
            # What hints ask for other versions: a folder, and no index
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.folder / "index"),
            "PIP_CONFIG_FILE": os.devnull,
            "XDG_CONFIG_HOME": str(self.folder),
        }
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        done = subprocess.run(
            [sys.executable, "-m", "lamella", *arguments],
            cwd=cwd or self.folder,
            env={**clean_environment(own), **more, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode in (0, 1, 2), done.stdout
        self.printed[block] = f"$ lamella {' '.join(arguments)}\n{done.stdout}".rstrip() + "\n"


def _distribution(name: str, version: str) -> dict[str, str | bytes]:
    return {f"python/{name}-{version}.dist-info/METADATA": metadata(name, version)}


def module_not_found(desk: Desk) -> None:
    made = desk.project(PLAIN.replace('layers = ["layer"]\n', ""), app=f"import rates\n\n\n{HANDLER}")
    made.wheel("rates", "2.1")
    made.lock()
    desk.run("module-not-found.build", "build", cwd=made.root)
    make(desk.folder / "function.zip", {"app.py": f"import yaml\n\n\n{HANDLER}"})
    desk.run("module-not-found.doctor", "doctor", "function.zip", "--runtime", RUNTIME)


def wrong_platform(desk: Desk) -> None:
    made = desk.project()
    desk.offered("fastmath", "2.2.0", "cp312-cp312-manylinux_2_28_x86_64")
    for tag in ("cp312-cp312-macosx_11_0_arm64", "cp312-cp312-win_amd64"):
        made.wheel("fastmath", "2.1.0", tag=tag)
    made.lock()
    desk.run("wrong-platform.build", "build", cwd=made.root)
    files: dict[str, str | bytes] = {
        "python/fastmath/__init__.py": "from fastmath._core import dot\n",
        "python/fastmath/_core.cpython-312-darwin.so": MACHO,
    }
    make(desk.folder / "layer.zip", {**files, **_distribution("fastmath", "2.1.0")})
    desk.run("wrong-platform.doctor", "doctor", "layer.zip", "--runtime", RUNTIME)


def old_glibc(desk: Desk) -> None:
    made = desk.project(PLAIN.replace(RUNTIME, OLD))
    desk.offered("fastmath", "1.9.0", "cp311-cp311-manylinux_2_17_x86_64")
    made.wheel("fastmath", "2.1.0", tag="cp311-cp311-manylinux_2_28_x86_64")
    made.lock()
    desk.run("old-glibc.build", "build", cwd=made.root)
    library = elf(needed=["libc.so.6"], needs={"libc.so.6": ["GLIBC_2.28"]}, soname="libfast.so.2")
    files: dict[str, str | bytes] = {"python/fastmath/__init__.py": "", "python/fastmath.libs/libfast.so.2": library}
    make(desk.folder / "layer.zip", {**files, **_distribution("fastmath", "2.1.0")})
    desk.run("old-glibc.doctor", "doctor", "layer.zip", "--runtime", OLD)


def too_large(desk: Desk) -> None:
    made = desk.project(app=f"import model\n\n\n{HANDLER}")
    weights: dict[str, str | bytes] = {f"model/zeros{number}.bin": bytes(100_000_000) for number in range(2)}
    weights["model/noise.bin"] = random.Random(1).randbytes(64_000_000)
    made.wheel("model", "1.0", {"model/__init__.py": "", **weights})
    made.lock()
    made.run("build", check=True)
    desk.run("too-large.check", "check", "--only", "size", cwd=made.root)
    desk.run("too-large.size", "size", "layer", "--by", "distribution", cwd=made.root)


def wrong_structure(desk: Desk) -> None:
    files = {"six.py": "", "six-1.17.0.dist-info/METADATA": metadata("six", "1.17.0")}
    make(desk.folder / "layer.zip", files)
    desk.run("wrong-structure.doctor", "doctor", "layer.zip", "--runtime", RUNTIME)


def permissions(desk: Desk) -> None:
    make(desk.folder / "layer.zip", {"python/six.py": "", **_distribution("six", "1.17.0")}, mode=0o640)
    desk.run("permissions.doctor", "doctor", "layer.zip", "--runtime", RUNTIME)


def deleted_metadata(desk: Desk) -> None:
    asks = "from importlib.metadata import version\n\n__version__ = version('telemetry')\n"
    make(desk.folder / "layer.zip", {"python/telemetry/__init__.py": asks, "python/six.py": ""})
    desk.run("deleted-metadata.doctor", "doctor", "layer.zip", "--runtime", RUNTIME)


def not_attached(desk: Desk) -> None:
    """The function is in AWS, its layer is there too, and nobody attached it."""
    from tests.cloud.strict import StrictServer
    from tests.deployed.moto_server import REGION, Deployer

    made = desk.project(app=f"import rates\n\n\n{HANDLER}")
    made.wheel("rates", "2.1")
    made.lock()
    made.run("build", check=True)
    credentials = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    facts = {"AWS_DEFAULT_REGION": REGION, "AWS_CONFIG_FILE": os.devnull, "NO_PROXY": "*"}
    with StrictServer() as aws:
        aws.forget()  # moto is one of the whole process: a test before may have left something
        desk.environment = {**credentials, **facts, "AWS_ENDPOINT_URL": aws.url}
        deployer = Deployer(aws)
        deployer.layer("spectra-layer", (made.output / "layer.zip").read_bytes())
        runtime = json.loads((made.output / "manifest.json").read_text())["functions"]["api"]["runtime"]
        deployer.function("spectra-api", (made.output / "api.zip").read_bytes(), Runtime=runtime)
        for waiter in ("function_active_v2", "function_updated_v2"):
            deployer.lambdas.get_waiter(waiter).wait(FunctionName="spectra-api", WaiterConfig={"Delay": 0})
        desk.run("not-attached.doctor", "doctor", "api", cwd=made.root)
        desk.run("not-attached.plan", "plan", cwd=made.root)


CASES: dict[str, Callable[[Desk], None]] = {
    "module-not-found": module_not_found,
    "wrong-platform": wrong_platform,
    "old-glibc": old_glibc,
    "too-large": too_large,
    "wrong-structure": wrong_structure,
    "permissions": permissions,
    "deleted-metadata": deleted_metadata,
    "not-attached": not_attached,
}
