from __future__ import annotations

import pytest

from lamella.wording import closest, did_you_mean, listed, redacted, scrubbed, shown


def test_what_was_probably_meant() -> None:
    assert closest("layrs", ["layers", "lock"]) == "layers"
    assert closest("zzz", ["layers", "lock"]) is None
    assert did_you_mean("layrs", ["layers"]) == "did you mean `layers`?"
    assert did_you_mean("zzz", ["layers"]) is None


def test_lists_are_sorted_and_never_empty() -> None:
    assert listed(["b", "a"]) == "`a`, `b`"
    assert listed([]) == "none"


def test_paths_are_relative_where_that_is_short() -> None:
    assert shown("/srv/project/src/a.py", "/srv/project") == "src/a.py"
    assert shown("/srv/other/a.py", "/srv/project") == "../other/a.py"
    assert shown("/etc/pip.conf", "/srv/a/b/c") == "/etc/pip.conf"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://index.example/simple", "https://index.example/simple"),
        ("https://me:s3cret@index.example:8443/simple", "https://***@index.example:8443/simple"),
        ("https://s3cret@index.example/", "https://***@index.example/"),
        ("https://index.example/x?signature=s3cret#s3cret", "https://index.example/x?***"),
        ("https://me:s3/cret@index.example/simple", "https://***@index.example/simple"),
        ("https://me:s3@cret@index.example/simple", "https://***@index.example/simple"),
        ("https://me:s3cret@[bad/simple", "https://***@[bad/simple"),
        ("https://index.example:99999/x?signature=s3cret", "https://index.example:99999/x?***"),
    ],
)
def test_secrets_of_a_url(url: str, told: str) -> None:
    assert redacted(url) == told


def test_secrets_in_a_librarys_words() -> None:
    text = "GET https://me:s3cret@index.example/x?token=s3cret failed, as did 'http://a:b@c.example/'"
    assert scrubbed(text) == "GET https://***@index.example/x?*** failed, as did 'http://***@c.example/'"
    assert scrubbed("what? nothing here") == "what? nothing here"
