"""A job is held while it runs: its lease renewed, its cancellation noticed, its function's time kept an eye on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from spectra.jobs import JobStore, LostLeaseError
from spectra.model import Job

SECONDS = 30.0


class LeaseEndedError(Exception):
    """`why`: the job is no longer ours ("lost"), or the function's time is up ("late")."""

    def __init__(self, why: Literal["lost", "late"]) -> None:
        super().__init__(why)
        self.why = why


class Lease:
    """As a context, it renews the job's lease every `period` seconds; `stop` is called once it must end.

    `deadline` is of the monotonic clock.
    """

    def __init__(
        self, store: JobStore, job: Job, owner: str, stop: Callable[[], None], deadline: float, period: float
    ) -> None:
        self._store, self._job, self._owner, self._stop = store, job, owner, stop
        self._deadline, self._period = deadline, period
        self._done = threading.Event()
        self._why: Literal["lost", "late"] | None = None
        self._thread = threading.Thread(target=self._hold, name=f"lease of {job.id}", daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def check(self) -> None:
        """Raises LeaseEndedError."""
        if self._why:
            raise LeaseEndedError(self._why)

    def _hold(self) -> None:
        while not self._done.wait(min(self._period, max(self._deadline - time.monotonic(), 0))):
            self._why = self._ended()
            if self._why:
                self._stop()
                return

    def _ended(self) -> Literal["lost", "late"] | None:
        if time.monotonic() >= self._deadline:
            return "late"
        try:
            self._store.renew(self._job, self._owner, SECONDS)
        except LostLeaseError:
            return "lost"
        except (ClientError, BotoCoreError):
            # There are several more tries before the lease has run out, and what ends the job is conditional as well
            return None
        return None
