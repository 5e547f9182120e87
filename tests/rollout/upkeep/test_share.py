"""Who may use a layer, on the AWS in memory."""

from __future__ import annotations

import pytest
from tests.cloud.fake import Fake, throttled, unreachable

from lamella.aws import NotThereError
from lamella.cloud.model import Permission
from lamella.errors import UsageError
from lamella.rollout.upkeep.share import listed, permission, share, unshare

_ORG = permission(organization="o-a1b2c3d4e5")
_ACCOUNT = permission(account="111122223333")


@pytest.fixture
def fake() -> Fake:
    fake = Fake()
    for content in (b"1", b"2"):
        fake.add_layer("deps", content)
    return fake


def test_statements_have_the_same_names_again() -> None:
    assert Permission("lamella-o-a1b2c3d4e5", "*", "o-a1b2c3d4e5") == _ORG
    assert Permission("lamella-111122223333", "111122223333") == _ACCOUNT


@pytest.mark.parametrize("text", ["o-short", "a1b2c3d4e5", "o-A1B2C3D4E5", "o-a1b2c3d4e5;x", "*"])
def test_what_is_no_organization(text: str) -> None:
    with pytest.raises(UsageError, match="is no organization"):
        permission(organization=text)


@pytest.mark.parametrize("text", ["1111", "1111222233334", "*", "arn:aws:iam::111122223333:root", "١١١١٢٢٢٢٣٣٣٣", ""])
def test_what_is_no_account(text: str) -> None:
    with pytest.raises(UsageError, match="is no account"):
        permission(account=text)


def test_the_newest_version_is_shared_once(fake: Fake) -> None:
    found = share(fake.cloud(), "deps", 0, _ORG)
    assert (found.version, found.permissions, found.changed) == (2, (_ORG,), True)
    again = share(fake.cloud(), "deps", 0, _ORG)
    assert (again.permissions, again.changed) == ((_ORG,), False)
    assert [call[0] for call in fake.written()] == ["share"]
    assert listed(fake.cloud(), "deps", 1).permissions == ()
    assert share(fake.cloud(), "deps", 1, _ACCOUNT).permissions == (_ACCOUNT,)


def test_another_statement_that_says_the_same_is_enough(fake: Fake) -> None:
    theirs = Permission("by-hand", "arn:aws:iam::111122223333:root")
    fake.share("deps", 2, theirs)
    assert not share(fake.cloud(), "deps", 2, _ACCOUNT).changed
    found = unshare(fake.cloud(), "deps", 2, _ACCOUNT)
    assert found.changed
    assert listed(fake.cloud(), "deps", 2).permissions == ()


def test_somebody_elses_statement_of_that_name_is_left_alone(fake: Fake) -> None:
    theirs = Permission(_ORG.statement, "444455556666")
    fake.share("deps", 2, theirs)
    found = share(fake.cloud(), "deps", 2, _ORG)
    assert found.permissions == (theirs, _ORG._replace(statement="lamella-o-a1b2c3d4e5-2"))
    assert unshare(fake.cloud(), "deps", 2, _ORG).permissions == (theirs,)


def test_what_is_not_shared_is_not_taken_away(fake: Fake) -> None:
    share(fake.cloud(), "deps", 2, _ORG)
    found = unshare(fake.cloud(), "deps", 2, _ACCOUNT)
    assert (found.permissions, found.changed) == ((_ORG,), False)


@pytest.mark.parametrize("after", [True, False])
def test_a_connection_that_is_cut(fake: Fake, after: bool) -> None:
    for verb, call in ((share, "share"), (unshare, "unshare")):
        cut = [unreachable(after), throttled()]
        fake.faults = lambda name, *_, cut=cut, call=call: cut.pop() if name == call and cut else None
        assert verb(fake.cloud(), "deps", 2, _ORG).changed
        assert listed(fake.cloud(), "deps", 2).permissions == ((_ORG,) if verb is share else ())


def test_what_is_not_there(fake: Fake) -> None:
    with pytest.raises(UsageError, match="there is no layer `never`"):
        share(fake.cloud(), "never", 0, _ORG)
    with pytest.raises(NotThereError):
        listed(fake.cloud(), "deps", 9)
