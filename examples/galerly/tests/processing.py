"""The image processor out of its built zip, invoked again and again on this machine, and its bucket."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote_plus
from uuid import uuid4

import boto3  # type: ignore[import-untyped]
from tests.deployed.moto_server import REGION, AwsServer

from lamella.cachedir import cache_dir
from lamella.config.read import read
from lamella.local.functions import Single
from lamella.local.prepare import Code, Options, Preparer
from lamella.runtime.model import Asked
from lamella.target import Target
from lamella.wheels.cache import Cache
from lamella.wheels.obtain import Silent

BUCKET = "galerly-images"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}
FOLDER = "uploads/owner/gallery/photo/"


class Answered(NamedTuple):
    """`made`, `kept` and `refused` as the function answers; `error` is what it raised.  `log` is its log."""

    made: list[str]
    kept: list[str]
    refused: list[dict[str, str]]
    error: dict[str, Any]
    log: str
    seconds: float

    @property
    def reason(self) -> str:
        """Why the only upload was refused."""
        (refused,) = self.refused
        return refused["reason"]


class Processor:
    def __init__(self, single: Single, aws: AwsServer) -> None:
        self._single = single
        named = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": REGION}
        self.s3: Any = boto3.client("s3", endpoint_url=aws.url, **named)
        self.s3.create_bucket(Bucket=BUCKET)

    def process(self, name: str, picture: bytes) -> Answered:
        """Upload it and tell the function, as S3 does."""
        self.s3.put_object(Bucket=BUCKET, Key=FOLDER + name, Body=picture)
        return self.told(FOLDER + name)

    def told(self, *keys: str) -> Answered:
        records = [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": quote_plus(key)}}} for key in keys]
        begun = time.monotonic()
        event = json.dumps({"Records": records}).encode()
        result = self._single.invoke("image-processor", Asked(event, str(uuid4())))
        seconds, told = time.monotonic() - begun, json.loads(result.payload)
        log = result.log.decode(errors="replace")
        if result.error:
            return Answered([], [], [], told, log, seconds)
        return Answered(told["made"], told["kept"], told["refused"], {}, log, seconds)

    def said_at_start(self) -> str:
        """What it logs when it is invoked for the first time, with all that comes before its START."""
        lines: list[bytes] = []
        self._single.invoke("image-processor", Asked(b'{"Records": []}', str(uuid4())), lines.append)
        return b"".join(lines).decode()

    def file(self, name: str, kind: str) -> bytes:
        """A rendition or report of the upload `name`: "medium.jpg", "photo.json"."""
        key = f"renditions/{FOLDER.removeprefix('uploads/')}{name}/{kind}"
        content: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    def files(self, name: str) -> list[str]:
        prefix = f"renditions/{FOLDER.removeprefix('uploads/')}{name}/"
        rows = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return sorted(row["Key"].removeprefix(prefix) for row in rows)


@contextmanager
def processing(
    project: Path, aws: AwsServer, *, runtime: str = "", layers: bool = True, **variables: str
) -> Iterator[Processor]:
    """The built function of the project; by another `runtime`, without its layers, with further variables."""
    manifest = json.loads((project / "dist/lambda/manifest.json").read_text())
    row = manifest["functions"]["image-processor"]
    zips = tuple(_zip(project, manifest["layers"][key]) for key in (row["layers"] if layers else ()))
    environment = {**KEYS, "AWS_ENDPOINT_URL": aws.url, **variables}
    code = Code(
        "image-processor", row["name"], row["handler"], Target.parse(runtime or row["runtime"], "x86_64"),
        _zip(project, row), zips, (), (), tuple(sorted(environment.items())), 2048, 60.0,
    )  # fmt: skip
    cache, options = cache_dir(os.environ), Options()
    preparer = Preparer(read(str(project)), Cache(cache), cache, Silent(), options, _Unheard())
    with Single(code, preparer, options.limit) as single:
        yield Processor(single, aws)


def _zip(project: Path, row: Mapping[str, Any]) -> tuple[str, str]:
    return str(project / "dist/lambda" / row["file"]), row["sha256"]


class _Unheard:
    def note(self, text: str) -> None: ...
    def warning(self, text: str) -> None: ...
