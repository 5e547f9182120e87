"""The warehouse without a warehouse: DuckDB in memory, for running locally.

The package is an extra, `local`, in a layer of its own, which only the local configuration attaches.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
from sqlglot import parse_one
from sqlglot.errors import SqlglotError

from spectra.columns import distinct
from spectra.ports import Statement, WarehouseCancelledError, WarehouseError
from spectra.warehouses import WarehouseSettings

BATCH_ROWS = 10_000
# What DuckDB may hold of a sort or a join; above it spills, or says that it cannot
MEMORY = "256MB"


class DuckDbWarehouse:
    """`schema` is a file of SQL that makes the tables.  One statement runs at a time."""

    def __init__(self, schema: Path) -> None:
        self._connection = duckdb.connect(":memory:", config={"threads": 2, "memory_limit": MEMORY})
        self._connection.execute(schema.read_text())
        # sql.py refuses what reads files; where it should have a hole, DuckDB refuses as well
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")
        self._cancelled = False

    def stream(self, statement: Statement) -> Iterator[pa.RecordBatch]:
        """See `spectra.ports.Warehouse`."""
        self._cancelled = False
        values = {parameter.name: parameter.value for parameter in statement.parameters}
        try:
            # `sql` streams; `execute` would hold the whole result first
            relation = self._connection.sql(in_duckdb(statement.text), params=values or None)
            reader = relation.to_arrow_reader(BATCH_ROWS)
            names = distinct(reader.schema.names)
            some = False
            for batch in reader:
                some = True
                yield batch.rename_columns(names)
            if not some:
                yield pa.RecordBatch.from_pylist([], schema=reader.schema).rename_columns(names)
        # A reader gives DuckDB's interruptions and errors as Arrow's
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            if self._cancelled or isinstance(error, duckdb.InterruptException):
                raise WarehouseCancelledError from error
            raise WarehouseError(str(error).splitlines()[0]) from error

    def cancel(self) -> None:
        """See `spectra.ports.Warehouse`."""
        self._cancelled = True
        self._connection.interrupt()


def opened(settings: WarehouseSettings) -> DuckDbWarehouse:
    """With the tables of `schema_file`, which lies at the zip's root, as this package does."""
    return DuckDbWarehouse(Path(__file__).parents[1] / settings.schema_file)


def in_duckdb(text: str) -> str:
    """Redshift's SQL as DuckDB speaks it; `:name` becomes `$name`, bound as it was.  Raises WarehouseError."""
    try:
        return parse_one(text, read="redshift").sql(dialect="duckdb")
    except SqlglotError as error:
        raise WarehouseError(f"DuckDB has no words for this: {error}") from error
