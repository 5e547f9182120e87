from __future__ import annotations

import sys

import pytest

from lamella.errors import UsageError
from lamella.sandbox.model import KINDS
from lamella.sandbox.run import Sandbox

PYTHON = sys.version_info[:2]


@pytest.fixture(params=KINDS)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """One that works here, of each kind; a kind that does not is skipped out loud."""
    made = Sandbox(sys.executable, PYTHON, request.param)
    try:
        assert made.isolation == request.param
    except UsageError as error:
        pytest.skip(str(error).replace("\n", " "))
    return made
