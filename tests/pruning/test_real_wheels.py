"""Each rule on the real packages that it must not break."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.pruning.deciding import fates, files_of, gone

from lamella.archive.entry import from_bytes
from lamella.config.model import Slimming
from lamella.facts import tables
from lamella.pruning.model import Fate, File

pytestmark = pytest.mark.journey

# Pinned, so that tomorrow's releases fail nothing today
PINS = (
    "numpy==2.5.5 scikit-learn==1.9.1 pyarrow==26.0.1 botocore==1.44.5 boto3==1.44.5 jinja2==3.1.6 django==6.1.3 "
    "sqlalchemy==2.1.9 matplotlib==3.11.2 lxml==6.1.3 certifi==2026.10.18 pillow==13.0.0 networkx==3.7 cffi==2.1.1 "
    "h5py==3.16.0 scikit-image==0.26.0 click==8.5.1 werkzeug==3.1.9 greenlet==3.5.6 markupsafe==3.0.4 "
    "googleapis-common-protos==1.76.0 jsonschema==4.26.0 djangorestframework==3.18.3 astropy==8.0.2"
)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[File]]:
    """The files of each distribution, by its name."""
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(folder)]
    command += ["--python-version", "3.12", "--disable-pip-version-check", *PINS.split()]
    for platform in ("manylinux_2_34", "manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux_2_12"):
        command += ["--platform", f"{platform}_x86_64"]
    command += ["--platform", "manylinux2014_x86_64"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    found = [files_of(str(path)) for path in folder.iterdir()]
    return {files[0].distribution: files for files in found}


# What a rule is about, or nearly, and must leave alone: distribution, path, and the profile under which it is asked
STAYS = {
    "tests": [
        ("numpy", "numpy/testing/__init__.py", "safe"),
        ("numpy", "numpy/testing/_private/utils.py", "safe"),
        ("numpy", "numpy/_pytesttester.py", "safe"),
        ("jinja2", "jinja2/tests.py", "safe"),
        ("werkzeug", "werkzeug/test.py", "safe"),
        ("django", "django/test/client.py", "safe"),
        ("matplotlib", "matplotlib/testing/__init__.py", "safe"),
        # A kept module imports it, an entry point names it
        ("astropy", "astropy/tests/runner.py", "safe"),
        ("h5py", "h5py/tests/__init__.py", "safe"),
        ("networkx", "networkx/classes/tests/dispatch_interface.py", "safe"),
    ],
    # lazy-loader reads them
    "stubs": [
        ("scikit-image", "skimage/__init__.pyi", "safe"),
        ("scikit-image", "skimage/data/__init__.pyi", "safe"),
    ],
    "headers": [
        ("cffi", "cffi/_cffi_include.h", "safe"),
        ("cffi", "cffi/parse_c_type.h", "safe"),
        ("numpy", "numpy/f2py/src/fortranobject.c", "safe"),
        ("lxml", "lxml/etree.cpython-312-x86_64-linux-gnu.so", "safe"),
    ],
    "leftovers": [("numpy", "numpy/_core/lib/pkgconfig/numpy.pc", "safe")],
    "documentation": [
        ("scikit-image", "skimage/data/README.txt", "safe"),
        ("botocore", "botocore/docs/__init__.py", "safe"),
        ("boto3", "boto3/docs/__init__.py", "safe"),
        ("lxml", "lxml/isoschematron/resources/rng/iso-schematron.rng", "safe"),
    ],
    "records": [("click", "click-8.5.1.dist-info/RECORD", "safe")],
    "catalogs": [("django", "django/conf/locale/de/LC_MESSAGES/django.mo", "safe")],
    "examples": [
        ("matplotlib", "matplotlib/mpl-data/matplotlibrc", "lean"),
        ("botocore", "botocore/data/endpoints.json", "lean"),
        ("boto3", "boto3/data/s3/2006-03-01/resources-1.json", "lean"),
        ("certifi", "certifi/cacert.pem", "lean"),
        ("botocore", "botocore/cacert.pem", "lean"),
    ],
    "suites": [("sqlalchemy", "sqlalchemy/testing/suite/test_select.py", "lean")],
    "plugins": [("numpy", "numpy/typing/__init__.py", "lean")],
    "protocols": [("googleapis-common-protos", "google/api/annotations_pb2.py", "lean")],
    "maps": [("djangorestframework", "rest_framework/static/rest_framework/css/bootstrap.min.css", "lean")],
    "wheel notes": [("numpy", "numpy-2.5.5.dist-info/entry_points.txt", "lean")],
}


@pytest.mark.parametrize(
    ("distribution", "path", "profile"),
    [pytest.param(*case, id=f"{rule}: {case[1]}") for rule, cases in STAYS.items() for case in cases],
)
def test_what_is_needed_at_run_time_stays(
    distribution: str, path: str, profile: str, wheels: dict[str, list[File]]
) -> None:
    for harder in ("safe", "lean") if profile == "safe" else ("lean",):
        assert fates(wheels[distribution], Slimming(profile=harder))[path].kept


@pytest.mark.parametrize("profile", ["safe", "lean"])
def test_what_tells_of_a_distribution_stays(profile: str, wheels: dict[str, list[File]]) -> None:
    for files in wheels.values():
        decided = fates(files, Slimming(profile=profile))
        telling = [path for path in decided if path.endswith((".dist-info/METADATA", ".dist-info/entry_points.txt"))]
        telling += [path for path in decided if ".dist-info/" in path and "licen" in path.lower()]
        assert len(telling) >= 2
        assert [path for path in telling if not decided[path].kept] == []


GOES = {
    "tests": ("numpy", "numpy/tests/test_public_api.py", "safe"),
    "stubs": ("numpy", "numpy/__init__.pyi", "safe"),
    "headers": ("pyarrow", "pyarrow/include/arrow/api.h", "safe"),
    "leftovers": ("scikit-learn", "sklearn/meson.build", "safe"),
    "documentation": ("numpy", "numpy/ma/README.rst", "safe"),
    "records": ("numpy", "numpy-2.5.5.dist-info/RECORD", "safe"),
    "catalogs": ("django", "django/conf/locale/de/LC_MESSAGES/django.po", "safe"),
    "examples": ("matplotlib", "matplotlib/mpl-data/sample_data/goog.npz", "lean"),
    "suites": ("jsonschema", "jsonschema/benchmarks/issue232.py", "lean"),
    "plugins": ("numpy", "numpy/typing/mypy_plugin.py", "lean"),
    "protocols": ("googleapis-common-protos", "google/api/annotations.proto", "lean"),
    "maps": ("djangorestframework", "rest_framework/static/rest_framework/css/bootstrap.min.css.map", "lean"),
    "wheel notes": ("numpy", "numpy-2.5.5.dist-info/WHEEL", "lean"),
}


@pytest.mark.parametrize("rule", GOES)
def test_a_rule_drops_what_it_is_for(rule: str, wheels: dict[str, list[File]]) -> None:
    distribution, path, profile = GOES[rule]
    fate = fates(wheels[distribution], Slimming(profile=profile))[path]
    assert (fate.kept, fate.rule) == (False, rule)


def test_every_rule_has_a_package_that_it_must_not_break_and_one_that_it_is_for() -> None:
    rules = {rule.name for rule in tables.pruning()}
    assert STAYS.keys() == rules
    assert GOES.keys() == rules


def test_a_module_beside_the_headers_of_a_distribution_brings_none_of_them_back(wheels: dict[str, list[File]]) -> None:
    """numpy/conftest.py looks for files beside itself."""
    before = set(gone(wheels["numpy"]))
    user = File(from_bytes("python/user.py", "user", b"import numpy.conftest\n"), "user.py", "user")
    assert before - set(gone([*wheels["numpy"], user])) == {"numpy/conftest.py"}


def test_modules_that_another_distribution_imports_stay(wheels: dict[str, list[File]]) -> None:
    records = "numpy-2.5.5.dist-info/RECORD"
    assert gone(wheels["numpy"])[records] == "records"
    assert fates(wheels["numpy"] + wheels["click"])[records] == Fate(True)  # click asks for packages_distributions
    learning = fates(wheels["numpy"] + wheels["scikit-learn"])
    modules = [path for path, fate in learning.items() if not fate.kept and path.endswith((".py", ".so"))]
    assert len(modules) > 400
    assert all("/tests/" in path or "tests" in os.path.basename(path) or "conftest" in path for path in modules)


IMPORTS = """
import sys
sys.path.insert(0, sys.argv[1])
{code}
"""
USES = """
import numpy, numpy.testing, numpy.linalg, numpy.random, numpy.fft, numpy.ma, numpy.polynomial
numpy.testing.assert_allclose(numpy.linalg.inv(numpy.eye(3) * 2), numpy.eye(3) / 2)
import pyarrow, pyarrow.parquet, pyarrow.dataset, pyarrow.fs, pyarrow.compute, pyarrow.csv, pyarrow.json
from PIL import Image, ImageFont, ImageCms, features
import jinja2, werkzeug.test, lxml.etree, lxml.isoschematron, greenlet, certifi, click
"""
FEATURES = (
    *(("pyarrow", name) for name in ("azure", "encryption", "flight", "gcs", "hdfs", "orc", "s3", "substrait")),
    *(("pillow", name) for name in ("avif", "cms", "fonts", "tk", "webp")),
    ("numpy", "f2py"),
)


@pytest.mark.parametrize("without", [(), FEATURES], ids=["all", "without every feature"])
@pytest.mark.parametrize("profile", ["safe", "lean"])
def test_what_is_left_imports(
    profile: str, without: tuple[tuple[str, str], ...], wheels: dict[str, list[File]], tmp_path: Path
) -> None:
    from lamella.archive.entry import content

    python = interpreter("3.12")
    names = ("numpy", "pyarrow", "pillow", "jinja2", "werkzeug", "lxml", "greenlet", "certifi", "click", "markupsafe")
    files = [file for name in names for file in wheels[name]]
    decided = fates(files, Slimming(profile=profile, without=without))
    for file in files:
        if file.at_site and decided[file.path].kept:
            (tmp_path / file.path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file.path).write_bytes(content(file.entry))
    code = IMPORTS.format(code=USES)
    run = subprocess.run(
        [python, "-I", "-S", "-B", "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    shutil.rmtree(tmp_path)


def interpreter(version: str) -> str:
    uv = shutil.which("uv") or os.path.join(os.path.dirname(sys.executable), "uv")
    found = subprocess.run([uv, "python", "find", "--no-project", version], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"no Python {version} here: {found.stderr.strip()}")
    return found.stdout.strip()
