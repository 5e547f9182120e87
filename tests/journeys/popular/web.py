"""Uses of servers, clients and databases in a layer: by what is used, code, and what it binds to `answer`."""

from __future__ import annotations

from typing import Any

USES: dict[str, tuple[str, Any]] = {
    "django": (
        """
import datetime, django
from django.conf import settings
settings.configure(
    DEBUG=False, SECRET_KEY="k" * 50, ROOT_URLCONF="__main__", ALLOWED_HOSTS=["*"], USE_I18N=True, STATIC_URL="/s/",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
                    "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django.contrib.messages.middleware.MessageMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {
        "context_processors": ["django.template.context_processors.request",
                               "django.contrib.auth.context_processors.auth",
                               "django.contrib.messages.context_processors.messages"]}}])
django.setup()
from django.contrib import admin
from django.core.management import call_command, get_commands
from django.http import HttpResponse
from django.template import Context, Template
from django.test import Client
from django.urls import path
from django.utils import translation
urlpatterns = [path("hello/", lambda request: HttpResponse("hello")), path("admin/", admin.site.urls)]
call_command("check", verbosity=0)
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
User.objects.create_superuser("root", password="secret")
client = Client()
client.login(username="root", password="secret")
with translation.override("de"):
    month = Context({"day": datetime.date(2026, 3, 1)})
    german = Template("{% load i18n %}{% trans 'Yes' %} {{ day|date:'F' }}").render(month)
from django.contrib.staticfiles import finders
answer = [client.get("/hello/").content.decode(), client.get("/admin/auth/user/").status_code, german,
          User.objects.filter(username__startswith="r").count(), "runserver" in get_commands(),
          finders.find("admin/css/base.css") is not None]
""",
        ["hello", 200, "Ja März", 1, True, True],
    ),
    "sqlalchemy, alembic": (
        """
import os
from sqlalchemy import ForeignKey, create_engine, inspect, select
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
class Base(DeclarativeBase): pass
class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    parts: Mapped[list["Part"]] = relationship(back_populates="order")
class Part(Base):
    __tablename__ = "parts"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    order: Mapped[Order] = relationship(back_populates="parts")
engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add(Order(id=1, parts=[Part(), Part()]))
    session.commit()
    counted = len(session.scalars(select(Part).join(Order).where(Order.id == 1)).all())
from alembic import command
from alembic.config import Config
config = Config()
config.set_main_option("script_location", "migrations")
config.config_file_name = "alembic.ini"
command.init(config, "migrations")
made = command.revision(config, "first")
from alembic.migration import MigrationContext
from alembic.autogenerate import compare_metadata
answer = [counted, str(select(Part.id).limit(1).compile(dialect=postgresql.dialect())).split()[-2:],
          sorted(os.listdir("migrations")), os.path.isfile(made.path),
          compare_metadata(MigrationContext.configure(engine.connect()), Base.metadata)]
""",
        [2, ["LIMIT", "%(param_1)s::INTEGER"], ["README", "env.py", "script.py.mako", "versions"], True, []],
    ),
    "fastapi, mangum, flask, werkzeug, jinja2": (
        """
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from mangum import Mangum
from pydantic import BaseModel
import flask, jinja2
class Item(BaseModel):
    n: int
app = FastAPI()
@app.post("/items")
def items(item: Item, twice: int = Depends(lambda: 2)):
    return {"n": item.n * twice}
client = TestClient(app)
http = {"method": "POST", "path": "/items", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"}
event = {"version": "2.0", "routeKey": "$default", "rawPath": "/items", "rawQueryString": "",
         "headers": {"content-type": "application/json"}, "requestContext": {"http": http, "stage": "$default"},
         "isBase64Encoded": False, "body": '{"n": 4}'}
given = Mangum(app, lifespan="off")(event, None)
web = flask.Flask("__main__", root_path=".")
web.secret_key = "k"
@web.route("/<name>")
def page(name):
    flask.session["name"] = name
    return flask.render_template_string("{{ name|upper }} {{ url_for('page', name='b') }}", name=name)
macro = "{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) }}"
answer = [client.post("/items", json={"n": 3}).json(), client.post("/items", json={}).status_code,
          client.get("/openapi.json").json()["info"]["title"], "swagger" in client.get("/docs").text,
          [given["statusCode"], json.loads(given["body"])], web.test_client().get("/a").text,
          web.test_client().get("/a/b").status_code,
          jinja2.Environment(loader=jinja2.DictLoader({"a": macro})).get_template("a").render()]
""",
        [{"n": 6}, 422, "FastAPI", True, [200, {"n": 8}], "A /b", 404, "<1>"],
    ),
    "aiohttp, requests, httpx, urllib3": (
        """
import asyncio, certifi, httpx, requests, ssl, urllib3
from aiohttp import ClientSession, web
async def talk():
    async def hello(request):
        return web.json_response({"n": int(request.query["n"]) + 1})
    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    url = f"http://127.0.0.1:{port}/"
    async with ClientSession() as session, session.get(url, params={"n": 1}) as given:
        found = [await given.json()]
    async with httpx.AsyncClient() as client:
        found.append((await client.get(url, params={"n": 2})).json())
    found.append(await asyncio.to_thread(lambda: requests.get(url, params={"n": 3}).json()))
    found.append(await asyncio.to_thread(lambda: urllib3.request("GET", url + "?n=4").json()))
    await runner.cleanup()
    return found
answer = asyncio.run(talk()) + [len(ssl.create_default_context(cafile=certifi.where()).get_ca_certs()) > 50]
""",
        [{"n": 2}, {"n": 3}, {"n": 4}, {"n": 5}, True],
    ),
    "grpcio, protobuf, google-cloud-storage": (
        """
import concurrent.futures, grpc
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, struct_pb2, timestamp_pb2
from google.protobuf.internal import api_implementation
from google.protobuf.message_factory import GetMessageClass
from google.api import annotations_pb2
told = struct_pb2.Struct(); told.update({"a": [1, {"b": "c"}]})
class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: request * 2)
server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
server.add_generic_rpc_handlers([Echo()])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    echoed = channel.unary_unary("/shop.Echo/Twice")(b"ab", timeout=20)
server.stop(0)
file = descriptor_pb2.FileDescriptorProto(name="own.proto", package="own")
file.message_type.add(name="Row").field.add(name="n", number=1, type=5, label=1)
pool = descriptor_pool.DescriptorPool(); pool.Add(file)
row = GetMessageClass(pool.FindMessageTypeByName("own.Row"))(n=5)
blob = storage.Client(project="p", credentials=AnonymousCredentials()).bucket("b").blob("k 1")
answer = [echoed.decode(), json_format.MessageToDict(told), row.SerializeToString().hex(),
          api_implementation.Type(), blob.public_url[-6:]]
""",
        ["abab", {"a": [1.0, {"b": "c"}]}, "0805", "upb", "/k%201"],
    ),
    "opentelemetry, aws-xray-sdk, powertools": (
        """
from opentelemetry import context, metrics, propagate, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter = InMemorySpanExporter()
provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
with trace.get_tracer("t").start_as_current_span("work"):
    carrier = {}
    propagate.inject(carrier)
reader = InMemoryMetricReader()
MeterProvider([reader]).get_meter("m").create_counter("orders").add(2)
counted = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics[0].name
from aws_lambda_powertools import Tracer
tracer = Tracer(service="shop")
@tracer.capture_method
def work():
    return 4
from aws_xray_sdk.core import patch, xray_recorder
xray_recorder.configure(context_missing="IGNORE_ERROR")
patch(["httpx", "sqlite3"])
answer = [exporter.get_finished_spans()[0].name, sorted(carrier), counted, work(),
          provider.resource.attributes["telemetry.sdk.language"]]
""",
        ["work", ["traceparent"], "orders", 4, "python"],
    ),
    "psycopg, psycopg2, redis, pymongo, elasticsearch, celery": (
        """
import celery, elasticsearch, psycopg, psycopg2, pymongo, redis
from bson import ObjectId, decode, encode
from dns import resolver, zone
from psycopg import sql
answer = [psycopg.pq.__impl__]
for connect in (psycopg.connect, psycopg2.connect):
    try:
        connect("host=127.0.0.1 port=1 connect_timeout=2")
    except (psycopg.OperationalError, psycopg2.OperationalError) as error:
        answer.append("refused" in str(error))
try:
    redis.Redis("127.0.0.1", 1).ping()
except redis.ConnectionError:
    answer.append("redis")
try:
    pymongo.MongoClient("mongodb://127.0.0.1:1", serverSelectionTimeoutMS=100).admin.command("ping")
except pymongo.errors.ServerSelectionTimeoutError:
    answer.append("mongo")
try:
    elasticsearch.Elasticsearch("http://127.0.0.1:1", max_retries=0).info()
except elasticsearch.ConnectionError:
    answer.append("elastic")
app = celery.Celery("shop", broker="memory://", backend="cache+memory://")
app.conf.task_always_eager = True
@app.task
def add(a, b):
    return a + b
import pymongo._cmessage, bson._cbson
text = "@ 60 IN SOA a. b. 1 2 3 4 5\\n@ 60 IN NS n.\\nw 60 IN A 127.0.0.1\\n"
answer += [add.delay(1, 2).get(), decode(encode({"a": [1]}))["a"], sql.Identifier("a b").as_string(None),
           str(zone.from_text(text, "shop.example")["w"].rdatasets[0][0])]
""",
        ["binary", True, True, "redis", "mongo", "elastic", 3, [1], '"a b"', "127.0.0.1"],
    ),
    "openai, anthropic, langchain-core, stripe": (
        """
import anthropic, httpx, openai, stripe
from langchain_core.messages import AIMessage
from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
def answered(body):
    return httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json=body)))
def tried(work):
    try:
        return work()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}
chat = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
chain = ChatPromptTemplate.from_template("Say {word}") | FakeListChatModel(responses=["said"]) | StrOutputParser()
answer = [
    tried(lambda: openai.OpenAI(api_key="k", http_client=answered(chat)).chat.completions.create(model="m", messages=[])
          .choices[0].message.content),
    chain.invoke({"word": "x"}),
    stripe.Webhook.construct_event.__name__,
    stripe.StripeClient("sk_test_nothing").v1.customers.__class__.__name__,
    anthropic.Anthropic(api_key="k").messages.__class__.__name__,
]
""",
        ["hello", "said", "construct_event", "CustomerService", "Messages"],
    ),
}  # fmt: skip
