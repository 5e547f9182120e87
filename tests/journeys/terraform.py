"""The real terraform with the real AWS provider, where both are on the machine."""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

# Where plugins are laid for all projects of a machine, by Terraform's documentation and by custom.
# https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
_MIRRORS = (
    "$TF_PLUGIN_CACHE_DIR",
    "~/.terraform.d/plugins",
    "~/.terraform.d/plugin-cache",
    "~/.local/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/*",
)
_PROVIDER = "registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws_v*"


def program_and_mirror() -> tuple[str, str]:
    """The path of terraform, and the folder with its providers.  Skips the test where one is missing."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("no terraform on PATH")
    for place in _MIRRORS:
        folder = os.path.expanduser(os.path.expandvars(place))
        for found in sorted(glob.glob(f"{folder}/{_PROVIDER}")):
            return program, found.split("/registry.terraform.io/", 1)[0]
    pytest.skip("terraform is here, but no mirror with its AWS provider")


class Terraform:
    """One root module in `folder`, against the AWS at `url`."""

    def __init__(self, folder: Path, scratch: Path, url: str) -> None:
        self.folder = folder
        self._program, mirror = program_and_mirror()
        rules = scratch / "terraform.rc"
        own = json.dumps(["registry.terraform.io/hashicorp/*"])
        rules.write_text(
            "provider_installation {\n"
            f"  filesystem_mirror {{\n    path = {json.dumps(mirror)}\n    include = {own}\n  }}\n"
            f"  direct {{\n    exclude = {own}\n  }}\n}}\n"
        )
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))},
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "TF_CLI_CONFIG_FILE": str(rules),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
        }

    def run(self, *arguments: str, status: int = 0, stdin: str | None = None) -> str:
        """What it says, both streams, where it ends with `status`."""
        done = subprocess.run(
            [self._program, *arguments],
            cwd=self.folder, env=self._environment, input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == status, done.stdout
        return done.stdout

    def plan(self, *arguments: str) -> dict[str, list[str]]:
        """What would be done, by address; nothing for what stays.  The plan lies in `plan.out`."""
        self.run("plan", "-out=plan.out", *arguments)
        shown: Mapping[str, Any] = json.loads(self.run("show", "-json", "plan.out"))
        rows = {row["address"]: row["change"]["actions"] for row in shown["resource_changes"]}
        return {address: actions for address, actions in rows.items() if actions not in (["no-op"], ["read"])}

    def apply_plan(self) -> None:
        self.run("apply", "plan.out")
