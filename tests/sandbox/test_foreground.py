"""The interpreter at a real terminal, in each kind of isolation."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from tests.sandbox.lines import shown
from tests.sandbox.terminal import Terminal

from lamella.sandbox.run import Sandbox

CALL = """
import os, signal, sys
from lamella.sandbox.run import Place, Sandbox
code = Sandbox({interpreter!r}, {python!r}, {isolation!r}).foreground(
    sys.argv[1:], Place(), env={{"TERM": "xterm", "PYTHON_BASIC_REPL": "1", "SECRET": os.environ.get("SECRET", "")}}
)
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
sys.exit(code)
"""


def command(sandbox: Sandbox, *arguments: str) -> list[str]:
    call = CALL.format(interpreter=sandbox.interpreter, python=sandbox.python, isolation=sandbox.isolation)
    return [sys.executable, "-c", call, *arguments]


def test_a_prompt(sandbox: Sandbox) -> None:
    with Terminal(command(sandbox), os.environ) as terminal:
        terminal.until(">>> ")
        terminal.type("import os, sys; print('te' + 'st', sys.stdin.isatty())\r")
        terminal.until("test True")
        terminal.until(">>> ")
        terminal.type("import readline; 2 * 2\x01\x0b6 * 7\r")  # to the line's begin, and away with it
        terminal.until("42")
        terminal.until(">>> ")
        terminal.type("\x04")
        assert terminal.code() == 0


def test_variables_are_on_no_command_line(sandbox: Sandbox) -> None:
    secret = f"shell-{os.getpid()}"
    with Terminal(command(sandbox), {**os.environ, "SECRET": secret}) as terminal:
        terminal.until(">>> ")
        assert not shown(secret)
        terminal.type("import os; os.environ['SECRET']\r")
        terminal.until(f"'{secret}'")


def test_an_interrupt_is_for_the_statement(sandbox: Sandbox) -> None:
    with Terminal(command(sandbox), os.environ) as terminal:
        terminal.until(">>> ")
        terminal.type("import time; print('be' + 'gun', flush=True); time.sleep(100)\r")
        terminal.until("begun")
        terminal.type("\x03")
        terminal.until("KeyboardInterrupt")
        terminal.until(">>> ")
        terminal.type("import subprocess; subprocess.run(['sh', '-c', 'echo g\"\"one; sleep 100'])\r")
        terminal.until("gone")
        terminal.type("\x03")
        terminal.until("KeyboardInterrupt")
        terminal.until(">>> ")
        terminal.type("import sys; sys.exit(7)\r")
        assert terminal.code() == 7


def test_an_interrupt_ends_a_script(sandbox: Sandbox) -> None:
    with Terminal(command(sandbox, "-c", "import time; print('here', flush=True); time.sleep(100)"), os.environ) as one:
        one.until("here")
        one.type("\x03")
        one.until("KeyboardInterrupt")
        assert one.code() == 128 + signal.SIGINT


def test_streams_and_exit_codes(sandbox: Sandbox) -> None:
    done = subprocess.run(
        command(sandbox, "-"), check=False, capture_output=True, input=b"import os\nprint(1)\nraise SystemExit(3)\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, b"1\n", b"")
    done = subprocess.run(command(sandbox, "-c", "import os; os.abort()"), check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 128 + signal.SIGABRT
    done = subprocess.run(
        command(
            sandbox, "-c", "import os, sys; print(sys.argv[1:], os.getcwd() == os.environ['LAMBDA_TASK_ROOT'])", "a"
        ),
        check=False,
        capture_output=True,
    )
    assert done.stdout == b"['a'] True\n"
