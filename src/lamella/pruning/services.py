"""botocore's services: which of the data that botocore and boto3 carry for each of them stays."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from lamella.errors import ConfigError
from lamella.pruning.model import Fate, File

# Where the loaders of both look: DATA/SERVICE/API VERSION/FILE (botocore documentation, "Loaders Reference").
_DATA = ("botocore/data/", "boto3/data/")


def dropped_services(files: Sequence[File], services: Sequence[str]) -> dict[int, Fate]:
    """The fates of the files of all services but `services`, by their place in `files`.

    What lies directly in a data folder (endpoints, partitions, retries) is of no service and stays, and so does a
    service of boto3's resources with its client.  Credentials of a function come from its environment, so that `sts`
    and `sso` are services like any other.

    Raises ConfigError for services that botocore doesn't have, and when there is no botocore.
    """
    of: dict[int, str] = {}
    for place, file in enumerate(files):
        if file.at_site and file.path.startswith(_DATA):
            service, slash, _ = file.path.split("/data/", 1)[1].partition("/")
            if slash:
                of[place] = service
    known = {service for place, service in of.items() if files[place].path.startswith(_DATA[0])}
    if not known:
        raise ConfigError(
            "`services` is about botocore, which is not in this artifact",
            hint="remove `services`, or add boto3 to the artifact's dependencies",
        )
    _refuse_unknown([service for service in dict.fromkeys(services) if service not in known], known)
    wanted = frozenset(services)
    return {
        place: Fate(False, "services", f"`{service}` is not in `services`")
        for place, service in of.items()
        if service not in wanted
    }


def _refuse_unknown(unknown: Sequence[str], known: Collection[str]) -> None:
    if not unknown:
        return
    meant = {service: close for service in unknown if (close := _closest(service, known))}
    if len(unknown) == 1:
        hint = f"did you mean `{meant[unknown[0]]}`?" if meant else None
    else:
        hint = ", ".join(f"`{close}` for `{service}`" for service, close in meant.items())
        hint = f"did you mean {hint}?" if hint else None
    raise ConfigError(
        f"botocore has no service{'s' if len(unknown) > 1 else ''} {', '.join(f'`{service}`' for service in unknown)}",
        why=[f"its data is for {len(known)} services"],
        hint=hint or "use the names that boto3.client() takes",
    )


def _closest(service: str, known: Collection[str]) -> str | None:
    """The service that was probably meant, whatever its spelling: `S3`, `dynamo-db`, `Redshift_Data`, `s4`."""
    from difflib import get_close_matches  # only a refusal needs it

    plain = {_plain(name): name for name in sorted(known)}
    meant = _plain(service)
    cutoff = 0.5 if len(meant) < 5 else 0.6  # one letter is half of `s3`
    close = [meant] if meant in plain else get_close_matches(meant, list(plain), n=1, cutoff=cutoff)
    return plain[close[0]] if close else None


def _plain(service: str) -> str:
    return re.sub(r"[-_.\s]+", "", service.casefold())
