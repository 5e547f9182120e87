from __future__ import annotations

from collections.abc import Callable

import pytest

from lamella.config.model import Account, Environment, Settings

Read = Callable[[str], Settings]
Refusal = Callable[[str], str]

PROJECT = """\
[tool.lamella.layers.deps]
[tool.lamella.layers.big]
name = "big"
split = true
[tool.lamella.functions.api]
handler = "a.b"
alias = "live"
[tool.lamella.functions.job]
handler = "a.b"
"""
LAYERS = (("deps", "spectra-deps"), ("big", "big"))
FUNCTIONS = (("api", "spectra-api"), ("job", "spectra-job"))
ALIASES = (("api", "live"), ("job", ""))
ROLE = "arn:aws:iam::123456789012:role/ci/deploy"
DEPLOY = "`[tool.lamella.deploy]"
PROD = "`[tool.lamella.environments.prod"


def environments(settings: Read, tables: str) -> tuple[Environment, ...]:
    return settings(f"{PROJECT}{tables}\n").environments


def test_what_holds_where_nothing_is_said(settings: Read) -> None:
    base = Environment(layers=LAYERS, functions=FUNCTIONS, aliases=ALIASES)
    assert environments(settings, "") == (base,)
    assert environments(settings, "[tool.lamella.deploy]") == (base,)
    assert environments(settings, "[tool.lamella.environments.prod]") == (base, base._replace(name="prod"))
    assert (base.accounts, base.rate, base.keep) == ((Account(),), 10.0, 5)


def test_every_key(settings: Read) -> None:
    base, prod = environments(
        settings,
        f"""\
[tool.lamella.deploy]
region = "eu-central-1"
profile = "dev"
bucket = "spectra-{{account}}-{{region}}"
journal = "s3://spectra-state/rollout/{{region}}/"
rate = 7.5
keep = 3
[tool.lamella.environments.prod]
regions = ["eu-central-1", "us-gov-west-1"]
profile = "prod"
role = "{ROLE}"
bucket = "zips"
journal = "s3://spectra-prod"
rate = 1
keep = 10
prefix = "prod-"
suffix = "_x"
alias = "stable"
layers.deps.name = "Deps"
functions.api.name = "Api"
functions.job = {{ alias = "jobs" }}
""",
    )
    assert base == Environment(
        accounts=(Account("dev", "", ("eu-central-1",)),),
        bucket="spectra-{account}-{region}",
        journal="s3://spectra-state/rollout/{region}",
        rate=7.5,
        keep=3,
        layers=LAYERS,
        functions=FUNCTIONS,
        aliases=ALIASES,
    )
    assert prod == Environment(
        name="prod",
        accounts=(Account("prod", ROLE, ("eu-central-1", "us-gov-west-1")),),
        bucket="zips",
        journal="s3://spectra-prod",
        rate=1.0,
        keep=10,
        layers=(("deps", "Deps"), ("big", "prod-big_x")),
        functions=(("api", "Api"), ("job", "prod-spectra-job_x")),
        aliases=(("api", "stable"), ("job", "jobs")),
    )


def test_what_an_environment_leaves_out_is_as_in_deploy(settings: Read) -> None:
    deploy = (
        f'[tool.lamella.deploy]\nregions = ["eu-west-1", "eu-west-2"]\nrole = "{ROLE}"\nbucket = "zips"\nrate = 3\n'
    )
    base, prod, test = environments(
        settings,
        f'{deploy}[tool.lamella.environments.prod]\nprofile = "prod"\n'
        '[tool.lamella.environments.test]\nregion = "eu-west-3"',
    )
    assert prod == base._replace(name="prod", accounts=(Account("prod", ROLE, ("eu-west-1", "eu-west-2")),))
    assert test == base._replace(name="test", accounts=(Account("", ROLE, ("eu-west-3",)),))


def test_accounts_take_what_stands_beside_them(settings: Read) -> None:
    (base, prod, test) = environments(
        settings,
        f"""\
[tool.lamella.deploy]
region = "eu-west-1"
accounts = [{{ profile = "a" }}, {{ profile = "b", role = "{ROLE}", regions = ["eu-west-2", "eu-west-3"] }}]
[tool.lamella.environments.prod]
region = "us-east-1"
[tool.lamella.environments.test]
profile = "t"
region = "us-east-1"
""",
    )
    assert base.accounts == (Account("a", "", ("eu-west-1",)), Account("b", ROLE, ("eu-west-2", "eu-west-3")))
    assert prod.accounts == (Account("a", "", ("us-east-1",)), Account("b", ROLE, ("us-east-1",)))
    assert test.accounts == (Account("t", "", ("us-east-1",)),)


def test_the_shared_cache(settings: Read, refusal: Refusal) -> None:
    assert settings("[tool.lamella]\n").cache == ""
    assert settings('[tool.lamella]\ncache = "s3://builds/lamella/"\n').cache == "s3://builds/lamella"
    assert refusal('[tool.lamella]\ncache = "builds/lamella"\n') == (
        "`[tool.lamella] cache` in pyproject.toml is no place in a bucket of S3\n"
        '  found the string "builds/lamella"\n'
        '  hint: write `cache = "s3://bucket/prefix"`'
    )
    assert "no place in a bucket" in refusal('[tool.lamella]\ncache = "s3://builds-{account}"\n')


REFUSALS = [
    (
        "[tool.lamella.deploy]\nprefix = 'x'",
        f"{DEPLOY} prefix` in pyproject.toml is not a known key\n"
        "  known keys: accounts, bucket, journal, keep, profile, rate, region, regions, role\n"
        "  hint: did you mean `profile`?",
    ),
    (
        "[tool.lamella.deploy]\nregion = 'eu-central1'",
        f"{DEPLOY} region` in pyproject.toml is no name of a region\n"
        '  found the string "eu-central1"\n'
        '  hint: it must look like `"eu-central-1"`',
    ),
    (
        "[tool.lamella.deploy]\nregions = ['eu-central-1', 'Frankfurt']",
        f"{DEPLOY} regions` in pyproject.toml holds what is no name of a region\n"
        '  found the string "Frankfurt"\n'
        '  hint: it must look like `"eu-central-1"`',
    ),
    (
        "[tool.lamella.deploy]\nregions = []",
        f"{DEPLOY} regions` in pyproject.toml must name at least one region\n"
        '  hint: write `regions = ["eu-central-1"]`',
    ),
    (
        "[tool.lamella.deploy]\nregion = 'eu-west-1'\nregions = ['eu-west-2']",
        f"{DEPLOY} region` in pyproject.toml is given beside `regions`\n  hint: keep one of them",
    ),
    (
        "[tool.lamella.deploy]\nrole = 'arn:aws:iam::1234:role/x'",
        f"{DEPLOY} role` in pyproject.toml is no ARN of a role\n"
        '  found the string "arn:aws:iam::1234:role/x"\n'
        "  hint: it must look like `arn:aws:iam::123456789012:role/NAME`",
    ),
    (
        "[tool.lamella.deploy]\naccounts = []",
        f"{DEPLOY} accounts` in pyproject.toml must name at least one account\n  hint: add one, or remove the key",
    ),
    (
        "[tool.lamella.deploy]\naccounts = [{ profil = 'a' }]",
        "`[tool.lamella.deploy.accounts.1] profil` in pyproject.toml is not a known key\n"
        "  known keys: profile, region, regions, role\n"
        "  hint: did you mean `profile`?",
    ),
    (
        "[tool.lamella.deploy]\nregion = 'eu-west-1'\naccounts = [{ profile = 'a' }, { profile = 'a' }]",
        f"{DEPLOY} accounts` in pyproject.toml names one place twice\n"
        "  profile `a`, region `eu-west-1`\n"
        "  hint: remove one of them, or give it another region",
    ),
    (
        "[tool.lamella.deploy]\nbucket = 'my bucket'",
        f"{DEPLOY} bucket` in pyproject.toml is no name of a bucket of S3\n"
        '  found the string "my bucket"\n'
        "  hint: use 3 to 63 ASCII letters, digits, `-` and `.`; {region} and {account} stand for the place's",
    ),
    (
        "[tool.lamella.deploy]\nbucket = 'zips-{regoin}'",
        f"{DEPLOY} bucket` in pyproject.toml has a placeholder that is not known\n"
        '  found the string "zips-{regoin}"\n'
        "  known ones: {region}, {account}\n"
        "  hint: did you mean `region`?",
    ),
    (
        "[tool.lamella.deploy]\njournal = 'journal.json'",
        f"{DEPLOY} journal` in pyproject.toml is no place in a bucket of S3\n"
        '  found the string "journal.json"\n'
        '  hint: write `journal = "s3://bucket/prefix"`',
    ),
    (
        f"[tool.lamella.deploy]\njournal = 's3://bucket/{'x' * 901}'",
        f"{DEPLOY} journal` in pyproject.toml is too long\n"
        "  its prefix has 901 bytes, at most 900 leave room for the names below it\n"
        "  hint: choose a shorter prefix",
    ),
    (
        "[tool.lamella.deploy]\nrate = 0",
        f"{DEPLOY} rate` in pyproject.toml must be a number of calls in a second above 0, at most 1000\n"
        "  found the integer 0\n"
        "  hint: write `rate = 10`, say",
    ),
    (
        "[tool.lamella.deploy]\nkeep = 0",
        f"{DEPLOY} keep` in pyproject.toml must be a whole number of versions from 1 to 10000\n"
        "  found the integer 0\n"
        "  hint: write `keep = 1`, say",
    ),
    (
        "[tool.lamella]\ndeploy = 'prod'",
        "`[tool.lamella] deploy` in pyproject.toml must be a table\n"
        '  found the string "prod"\n'
        "  hint: write `[tool.lamella.deploy]`",
    ),
    (
        "[tool.lamella.environments.Prod]",
        "`[tool.lamella.environments.Prod]` in pyproject.toml can't be the name of an environment\n"
        "  hint: use at most 100 of a-z, 0-9, `-` and `_`, with a letter or digit first",
    ),
    (
        "[tool.lamella.environments.default]",
        "`[tool.lamella.environments.default]` in pyproject.toml can't be the name of an environment\n"
        "  `default` is the environment without a name\n"
        "  hint: use at most 100 of a-z, 0-9, `-` and `_`, with a letter or digit first",
    ),
    (
        "[tool.lamella.environments.prod]\nprefix = 'prod.'",
        f"{PROD}] prefix` in pyproject.toml holds a character that AWS accepts in no name\n"
        '  found the string "prod."\n'
        "  hint: use ASCII letters, digits, `-` and `_`",
    ),
    (
        f"[tool.lamella.environments.prod]\nsuffix = '-{'x' * 60}'",
        f"{PROD}] suffix` in pyproject.toml makes the name of function `api` too long\n"
        f"  `spectra-api-{'x' * 60}` has 72 characters, AWS takes 64\n"
        "  hint: give it a `name` of at most 64 ASCII letters, digits, `-` and `_` in this environment: "
        "`functions.api.name`",
    ),
    (
        f"[tool.lamella.environments.prod]\nprefix = '{'x' * 136}'\nfunctions = {{ api.name = 'a', job.name = 'j' }}\n"
        "layers.deps.name = 'd'",
        # Its parts will have two characters more
        f"{PROD}] prefix` in pyproject.toml makes the name of layer `big` too long\n"
        f"  `{'x' * 136}big` has 139 characters, AWS takes 138\n"
        "  hint: give it a `name` of at most 138 ASCII letters, digits, `-` and `_` in this environment: "
        "`layers.big.name`",
    ),
    (
        "[tool.lamella.environments.prod]\nlayers.deps.name = 'a b'",
        f"{PROD}.layers.deps] name` in pyproject.toml is no name that AWS accepts\n"
        '  found the string "a b"\n'
        "  hint: write a `name` of at most 140 ASCII letters, digits, `-` and `_`",
    ),
    (
        "[tool.lamella.environments.prod]\nlayers.dep.name = 'a'",
        f"{PROD}.layers.dep]` in pyproject.toml names no layer\n"
        "  the project's layers: deps, big\n"
        "  hint: did you mean `deps`?",
    ),
    (
        "[tool.lamella.environments.prod]\nfunctions.web.name = 'a'",
        f"{PROD}.functions.web]` in pyproject.toml names no function\n"
        "  the project's functions: api, job\n"
        "  hint: declare it below `functions`, or remove it here",
    ),
    (
        "[tool.lamella.environments.prod]\nfunctions.api.handler = 'a'",
        f"{PROD}.functions.api] handler` in pyproject.toml is not a known key\n"
        "  known keys: alias, name\n"
        "  hint: remove it; keys of later versions of lamella are refused, not ignored",
    ),
    (
        "[tool.lamella.environments.prod]\nfunctions.api.name = 'spectra-job'",
        f"{PROD}] functions` in pyproject.toml gives two the name `spectra-job` in AWS\n"
        "  `api` and `job`\n"
        "  hint: give one of them another `name`",
    ),
    (
        "[tool.lamella.environments.prod]\nlayers.big.name = 'spectra-deps'",
        f"{PROD}] layers` in pyproject.toml gives two the name `spectra-deps` in AWS\n"
        "  `deps` and `big`\n"
        "  hint: give one of them another `name`",
    ),
    (
        "[tool.lamella.environments.prod]\nalias = '12'",
        f"{PROD}] alias` in pyproject.toml is no name of an alias that AWS accepts\n"
        '  found the string "12"\n'
        "  hint: use at most 128 ASCII letters, digits, `-` and `_`, and not digits alone",
    ),
]


@pytest.mark.parametrize(
    "journal", ["s3://ab", "s3:///x", "s3://bucket//x", "s3://bucket/../x", "s3://bucket/a?b", "S3://x"]
)
def test_no_place_in_s3(refusal: Refusal, journal: str) -> None:
    told = refusal(f"[tool.lamella.deploy]\njournal = '{journal}'\n")
    assert told.startswith(f"{DEPLOY} journal` in pyproject.toml is no place in a bucket of S3\n")


@pytest.mark.parametrize(("tables", "text"), REFUSALS)
def test_refusals(refusal: Refusal, tables: str, text: str) -> None:
    assert refusal(f"{PROJECT}{tables}\n") == text
