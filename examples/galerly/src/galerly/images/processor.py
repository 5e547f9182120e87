"""Called by S3 for each upload: lays a thumbnail beside it, below `thumbnails/`."""

from __future__ import annotations

import logging
import os
import posixpath
from typing import Any
from urllib.parse import unquote_plus

import boto3
import numpy
import pillow_heif
import rawpy
from PIL import Image, UnidentifiedImageError

from galerly.images.thumbnails import RAW, thumbnail

log = logging.getLogger("galerly")
log.setLevel(logging.INFO)
log.info("rawpy imported successfully (rawpy %s)", rawpy.__version__)
log.info("RAW format support: ENABLED (%s)", " ".join(sorted(RAW)))
log.info("Pillow %s, pillow-heif %s, numpy %s", Image.__version__, pillow_heif.__version__, numpy.__version__)

UPLOADS, THUMBNAILS = "uploads/", "thumbnails/"
PIXELS = int(os.environ.get("GALERLY_THUMBNAIL_PIXELS", "512"))

s3 = boto3.client("s3")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Returns the keys of the thumbnails that were made."""
    made = []
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
        if not key.startswith(UPLOADS):
            continue  # a thumbnail that calls for a thumbnail would never end
        data = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        try:
            small = thumbnail(data, posixpath.basename(key), PIXELS)
        except (UnidentifiedImageError, rawpy.LibRawError) as error:
            log.warning("no picture: %s (%s)", key, error)
            continue
        target = THUMBNAILS + posixpath.splitext(key.removeprefix(UPLOADS))[0] + ".jpg"
        s3.put_object(Bucket=bucket, Key=target, Body=small, ContentType="image/jpeg")
        log.info("%s: %d bytes, %s: %d bytes", key, len(data), target, len(small))
        made.append(target)
    return {"thumbnails": made}
