"""Builds anew when a source, the lock or the configuration changed; asked, not told: no change can be missed.

Whoever asks is answered from the build that belongs to the files as they are at that moment.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from lamella.build.model import Request
from lamella.build.run import build
from lamella.build.stamp import spread
from lamella.config.find import candidates
from lamella.config.read import read
from lamella.files import settled, state
from lamella.local.functions import Built

if TYPE_CHECKING:
    from lamella.build.model import Outcome
    from lamella.wheels.cache import Cache
    from lamella.wheels.obtain import Progress


class Watch:
    """The project in `directory`, built into `output` (None: as configured).

    `told` hears of every build that changed something.
    """

    def __init__(
        self,
        directory: str,
        output: str | None,
        cache: Cache,
        progress: Progress,
        *,
        offline: bool,
        told: Callable[[Outcome], None],
    ) -> None:
        self.directory = directory
        self.output = output
        self.cache = cache
        self.progress = progress
        self.offline = offline
        self.told = told
        self._states: dict[str, str] = {}
        self._settled = False

    def newest(self, before: Built | None) -> Built:
        """The build of the files as they are now; `before` itself when nothing changed since.

        Raises any LamellaError; the next call tries again.
        """
        if before is not None and self._settled and all(state(path) == known for path, known in self._states.items()):
            return before
        began = time.time_ns()
        # What fails leaves no trace, so that it is tried again
        self._settled = False
        settings = read(self.directory, output=self.output)
        outcome = build(settings, Request(offline=self.offline), self.cache, self.progress)
        nearer = candidates(self.directory, os.path.dirname(settings.file))
        inputs = set(spread([settings.file, *nearer, *outcome.inputs]))
        self._states = {path: state(path) for path in inputs}
        # A file that changed while it was read, or just before, may change again without its time telling
        self._settled = all(settled(path, began) for path in inputs)
        if outcome.written:
            self.told(outcome)
        after = Built(settings, outcome.manifest)
        return before if before is not None and after == before else after
