"""Errors as clients meet them: application/problem+json (RFC 9457), whatever went wrong."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """RFC 9457; `errors` says for each field of a request what is wrong with it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[dict[str, Any]] | None = None


class ProblemError(Exception):
    """Raised anywhere below the API, answered as it is."""

    def __init__(self, status: int, detail: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, errors


def answer(status: int, detail: str, errors: list[dict[str, Any]] | None = None) -> Response[str]:
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors)
    return Response(status_code=status, content_type=MEDIA_TYPE, body=problem.model_dump_json(exclude_none=True))
