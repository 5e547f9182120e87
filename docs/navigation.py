"""A hook of mkdocs: the pages of commands in the navigation, in the order that docs/pages.py wrote down."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def on_config(config: Any) -> Any:
    names = (Path(config.docs_dir).parent / "commands").read_text().split()
    pages: list[Any] = ["commands/index.md", *({name: f"commands/{name}.md"} for name in names)]
    config.nav = [{"Commands": pages} if "Commands" in entry else entry for entry in config.nav]
    return config
