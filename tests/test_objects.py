from __future__ import annotations

import base64
import hashlib
import os
import socket
import threading
import time
from pathlib import Path

import pytest
from tests.shared.s3 import Front, front, s3_server

from lamella import aws
from lamella.errors import LamellaError, UsageError
from lamella.objects import Bucket, location

__all__ = ["front", "s3_server"]  # fixtures


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("s3://built", ("built", "")),
        ("s3://built/", ("built", "")),
        ("S3://built/one/two", ("built", "one/two/")),
        ("s3://built//one/", ("built", "one/")),
        ("s3://Old_Bucket.of.minio/x", ("Old_Bucket.of.minio", "x/")),
    ],
)
def test_location(text: str, found: tuple[str, str]) -> None:
    assert location(text) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not start with `s3://`"),
        ("built/one", "does not start with `s3://`"),
        ("https://built.example/one", "does not start with `s3://`"),
        ("s3:/built", "does not start with `s3://`"),
        ("s3://", "names no bucket"),
        ("s3:///one", "names no bucket"),
        ("s3://b", "3 to 63 letters"),
        ("s3://user@built", "3 to 63 letters"),
        ("s3://{account}", "3 to 63 letters"),
        ("s3://built/../other", "a prefix that can't be meant"),
        ("s3://built/a?versionId=3", "a prefix that can't be meant"),
        ("s3://built/a\nb", "a prefix that can't be meant"),
    ],
)
def test_a_location_that_is_none(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        location(text)
    assert said in str(raised.value)
    assert raised.value.hint == "write it as `s3://BUCKET` or `s3://BUCKET/PREFIX`"


def test_objects_are_put_and_read_below_the_prefix(front: Front) -> None:
    bucket = Bucket("built", "ci")
    assert bucket.put("keys/a", b"one")
    assert bucket.put("keys/b", b"")
    assert (bucket.get("keys/a"), bucket.get("keys/b"), bucket.get("keys/c")) == (b"one", b"", None)
    assert (bucket.has("keys/a"), bucket.has("keys/b"), bucket.has("keys/c")) == (3, 0, None)
    assert list(bucket.keys()) == ["keys/a", "keys/b"]
    assert list(bucket.keys("keys/b")) == ["keys/b"]
    assert list(Bucket("built").keys()) == ["ci/keys/a", "ci/keys/b"]
    bucket.delete("keys/a")
    bucket.delete("keys/a")
    assert bucket.get("keys/a") is None
    # The bucket's name is in the path, as services that know no names of hosts need it
    assert front.lines()[0] == "PUT /built/ci/keys/a"


def test_what_is_put_is_sent_with_its_digest(front: Front) -> None:
    Bucket("built").put("a", b"one")
    ((_, headers),) = front.asked
    assert headers["HTTP_X_AMZ_CHECKSUM_SHA256"] == base64.b64encode(hashlib.sha256(b"one").digest()).decode()
    assert "aws-chunked" not in headers.get("HTTP_CONTENT_ENCODING", "")


def test_put_if_absent(front: Front) -> None:
    bucket = Bucket("built")
    assert bucket.put("lock", b"mine", absent=True)
    assert not bucket.put("lock", b"yours", absent=True)
    assert bucket.get("lock") == b"mine"
    # Two at once: S3 User Guide, "Conditional writes"
    front.faults.append(("PUT", "status", 409, "ConditionalRequestConflict"))
    assert not bucket.put("other", b"", absent=True)
    front.faults.append(("PUT", "status", 412, "PreconditionFailed"))
    with pytest.raises(aws.StaleError):
        bucket.put("other", b"")


def test_a_large_file_goes_in_parts_and_comes_back_as_it_was(front: Front, tmp_path: Path) -> None:
    content = os.urandom(1 << 20) * 9 + b"end"
    (tmp_path / "sent").write_bytes(content)
    bucket = Bucket("built", "zips/")
    bucket.put_file("large", str(tmp_path / "sent"))
    parts = [headers for line, headers in front.asked if "partNumber" in line]
    assert len(parts) == 2
    assert all(
        "SHA256" in (headers.get("HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM") or headers.get("HTTP_X_AMZ_TRAILER", "")).upper()
        for headers in parts
    )
    assert bucket.has("large") == len(content)
    assert bucket.fetch("large", str(tmp_path / "fetched"))
    assert (tmp_path / "fetched").read_bytes() == content
    front.asked.clear()
    (tmp_path / "sent").write_bytes(b"small")
    bucket.put_file("small", str(tmp_path / "sent"))
    assert front.lines() == ["PUT /built/zips/small"]
    assert bucket.get("small") == b"small"


def test_what_is_not_there_is_not_fetched(front: Front, tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    assert not Bucket("built").fetch("a", str(tmp_path / "old"))
    assert os.listdir(tmp_path) == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"
    with pytest.raises(FileNotFoundError):
        Bucket("built").put_file("a", str(tmp_path / "absent"))
    assert len(front.asked) == 1


def test_a_body_that_is_cut_is_read_again(front: Front, tmp_path: Path) -> None:
    bucket = Bucket("built")
    bucket.put("a", b"0123456789")
    front.faults += [("GET", "cut", 4), ("GET", "cut", 7)]
    assert bucket.fetch("a", str(tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == b"0123456789"
    front.faults += [("GET", "cut", 4), ("GET", "cut", 7)]
    assert bucket.get("a") == b"0123456789"
    front.faults += [("GET", "cut", 4)] * 3
    with pytest.raises(aws.UnreachableError):
        bucket.fetch("a", str(tmp_path / "b"))
    assert os.listdir(tmp_path) == ["a"]


def test_refusals_name_the_permission(front: Front, tmp_path: Path) -> None:
    bucket = Bucket("built")
    front.faults.append(("HEAD", "status", 403, ""))
    with pytest.raises(aws.DeniedError) as raised:
        bucket.has("a")
    assert raised.value.action == "s3:GetObject"
    front.faults.append(("PUT", "status", 403, "AccessDenied"))
    with pytest.raises(aws.DeniedError) as raised:
        bucket.put("a", b"")
    assert raised.value.action == "s3:PutObject"
    assert raised.value.what == "could not write `s3://built/a`"
    (tmp_path / "sent").write_bytes(bytes(9 << 20))
    front.faults.append(("?uploads", "status", 403, "AccessDenied"))
    with pytest.raises(aws.DeniedError) as raised:
        bucket.put_file("a", str(tmp_path / "sent"))
    assert raised.value.action == "s3:PutObject"
    front.faults.append(("GET", "status", 403, "AccessDenied"))
    with pytest.raises(aws.DeniedError) as raised:
        list(bucket.keys())
    assert raised.value.action == "s3:ListBucket"
    front.faults.append(("GET", "status", 503, "SlowDown"))
    with pytest.raises(aws.ThrottledError):
        bucket.get("a")


def test_a_bucket_that_is_not_there(front: Front, tmp_path: Path) -> None:  # noqa: ARG001
    bucket = Bucket("nobodys")

    def into() -> object:
        return bucket.fetch("a", str(tmp_path / "a"))

    for ask in (into, lambda: bucket.get("a"), lambda: bucket.put("a", b""), lambda: list(bucket.keys())):
        with pytest.raises(aws.NotThereError) as raised:
            ask()
        assert raised.value.what == "there is no bucket `nobodys`"
        assert "aws s3 mb s3://nobodys" in str(raised.value.hint)
    assert bucket.has("a") is None
    with pytest.raises(aws.NotThereError) as raised:
        Bucket("nobodys", region="eu-west-1").get("a")
    assert "`aws s3 mb s3://nobodys --region eu-west-1`" in str(raised.value.hint)


def test_a_key_too_long_is_not_sent(front: Front) -> None:
    with pytest.raises(UsageError, match="too long a key"):
        Bucket("built", "é" * 500).put("a" * 25, b"")
    assert front.asked == []


def test_nobody_answers(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    with socket.socket() as bound:  # nobody listens
        bound.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(aws.UnreachableError):
            Bucket("built").get("a")


def test_no_credentials(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(LamellaError, match="there are no AWS credentials"):
        Bucket("built").get("a")
    assert front.asked == []


def test_threads_share_a_bucket(front: Front) -> None:  # noqa: ARG001
    bucket = Bucket("built")
    threads = [threading.Thread(target=bucket.put, args=(f"{n:02}", bytes([n]))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [bucket.get(key) for key in bucket.keys()] == [bytes([n]) for n in range(8)]  # noqa: SIM118


def test_one_that_is_silent_is_given_up(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and says nothing
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{silent.getsockname()[1]}")
        bucket = Bucket("built", attempts=1, timeouts=(5, 0.05))
        began = time.monotonic()
        with pytest.raises(aws.UnreachableError, match="Read timeout"):
            bucket.get("a")
    assert time.monotonic() - began < 10
