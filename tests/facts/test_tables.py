"""The tables are consistent with themselves, with each other and with the Python that reads them."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from importlib.util import find_spec

import pytest

from lamella.facts import tables

TABLES = ("runtime", "image", "limit", "provided", "stdlib", "absent", "rule", "feature")
ALL = [f"python3.{minor}" for minor in range(9, 16)]
EVERY_ROW = [
    pytest.param(row, id=f"{table}-{row.get('name') or row['runtime']}")
    for table in TABLES
    for row in tables.rows(table)
]


@pytest.mark.parametrize("row", EVERY_ROW)
def test_a_row_is_dated_and_names_its_source(row: dict[str, object]) -> None:
    assert type(row["read"]) is date
    assert row["read"] >= date(2026, 1, 1)
    source = row["source"]
    assert isinstance(source, str)
    assert len(source) > 10


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_no_row_twice_and_is_sorted(table: str) -> None:
    names = [row.get("name") or row["runtime"] for row in tables.rows(table)]
    assert len(set(names)) == len(names)
    if table in ("provided", "feature"):
        assert names == sorted(names)
    if table in ("runtime", "stdlib"):
        assert names == ALL
    if table == "image":
        assert names == [name for name, runtime in tables.runtimes().items() if runtime.verified]


def test_images_are_of_their_runtime() -> None:
    for name, runtime in tables.runtimes().items():
        images = tables.images(name)
        if images is None:
            assert not runtime.verified
            continue
        assert name in images.build
        assert images.run.endswith(f":{name.removeprefix('python')}-{{architecture}}")
        assert images.build.endswith("-{architecture}")


def test_a_runtime_is_what_its_name_says() -> None:
    assert list(tables.runtimes()) == ALL
    for name, runtime in tables.runtimes().items():
        assert name == runtime.name == f"python{runtime.python[0]}.{runtime.python[1]}"
        assert runtime.interpreter == f"/var/lang/bin/{name}"
        assert runtime.architectures == ("x86_64", "arm64")


def test_the_base_decides_the_glibc() -> None:
    glibc = {"Amazon Linux 2": (2, 26), "Amazon Linux 2023": (2, 34)}
    assert all(runtime.glibc == glibc[runtime.base] for runtime in tables.runtimes().values())
    known = {name: runtime.glibc for name, runtime in tables.runtimes().items()}
    assert [name for name, glibc in known.items() if glibc == (2, 26)] == ALL[:3]
    assert [name for name, glibc in known.items() if glibc == (2, 34)] == ALL[3:]


def test_only_the_newest_runtime_is_unverified_and_has_no_dates() -> None:
    unverified = [runtime for runtime in tables.runtimes().values() if not runtime.verified]
    assert [runtime.name for runtime in unverified] == ["python3.15"]
    assert unverified[0].deprecated is None


def test_deprecation_comes_before_the_blocks_and_older_runtimes_go_first() -> None:
    verified = [runtime for runtime in tables.runtimes().values() if runtime.verified]
    for runtime in verified:
        assert runtime.deprecated is not None
        dates = [runtime.deprecated, runtime.create_blocked, runtime.update_blocked]
        known = [day for day in dates if day is not None]
        assert known == sorted(set(known))
    ends = [runtime.deprecated for runtime in verified if runtime.deprecated is not None]
    assert ends == sorted(ends)


def test_limits_have_the_numbers_that_messages_quote() -> None:
    limits = tables.limits()
    assert limits.layer_zipped == 50 * 1024 * 1024 == 52_428_800
    assert limits.function_unzipped == 250 * 1024 * 1024 == 262_144_000
    assert (limits.layers, limits.environment, limits.compatible_runtimes) == (5, 4096, 15)


@pytest.mark.parametrize("runtime", ALL)
def test_every_runtime_ships_the_sdk_and_what_it_needs(runtime: str) -> None:
    modules = {provided.name: provided.modules for provided in tables.provided(runtime)}
    sdk = {"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "python-dateutil", "six", "awslambdaric"}
    assert sdk <= modules.keys()
    assert modules["python-dateutil"] == ("dateutil",)


def test_snapstart_hooks_are_there_from_the_first_runtime_with_snapstart() -> None:
    having = [name for name in ALL if any(p.name == "snapshot-restore-py" for p in tables.provided(name))]
    assert having == ALL[3:]


def test_provided_names_are_normalized_and_name_known_runtimes() -> None:
    from packaging.utils import canonicalize_name

    for row in tables.rows("provided"):
        assert canonicalize_name(row["name"]) == row["name"]
        assert set(row["runtimes"]) <= set(ALL)
        assert all(module.isidentifier() for module in row["modules"])


def test_nothing_that_a_runtime_ships_is_in_its_standard_library() -> None:
    for runtime in ALL:
        shipped = {module for provided in tables.provided(runtime) for module in provided.modules}
        assert not shipped & tables.stdlib(runtime)


def test_stdlib_steps_add_what_is_new_and_remove_what_was_there() -> None:
    names: set[str] = set()
    for row in tables.rows("stdlib"):
        assert row["added"] == sorted(set(row["added"]))
        assert row["removed"] == sorted(set(row["removed"]))
        assert not names & set(row["added"])
        assert set(row["removed"]) <= names
        names = (names - set(row["removed"])) | set(row["added"])
        assert tables.stdlib(row["runtime"]) == names - tables.absent().keys()


@pytest.mark.parametrize("runtime", ALL)
def test_every_runtime_has_a_standard_library(runtime: str) -> None:
    names = tables.stdlib(runtime)
    assert {"os", "sys", "json", "typing", "zoneinfo", "__future__", "_thread"} <= names
    assert all(name.isidentifier() for name in names)


@pytest.mark.parametrize(
    ("module", "there"),
    [
        ("formatter", ALL[:1]),
        ("distutils", ALL[:3]),
        ("tomllib", ALL[2:]),
        ("imp", ALL[:3]),
        ("cgi", ALL[:4]),
        ("annotationlib", ALL[5:]),
        ("compression", ALL[5:]),
        ("profiling", ALL[6:]),
        ("sre_parse", ALL[:6]),
    ],
)
def test_modules_come_and_go_where_python_says(module: str, there: list[str]) -> None:
    assert [runtime for runtime in ALL if module in tables.stdlib(runtime)] == there


def test_the_standard_library_is_that_of_the_python_that_runs_this() -> None:
    runtime = f"python3.{sys.version_info.minor}"
    if runtime not in tables.runtimes():
        pytest.skip(f"no table for {runtime}")
    # Private modules change in patch releases; nobody imports them.
    own = {name for name in sys.stdlib_module_names - tables.absent().keys() if not name.startswith("_")}
    assert own == {name for name in tables.stdlib(runtime) if not name.startswith("_")}


def test_what_linux_lacks_is_in_no_standard_library_and_nowhere_on_this_linux() -> None:
    everything = {name for row in tables.rows("stdlib") for name in row["added"]}
    assert tables.absent().keys() <= everything
    assert tables.absent()["winreg"] == "Windows"
    assert not any(tables.absent().keys() & tables.stdlib(runtime) for runtime in ALL)
    assert {"ntpath", "nturl2path", "idlelib", "tkinter", "posix", "fcntl"} <= tables.stdlib("python3.12")
    if sys.platform == "linux":
        assert [name for name in tables.absent() if find_spec(name) is not None] == []


@pytest.mark.parametrize(
    ("module", "span"),
    [
        ("os", (None, None)),
        ("distutils", (None, (3, 12))),
        ("cgi", (None, (3, 13))),
        ("tomllib", ((3, 11), None)),
        ("annotationlib", ((3, 14), None)),
        ("rawpy", None),
    ],
)
def test_when_a_module_came_and_left(module: str, span: tuple[object, object] | None) -> None:
    assert tables.span(module) == span


def test_a_pruning_rule_has_profiles_that_grow_and_a_reason_for_people() -> None:
    for rule in tables.pruning():
        assert rule.profiles in (("safe", "lean"), ("lean",))
        assert rule.drops
        assert rule.reason
        assert not rule.reason.endswith(".")
    assert len({rule.name for rule in tables.pruning()} & {"keep", "drop", "without", "services", "unreached", ""}) == 0


def test_no_rule_of_names_drops_what_must_travel_with_the_code() -> None:
    kept = ("METADATA", "entry_points.txt", "LICENSE", "licenses/")
    for rule in tables.pruning():
        about = [pattern for pattern in rule.drops if ".dist-info" in pattern]
        assert not [pattern for pattern in about if pattern.endswith(kept)]
        # What is about any folder must not reach into that one
        anywhere = [pattern for pattern in rule.drops if "/" not in pattern[:-1]]
        assert not anywhere or "*.dist-info/" in rule.never


def test_a_feature_is_part_of_a_distribution() -> None:
    from packaging.utils import canonicalize_name

    for feature in tables.features():
        assert canonicalize_name(feature.distribution) == feature.distribution
        assert feature.name.isidentifier()
        assert feature.reason
        # From the root, so that it means no namesake
        assert all(pattern.startswith("/") for pattern in feature.drops)
    assert {feature.name for feature in tables.features() if feature.distribution == "pyarrow"} >= {"flight", "s3"}


def test_an_unknown_runtime_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        tables.stdlib("python3.8")
    with pytest.raises(KeyError):
        tables.provided("nodejs24.x")


def test_values_can_not_be_changed() -> None:
    with pytest.raises(TypeError):
        tables.runtimes()["python3.12"] = tables.runtimes()["python3.9"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        tables.limits().layers = 6  # type: ignore[misc]


def test_reading_the_tables_imports_nothing_heavy() -> None:
    code = (
        "import sys; from lamella.facts import tables; tables.stdlib('python3.12'); tables.limits(); "
        "print(*[m for m in ('packaging', 'importlib.resources', 'importlib.metadata') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""
