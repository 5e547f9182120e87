"""`--watch`: what is served is what is on the disk, and processes that need not start anew stay warm."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.build.projects import RUNNABLE, Project, with_one_function

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("invoke")]

CONFIGURATION = (
    RUNNABLE
    + """exclude = ["other.py"]
routes = ["GET /first"]

[tool.lamella.functions.other]
handler = "other.handler"
exclude = ["app.py"]
"""
)
APP = """
import time, stem
STARTED = time.time()
def handler(event, context):
    return {{"is": {}, "started": STARTED}}
"""


class Served:
    """A server of `command` for as long as the block lasts; `said` are the lines that it printed until it listened."""

    def __init__(self, project: Project, *command: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lamella", *command, "--port", "0", "--watch"],
            cwd=project.root, env=project.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stderr is not None
        self.url = ""
        for line in self.process.stderr:
            found = [word.rstrip(";,") for word in line.split() if word.startswith("http://127.0.0.1:")]
            if found:
                self.url = found[0]
                break
        assert self.url, "it ended before it listened"

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        assert self.process.stderr is not None
        self.log = self.process.stderr.read()
        assert self.process.wait(20) == 0, self.log

    def invoke(self, function: str = "api") -> Any:
        request = urllib.request.Request(f"{self.url}/2015-03-31/functions/{function}/invocations", data=b"{}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def get(self, path: str) -> Any:
        try:
            with urllib.request.urlopen(self.url + path, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = with_one_function(tmp_path)
    made.configure(CONFIGURATION)
    made.source("app.py", APP.format(1))
    made.source("other.py", APP.format("'other'").replace(", stem", ""))
    return made


def test_a_source_the_lock_and_a_mistake(project: Project) -> None:
    with Served(project, "start-lambda") as served:
        first, other = served.invoke(), served.invoke("other")
        assert (first["is"], other["is"]) == (1, "other")
        assert served.invoke() == first, "warm"
        project.source("app.py", APP.format(2))
        second = served.invoke()
        assert second["is"] == 2
        assert served.invoke("other") == other, "its code is as it was: it stays warm"

        project.wheels.clear()
        project.wheel("stem", files={"stem.py": "IS = 'new'\n"})
        project.lock()
        project.source("app.py", APP.format("stem.IS"))
        assert served.invoke()["is"] == "new", "the layer was built first"

        project.source("app.py", "import nowhere\n" + APP.format(3))
        code, error = served.invoke()
        assert code >= 500
        assert "nowhere" in json.dumps(error)
        project.source("app.py", APP.format(4))
        assert served.invoke()["is"] == 4


def test_routes_and_sources_of_an_api(project: Project) -> None:
    with Served(project, "start-api") as served:
        assert served.get("/first")[1]["is"] == 1
        assert served.get("/second")[0] == 404
        project.source("app.py", APP.format(2))
        project.configure(CONFIGURATION.replace("GET /first", "GET /second"))
        assert served.get("/second")[1]["is"] == 2
        assert served.get("/first")[0] == 404
        project.source("app.py", "import nowhere\n" + APP.format(3))
        assert served.get("/second")[0] >= 500
        project.source("app.py", APP.format(5))
        assert served.get("/second")[1]["is"] == 5
