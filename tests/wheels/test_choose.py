"""Files of real releases, chosen from for every runtime; and made-up tags, compared with packaging's own order."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import create_compatible_tags_selector
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from lamella.facts.tables import runtimes
from lamella.lock.model import FromIndex, LockedFile, Pin
from lamella.target import Target
from lamella.wheels.choose import Choice, Refused, choose, refusal


@cache
def releases() -> dict[str, tuple[LockedFile, ...]]:
    """The filenames beside this file, by `name==version`."""
    found: dict[str, list[LockedFile]] = {}
    for line in (Path(__file__).parent / "filenames.txt").read_text().splitlines():
        if line.startswith("["):
            files = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            files.append(LockedFile(line))
    return {release: tuple(files) for release, files in found.items()}


def pinned(release: str, requires_python: str | None = None) -> Pin:
    name, _, version = release.partition("==")
    return Pin(canonicalize_name(name), Version(version), FromIndex(), requires_python=requires_python)


def chosen(release: str, target: Target) -> Choice:
    return choose(pinned(release), releases()[release], target)


def demo(*filenames: str, target: Target, requires_python: str | None = None) -> Choice:
    return choose(pinned("demo==1.0", requires_python), [LockedFile(name) for name in filenames], target)


PY311 = Target("python3.11", "x86_64")
PY312 = Target("python3.12", "x86_64")
ARM312 = Target("python3.12", "arm64")
TARGETS = [Target(name, architecture) for name in runtimes() for architecture in ("x86_64", "arm64")]
RELEASES = sorted(releases())


@pytest.mark.parametrize(
    ("release", "target", "filename"),
    [
        ("pyarrow==26.0.1", PY311, None),
        ("pyarrow==26.0.1", PY312, "pyarrow-26.0.1-cp312-cp312-manylinux_2_28_x86_64.whl"),
        ("pyarrow==26.0.1", ARM312, "pyarrow-26.0.1-cp312-cp312-manylinux_2_28_aarch64.whl"),
        ("rawpy==0.28.0", PY311, None),
        (
            "rawpy==0.28.0",
            PY312,
            "rawpy-0.28.0-cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        ),
        (
            "cryptography==50.0.2",
            PY311,
            "cryptography-50.0.2-cp311-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        ),
        ("cryptography==50.0.2", PY312, "cryptography-50.0.2-cp311-abi3-manylinux_2_34_x86_64.whl"),
        (
            "cryptography==50.0.2",
            Target("python3.9", "x86_64"),
            "cryptography-50.0.2-cp39-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        ),
        (
            "orjson==3.13.0",
            PY311,
            "orjson-3.13.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        ),
    ],
)
def test_the_best_file_of_a_real_release(release: str, target: Target, filename: str | None) -> None:
    choice = chosen(release, target)
    assert (choice.file and choice.file.filename) == filename
    assert choice.sdist is not None
    assert choice.sdist.filename.endswith(".tar.gz")


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.runtime}-{target.architecture}")
def test_every_file_of_a_real_release_is_used_or_refused_with_one_reason(release: str, target: Target) -> None:
    files = releases()[release]
    choice = chosen(release, target)
    used = [file.filename for file in (choice.file, choice.sdist, *choice.also) if file]
    refused = [name for name, _ in choice.refused]
    assert Counter([*used, *refused]) == Counter(file.filename for file in files)
    assert all(reason and not reason.endswith(".") for _, reason in choice.refused)
    for refusing in choice.refused:
        assert "does not know" not in refusing.reason  # every real tag is understood


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.runtime}-{target.architecture}")
def test_a_real_release_is_chosen_from_as_packaging_does(release: str, target: Target) -> None:
    wheels = [file for file in releases()[release] if file.filename.endswith(".whl")]
    select = create_compatible_tags_selector(target.tags())
    ordered = list(select((file.filename, parse_wheel_filename(file.filename)[3]) for file in wheels))
    choice = chosen(release, target)
    running = [file.filename for file in (choice.file, *choice.also) if file]
    assert running == ordered


def test_reasons_are_in_words() -> None:
    reasons = dict(chosen("pyarrow==26.0.1", PY311).refused)
    name = "pyarrow-26.0.1"
    assert {
        tag: reasons[f"{name}-{tag}.whl"]
        for tag in (
            "cp311-cp311-manylinux_2_28_x86_64",
            "cp311-cp311-manylinux_2_28_aarch64",
            "cp311-cp311-musllinux_1_2_x86_64",
            "cp311-cp311-macosx_12_0_arm64",
            "cp311-cp311-win_amd64",
            "cp312-cp312-manylinux_2_28_x86_64",
            "cp314-cp314t-manylinux_2_28_x86_64",
        )
    } == {
        "cp311-cp311-manylinux_2_28_x86_64": "needs glibc 2.28 (python3.11 has 2.26)",
        "cp311-cp311-manylinux_2_28_aarch64": "is for arm64",
        "cp311-cp311-musllinux_1_2_x86_64": "is for musl (Alpine Linux)",
        "cp311-cp311-macosx_12_0_arm64": "is for macOS",
        "cp311-cp311-win_amd64": "is for Windows",
        "cp312-cp312-manylinux_2_28_x86_64": "is for CPython 3.12",
        "cp314-cp314t-manylinux_2_28_x86_64": "is for free-threaded CPython 3.14",
    }


@pytest.mark.parametrize(
    ("filename", "reason"),
    [
        ("demo-1.0-cp313-abi3-manylinux_2_17_x86_64.whl", "needs CPython 3.13 or newer (abi3)"),
        ("demo-1.0-cp315-abi3.abi3t-manylinux_2_17_x86_64.whl", "needs CPython 3.15 or newer (abi3)"),
        ("demo-1.0-cp315-abi3t-manylinux_2_17_x86_64.whl", "is for free-threaded CPython 3.15"),
        ("demo-1.0-cp312-cp312t-manylinux_2_17_x86_64.whl", "is for free-threaded CPython 3.12"),
        ("demo-1.0-pp311-pypy311_pp73-manylinux_2_17_x86_64.whl", "is for PyPy"),
        ("demo-1.0-graalpy312-graalpy250_312_native-manylinux_2_17_x86_64.whl", "is for GraalPy"),
        ("demo-1.0-cp312-cp312d-manylinux_2_17_x86_64.whl", "has the ABI `cp312d`, python3.12 has `cp312`"),
        ("demo-1.0-py2-none-any.whl", "is for Python 2"),
        ("demo-1.0-py313-none-any.whl", "needs Python 3.13 or newer"),
        ("demo-1.0-cp38-none-any.whl", "is for CPython 3.8"),
        ("demo-1.0-cp312-cp312-linux_armv7l.whl", "is for armv7l"),
        ("demo-1.0-cp312-cp312-linux_aarch64.whl", "is for arm64"),
        ("demo-1.0-cp312-cp312-manylinux_2_35_x86_64.whl", "needs glibc 2.35 (python3.12 has 2.34)"),
        ("demo-1.0-cp312-cp312-freebsd_14_amd64.whl", "is for `freebsd_14_amd64`"),
        ("demo-1.0-cp312-cp312-ios_13_0_arm64_iphoneos.whl", "is for iOS"),
        ("demo-1.0-cp312-cp312-android_24_x86_64.whl", "is for Android"),
        ("demo-1.0-cp312-cp312-pyemscripten_2026_0_wasm32.whl", "is for Emscripten"),
        (
            "demo-1.0-py3-abi3-manylinux_2_17_x86_64.whl",
            "has the tag `py3-abi3-manylinux_2_17_x86_64`, which python3.12 does not know",
        ),
        ("other-1.0-py3-none-any.whl", "is a wheel of `other`"),
        ("demo-1.0-none-any.whl", "has a filename that the wheel specification does not allow"),
        ("demo-one-py3-none-any.whl", "has a filename that the wheel specification does not allow"),
        ("demo-1.0.win-amd64-py3.12.exe", "is neither a wheel nor a source distribution"),
    ],
)
def test_one_file_one_reason(filename: str, reason: str) -> None:
    choice = demo(filename, target=PY312)
    assert choice.file is None
    assert choice.refused == (Refused(filename, reason),)


@pytest.mark.parametrize("runtime", list(runtimes()))
@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_the_glibc_boundary_of_every_runtime(runtime: str, architecture: str) -> None:
    target = Target(runtime, architecture)
    own = f"cp3{target.python[1]}"
    fits, too_new = (
        f"demo-1.0-{own}-{own}-manylinux_2_{target.glibc[1] + more}_{target.machine}.whl" for more in (0, 1)
    )
    choice = demo(too_new, fits, target=target)
    assert choice.file == LockedFile(fits)
    (refused,) = choice.refused
    assert refused.reason == f"needs glibc 2.{target.glibc[1] + 1} ({runtime} has 2.{target.glibc[1]})"


def test_of_several_tags_in_one_name_the_oldest_glibc_counts() -> None:
    filename = "demo-1.0-cp311-cp311-manylinux_2_28_x86_64.manylinux_2_27_x86_64.whl"
    assert demo(filename, target=PY311).refused[0].reason == "needs glibc 2.27 (python3.11 has 2.26)"


def test_a_name_with_old_and_new_tags_runs_on_the_old() -> None:
    filename = "demo-1.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_28_x86_64.whl"
    assert demo(filename, target=PY311).file == LockedFile(filename)


def test_native_is_better_than_pure_and_newer_glibc_than_older() -> None:
    best, *others = (
        "demo-1.0-cp312-cp312-manylinux_2_34_x86_64.whl",
        "demo-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "demo-1.0-cp312-abi3-manylinux_2_34_x86_64.whl",
        "demo-1.0-cp39-abi3-manylinux_2_34_x86_64.whl",
        "demo-1.0-py3-none-any.whl",
    )
    choice = demo(*reversed(others), best, target=PY312)
    assert choice.file == LockedFile(best)
    assert choice.also == tuple(LockedFile(name) for name in others)
    assert choice.refused == ()


def test_the_higher_build_number_wins_as_a_number() -> None:
    names = [f"demo-1.0-{build}py3-none-any.whl" for build in ("", "2-", "10-", "9a-")]
    assert demo(*names, target=PY312).file == LockedFile("demo-1.0-10-py3-none-any.whl")


def test_a_better_tag_wins_over_a_build_number() -> None:
    choice = demo("demo-1.0-7-py3-none-any.whl", "demo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", target=PY312)
    assert choice.file == LockedFile("demo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl")


def test_requires_python_refuses_every_wheel() -> None:
    choice = demo("demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz", target=PY311, requires_python=">=3.12")
    assert choice.file is None
    assert choice.refused == (Refused("demo-1.0-py3-none-any.whl", "requires Python >=3.12"),)


@pytest.mark.parametrize("requires_python", [">=3.11", ">=3.11.4,<4", "!=3.11.0", ">=3.6.*", ""])
def test_requires_python_that_holds_or_can_not_be_read_refuses_nothing(requires_python: str) -> None:
    choice = demo("demo-1.0-py3-none-any.whl", target=PY311, requires_python=requires_python)
    assert choice.file is not None


def test_a_yanked_file_is_taken_with_a_note_when_nothing_else_runs() -> None:
    pure = LockedFile("demo-1.0-py3-none-any.whl")
    choice = choose(pinned("demo==1.0"), [pure], PY312, yanked={pure.filename: "broken metadata"})
    assert choice.file == pure
    assert choice.notes == ("`demo-1.0-py3-none-any.whl` was yanked from the index: broken metadata",)


def test_what_an_index_says_can_send_nothing_to_a_terminal() -> None:
    clear = "\x1b[2J"
    pure = LockedFile("demo-1.0-py3-none-any.whl")
    choice = choose(pinned("demo==1.0"), [pure], PY312, yanked={pure.filename: f" broken{clear}\nerror: \u202eno\n"})
    note = "`demo-1.0-py3-none-any.whl` was yanked from the index: broken\\x1b[2J error: \\u202eno"
    assert choice.notes == (note,)
    odd = f"demo-1.0-py3-none-any{clear}.whl"
    assert choose(pinned("demo==1.0"), [LockedFile(odd)], PY312).refused == (
        Refused(odd, "is for `any\\x1b[2j`"),
    )  # fmt: skip
    for files in (
        [odd, f"demo{clear}.whl", f"demo-1.0{clear}.exe"],
        [f"demo-1.0-cp39-{clear}-any.whl", f"demo-1.0-{clear}-none-any.whl"],
        [f"demo-1.0{clear}.exe"],
        [f"demo-1.0{clear}.tar.gz", "demo-1.0.zip"],
    ):
        pin = pinned("demo==1.0", f"==={clear}")
        told = refusal(pin, choose(pin, [LockedFile(name) for name in files], PY312), PY312)
        assert str(told).replace("\n", "").isprintable(), files
        assert len(told.why) + 2 == len(str(told).splitlines())


def test_a_file_that_was_not_yanked_is_taken_first() -> None:
    pure = LockedFile("demo-1.0-py3-none-any.whl")
    native = LockedFile("demo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl")
    choice = choose(pinned("demo==1.0"), [native, pure], PY312, yanked={native.filename: ""})
    assert choice.file == pure
    assert choice.also == (native,)
    assert choice.notes == ()


def test_of_two_sdists_the_tar_gz_is_taken() -> None:
    choice = demo("demo-1.0.zip", "demo-1.0.tar.gz", target=PY312)
    assert choice.sdist == LockedFile("demo-1.0.tar.gz")
    assert choice.refused == (Refused("demo-1.0.zip", "is a second source distribution, beside `demo-1.0.tar.gz`"),)


def test_the_order_of_the_lock_decides_nothing() -> None:
    files = list(releases()["numpy==2.5.5"])
    for seed in range(5):
        random.Random(seed).shuffle(files)
        choice = choose(pinned("numpy==2.5.5"), files, PY312)
        assert choice.file == chosen("numpy==2.5.5", PY312).file


INTERPRETERS = ["py2", "py3", "py39", "py312", "py313", "cp39", "cp311", "cp312", "cp313", "pp311"]
ABIS = ["none", "abi3", "cp39", "cp311", "cp312", "cp313", "cp313t", "abi3t"]
PLATFORMS = [
    "any",
    "linux_x86_64",
    "linux_aarch64",
    "manylinux1_x86_64",
    "manylinux2010_x86_64",
    "manylinux2014_x86_64",
    "manylinux2014_aarch64",
    *(f"manylinux_2_{minor}_{machine}" for minor in (5, 17, 26, 27, 34, 35) for machine in ("x86_64", "aarch64")),
    "manylinux_2_17_i686",
    "musllinux_1_2_x86_64",
    "macosx_11_0_arm64",
    "win_amd64",
]


def some(names: list[str], most: int) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(names), min_size=1, max_size=most, unique=True).map(
        lambda found: ".".join(sorted(found))
    )


def wheel_names() -> st.SearchStrategy[str]:
    build = st.sampled_from(["", "1-", "2-", "10-", "2b-"])
    parts = st.tuples(build, some(INTERPRETERS, 2), some(ABIS, 2), some(PLATFORMS, 3))
    return parts.map(lambda part: f"demo-1.0-{part[0]}{part[1]}-{part[2]}-{part[3]}.whl")


@given(names=st.lists(wheel_names(), max_size=12, unique=True), target=st.sampled_from(TARGETS))
def test_any_files_are_chosen_from_as_packaging_does(names: list[str], target: Target) -> None:
    choice = demo(*names, target=target)
    parsed = [(name, parse_wheel_filename(name)) for name in names]
    # packaging's selector keeps the order of equals: the higher build first, as pip has it.
    parsed.sort(key=lambda entry: (entry[1][2], entry[0]), reverse=True)
    select = create_compatible_tags_selector(target.tags())
    expected = list(select((name, tags) for name, (_, _, _, tags) in parsed))
    running = [file.filename for file in (choice.file, *choice.also) if file]
    assert running == expected
    assert Counter([*running, *(refused.filename for refused in choice.refused)]) == Counter(names)
    assert all(refused.reason for refused in choice.refused)


@given(names=st.lists(wheel_names(), min_size=1, max_size=6, unique=True), target=st.sampled_from(TARGETS))
def test_any_refusal_can_be_told(names: list[str], target: Target) -> None:
    choice = demo(*names, target=target)
    if choice.file is None:
        error = refusal(pinned("demo==1.0"), choice, target)
        assert error.what == f"no locked wheel of `demo==1.0` runs on {target}"
        assert error.why
        assert error.hint


def test_a_refusal_names_what_there_is_and_where_it_runs() -> None:
    choice = chosen("pyarrow==26.0.1", PY311)
    error = refusal(pinned("pyarrow==26.0.1"), choice, PY311, ["awswrangler", "pandas"], older="20.0.0")
    assert str(error) == (
        "no locked wheel of `pyarrow==26.0.1` runs on python3.11 (x86_64, glibc 2.26)\n"
        "  the lock offers manylinux_2_28 (glibc 2.28), arm64, Windows, macOS, musl (Alpine Linux)\n"
        "  needed by `awswrangler` and `pandas`\n"
        "  hint: python3.12 and later run on glibc 2.34; or lock `pyarrow==20.0.0`, "
        "the newest version with a wheel for python3.11"
    )
    assert error.exit_code == 2


def test_a_refusal_without_a_wheel_for_this_python_names_the_pythons() -> None:
    target = Target("python3.9", "x86_64")
    error = refusal(pinned("orjson==3.13.0"), chosen("orjson==3.13.0", target), target)
    assert str(error) == (
        "no locked wheel of `orjson==3.13.0` runs on python3.9 (x86_64, glibc 2.26)\n"
        "  the lock offers CPython 3.11, CPython 3.12, CPython 3.13, CPython 3.14, CPython 3.15\n"
        "  hint: it has wheels for python3.11 and later"
    )


def test_a_refusal_names_single_runtimes_where_there_are_gaps() -> None:
    names = [f"demo-1.0-cp3{minor}-cp3{minor}-manylinux_2_28_x86_64.whl" for minor in (11, 13)]
    error = refusal(pinned("demo==1.0"), demo(*names, target=PY311), PY311)
    assert error.hint == "python3.13 runs on glibc 2.34"
    error = refusal(pinned("demo==1.0"), demo(*names, target=PY312), PY312)
    assert error.hint == "it has wheels for python3.13"


def test_a_runtime_whose_base_is_not_verified_is_never_recommended() -> None:
    choice = demo("demo-1.0-cp315-cp315-manylinux_2_17_x86_64.whl", target=PY312)
    error = refusal(pinned("demo==1.0"), choice, PY312)
    assert error.hint is not None
    assert "3.15" not in error.hint


def test_a_refusal_names_older_runtimes_and_the_other_architecture() -> None:
    old = "demo-1.0-cp39-cp39-manylinux2014_x86_64.whl"
    arm = "demo-1.0-cp312-cp312-manylinux2014_aarch64.whl"
    error = refusal(pinned("demo==1.0"), demo(old, arm, target=PY312), PY312)
    assert error.hint == 'it has wheels for python3.9; or architecture = "arm64" has a wheel'


def test_a_refusal_for_requires_python_says_so() -> None:
    choice = demo("demo-1.0-py3-none-any.whl", target=PY311, requires_python=">=3.12")
    error = refusal(pinned("demo==1.0", ">=3.12"), choice, PY311)
    assert error.why == ("it requires Python >=3.12",)
    assert error.hint == "it has wheels for python3.12 and later"


def test_a_refusal_of_an_sdist_names_the_parent_and_the_setting() -> None:
    choice = demo("demo-1.0.tar.gz", target=PY312)
    error = refusal(pinned("demo==1.0"), choice, PY312, ["parent"])
    assert str(error) == (
        "`demo==1.0` has no wheel, only a source distribution\n"
        "  needed by `parent`\n"
        '  hint: allow-build = ["demo"] builds it if it is pure Python; '
        "`lamella build --container` builds any in the runtime's build image"
    )


def test_a_refusal_with_wheels_for_nobody_here_falls_back_to_the_sdist() -> None:
    choice = demo("demo-1.0-cp312-cp312-win_amd64.whl", "demo-1.0.tar.gz", target=PY312)
    error = refusal(pinned("demo==1.0"), choice, PY312)
    assert error.why == ("the lock offers Windows",)
    assert error.hint is not None
    assert error.hint.startswith('allow-build = ["demo"]')


def test_a_refusal_of_a_file_that_is_no_distribution_names_it() -> None:
    choice = demo("demo-1.0.egg", target=PY312)
    error = refusal(pinned("demo==1.0"), choice, PY312)
    assert error.what == "no file of `demo==1.0` can be used"
    assert error.why == ("`demo-1.0.egg` is neither a wheel nor a source distribution",)


def test_a_refusal_of_broken_names_quotes_them() -> None:
    choice = demo("demo-1.0-none-any.whl", target=PY312)
    error = refusal(pinned("demo==1.0"), choice, PY312)
    assert error.why == ("`demo-1.0-none-any.whl` has a filename that the wheel specification does not allow",)
