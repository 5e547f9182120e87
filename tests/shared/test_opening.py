from __future__ import annotations

import subprocess
import sys

import pytest
from tests.deployed.conftest import nobody

from lamella.errors import UsageError
from lamella.objects import Bucket
from lamella.shared.opening import is_proposal, mode, open_depot

__all__ = ["nobody"]  # a fixture


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, "write"),
        ({"GITHUB_EVENT_NAME": "push"}, "write"),
        ({"GITHUB_EVENT_NAME": "pull_request"}, "read"),
        ({"GITHUB_EVENT_NAME": "pull_request_target"}, "read"),
        ({"CI_MERGE_REQUEST_IID": "7"}, "read"),
        ({"CI_MERGE_REQUEST_IID": ""}, "write"),
        ({"TRAVIS_PULL_REQUEST": "false"}, "write"),
        ({"BUILDKITE_PULL_REQUEST": "False"}, "write"),
        ({"BUILDKITE_PULL_REQUEST": "12"}, "read"),
        ({"CODEBUILD_WEBHOOK_EVENT": "PUSH"}, "write"),
        ({"CODEBUILD_WEBHOOK_EVENT": "PULL_REQUEST_UPDATED"}, "read"),
        ({"GITHUB_EVENT_NAME": "pull_request", "LAMELLA_SHARED_CACHE_MODE": "write"}, "write"),
        ({"LAMELLA_SHARED_CACHE_MODE": "read"}, "read"),
        ({"LAMELLA_SHARED_CACHE_MODE": "off"}, "off"),
        ({"LAMELLA_SHARED_CACHE_MODE": ""}, "write"),
    ],
)
def test_mode(environ: dict[str, str], found: str) -> None:
    assert mode(environ) == found
    assert is_proposal({}) is False


def test_a_mode_that_is_none() -> None:
    with pytest.raises(UsageError) as raised:
        mode({"LAMELLA_SHARED_CACHE_MODE": "wirte"})
    assert str(raised.value).splitlines() == [
        "LAMELLA_SHARED_CACHE_MODE is `wirte`",
        "  it can be `read`, `write` or `off`",
        "  hint: did you mean `write`?",
    ]


def test_the_environment_comes_before_the_configuration() -> None:
    assert open_depot("", {}) is None
    assert open_depot("s3://built/ci", {"LAMELLA_SHARED_CACHE_MODE": "off"}) is None
    configured = open_depot("s3://built/ci", {})
    assert configured is not None
    assert (configured.name, configured.writes) == ("s3://built/ci", True)
    given = open_depot("s3://built/ci", {"LAMELLA_SHARED_CACHE": "s3://mine", "CHANGE_ID": "7"})
    assert given is not None
    assert (given.name, given.writes) == ("s3://mine", False)
    # An empty variable turns it off, as an empty proxy does
    assert open_depot("s3://built/ci", {"LAMELLA_SHARED_CACHE": ""}) is None
    with pytest.raises(UsageError, match="is no place in S3"):
        open_depot("", {"LAMELLA_SHARED_CACHE": "/tmp/cache"})


def test_one_that_is_silent_is_soon_given_up(nobody: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    depot = open_depot("s3://built", {})
    assert depot is not None
    bucket = depot._objects
    assert isinstance(bucket, Bucket)
    chosen = bucket._s3().meta.config
    assert chosen.retries["total_max_attempts"] == 2
    assert 2 * max(chosen.connect_timeout, chosen.read_timeout) < 20


def test_nothing_of_aws_is_loaded_before_something_is_asked() -> None:
    code = (
        "import sys; from lamella.shared.opening import open_depot; open_depot('s3://built', {});"
        "print(*[name for name in sys.modules if name.partition('.')[0] in ('botocore', 'boto3', 's3transfer')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
