"""A project of three functions and two layers in an AWS in memory, and deploys of it: whole, disturbed, killed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cloud.fake import Fake, Fault, Killed, content_of
from tests.cloud.fake_state import answered

from lamella.cloud.model import Content, FunctionState, Invoked
from lamella.config.model import Canary, Smoke
from lamella.rollout.journal.journal_s3 import S3Journal
from lamella.rollout.model import Outcome, Plan, Wanted, WantedFunction, WantedLayer
from lamella.rollout.perform import perform
from lamella.rollout.planning.plan import plan
from lamella.rollout.steps.stopping import Stop
from lamella.rollout.undo.rollback import find_way, go_back

ALIASES = {"api": "live", "worker": "live", "cron": ""}
_LAYERS = {"api": ("deps", "tools"), "worker": ("deps",), "cron": ("deps",)}


class Scene:
    """`api` (alias, two layers), `worker` (alias) and `cron` (no alias), all as the first release has them.

    `api` and `cron` get other code with the second release, all get another version of the layer `deps`.
    """

    def __init__(self, folder: Path, *, smoke: tuple[Smoke, ...] = (), canary: Canary | None = None) -> None:
        self.folder = folder
        self.smoke, self.canary = smoke, canary
        self.fake = fake = Fake()
        foreign = fake.add_layer("monitor", b"monitor", account="999999999999")
        deps, tools = fake.add_layer("deps", b"deps 1"), fake.add_layer("tools", b"tools 1")
        for name, alias in ALIASES.items():
            layers = [deps, *([tools] if name == "api" else []), *([foreign] if name == "worker" else [])]
            fake.add_function(name, layers=layers, code=self.code(name, 1), alias=alias)
        self.told: list[str] = []

    def code(self, name: str, release: int) -> bytes:
        return f"{name} {1 if name == 'worker' else release}".encode()

    def journal(self) -> S3Journal:
        """In the bucket, so that its calls are calls as all others are."""
        return S3Journal(self.fake.bucket, "default")

    def lose_journal(self) -> None:
        self.fake.bucket.stored.clear()

    def wanted(self, release: int) -> Wanted:
        deps = self._content(f"deps {release}".encode(), "deps")
        tools = self._content(f"tools {release}".encode(), "tools")
        layers = (
            WantedLayer("deps", "deps", deps, ("python3.12",), "x86_64"),
            WantedLayer("tools", "tools", tools, ("python3.12",), "x86_64"),
        )
        functions = tuple(
            WantedFunction(
                name, name, self._content(self.code(name, release), name), "python3.12", "app.handler", "x86_64",
                _LAYERS[name], alias, self.smoke, self.canary if alias else None,
            )
            for name, alias in ALIASES.items()
        )  # fmt: skip
        return Wanted("shop", "", layers, functions)

    def plan(self, release: int) -> Plan:
        record = self.journal().read()
        return plan(self.fake.cloud(), self.wanted(release), record, read_all_aliases=record.is_empty)

    def deploy(
        self, release: int = 2, *, plan: Plan | None = None, workers: int = 1, stop: Stop | None = None
    ) -> Outcome:
        return perform(
            plan or self.plan(release), self.fake.cloud(), self.journal(), self.told.append,
            downloads=self.fake.downloads(), workers=workers, stop=stop,
        )  # fmt: skip

    def roll_back(self, *names: str, to: str = "") -> Outcome:
        way = find_way(self.fake.cloud(), self.journal().read(), ALIASES, names, to=to)
        return go_back(
            way, self.fake.cloud(), self.journal(), self.told.append, downloads=self.fake.downloads(), workers=1
        )

    def break_release(self, release: int) -> None:
        """What has the layers of this release answers with an error."""

        def answer(state: FunctionState, payload: bytes) -> Invoked:
            broken = self._layer(state.layers[0]) == f"deps {release}"
            return (
                answered(state, payload)._replace(payload=b'{"statusCode": 500}')
                if broken
                else answered(state, payload)
            )

        self.fake.answers = dict.fromkeys(ALIASES, answer)

    def release(self) -> int | None:
        """The release that AWS has, whole: aliases, layers, code; None where it is a mixture."""
        return next((number for number in (1, 2) if not self.lacking(number)), None)

    def lacking(self, release: int) -> list[str]:
        """What is not as the release has it."""
        found = []
        for name, alias in ALIASES.items():
            states = [("$LATEST", self.fake.state(name))]
            if alias:
                pointed = self.fake.pointed(name, alias)
                assert pointed is not None
                states.append((alias, self.fake.state(name, pointed.version)))
                found += [f"{name}: weights {pointed.weights}"] if pointed.weights else []
            found += [
                f"{name} {what}: {part}" for what, state in states for part in self._lacking(name, state, release)
            ]
        return found

    def digests(self) -> list[str]:
        """The digest of each version of each of our layers: nothing is there twice."""
        layers = [f"{self.fake.layer_arn(name, 0).rpartition(':')[0]}" for name in ("deps", "tools")]
        return [row.code_sha256 for arn in layers for row in self.fake._layers[arn].versions.values()]

    def versions(self) -> list[tuple[object, ...]]:
        """What each published version of each function is."""
        rows = [self.fake.state(name, number) for name in ALIASES for number in self.fake.published(name)]
        return [(row.name, row.code_sha256, row.layers) for row in rows]

    def _lacking(self, name: str, state: FunctionState, release: int) -> list[str]:
        found = []
        layers = [self._layer(arn) for arn in state.layers]
        meant = [f"{layer} {release}" for layer in _LAYERS[name]] + (["monitor"] if name == "worker" else [])
        if layers != meant:
            found.append(f"layers {layers}")
        if self.fake.blobs[state.code_sha256] != self.code(name, release):
            found.append(f"code {self.fake.blobs[state.code_sha256]!r}")
        if state.update == "Failed":
            found.append("failed")
        return found

    def _layer(self, arn: str) -> str:
        name, _, version = arn.rpartition(":")
        found = self.fake._layers[name].versions.get(int(version))
        return self.fake.blobs[found.code_sha256].decode() if found else "gone"

    def _content(self, content: bytes, name: str) -> Content:
        path = self.folder / f"{name}-{content.decode().replace(' ', '-')}.zip"
        if not path.exists():
            path.write_bytes(content)
        return content_of(content)._replace(path=str(path))


def at(number: int, fault: Callable[[], Fault]) -> Callable[[str, tuple[Any, ...], int], Fault | None]:
    """The fault at the call of this number, counted from now on; one that kills, at each call behind it, too."""
    count = 0

    def asked(name: str, arguments: tuple[Any, ...], at: int) -> Fault | None:  # noqa: ARG001
        nonlocal count
        count += 1
        if count == number:
            return fault()
        if count > number and isinstance(fault().error, Killed):
            return Fault(Killed("it is dead"))
        return None

    return asked
