"""The warehouse: Redshift by its Data API, which needs no connection, no driver and no VPC.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import boto3  # type: ignore[import-untyped]
import pyarrow as pa
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
from sqlglot import exp, parse_one

from spectra.columns import distinct
from spectra.ports import Parameter, Statement, WarehouseCancelledError, WarehouseError
from spectra.warehouses import WarehouseSettings

# Seconds between two looks at a statement: soon at first, then ever more rarely
FIRST_LOOK, LAST_LOOK, SLOWER = 0.05, 2.0, 1.6

Field = Mapping[str, Any]


class RedshiftWarehouse:
    """`client` is boto3's for redshift-data; `place` what ExecuteStatement takes to find the database:

    Database, and WorkgroupName, or ClusterIdentifier with DbUser or SecretArn.  One statement runs at a time.
    """

    def __init__(self, client: Any, place: Mapping[str, str]) -> None:
        self._client, self._place = client, dict(place)
        self._cancelled = threading.Event()

    def stream(self, statement: Statement) -> Iterator[pa.RecordBatch]:
        """See `spectra.ports.Warehouse`.  A batch is a page of GetStatementResult, at most a megabyte or so."""
        self._cancelled.clear()
        try:
            running = self._execute(statement)
            finished = False
            try:
                self._wait(running)
                finished = True
            finally:
                if not finished:
                    self._stop(running)
            yield from self._pages(running)
        except (ClientError, BotoCoreError) as error:
            raise WarehouseError(f"Redshift: {error}") from error

    def cancel(self) -> None:
        """See `spectra.ports.Warehouse`."""
        self._cancelled.set()

    def _execute(self, statement: Statement) -> str:
        text, bound = in_data_api(statement)
        # The API refuses an empty list of parameters
        more = {"Parameters": bound} if bound else {}
        return str(self._client.execute_statement(Sql=text, **self._place, **more)["Id"])

    def _wait(self, running: str) -> None:
        """Until the statement is finished.  Raises WarehouseError, and WarehouseCancelledError once it is to stop."""
        delay = FIRST_LOOK
        while True:
            seen = self._client.describe_statement(Id=running)
            match seen["Status"]:
                case "FINISHED":
                    return
                case "FAILED":
                    raise WarehouseError(seen.get("Error") or "the statement failed")
                case "ABORTED":
                    raise WarehouseCancelledError
            if self._cancelled.wait(delay):
                raise WarehouseCancelledError
            delay = min(delay * SLOWER, LAST_LOOK)

    def _stop(self, running: str) -> None:
        """A statement that nobody waits for any more would go on for hours; one that has ended is as good."""
        try:
            self._client.cancel_statement(Id=running)
        except (ClientError, BotoCoreError):
            return

    def _pages(self, running: str) -> Iterator[pa.RecordBatch]:
        schema: pa.Schema | None = None
        token: dict[str, str] = {}
        while True:
            if self._cancelled.is_set():
                raise WarehouseCancelledError
            page = self._client.get_statement_result(Id=running, **token)
            if schema is None:
                schema = schema_of(page["ColumnMetadata"])
            yield batch_of(schema, page["Records"])
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}


def opened(settings: WarehouseSettings) -> RedshiftWarehouse:
    """By AWS's own configuration."""
    return RedshiftWarehouse(boto3.client("redshift-data"), settings.place())


def in_data_api(statement: Statement) -> tuple[str, list[dict[str, str]]]:
    """Text and parameters as the Data API takes them.

    All its values are strings: each stands in a CAST to its type.  It has none for NULL, so that one is written out.
    """
    parameters = {parameter.name: parameter for parameter in statement.parameters}
    if not parameters:
        return statement.text, []
    used: dict[str, str] = {}

    def bound(node: exp.Expression) -> exp.Expression:
        if not isinstance(node, exp.Placeholder):
            return node
        parameter = parameters[node.name]
        if parameter.value is not None:
            used[parameter.name] = _text(parameter)
        value = exp.null() if parameter.value is None else exp.var(f":{parameter.name}")
        return exp.cast(value, parameter.type, dialect="redshift")

    text = parse_one(statement.text, read="redshift").transform(bound).sql(dialect="redshift")
    return text, [{"name": name, "value": value} for name, value in used.items()]


def _text(parameter: Parameter) -> str:
    value = parameter.value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _stamp(text: str) -> datetime:
    return datetime.fromisoformat(text)


# Of a column's typeName: its type in Arrow, and what makes its text (all that JSON has no type for) a value
_TYPES: dict[str, tuple[pa.DataType, Callable[[str], Any] | None]] = {
    "bool": (pa.bool_(), None),
    "int2": (pa.int16(), None),
    "int4": (pa.int32(), None),
    "int8": (pa.int64(), None),
    "float4": (pa.float32(), None),
    "float8": (pa.float64(), None),
    "date": (pa.date32(), date.fromisoformat),
    "time": (pa.time64("us"), time.fromisoformat),
    "timestamp": (pa.timestamp("us"), _stamp),
    "timestamptz": (pa.timestamp("us", tz="UTC"), _stamp),
}


def schema_of(columns: Sequence[Field]) -> pa.Schema:
    """Arrow's schema of ColumnMetadata.  What has no counterpart (SUPER, GEOMETRY) is the text that Redshift writes."""
    names = distinct(column.get("label") or column["name"] for column in columns)
    return pa.schema([pa.field(name, _type(column)) for name, column in zip(names, columns, strict=True)])


def _type(column: Field) -> pa.DataType:
    if column["typeName"] == "numeric":
        return pa.decimal128(column["precision"], column["scale"])
    return _TYPES.get(column["typeName"], (pa.string(), None))[0]


def batch_of(schema: pa.Schema, records: Sequence[Sequence[Field]]) -> pa.RecordBatch:
    """A page of records; an empty one has the columns all the same."""
    arrays = []
    for index, field in enumerate(schema):
        read = _reader(field.type)
        arrays.append(pa.array([_value(record[index], read) for record in records], type=field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _reader(kind: pa.DataType) -> Callable[[str], Any] | None:
    if pa.types.is_decimal(kind):
        return Decimal
    return next((read for known, read in _TYPES.values() if known == kind), None)


def _value(field: Field, read: Callable[[str], Any] | None) -> Any:
    if field.get("isNull"):
        return None
    (value,) = field.values()
    return read(value) if read is not None and isinstance(value, str) else value
