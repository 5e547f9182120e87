"""Both examples from their sources to running handlers, with the real packages of the index."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.lambdas import EXAMPLES, Lambda, bucket, cleared, lamella, sandbox_of

from lamella.sandbox.run import Sandbox

# One worker, for all tests share what is built first
pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("examples")]

SPECTRA = {"layer.zip", "api-handler.zip", "worker.zip", "authorizer.zip", "manifest.json"}
GALERLY = {"image-layer.zip", "galerly-api.zip", "image-processor.zip", "manifest.json"}

CALL = """
from types import SimpleNamespace
context = SimpleNamespace(function_name="f", memory_limit_in_mb=128, invoked_function_arn="a", aws_request_id="r")
def http(method, path, body=None):
    request = {"http": {"method": method, "path": path, "sourceIp": "127.0.0.1"}, "stage": "$default"}
    event = {"version": "2.0", "routeKey": f"{method} {path}", "rawPath": path, "rawQueryString": "", "headers": {},
             "requestContext": request, "isBase64Encoded": False}
    if body is not None:
        event |= {"body": json.dumps(body), "headers": {"content-type": "application/json"}}
    given = handler(event, context)
    return given["statusCode"], json.loads(given["body"])
"""


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return sandbox_of("3.12")


def _built(example: str, folder: Path) -> Path:
    """The example, copied without what other builds left, and built."""
    project = folder / example
    shutil.copytree(EXAMPLES / example, project, ignore=shutil.ignore_patterns("dist", "uv.lock", ".venv"))
    done = lamella("build", cwd=project)
    assert done.returncode == 0, done.stderr
    return project / "dist/lambda"


@pytest.fixture(scope="module")
def spectra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with cleared(tmp_path_factory.mktemp("spectra")) as folder:
        yield _built("spectra", folder)


@pytest.fixture(scope="module")
def galerly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with cleared(tmp_path_factory.mktemp("galerly")) as folder:
        yield _built("galerly", folder)


@pytest.fixture(scope="module")
def warehouse(sandbox: Sandbox, spectra: Path) -> dict[str, Lambda]:
    """Spectra's three functions."""
    layers = [spectra / "layer.zip"]
    return {
        key: Lambda.unpack(sandbox, spectra / "run", spectra / f"{key}.zip", layers)
        for key in ("api-handler", "worker", "authorizer")
    }


@pytest.fixture(scope="module")
def gallery(sandbox: Sandbox, galerly: Path) -> dict[str, Lambda]:
    run, layers = galerly / "run", [galerly / "image-layer.zip"]
    return {
        "galerly-api": Lambda.unpack(sandbox, run, galerly / "galerly-api.zip"),
        "image-processor": Lambda.unpack(sandbox, run, galerly / "image-processor.zip", layers),
    }


def _names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return opened.namelist()


def _tops(archive: Path) -> set[str]:
    return {name.split("/")[1] for name in _names(archive) if name.startswith("python/")}


def test_spectra_is_five_files(spectra: Path) -> None:
    assert {path.name for path in spectra.iterdir() if path.name != "run"} == SPECTRA


@pytest.mark.parametrize(
    ("key", "module"), [("api-handler", "api"), ("worker", "worker"), ("authorizer", "authorizer")]
)
def test_a_function_of_spectra_holds_its_own_code_alone(spectra: Path, key: str, module: str) -> None:
    archive = spectra / f"{key}.zip"
    names = _names(archive)
    handlers = [f"spectra/handlers/{name}.py" for name in ("__init__", module)]
    assert [name for name in names if "/handlers/" in name] == sorted(handlers)
    assert "spectra/warehouse_duckdb.py" not in names
    assert ("spectra/lease.py" in names) == (key == "worker")
    assert ("spectra/sql.py" in names) == (key == "api-handler")
    assert archive.stat().st_size < 30_000


def test_spectras_layer_holds_what_the_functions_import(spectra: Path) -> None:
    assert {"aws_lambda_powertools", "boto3", "pyarrow", "pydantic", "pydantic_settings"} <= _tops(
        spectra / "layer.zip"
    )


def test_the_manifest_says_which_code_needs_what_of_the_layer(spectra: Path) -> None:
    manifest = json.loads((spectra / "manifest.json").read_text())
    needs = {key: row["needs"]["layer"] for key, row in manifest["functions"].items()}
    assert "pyarrow" in needs["worker"]
    assert "pyarrow" not in needs["authorizer"]
    assert {name for name in SPECTRA if name.endswith(".zip")} == {
        row["file"] for kind in ("layers", "functions") for row in manifest[kind].values()
    }


def test_spectras_api_answers(warehouse: dict[str, Lambda]) -> None:
    answer = warehouse["api-handler"].run(
        f"from spectra.handlers.api import handler\n{CALL}\n"
        "answer = [http('GET', '/health'), http('GET', '/nothing'), http('POST', '/v1/queries', {'sql': 'SELECT 1'})]",
    )
    health, missing, nobody = answer
    assert health == [200, {"status": "ok"}]
    assert missing[0] == 404
    assert missing[1]["title"] == "Not Found"
    assert nobody == [
        403,
        {
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
            "detail": "the caller belongs to no tenant",
        },
    ]


def test_spectras_worker_starts(warehouse: dict[str, Lambda]) -> None:
    answer = warehouse["worker"].run(
        f"from spectra.handlers.worker import handler\n{CALL}\nanswer = handler({{'Records': []}}, context)"
    )
    assert answer == {"batchItemFailures": []}


def test_spectras_authorizer_lets_one_key_in(warehouse: dict[str, Lambda]) -> None:
    call = f"""from spectra.handlers.authorizer import handler
{CALL}
def asks(key):
    event = {{"version": "2.0", "type": "REQUEST", "headers": {{"x-api-key": key}}, "requestContext": {{}}}}
    return handler(event, context)["isAuthorized"]
"""
    digest = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"  # of foo
    authorizer = warehouse["authorizer"]
    keys = json.dumps({"acme": digest})
    assert authorizer.run(f"{call}answer = [asks('foo'), asks('bar'), asks('')]", SPECTRA_API_KEYS=keys) == [
        True,
        False,
        False,
    ]
    assert authorizer.run(f"{call}answer = [asks('foo'), asks('')]") == [False, False]


def test_galerlys_zips_hold_what_they_should(galerly: Path) -> None:
    assert {path.name for path in galerly.iterdir() if path.name != "run"} == GALERLY
    processor = _names(galerly / "image-processor.zip")
    assert {"galerly/places.py", "galerly/images/processor.py", "galerly/images/decode.py"} <= set(processor)
    assert not [
        name for name in processor if not name.startswith(("galerly/__init__", "galerly/places", "galerly/images/"))
    ]
    assert (galerly / "image-processor.zip").stat().st_size < 30_000
    layer = _names(galerly / "image-layer.zip")
    for runtime in ("python3.11", "python3.12"):
        tops = {name.split("/")[4] for name in layer if name.startswith(f"python/lib/{runtime}/site-packages/")}
        assert {"numpy", "PIL", "pillow_heif", "rawpy"} <= tops
        assert "boto3" not in tops


def test_galerlys_api_carries_its_bundle_and_no_image_library(galerly: Path) -> None:
    tops = {name.split("/")[0] for name in _names(galerly / "galerly-api.zip")}
    assert {"galerly", "boto3", "dotenv", "stripe"} <= tops
    assert not {"numpy", "PIL", "pillow_heif", "rawpy"} & tops
    assert "galerly/api/defaults.env" in _names(galerly / "galerly-api.zip")
    assert not [name for name in _names(galerly / "galerly-api.zip") if name.startswith("galerly/images/")]


def test_galerlys_api_answers(gallery: dict[str, Lambda]) -> None:
    """Without a table, a bucket and Stripe's key; examples/galerly/tests has it with all of them."""
    ask = (
        f"from galerly.api.app import handler\n{CALL}\n"
        "answer = [http('GET', '/health'), http('GET', '/v1/galleries'), http('GET', '/v1/prices/pro'),"
        " http('POST', '/v1/sign-up', {'email': 'ann@mail.example', 'password': 'x' * 10}), http('GET', '/nowhere')]"
    )
    assert gallery["galerly-api"].run(ask) == [
        [200, {"status": "ok"}],
        [401, {"detail": "sign in first"}],
        [503, {"detail": "STRIPE_API_KEY is not set"}],
        [503, {"detail": "GALERLY_TABLE is not set"}],
        [404, {"detail": "no such route"}],
    ]


def test_galerlys_api_has_defaults_that_travelled_with_it(gallery: dict[str, Lambda]) -> None:
    ask = "from galerly.api.settings import settings\nanswer = [settings().upload_seconds, settings().bucket]"
    assert gallery["galerly-api"].run(ask, GALERLY_BUCKET="photos") == [900, "photos"]


def test_galerlys_api_asks_stripe(gallery: dict[str, Lambda]) -> None:
    """The client's own request, answered on loopback."""
    found = {
        "object": "list",
        "data": [{"id": "price_1", "object": "price", "lookup_key": "pro", "unit_amount": 900, "currency": "eur"}],
    }
    with bucket() as (endpoint, objects):
        ask = f"from galerly.api.app import handler\n{CALL}\nanswer = http('GET', '/v1/prices/pro')"
        objects["/v1/prices?lookup_keys[0]=pro&active=true&limit=1"] = json.dumps(found).encode()
        answer = gallery["galerly-api"].run(
            ask, network=True, STRIPE_API_KEY="sk_test_nothing", STRIPE_API_BASE=endpoint
        )
    assert answer == [200, {"lookup_key": "pro", "amount": 900, "currency": "eur"}]


@pytest.mark.parametrize(("example", "beside"), [("spectra", True), ("galerly", False)])
def test_the_doctor_finds_nothing_wrong_with_zips_that_work(
    request: pytest.FixtureRequest, tmp_path: Path, example: str, beside: bool
) -> None:
    """Also where the zips were carried away from the manifest that tells what they are."""
    built: Path = request.getfixturevalue(example)
    for file in built.iterdir():
        if file.suffix == ".zip" or (beside and file.name == "manifest.json"):
            shutil.copy(file, tmp_path / file.name)
    layers = ["--layer", "layer.zip"] if example == "spectra" else ["--layer", "image-layer.zip"]
    functions = {name for name in (SPECTRA if example == "spectra" else GALERLY) if not name.endswith("layer.zip")}
    for name in sorted(functions - {"manifest.json"}):
        done = lamella("doctor", "--json", name, *(layers if name != "galerly-api.zip" else []), cwd=tmp_path)
        assert done.returncode == 0, done.stdout
        told = json.loads(done.stdout)
        assert not any(row["fix"] for row in told["findings"])
        assert told["looked"][0].startswith(f"{name}: a function ")
        assert all("for python3.12 (x86_64)" in line for line in told["looked"])
