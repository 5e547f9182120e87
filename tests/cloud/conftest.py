from __future__ import annotations

from tests.cloud.strict_fixtures import _strict, owner, strict
from tests.deployed.conftest import _moto, aws_server, deployer, nobody, somebody

__all__ = ["_moto", "_strict", "aws_server", "deployer", "nobody", "owner", "somebody", "strict"]
