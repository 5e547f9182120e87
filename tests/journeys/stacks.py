"""moto with a stand-in of CloudFormation: a stack is there as soon as its template is, and its resources are not made.

What matters to a tool that deploys: what it uploads, to S3, and the templates that it asks for.  The development
environment has no moto with CloudFormation, and moto's makes no layers of a template (5.2.5).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from tests.deployed.moto_server import ACCOUNT, REGION, AwsServer, Environ, Start

_XMLNS = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
_TIME = "2026-11-22T00:00:00Z"


class StackServer(AwsServer):
    """`templates` are those of each stack, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self.templates: dict[str, list[dict[str, Any]]] = {}
        self._changes: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> StackServer:
        super().__enter__()
        return self

    def uploaded(self, bucket: str) -> dict[str, bytes]:
        """The objects of a bucket."""
        from moto.backends import get_backend

        keys = get_backend("s3")[ACCOUNT]["aws"].get_bucket(bucket).keys
        return {name: keys[name].value for name in keys}

    def _application(self, environ: Environ, start: Start) -> Iterable[bytes]:
        if "/cloudformation/" not in str(environ.get("HTTP_AUTHORIZATION", "")):
            return super()._application(environ, start)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        status, answer = self._answer(asked)
        sent = answer.encode()
        start(status, [("Content-Type", "text/xml"), ("Content-Length", str(len(sent)))])
        return [sent]

    def _answer(self, asked: dict[str, str]) -> tuple[str, str]:
        action = asked["Action"]
        if action == "ValidateTemplate":
            return _done(action, "")
        # By its name or, later, by its ARN
        stack = asked["StackName"].split("/")[1] if "/" in asked["StackName"] else asked["StackName"]
        if action == "CreateChangeSet":
            self._changes[stack] = self._template(asked)
            return _done(action, _ids(stack))
        if action == "DescribeChangeSet":
            return _done(action, f"{_ids(stack)}<Status>CREATE_COMPLETE</Status>")
        if action == "ExecuteChangeSet":
            self.templates.setdefault(stack, []).append(self._changes.pop(stack))
            return _done(action, "")
        if action == "DeleteChangeSet":
            return _done(action, "")
        if stack not in self.templates:
            return _failed("ValidationError", f"Stack with id {stack} does not exist")
        return _done(action, self._described(action, stack))

    def _described(self, action: str, stack: str) -> str:
        told = "CREATE" if len(self.templates[stack]) == 1 else "UPDATE"
        if action == "DescribeStackEvents":
            number = len(self.templates[stack])
            statuses = (f"{told}_COMPLETE", f"{told}_IN_PROGRESS")
            return _list("StackEvents", (_event(stack, number, status) for status in statuses))
        if action == "DescribeStacks":
            outputs = self.templates[stack][-1].get("Outputs", {})
            held = _list("Outputs", (_output(name, one["Value"]) for name, one in outputs.items()))
            row = f"<StackName>{stack}</StackName><StackId>{_id(stack)}</StackId>"
            return _list("Stacks", [f"{row}<StackStatus>{told}_COMPLETE</StackStatus>{held}"])
        if action == "ListStackResources":
            rows = self.templates[stack][-1]["Resources"].items()
            return _list("StackResourceSummaries", (_resource(name, one["Type"], told) for name, one in rows))
        raise AssertionError(f"{action} is not known here")

    def _template(self, asked: dict[str, str]) -> dict[str, Any]:
        text = asked.get("TemplateBody")
        if text is None:
            bucket, _, key = urlsplit(asked["TemplateURL"]).path.lstrip("/").partition("/")
            text = self.uploaded(bucket)[key].decode()
        template: dict[str, Any] = json.loads(text)
        return template


def _done(action: str, held: str) -> tuple[str, str]:
    result = f"<{action}Result>{held}</{action}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
    return "200 OK", f'<{action}Response xmlns="{_XMLNS}">{result}</{action}Response>'


def _failed(code: str, message: str) -> tuple[str, str]:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return "400 Bad Request", f'<ErrorResponse xmlns="{_XMLNS}">{error}<RequestId>1</RequestId></ErrorResponse>'


def _list(name: str, rows: Iterable[str]) -> str:
    return f"<{name}>{''.join(f'<member>{row}</member>' for row in rows)}</{name}>"


def _id(stack: str) -> str:
    return f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{stack}/1"


def _ids(stack: str) -> str:
    return f"<Id>{_id(stack)}</Id><StackId>{_id(stack)}</StackId><StackName>{stack}</StackName>"


def _event(stack: str, number: int, status: str) -> str:
    names = f"<StackId>{_id(stack)}</StackId><StackName>{stack}</StackName><LogicalResourceId>{stack}"
    kind = "</LogicalResourceId><ResourceType>AWS::CloudFormation::Stack</ResourceType>"
    return (
        f"<EventId>{number}-{status}</EventId>{names}{kind}"
        f"<ResourceStatus>{status}</ResourceStatus><Timestamp>{_TIME}</Timestamp>"
    )


def _resource(name: str, kind: str, told: str) -> str:
    return (
        f"<LogicalResourceId>{name}</LogicalResourceId><ResourceType>{kind}</ResourceType>"
        f"<LastUpdatedTimestamp>{_TIME}</LastUpdatedTimestamp><ResourceStatus>{told}_COMPLETE</ResourceStatus>"
    )


def _output(name: str, value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f"<OutputKey>{name}</OutputKey><OutputValue>{escape(text)}</OutputValue>"
