"""What holds for all tests."""

from __future__ import annotations

import signal

# A job in the background ignores Ctrl-C, one of nohup hang-ups, and so would every process that a test starts
for _number, _handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)
