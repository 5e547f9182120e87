# ruff: noqa: F811  fixtures of another folder
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.cloud.strict import StrictServer
from tests.cloud.strict_fixtures import _strict, owner, strict  # noqa: F401
from tests.deployed.conftest import nobody, somebody  # noqa: F401
from tests.deployed.moto_server import ACCOUNT, REGION, Deployer, zipped

from lamella.cloud.model import Place
from lamella.cloud.places import open_cloud
from lamella.rollout.journal.journal import open_journal
from lamella.rollout.journal.keeping import keep, open_downloads
from lamella.rollout.steps.settle import Chance

RATE = 8


def test_code_is_kept_at_the_rate_of_the_place(strict: StrictServer, owner: Deployer, tmp_path: Path) -> None:
    names = [f"function{number:02}" for number in range(2 * RATE)]
    for name in names:
        owner.function(name, zipped({"app.py": f"# {name}\n"}))
    cloud = open_cloud(Place(region=REGION, account=ACCOUNT, rate=RATE))
    journal, downloads = open_journal(cloud, str(tmp_path)), open_downloads(cloud)
    states = list(cloud.lambdas.functions())
    strict.clear()
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(lambda state: keep(state, journal, downloads, Chance(cloud.clock)), states))
    assert len(set(keys)) == len(names)
    assert sum(call.operation == "GetFunction" for call in strict.calls) == len(names)
    assert strict.busiest <= RATE
