from __future__ import annotations

import pytest
from packaging.licenses import canonicalize_license_expression

from lamella.sbom.licences import canonical, licence_of
from lamella.sbom.model import Licence
from lamella.sbom.spdx import CLASSIFIERS, NAMES

MIT, BSD = "License :: OSI Approved :: MIT License", "License :: OSI Approved :: BSD License"
APACHE = "License :: OSI Approved :: Apache Software License"


@pytest.mark.parametrize("text", sorted({*CLASSIFIERS.values(), *NAMES.values()}))
def test_every_word_of_the_tables_is_spdx(text: str) -> None:
    assert canonicalize_license_expression(text) == text


def test_names_are_found_in_lower_case_and_mean_no_other_expression() -> None:
    assert all(name == name.lower() and not canonical(name) for name in NAMES)


@pytest.mark.parametrize(
    ("expression", "field", "classifiers", "found"),
    [
        ("MIT OR Apache-2.0", None, [], "MIT OR Apache-2.0"),
        ("mit and (bsd-3-clause or apache-2.0)", "GPL-3.0-only", [BSD], "MIT AND (BSD-3-Clause OR Apache-2.0)"),
        (None, "MIT", [MIT, "License :: OSI Approved :: MIT No Attribution License (MIT-0)"], "MIT"),
        (None, "apache-2.0", [], "Apache-2.0"),
        (None, "Apache License,  Version 2.0", [APACHE], "Apache-2.0"),
        (None, None, [MIT, "Programming Language :: Python"], "MIT"),
        (None, "UNKNOWN", ["License :: OSI Approved", MIT, MIT], "MIT"),
        (None, "Copyright (c) 2020\n\nPermission is hereby granted…", [MIT], "MIT"),
        ("LicenseRef-Proprietary", None, [], "LicenseRef-Proprietary"),
    ],
)
def test_what_is_stated_plainly(expression: str | None, field: str | None, classifiers: list[str], found: str) -> None:
    assert licence_of(expression, field, classifiers) == Licence(found)


@pytest.mark.parametrize(
    ("expression", "field", "classifiers", "stated"),
    [
        (None, None, [], ()),
        (None, "UNKNOWN", ["Topic :: Utilities"], ()),
        (None, "BSD", [], ("BSD",)),
        (None, None, [BSD], ("BSD License",)),
        (None, None, [APACHE], ("Apache Software License",)),
        (None, "Dual License", [BSD, APACHE], ("Dual License", "BSD License", "Apache Software License")),
        (None, "Dual License", [MIT], ("Dual License", "MIT License")),
        (None, None, [MIT, "License :: OSI Approved :: ISC License (ISCL)"], ("MIT License", "ISC License (ISCL)")),
        ("MIT or so", None, [MIT], ("MIT or so", "MIT License")),
        (None, "x\x1b[31m", [], ("x\\x1b[31m",)),
        (None, "Permission is hereby granted, " * 9, [], ()),
    ],
)
def test_nothing_is_guessed(
    expression: str | None, field: str | None, classifiers: list[str], stated: tuple[str, ...]
) -> None:
    assert licence_of(expression, field, classifiers) == Licence(stated=stated)


@pytest.mark.parametrize("text", ["(" * 3000 + "MIT" + ")" * 3000, "MIT AND " * 5000 + "MIT", "(MIT", "\0", ""])
def test_odd_expressions_are_none(text: str) -> None:
    assert canonical(text) == ""
