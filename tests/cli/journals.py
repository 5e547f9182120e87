"""Journals beside a project, or in a bucket, as earlier deploys would have left them."""

from __future__ import annotations

import os
from pathlib import Path

from tests.deployed.moto_server import ACCOUNT, REGION

from lamella.cloud.model import Place
from lamella.rollout.journal import record as records
from lamella.rollout.journal.journal import FOLDER, name_of
from lamella.rollout.model import Deployment, Record


def name(environment: str = "") -> str:
    return f"{name_of(Place(environment, region=REGION, account=ACCOUNT))}.json"


def content(*deployments: Deployment) -> bytes:
    return records.to_json(Record(history=deployments))


def attached(*arns: str) -> Deployment:
    """A deployment that attached these layers."""
    return Deployment("d", 0.0, (), (), arns)


def remember(project: Path, *deployments: Deployment, environment: str = "") -> None:
    """The journal beside the project holds these, newest first, and nothing else."""
    path = project / FOLDER / name(environment)
    os.makedirs(path.parent, exist_ok=True)
    path.write_bytes(content(*deployments))
