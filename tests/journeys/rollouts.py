"""A small shop that is deployed: what is wanted of it, one deploy as the command makes it, and what is there then."""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import multiprocessing
import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.cloud.fake import FakeClock
from tests.cloud.strict import StrictServer
from tests.deployed.moto_server import ACCOUNT, REGION, Deployer

from lamella.cloud.model import Cloud, Content
from lamella.cloud.places import open_cloud, places
from lamella.config.model import Environment, Smoke
from lamella.deployed.model import Lambda as Downloads
from lamella.errors import LamellaError
from lamella.rollout.journal.journal import open_journal
from lamella.rollout.journal.keeping import open_downloads
from lamella.rollout.model import Outcome, Wanted, WantedFunction, WantedLayer
from lamella.rollout.perform import perform
from lamella.rollout.planning.plan import plan

RUNTIME, ARCHITECTURE = "python3.12", "x86_64"
RATE = 1000.0


class Way(NamedTuple):
    """What deploys are made through: opened once, as the clients of botocore take longer than a deploy."""

    cloud: Cloud
    downloads: Downloads


@functools.cache
def way(url: str) -> Way:  # noqa: ARG001
    """The way to AWS_ENDPOINT_URL, which is `url`.  Its clock makes nobody wait."""
    found = places(Environment("", rate=RATE))
    cloud = open_cloud(found[0], FakeClock())
    assert cloud.place.account == ACCOUNT
    cloud.lambdas.function("orders")  # with its clients
    downloads = open_downloads(cloud)
    downloads.function("orders", "")
    return Way(cloud, downloads)


def packed(name: str, text: str) -> bytes:
    """A zip with one file: always the same bytes, whatever the time."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), text)
    return held.getvalue()


def shop(folder: Path, edition: int) -> Wanted:
    """Three functions and two layers.  Everything in them differs with the edition."""
    folder.mkdir(exist_ok=True)

    def content(name: str) -> Content:
        code = packed("app.py", f"# {name}, edition {edition}\n")
        path = folder / f"{name}-{edition}.zip"
        path.write_bytes(code)
        digest = hashlib.sha256(code)
        return Content(str(path), len(code), digest.hexdigest(), base64.b64encode(digest.digest()).decode())

    def layer(name: str) -> WantedLayer:
        return WantedLayer(name, name, content(name), (RUNTIME,), ARCHITECTURE)

    def function(name: str, layers: tuple[str, ...], alias: str) -> WantedFunction:
        # One of them looks at the whole log, too
        smoke = Smoke("health", "{}", status=200, no_log=("not installed",) if name == "orders" else ())
        return WantedFunction(
            name, name, content(name), RUNTIME, f"app{edition}.handler", ARCHITECTURE, layers, alias, (smoke,)
        )

    functions = (
        function("cleanup", ("base",), ""),
        function("orders", ("base", "images"), "live"),
        function("payments", ("base",), "live"),
    )
    return Wanted("shop", "", (layer("base"), layer("images")), functions)


def found_shop(owner: Deployer) -> None:
    """The functions as something else made them, one with somebody else's layer."""
    stub = packed("app.py", "# nothing yet\n")
    theirs = owner.layer("monitoring", packed("monitor.py", "# theirs\n"))
    for name in ("cleanup", "orders", "payments"):
        owner.function(name, stub, Layers=[theirs] if name == "orders" else [])


def deploy(wanted: Wanted, folder: str, opened: Way, journal: str = "") -> Outcome | LamellaError:
    """One run of `lamella deploy --auto-approve`, but for what it prints, and whose credentials these are.

    Its journal is at `journal` in S3, or in `folder`.
    """
    try:
        cloud = opened.cloud._replace(place=opened.cloud.place._replace(journal=journal))
        kept = open_journal(cloud, folder)
        record = kept.read()
        made = plan(cloud, wanted, record, read_all_aliases=record.is_empty)
        if made.is_empty and record.unfinished is None:
            return Outcome(cloud.place)
        return perform(made, cloud, kept, lambda _: None, downloads=opened.downloads)
    except LamellaError as error:
        return error


# A deploy in a process of its own


def start_deploy(wanted: Wanted, folder: str, url: str, said: str = "", journal: str = "") -> Any:
    """A real process: forked from one that has botocore loaded and its clients made.

    What came of it is written to the file `said` in the folder.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.journeys.rollouts_forked"])
    settings = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    process = context.Process(target=_deployed, args=(wanted, folder, url, settings, said, journal))
    process.start()
    return process


def _deployed(wanted: Wanted, folder: str, url: str, settings: dict[str, str], said: str, journal: str) -> None:
    import faulthandler
    import signal

    faulthandler.register(signal.SIGUSR1, all_threads=True)
    os.environ.update(settings)  # the process that it was forked from may have others
    outcome = deploy(wanted, folder, way(url), journal)
    failed = isinstance(outcome, LamellaError) or bool(outcome.failures)
    if said:
        Path(folder, said).write_text(str(outcome))
    os._exit(1 if failed else 0)


# What is there


Made = tuple[str, tuple[str, ...], str, str, str]


class Seen(NamedTuple):
    """A function as it is: code, layers, runtime, handler and architecture, of $LATEST and behind its alias."""

    latest: Made
    alias: Made | None
    weights: dict[str, float]


def seen(server: StrictServer) -> dict[str, Seen]:
    """What is there, read without a call."""
    found = {}
    for name, group in _functions().items():
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        alias = _backend()._lambdas._aliases[arn].get("live")
        behind = None
        if alias is not None:
            behind = next(made_of(row) for row in group["versions"] if str(row.version) == alias.function_version)
        weights = ((alias.routing_config if alias else None) or {}).get("AdditionalVersionWeights", {})
        found[name] = Seen(made_of(group["latest"]), behind, weights)
    pending = [key for key, facts in server.functions.facts.items() if facts.failed]
    assert not pending, f"updates failed: {pending}"
    return found


def made_of(function: Any) -> Made:
    return (
        function.code_sha_256,
        tuple(row["Arn"] for row in function.layers),
        function.run_time,
        function.handler,
        function.architectures[0],
    )


def twins() -> list[str]:
    """What was published twice: layer versions with equal bytes, versions of a function with equal everything."""
    return [str(row) for row, count in Counter(_published()).items() if count > 1]


def lost(before: list[tuple[object, ...]]) -> list[str]:
    """What was published before, and is no longer there."""
    return [str(row) for row in set(before) - set(_published())]


def published() -> list[tuple[object, ...]]:
    return list(_published())


def _published() -> Iterator[tuple[object, ...]]:
    for name, layer in _backend()._layers._layers.items():
        for version in layer.layer_versions.values():
            yield "layer", name, version.code_sha_256
    for name, group in _functions().items():
        for version in group["versions"]:
            yield "function", name, *made_of(version)


def _functions() -> dict[str, Any]:
    functions: dict[str, Any] = _backend()._lambdas._functions
    return functions


def _backend() -> Any:
    from moto.backends import get_backend

    return get_backend("lambda")[ACCOUNT][REGION]
