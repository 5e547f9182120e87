from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.build.projects import Project
from tests.wheels.wheelmaker import sha256

from lamella.build.run import index_settings
from lamella.cachedir import cache_dir
from lamella.config.read import read
from lamella.errors import ArchiveError, OfflineError, UsageError
from lamella.local.events import LOCK, Sample, Samples, Value, aliases, filled
from lamella.wheels.cache import Cache
from lamella.wheels.obtain import Silent, Source

FOLDER = "samcli/lib/generated_sample_events"
MAPPING = {
    "s3": {
        "put": {
            "filename": "S3Put",
            "help": "An object was put",
            "tags": {
                "region": {"default": "us-east-1"},
                "bucket": {"default": "example-bucket", "type": "string"},
                "key": {"default": "test/key", "encoding": "url"},
            },
        }
    },
    "sqs": {
        "receive-message": {
            "filename": "Sqs",
            "help": "A message came",
            "tags": {
                "account-id": {"default": "123456789012"},
                "body": {"default": "Hello", "children": {"md5_of_body": {"type": "string", "hashing": "md5"}}},
            },
        }
    },
}
S3 = """{"Records": [{"awsRegion": "{{{region}}}", "size": 1024, "bucket": {"name": "{{{bucket}}}",
"arn": "arn:aws:s3:::{{{bucket}}}"}, "key": "{{{key}}}", "tags": ["a"]}]}"""
SQS = '{"body": "{{{body}}}", "md5": "{{{md5_of_body}}}", "sender": "{{account_id}}", "other": "<{{{unknown}}}>"}'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.source("app.py")
    made.configure()
    made.lock()
    return made


@contextmanager
def samples(
    project: Project, files: dict[str, str] | None = None, *, offline: bool = False
) -> Iterator[tuple[Samples, Path]]:
    """The events of a wheel on this disk, and that wheel."""
    if files is None:
        files = {
            f"{FOLDER}/event-mapping.json": json.dumps(MAPPING),
            f"{FOLDER}/events/s3/S3Put.json": S3,
            f"{FOLDER}/events/sqs/Sqs.json": SQS,
        }
    wheel = project.wheel("aws-sam-cli", "1.0", files)
    lock = project.home / "events.txt"
    lock.write_text(f"{wheel} --hash=sha256:{sha256(wheel.read_bytes())}\n")
    settings = read(str(project.root), output=None)
    with Source(
        Cache(str(project.cache)), lambda: index_settings(settings), offline=offline, progress=Silent()
    ) as source:
        yield Samples(settings, source, path=str(lock)), wheel


def event(project: Project, name: str, **values: str) -> Any:
    with samples(project) as (found, _):
        return json.loads(found.event(name, values))


def test_what_there_is(project: Project) -> None:
    with samples(project) as (found, _):
        assert [sample.name for sample in found.all()] == [
            "apigateway:http-api-authorizer",
            "s3:put",
            "sqs:receive-message",
        ]
        assert found.find("s3:put").about == "An object was put"
        assert {"s3", "s3:put", "sqs", "authorizer:token", "apigateway:proxy"} <= set(found.names())
        assert list(found.names()) == sorted(found.names())


def test_defaults(project: Project) -> None:
    (record,) = event(project, "s3:put")["Records"]
    assert record == {
        "awsRegion": "us-east-1",
        "size": 1024,
        "bucket": {"name": "example-bucket", "arn": "arn:aws:s3:::example-bucket"},
        "key": "test/key",
        "tags": ["a"],
    }


def test_own_values(project: Project) -> None:
    (record,) = event(project, "s3", bucket='pho"tos', key="a b/ü+c.jpg")["Records"]
    assert record["bucket"] == {"name": 'pho"tos', "arn": 'arn:aws:s3:::pho"tos'}
    assert record["key"] == "a+b/%C3%BC%2Bc.jpg", "as S3 writes it"


def test_a_name_is_the_same_with_any_dash(project: Project) -> None:
    for name in ("account-id", "account_id", "accountId"):
        assert event(project, "sqs", **{name: "1"})["sender"] == "1"


def test_a_digest_follows_its_text(project: Project) -> None:
    assert event(project, "sqs")["md5"] == "8b1a9953c4611296a827abf8c47804d7"
    message = event(project, "sqs:receive-message", body='{"a": "ü"}')
    assert message["body"] == '{"a": "ü"}'
    assert message["md5"] == "8d0c0c3751be331ca4fae52b74d11c73"
    assert message["other"] == "<>"


def test_a_path_leads_to_anything(project: Project) -> None:
    values = {"Records.0.size": "7", "Records.0.tags": '["b", null]', "Records.0.bucket.name": "7"}
    (record,) = event(project, "s3", **values)["Records"]
    assert (record["size"], record["tags"], record["bucket"]["name"]) == (7, ["b", None], "7")


@pytest.mark.parametrize(
    ("values", "what", "hint"),
    [
        ({"buckt": "x"}, "has no `buckt`", "did you mean `bucket`?"),
        ({"Records.1.size": "1"}, "has no `Records.1.size`", "`Records` and what is below"),
        ({"Records.x": "1"}, "has no `Records.x`", "`Records`"),
        ({"Records.0.size.more": "1"}, "has no `Records.0.size.more`", "`Records`"),
        ({"Records.0.size": "large"}, "takes JSON", """`--set 'Records.0.size="large"'`"""),
    ],
)
def test_a_value_that_does_not_fit(project: Project, values: dict[str, str], what: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        event(project, "s3:put", **values)
    assert what in refused.value.what
    assert hint in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("s3:putt", "`s3:put`"),
        ("sqss", "did you mean `sqs`?"),
        ("zebra", "there are events of alb, apigateway"),
        ("", "there are events of"),
    ],
)
def test_an_event_that_is_not_there(project: Project, name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"no sample event `{name}`") as refused:
        event(project, name)
    assert hint in (refused.value.hint or "")


def test_it_is_read_once(project: Project) -> None:
    with samples(project) as (found, wheel):
        first = found.event("s3", {})
        wheel.unlink()
        (kept,) = Path(project.cache).glob("v1/wheels/*/*.whl")
        kept.unlink()
        with samples(project, offline=True) as (again, _):
            assert again.event("s3", {}) == first


def test_a_wheel_without_events(project: Project) -> None:
    with samples(project, {"samcli/__init__.py": ""}) as (found, _), pytest.raises(ArchiveError, match="no sample"):
        found.all()


def test_offline_and_never_fetched(project: Project) -> None:
    settings = read(str(project.root), output=None)
    with (
        Source(Cache(str(project.cache)), lambda: index_settings(settings), offline=True, progress=Silent()) as source,
        pytest.raises(OfflineError) as refused,
    ):
        Samples(settings, source).event("s3:put", {})
    assert refused.value.what == "the source of sample events is not in the cache, and `--offline` was given"
    assert "--event FILE" in (refused.value.hint or "")


def test_a_table_as_a_value() -> None:
    sample = Sample("a:b", "", (Value("query", '{"foo": "bar"}', "json", "query"),), '{"q": "{{{query}}}"}')
    assert filled(sample, {}) == {"q": {"foo": "bar"}}
    assert filled(sample, {"query": "null"}) == {"q": None}
    with pytest.raises(UsageError, match="is JSON, and `a=b` is not"):
        filled(sample, {"query": "a=b"})


def test_a_text_in_base64() -> None:
    sample = Sample("a:b", "", (Value("body", "ü", "base64", "body"),), '{"body": "{{{body}}}"}')
    assert filled(sample, {}) == {"body": "w7w="}


@pytest.mark.journey
def test_those_of_the_sam_cli(project: Project) -> None:
    settings = read(str(project.root), output=None)
    with Source(
        Cache(cache_dir(os.environ)), lambda: index_settings(settings), offline=False, progress=Silent()
    ) as source:
        found = Samples(settings, source)
        assert len(found.all()) > 60
        for name in found.names():
            text = found.event(name, {}).decode()
            assert "{{" not in text
            for value in found.find(name).values:
                if value.of == value.name and not value.encoding:
                    changed = found.event(name, {value.name: "a-value-of-mine"}).decode()
                    assert "a-value-of-mine" in changed, (name, value)
        assert set(aliases().values()) <= {sample.name for sample in found.all()}
        token = json.loads(found.event("authorizer:token", {"authorizationToken": "mine", "method": "GET"}))
        assert token["type"] == "TOKEN"
        assert token["authorizationToken"] == "mine"
        assert "/GET/" in token["methodArn"]
        proxy = json.loads(found.event("apigateway:proxy", {"body": "ü"}))
        assert (proxy["body"], proxy["isBase64Encoded"]) == ("w7w=", True)
        assert json.loads(found.event("apigateway:http", {}))["version"] == "2.0"


def test_the_pin_has_one_hash() -> None:
    (pin,) = [line for line in Path(LOCK).read_text().splitlines() if line.startswith("aws-sam-cli==")]
    assert pin.endswith("\\")
    assert Path(LOCK).read_text().count("--hash=sha256:") == 1
