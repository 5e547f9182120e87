"""A stand-in for Redshift's Data API on loopback: its calls are checked by botocore's model, its SQL runs in DuckDB.

    with RedshiftStandIn(schema) as redshift:
        environment = {"AWS_ENDPOINT_URL_REDSHIFT_DATA": redshift.url}

moto has the calls as well, but runs no SQL: its statements stay STARTED.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import botocore.session  # type: ignore[import-untyped]
import duckdb
import sqlglot
from botocore.validate import ParamValidator  # type: ignore[import-untyped]

PAGE = 700  # rows: a result of any size has several
_MODEL = botocore.session.get_session().get_service_model("redshift-data")
_TYPES = {
    "BOOLEAN": "bool",
    "SMALLINT": "int2",
    "INTEGER": "int4",
    "BIGINT": "int8",
    "FLOAT": "float4",
    "DOUBLE": "float8",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "VARCHAR": "varchar",
}


class RefusedError(Exception):
    """`code` is one of the operation's errors."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Statement:
    """One that was sent: it runs as soon as it was looked at once, unless it is held."""

    def __init__(self, sql: str, parameters: dict[str, str], cursor: duckdb.DuckDBPyConnection) -> None:
        self.id, self.sql, self.parameters = str(uuid4()), sql, parameters
        self.status, self.error = "SUBMITTED", ""
        self.columns: list[dict[str, Any]] = []
        self.rows: list[tuple[Any, ...]] = []
        self._cursor = cursor

    def run(self) -> None:
        try:
            text = sqlglot.parse_one(self.sql, read="redshift").sql(dialect="duckdb")
            relation = self._cursor.sql(text, params=dict(self.parameters) or None)
            self.columns = [
                _column(name, str(kind)) for name, kind in zip(relation.columns, relation.types, strict=True)
            ]
            self.rows = relation.fetchall()
            self.status = "FINISHED"
        except (duckdb.Error, sqlglot.errors.SqlglotError) as error:
            self.status, self.error = "FAILED", f"ERROR: {str(error).splitlines()[0]}"

    def stop(self) -> bool:
        if self.status not in ("SUBMITTED", "STARTED"):
            return False
        self.status = "ABORTED"
        return True


class RedshiftStandIn:
    """`statements` are those that were sent, in order.  While `holding`, they stay STARTED.

    `throttled` calls of DescribeStatement are refused first, as the service does when it is busy.
    """

    def __init__(self, schema: Path) -> None:
        self._database = duckdb.connect(":memory:", config={"threads": 1})
        self._database.execute(schema.read_text())
        self.statements: dict[str, Statement] = {}
        self.holding = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._turn = threading.Lock()

    def __enter__(self) -> RedshiftStandIn:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._database.close()

    def answer(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the service answers to the operation.  Raises RefusedError."""
        operations: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "ExecuteStatement": self._execute,
            "DescribeStatement": self._describe,
            "GetStatementResult": self._result,
            "CancelStatement": self._cancel,
        }
        model = _MODEL.operation_model(name)
        _check(given, model.input_shape)
        with self._turn:
            answer = operations[name](given)
        wrong = ParamValidator().validate(answer, model.output_shape)
        assert not wrong.has_errors(), wrong.generate_report()
        return answer

    def _execute(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if ("WorkgroupName" in given) == ("ClusterIdentifier" in given):
            raise RefusedError("ValidationException", "Exactly one of WorkgroupName and ClusterIdentifier is needed")
        parameters = {row["name"]: row["value"] for row in given.get("Parameters", [])}
        named = set(re.findall(r"(?<![:\w]):([a-z_]\w*)", given["Sql"], re.IGNORECASE))
        if named != set(parameters):
            raise RefusedError("ValidationException", f"Parameters of the statement are {sorted(named)}")
        made = Statement(given["Sql"], parameters, self._database.cursor())
        self.statements[made.id] = made
        return {"Id": made.id, "Database": given["Database"]}

    def _describe(self, given: Mapping[str, Any]) -> dict[str, Any]:
        found = self._found(given)
        # Each look sees the next state: whoever asks once only never sees it finished
        if found.status == "STARTED" and not self.holding:
            found.run()
        elif found.status == "SUBMITTED":
            found.status = "STARTED"
        more = {"Error": found.error} if found.error else {}
        return {"Id": found.id, "Status": found.status, "ResultRows": len(found.rows), **more}

    def _result(self, given: Mapping[str, Any]) -> dict[str, Any]:
        found = self._found(given)
        if found.status != "FINISHED":
            raise RefusedError("ResourceNotFoundException", f"Query {found.id} has no result")
        first = int(given.get("NextToken", 0))
        last = first + PAGE
        records = [[_field(value) for value in row] for row in found.rows[first:last]]
        more = {"NextToken": str(last)} if last < len(found.rows) else {}
        return {"ColumnMetadata": found.columns, "Records": records, "TotalNumRows": len(found.rows), **more}

    def _cancel(self, given: Mapping[str, Any]) -> dict[str, Any]:
        found = self._found(given)
        if not found.stop():
            raise RefusedError("ValidationException", f"Could not cancel a query that is already {found.status}")
        return {"Status": True}

    def _found(self, given: Mapping[str, Any]) -> Statement:
        if given["Id"] not in self.statements:
            raise RefusedError("ResourceNotFoundException", "Query does not exist.")
        return self.statements[given["Id"]]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self.answer

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body go in one packet: nobody waits for Nagle's algorithm
            wbufsize = -1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service, _, name = self.headers["X-Amz-Target"].partition(".")
                assert service == _MODEL.metadata["targetPrefix"]
                assert self.headers["Authorization"].startswith("AWS4-HMAC-SHA256 ")
                try:
                    status, tree = 200, answer(name, json.loads(body))
                except RefusedError as refused:
                    status, tree = 400, {"__type": refused.code, "message": str(refused)}
                content = json.dumps(tree).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        return Handler


def _check(given: Mapping[str, Any], shape: Any) -> None:
    wrong = ParamValidator().validate(dict(given), shape)
    if wrong.has_errors():
        raise RefusedError("ValidationException", wrong.generate_report())
    for name, value in given.items():
        pattern = shape.members[name].metadata.get("pattern")
        if pattern and not re.fullmatch(pattern, value):
            raise RefusedError("ValidationException", f"{name} must match {pattern}")


def _column(name: str, kind: str) -> dict[str, Any]:
    decimal = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind)
    if decimal:
        return {
            "name": name, "label": name, "typeName": "numeric", "precision": int(decimal[1]), "scale": int(decimal[2])
        }  # fmt: skip
    return {"name": name, "label": name, "typeName": _TYPES[kind], "precision": 0, "scale": 0}


def _field(value: Any) -> dict[str, Any]:
    match value:
        case None:
            return {"isNull": True}
        case bool():
            return {"booleanValue": value}
        case int():
            return {"longValue": value}
        case float():
            return {"doubleValue": value}
        case datetime() | date() | Decimal() | str():
            return {"stringValue": str(value)}
    raise AssertionError(f"no field for {value!r}")
