"""Photos that were there before: by the console script, and by the state machine, through the deployed function.

The script is run as it is installed: out of the wheel, not out of the source tree.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from examples.galerly.tests.statemachine import MACHINE, Machine, definition
from tests.cloud.strict import Answered, Invocation
from tests.journeys.example_rollouts import Rollout, rolled_out
from tests.journeys.lambdas import dng
from tests.tools import python_tools

BUCKET, FUNCTION = "photos", "galerly-image-processor:live"
NAMES = ("a.dng", "with space+plus.dng", "Überblick.dng")


class Studio:
    """A bucket of photos that nobody rendered, and the deployed processor.  `most` ran at once."""

    def __init__(self, rollout: Rollout, wheel: Path) -> None:
        self.rollout, self._wheel = rollout, wheel
        self.s3 = boto3.client("s3")
        self.invoked: list[str] = []
        self.most = self._now = 0
        self._turn = threading.Lock()
        self._run = rollout.aws.invoked
        rollout.aws.invoked = self._watched

    def _watched(self, given: Invocation) -> Answered:
        with self._turn:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            with self._turn:
                self.invoked.append(json.loads(given.payload)["Records"][0]["s3"]["object"]["key"])
                return self._run(given)
        finally:
            self._now -= 1

    def photo(self, name: str, content: bytes) -> str:
        key = f"uploads/owner/wedding/{name.partition('.')[0]}/{name}"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        return key

    def empty(self) -> None:
        for row in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
            self.s3.delete_object(Bucket=BUCKET, Key=row["Key"])
        self.invoked.clear()
        self.most = 0

    def keys(self, ending: str) -> list[str]:
        rows = self.s3.list_objects_v2(Bucket=BUCKET, Prefix="renditions/").get("Contents", ())
        return sorted(row["Key"] for row in rows if row["Key"].endswith(ending))

    def migrate(self, folder: Path, *arguments: str, status: int = 0) -> str:
        """The command, run in `folder`; what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "galerly.migrate_generate_medium_res", *arguments],
            cwd=folder, env={**self.rollout.environment, "PYTHONPATH": str(self._wheel), "GALERLY_BUCKET": BUCKET},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == status, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def _studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("migrate")
    with rolled_out("galerly", folder) as rollout, pytest.MonkeyPatch.context() as patch:
        for name, value in rollout.environment.items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        rollout.lamella("build")
        there = {name: value for name, value in rollout.environment.items() if name == "AWS_ENDPOINT_URL"}
        rollout.found({"image-processor": there})
        rollout.lamella("deploy", "--auto-approve")
        wheels = [
            sys.executable,
            "-m",
            "hatchling",
            "build",
            "--target",
            "wheel",
            "--directory",
            str(folder / "wheels"),
        ]
        subprocess.run(wheels, cwd=rollout.root, check=True, capture_output=True)
        (wheel,) = (folder / "wheels").iterdir()
        yield Studio(rollout, wheel)


@pytest.fixture
def studio(_studio: Studio) -> Studio:
    _studio.empty()
    return _studio


def test_dry_run_then_all_of_it_then_nothing(studio: Studio, tmp_path: Path) -> None:
    for name in NAMES:
        studio.photo(name, dng(64, 48))
    studio.s3.put_object(Bucket=BUCKET, Key="uploads/owner/wedding/", Body=b"")
    broken = studio.photo("broken.dng", dng(64, 48)[:100])

    said = studio.migrate(tmp_path, "--migrate", "--dry-run")
    assert "4 of 4 photos" in said
    assert studio.invoked == []
    assert list(tmp_path.iterdir()) == []

    said = studio.migrate(tmp_path, "--migrate", "--concurrency", "2", "--report", "report.json", status=1)
    assert "3 rendered, 1 failed" in said
    assert studio.most <= 2
    assert len(studio.keys("/medium.jpg")) == 3
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["found"], report["rendered"], report["failed"]) == (4, 3, 1)
    (failure,) = report["failures"]
    assert failure["key"] == broken
    assert failure["error"]

    # Again: what failed is tried again, the rest is known
    studio.invoked.clear()
    said = studio.migrate(tmp_path, "--migrate", status=1)
    assert "3 done before, 0 rendered, 1 failed" in said
    assert len(studio.invoked) == 1

    # Mended: another content is another photo
    studio.photo("broken.dng", dng(64, 48))
    studio.migrate(tmp_path, "--migrate")
    studio.invoked.clear()
    assert "4 done before, 0 rendered, 0 failed" in studio.migrate(tmp_path, "--migrate")
    # The state lost, too: the renditions themselves say so
    (tmp_path / "migration.jsonl").unlink()
    assert "4 done before, 0 rendered, 0 failed" in studio.migrate(tmp_path, "--migrate")
    assert studio.invoked == []
    # The function itself knows that there is nothing to do
    assert "0 done before, 4 rendered, 0 failed" in studio.migrate(tmp_path, "--migrate", "--again")


def test_killed_it_goes_on_where_it_was(studio: Studio, tmp_path: Path) -> None:
    for name in NAMES:
        studio.photo(name, dng(64, 48))
    studio.migrate(tmp_path, "--migrate", "--limit", "1")
    assert len(studio.invoked) == 1
    state = tmp_path / "migration.jsonl"
    state.write_text(state.read_text() + '{"key": "uploads/ow')  # half a line, as a kill leaves it
    assert "1 done before, 2 rendered, 0 failed" in studio.migrate(tmp_path, "--migrate")
    assert len(studio.invoked) == 3
    rows = [line for line in state.read_text().splitlines() if line.endswith("}")]
    assert len(rows) == 3


def test_of_two_at_once_one_is_refused(studio: Studio, tmp_path: Path) -> None:
    import fcntl

    with open(tmp_path / "migration.jsonl", "a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        said = studio.migrate(tmp_path, "--migrate", status=3)
    assert said == "error: another migration is under way with `migration.jsonl`\n"


def test_what_it_says_where_it_is_called_wrongly(studio: Studio, tmp_path: Path) -> None:
    assert "--migrate" in studio.migrate(tmp_path, status=2)
    assert "--concurrency is 1 or more" in studio.migrate(tmp_path, "--migrate", "--concurrency", "0", status=2)
    assert "NoSuchBucket" in studio.migrate(tmp_path, "--migrate", "--bucket", "nowhere", status=3)
    studio.photo("a.dng", dng(64, 48))
    said = studio.migrate(tmp_path, "--migrate", "--function", "nobody", status=1)
    assert "ResourceNotFoundException" in said
    # Known before the first photo, not after the last one
    studio.invoked.clear()
    assert "nowhere" in studio.migrate(tmp_path, "--migrate", "--report", "nowhere/report.json", status=3)
    assert studio.invoked == []


@pytest.mark.parametrize("answer", [b"null", b"[1]", b'"done"', b'{"statusCode": 200}'])
def test_a_function_that_is_no_image_processor_is_a_failure(studio: Studio, tmp_path: Path, answer: bytes) -> None:
    studio.photo("a.dng", dng(64, 48))
    was, studio.rollout.aws.invoked = studio.rollout.aws.invoked, lambda _: Answered(answer)
    try:
        said = studio.migrate(tmp_path, "--migrate", status=1)
    finally:
        studio.rollout.aws.invoked = was
    assert "0 rendered, 1 failed" in said
    assert "answers as no image processor does" in said


def test_the_wheel_brings_the_console_script(studio: Studio) -> None:
    with zipfile.ZipFile(studio._wheel) as wheel:
        (points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
        text = wheel.read(points).decode()
    assert "migrate_generate_medium_res = galerly.migrate_generate_medium_res:main" in text


def test_the_functions_zips_do_not_carry_it(studio: Studio) -> None:
    for key, function in studio.rollout.manifest["functions"].items():
        with zipfile.ZipFile(studio.rollout.root / "dist/lambda" / function["file"]) as held:
            assert not [name for name in held.namelist() if "migrat" in name and name.startswith("galerly/")], key


def test_the_state_machine_renders_the_same(studio: Studio) -> None:
    keys = [studio.photo(name, dng(64, 48)) for name in NAMES]
    studio.s3.put_object(Bucket=BUCKET, Key="uploads/owner/wedding/", Body=b"")
    machine = Machine(definition(FUNCTION))
    outputs, failures = machine.run({"bucket": BUCKET, "prefix": "uploads/"})
    assert failures == []
    assert sorted(one["key"] for one in outputs if "answer" in one) == sorted(keys)
    assert [one["key"] for one in outputs if "answer" not in one] == ["uploads/owner/wedding/"]
    assert len(studio.keys("/medium.jpg")) == 3


def test_cfn_lint_knows_the_state_machine_by_its_schema(tmp_path: Path) -> None:
    def linted(tree: dict[str, Any]) -> tuple[int, str]:
        resource = {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": "arn:aws:iam::123456789012:role/migrates",
                "Definition": tree,
                "DefinitionSubstitutions": {"processor": FUNCTION},
            },
        }
        template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Migration": resource}}
        (tmp_path / "template.json").write_text(json.dumps(template))
        command = [os.path.join(python_tools("states"), "cfn-lint"), "--region", "us-east-1", "--", "template.json"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    tree = json.loads(MACHINE.read_text())
    assert linted(tree) == (0, "")
    tree["States"]["Photos"]["ItemProcessor"]["States"]["Render"]["Retries"] = []
    code, said = linted(tree)
    assert code != 0, "the lint would notice"
    assert "Retries" in said
