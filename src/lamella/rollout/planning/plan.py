"""Observe, then decide: the plan for one place."""

from __future__ import annotations

from lamella.cloud.model import Cloud
from lamella.rollout.model import Plan, Record, Wanted
from lamella.rollout.planning.decide import decide
from lamella.rollout.planning.observe import observe, with_aliases


def plan(
    cloud: Cloud, wanted: Wanted, record: Record, *, refresh: bool = False, read_all_aliases: bool = False
) -> Plan:
    """What a deploy would do in one place.  Nothing is changed.

    The aliases of functions that would change are read; those of all others only with `refresh` (asked for by a
    person) or `read_all_aliases` (a deploy that has no record to go by).  Raises what the ports do; LamellaError and
    BusyError for what can't be carried out.
    """
    observed = observe(cloud, wanted, record, refresh=refresh or read_all_aliases)
    first = decide(cloud.place, wanted, observed, record)
    changing = frozenset(change.wanted.name for change in first.changes if change.wanted.alias)
    if changing <= {name for name, _ in observed.aliases}:
        return first
    return decide(cloud.place, wanted, with_aliases(cloud, wanted, observed, changing, record), record)
