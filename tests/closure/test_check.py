"""`check`: every import of a function's source is provided, or there is a finding that says by whom it could be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from lamella.closure.check import check, closure_error
from lamella.closure.findings import Finding, ModuleIndex, Severity
from lamella.closure.imports import scan
from lamella.closure.modules import index_modules, known_modules
from lamella.contents.model import BUNDLE, RUNTIME, layer_holder

ERROR, NOTE = Severity.ERROR, Severity.NOTE
STDLIB = frozenset({"os", "sys", "typing", "json", "contextlib", "importlib"})
IMAGES = index_modules(["rawpy/__init__.py", "PIL/__init__.py", "PIL/Image.py", "google/cloud/storage/__init__.py"])
DEPS = index_modules(["pydantic/__init__.py", "six.py", "google/protobuf/__init__.py", "requests/__init__.py"])
REQUESTS = index_modules(["requests/__init__.py", "requests/adapters.py"])
AWS = known_modules(["boto3", "botocore"])


def run(
    sources: Mapping[str, str],
    available: Mapping[str, ModuleIndex] | None = None,
    *,
    also: Sequence[str] = (),
    unattached: Mapping[str, ModuleIndex] | None = None,
    unplaced: Mapping[str, ModuleIndex | None] | None = None,
    foreign: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """Findings for a function `api` whose files (paths in the zip, shown below src/) are `sources`."""
    return check(
        "api",
        {f"src/{path}": scan(path, text.encode()) for path, text in sources.items()},
        index_modules([*sources, *also]),
        STDLIB,
        {layer_holder("deps"): DEPS, BUNDLE: ModuleIndex(), RUNTIME: AWS} if available is None else available,
        unattached=unattached,
        unplaced=unplaced,
        foreign=foreign,
    )


def test_rawpy_not_installed() -> None:
    """The failure that the tool exists to end: the library is in a layer that the function does not have."""
    (finding,) = run({"app.py": "import os\n\nimport rawpy\n"}, unattached={"images": IMAGES})
    assert finding == Finding(
        function="api",
        severity=ERROR,
        subject="rawpy",
        message="imports `rawpy`: not in layer `deps` or the runtime",
        file="src/app.py",
        line=3,
        hint="add `images` to layers of function `api`",
    )
    assert finding.text == "src/app.py:3 imports `rawpy`: not in layer `deps` or the runtime"


def test_rawpy_with_its_layer_is_fine() -> None:
    source = {"app.py": "import rawpy\nfrom PIL import Image\nimport PIL.Image"}
    assert run(source, {layer_holder("images"): IMAGES, RUNTIME: AWS}) == ()
    assert run(source, {BUNDLE: IMAGES, RUNTIME: AWS}) == ()


@pytest.mark.parametrize(
    ("module", "unattached", "unplaced", "hint"),
    [
        ("rawpy", {"images": IMAGES}, {"rawpy": None}, "add `images` to layers of function `api`"),
        ("rawpy", {"a": IMAGES, "b": IMAGES, "c": DEPS}, {}, "add `a` or `b` to layers of function `api`"),
        ("rawpy", {}, {"rawpy": None}, "put `rawpy` into a layer, or into bundle of function `api`"),
        ("rawpy", {}, {"rawpy-binary": IMAGES}, "put `rawpy-binary` into a layer, or into bundle of function `api`"),
        ("PIL.Image", {}, {"numpy": None, "pillow": IMAGES}, "put `pillow` into a layer, or into bundle of function"),
        ("typing_extensions", {}, {"typing-extensions": None}, "put `typing-extensions` into a layer"),
        ("dotenv", {}, {"py-dotenv": None, "python-dotenv": None}, "put `python-dotenv` into a layer, or into bundle"),
        ("yaml", {}, {"pyyaml": None}, "put `pyyaml` into a layer"),
        ("slugify", {}, {"python-slugify": None, "slugify": None}, "put `slugify` into a layer"),
        ("distutils.core", {}, {}, "it left the standard library in Python 3.12"),
        ("tomllib", {}, {}, "it is in the standard library from Python 3.11 on"),
        ("winreg", {}, {}, "only Python on Windows has it"),
        ("_scproxy", {}, {}, "only Python on macOS has it"),
        ("rawpy", {}, {"pillow": None}, "add the distribution that provides it to the project's dependencies"),
        ("src.helper", {}, {}, "the content of a source directory lands at the root of the zip: import `helper`"),
    ],
)
def test_hints(
    module: str,
    unattached: Mapping[str, ModuleIndex],
    unplaced: Mapping[str, ModuleIndex | None],
    hint: str,
) -> None:
    (finding,) = run({"app.py": f"import {module}", "helper.py": ""}, unattached=unattached, unplaced=unplaced)
    assert finding.severity is ERROR
    assert finding.hint is not None
    assert finding.hint.startswith(hint)


@pytest.mark.parametrize(
    ("source", "guard"),
    [
        ("try:\n  import rawpy\nexcept ImportError:\n  rawpy = None", "try/except ImportError"),
        ("with contextlib.suppress(ImportError):\n  import rawpy", "try/except ImportError"),
        ("if TYPE_CHECKING:\n  import rawpy", "TYPE_CHECKING"),
        ("if typing.TYPE_CHECKING:\n  import rawpy", "TYPE_CHECKING"),
        ("if platform.machine() == 'arm64':\n  import rawpy", "a platform test"),
        ("if __name__ == '__main__':\n  import rawpy", '__name__ == "__main__"'),
    ],
)
def test_what_is_guarded_is_a_note(source: str, guard: str) -> None:
    (finding,) = run({"app.py": source}, unattached={"images": IMAGES})
    assert finding.severity is NOTE
    assert finding.message.endswith(f"the runtime (guarded by {guard})")
    assert closure_error([finding]) is None


def test_a_hint_for_a_note_only_where_it_helps() -> None:
    caught = "try:\n  import rawpy\nexcept ImportError:\n  pass"
    assert run({"app.py": caught}, unattached={"images": IMAGES})[0].hint == "add `images` to layers of function `api`"
    assert run({"app.py": caught})[0].hint is None
    assert run({"app.py": "if TYPE_CHECKING:\n  import rawpy"}, unattached={"images": IMAGES})[0].hint is None


@pytest.mark.parametrize("handler", ["raise RuntimeError('rawpy not installed') from e", "raise", "sys.exit(1)"])
def test_rawpy_not_installed_in_words_of_its_own_is_an_error(handler: str) -> None:
    source = f"try:\n  import rawpy\nexcept ImportError as e:\n  {handler}"
    assert [each.severity for each in run({"app.py": source})] == [ERROR]


def test_a_module_of_another_platform_is_an_error_unless_the_platform_is_tested() -> None:
    assert [each.severity for each in run({"app.py": "import msvcrt"})] == [ERROR]
    assert run({"app.py": "if os.name == 'nt':\n  import msvcrt\nelse:\n  import os"}) == ()


def test_the_bundle_is_named_where_there_is_one() -> None:
    (finding,) = run({"app.py": "import nowhere"}, {layer_holder("deps"): DEPS, BUNDLE: IMAGES, RUNTIME: AWS})
    assert finding.message == "imports `nowhere`: not in layer `deps`, the bundle or the runtime"


def test_the_else_branch_of_type_checking_and_lazy_imports_are_errors() -> None:
    source = "if TYPE_CHECKING:\n  pass\nelse:\n  import rawpy\ndef f():\n  import numpy"
    assert [(each.subject, each.line, each.severity) for each in run({"app.py": source})] == [
        ("rawpy", 4, ERROR),
        ("numpy", 6, ERROR),
    ]


def test_what_is_always_there() -> None:
    source = "from __future__ import annotations\nimport __main__, builtins, os.path, json\nimport boto3\n"
    assert run({"app.py": source + "from botocore.exceptions import ClientError"}) == ()


def test_namespace_packages_are_checked_to_the_depth_that_is_imported() -> None:
    def missing(source: str, available: Mapping[str, ModuleIndex] | None = None) -> list[str]:
        return [finding.subject for finding in run({"app.py": source}, available)]

    assert missing("import google") == []
    assert missing("import google.protobuf") == []
    assert missing("from google import protobuf") == []
    assert missing("from google import *") == []
    assert missing("import google.cloud.storage") == ["google.cloud.storage"]
    assert missing("from google.cloud import storage") == ["google.cloud"]
    assert missing("from google import cloud, protobuf") == ["google.cloud"]
    both = {layer_holder("deps"): DEPS, layer_holder("images"): IMAGES}
    assert missing("from google.cloud import storage, bigquery", both) == ["google.cloud.bigquery"]
    assert missing("from google import cloud, protobuf", both) == []


def test_a_namespace_spreads_over_own_files_bundle_and_layers() -> None:
    own = {"google/mine.py": "", "app.py": "import google.mine, google.protobuf, google.cloud.storage"}
    assert run(own, {layer_holder("deps"): DEPS, BUNDLE: IMAGES}) == ()


def test_what_a_package_may_make_at_run_time_is_a_note() -> None:
    (finding,) = run({"app.py": "from six.moves import urllib"})
    assert finding.severity is NOTE
    assert finding.message == (
        "imports `six.moves`: `six` in layer `deps` has no file of that name; it may be made at run time"
    )


def test_own_modules_are_known_whole() -> None:
    own = {"app/__init__.py": "", "app/worker.py": "", "app/six.py": "", "tools/x.py": "", "vendored_six.py": ""}

    def found(source: str) -> list[tuple[str, Severity]]:
        return [(each.subject, each.severity) for each in run({**own, "main.py": source})]

    assert found("import app.worker, tools.x, vendored_six\nfrom app import worker, VERSION\nfrom tools import x") == []
    assert found("import app.woker") == [("app.woker", ERROR)]
    assert found("from app.missing import x") == [("app.missing", ERROR)]
    assert found("from tools import y") == [("tools.y", ERROR)]
    # One file can be its own package (six): what it makes at run time, nobody can tell.
    assert found("import vendored_six.moves") == [("vendored_six.moves", NOTE)]
    assert found("from app.six.moves import urllib") == [("app.six.moves", NOTE)]
    (finding,) = run({**own, "main.py": "import app.woker"})
    assert finding.message == "imports `app.woker`: no such module among the function's own files"
    assert finding.hint == "did you mean `app.worker`?"
    (finding,) = run({**own, "main.py": "import app.generated_version"})
    assert finding.hint == "is it misspelt, or left out by `include` or `exclude`?"


@pytest.mark.parametrize("path", ["requests.py", "requests/__init__.py"])
def test_own_modules_hide_those_of_layers(path: str) -> None:
    available = {layer_holder("deps"): REQUESTS, RUNTIME: AWS}
    (finding,) = run({path: "", "app.py": "import requests\nimport requests.adapters"}, available)
    assert (finding.severity, finding.line) == (ERROR, 2)
    assert finding.message == "imports `requests.adapters`: the function's own `requests` hides the one in layer `deps`"
    assert finding.hint == "rename the function's own `requests`"


def test_the_bundle_shares_a_directory_with_the_source_and_layers_with_each_other() -> None:
    assert run({"requests/__init__.py": "", "app.py": "import requests.adapters"}, {BUNDLE: REQUESTS}) == ()
    halves = {
        layer_holder("one"): index_modules(["pkg/__init__.py"]),
        layer_holder("two"): index_modules(["pkg/part.py"]),
    }
    assert run({"app.py": "import pkg.part"}, halves) == ()


def test_a_package_in_a_layer_hides_own_directories_without_init() -> None:
    available = {layer_holder("deps"): index_modules(["utils/__init__.py"])}
    (finding,) = run({"utils/text.py": "", "app.py": "import utils.text"}, available)
    assert finding.message.startswith("imports `utils.text`: `utils` in layer `deps` has no file of that name")


def test_a_relative_import_above_the_top() -> None:
    (finding,) = run({"pkg/__init__.py": "", "pkg/a.py": "from ..other import x"})
    assert (finding.severity, finding.file, finding.line) == (ERROR, "src/pkg/a.py", 1)
    assert finding.message == "imports `..other`: a relative import that leads above the root of the zip"
    guarded = "try:\n  from .local import x\nexcept ImportError:\n  from local import x"
    assert [each.severity for each in run({"app.py": guarded, "local.py": ""})] == [NOTE]


def test_layers_that_cannot_be_looked_into_make_notes() -> None:
    arn = "arn:aws:lambda:eu-central-1:123456789012:layer:images:7"
    (finding,) = run({"app.py": "import rawpy"}, foreign=[arn], unattached={"images": IMAGES})
    assert finding.severity is NOTE
    assert finding.message == (f"imports `rawpy`: not in layer `deps` or the runtime (`{arn}` can't be looked into)")
    # What only the function's own files can answer stays an error.
    (finding,) = run({"app/__init__.py": "", "main.py": "import app.missing"}, foreign=[arn])
    assert finding.severity is ERROR


def test_holders_are_named_in_the_order_of_the_path() -> None:
    (finding,) = run({"app.py": "import x"}, {RUNTIME: AWS, layer_holder("b"): DEPS, layer_holder("a"): IMAGES})
    assert finding.message == "imports `x`: not in layer `b`, layer `a` or the runtime"
    (finding,) = run({"app.py": "import x"}, {RUNTIME: AWS})
    assert finding.message == "imports `x`: not in the runtime"
    (finding,) = run({"app.py": "import x"}, {})
    assert finding.message == "imports `x`: not in the function's own files"


def test_one_error_tells_all() -> None:
    sources = {"app.py": "import rawpy\nimport nowhere", "b.py": "import rawpy", "c.py": "import nowhere", "d.py": ""}
    error = closure_error(run(sources, unattached={"images": IMAGES}))
    assert error is not None
    assert str(error) == (
        "function `api` lacks something that it needs to run\n"
        "  src/app.py:1 imports `rawpy`: not in layer `deps` or the runtime\n"
        "  src/b.py:1 imports `rawpy`: not in layer `deps` or the runtime\n"
        "    hint: add `images` to layers of function `api`\n"
        "  src/app.py:2 imports `nowhere`: not in layer `deps` or the runtime\n"
        "  src/c.py:1 imports `nowhere`: not in layer `deps` or the runtime\n"
        "    hint: add the distribution that provides it to the project's dependencies"
    )


def test_one_hint_for_all_stands_at_the_end_and_repetition_is_counted() -> None:
    sources = {f"m{number}.py": "import rawpy" for number in range(5)}
    error = closure_error(run(sources, unattached={"images": IMAGES}))
    assert error is not None
    assert error.why[-1] == "… and 2 more of `rawpy`"
    assert len(error.why) == 4
    assert error.hint == "add `images` to layers of function `api`"


def test_several_functions_in_one_error() -> None:
    findings = [
        Finding("api", ERROR, "a", "imports `a`: not in the runtime", "src/a.py", 1, "x"),
        Finding("worker", ERROR, "b", "`b` is in two layers"),
        Finding("worker", NOTE, "c", "never told"),
    ]
    error = closure_error(findings)
    assert error is not None
    assert error.what == "functions `api`, `worker` lack something that they need to run"
    assert error.why == (
        "function `api`:",
        "  src/a.py:1 imports `a`: not in the runtime",
        "    hint: x",
        "function `worker`:",
        "  `b` is in two layers",
    )
    assert closure_error([]) is None


PRUNED = {"layer `layer`": index_modules(["numpy/tests/__init__.py", "numpy/tests/test_a.py", "numpy/_x.so"])}


@pytest.mark.parametrize(
    "source",
    ["import numpy.tests.test_a", "from numpy.tests import test_a", "import numpy._x", "from numpy import tests"],
)
def test_what_a_rule_left_out_is_missing(source: str) -> None:
    imports = {"src/app.py": scan("app.py", source.encode())}
    available = {"layer `layer`": index_modules(["numpy/__init__.py"])}
    found = check("api", imports, ModuleIndex(), frozenset(), available, pruned=PRUNED)
    assert {finding.severity for finding in found} == {Severity.ERROR}
    assert all("left out of layer `layer` by a rule" in finding.text for finding in found)
    assert all("add `keep = [" in (finding.hint or "") for finding in found)


def test_what_a_rule_left_out_and_another_holder_has_is_there() -> None:
    imports = {"src/app.py": scan("app.py", b"from numpy import tests")}
    available = {"layer `layer`": index_modules(["numpy/__init__.py", "numpy/tests/__init__.py"])}
    assert check("api", imports, ModuleIndex(), frozenset(), available, pruned=PRUNED) == ()


def test_what_a_rule_left_out_behind_a_guard_is_a_note() -> None:
    imports = {"src/app.py": scan("app.py", b"try:\n    import numpy.tests\nexcept ImportError:\n    pass\n")}
    (found,) = check(
        "api",
        imports,
        ModuleIndex(),
        frozenset(),
        {"layer `layer`": index_modules(["numpy/__init__.py"])},
        pruned=PRUNED,
    )
    assert found.severity is Severity.NOTE
