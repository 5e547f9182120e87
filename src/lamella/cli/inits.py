"""For `lamella logs --init`: which two versions, or states of $LATEST, the last deploy lies between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lamella.errors import LamellaError

if TYPE_CHECKING:
    from lamella.cloud.inits import Change, Inits
    from lamella.cloud.model import Cloud
    from lamella.config.model import Settings
    from lamella.report.console import Console
    from lamella.rollout.model import Record


def version_of_users(cloud: Cloud, function: str, configured: str, console: Console) -> str:
    """The version that users meet by the alias `configured`, or, where that is "", by the only one that there is.

    "" for none, for $LATEST, and where it may not be read, which a note tells: a table can do without it.
    """
    from lamella.aws import DeniedError
    from lamella.cloud.model import LATEST

    try:
        if configured:
            one = cloud.lambdas.alias(function, configured)
            found = [] if one is None else [one]
        else:
            found = list(cloud.lambdas.aliases(function))
    except DeniedError as error:
        console.note(f"{error.what}: which version users meet is not known")
        return ""
    return found[0].version if len(found) == 1 and found[0].version != LATEST else ""


def record_of(cloud: Cloud, settings: Settings | None) -> Record:
    """What the journal knows; nothing where there is none, or it can't be read: it is only compared with."""
    from lamella.rollout.journal.journal import open_journal
    from lamella.rollout.model import Record

    if settings is None:
        return Record()
    try:
        return open_journal(cloud, settings.root).read()
    except LamellaError:
        return Record()


def changed(record: Record, function: str, modified: float | None) -> tuple[float | None, bool]:
    """When $LATEST got what it is now, and whether a deploy in the journal did that.  Seconds of the epoch.

    `modified` is AWS's time of the last change, which anything may have made: a variable of the environment, too.
    """
    for deployment in record.history:
        if any(one.name == function for one in deployment.after):
            # A deploy makes its change before its end; where a change came later, the end is the last that is known
            in_it = modified is not None and modified <= deployment.finished
            return (modified if in_it else deployment.finished), True
    return modified, False


def change_of(
    record: Record, function: str, version: str, found: tuple[Inits, ...], deployed: bool
) -> Change | None:  # fmt: skip
    """The last deploy's change of what was measured; of $LATEST where `version` is ""."""
    from lamella.cloud.inits import EARLIER, change
    from lamella.cloud.model import LATEST

    if version:
        return change(found, version, before(record, function, version))
    one = change(found, LATEST, EARLIER)
    return one._replace(deployed=deployed) if one is not None else None


def before(record: Record, function: str, version: str) -> str:
    """The version that was there before the deploy that put this one behind the alias; "" where nobody knows."""
    for deployment in record.history:
        if any(one.name == function and one.version == version for one in deployment.after):
            for one in deployment.before:
                if one.function.name == function and one.alias is not None:
                    return one.alias.version
    return ""
