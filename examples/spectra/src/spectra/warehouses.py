"""Which warehouse there is, by the environment; what it needs is imported only then."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict

from spectra.ports import Warehouse


class WarehouseSettings(BaseSettings):
    """Redshift: `database`, with `workgroup` (Serverless), or `cluster` and one of `db_user` and `secret_arn`.

    DuckDB: `schema_file` is the SQL that makes its tables, relative to the function's code.
    """

    model_config = SettingsConfigDict(env_prefix="SPECTRA_WAREHOUSE_")

    kind: Literal["redshift", "duckdb"] = "redshift"
    database: str = "dev"
    workgroup: str = ""
    cluster: str = ""
    db_user: str = ""
    secret_arn: str = ""
    schema_file: Path = Path("sample/schema.sql")

    def place(self) -> dict[str, str]:
        """What ExecuteStatement takes to find the database."""
        given = {
            "Database": self.database,
            "WorkgroupName": self.workgroup,
            "ClusterIdentifier": self.cluster,
            "DbUser": self.db_user,
            "SecretArn": self.secret_arn,
        }
        return {name: value for name, value in given.items() if value}


def open_warehouse(settings: WarehouseSettings | None = None) -> Warehouse:
    """Dear with DuckDB, which makes its tables: once for each process."""
    settings = settings or WarehouseSettings()
    # By name, as what is deployed has no module for DuckDB
    adapter = importlib.import_module(f"spectra.warehouse_{settings.kind}")
    opened: Warehouse = adapter.opened(settings)
    return opened
