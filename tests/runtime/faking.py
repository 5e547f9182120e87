"""Functions in memory: canned answers by key, and what was asked of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from lamella.errors import UsageError
from lamella.runtime.model import Asked, Log, Report, Result

Answer = bytes | Exception | Result | Callable[[Asked], "bytes | Result"]


class Fake:
    """A `runtime.model.Functions`.

    An answer is what the handler returns (JSON), what `invoke` raises, a whole result, or a function that makes one
    of them of what is asked; a list of them is worked off, its last one stays.
    """

    def __init__(self, answers: Mapping[str, Answer | list[Answer]]) -> None:
        self.answers = {key: list(value) if isinstance(value, list) else [value] for key, value in answers.items()}
        self.asked: list[tuple[str, Asked]] = []
        self._lock = threading.Lock()

    def begin(self, key: str, asked: Asked, log: Log | None = None) -> None:
        """Nothing is idle here."""

    def invoke(self, key: str, asked: Asked, log: Log | None = None) -> Result:
        with self._lock:
            self.asked.append((key, asked))
            if key not in self.answers:
                raise UsageError(f"there is no function `{key}`", hint="name one that is there")
            canned = self.answers[key]
            answer = canned.pop(0) if len(canned) > 1 else canned[0]
        if isinstance(answer, Exception):
            raise answer
        given = answer(asked) if callable(answer) else answer
        result = given if isinstance(given, Result) else answered(asked, given)
        if log is not None:
            for line in result.log.splitlines(keepends=True):
                log(line)
        return result


def answered(asked: Asked, payload: bytes, *, error: str = "", said: bytes = b"") -> Result:
    """A result as the runtime gives it: `said` is what the handler wrote to its log."""
    request = asked.request_id.encode()
    log = b"START RequestId: %s Version: $LATEST\n%sEND RequestId: %s\nREPORT RequestId: %s\tDuration: 1.00 ms\n" % (
        request, said, request, request,
    )  # fmt: skip
    status = "error" if error else ""
    return Result(payload, error, log, Report(asked.request_id, 1.0, 1, 128, 40, None, status), "path-only")


def failed(asked: Asked, message: str = "no", kind: str = "ValueError") -> Result:
    """What comes of a handler that raises."""
    payload = f'{{"errorMessage": "{message}", "errorType": "{kind}", "requestId": "{asked.request_id}"}}'
    return answered(asked, payload.encode(), error="Unhandled")
