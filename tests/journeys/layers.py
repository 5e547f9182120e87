"""The layers of the examples, of one day's distributions, slimmed in each manner and unpacked for use."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from tests.journeys.lambdas import IN_SCRATCH, Lambda, lamella, sandbox_of

from lamella import uv

# Pinned, so that tomorrow's releases fail nothing today
PINS = (
    "annotated-types==0.8.0 aws-lambda-powertools==3.37.0 boto3==1.44.5 botocore==1.44.5 jmespath==1.1.0 numpy==2.5.5 "
    "pillow==13.0.0 pillow-heif==1.8.1 pyarrow==26.0.1 pydantic==2.14.3 pydantic-core==2.50.4 "
    "pydantic-settings==2.16.3 python-dateutil==2.9.0.post0 python-dotenv==1.2.4 rawpy==0.28.0 s3transfer==0.19.3 "
    "six==1.17.0 typing-extensions==4.16.0 typing-inspection==0.4.5 urllib3==2.8.0"
)
SERVICES = ["dynamodb", "redshift-data", "s3", "secretsmanager", "sqs"]
MANNERS = {
    "safe": 'profile = "safe"\nbytecode = "beside"',
    "lean": 'profile = "lean"\nbytecode = "instead"\ncompression = "max"',
}
KEYS = ("warehouse", "pictures")
_CONFIGURATION = f"""
runtime = "python3.12"
architecture = "x86_64"
lock = "requirements.txt"

[layers.warehouse]
name = "used-warehouse"
packages = ["aws-lambda-powertools", "boto3", "pyarrow", "pydantic", "pydantic-settings"]
services = {SERVICES}
without = ["pyarrow:flight", "pyarrow:s3"]
MANNER

[layers.pictures]
name = "used-pictures"
packages = ["numpy", "pillow", "pillow-heif", "rawpy"]
MANNER
"""


class Layer(NamedTuple):
    """A finished layer: how it was slimmed, its zip, the versions of its distributions, and the zip unpacked."""

    manner: str
    zip: Path
    versions: dict[str, str]
    unpacked: Lambda

    def run(self, code: str, *, given: bytes = b"", **environment: str) -> Any:
        """See `Lambda.run`; the code may write where it begins."""
        return self.unpacked.run(IN_SCRATCH + code, given=given, runtime=None, network=False, **environment)


def lock(requirements: Path, folder: Path) -> None:
    """Write requirements.txt into `folder`: the pins in the file `requirements`, with the hashes that the index has."""
    command = [uv.program(), "pip", "compile", "-q", "--no-deps", "--generate-hashes", "--no-header", "--no-annotate"]
    target = ["--python-version", "3.12", "--python-platform", "linux", str(requirements), "-o", "requirements.txt"]
    done = subprocess.run([*command, *target], cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def used(manner: str, folder: Path) -> dict[str, Layer]:
    """Build both layers in a project in `folder`, which has its lock."""
    sandbox = sandbox_of("3.12")
    output = folder / manner
    (folder / "lamella.toml").write_text(_CONFIGURATION.replace("MANNER", MANNERS[manner]))
    done = lamella("build", "--output", str(output), cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = json.loads((output / "manifest.json").read_text())["layers"]
    return {
        key: Layer(
            manner,
            output / f"{key}.zip",
            {row["name"]: row["version"] for row in rows[key]["distributions"]},
            Lambda.unpack(sandbox, folder / "run", None, [output / f"{key}.zip"]),
        )
        for key in KEYS
    }
