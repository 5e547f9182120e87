"""Galerly's zips, and the whole of it on this machine, made once for all tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.galerly.local.stack import Stack
from examples.galerly.tests.pictures import Pictures, drawn
from examples.galerly.tests.processing import Processor, processing
from tests.deployed.moto_server import AwsServer
from tests.journeys.lambdas import Lambda, cleared, sandbox_of

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which `lamella build` was run; the zips are in dist/lambda."""
    folder = tmp_path_factory.mktemp("galerly") / "galerly"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("dist", "tests", "__pycache__", ".*"))
    done = lamella(folder, "build")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def stack(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(built, tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def aws() -> Iterator[AwsServer]:
    """An S3 for the image processor alone."""
    with AwsServer() as server:
        yield server


@pytest.fixture(scope="session")
def pictures(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pictures]:
    """Drawn by the libraries in the layer that was built."""
    with cleared(tmp_path_factory.mktemp("layer")) as folder:
        yield drawn(Lambda.unpack(sandbox_of("3.12"), folder, None, [built / "dist/lambda/image-layer.zip"]))


@pytest.fixture(scope="module")
def processor(built: Path, aws: AwsServer) -> Iterator[Processor]:
    """The image processor, with its layer."""
    with processing(built, aws) as running:
        yield running


def lamella(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lamella", *arguments],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
