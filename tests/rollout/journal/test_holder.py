from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cloud.fake import Fake

from lamella.rollout.journal.holder import holder, is_alive
from lamella.rollout.journal.journal import Journal, LocalJournal
from lamella.rollout.journal.journal_s3 import S3Journal


@pytest.fixture(params=["local", "s3"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Journal:
    return LocalJournal(str(tmp_path), "prod") if request.param == "local" else S3Journal(Fake().bucket, "prod")


def of(**fields: object) -> bytes:
    """This process's, with other fields."""
    return json.dumps({**json.loads(holder("t")), **fields}).encode()


def ended() -> int:
    """The number of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


def test_whether_it_lives() -> None:
    assert is_alive(holder("t")) is True
    assert is_alive(of(process=1)) is True  # somebody else's
    assert is_alive(of(process=ended())) is False
    for unknown in (of(machine="elsewhere"), of(process=-1), of(process="1"), b"", b"{", None):
        assert is_alive(unknown) is None


def test_who_holds_it(journal: Journal) -> None:
    assert journal.held() == ""
    with journal.locked():
        assert journal.held().startswith("process ")
        assert "unless" not in journal.held()
    assert journal.held() == ""


def test_what_a_killed_run_left(tmp_path: Path) -> None:
    local, bucket = LocalJournal(str(tmp_path), "prod"), Fake().bucket
    for left in (of(process=ended()), of(machine="elsewhere"), b"{"):
        (tmp_path / "prod.json.holder").write_bytes(left)
        assert local.held() == ""
    bucket.put("prod.lock", of(process=ended()))
    assert S3Journal(bucket, "prod").held() == ""
    bucket.put("prod.lock", of(machine="elsewhere"))
    assert "on elsewhere, since " in S3Journal(bucket, "prod").held()
    assert (
        S3Journal(bucket, "prod")
        .held()
        .endswith(", unless it was killed: then `lamella deploy --unlock` takes its lock away")
    )
