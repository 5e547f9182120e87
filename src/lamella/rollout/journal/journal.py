"""What is known of earlier deploys to one place: written before the first change and after the last.

The journal of a place is one JSON file, beside the project or in S3, with the code that a rollback would need and one
lock.  A deploy that finds none goes by what AWS has.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from lamella.aws import BusyError
from lamella.cloud.model import Cloud, Place
from lamella.errors import LamellaError, OutsideError
from lamella.files import write_atomic
from lamella.rollout.journal import record as records
from lamella.rollout.journal.holder import held_by, holder, is_alive
from lamella.rollout.model import Before, Deployment, Intent, Record

FOLDER = os.path.join(".lamella", "rollout")


class Journal(Protocol):
    """What of it a rollout uses.  All of it raises LamellaError where it can't be read or written."""

    where: str

    def read(self) -> Record:
        """Empty where there is none.  Raises LamellaError for a damaged one, or one of a newer lamella."""

    def begin(self, intent: Intent) -> None:
        """Before the first change."""

    def amend(self, intent: Intent) -> None:
        """What was begun, told better.  Raises NotOursError where something else was begun since."""

    def finish(self, deployment: Deployment) -> None:
        """After the last change: of its functions none is unfinished any more.  Kept code that nothing needs is let go.

        Raises NotOursError where the intent of the same id is not what is unfinished: nothing is written then.
        """

    def forget(self, restored: Sequence[Before], id: str) -> None:
        """These functions are as they were before the intent `id`, or before a deploy that was finished.

        Raises NotOursError as `finish`.
        """

    def keep(self, key: str, path: str) -> None:
        """Keep the code in the file `path`, as long as the record names the key."""

    def kept(self, key: str, path: str) -> bool:
        """Write kept code to `path`.  False where it isn't there."""

    def locked(self) -> AbstractContextManager[None]:
        """Nobody else deploys there from now to the end.  Raises BusyError at once where somebody does."""

    def held(self) -> str:
        """Who holds the lock now, as far as can be told without touching it; "" where nobody does."""

    def unlock(self) -> str:
        """Take away the lock that a killed run left; who had it, "" where there is none to be taken away."""


def open_journal(cloud: Cloud, project_root: str) -> Journal:
    """The journal of a place: where its configuration says, else below `project_root`.  Nothing is read yet."""
    name = name_of(cloud.place)
    if not cloud.place.journal:
        return LocalJournal(os.path.join(project_root, FOLDER), name)
    from lamella.objects import Bucket, location
    from lamella.rollout.journal.journal_s3 import S3Journal

    bucket, prefix = location(cloud.place.journal)
    place = cloud.place
    return S3Journal(Bucket(bucket, prefix, place.profile or None, place.region or None, place.role or None), name)


def name_of(place: Place) -> str:
    """``prod-123456789012-eu-west-1``; "default" stands for the environment without a name."""
    return f"{place.environment or 'default'}-{place.account}-{place.region}"


class WholeJournal:
    """What both have in common, made of reading and writing the whole."""

    where: str

    def read(self) -> Record:
        data = self._read()
        return Record() if data is None else records.from_json(data, self.where)

    def begin(self, intent: Intent) -> None:
        self._write(records.to_json(records.begun(self.read(), intent)))

    def amend(self, intent: Intent) -> None:
        self._write(records.to_json(records.amended(self.read(), intent)))

    def finish(self, deployment: Deployment) -> None:
        self._end(records.finished(self.read(), deployment))

    def forget(self, restored: Sequence[Before], id: str) -> None:
        self._end(records.returned(self.read(), restored, id))

    def _end(self, record: Record) -> None:
        self._write(records.to_json(record))
        needed = records.kept_keys(record)
        with contextlib.suppress(LamellaError, OSError):  # it is let go next time
            for key in self._keys():
                if key not in needed:
                    self._drop(key)

    def _read(self) -> bytes | None:
        raise NotImplementedError

    def _write(self, data: bytes) -> None:
        raise NotImplementedError

    def _keys(self) -> Sequence[str]:
        raise NotImplementedError

    def _drop(self, key: str) -> None:
        raise NotImplementedError


class LocalJournal(WholeJournal):
    """`folder` is the project's; it says by itself that it is nothing for version control."""

    def __init__(self, folder: str, name: str) -> None:
        self._folder = folder
        self._kept = os.path.join(folder, f"{name}.kept")
        self.where = os.path.join(folder, f"{name}.json")

    def keep(self, key: str, path: str) -> None:
        import shutil

        with self._files():
            os.makedirs(self._kept, exist_ok=True)
            partial = os.path.join(self._kept, f"{key}.{os.getpid()}-{secrets.token_hex(4)}.partial")
            try:
                shutil.copyfile(path, partial)
                os.replace(partial, os.path.join(self._kept, key))
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(partial)

    def kept(self, key: str, path: str) -> bool:
        import shutil

        with self._files():
            try:
                shutil.copyfile(os.path.join(self._kept, key), path)
            except FileNotFoundError as error:
                if error.filename == path:
                    raise
                return False
            return True

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        with self._files():
            self._make()
            told = self.where + ".holder"
            lock = FileLock(self.where + ".lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise BusyError(
                    "another deploy to this place is under way here",
                    why=[f"{held_by(_text(told))} holds the lock of `{self.where}`"],
                    hint="wait for its end, then run this again: it will plan anew",
                ) from None
            try:
                write_atomic(told, holder(secrets.token_hex(8)), flush=False)
            except BaseException:
                lock.release()
                raise
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                os.unlink(told)
            lock.release()

    def held(self) -> str:
        told = _text(self.where + ".holder")
        return held_by(told) if is_alive(told) else ""

    def unlock(self) -> str:
        """A lock of a file ends with its process: there is never one to be taken away."""
        return ""

    def _read(self) -> bytes | None:
        with self._files():
            try:
                with open(self.where, "rb") as file:
                    return file.read()
            except FileNotFoundError:
                return None

    def _write(self, data: bytes) -> None:
        with self._files():
            self._make()
            write_atomic(self.where, data, private=True)

    def _keys(self) -> Sequence[str]:
        try:
            return os.listdir(self._kept)
        except FileNotFoundError:
            return ()

    def _drop(self, key: str) -> None:
        os.unlink(os.path.join(self._kept, key))

    def _make(self) -> None:
        os.makedirs(self._folder, exist_ok=True)
        ignore = os.path.join(os.path.dirname(self._folder), ".gitignore")
        if not os.path.exists(ignore):
            write_atomic(ignore, b"*\n", flush=False)

    @contextlib.contextmanager
    def _files(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutsideError(
                f"the journal `{self.where}` can't be used",
                why=[f"`{error.filename or self._folder}`: {error.strerror or error}"],
                hint="check the disk and the permissions there, or configure a `journal` in S3",
            ) from None


def _text(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None
