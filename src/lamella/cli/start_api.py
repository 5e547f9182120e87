"""`lamella start-api`: the functions' routes behind a server on this machine, as API Gateway has them."""

from __future__ import annotations

import argparse
import os
import threading
from typing import TYPE_CHECKING

from lamella.errors import UsageError

if TYPE_CHECKING:
    from lamella.config.model import Settings
    from lamella.gateway.app import Current, Gateway
    from lamella.gateway.routes import Route
    from lamella.local.functions import Project
    from lamella.report.console import Console
    from lamella.waiting import Threads

DESCRIPTION = (
    "Serve the functions' routes over HTTP, with the events, authorizers, CORS and error responses of API Gateway.  "
    "Each function runs with exactly its layers, as `lamella invoke` runs it."
)
EPILOG = """examples:
  lamella start-api                                  on http://127.0.0.1:3000
  lamella start-api --port 0 --watch                 a free port; what changes is built anew
  lamella start-api --type rest --env TABLE=jobs     as a REST API: events of version 1.0

Routes stand in the configuration: `[tool.lamella.functions.KEY] routes = ["GET /v1/jobs/{id}"]`; `[tool.lamella.api]`
has the API's own settings.  The API is served without its stage in front of paths; events name it.  The functions'
log and a line for each request go to stderr.  Ctrl-C ends it.
"""
PORT = 3000
# How long threads are waited for after all functions were ended
_THREAD_SECONDS = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from lamella.cli.running import add_server
    from lamella.config.api import TYPES

    add_server(parser, PORT)
    parser.add_argument("--type", choices=TYPES, help="the kind of API, instead of the configured one")


def run(parsed: argparse.Namespace) -> int:
    from lamella.cli.running import LIMIT, open_project
    from lamella.report.console import Console
    from lamella.serving import serve
    from lamella.waiting import Threads

    console = Console(quiet=parsed.quiet)
    progress = console.progress()
    try:
        with open_project(parsed, console, progress) as project:
            threads = Threads(2 * LIMIT)
            api = _Api(parsed, project, threads, console)
            try:
                serve(api.app(), host=parsed.host, port=parsed.port, ready=api.listening, header_names=True)
            finally:
                # Functions first: threads wait for them
                project.close()
                threads.close(_THREAD_SECONDS)
    finally:
        progress.close()
    return 0


class _Api:
    """The gateway for the project's configuration; with `--watch`, for the newest one."""

    def __init__(self, parsed: argparse.Namespace, project: Project, threads: Threads, console: Console) -> None:
        self._parsed = parsed
        self._project = project
        self._threads = threads
        self._console = console
        self._changing = threading.Lock()
        self._seen = project.settings
        self._gateway = self._made(project.settings)

    def app(self) -> Gateway | Current:
        """What is served."""
        from lamella.gateway.app import Current

        return Current(self._newest, self._threads, self._console.error) if self._parsed.watch else self._gateway

    def listening(self, url: str) -> None:
        """Say what is served, and where."""
        self._show(url)
        kind = "a REST API" if self._gateway.rest else "an HTTP API"
        self._console.say(f"Serving {kind} on {url}; Ctrl-C ends it")

    def _newest(self) -> Gateway:
        """Raises what a build raises, and reading the configuration."""
        self._project.refresh()
        with self._changing:
            settings = self._project.settings
            if settings is not self._seen:
                made = self._made(settings)
                # One that says the same stays, with what its authorizers' answers are kept for
                if (made.api, made.routes.all) != (self._gateway.api, self._gateway.routes.all):
                    self._gateway = made
                    self._console.say("The API's configuration changed")
                self._seen = settings
            return self._gateway

    def _made(self, settings: Settings) -> Gateway:
        from lamella.gateway.app import Gateway

        told = self._api(settings)
        routes = _routes(told)
        if not routes:
            raise UsageError(
                "no function has a route",
                why=[f"`{os.path.relpath(settings.file)}` has no `routes`"],
                hint='write `routes = ["GET /hello"]` below a function, say',
            )
        log = None if self._console.quiet else self._console.log
        return Gateway(told.api, routes, self._project, self._threads, log=log, told=self._told)

    def _api(self, settings: Settings) -> Settings:
        """The settings, read anew where `--type` is not what they say."""
        if self._parsed.type in (None, settings.api.type):
            return settings
        from lamella.config.read import read

        return read(os.getcwd(), output=self._parsed.output, api=self._parsed.type)

    def _show(self, url: str) -> None:
        rows = []
        for route in self._gateway.routes.all:
            shown = f"{url}{route.path}" if route.path else f"{url}/…"
            rows.append((route.method if route.path else "ANY", shown, route.function, route.authorizer))
        self._console.table(("method", "URL", "function", "authorizer"), rows, right=frozenset())

    def _told(self, method: str, path: str, status: int, milliseconds: float, problem: str) -> None:
        from lamella.wording import escaped, printable

        self._console.say(f"{escaped(method)} {printable(path)} {status} {milliseconds:.0f} ms")
        if problem:
            self._console.warning(problem)


def _routes(settings: Settings) -> tuple[Route, ...]:
    from lamella.gateway.routes import Route

    return tuple(
        Route(method, path, function.key, function.authorizer)
        for function in settings.functions
        for method, path in function.routes
    )
