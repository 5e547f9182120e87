"""The places of an environment, accounts and regions, and the buckets of S3 that are named in the configuration."""

from __future__ import annotations

from collections.abc import Sequence

from lamella.config.model import Account
from lamella.config.names import is_bucket, is_region, is_role_arn
from lamella.config.section import Section, described
from lamella.wording import did_you_mean

KEYS = frozenset({"profile", "role", "region", "regions"})
_PLACE = ("profile", "role", "region")
# What stands for a place in `bucket` and `journal`, with a sample of each
PLACEHOLDERS = {"region": "eu-central-1", "account": "123456789012"}
_S3 = "s3://"
_KEY_LENGTH = 900  # bytes; S3's keys have at most 1,024, and the names of lamella's own objects come behind


def read_accounts(section: Section, fallback: Sequence[Account]) -> tuple[Account, ...]:
    """The accounts of `deploy` or of an environment, each with its regions; what isn't said is the fallback's.

    Raises ConfigError, also where one place would be there twice.
    """
    regions = _regions(section)
    profile, role = section.text("profile"), _role(section)
    if "accounts" in section.data:
        rows = section.rows("accounts", 'accounts = [{ profile = "production", region = "eu-central-1" }]')
        below = [_account(row, profile, role, regions, fallback) for row in rows]
        if not below:
            raise section.refuse("accounts", "must name at least one account", hint="add one, or remove the key")
        accounts = tuple(below)
    elif profile is not None or role is not None:
        first = fallback[0] if len(fallback) == 1 else Account(regions=_common(fallback))
        accounts = (
            Account(
                first.profile if profile is None else profile,
                first.role if role is None else role,
                first.regions if regions is None else regions,
            ),
        )
    else:
        accounts = tuple(one if regions is None else one._replace(regions=regions) for one in fallback)
    _check_differ(section, accounts)
    return accounts


def read_bucket(section: Section) -> str:
    """The key `bucket`, placeholders left in it, or ""."""
    given = section.text("bucket")
    if given is None:
        return ""
    if not is_bucket(_filled(section, "bucket", given)):
        raise section.refuse(
            "bucket",
            "is no name of a bucket of S3",
            why=(f"found {described(given)}",),
            hint="use 3 to 63 ASCII letters, digits, `-` and `.`; {region} and {account} stand for the place's",
        )
    return given


def journal_of(section: Section) -> str:
    """The key `journal`, ``s3://BUCKET/PREFIX``, placeholders left in it, or ""."""
    given = section.text("journal")
    return "" if given is None else _s3(section, "journal", given, _filled(section, "journal", given))


def read_cache(top: Section) -> str:
    """The top-level key `cache`, ``s3://BUCKET/PREFIX``, or ""."""
    given = top.text("cache")
    return "" if given is None else _s3(top, "cache", given, given)


def _s3(section: Section, key: str, given: str, filled: str) -> str:
    """`given` without a slash at its end, if it is a bucket and a prefix once it is `filled`."""
    bucket, _, prefix = filled.removeprefix(_S3).partition("/")
    prefix = prefix.rstrip("/")
    strange = any(part in ("", ".", "..") for part in prefix.split("/")) if prefix else False
    if not filled.startswith(_S3) or not is_bucket(bucket) or strange or not {"?", "#"}.isdisjoint(prefix):
        raise section.refuse(
            key,
            "is no place in a bucket of S3",
            why=(f"found {described(given)}",),
            hint=f'write `{key} = "s3://bucket/prefix"`',
        )
    if len(prefix.encode()) > _KEY_LENGTH:
        why = f"its prefix has {len(prefix.encode())} bytes, at most {_KEY_LENGTH} leave room for the names below it"
        raise section.refuse(key, "is too long", why=(why,), hint="choose a shorter prefix")
    return given.rstrip("/")


def _filled(section: Section, key: str, given: str) -> str:
    """The text with samples in its placeholders.  Raises ConfigError for one that is not known."""
    text = given
    for name, sample in PLACEHOLDERS.items():
        text = text.replace("{" + name + "}", sample)
    if "{" in text or "}" in text:
        word = text.partition("{")[2].partition("}")[0]
        known = did_you_mean(word, PLACEHOLDERS)
        raise section.refuse(
            key,
            "has a placeholder that is not known",
            why=(f"found {described(given)}", "known ones: {region}, {account}"),
            hint=known or "remove the braces",
        )
    return text


def _account(
    row: Section, profile: str | None, role: str | None, regions: tuple[str, ...] | None, fallback: Sequence[Account]
) -> Account:
    """One of `accounts`: what it leaves out is what stands beside `accounts`, or the fallback's regions."""
    row.only(KEYS)
    own_profile, own_role, own_regions = row.text("profile"), _role(row), _regions(row)
    if own_regions is None:
        own_regions = _common(fallback) if regions is None else regions
    return Account(own_profile or profile or "", own_role or role or "", own_regions)


def _common(accounts: Sequence[Account]) -> tuple[str, ...]:
    """The regions that all accounts have alike, or () where they differ."""
    found = {account.regions for account in accounts}
    return found.pop() if len(found) == 1 else ()


def _regions(section: Section) -> tuple[str, ...] | None:
    if "region" in section.data and "regions" in section.data:
        raise section.refuse("region", "is given beside `regions`", hint="keep one of them")
    key = "region" if "region" in section.data else "regions"
    one = section.text("region")
    given = section.texts("regions") if one is None else (one,)
    if given == ():
        raise section.refuse("regions", "must name at least one region", hint='write `regions = ["eu-central-1"]`')
    for region in given or ():
        if not is_region(region):
            raise section.refuse(
                key,
                "is no name of a region" if key == "region" else "holds what is no name of a region",
                why=(f"found {described(region)}",),
                hint='it must look like `"eu-central-1"`',
            )
    return given


def _role(section: Section) -> str | None:
    given = section.text("role")
    if given is not None and not is_role_arn(given):
        raise section.refuse(
            "role",
            "is no ARN of a role",
            why=(f"found {described(given)}",),
            hint="it must look like `arn:aws:iam::123456789012:role/NAME`",
        )
    return given


def _check_differ(section: Section, accounts: Sequence[Account]) -> None:
    seen = set()
    for account in accounts:
        for region in account.regions or ("",):
            place = account.profile, account.role, region
            if place in seen:
                told = ", ".join(f"{key} `{value}`" for key, value in zip(_PLACE, place, strict=True) if value)
                raise section.refuse(
                    "accounts",
                    "names one place twice",
                    why=(told or "what AWS's own configuration says",),
                    hint="remove one of them, or give it another region",
                )
            seen.add(place)
