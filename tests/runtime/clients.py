"""A runtime client for tests that have no network: as awslambdaric, in as much as they ask for."""

from __future__ import annotations

from pathlib import Path

MAIN = """
import http.client, importlib, json, os, sys
ROOT = "/2018-06-01/runtime"

class Context:
    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.deadline = int(headers["Lambda-Runtime-Deadline-Ms"])

def post(connection, path, body, headers={}):
    connection.request("POST", ROOT + path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()

class Through:
    def __init__(self, stream):
        self.stream = stream
    def write(self, text):
        self.stream.write(text)
        self.stream.flush()
    def __getattr__(self, name):
        return getattr(self.stream, name)

sys.stdout, sys.stderr = Through(sys.stdout), Through(sys.stderr)
module, _, name = sys.argv[1].rpartition(".")
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
try:
    handler = getattr(importlib.import_module(module), name)
except Exception as error:
    kind = {ImportError: "Runtime.ImportModuleError", ModuleNotFoundError: "Runtime.ImportModuleError"}
    said = {"errorMessage": str(error), "errorType": kind.get(type(error), type(error).__name__)}
    post(http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"]), "/init/error", json.dumps(said),
         {"Lambda-Runtime-Function-Error-Type": said["errorType"]})
    sys.exit(1)
while True:
    connection.request("GET", ROOT + "/invocation/next")
    answer = connection.getresponse()
    event = json.loads(answer.read())
    context = Context(answer.headers)
    try:
        done = "response", json.dumps(handler(event, context), ensure_ascii=False).encode()
    except Exception as error:
        print(f"[ERROR] {type(error).__name__}: {error}\\rTraceback (most recent call last):\\r  here")
        done = "error", json.dumps({"errorMessage": str(error), "errorType": type(error).__name__}).encode()
    post(connection, f"/invocation/{context.aws_request_id}/{done[0]}", done[1])
"""


def stand_in(folder: Path) -> str:
    """A folder with it, for /var/runtime."""
    package = folder / "stand-in" / "awslambdaric"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(MAIN)
    return str(package.parent)
