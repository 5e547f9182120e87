"""A stand-in of DynamoDB, S3 and SQS on loopback: moto's server, in a process of its own, for its state is that.

python local/aws.py says where it listens, and ends by a signal.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.deployed.moto_server import AwsServer


def main() -> int:
    # Before any thread is there: those that come are to leave the signals alone, too
    ended = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ended)
    with AwsServer() as server:
        print(f"Running on {server.url}", flush=True)
        signal.sigwait(ended)
    return 0


if __name__ == "__main__":
    sys.exit(main())
