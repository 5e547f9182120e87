from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.lambdas import cleared
from tests.journeys.layers import KEYS, MANNERS, PINS, Layer, lock, used


@pytest.fixture(scope="session")
def project_in_use(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with cleared(tmp_path_factory.mktemp("used")) as folder:
        (folder / "requirements.in").write_text("\n".join(PINS.split()))
        lock(folder / "requirements.in", folder)
        yield folder


@pytest.fixture(scope="session", params=MANNERS)
def layers(request: pytest.FixtureRequest, project_in_use: Path) -> dict[str, Layer]:
    return used(request.param, project_in_use)


@pytest.fixture
def warehouse(layers: dict[str, Layer]) -> Layer:
    """powertools, boto3, pyarrow, pydantic and pydantic-settings."""
    return layers["warehouse"]


@pytest.fixture
def pictures(layers: dict[str, Layer]) -> Layer:
    """numpy, Pillow, pillow-heif and rawpy."""
    return layers["pictures"]


@pytest.fixture(params=KEYS)
def layer(request: pytest.FixtureRequest, layers: dict[str, Layer]) -> Layer:
    """One after the other."""
    return layers[request.param]
