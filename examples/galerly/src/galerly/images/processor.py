"""Called by S3 for each upload: makes a thumbnail, a medium and a large rendition, or says why there are none."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Any
from urllib.parse import unquote_plus

import boto3  # type: ignore[import-untyped]
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from galerly import places
from galerly.images import libraries
from galerly.images.confine import confined
from galerly.images.limits import LIMITS
from galerly.images.refusals import LacksLayerError, RefusedError
from galerly.images.render import SIZES, Rendered, render

log = logging.getLogger("galerly")
log.setLevel(logging.INFO)
libraries.announce()

# Part of what says that the work is done already: with another number, all photos are worked on anew
WAY = f"1 {' '.join(f'{name}={longest}/{quality}' for name, (longest, quality) in SIZES.items())}"
# Left of the function's timeout, to tell of a picture that takes too long
_TO_TELL = 5.0

s3 = boto3.client("s3")


class LayerMissingError(Exception):
    """S3 tries again, and then hands the event on: the photos are not lost, they wait for the layer."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Returns the keys that renditions were `made` of and those `kept`, as they were there, and `refused` with reasons.

    Raises LayerMissingError, and boto3's errors where S3 can't be had.  Doing it again does no harm.
    """
    answer: dict[str, list[Any]] = {"made": [], "kept": [], "refused": []}
    waiting = []
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
        if not key.startswith(places.UPLOADS) or key.endswith("/"):
            continue  # a rendition that calls for renditions would never end
        try:
            answer[_photo(bucket, key, context)].append(key)
        except RefusedError as refused:
            log.warning("%s: refused: %s %s", key, refused, refused.detail)
            answer["refused"].append({"key": key, "reason": str(refused)})
        except LacksLayerError as lacks:
            waiting.append(f"{key} ({lacks})")
    if waiting:
        raise LayerMissingError(f"not installed; attach the layer galerly-image-processing for {', '.join(waiting)}")
    return answer


def _photo(bucket: str, key: str, context: Any) -> str:
    try:
        stored = s3.get_object(Bucket=bucket, Key=key)
    except s3.exceptions.NoSuchKey:
        raise RefusedError("the upload is not there any more") from None
    if stored["ContentLength"] > LIMITS.bytes:
        stored["Body"].close()
        # Not by its digest, for that means to read it all: its ETag changes with the content, too
        too_large = RefusedError(f"the file has more than {LIMITS.bytes / 1e6:g} MB")
        _refuse(bucket, key, {"etag": stored["ETag"]}, too_large)
        raise too_large
    data = stored["Body"].read()
    mark = {"sha256": hashlib.sha256(data).hexdigest(), "way": WAY}
    if _known(bucket, key, mark):
        return "kept"
    try:
        done = confined(lambda: render(data, LIMITS), LIMITS, _seconds(context))
    except RefusedError as refused:
        _refuse(bucket, key, mark, refused)
        raise
    _store(bucket, key, mark, done)
    log.info("%s: %s, %s", key, done.details["format"], done.details["how"])
    return "made"


def _seconds(context: Any) -> float:
    left = getattr(context, "get_remaining_time_in_millis", lambda: 1e9)() / 1000
    return min(LIMITS.seconds, max(left - _TO_TELL, 1.0))


def _known(bucket: str, key: str, mark: dict[str, str]) -> bool:
    """Whether what lies there, all of it, was made of the same bytes in the same way.

    What was only copied may be made better.
    """
    try:
        told = json.loads(s3.get_object(Bucket=bucket, Key=places.details(key))["Body"].read())
        for size in SIZES:
            s3.head_object(Bucket=bucket, Key=places.rendition(key, size))
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404):  # 403: who may not list can't tell
            return False
        raise
    except ValueError:
        return False
    if told.get("how") == "copied" and libraries.Image is not None:
        return False
    return all(told.get(name) == value for name, value in mark.items())


def _store(bucket: str, key: str, mark: dict[str, str], done: Rendered) -> None:
    """The details go first and come last: where they are, the renditions are, and are what they tell of."""
    s3.delete_object(Bucket=bucket, Key=places.details(key))
    for size, content in done.files.items():
        s3.put_object(Bucket=bucket, Key=places.rendition(key, size), Body=content, ContentType=done.media_type)
    _tell(bucket, places.details(key), {**done.details, **mark})
    s3.delete_object(Bucket=bucket, Key=places.refusal(key))


def _refuse(bucket: str, key: str, mark: dict[str, str], refused: RefusedError) -> None:
    """What an earlier upload of this key left goes, too: it is not what lies there now."""
    left = [places.details(key), *(places.rendition(key, size) for size in SIZES)]
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": one} for one in left], "Quiet": True})
    _tell(bucket, places.refusal(key), {"reason": str(refused), **mark})


def _tell(bucket: str, key: str, told: dict[str, Any]) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(told).encode(), ContentType="application/json")
