from __future__ import annotations

from datetime import date

from lamella.facts.tables import libraries, optional, rows, runtimes


def test_every_runtime_has_a_base_with_the_libraries_that_python_itself_needs() -> None:
    for name, runtime in runtimes().items():
        found = libraries(name)
        assert {"libc.so.6", "libm.so.6", "libpthread.so.0", "libgcc_s.so.1", "libstdc++.so.6"} <= found.sonames
        assert f"lib{name}.so.1.0" in found.sonames
        assert found.versions["GLIBC"] == runtime.glibc
        assert set(found.versions) == set(found.recent)
        assert all(found.recent[namespace] >= known for namespace, known in found.versions.items())


def test_the_versions_are_those_of_the_compilers() -> None:
    """GCC's manual, "ABI Policy and Guidelines": GCC 7.2 has GLIBCXX_3.4.24, 11.1 has 3.4.29, 13.2 has 3.4.32."""
    assert libraries("python3.11").versions["GLIBCXX"] == (3, 4, 24)
    assert libraries("python3.12").versions["GLIBCXX"] == (3, 4, 29)
    assert libraries("python3.12").recent["GLIBCXX"] == (3, 4, 33)


def test_what_functions_have_been_seen_to_lack_is_not_listed() -> None:
    for name in runtimes():
        assert not {"libexpat.so.1", "libGL.so.1", "libX11.so.6", "libgomp.so.1"} & libraries(name).sonames


def test_rows_are_dated_and_name_their_source() -> None:
    assert optional()
    for table in ("base", "optional"):
        for row in rows(table):
            assert type(row["read"]) is date
            assert len(row["source"]) > 10
