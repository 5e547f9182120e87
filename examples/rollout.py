"""`make demo-rollout`: a stand-in of AWS on loopback with Spectra's functions, for as long as rollout.sh runs.

The stand-in is the tests': moto behind a front as strict as AWS's documentation.  What is invoked is really run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tests.cloud.running import Running  # noqa: E402
from tests.cloud.strict import StrictServer  # noqa: E402
from tests.deployed.moto_server import REGION, Deployer  # noqa: E402
from tests.journeys.rollouts import packed  # noqa: E402

from lamella.cachedir import cache_dir  # noqa: E402

HANDLERS = {"api-handler": "api", "worker": "worker", "authorizer": "authorizer"}


def main() -> int:
    made_up = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    os.environ.clear()
    os.environ.update(own | made_up | {"AWS_DEFAULT_REGION": REGION, "AWS_CONFIG_FILE": os.devnull})
    with (
        StrictServer() as aws,
        tempfile.TemporaryDirectory() as folder,
        Running(Path(folder), cache_dir(os.environ)) as aws.invoked,
    ):
        for key, module in HANDLERS.items():
            old = packed(f"spectra/handlers/{module}.py", "def handler(event, context):\n    return {}\n")
            Deployer(aws).function(f"spectra-{key}", old, Handler=f"spectra.handlers.{module}.handler")
        environment = {**os.environ, "AWS_ENDPOINT_URL": aws.url}
        return subprocess.run(["bash", str(HERE / "rollout.sh")], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
