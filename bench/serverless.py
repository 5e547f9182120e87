"""serverless-python-requirements with `slim`: the newest plugin in the last serverless that asks for no login.

Everything of it lies in a folder that is thrown away, and its home is there, too.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from pathlib import Path

from bench.tools import Bench

PACKAGES = ("serverless", "serverless-python-requirements")
INSTALL = (
    "npm install --cache npm-cache --ignore-scripts --no-package-lock --no-audit --no-fund "
    "serverless@3 serverless-python-requirements"
)
MADE = ".serverless/pythonRequirements.zip"
# When the plugin has written the layer, serverless asks AWS for the last version of it; it gets no credentials here
PACKAGE = (
    "../node_modules/.bin/serverless package >said.txt 2>&1 || "
    f"{{ test -f {MADE} && grep -q 'AWS provider credentials not found' said.txt; }}"
)
_SERVICE = """\
service: {name}
frameworkVersion: "3"
plugins: [serverless-python-requirements]
provider:
  name: aws
  runtime: python3.12
custom:
  pythonRequirements:
    slim: true
    layer: true
    usePyProject: false
    useDownloadCache: false
    useStaticCache: false
    pythonBin: {python}
functions:
  none:
    handler: none.handler
package:
  patterns: ["!**", "none.py"]
"""


def install(bench: Bench) -> Bench | None:
    """The environment in which it runs.  None, and why on stderr, when it can't be had here."""
    missing = [name for name in ("node", "npm", "strip") if shutil.which(name) is None]
    if missing:
        print(f"SKIPPED serverless-python-requirements: no {', '.join(missing)}", file=sys.stderr)
        return None
    folder = bench.root / "serverless"
    folder.mkdir()
    done = bench.run(f"timeout 600 {INSTALL}", folder)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-6:]
        print(f"SKIPPED `{INSTALL}`: exit code {done.returncode}", *said, sep="\n    ", file=sys.stderr)
        return None
    return _at_home(bench, folder / "home")


def _at_home(bench: Bench, home: Path) -> Bench:
    """With pip's settings and downloads as elsewhere on this machine, and with nobody's AWS account."""
    downloads = bench.must("pip cache dir", bench.root).strip()
    (home / ".config").mkdir(parents=True)
    (home / ".config" / "pip").symlink_to(Path.home() / ".config" / "pip")
    (home / ".pip").symlink_to(Path.home() / ".pip")
    environment = {name: value for name, value in bench.environment.items() if not name.startswith("AWS_")}
    environment |= {
        "HOME": str(home),
        "PIP_CACHE_DIR": downloads,
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SLS_TELEMETRY_DISABLED": "1",
        "SLS_TRACKING_DISABLED": "1",
        "SLS_NOTIFICATIONS_MODE": "off",
    }
    return dataclasses.replace(bench, environment=environment)


def write_project(bench: Bench, name: str, requirements: Path) -> Path:
    """A service with nothing but the layer of these pins."""
    folder = bench.root / "serverless" / name.lower()
    folder.mkdir()
    shutil.copy(requirements, folder / "requirements.txt")
    python = bench.root / "others" / "bin" / "python"
    (folder / "serverless.yml").write_text(_SERVICE.format(name=name.lower(), python=python), encoding="utf-8")
    (folder / "none.py").touch()
    return folder


def versions(bench: Bench) -> str:
    """Of node and the two packages."""
    found = [f"node {bench.run('node --version', bench.root).stdout.strip().removeprefix('v')}"]
    for name in PACKAGES:
        text = (bench.root / "serverless" / "node_modules" / name / "package.json").read_text(encoding="utf-8")
        found.append(f"{name} {json.loads(text)['version']}")
    return ", ".join(found)
