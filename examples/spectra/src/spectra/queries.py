"""A query as a client sends it."""

from __future__ import annotations

from pydantic import BaseModel, Field, field_validator


class Query(BaseModel):
    """One statement that only reads."""

    sql: str = Field(min_length=1, max_length=100_000)
    limit: int = Field(default=100, ge=1, le=10_000)

    @field_validator("sql")
    @classmethod
    def reads_only(cls, value: str) -> str:
        """A first word that is not SELECT is refused; the warehouse's grants do the rest."""
        if value.split(None, 1)[0].lower() != "select":
            raise ValueError("only SELECT is allowed")
        return value
