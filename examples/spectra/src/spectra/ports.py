"""What Spectra needs of a warehouse; `warehouse_redshift` and `warehouse_duckdb` have it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

Scalar = str | int | float | bool | None


class Parameter(NamedTuple):
    """`type` is Redshift's: varchar, bigint, double precision, boolean."""

    name: str
    value: Scalar
    type: str


class Statement(NamedTuple):
    """SQL of Redshift's dialect, whose `:name` are bound to the parameters."""

    text: str
    parameters: tuple[Parameter, ...] = ()


class WarehouseError(Exception):
    """The warehouse refused the statement, or broke while it ran it.  The text is for whoever wrote the statement."""


class WarehouseCancelledError(Exception):
    """`cancel` ended the statement, or somebody else did in the warehouse itself."""


class Warehouse(Protocol):
    def stream(self, statement: Statement) -> Iterator[pa.RecordBatch]:
        """The result in bounded batches, one at least: an empty result has its columns.  Their names are distinct.

        Raises WarehouseError and WarehouseCancelledError, at any batch.
        """
        ...

    def cancel(self) -> None:
        """Called from any thread: the running `stream` stops soon, and so does the warehouse."""
        ...
