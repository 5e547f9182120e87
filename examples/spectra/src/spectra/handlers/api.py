"""The API: queries that answer at once, jobs that write their results to files.

Whose jobs are seen is said by the authorizer's context alone, never by the request.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import threading
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import boto3  # type: ignore[import-untyped]
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import ServiceError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from spectra import problems, sql
from spectra.jobs import JobStore, KeyReusedError
from spectra.model import (
    BoundParameter,
    Format,
    Job,
    JobMessage,
    JobRequest,
    JobView,
    QueryRequest,
    QueryResult,
    ResultsLink,
    ResultsPage,
    State,
)
from spectra.ports import Statement, WarehouseCancelledError, WarehouseError
from spectra.problems import Problem, ProblemError
from spectra.settings import Settings
from spectra.warehouses import open_warehouse

LINK_SECONDS = 900
# Seconds of the function's time that are kept for the answer
RESERVE = 3.0
# Of the API, whatever it is called with: documented for each of its operations
RESPONSES: Any = {
    status: {"description": text, "content": {problems.MEDIA_TYPE: {"model": Problem}}}
    for status, text in {
        400: "This can't be read",
        401: "Nobody that is known",
        403: "Nobody that may",
        404: "There is no such thing, or it is somebody else's",
        409: "Not in this state",
        413: "More rows than an answer may have",
        415: "A body is JSON",
        422: "The request is not valid",
        504: "The statement took too long",
    }.items()
}


def documented(status: int, description: str, model: Any) -> Any:
    """An operation's good answer, with the bad ones that each may give."""
    return {status: {"description": description, "content": {"application/json": {"model": model}}}, **RESPONSES}


app = APIGatewayHttpResolver(enable_validation=True)
settings = Settings()
logger = Logger(service="api")
warehouse = functools.cache(open_warehouse)


@functools.cache
def store() -> JobStore:
    return JobStore(boto3.client("dynamodb"), settings.table)


def tenant() -> str:
    """Raises ProblemError where the authorizer named none."""
    context = app.current_event.raw_event.get("requestContext", {}).get("authorizer", {}).get("lambda") or {}
    if not context.get("tenant"):
        raise ProblemError(403, "the caller belongs to no tenant")
    return str(context["tenant"])


def checked(text: str, parameters: Any) -> Statement:
    try:
        return sql.statement(text, parameters)
    except sql.RefusedError as error:
        raise ProblemError(422, str(error)) from None


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/openapi.json")
def openapi() -> Response[str]:
    body = app.get_openapi_json_schema(title="Spectra", version="1.0.0", description="A warehouse behind an API")
    return Response(status_code=200, content_type="application/json", body=body)


@app.post("/v1/queries", responses=documented(200, "The rows", QueryResult))
def query(request: QueryRequest) -> dict[str, Any]:
    """Run a statement and wait for its rows."""
    from spectra.results import json_rows

    tenant()
    statement = checked(request.sql, request.parameters)
    limit = min(request.limit, settings.row_limit)
    rows: list[dict[str, Any]] = []
    columns: list[str] = []
    # Time is left to say so, and to stop the warehouse
    patience = app.lambda_context.get_remaining_time_in_millis() / 1000 - RESERVE
    too_late = threading.Timer(patience, warehouse().cancel)
    too_late.start()
    try:
        for batch in warehouse().stream(statement):
            columns = batch.schema.names
            rows += json_rows(batch.slice(0, limit + 1 - len(rows)))
            if len(rows) > limit:
                raise ProblemError(413, f"the result has more than {limit} rows: send the statement to /v1/jobs")
    except WarehouseError as error:
        raise ProblemError(422, str(error)) from None
    except WarehouseCancelledError:
        raise ProblemError(504, "the statement took too long: send it to /v1/jobs") from None
    finally:
        too_late.cancel()
    return {"columns": columns, "rows": rows}


@app.post("/v1/jobs", responses=documented(202, "The job; Location says where it is", JobView))
def submit(
    request: JobRequest, idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None
) -> Response[Any]:
    """Run a statement later, and write its result to files."""
    statement = checked(request.sql, request.parameters)
    formats: list[Format] = ["parquet", *(format for format in dict.fromkeys(request.formats) if format != "parquet")]
    job = Job(
        id=str(uuid4()), tenant=tenant(), state=State.QUEUED, sql=statement.text, formats=formats,
        parameters=[BoundParameter(**parameter._asdict()) for parameter in statement.parameters],
        created_at=datetime.now(UTC),
    )  # fmt: skip
    digest = hashlib.sha256(json.dumps(request.model_dump(), sort_keys=True).encode()).hexdigest()
    try:
        job, _ = store().create(job, idempotency_key, digest)
    except KeyReusedError as error:
        raise ProblemError(422, str(error)) from None
    if job.state == State.QUEUED:
        # Again for a key that was used before: whoever used it may have died before this line, and a second message
        # does no harm
        message = JobMessage(tenant=job.tenant, job=job.id)
        boto3.client("sqs").send_message(QueueUrl=settings.queue_url, MessageBody=message.model_dump_json())
    location = {"Location": f"/v1/jobs/{job.id}"}
    return Response(status_code=202, content_type="application/json", body=shown(job), headers=location)


@app.get("/v1/jobs/<job_id>", responses=documented(200, "The job", JobView))
def see(job_id: str) -> dict[str, Any]:
    """How far a job is."""
    return shown(found(job_id))


@app.delete("/v1/jobs/<job_id>", responses=documented(200, "The job as it is now", JobView))
def cancel(job_id: str) -> dict[str, Any]:
    """Stop a job, and delete its results."""
    from spectra.results import key_of

    job = store().cancel(tenant(), found(job_id).id)
    assert job is not None, "jobs are never deleted"
    for format in job.formats:
        boto3.client("s3").delete_object(Bucket=settings.bucket, Key=key_of(job, format))
    return shown(job)


@app.get("/v1/jobs/<job_id>/results", responses=documented(200, "A page, or a link", ResultsPage | ResultsLink))
def results(
    job_id: str,
    format: Annotated[Format | None, Query()] = None,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9]{1,15}$")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
) -> dict[str, Any]:
    """A page of a job's rows; with `format`, a link to the whole file."""
    from botocore.exceptions import ClientError  # type: ignore[import-untyped]

    from spectra.pages import page
    from spectra.results import key_of

    job = found(job_id)
    if job.state != State.SUCCEEDED:
        raise ProblemError(409, f"the job is {job.state}: results are there once it has succeeded")
    if format and format not in job.formats:
        raise ProblemError(404, f"the job was not asked for {format}: it has {', '.join(job.formats)}")
    s3, key = boto3.client("s3"), key_of(job, format or "parquet")
    try:
        if not format:
            return page(s3, settings.bucket, key, int(cursor or 0), limit).model_dump()
        s3.head_object(Bucket=settings.bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
            raise
        raise ProblemError(404, "the results were deleted") from None
    place = {
        "Bucket": settings.bucket,
        "Key": key,
        "ResponseContentDisposition": f'attachment; filename="{job.id}.{format}"',
    }
    return {
        "url": s3.generate_presigned_url("get_object", Params=place, ExpiresIn=LINK_SECONDS),
        "expires_in": LINK_SECONDS,
    }


def found(job_id: str) -> Job:
    job = store().get(tenant(), job_id)
    if job is None:
        raise ProblemError(404, "there is no such job")
    return job


def shown(job: Job) -> dict[str, Any]:
    """A job as its tenant sees it."""
    return job.model_dump(mode="json", exclude={"tenant", "parameters", "attempts"}, exclude_none=True)


@app.exception_handler(ProblemError)
def refuse(error: ProblemError) -> Response[str]:
    return problems.answer(error.status, error.detail, error.errors)


@app.exception_handler(RequestValidationError)
def refuse_invalid(error: RequestValidationError) -> Response[str]:
    errors = [{"at": ".".join(map(str, row["loc"])), "message": str(row["msg"])} for row in error.errors()]
    return problems.answer(422, "the request is not valid", errors)


@app.exception_handler(UnicodeDecodeError)
def refuse_bytes(_error: UnicodeDecodeError) -> Response[str]:
    return problems.answer(400, "the body is no UTF-8")


@app.exception_handler(ServiceError)
def refuse_route(error: ServiceError) -> Response[str]:
    return problems.answer(error.status_code, str(error.msg))


@app.exception_handler(Exception)
def fail(error: Exception) -> Response[str]:
    logger.exception("unexpected", exc_info=error)
    return problems.answer(500, "something went wrong that is not your fault; the log has it")


@functools.cache
def operations() -> list[tuple[re.Pattern[str], list[str]]]:
    """The API's paths, each with the methods that it has."""
    tree = json.loads(app.get_openapi_json_schema())["paths"]
    return [
        (re.compile(re.sub(r"{\w+}", "[^/]+", path)), sorted(method.upper() for method in methods))
        for path, methods in tree.items()
    ]


@app.not_found
def no_route(_error: Exception) -> Response[str]:
    event = app.current_event
    methods = next((methods for path, methods in operations() if path.fullmatch(event.path)), None)
    # A method that the path has: what stands for the id is none that powertools takes
    if methods is None or event.http_method in methods:
        return problems.answer(404, "there is no such path")
    refusal = problems.answer(405, f"this path takes {' and '.join(methods)}")
    refusal.headers["Allow"] = ", ".join(methods)
    return refusal


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    media_type = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if event.get("body") and media_type != "application/json":
        # Here, for powertools would try to read a form
        refused = problems.answer(415, "a body is JSON, and its Content-Type application/json")
        return {"statusCode": 415, "headers": {"Content-Type": problems.MEDIA_TYPE}, "body": refused.body}
    return dict(app.resolve(event, context))
