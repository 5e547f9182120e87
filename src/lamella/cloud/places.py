"""Where an environment is deployed to, and what each place is asked through."""

from __future__ import annotations

from collections.abc import Sequence

from lamella import aws
from lamella.cloud.model import Clock, Cloud, Place
from lamella.config.model import Account, Environment
from lamella.config.names import is_region
from lamella.errors import ConfigError, LamellaError, OutsideError, UsageError
from lamella.wording import listed, printable


def places(environment: Environment, *, profile: str | None = None, region: str | None = None) -> tuple[Place, ...]:
    """The places of an environment, each with its account, which STS is asked for once for each way into AWS.

    `profile` and `region` are those of the command line.  They choose among what the environment names, and stand where
    it names nothing; the profile of a single account is replaced, "" taking what AWS's own settings say.  Raises
    UsageError where they are not in the environment, ConfigError where two places are the same one, and what
    `aws.told` does.
    """
    found: list[Place] = []
    numbers: dict[tuple[str, str], str] = {}
    for account in _regions(environment, _profiles(environment, profile), region):
        own = aws.Access(account.profile, next(iter(account.regions), None), role=account.role)
        regions = account.regions or (_default(own),)
        way = (account.profile, account.role)
        number = numbers[way] = numbers.get(way) or _account(own, account)
        found += [_place(environment, account, number, one) for one in regions]
    _refuse_twins(environment, found)
    return tuple(found)


def beside(place: Place, own: Environment, other: Environment) -> Place | None:
    """Where the environment `other` is in the account and region of `place`; None where it is in others.

    Its journal is reached as itself, unless it is a file, or in the bucket of `place`'s own journal.  STS is asked only
    where no role names the account.  Raises LamellaError where the account can't be told.
    """
    here = place._replace(environment=other.name, journal=_filled(other.journal, place.region, place.account))
    accounts = [one for one in other.accounts if not one.regions or place.region in one.regions]
    if not accounts:
        return None
    if not here.journal or _bucket(here.journal) == _bucket(place.journal):
        return here
    for account in accounts:
        profile = place.profile if account.profile in _replaced(place, own) else account.profile
        way = here._replace(profile=profile, role=account.role)
        if (way.profile, way.role) == (place.profile, place.role):
            return way
        number = account.role.split(":")[4] if account.role.startswith("arn:") else ""
        if (number or _number(way, other)) == place.account:
            return way
    return None


def _replaced(place: Place, own: Environment) -> frozenset[str]:
    """The profiles in whose stead the command line named the place's."""
    configured = frozenset(account.profile for account in own.accounts)
    return configured if place.profile not in configured else frozenset()


def _number(way: Place, other: Environment) -> str:
    account = Account(way.profile, way.role, (way.region,))
    try:
        return _account(aws.Access(way.profile, way.region, role=way.role), account)
    except LamellaError as error:
        why = [f"whether {_shown(other)} is in the account {way.account} can't be told", error.what, *error.why]
        hint = f"its journal `{way.journal}` must be read, or its `role` must name another account"
        kind = OutsideError if isinstance(error, OutsideError) else LamellaError
        raise kind(f"{_shown(other)} may need what is here", why=why, hint=hint) from None


def _bucket(journal: str) -> str:
    return journal.removeprefix("s3://").partition("/")[0]


def _filled(text: str, region: str, account: str) -> str:
    return text.replace("{region}", region).replace("{account}", account)


def open_cloud(place: Place, clock: Clock | None = None) -> Cloud:
    """The ports of a place.  Nothing is asked, and no client made, before one is used.

    All but the bucket share one rate.
    """
    from lamella.cloud.alarms import CloudWatch
    from lamella.cloud.clock import SystemClock
    from lamella.cloud.lambdas import Lambdas
    from lamella.cloud.logs import CloudWatchLogs
    from lamella.cloud.rate import Rate
    from lamella.objects import Bucket

    clock = clock or SystemClock()
    rate = Rate(place.rate, clock)
    access = aws.Access(place.profile, place.region, role=place.role, before_send=rate.take)
    bucket = Bucket(place.bucket, "", place.profile, place.region, place.role) if place.bucket else None
    return Cloud(place, Lambdas(access), CloudWatch(access), CloudWatchLogs(access), bucket, clock, access)


def _profiles(environment: Environment, profile: str | None) -> tuple[Account, ...]:
    """The accounts that `profile` leaves, with it."""
    accounts = environment.accounts
    if profile is None:
        return accounts
    named = tuple(account for account in accounts if account.profile == profile)
    if named:
        return named
    if len(accounts) == 1 or not any(account.profile for account in accounts):
        return tuple(account._replace(profile=profile) for account in accounts)
    known = listed({account.profile for account in accounts if account.profile})
    raise UsageError(
        f"{_shown(environment)} has no account with the profile `{printable(profile)}`", hint=f"it names {known}"
    )


def _regions(environment: Environment, accounts: Sequence[Account], region: str | None) -> tuple[Account, ...]:
    """The accounts that `region` leaves, with it alone."""
    if not region:
        return tuple(accounts)
    if not is_region(region):
        raise UsageError(
            f"`{printable(region)}` is no name of a region", hint="it must look like `eu-central-1`: see `--region`"
        )
    left = (account for account in accounts if not account.regions or region in account.regions)
    found = tuple(account._replace(regions=(region,)) for account in left)
    if not found:
        known = listed({one for account in accounts for one in account.regions})
        raise UsageError(f"{_shown(environment)} is not in the region `{printable(region)}`", hint=f"it names {known}")
    return found


def _default(access: aws.Access) -> str:
    region = access.region
    if not region:
        raise LamellaError(
            "there is no AWS region",
            why=["neither the configuration nor AWS's own settings name one"],
            hint="give `--region`, write `region` into `[tool.lamella.deploy]`, or set AWS_DEFAULT_REGION",
        )
    if not is_region(region):
        raise UsageError(
            f"`{printable(region)}` is no name of a region",
            why=["AWS's own settings, AWS_DEFAULT_REGION or the profile, name it"],
            hint="correct it there, or give `--region eu-central-1`",
        )
    return region


def _account(access: aws.Access, account: Account) -> str:
    as_role = f" as `{account.role}`" if account.role else ""
    as_profile = f" of the profile `{printable(account.profile)}`" if account.profile else ""
    with aws.told(f"ask whose the credentials{as_profile} are{as_role}", service="sts"):
        return str(access.client("sts").get_caller_identity()["Account"])


def _place(environment: Environment, account: Account, number: str, region: str) -> Place:
    return Place(
        environment=environment.name,
        profile=account.profile,
        role=account.role,
        region=region,
        account=number,
        bucket=_filled(environment.bucket, region, number),
        journal=_filled(environment.journal, region, number),
        rate=environment.rate,
    )


def _refuse_twins(environment: Environment, found: Sequence[Place]) -> None:
    seen: set[tuple[str, str]] = set()
    for place in found:
        where = (place.account, place.region)
        if where in seen:
            raise ConfigError(
                f"{_shown(environment)} names the region `{place.region}` of the account {place.account} twice",
                why=["two profiles or roles lead to the same place"],
                hint="leave one of them out",
            )
        seen.add(where)


def _shown(environment: Environment) -> str:
    return f"the environment `{environment.name}`" if environment.name else "`[tool.lamella.deploy]`"
