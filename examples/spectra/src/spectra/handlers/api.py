"""`POST /v1/queries`: checks a query and says what would be run."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.utilities.typing import LambdaContext

from spectra.queries import Query
from spectra.settings import Settings

app = APIGatewayHttpResolver(enable_validation=True)
settings = Settings()


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/v1/queries")
def accept(query: Query) -> dict[str, Any]:
    return {"sql": query.sql, "limit": min(query.limit, settings.row_limit)}


@app.exception_handler(RequestValidationError)
def refuse(error: RequestValidationError) -> Response[str]:
    detail = "; ".join(str(problem["msg"]) for problem in error.errors())
    return Response(status_code=422, content_type="application/problem+json", body=f'{{"detail": "{detail}"}}')


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
