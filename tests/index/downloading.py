"""A session whose waits take no time, and one download with it."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path

from lamella.index.download import Fetched
from lamella.index.fetch import Session, download, open_session
from lamella.index.settings import IndexSettings

NAME = "demo-1.0-py3-none-any.whl"
PATH = f"/files/{NAME}"
CONTENT = random.Random(1).randbytes(700_000)


class Waited(list[float]):
    """Stands for `time.sleep` and keeps what it was asked."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@contextlib.contextmanager
def session_with(waited: Waited | None = None, **settings: object) -> Iterator[Session]:
    made = IndexSettings(**{"timeout": 20.0, "keyring": "disabled", **settings})  # type: ignore[arg-type]
    with open_session(made, sleep=Waited() if waited is None else waited, jitter=lambda: 0.0) as session:
        yield session


def fetch(url: str, partial: Path, waited: Waited | None = None, **settings: object) -> Fetched:
    with session_with(waited, **settings) as session:
        return download(session, url, str(partial))
