"""Jobs in DynamoDB: each change of state is one conditional write, so that of two who try it one succeeds.

The table's key is `tenant` and `id`.  An item is a job, or (its `id` begins with `key#`) what an idempotency key was
used for, which DynamoDB deletes by `expires`.

    queued -> running -> succeeded | failed
    queued | running -> cancelled

Whoever runs a job has it on a lease, and renews that.  A lease that ran out is free for the next: so a message that
is delivered twice runs once, and a job whose worker died is taken up again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer  # type: ignore[import-untyped]
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from spectra.model import Job, State

ATTEMPTS = 3
KEY_SECONDS = 24 * 3600


class LostLeaseError(Exception):
    """The job is somebody else's by now, or was cancelled."""


class BusyError(Exception):
    """Somebody runs the job at this moment."""


class KeyReusedError(Exception):
    """The idempotency key was used for another request."""


class JobStore:
    """`client` is boto3's for DynamoDB; `clock` the seconds of the epoch."""

    def __init__(self, client: Any, table: str, clock: Callable[[], float] = time.time) -> None:
        self._client, self._table, self._clock = client, table, clock

    def create(self, job: Job, key: str | None = None, digest: str = "") -> tuple[Job, bool]:
        """Keep a new job; the one that there is where the tenant's idempotency `key` was used before.

        `digest` is that of the request.  The second value tells whether it is new.  Raises KeyReusedError.
        """
        writes = [self._put(_item(job))]
        if key is not None:
            used = {"tenant": job.tenant, "id": _key_id(key), "job": job.id, "digest": digest}
            writes.append(self._put({**used, "expires": int(self._clock()) + KEY_SECONDS}))
        for last in (False, False, True):
            try:
                self._client.transact_write_items(TransactItems=[{"Put": write} for write in writes])
                return job, True
            except self._client.exceptions.TransactionCanceledException:
                earlier = self._earlier(job.tenant, key, digest) if key is not None else None
                if earlier is not None:
                    return earlier, False
                # Two transactions that meet cancel each other, and neither is there: then again
                if last:
                    raise
        raise AssertionError("the last try returned or raised")

    def get(self, tenant: str, job_id: str) -> Job | None:
        """The tenant's job of this id, as it is now."""
        if job_id.startswith("key#"):
            return None
        item = self._read(tenant, job_id)
        return _job(item) if item else None

    def claim(self, tenant: str, job_id: str, owner: str, lease: float) -> Job | None:
        """Begin to run the job, for `lease` seconds; None where nothing is left to do.

        Raises BusyError.  A job whose workers died too often is failed.
        """
        now = self._clock()
        condition = "#state = :queued OR (#state = :running AND #lease < :now)"
        change = "SET #state = :running, #owner = :owner, #lease = :until, started_at = :at ADD attempts :one"
        values = {
            ":queued": State.QUEUED, ":running": State.RUNNING, ":now": _number(now), ":owner": owner,
            ":until": _number(now + lease), ":at": self._stamp(), ":one": 1,
        }  # fmt: skip
        job = self._update(tenant, job_id, change, condition, values)
        if job is None:
            there = self.get(tenant, job_id)
            if there is not None and there.state == State.RUNNING:
                raise BusyError(f"job {job_id} is running")
            return None
        if job.attempts > ATTEMPTS:
            self.fail(job, owner, f"given up after {ATTEMPTS} attempts, none of which came to an end")
            return None
        return job

    def renew(self, job: Job, owner: str, lease: float) -> None:
        """The lease lasts `lease` seconds from now.  Raises LostLeaseError."""
        self._owned(job, owner, "SET #lease = :until", {":until": _number(self._clock() + lease)})

    def release(self, job: Job, owner: str) -> None:
        """Give the job back: the next claim takes it at once.  Raises LostLeaseError."""
        self._owned(job, owner, "SET #lease = :until", {":until": 0})

    def succeed(self, job: Job, owner: str, rows: int, columns: list[str], sizes: Mapping[str, int]) -> None:
        """Raises LostLeaseError."""
        change = "SET #state = :state, finished_at = :at, #rows = :rows, #columns = :columns, sizes = :sizes"
        result = {":rows": rows, ":columns": columns, ":sizes": dict(sizes)}
        self._owned(job, owner, change, {":state": State.SUCCEEDED, ":at": self._stamp(), **result})

    def fail(self, job: Job, owner: str, error: str) -> None:
        """Raises LostLeaseError."""
        change = "SET #state = :state, finished_at = :at, #error = :error"
        self._owned(job, owner, change, {":state": State.FAILED, ":at": self._stamp(), ":error": error})

    def cancel(self, tenant: str, job_id: str) -> Job | None:
        """The job as it is then: one that has ended stays as it is.  None where there is no such job."""
        if job_id.startswith("key#"):
            return None
        values = {
            ":state": State.CANCELLED, ":at": self._stamp(), ":queued": State.QUEUED, ":running": State.RUNNING,
        }  # fmt: skip
        change = "SET #state = :state, finished_at = :at"
        done = self._update(tenant, job_id, change, "#state IN (:queued, :running)", values)
        return done or self.get(tenant, job_id)

    def _owned(self, job: Job, owner: str, change: str, values: dict[str, Any]) -> None:
        """A change that only who runs the job may make; whether the lease ran out matters only once another has it."""
        condition = "#state = :running AND #owner = :owner"
        more = {":running": State.RUNNING, ":owner": owner}
        if self._update(job.tenant, job.id, change, condition, {**values, **more}) is None:
            raise LostLeaseError(f"job {job.id} is no longer {owner}'s")

    def _update(self, tenant: str, job_id: str, change: str, condition: str, values: dict[str, Any]) -> Job | None:
        """The job after the change, None where the condition doesn't hold."""
        words = f"{change} {condition}"
        names = {f"#{name}": name for name in ("state", "lease", "owner", "rows", "columns", "error")}
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_values({"tenant": tenant, "id": job_id}),
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeNames={short: name for short, name in names.items() if short in words},
                ExpressionAttributeValues=_values(values),
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise
        return _job(_plain(answer["Attributes"]))

    def _earlier(self, tenant: str, key: str, digest: str) -> Job | None:
        """What the key was used for, None where it was not.  Raises KeyReusedError."""
        used = self._read(tenant, _key_id(key))
        if used is None:
            return None
        if used["digest"] != digest:
            raise KeyReusedError("this Idempotency-Key was used for another request")
        job = self.get(tenant, used["job"])
        if job is None:
            raise KeyReusedError("the job of this Idempotency-Key was deleted")
        return job

    def _put(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Item": _values(item),
            "ConditionExpression": "attribute_not_exists(tenant)",
        }

    def _read(self, tenant: str, identifier: str) -> dict[str, Any] | None:
        answer = self._client.get_item(
            TableName=self._table, Key=_values({"tenant": tenant, "id": identifier}), ConsistentRead=True
        )
        return _plain(answer["Item"]) if "Item" in answer else None

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat()


def _key_id(key: str) -> str:
    """Keys are of any length and content: the table has their digests."""
    return "key#" + hashlib.sha256(key.encode()).hexdigest()


def _number(seconds: float) -> Decimal:
    return Decimal(f"{seconds:.3f}")


def _item(job: Job) -> dict[str, Any]:
    """Parameters as JSON text: DynamoDB's numbers would lose what kind they were."""
    tree = job.model_dump(mode="json", exclude_none=True)
    return {**tree, "parameters": json.dumps(tree["parameters"])}


def _job(item: Mapping[str, Any]) -> Job:
    return Job.model_validate({**item, "parameters": json.loads(item["parameters"])})


def _values(tree: Mapping[str, Any]) -> dict[str, Any]:
    to_dynamodb = TypeSerializer().serialize
    return {name: to_dynamodb(str(value) if isinstance(value, State) else value) for name, value in tree.items()}


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    from_dynamodb = TypeDeserializer().deserialize
    return {name: from_dynamodb(value) for name, value in item.items()}
