"""What is wanted, as values: small layers and functions whose bytes are words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.cloud.fake import Fake, content_of

from lamella.cloud.model import Content
from lamella.rollout.model import Wanted, WantedFunction, WantedLayer

RUNTIME = "python3.12"
_CODES: dict[str, bytes] = {}


def layer(name: str = "deps", code: bytes = b"v1", folder: Path | None = None) -> WantedLayer:
    return WantedLayer(name, name, _content(code, folder, f"{name}.zip"), (RUNTIME,), "x86_64")


def function(
    name: str = "api",
    code: bytes = b"code",
    layers: Sequence[str] = ("deps",),
    alias: str = "live",
    folder: Path | None = None,
    **fields: Any,
) -> WantedFunction:
    return WantedFunction(
        name, name, _content(code, folder, f"{name}.zip"), RUNTIME, "app.handler", "x86_64", tuple(layers), alias
    )._replace(**fields)


def wanted(*parts: WantedLayer | WantedFunction, environment: str = "") -> Wanted:
    return Wanted(
        "demo",
        environment,
        tuple(part for part in parts if isinstance(part, WantedLayer)),
        tuple(part for part in parts if isinstance(part, WantedFunction)),
    )


def deployed(fake: Fake, meant: Wanted) -> None:
    """Everything as it is wanted, made by somebody else: one layer version, one function version each."""
    arns = {one.name: fake.add_layer(one.name, _CODES[one.content.code_sha256]) for one in meant.layers}
    for one in meant.functions:
        fake.add_function(
            one.name,
            layers=[arns.get(text, text) for text in one.layers],
            code=_CODES[one.content.code_sha256],
            alias=one.alias,
        )


def _content(code: bytes, folder: Path | None, name: str) -> Content:
    content = content_of(code, folder, name)
    _CODES[content.code_sha256] = code
    return content
