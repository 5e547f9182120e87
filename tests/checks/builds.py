"""Builds of a few small files: zips in a folder, and the manifest that describes them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.sandbox.zips import make_zip

from lamella.archive.reader import read
from lamella.build.artifacts import top_modules
from lamella.checks.bench import Bench, Means
from lamella.manifest import Distribution, FunctionArtifact, LayerArtifact, Manifest

# That of the interpreter that runs the tests, so that there is one
RUNTIME = f"python{sys.version_info[0]}.{sys.version_info[1]}"
Wheels = Mapping[str, Mapping[str, str]]


def metadata(name: str, version: str = "1.0", *requires: str) -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(
        f"Requires-Dist: {r}\n" for r in requires
    )


class Build:
    """Layers and functions are added one by one; `bench` looks at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "out"
        self.folder.mkdir()
        self.cache = folder / "cache"
        self.layers: list[LayerArtifact] = []
        self.functions: list[FunctionArtifact] = []

    def layer(
        self, key: str, wheels: Wheels, runtimes: Sequence[str] = (RUNTIME,), site: str = "python", part_of: str = "",
        architecture: str = "x86_64",
    ) -> LayerArtifact:  # fmt: skip
        """A layer with these distributions (name → files below the site); a `.dist-info` without METADATA gets one."""
        files, rows = self._placed(wheels, f"{site}/", runtimes)
        path, sha256 = make_zip(self.folder / f"{key}.zip", files)
        artifact = LayerArtifact(
            key, f"shop-{key}", f"{key}.zip", *_sizes(path), sha256, "", architecture, tuple(runtimes), part_of, "", "",
            rows,
        )  # fmt: skip
        self.layers.append(artifact)
        return artifact

    def function(
        self, key: str, files: Mapping[str, str], layers: Sequence[str] = (), bundle: Wheels | None = None,
        handler: str = "app.handler", runtime: str = RUNTIME, architecture: str = "x86_64",
    ) -> FunctionArtifact:  # fmt: skip
        bundled, rows = self._placed(bundle or {}, "", (runtime,))
        path, sha256 = make_zip(self.folder / f"{key}.zip", {**files, **bundled})
        artifact = FunctionArtifact(
            key, f"shop-{key}", f"{key}.zip", *_sizes(path), sha256, "", architecture, runtime, handler, tuple(layers),
            (), rows,
        )  # fmt: skip
        self.functions.append(artifact)
        return artifact

    def _placed(
        self, wheels: Wheels, prefix: str, runtimes: Sequence[str]
    ) -> tuple[dict[str, str], tuple[Distribution, ...]]:
        placed: dict[str, str] = {}
        rows = []
        for name, files in wheels.items():
            info = f"{name}-1.0.dist-info/METADATA"
            own = {info: metadata(name), **files}
            placed |= {f"{prefix}{path}": text for path, text in own.items() if text != "-"}
            modules = top_modules(own, [""])
            rows.append(Distribution(name, "1.0", f"{name}-1.0.whl", "0" * 64, tuple(runtimes), modules, 1, 1))
        return placed, tuple(rows)

    @property
    def manifest(self) -> Manifest:
        return Manifest("shop", tuple(self.layers), tuple(self.functions))

    def bench(self, isolation: str = "auto", asked: Sequence[str] = (), **env: str) -> Bench:
        means = Means(str(self.cache), None, isolation, env, tuple(asked))
        return Bench(self.manifest, str(self.folder), means)


def _sizes(path: str) -> tuple[int, int, int]:
    archive = read(path)
    return archive.size, sum(member.size for member in archive.members), len(archive.members)
