"""What clients send and get, and what is kept of a job."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Format = Literal["parquet", "csv", "jsonl"]
Scalar = bool | int | float | str | None
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
Sql = Annotated[str, Field(min_length=1, max_length=100_000)]


class QueryRequest(BaseModel):
    """One statement that only reads; `:name` in it is bound to the parameter of that name."""

    model_config = ConfigDict(extra="forbid")

    sql: Sql
    parameters: dict[Name, Scalar] = Field(default_factory=dict, max_length=100)
    limit: int = Field(default=100, ge=1, le=10_000)


class JobRequest(BaseModel):
    """A statement whose result is written to files: always Parquet, and in the further formats."""

    model_config = ConfigDict(extra="forbid")

    sql: Sql
    parameters: dict[Name, Scalar] = Field(default_factory=dict, max_length=100)
    formats: list[Format] = Field(default=["parquet"], min_length=1, max_length=3)


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class BoundParameter(BaseModel):
    """`type` is Redshift's, as `spectra.ports.Parameter` has it."""

    name: str
    value: Scalar
    type: str


class JobView(BaseModel):
    """A job as its tenant sees it; `sizes` are in bytes, by format."""

    id: str
    state: State
    sql: str
    formats: list[Format]
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    rows: int | None = None
    columns: list[str] | None = None
    sizes: dict[str, int] | None = None
    error: str | None = None


class Job(JobView):
    """As it is kept."""

    tenant: str
    parameters: list[BoundParameter] = Field(default_factory=list)
    attempts: int = 0


class JobMessage(BaseModel):
    """What the queue carries: the job itself is in the table, so that a message is small and never stale."""

    tenant: str
    job: str


class QueryResult(BaseModel):
    columns: list[str]
    rows: list[dict[str, Any]]


class ResultsLink(BaseModel):
    """`url` needs no key, and works for `expires_in` seconds."""

    url: str
    expires_in: int


class ResultsPage(BaseModel):
    """`next` is the cursor of the following page, None at the end."""

    columns: list[str]
    rows: list[dict[str, Any]]
    next: str | None = None
