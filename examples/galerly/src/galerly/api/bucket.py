"""The bucket: forms that browsers upload with, links that expire, and what lies below a folder."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import quote

import boto3  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]

from galerly.api.http import RefusedError
from galerly.api.settings import settings


def form(key: str, most: int) -> dict[str, Any]:
    """`url` and `fields` of a form that S3 takes one file by, of 1 to `most` bytes, under this key and no other."""
    made: dict[str, Any] = _s3().generate_presigned_post(
        _bucket(),
        key,
        Fields={"success_action_status": "201"},
        Conditions=[{"success_action_status": "201"}, ["content-length-range", 1, most]],
        ExpiresIn=settings().upload_seconds,
    )
    return {**made, "expires_in": settings().upload_seconds}


def link(key: str, name: str = "") -> str:
    """A link to read an object by; with a `name`, to save it under that."""
    parameters = {"Bucket": _bucket(), "Key": key}
    if name:
        # RFC 6266: whoever does not know the second takes the first
        plain, whole = key.rpartition("/")[2], quote(name, safe="")
        parameters["ResponseContentDisposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}"
    url: str = _s3().generate_presigned_url("get_object", Params=parameters, ExpiresIn=settings().view_seconds)
    return url


def below(folder: str) -> list[str]:
    """The keys below a folder that holds few."""
    found = _s3().list_objects_v2(Bucket=_bucket(), Prefix=folder, MaxKeys=100)
    return [row["Key"] for row in found.get("Contents", ())]


def reason(key: str) -> str:
    """What the processor wrote down when it refused a picture."""
    try:
        return str(json.loads(_s3().get_object(Bucket=_bucket(), Key=key)["Body"].read(65_536))["reason"])
    except (ValueError, KeyError, TypeError):
        return "it is no picture that can be shown"


def delete(keys: list[str]) -> None:
    """Raises RefusedError where S3 keeps one."""
    told = _s3().delete_objects(Bucket=_bucket(), Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})
    if told.get("Errors"):
        raise RefusedError(502, "the photo's files could not be deleted; try again")


def _bucket() -> str:
    if not settings().bucket:
        raise RefusedError(503, "GALERLY_BUCKET is not set")
    return settings().bucket


@cache
def _s3() -> Any:
    # "virtual": what is signed names the bucket's region.  S3's global address sends a bucket's first hours of requests
    # elsewhere by a 307, which no browser follows with a form from another origin
    return boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
