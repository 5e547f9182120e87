"""What stands in for the distributions that a runtime brings: those that the project's lock pins, unpacked.

Lambda's own are of other versions, which vary with the Region; what the lock pins is what the project is tried with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lamella.archive.entry import DamagedSourceError
from lamella.build.filling import Filler, Order
from lamella.build.resolve import Question, Resolver
from lamella.build.run import index_settings
from lamella.config.model import Slimming
from lamella.digests import key_of
from lamella.errors import LamellaError
from lamella.facts.tables import provided
from lamella.manifest import Distribution
from lamella.revision import revision
from lamella.sandbox.model import StandIn
from lamella.sandbox.unpack import laid
from lamella.wheels.obtain import Source

if TYPE_CHECKING:
    from lamella.config.model import Settings
    from lamella.interpreter import Interpreter
    from lamella.target import Target
    from lamella.wheels.cache import Cache
    from lamella.wheels.model import Wheel
    from lamella.wheels.obtain import Progress

UNPINNED = "the lock does not pin it"
# All of each distribution, with bytecode, as Lambda has them
_WHOLE = Slimming(profile="none")


class StandIns:
    """Makes them, each once.  `root` is the folder of `cache`; `offline`: from that alone."""

    def __init__(self, settings: Settings, cache: Cache, root: str, progress: Progress, *, offline: bool) -> None:
        self.settings = settings
        self.cache = cache
        self.root = root
        self.progress = progress
        self.offline = offline
        self._known: dict[tuple[Target, frozenset[str], tuple[str, ...]], StandIn] = {}
        self._pinned: frozenset[str] | None = None
        # The files that answers rest on
        self.inputs: set[str] = set()

    def of(
        self, target: Target, interpreter: Interpreter, held: frozenset[str], beside: Sequence[Wheel] = ()
    ) -> StandIn:
        """What stands in on `target` beside artifacts that hold the distributions `held`.

        Whatever keeps one from being made is told in `why`.  `beside` are wheels that are put into its folder, too;
        what keeps these from being there is raised: LamellaError, OSError.
        """
        wanted = tuple(row.name for row in provided(target.runtime) if row.name not in held)
        key = target, frozenset(wanted), tuple(wheel.sha256 for wheel in beside)
        if key not in self._known:
            made = self._made(target, interpreter, wanted, held, beside)
            if made.folder is None and beside:
                made = StandIn(self._folder(target, interpreter, beside), why=made.why)
            self._known[key] = made
        return self._known[key]

    def _made(
        self,
        target: Target,
        interpreter: Interpreter,
        wanted: Sequence[str],
        held: frozenset[str],
        beside: Sequence[Wheel],
    ) -> StandIn:
        try:
            wheels = self._wheels(target, wanted, held)
            return self._laid(target, interpreter, wheels, beside) if wheels else StandIn(why=UNPINNED)
        except DamagedSourceError as damage:
            self.cache.discard(damage.source)  # the next run fetches it
            return StandIn(why=damage.what)
        except LamellaError as error:
            return StandIn(why=error.what)
        except OSError as error:
            return StandIn(why=str(error))

    def _wheels(self, target: Target, wanted: Sequence[str], held: frozenset[str]) -> list[Wheel]:
        with Source(
            self.cache, lambda: index_settings(self.settings), offline=self.offline, progress=self.progress
        ) as source:
            # A check changes no lock
            resolver = Resolver(self.settings, source, locked=True)
            if self._pinned is None:
                self._pinned = frozenset(resolver.pinned())
                self.inputs |= resolver.inputs
            names = tuple(name for name in wanted if name in self._pinned)
            if not names:
                return []
            question = Question("functions", False, packages=names, held=tuple(sorted(held)))
            answer = resolver.answer(question, target)
            self.inputs |= resolver.inputs
            return [wheel for wheel in answer.wheels if wheel.name in wanted]

    def _folder(self, target: Target, interpreter: Interpreter, wheels: Sequence[Wheel]) -> str:
        key = key_of(revision(), "standin", target, [wheel.sha256 for wheel in wheels], interpreter.version)
        order = Order("what stands in for the runtime's", {target: wheels}, _WHOLE, {target: interpreter}, True, key)
        return laid(key, lambda: Filler(self.cache).entries(order), self.root)

    def _laid(
        self, target: Target, interpreter: Interpreter, wheels: Sequence[Wheel], beside: Sequence[Wheel]
    ) -> StandIn:
        own = {wheel.name for wheel in wheels}
        folder = self._folder(target, interpreter, [*wheels, *(wheel for wheel in beside if wheel.name not in own)])
        modules = {row.name: row.modules for row in provided(target.runtime)}
        rows = tuple(
            Distribution(
                wheel.name, wheel.version, wheel.filename, wheel.sha256, (target.runtime,), modules[wheel.name], 0, 0
            )
            for wheel in wheels
        )
        return StandIn(folder, rows, _heads(wheels), UNPINNED)


def _heads(wheels: Sequence[Wheel]) -> tuple[str, ...]:
    """The names of those that no other one requires; all where they require each other."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    required = {canonicalize_name(Requirement(line).name) for wheel in wheels for line in wheel.requires}
    return tuple(wheel.name for wheel in wheels if wheel.name not in required) or tuple(wheel.name for wheel in wheels)
