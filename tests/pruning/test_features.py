"""`without`: parts of distributions that were asked to go."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pruning.deciding import fates, gone, made

from lamella.config.model import Slimming
from lamella.errors import ConfigError
from lamella.pruning.model import File

PYARROW: dict[str, str | bytes] = {
    "pyarrow/__init__.py": "",
    "pyarrow/flight.py": "from pyarrow._flight import connect",
    "pyarrow/_flight.cpython-312-x86_64-linux-gnu.so": b"x",
    "pyarrow/_s3fs.cpython-312-x86_64-linux-gnu.so": b"x",
    "pyarrow/fs.py": "try:\n    from pyarrow._s3fs import S3\nexcept ImportError:\n    pass\n",
    "pyarrow/libarrow_flight.so.2600": b"x",
}


@pytest.fixture
def pyarrow(tmp_path: Path) -> list[File]:
    return made(tmp_path, "pyarrow", PYARROW)


def without(*features: tuple[str, str], profile: str = "none") -> Slimming:
    return Slimming(profile=profile, without=features)


def test_a_feature_goes_though_something_imports_it(pyarrow: list[File]) -> None:
    slimming = without(("pyarrow", "flight"), ("pyarrow", "s3"))
    assert gone(pyarrow, slimming) == {
        "pyarrow/flight.py": "without",
        "pyarrow/_flight.cpython-312-x86_64-linux-gnu.so": "without",
        "pyarrow/_s3fs.cpython-312-x86_64-linux-gnu.so": "without",
    }
    fate = fates(pyarrow, slimming)["pyarrow/_s3fs.cpython-312-x86_64-linux-gnu.so"]
    assert fate.reason == "`pyarrow:s3` is left out: the S3 filesystem and the AWS SDK for C++"


def test_keep_wins_over_without(pyarrow: list[File]) -> None:
    slimming = Slimming(profile="none", without=(("pyarrow", "flight"),), keep=("flight.py",))
    assert set(gone(pyarrow, slimming)) == {"pyarrow/_flight.cpython-312-x86_64-linux-gnu.so"}


@pytest.mark.parametrize(
    ("feature", "what", "hint"),
    [
        (("pyarrow", "fligt"), "`pyarrow` has no feature `fligt` that can be left out", "did you mean `flight`?"),
        (("pyarow", "flight"), "no feature of `pyarow` is known", "did you mean `pyarrow`?"),
        (
            ("numpy", "f2py"),
            "`without` is about `numpy`, which is not in this artifact",
            "remove `numpy:f2py` from `without`",
        ),
        (
            ("pyarrow", "gcs"),
            "this version of `pyarrow` has no `gcs`",
            "remove `pyarrow:gcs` from `without`",
        ),
    ],
)
def test_what_is_not_there_is_refused(pyarrow: list[File], feature: tuple[str, str], what: str, hint: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        fates(pyarrow, without(feature))
    assert (refusal.value.what, refusal.value.hint) == (what, hint)
