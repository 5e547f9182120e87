"""Runs jobs: a message of SQS names one, the warehouse streams its result, S3 takes it, the table says how it went.

A message is done with when its job has ended, in whatever way.  It goes back to the queue, alone of its batch, where
trying again may help: the job is running elsewhere, or something else than its statement failed.
"""

from __future__ import annotations

import functools
import time
from typing import Any

import boto3  # type: ignore[import-untyped]
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from spectra import results
from spectra.jobs import JobStore, LostLeaseError
from spectra.lease import SECONDS, Lease, LeaseEndedError
from spectra.model import Job, JobMessage
from spectra.ports import Parameter, Statement, Warehouse, WarehouseCancelledError, WarehouseError
from spectra.settings import Settings
from spectra.warehouses import open_warehouse

# Seconds of the function's time that are kept for what has to be said when a job takes too long
RESERVE = 5.0

settings = Settings()
logger = Logger(service="worker")
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
warehouse = functools.cache(open_warehouse)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if event.get("Records") == []:
        # Of a rollout's smoke event: this version starts, with all that it imports
        return {"batchItemFailures": []}
    return dict(process_partial_response(event=event, record_handler=take, processor=processor, context=context))


def take(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Run the job of one message.  What it raises puts the message back."""
    message = JobMessage.model_validate_json(record.body)
    deadline = time.monotonic() + lambda_context.get_remaining_time_in_millis() / 1000 - RESERVE
    owner = f"{lambda_context.aws_request_id}/{record.message_id}"
    store = JobStore(boto3.client("dynamodb"), settings.table)
    job = store.claim(message.tenant, message.job, owner, SECONDS)
    if job is None:
        logger.info("nothing to do", extra={"job": message.job})
        return
    logger.info("started", extra={"job": job.id, "attempt": job.attempts})
    try:
        run(job, owner, store, warehouse(), deadline)
    except LostLeaseError:
        logger.info("no longer ours", extra={"job": job.id})
    except Exception:
        logger.exception("not done; the message goes back", extra={"job": job.id})
        store.release(job, owner)
        raise


def run(job: Job, owner: str, store: JobStore, source: Warehouse, deadline: float) -> None:
    """From the statement to its result's objects.  Raises LostLeaseError once the job is not this worker's any more."""
    s3 = boto3.client("s3")
    keys = {format: results.key_of(job, format) for format in job.formats}
    statement = Statement(job.sql, tuple(Parameter(row.name, row.value, row.type) for row in job.parameters))
    with Lease(store, job, owner, source.cancel, deadline, settings.renew_seconds) as lease:
        try:
            written = results.write(source.stream(statement), s3, settings.bucket, keys, lease.check)
        except WarehouseError as error:
            store.fail(job, owner, str(error))
            logger.info("failed", extra={"job": job.id, "error": str(error)})
            return
        except (WarehouseCancelledError, LeaseEndedError) as ended:
            over(job, owner, store, lease, ended)
            return
    try:
        store.succeed(job, owner, written.rows, list(written.columns), written.sizes)
    except LostLeaseError:
        # Cancelled at the last moment: nobody would ever delete them
        for key in keys.values():
            s3.delete_object(Bucket=settings.bucket, Key=key)
        raise
    logger.info("succeeded", extra={"job": job.id, "rows": written.rows, "sizes": written.sizes})


def over(job: Job, owner: str, store: JobStore, lease: Lease, ended: Exception) -> None:
    """The statement was stopped: by whoever cancelled the job, by the clock, or in the warehouse itself."""
    try:
        lease.check()
    except LeaseEndedError as error:
        if error.why == "lost":
            raise LostLeaseError(job.id) from ended
        store.fail(job, owner, "took longer than the worker may run")
        return
    store.fail(job, owner, "was cancelled in the warehouse")
