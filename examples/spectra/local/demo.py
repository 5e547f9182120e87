"""`make demo`: Spectra on this machine, and a session of a client with it.  Ctrl-C or the session's end ends it all.

python -m examples.spectra.local.demo
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from examples.spectra.local.processes import StartError
from examples.spectra.local.stack import Stack


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        print("Building Spectra with DuckDB and sample data, and starting its parts", flush=True)
        try:
            with Stack(Path(folder) / "spectra") as stack:
                environment = {**os.environ, "API": stack.api_url, "KEY": stack.keys["acme"], "NO_PROXY": "*"}
                environment |= {"OTHER_KEY": stack.keys["globex"], "PYTHON": sys.executable}
                script = Path(__file__).with_name("session.sh")
                return subprocess.run(["bash", str(script)], env=environment, check=False).returncode
        except (StartError, subprocess.CalledProcessError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130


if __name__ == "__main__":
    sys.exit(main())
