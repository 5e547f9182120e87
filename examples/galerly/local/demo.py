"""`make demo` and `make serve`: all of Galerly on this machine, for as long as demo.sh runs or until Ctrl-C.

python -m examples.galerly.local.demo [--serve]
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from examples.galerly.local import samples
from examples.galerly.local.stack import Stack

HERE = Path(__file__).parent
PROJECT = HERE.parent


def main() -> int:
    # Whoever ends it ends what it has started, at any moment
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        return _run()
    except KeyboardInterrupt:
        return 130


def _run() -> int:
    serve = sys.argv[1:] == ["--serve"]
    built = subprocess.run([sys.executable, "-m", "lamella", "build", "--quiet"], cwd=PROJECT, check=False)
    if built.returncode:
        return built.returncode
    with tempfile.TemporaryDirectory() as folder, Stack(PROJECT, Path(folder)) as stack:
        if serve:
            return _served(stack)
        samples.write(PROJECT, Path(folder))
        environment = {**os.environ, "API": stack.api, "PICTURES": folder, "PAGE": stack.page}
        return subprocess.run(["bash", str(HERE / "demo.sh")], env=environment, cwd=PROJECT, check=False).returncode


def _served(stack: Stack) -> int:
    print(f"Galerly is at {stack.page}, its API at {stack.api}; Ctrl-C ends it", flush=True)
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    over.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
