"""Takes rows from SQS and writes each batch as Parquet to S3."""

from __future__ import annotations

import io
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from spectra.settings import Settings

settings = Settings()
processor = BatchProcessor(event_type=EventType.SQS)


def to_parquet(rows: list[dict[str, Any]]) -> bytes:
    """The rows as one Parquet file, compressed with zstd."""
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out, compression="zstd")
    return out.getvalue()


def store(record: SQSRecord) -> None:
    body = to_parquet(record.json_body["rows"])
    if settings.bucket:
        boto3.client("s3").put_object(Bucket=settings.bucket, Key=f"{record.message_id}.parquet", Body=body)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return process_partial_response(event=event, record_handler=store, processor=processor, context=context)
