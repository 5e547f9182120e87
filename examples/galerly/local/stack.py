"""All of Galerly on this machine: `with Stack(project, folder) as stack:` then stack.page, stack.api.

moto stands for AWS, a stand-in for Stripe; the two functions are the built zips, run by `lamella start-api` and
`lamella start-lambda`; a pump carries S3's events to the processor.  Everything listens on free ports of loopback, and
ends with the block.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import threading
from contextlib import ExitStack
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from examples.galerly.local.aws import BUCKET, KEYS, TABLE, Aws
from examples.galerly.local.stripe_standin import KEY, Stripe

ROOT = Path(__file__).parents[3]
WEB = Path(__file__).parents[1] / "web"
SECRET = "whsec_galerly"
PATIENCE = 120  # seconds


class Stack:
    """`project` is a folder with Galerly, built; logs and the functions' variables go to `folder`.

    `variables` go over those that the functions have here.
    """

    def __init__(self, project: Path, folder: Path, variables: dict[str, str] | None = None) -> None:
        self._project, self._folder, self._variables = project, folder, variables or {}
        self._open = ExitStack()
        self.processes: list[Process] = []

    def __enter__(self) -> Stack:
        with ExitStack() as opened:
            aws = self._process(opened, [sys.executable, "-m", "examples.galerly.local.aws"], "aws")
            self.aws = Aws(*aws.said(r"aws: (http\S+ http\S+)").split())
            self.stripe = opened.enter_context(Stripe(SECRET))
            self._web = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Page, self))
            self.page = f"http://127.0.0.1:{self._web.server_port}/index.html"
            serving = threading.Thread(target=self._web.serve_forever, kwargs={"poll_interval": 0.02})
            serving.start()
            opened.callback(serving.join)
            opened.callback(self._web.server_close)
            opened.callback(self._web.shutdown)
            variables = {
                "AWS_ENDPOINT_URL": self.aws.url,
                "GALERLY_BUCKET": BUCKET,
                "GALERLY_TABLE": TABLE,
                "GALERLY_PAGE": self.page,
                "STRIPE_API_BASE": self.stripe.url,
                "STRIPE_API_KEY": KEY,
                "STRIPE_WEBHOOK_SECRET": SECRET,
                **KEYS,
                **self._variables,
            }
            file = self._folder / "functions.env"
            file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
            lamella = [sys.executable, "-m", "lamella"]
            options = ["--port", "0", "--env-file", str(file)]
            api = self._process(opened, [*lamella, "start-api", *options], "start-api")
            lambdas = self._process(opened, [*lamella, "start-lambda", *options, "--concurrency", "2"], "start-lambda")
            self.api, self.lambdas = (
                api.said(r"Serving .* on (http://\S+);"),
                lambdas.said(r"Serving .* on (http://\S+);"),
            )
            self.stripe.tell = f"{self.api}/v1/billing/webhook"
            pump = [sys.executable, "-m", "examples.galerly.local.pump", "--endpoint", self.aws.url]
            pump += ["--queue", self.aws.queue, "--function", "image-processor", "--lambda", self.lambdas]
            self.pump = self._process(opened, pump, "pump")
            self.pump.said("(pump: listening)")
            self._open = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def log(self, name: str) -> str:
        """What start-api, start-lambda or the pump has written."""
        return (self._folder / f"{name}.log").read_text()

    def _process(self, opened: ExitStack, command: list[str], name: str) -> Process:
        own = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GALERLY_", "STRIPE_"))
        }
        paths = os.pathsep.join(filter(None, (str(ROOT), own.get("PYTHONPATH"))))
        started = Process(command, self._project, {**own, **KEYS, "PYTHONPATH": paths}, self._folder / f"{name}.log")
        self.processes.append(started)
        opened.callback(started.end)
        return started


class Process:
    """A process whose lines go to a file, and can be waited for."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str], log: Path) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        self._lines: list[str] = []
        self._came = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, args=(log,))
        self._reader.start()

    def said(self, pattern: str) -> str:
        """The first group of the pattern in the first line that has it, once it comes.  Raises RuntimeError."""

        def found() -> str | None:
            return next((match[1] for line in self._lines if (match := re.search(pattern, line))), None)

        with self._came:
            self._came.wait_for(lambda: found() is not None or self._ended, PATIENCE)
            told = found()
        if told is None:
            raise RuntimeError(f"never said {pattern}:\n{''.join(self._lines)}")
        return told

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def _read(self, log: Path) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines, log.open("w") as file:
            for line in lines:
                file.write(line)
                file.flush()
                with self._came:
                    self._lines.append(line)
                    self._came.notify_all()
        with self._came:
            self._ended = True
            self._came.notify_all()


class _Page(SimpleHTTPRequestHandler):
    """The folder `web`, and in it where the API is; in AWS that is a file beside the page."""

    def __init__(self, stack: Stack, *arguments: object) -> None:
        self._stack = stack
        super().__init__(*arguments, directory=str(WEB))  # type: ignore[arg-type]

    def do_GET(self) -> None:
        if self.path == "/config.json":
            body = json.dumps({"api": self._stack.api}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None: ...
