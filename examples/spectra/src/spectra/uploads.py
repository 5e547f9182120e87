"""A file that is written once, to S3, in parts: never more of it in memory than one part."""

from __future__ import annotations

import io
from typing import Any

# S3 takes parts of 5 MiB and more, and 10,000 of them: results up to 80 GB
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART = 8 * 1024 * 1024


class Upload(io.RawIOBase):
    """`close` makes the object appear, whole; `abort` leaves nothing behind.  What is smaller than a part is one PUT.

    `size` are the bytes so far.  As a context it is closed, or aborted when an error leaves it.
    """

    def __init__(self, client: Any, bucket: str, key: str, content_type: str) -> None:
        super().__init__()
        self._client = client
        self._place = {"Bucket": bucket, "Key": key}
        self._content_type = content_type
        self._held = bytearray()
        self._upload = ""
        self._parts: list[dict[str, Any]] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._held += view
        self.size += len(view)
        while len(self._held) >= PART:
            self._send(PART)
        return len(view)

    def close(self) -> None:
        if self.closed:
            return
        try:
            if not self._upload:
                self._client.put_object(**self._place, Body=bytes(self._held), ContentType=self._content_type)
            else:
                if self._held:
                    self._send(len(self._held))
                parts = {"Parts": self._parts}
                self._client.complete_multipart_upload(**self._place, UploadId=self._upload, MultipartUpload=parts)
        except BaseException:
            self.abort()
            raise
        super().close()

    def abort(self) -> None:
        """Parts that were sent cost money until somebody deletes them.  May be called at any time, and twice."""
        if self.closed:
            return
        super().close()
        self._held.clear()
        if self._upload:
            self._client.abort_multipart_upload(**self._place, UploadId=self._upload)

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def __del__(self) -> None:
        """Not `close`, as of other files: what nobody closed is not to appear."""

    def _send(self, size: int) -> None:
        if not self._upload:
            answer = self._client.create_multipart_upload(**self._place, ContentType=self._content_type)
            self._upload = answer["UploadId"]
        number = len(self._parts) + 1
        with memoryview(self._held) as held:
            part = bytes(held[:size])
        del self._held[:size]
        sent = self._client.upload_part(**self._place, UploadId=self._upload, PartNumber=number, Body=part)
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})
