"""A machine of CI that has nothing builds examples/spectra: alone, and with a shared cache that another one filled.

    .venv/bin/python bench/shared.py [RUNS]

The bucket is moto's, on loopback, whose server is written in Python: S3 itself is further away, and faster.  Wheels
come from the package index of whoever runs it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
_BUCKET = "s3://bench"
_PATIENCE = 30.0  # seconds


@contextlib.contextmanager
def bucket() -> Iterator[dict[str, str]]:
    """What the environment says of a bucket on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _made(url)
        yield {
            "AWS_ENDPOINT_URL_S3": url,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_DEFAULT_REGION": "us-east-1",
            "LAMELLA_SHARED_CACHE": _BUCKET,
            "LAMELLA_SHARED_CACHE_MODE": "write",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }
    finally:
        server.terminate()
        server.wait()


def _made(url: str) -> None:
    """Make the bucket, once somebody answers."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            direct.open(urllib.request.Request(f"{url}/{_BUCKET[5:]}", method="PUT")).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def build(project: Path, environment: Mapping[str, str]) -> float:
    """Seconds of a build with an empty cache and an empty output folder."""
    shutil.rmtree(project / "dist", ignore_errors=True)
    with tempfile.TemporaryDirectory() as cache:
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "lamella", "build", "--quiet"],
            cwd=project,
            env={**os.environ, "LAMELLA_SHARED_CACHE": "", **environment, "LAMELLA_CACHE_DIR": cache},
            check=True,
        )
        return time.perf_counter() - began


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder, bucket() as environment:
        project = Path(shutil.copytree(ROOT / "examples/spectra", Path(folder) / "spectra"))
        build(project, {})  # locks, where there is no lock yet
        rows = {
            "alone": [build(project, {}) for _ in range(runs)],
            "the first with the shared cache, which fills it": [build(project, environment)],
            "the next": [build(project, environment) for _ in range(runs)],
        }
    print("| a machine with an empty cache builds Spectra | seconds |\n|---|---|")
    for name, seconds in rows.items():
        print(f"| {name} | {statistics.median(seconds):.2f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
