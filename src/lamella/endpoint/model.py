"""Functions by name, what a request asks for, and refusals in AWS's words.  Values only."""

from __future__ import annotations

from typing import NamedTuple

from lamella.runtime.model import LATEST, Asked

USER = "User"
SERVICE = "Service"


class Named(NamedTuple):
    """A function as callers know it: by its `key` in the configuration, its `name` in AWS, its unqualified `arn`.

    `alias` is the one it is deployed under, "" for none; `version` the one that it runs.
    """

    key: str
    name: str
    arn: str
    alias: str = ""
    version: str = LATEST


class Found(NamedTuple):
    """What a name led to; `arn` is the one that was invoked, "" for the function's own."""

    named: Named
    arn: str


class Pending(NamedTuple):
    """An event that waits for its function, or to be tried again.

    `attempts` have begun.  `payload` is what the last one that ended gave, b"" before; `status` is 200 where the
    function answered, 500 where it can't be started; `error` is X-Amz-Function-Error.
    """

    named: Named
    asked: Asked
    attempts: int = 0
    payload: bytes = b""
    status: int = 200
    error: str = ""


class RefusedError(Exception):
    """An error response: HTTP `status`, `kind` (``ResourceNotFoundException``) and what it says.

    `type` is AWS's ``Type``, "" for the errors that have none: those that are found before the operation is.
    """

    def __init__(self, status: int, kind: str, message: str, *, type: str = USER) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.type = type
