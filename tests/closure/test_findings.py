from __future__ import annotations

import pytest

from lamella.closure.findings import Finding, Kind, ModuleIndex, Severity


@pytest.mark.parametrize(
    ("file", "line", "text"),
    [
        (None, None, "imports `rawpy`"),
        ("src/app.py", None, "src/app.py imports `rawpy`"),
        ("src/app.py", 3, "src/app.py:3 imports `rawpy`"),
    ],
)
def test_a_finding_with_its_place(file: str | None, line: int | None, text: str) -> None:
    assert Finding("api", Severity.ERROR, "rawpy", "imports `rawpy`", file, line).text == text


def test_what_a_name_is_where_it_is_several_things() -> None:
    """As Python's finder decides: a package before a module, a folder alone last."""
    every = frozenset({"x"})
    index = ModuleIndex(packages=every, modules=every, namespaces=every, opaque=every)
    assert index.kind("x") is Kind.PACKAGE
    assert ModuleIndex(modules=every, namespaces=every, opaque=every).kind("x") is Kind.MODULE
    assert ModuleIndex(namespaces=every, opaque=every).kind("x") is Kind.OPAQUE
    assert ModuleIndex(namespaces=every).kind("x") is Kind.NAMESPACE
    assert index.kind("x.y") is None
