"""One DynamoDB table for everything, by `pk` and `sk`; what is over is removed by its TTL attribute, `expires`.

    pk                  sk                   what it is
    EMAIL#address       LOGIN                the digest of a password, and whose it is
    EMAIL#address       FAILED#window        how often a sign-in failed in this quarter of an hour     (expires)
    USER#user           ACCOUNT              address and plan
    USER#user           GALLERY#gallery      a gallery's title
    SESSION#digest      SESSION              who is signed in by a token                               (expires)
    GALLERY#gallery     PHOTO#photo          a photo: its key in the bucket and its state
    GALLERY#gallery     SHARE#share          a link to the gallery, by its secret's digest             (expires)
    STRIPE#event        EVENT                an event of Stripe's that took its effect                 (expires)

DynamoDB removes expired items within days, not at once: whoever reads one looks at `expires`, too.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import boto3  # type: ignore[import-untyped]
from boto3.dynamodb.conditions import Key  # type: ignore[import-untyped]
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from galerly.api.http import RefusedError
from galerly.api.settings import settings

Item = dict[str, Any]


class Page(NamedTuple):
    """`cursor` is where the next page begins; None on the last one."""

    items: list[Item]
    cursor: str | None


def get(pk: str, sk: str) -> Item | None:
    """An item that has not expired."""
    item: Item | None = _table().get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True).get("Item")
    return item if item is not None and item.get("expires", now() + 1) > now() else None


def create(item: Item) -> bool:
    """False, and nothing is written, where there is such an item."""
    return _done(_table().put_item, Item=item, ConditionExpression="attribute_not_exists(pk)")


def change(pk: str, sk: str, **values: object) -> bool:
    """Set attributes of an item; False, and nothing is written, where there is none."""
    return _done(
        _table().update_item,
        Key={"pk": pk, "sk": sk},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeNames={f"#{name}": name for name in values},
        ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
    )


def count(pk: str, sk: str, expires: int, step: int, below: int) -> bool:
    """Add `step` to `count` of an item that need not be there; False, and nothing is written, unless it is `below`."""
    return _done(
        _table().update_item,
        Key={"pk": pk, "sk": sk},
        UpdateExpression="SET expires = :expires ADD #count :step",
        ConditionExpression="attribute_not_exists(#count) OR #count < :below",
        ExpressionAttributeNames={"#count": "count"},
        ExpressionAttributeValues={":step": step, ":expires": expires, ":below": below},
    )


def delete(pk: str, sk: str) -> bool:
    """Whether it was there."""
    return _done(_table().delete_item, Key={"pk": pk, "sk": sk}, ConditionExpression="attribute_exists(pk)")


def page(pk: str, kind: str, limit: int, cursor: str = "", *, newest: bool = True) -> Page:
    """Items whose `sk` begins with `kind`.  Raises RefusedError for a cursor that is not one of ours."""
    options: dict[str, Any] = {}
    if cursor:
        options["ExclusiveStartKey"] = {"pk": pk, "sk": _read(cursor, kind)}
    found = _table().query(
        KeyConditionExpression=Key("pk").eq(pk) & Key("sk").begins_with(kind),
        Limit=limit,
        ScanIndexForward=not newest,
        ConsistentRead=True,
        **options,
    )
    last = found.get("LastEvaluatedKey")
    return Page(found["Items"], base64.urlsafe_b64encode(last["sk"].encode()).decode() if last else None)


def together(*writes: Mapping[str, Any]) -> list[str]:
    """All of the writes, or none: then what each was refused for, "None" where it was not."""
    name = settings().table
    try:
        _table().meta.client.transact_write_items(
            TransactItems=[{kind: {"TableName": name, **rest} for kind, rest in write.items()} for write in writes]
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        return [reason["Code"] for reason in error.response["CancellationReasons"]]
    return []


def now() -> int:
    return int(time.time())


@cache
def _table() -> Any:
    if not settings().table:
        raise RefusedError(503, "GALERLY_TABLE is not set")
    return boto3.resource("dynamodb").Table(settings().table)


def _done(call: Any, **parameters: Any) -> bool:
    try:
        call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _read(cursor: str, kind: str) -> str:
    try:
        sk = base64.urlsafe_b64decode(cursor.encode()).decode()
    except (binascii.Error, ValueError):
        sk = ""
    # Nobody begins among items of another kind
    if not sk.startswith(kind) or len(sk) > 200:
        raise RefusedError(400, "cursor is not one that this API gave")
    return sk
