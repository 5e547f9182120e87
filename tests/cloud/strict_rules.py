"""What Lambda refuses, in its own words, and what it reads of a zip before it takes it."""

from __future__ import annotations

import contextlib
import io
import zipfile
from typing import Any

LARGEST_REQUEST = 52_428_800  # bytes of a zip in a request
LARGEST_UNZIPPED = 262_144_000
MOST_LAYERS = 5

# https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html#API_UpdateFunctionCode_Errors
STALE = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
)


class RefusedError(Exception):
    """An answer with an HTTP status other than 2xx."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


def invalid(message: str) -> RefusedError:
    return RefusedError(400, "InvalidParameterValueException", message)


def not_there(message: str) -> RefusedError:
    return RefusedError(404, "ResourceNotFoundException", message)


def conflict(message: str) -> RefusedError:
    return RefusedError(409, "ResourceConflictException", message)


def denied(who: str, action: str, resource: str, policy: str = "identity-based") -> RefusedError:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""
    message = (
        f"User: {who} is not authorized to perform: {action} on resource: {resource} "
        f"because no {policy} policy allows the {action} action"
    )
    return RefusedError(403, "AccessDeniedException", message)


def unzipped(content: bytes) -> int:
    """Bytes of the files in a zip, as its directory says.

    Raises RefusedError for junk: "Could not unzip uploaded file" is what people report of UpdateFunctionCode; the limit
    is that of https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, layers included.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            rows = archive.infolist()
    except (zipfile.BadZipFile, ValueError, EOFError):
        raise invalid("Could not unzip uploaded file. Please check your file, then try to upload again.") from None
    if not rows:
        raise invalid("Uploaded file must be a non-empty zip")
    size = sum(row.file_size for row in rows)
    if size > LARGEST_UNZIPPED:
        raise invalid(f"Unzipped size must be smaller than {LARGEST_UNZIPPED} bytes")
    return size


def fits(code: int, layers: int) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 250 MB, layers included."""
    if code + layers > LARGEST_UNZIPPED:
        raise invalid(
            f"Function code combined with layers exceeds the maximum allowed size of {LARGEST_UNZIPPED} bytes. "
            f"The actual size is {code + layers} bytes."
        )


def sent(encoded: str, operation: str) -> bytes:
    """A zip of a request's body.

    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: "50 MB (zipped, when uploaded through the
    Lambda API or SDKs). Upload larger files with Amazon S3."
    """
    import base64

    content = base64.b64decode(encoded)
    if len(content) > LARGEST_REQUEST:
        message = f"Request must be smaller than 70167211 bytes for the {operation} operation"
        raise RefusedError(413, "RequestEntityTooLargeException", message)
    return content


def fetched(account: str, bucket: str, key: str) -> bytes:
    """An object that a request names, of moto's S3."""
    from moto.backends import get_backend
    from moto.s3.exceptions import MissingBucket, MissingKey

    held: Any = None
    with contextlib.suppress(MissingBucket, MissingKey):
        held = get_backend("s3")[account]["aws"].get_object(bucket, key)
    if held is None:
        raise invalid(
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. "
            "S3 Error Message: The specified key does not exist."
        )
    content: bytes = held.value
    return content
