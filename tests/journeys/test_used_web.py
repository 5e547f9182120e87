"""pydantic and powertools from a slimmed layer: they validate, read settings, route, log and count."""

from __future__ import annotations

import json

import pytest
from tests.journeys.layers import Layer

# One worker, for all tests share what is built first
pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("used")]


def test_pydantic_validates_and_refuses(warehouse: Layer) -> None:
    answer = warehouse.run("""
from datetime import date
from typing import Annotated, Literal
from pydantic import AnyUrl, BaseModel, Field, SecretStr, TypeAdapter, ValidationError, field_validator
class Part(BaseModel):
    kind: Literal["a", "b"]
    price: Annotated[float, Field(gt=0)]
class Order(BaseModel):
    id: int
    day: date
    url: AnyUrl
    key: SecretStr
    parts: list[Part] = []
    @field_validator("id")
    @classmethod
    def even(cls, value):
        if value % 2:
            raise ValueError("odd")
        return value
good = Order.model_validate_json('{"id": "2", "day": "2026-11-22", "url": "http://shop.example/", "key": "k",'
                                 ' "parts": [{"kind": "a", "price": "1.5"}]}')
try:
    Order(id=1, day="never", url="::", key=1, parts=[{"kind": "c", "price": 0}])
except ValidationError as error:
    wrong = [[".".join(map(str, row["loc"])), row["type"]] for row in error.errors()]
import pydantic.dataclasses, pydantic.json_schema, pydantic.types
import pydantic.v1
class Old(pydantic.v1.BaseModel):
    n: int
answer = [good.model_dump(mode="json"), wrong, sorted(Order.model_json_schema()["$defs"]),
          TypeAdapter(dict[str, int]).validate_python({"a": "1"}), Old(n="3").n]
""")
    good, wrong, defined, adapted, old = answer
    assert good["parts"] == [{"kind": "a", "price": 1.5}]
    assert (good["id"], good["day"], good["key"]) == (2, "2026-11-22", "**********")
    assert wrong == [
        ["id", "value_error"],
        ["day", "date_from_datetime_parsing"],
        ["url", "url_parsing"],
        ["key", "string_type"],
        ["parts.0.kind", "literal_error"],
        ["parts.0.price", "greater_than"],
    ]
    assert (defined, adapted, old) == (["Part"], {"a": 1}, 3)


def test_settings_are_read_from_the_environment(warehouse: Layer) -> None:
    answer = warehouse.run(
        """
from pydantic_settings import BaseSettings, SettingsConfigDict
open(".env", "w").write("SHOP_NAME=of the file\\nSHOP_LIMIT=1\\n")
class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SHOP_", env_file=".env", env_nested_delimiter="__")
    name: str
    limit: int = 5
    rates: dict[str, float] = {}
answer = Settings().model_dump()
""",
        SHOP_LIMIT="70",
        SHOP_RATES__EUR="1.5",
    )
    assert answer == {"name": "of the file", "limit": 70, "rates": {"eur": 1.5}}


ROUTES = """
from types import SimpleNamespace
from pydantic import BaseModel
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, APIGatewayRestResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
context = SimpleNamespace(function_name="f", memory_limit_in_mb=128, invoked_function_arn="a", aws_request_id="r")
class Item(BaseModel):
    name: str
    count: int
def asked(app, event):
    given = app.resolve(event, context)
    return [given["statusCode"], given["body"]]
"""


def test_powertools_routes(warehouse: Layer) -> None:
    answer = warehouse.run(f"""{ROUTES}
app = APIGatewayRestResolver()
@app.get("/items/<name>")
def item(name):
    if name == "none":
        raise NotFoundError("no such item")
    return {{"name": name, "query": app.current_event.get_query_string_value("q")}}
def rest(path):
    return {{"path": path, "httpMethod": "GET", "headers": {{}}, "multiValueHeaders": {{}}, "body": None,
            "queryStringParameters": {{"q": "1"}}, "multiValueQueryStringParameters": {{"q": ["1"]}},
            "requestContext": {{"stage": "s", "path": path, "httpMethod": "GET"}}, "isBase64Encoded": False}}
answer = [asked(app, rest(path)) for path in ("/items/pen", "/items/none", "/elsewhere")]
""")
    assert [status for status, _ in answer] == [200, 404, 404]
    assert json.loads(answer[0][1]) == {"name": "pen", "query": "1"}
    assert json.loads(answer[1][1])["message"] == "no such item"


def test_powertools_validates_and_describes(warehouse: Layer) -> None:
    answer = warehouse.run(f"""{ROUTES}
app = APIGatewayHttpResolver(enable_validation=True)
app.enable_swagger(path="/docs")
@app.post("/items")
def make(item: Item) -> Item:
    return Item(name=item.name.upper(), count=item.count + 1)
def http(method, path, body=None):
    request = {{"http": {{"method": method, "path": path, "sourceIp": "127.0.0.1"}}, "stage": "$default"}}
    return {{"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
            "headers": {{"content-type": "application/json"}}, "requestContext": request, "isBase64Encoded": False,
            "body": json.dumps(body)}}
answer = [asked(app, http("POST", "/items", body)) for body in ({{"name": "pen", "count": 1}}, {{"name": "pen"}})]
answer += [json.loads(app.get_openapi_json_schema(title="Shop"))]
page = app.resolve(http("GET", "/docs"), context)
answer += [page["statusCode"], len(page["body"]) > 100_000]
""")
    made, refused, schema, status, is_whole = answer
    assert (made[0], json.loads(made[1])) == (200, {"name": "PEN", "count": 2})
    assert refused[0] == 422
    assert json.loads(refused[1])["detail"][0]["loc"] == ["body", "count"]
    assert schema["info"]["title"] == "Shop"
    assert "Item" in schema["components"]["schemas"]
    assert (status, is_whole) == (200, True)


def test_powertools_logs_counts_and_parses(warehouse: Layer) -> None:
    answer = warehouse.run("""
import io, contextlib
from types import SimpleNamespace
said = io.StringIO()
with contextlib.redirect_stdout(said):
    from aws_lambda_powertools import Logger, Metrics
    from aws_lambda_powertools.metrics import MetricUnit
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
    from aws_lambda_powertools.utilities.data_classes import S3Event, SQSEvent, event_source
    from aws_lambda_powertools.utilities.parser import envelopes, parse
    from aws_lambda_powertools.utilities.parser.models import SqsModel
    import aws_lambda_powertools.utilities.idempotency, aws_lambda_powertools.utilities.parameters
    logger = Logger(service="shop", stream=said)
    logger.append_keys(order=7)
    logger.info("packed", extra={"parts": 2})
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("broken")
    metrics = Metrics(namespace="Shop", service="shop")
    metrics.add_metric(name="Orders", unit=MetricUnit.Count, value=1)
    metrics.flush_metrics()
lines = [json.loads(line) for line in said.getvalue().splitlines() if line]
record = {"messageId": "1", "body": "{}", "eventSource": "aws:sqs", "receiptHandle": "", "attributes": {},
          "messageAttributes": {}, "md5OfBody": "", "eventSourceARN": "a", "awsRegion": "r"}
def handle(record):
    raise ValueError
try:
    process_partial_response({"Records": [record]}, handle, BatchProcessor(EventType.SQS), None)
    failed = ""
except Exception as error:
    failed = type(error).__name__
answer = [lines[0]["message"], lines[0]["order"], lines[0]["parts"], lines[1]["exception_name"],
          lines[2]["Orders"], failed, SQSEvent({"Records": [record]}).records.__next__().message_id]
""")
    assert answer == ["packed", 7, 2, "ZeroDivisionError", [1.0], "BatchProcessingError", "1"]


def test_tracer_is_there_without_xray(warehouse: Layer) -> None:
    """The SDK is an extra of powertools that this layer hasn't."""
    code = """
from aws_lambda_powertools import Tracer
try:
    Tracer(service="shop")
except ModuleNotFoundError as error:
    answer = error.name
"""
    assert warehouse.run(code, POWERTOOLS_TRACE_DISABLED="true") == "aws_xray_sdk"
