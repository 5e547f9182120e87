"""The project as it runs here: Spectra's own, with DuckDB in a layer and sample data in the functions that query.

lamella takes sources from below its configuration only, and the deployed functions must not know of DuckDB: so this
writes a copy of the project whose configuration differs in what `local` needs, and in nothing else.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import tomlkit

PROJECT = Path(__file__).resolve().parents[1]
QUERYING = ("api-handler", "worker")
DUCKDB = "warehouse_duckdb.py"
COPIED = ("src", "events", "uv.lock")


def assemble(folder: Path) -> Path:
    """Write the project to `folder`, over what it was before; `folder/dist` stays, so that little is built anew."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*COPIED, "sample"):
        source = PROJECT / "local/sample" if name == "sample" else PROJECT / name
        if source.is_dir():
            shutil.rmtree(folder / name, ignore_errors=True)
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, folder / name)
    (folder / "pyproject.toml").write_text(_local((PROJECT / "pyproject.toml").read_text()))
    return folder


def _local(text: str) -> str:
    """The configuration with the extra `local` as a layer, for the functions that query."""
    document = tomlkit.parse(text)
    lamella: Any = document["tool"]["lamella"]
    lamella["layers"]["local"] = {"extras": ["local"]}
    for key in QUERYING:
        function = lamella["functions"][key]
        function["layers"] = [*function["layers"], "local"]
        function["source"] = ["src", "sample"]
        function["exclude"] = [pattern for pattern in function["exclude"] if pattern != DUCKDB]
    return tomlkit.dumps(document)


if __name__ == "__main__":
    print(assemble(Path(sys.argv[1])))
