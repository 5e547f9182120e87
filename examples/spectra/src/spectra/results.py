"""Batches on their way to S3, as Parquet, CSV and JSON lines: at no time is more than a row group in memory."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from spectra.model import Format, Job
from spectra.uploads import Upload

# A row group is the least that a reader of pages fetches, and the most that the worker holds of a result
GROUP_BYTES = 16 * 1024 * 1024
GROUP_ROWS = 100_000

MEDIA_TYPES = {
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl",
}


class Written(NamedTuple):
    """What a result came to: rows, columns, and the objects' sizes in bytes by their formats."""

    rows: int
    columns: tuple[str, ...]
    sizes: Mapping[str, int]


class _Writer(Protocol):
    def write_table(self, table: pa.Table) -> None: ...
    def close(self) -> None: ...


def key_of(job: Job, format: str) -> str:
    """Where a job's result is: each tenant has a prefix of its own, so that a policy can tell them apart.

    Each attempt has objects of its own, so that a worker that is late never touches those of the next one.
    """
    return f"results/{job.tenant}/{job.id}/{job.attempts}.{format}"


def write(
    batches: Iterable[pa.RecordBatch],
    client: Any,
    bucket: str,
    keys: Mapping[Format, str],
    proceed: Callable[[], None] = lambda: None,
) -> Written:
    """Write the batches to the object `keys[format]` for each format; there is at least one batch.

    The objects appear at the end, or not at all.  `proceed` is called before each row group, and may raise.
    """
    with ExitStack() as open_uploads:
        uploads = {
            format: open_uploads.enter_context(Upload(client, bucket, key, MEDIA_TYPES[format]))
            for format, key in keys.items()
        }
        writers: list[_Writer] = []
        rows, schema = 0, pa.schema([])
        for table in _groups(batches):
            proceed()
            if not writers:
                schema = table.schema
                writers = [_writer(format, upload, schema) for format, upload in uploads.items()]
            rows += table.num_rows
            for writer in writers:
                writer.write_table(table)
        for writer in writers:
            writer.close()
        proceed()
    return Written(rows, tuple(schema.names), {format: upload.size for format, upload in uploads.items()})


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.Table]:
    """Small batches together: a Parquet file of many tiny row groups is slow to read, and hardly compressed."""
    held: list[pa.RecordBatch] = []
    size = rows = 0
    some = False
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        rows += batch.num_rows
        if size >= GROUP_BYTES or rows >= GROUP_ROWS:
            yield pa.Table.from_batches(held)
            held, size, rows, some = [], 0, 0, True
    if held and (rows or not some):
        yield pa.Table.from_batches(held)


def _writer(format: str, upload: Upload, schema: pa.Schema) -> _Writer:
    if format == "parquet":
        return _Parquet(upload, schema)
    if format == "csv":
        return _Csv(upload, schema)
    return _JsonLines(upload)


class _Parquet:
    def __init__(self, upload: Upload, schema: pa.Schema) -> None:
        self._file = pa.PythonFile(upload, mode="w")
        self._writer = pq.ParquetWriter(self._file, schema, compression="zstd")

    def write_table(self, table: pa.Table) -> None:
        self._writer.write_table(table, row_group_size=max(table.num_rows, 1))

    def close(self) -> None:
        self._writer.close()


class _Csv:
    def __init__(self, upload: Upload, schema: pa.Schema) -> None:
        self._file = pa.PythonFile(upload, mode="w")
        self._writer = pyarrow.csv.CSVWriter(self._file, schema)

    def write_table(self, table: pa.Table) -> None:
        self._writer.write_table(table)

    def close(self) -> None:
        self._writer.close()


class _JsonLines:
    def __init__(self, upload: Upload) -> None:
        self._upload = upload

    def write_table(self, table: pa.Table) -> None:
        for batch in table.to_batches(max_chunksize=1000):
            lines = (json.dumps(row, default=str, ensure_ascii=False) for row in json_rows(batch))
            self._upload.write("".join(f"{line}\n" for line in lines).encode())

    def close(self) -> None: ...


def json_rows(batch: pa.RecordBatch | pa.Table) -> list[dict[str, Any]]:
    """The rows with values that JSON has, as pages and JSON lines show them."""
    return [{name: json_value(value) for name, value in row.items()} for row in batch.to_pylist()]


def json_value(value: Any) -> Any:
    """Decimals as text, which keeps every digit; dates and times by ISO 8601; bytes in base64; no NaN or infinity."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case Decimal():
            return str(value)
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case list():
            return [json_value(item) for item in value]
        case dict():
            return {key: json_value(item) for key, item in value.items()}
    return value
