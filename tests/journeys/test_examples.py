"""Both examples from their sources to running handlers, with the real packages of the index."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.lambdas import EXAMPLES, Lambda, bucket, cleared, dng, lamella, sandbox_of

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
    shared = ["spectra/__init__.py", "spectra/handlers/__init__.py", "spectra/queries.py", "spectra/settings.py"]
    assert _names(archive) == sorted([*shared, f"spectra/handlers/{module}.py"])
    assert archive.stat().st_size < 10_000


def test_spectras_layer_holds_what_the_functions_import(spectra: Path) -> None:
    assert {"aws_lambda_powertools", "boto3", "pyarrow", "pydantic", "pydantic_settings"} <= _tops(
        spectra / "layer.zip"
    )


def test_the_manifest_says_which_code_needs_what_of_the_layer(spectra: Path) -> None:
    manifest = json.loads((spectra / "manifest.json").read_text())
    needs = {key: row["needs"]["layer"] for key, row in manifest["functions"].items()}
    assert "pyarrow" in needs["worker"]
    assert "pyarrow" not in needs["api-handler"]
    assert {name for name in SPECTRA if name.endswith(".zip")} == {
        row["file"] for kind in ("layers", "functions") for row in manifest[kind].values()
    }


def test_spectras_api_answers(warehouse: dict[str, Lambda]) -> None:
    answer = warehouse["api-handler"].run(
        f"from spectra.handlers.api import handler\n{CALL}\n"
        "answer = [http('GET', '/health'), http('POST', '/v1/queries', {'sql': 'SELECT 1', 'limit': 5000}),"
        " http('POST', '/v1/queries', {'sql': 'DROP TABLE rows'})]",
        SPECTRA_ROW_LIMIT="70",
    )
    health, accepted, refused = answer
    assert health == [200, {"status": "ok"}]
    assert accepted == [200, {"sql": "SELECT 1", "limit": 70}]
    assert refused[0] == 422
    assert "only SELECT is allowed" in refused[1]["detail"]


def test_spectras_worker_writes_parquet(warehouse: dict[str, Lambda]) -> None:
    rows = [{"id": 1, "name": "red"}, {"id": 2, "name": "blue"}]
    record = {"messageId": "m-1", "body": json.dumps({"rows": rows}), "eventSource": "aws:sqs"}
    worker = warehouse["worker"]
    with bucket() as (endpoint, objects):
        answer = worker.run(
            f"from spectra.handlers.worker import handler\n{CALL}\n"
            f"answer = handler({{'Records': [{record!r}]}}, context)",
            network=True,
            SPECTRA_BUCKET="rows",
            AWS_ENDPOINT_URL_S3=endpoint,
        )
    assert answer == {"batchItemFailures": []}
    assert list(objects) == ["/rows/m-1.parquet"]
    read = "import io, pyarrow.parquet as pq\nanswer = pq.read_table(io.BytesIO(given)).to_pylist()"
    assert worker.run(read, given=objects["/rows/m-1.parquet"]) == rows


def test_spectras_authorizer_lets_one_key_in(warehouse: dict[str, Lambda]) -> None:
    call = f"""from spectra.handlers.authorizer import handler
{CALL}
def asks(key):
    event = {{"version": "2.0", "type": "REQUEST", "headers": {{"x-api-key": key}}, "requestContext": {{}}}}
    return handler(event, context)["isAuthorized"]
"""
    digest = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"  # of foo
    authorizer = warehouse["authorizer"]
    assert authorizer.run(f"{call}answer = [asks('foo'), asks('bar'), asks('')]", SPECTRA_API_KEY_SHA256=digest) == [
        True,
        False,
        False,
    ]
    assert authorizer.run(f"{call}answer = [asks('foo'), asks('')]") == [False, False]


def test_galerlys_zips_hold_what_they_should(galerly: Path) -> None:
    assert {path.name for path in galerly.iterdir() if path.name != "run"} == GALERLY
    processor = _names(galerly / "image-processor.zip")
    assert processor == [
        f"galerly/{name}.py" for name in ("__init__", "images/__init__", "images/processor", "images/thumbnails")
    ]
    assert (galerly / "image-processor.zip").stat().st_size < 10_000
    assert {"numpy", "PIL", "pillow_heif", "rawpy"} <= _tops(galerly / "image-layer.zip")
    assert "boto3" not in _tops(galerly / "image-layer.zip")


def test_galerlys_api_carries_its_bundle_and_no_image_library(galerly: Path) -> None:
    tops = {name.split("/")[0] for name in _names(galerly / "galerly-api.zip")}
    assert {"galerly", "boto3", "dotenv", "stripe"} <= tops
    assert not {"numpy", "PIL", "pillow_heif", "rawpy"} & tops
    assert "galerly/api/defaults.env" in _names(galerly / "galerly-api.zip")
    assert not [name for name in _names(galerly / "galerly-api.zip") if name.startswith("galerly/images/")]


def test_galerlys_api_answers(gallery: dict[str, Lambda]) -> None:
    ask = (
        f"from galerly.api.app import handler\n{CALL}\n"
        "answer = [http('GET', '/health'), http('POST', '/v1/uploads', {'name': '../My Photo.CR3'}),"
        " http('GET', '/v1/prices/pro'), http('GET', '/nowhere')]"
    )
    health, upload, price, nowhere = gallery["galerly-api"].run(ask, GALERLY_BUCKET="photos")
    assert health == [200, {"status": "ok"}]
    assert upload[0] == 200
    assert upload[1]["key"].startswith("uploads/")
    assert upload[1]["key"].endswith("/My-Photo.CR3")
    assert upload[1]["expires_in"] == 900  # of defaults.env, which travelled with the code
    assert "X-Amz-Signature=" in upload[1]["url"]
    assert price == [503, {"detail": "STRIPE_API_KEY is not set"}]
    assert nowhere[0] == 404
    _, upload, _, _ = gallery["galerly-api"].run(ask)
    assert upload == [503, {"detail": "GALERLY_BUCKET is not set"}]


def test_galerlys_api_asks_stripe(gallery: dict[str, Lambda]) -> None:
    """The client's own request, answered on loopback."""
    found = {"object": "list", "data": [{"id": "price_1", "object": "price", "unit_amount": 900, "currency": "eur"}]}
    with bucket() as (endpoint, objects):
        path = "/v1/prices?lookup_keys[0]=pro&active=true&limit=1"
        ask = (
            f"import stripe; stripe.api_base = {endpoint!r}\n"
            f"from galerly.api.app import handler\n{CALL}\nanswer = http('GET', '/v1/prices/pro')"
        )
        objects[path] = json.dumps(found).encode()
        answer = gallery["galerly-api"].run(ask, network=True, STRIPE_API_KEY="sk_test_nothing")
    assert answer == [200, {"lookup_key": "pro", "amount": 900, "currency": "eur"}]


PICTURES = """
import base64, io, pillow_heif
from PIL import Image
from galerly.images.thumbnails import thumbnail
pillow_heif.register_heif_opener()
def picture(kind, **options):
    out = io.BytesIO()
    Image.new("RGB", (900, 600), (200, 40, 40)).save(out, kind, **options)
    return out.getvalue()
def looked_at(data):
    image = Image.open(io.BytesIO(data))
    return [image.format, *image.size, [round(value, -1) for value in image.getpixel((5, 5))]]
"""


def test_galerlys_thumbnails_are_jpegs(gallery: dict[str, Lambda]) -> None:
    answer = gallery["image-processor"].run(
        f"{PICTURES}\n"
        "answer = [looked_at(thumbnail(picture(kind), name, 300)) for kind, name in"
        " (('JPEG', 'a.jpg'), ('HEIF', 'a.HEIC'), ('PNG', 'a.png'))]\n"
        "answer.append(looked_at(thumbnail(given, 'a.DNG', 100))[:3])\n"
        "turned = Image.Exif(); turned[274] = 6\n"
        "answer.append(looked_at(thumbnail(picture('JPEG', exif=turned), 'a.jpg', 300))[:3])",
        given=dng(256, 128),
    )
    red = [200, 40, 40]
    assert answer[:3] == [["JPEG", 300, 200, red]] * 3
    assert answer[3] == ["JPEG", 100, 50]
    assert answer[4] == ["JPEG", 200, 300]


def test_galerlys_processor_answers_s3(gallery: dict[str, Lambda]) -> None:
    """The whole handler; the boto3 that the runtime ships is that of the other function's zip here."""
    processor, runtime = gallery["image-processor"], gallery["galerly-api"].task
    record = "{'s3': {'bucket': {'name': 'photos'}, 'object': {'key': key}}}"
    keys = ["uploads/1/My+Photo.heic", "uploads/2/notes.jpg", "thumbnails/1/My Photo.jpg"]
    with bucket() as (endpoint, objects):
        objects["/photos/uploads/2/notes.jpg"] = b"these are no pixels"
        answer = processor.run(
            "import logging; logging.basicConfig(stream=sys.stdout)\n"
            "from galerly.images import processor\n"
            f"{PICTURES}\n"
            "processor.s3.put_object(Bucket='photos', Key='uploads/1/My Photo.heic', Body=picture('HEIF'))\n"
            f"made = processor.handler({{'Records': [{record} for key in {keys!r}]}}, None)\n"
            "body = processor.s3.get_object(Bucket='photos', Key=made['thumbnails'][0])['Body'].read()\n"
            "answer = [made, looked_at(body)[:3]]",
            runtime=runtime,
            network=True,
            AWS_ENDPOINT_URL_S3=endpoint,
        )
    assert answer == [{"thumbnails": ["thumbnails/1/My Photo.jpg"]}, ["JPEG", 512, 341]]


def test_galerlys_processor_says_at_its_start_that_rawpy_is_there(gallery: dict[str, Lambda]) -> None:
    runtime = gallery["galerly-api"].task
    answer = gallery["image-processor"].run(
        "import io, logging; said = io.StringIO(); logging.basicConfig(stream=said)\n"
        "import galerly.images.processor\n"
        "answer = said.getvalue()",
        runtime=runtime,
    )
    assert "rawpy imported successfully" in answer
    assert "RAW format support: ENABLED" in answer


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
