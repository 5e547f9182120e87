"""Runs the scripts of `make demo` and `make demo-rollout` in a pseudo-terminal and draws what they printed:
docs/demo.svg, docs/rollout.svg.  Then `lamella size --html` of the layer, as Chromium draws the page: docs/size.png.

    .venv/bin/python docs/record.py

Run it twice on a fresh machine: the first time the wheels are fetched, and progress bars can't be drawn in one picture.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
COLUMNS, LINES = 108, 60


def recorded(command: list[str]) -> str:
    """What `command` printed to a terminal of COLUMNS by LINES, escape sequences and all.

    Raises CalledProcessError when it fails.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    environment["TERM"] = "xterm-256color"
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        printed = b""
        while piece := _read(ours):
            printed += piece
    os.close(ours)
    text = printed.decode().replace("\r\n", "\n")
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, text)
    return text


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError as error:
        if error.errno == errno.EIO:  # Linux's way to say that the other end was closed
            return b""
        raise


def drawn(text: str, title: str, name: str) -> str:
    """The text as SVG.  It asks for no font from elsewhere: a page that shows it must not call another host."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(text.strip("\n")))
    template = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    svg = console.export_svg(title=title, code_format=template, unique_id=name)
    return svg.replace("font-family: Fira Code, monospace", "font-family: ui-monospace, Menlo, Consolas, monospace")


def photographed(target: Path) -> None:
    """The map of the demo's layer, in the file `target`."""
    sys.path.insert(0, str(ROOT))
    from tests.report.chromium import screenshot

    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "size.html"
        command = [sys.executable, "-m", "lamella", "size", "layer", "--quiet", "--html", str(page)]
        subprocess.run(command, cwd=ROOT / "examples/spectra", check=True)
        screenshot(page, target, (1200, 820))


def main() -> int:
    shown = {"demo": ["bash", "examples/demo.sh"], "rollout": [sys.executable, "examples/rollout.py"]}
    for name, command in shown.items():
        try:
            text = recorded(command)
        except subprocess.CalledProcessError as error:
            sys.stderr.write(f"{error.output}\n{error}\n")
            return 1
        target = "demo" if name == "demo" else f"demo-{name}"
        (ROOT / f"docs/{name}.svg").write_text(drawn(text, f"make {target}", name))
    photographed(ROOT / "docs/size.png")
    print("wrote docs/demo.svg, docs/rollout.svg and docs/size.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
