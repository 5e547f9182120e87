"""Pages of a result, out of its Parquet file: only the row groups that a page touches are fetched."""

from __future__ import annotations

import io
from typing import Any

import pyarrow.parquet as pq

from spectra.model import ResultsPage
from spectra.results import json_rows


def page(client: Any, bucket: str, key: str, first: int, limit: int) -> ResultsPage:
    """The rows from number `first` on, at most `limit`."""
    file = pq.ParquetFile(_Ranges(client, bucket, key))
    rows: list[dict[str, Any]] = []
    begins = 0
    for group in range(file.metadata.num_row_groups):
        count = file.metadata.row_group(group).num_rows
        wanted = first + len(rows) - begins
        if len(rows) < limit and 0 <= wanted < count:
            rows += json_rows(file.read_row_group(group).slice(wanted, limit - len(rows)))
        begins += count
    there = first + len(rows)
    return ResultsPage(columns=file.schema_arrow.names, rows=rows, next=str(there) if there < begins else None)


class _Ranges(io.RawIOBase):
    """An object of S3 as a file to read, a range at a time."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        super().__init__()
        self._client, self._place = client, {"Bucket": bucket, "Key": key}
        self._size = int(client.head_object(**self._place)["ContentLength"])
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def size(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        last = self._size if size < 0 else min(self._at + size, self._size)
        if last <= self._at:
            return b""
        answer = self._client.get_object(**self._place, Range=f"bytes={self._at}-{last - 1}")
        content: bytes = answer["Body"].read()
        self._at += len(content)
        return content
