"""`lamella build` with a shared cache, as a machine of CI runs it: processes, an index and S3 on loopback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from tests.build.projects import WITHOUT_BYTECODE, Project, alone
from tests.shared.s3 import Front, front, s3_server
from tests.wheels.index_server import IndexServer

from lamella.objects import Bucket

__all__ = ["front", "s3_server"]  # fixtures


@pytest.fixture
def project(tmp_path: Path, index: IndexServer, monkeypatch: pytest.MonkeyPatch, front: Front) -> Project:  # noqa: ARG001
    made = Project(tmp_path)
    made.wheel(
        "stem", requires=["leaf"], files={"stem/__init__.py": "import leaf\n" * 9, "stem/data": os.urandom(9 << 20)}
    )
    made.wheel("leaf")
    made.source("app.py", "import stem\n\ndef handler(event, context): ...\n")
    made.configure(WITHOUT_BYTECODE.replace("[tool.lamella]\n", '[tool.lamella]\ncache = "s3://built/ci"\n'))
    for filename, content in made.wheels.items():
        index.add(filename, content)
    made.lock(f"{index.url}/files")
    alone(made, monkeypatch)
    return made


def built(project: Project, index: IndexServer, front: Front, **environment: str) -> subprocess.CompletedProcess[str]:
    """Build on a machine that has nothing."""
    shutil.rmtree(project.cache, ignore_errors=True)
    shutil.rmtree(project.output, ignore_errors=True)
    index.seen.clear()
    front.asked.clear()
    done = project.run("build", environment={"NO_PROXY": "*", **environment})
    assert done.returncode == 0, done.stderr
    return done


def downloads(index: IndexServer) -> int:
    return sum(".whl" in seen.path for seen in index.seen)


def calls(front: Front) -> Counter[str]:
    """How often each verb was used on references and on blobs."""
    found = (line.removesuffix("?uploads").split() for line in front.lines())
    return Counter(f"{verb} {path.split('/')[4]}" for verb, path in found)


def test_the_fleet_builds_once(project: Project, index: IndexServer, front: Front) -> None:
    first = built(project, index, front)
    before = project.digests()
    assert "warning: " not in first.stderr.replace("warning: python3.12", "")
    assert downloads(index) == 2
    assert calls(front)["GET keys"] == 3
    assert calls(front)["PUT keys"] == 3
    assert len(list(Bucket("built", "ci/v1/blobs").keys())) == 3
    built(project, index, front)
    assert project.digests() == before
    assert downloads(index) == 0
    assert calls(front) == {"GET keys": 3, "GET blobs": 1}
    # Warm, and with nothing to do
    front.asked.clear()
    (project.root / "src/app.py").write_text("import stem\n\n\ndef handler(event, context): ...\n")
    assert project.run("build", environment={"NO_PROXY": "*"}).returncode == 0
    assert project.run("build", environment={"NO_PROXY": "*"}).stderr.startswith("Nothing changed")
    assert front.asked == []


def test_a_pull_request_takes_and_gives_nothing(project: Project, index: IndexServer, front: Front) -> None:
    built(project, index, front, GITHUB_EVENT_NAME="pull_request")
    assert calls(front) == {"GET keys": 3}
    assert list(Bucket("built").keys()) == []
    built(project, index, front)
    built(project, index, front, GITHUB_EVENT_NAME="pull_request")
    assert (downloads(index), calls(front)) == (0, {"GET keys": 3, "GET blobs": 1})


def test_what_fails_is_one_warning(project: Project, index: IndexServer, front: Front) -> None:
    front.faults += [("GET", "status", 403, "AccessDenied")] * 20
    denied = built(project, index, front)
    (told,) = [line for line in denied.stderr.splitlines() if "shared cache" in line]
    assert told.startswith(
        "warning: this build goes on without the shared cache `s3://built/ci`: could not read `s3://"
    )
    assert "s3:GetObject" in told
    assert downloads(index) == 2
    before = project.digests()
    with socket.socket() as bound:  # nobody listens
        bound.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{bound.getsockname()[1]}"
        unreachable = built(project, index, front, AWS_ENDPOINT_URL_S3=nobody)
    assert len([line for line in unreachable.stderr.splitlines() if "shared cache" in line]) == 1
    assert project.digests() == before
    front.faults.clear()
    missing = built(project, index, front, LAMELLA_SHARED_CACHE="s3://nobodys")
    assert "there is no bucket `nobodys`" in missing.stderr
    assert project.digests() == before


def test_a_setting_that_can_not_be_meant_is_refused(project: Project) -> None:
    for name, value in {"LAMELLA_SHARED_CACHE": "/tmp", "LAMELLA_SHARED_CACHE_MODE": "both"}.items():
        done = project.run("build", environment={name: value})
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")


def test_off_and_offline_ask_nobody(project: Project, index: IndexServer, front: Front) -> None:
    built(project, index, front, LAMELLA_SHARED_CACHE_MODE="off")
    shutil.rmtree(project.output)
    done = project.run("build", "--offline", "--json")
    assert json.loads(done.stdout)["written"]
    assert front.asked == []


def test_nothing_of_aws_is_loaded_where_all_is_here(project: Project, index: IndexServer, front: Front) -> None:
    built(project, index, front)
    project.source("more.py", "")
    done = project.run("build", environment={"PYTHONPROFILEIMPORTTIME": "1"})
    assert done.returncode == 0
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "lamella" in loaded
    assert loaded.isdisjoint({"botocore", "s3transfer", "boto3", "unearth"})
