"""moto's server on loopback, whose links to zips can be followed.

moto 5.2.5 gives layers the link `s3://`, and functions one into a bucket that is not there.  So its application is
wrapped: answers of GetFunction and GetLayerVersion get links to this server, signed as S3's are, that serve the bytes
that moto holds; ListLayerVersions takes a layer's ARN, as AWS's does.  A test may say how the next answers go wrong.
Nothing of moto, and nothing of lamella, is patched.
"""

from __future__ import annotations

import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

ACCOUNT = "123456789012"
REGION = "us-east-1"
SIGNATURE = "X-Amz-Signature=5ec2e7"

Environ = dict[str, Any]
Start = Callable[..., Any]

_ASKS = re.compile(r"/2015-03-31/functions/[^/]+/?$|/2018-10-31/layers/.+/versions/\d+/?$")
_LISTS = re.compile(r"(/2018-10-31/layers/)arn:[^/]*:([^/:]+)(/versions/?)$")


class AwsServer:
    """`url` is the endpoint.  `asked` are the calls of the API, `downloads` the ranges that zips were asked for in.

    Each of `faults` answers one request: ("api", status, code, message) or, for a download, ("expired",),
    ("cut", bytes), ("other", content), ("status", status).
    """

    def __init__(self) -> None:
        from moto.moto_server.werkzeug_app import (
            DomainDispatcherApplication,
            MotoRequestHandler,
            create_backend_app,
        )
        from werkzeug.serving import make_server

        class Quiet(MotoRequestHandler):
            def log_request(self, *_: object) -> None: ...

        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._application, threaded=True, request_handler=Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.asked: list[str] = []
        self.downloads: list[str] = []
        self.faults: list[tuple[Any, ...]] = []
        self.ignores_ranges = False
        self._zips: dict[str, bytes] = {}
        self._writing = threading.Lock()

    def __enter__(self) -> AwsServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def forget(self) -> None:
        """Nothing is deployed, asked or wrong any more."""
        from moto.backends import get_backend

        for service in ("lambda", "s3", "iam"):
            get_backend(service).reset()
        self.ignores_ranges = False
        for rows in (self.asked, self.downloads, self.faults):
            rows.clear()

    def _application(self, environ: Environ, start: Start) -> Iterable[bytes]:
        if str(environ.get("HTTP_X_AMZ_TARGET")).startswith("DynamoDB"):
            # A conditional write is one step in DynamoDB; in moto another thread may come between look and write
            with self._writing:
                return [b"".join(self._moto(environ, start))]
        path = str(environ["PATH_INFO"])
        if path.startswith("/zips/"):
            return self._serve(environ, start, path.removeprefix("/zips/"))
        decoded = unquote(path)
        if "/functions/" in decoded or "/layers/" in decoded:
            self.asked.append(f"{environ['REQUEST_METHOD']} {decoded}")
            if self.faults and self.faults[0][0] == "api":
                _, status, code, message = self.faults.pop(0)
                return _answer(start, status, {"Type": "User", "message": message}, {"x-amzn-ErrorType": code})
        if found := _LISTS.search(decoded):
            environ = {**environ, "PATH_INFO": "".join(found.groups()), "RAW_URI": "".join(found.groups())}
            environ["REQUEST_URI"] = environ["RAW_URI"]
        if environ["REQUEST_METHOD"] != "GET" or not _ASKS.search(decoded):
            return self._moto(environ, start)  # type: ignore[no-any-return]
        return self._with_link(environ, start)

    def _with_link(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """moto's answer with a link that works."""
        told: list[Any] = []
        body = b"".join(self._moto(environ, lambda status, headers, *_: told.extend((status, headers))))
        status, headers = told
        if status.startswith("200"):
            tree = json.loads(body)
            if "Content" in tree:
                tree["Content"]["Location"] = self._link(_layer_bytes(tree["LayerVersionArn"]))
            elif tree["Configuration"]["PackageType"] == "Zip":
                tree["Code"]["Location"] = self._link(_function_bytes(tree["Configuration"]))
            body = json.dumps(tree).encode()
            headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
            headers.append(("Content-Length", str(len(body))))
        start(status, headers)
        return [body]

    def _link(self, content: bytes) -> str:
        key = str(len(self._zips))
        self._zips[key] = content
        return f"{self.url}/zips/{key}?versionId={quote('a/b')}&{SIGNATURE}"

    def _serve(self, environ: Environ, start: Start, key: str) -> Iterable[bytes]:
        asked = str(environ.get("HTTP_RANGE", ""))
        self.downloads.append(asked)
        content = self._zips[key]
        fault = self.faults.pop(0) if self.faults and self.faults[0][0] != "api" else ("",)
        if fault[0] == "expired" or SIGNATURE not in str(environ["QUERY_STRING"]):
            return _answer(start, 403, {"Code": "AccessDenied", "Message": "Request has expired"}, {})
        if fault[0] == "status":
            return _answer(start, fault[1], {}, {})
        if fault[0] == "other":
            content = fault[1]
        first = 0 if self.ignores_ranges or not asked else int(asked.removeprefix("bytes=").rstrip("-"))
        sent = content[first:]
        start("206 Partial Content" if first else "200 OK", [("Content-Length", str(len(sent)))])
        return _cut(sent[: fault[1]]) if fault[0] == "cut" else [sent]


def _cut(content: bytes) -> Iterable[bytes]:
    """Less than was announced; the server closes the connection behind it."""
    yield content


def _answer(start: Start, status: int, tree: Mapping[str, str], headers: Mapping[str, str]) -> Iterable[bytes]:
    body = json.dumps(tree).encode()
    start(f"{status} Fault", [*headers.items(), ("Content-Length", str(len(body)))])
    return [body]


def _layer_bytes(arn: str) -> bytes:
    from moto.backends import get_backend

    parts = arn.split(":")
    backend = get_backend("lambda")[parts[4]][parts[3]]
    content: bytes = backend.get_layer_version(parts[6], parts[7]).code_bytes
    return content


def _function_bytes(facts: Mapping[str, Any]) -> bytes:
    from moto.backends import get_backend

    parts = facts["FunctionArn"].split(":")
    backend = get_backend("lambda")[parts[4]][parts[3]]
    content: bytes = backend.get_function(parts[6], facts["Version"]).code_bytes
    return content


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A zip as Python's zipfile makes it."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


class Deployer:
    """Somebody who deploys, with boto3, as whoever tests it is the one who pulls.

    `role` is an ARN to assume, "" for none.
    """

    def __init__(self, server: AwsServer, region: str = REGION, role: str = "") -> None:
        import boto3  # type: ignore[import-untyped]

        options = {
            "endpoint_url": server.url,
            "region_name": region,
            "aws_access_key_id": "deployer",
            "aws_secret_access_key": "deployer",
        }
        if role:
            answer = boto3.client("sts", **options).assume_role(RoleArn=role, RoleSessionName="deployer")
            keys = answer["Credentials"]
            options["aws_access_key_id"] = keys["AccessKeyId"]
            options["aws_secret_access_key"] = keys["SecretAccessKey"]
            options["aws_session_token"] = keys["SessionToken"]
        self.lambdas = boto3.client("lambda", **options)
        self._iam = boto3.client("iam", **options)

    def layer(self, name: str, content: bytes, **facts: Any) -> str:
        """Publish a version; its ARN."""
        answer = self.lambdas.publish_layer_version(LayerName=name, Content={"ZipFile": content}, **facts)
        return str(answer["LayerVersionArn"])

    def function(self, name: str, content: bytes, **facts: Any) -> str:
        """Create a function; its ARN."""
        role = self.role()
        answer = self.lambdas.create_function(
            FunctionName=name,
            Role=role,
            **{"Runtime": "python3.12", "Handler": "app.handler", "Code": {"ZipFile": content}, **facts},
        )
        return str(answer["FunctionArn"])

    def role(self) -> str:
        try:
            answer = self._iam.get_role(RoleName="runs")
        except self._iam.exceptions.NoSuchEntityException:
            trust = {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
            answer = self._iam.create_role(RoleName="runs", AssumeRolePolicyDocument=json.dumps(trust))
        return str(answer["Role"]["Arn"])
