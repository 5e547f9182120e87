from __future__ import annotations

import os
from pathlib import Path

import pytest

from lamella.config.handlers import Handler, PythonFile, find_handlers, python_files
from lamella.errors import ConfigError


def functions(text: str) -> list[str]:
    found = find_handlers([PythonFile("api.py", text)])
    assert not found.notes
    return [handler.function for handler in found.handlers]


@pytest.mark.parametrize(
    "text",
    [
        "def handler(event, context): ...",
        "def handler(event, _): ...",
        "def handler(e, c, *, clock=None): ...",
        "def handler(event, context, /): ...",
        "@logger.inject_lambda_context\ndef handler(event: dict, context: LambdaContext) -> dict: ...",
        "handler = Mangum(app)",
        "handler = Mangum(app, lifespan='off')\n",
        "handler: Callable = app.resolve",
        "handler = other = main",
        "handler = lambda event, context: None",
        "import logging\nhandler = Mangum(app, logger=logging.getLogger())",
        "handler = make_handler()(app)",
    ],
)
def test_a_handler(text: str) -> None:
    assert functions(text) == ["handler"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "handler = None",
        "handler = 'a.b'",
        "handler = {}",
        "handler: Callable",
        "handler = lambda event: None",
        "import logging\nhandler = logging.StreamHandler()",
        "import logging.handlers\nhandler = logging.handlers.RotatingFileHandler('x')",
        "from logging import StreamHandler as Stream\nhandler = Stream()",
        "def handler(event): ...",
        "def handler(event, context, more): ...",
        "def handler(event, context, *, clock): ...",
        "def handler(*args): ...",
        "def _route(event, context): ...",
        "def route(context, event): ...",
        "class A:\n    def handler(event, context): ...",
        "def outer():\n    def handler(event, context): ...",
        "Handler = Mangum(app)",
        "app.handler = Mangum(app)",
    ],
)
def test_no_handler(text: str) -> None:
    assert functions(text) == []


def test_several_in_one_module() -> None:
    text = "def create(event, context): ...\ndef delete(_event, _context): ...\nlambda_handler = create\n"
    assert functions(text) == ["create", "delete", "lambda_handler"]


def test_a_name_that_is_bound_twice_counts_once() -> None:
    assert functions("def handler(event, context): ...\nhandler = traced(handler)\n") == ["handler"]


def test_modules() -> None:
    text = "def handler(event, context): ..."
    files = [PythonFile(path, text) for path in ("app.py", "a/b/api.py", "a/b/__init__.py")]
    assert [handler.module for handler in find_handlers(files).handlers] == ["app", "a.b.api", "a.b"]


def test_notes() -> None:
    found = find_handlers(
        [
            PythonFile("a/broken.py", "def handler(event, context):\nreturn\n"),
            PythonFile("a/null.py", "x = '\0'"),
            PythonFile("a/later.py", "\nasync def handler(event, context): ...\nasync def other(request): ...\n"),
            PythonFile("a/good.py", "x = '\\d'\ndef handler(event, context): ...\n"),
        ],
        "src",
    )
    assert found.handlers == (Handler("a.good", "handler"),)
    assert found.notes[0].startswith("skipped src/a/broken.py:2: expected an indented block")
    assert found.notes[1].startswith("skipped src/a/null.py")
    assert found.notes[2:] == ("left out src/a/later.py:2: Lambda can't call `async def handler`",)


@pytest.mark.filterwarnings("error")
def test_an_odd_escape_is_not_ours_to_warn_of() -> None:
    assert functions("x = '\\d'\nhandler = main\n") == ["handler"]


def place(directory: Path, *paths: str) -> None:
    for path in paths:
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(f"# {path}\n")


def test_files_of_src(tmp_path: Path) -> None:
    place(
        tmp_path,
        *(
            "src/a/api.py",
            "src/a/__init__.py",
            "src/single.py",
            "src/a/data.json",
            "src/a/build/x.py",
            "src/a/tests/x.py",
        ),
        *("src/a/test_api.py", "src/a/api_test.py", "src/a.egg-info/x.py", "src/.hidden/x.py", "src/a/__main__.py"),
        *("src/place/pyvenv.cfg", "src/place/lib/x.py", "src/docs/x.py", "main.py"),
    )
    source, files = python_files(str(tmp_path))
    assert source == "src"
    assert [file.path for file in files] == ["single.py", "a/__init__.py", "a/api.py", "docs/x.py"]
    assert files[0].text == "# src/single.py\n"


def test_files_without_src(tmp_path: Path) -> None:
    place(
        tmp_path,
        *("app.py", "setup.py", "conftest.py", "noxfile.py", "spectra/api.py", "docs/conf.py", "tests/test_a.py"),
        *("dist/x.py", "build/lib/x.py", ".venv/lib/x.py", "venv/lib/x.py", "node_modules/a/x.py", "my-scripts/x.py"),
    )
    (tmp_path / "src").mkdir()  # nothing of Python in it
    source, files = python_files(str(tmp_path))
    assert source == "."
    assert [file.path for file in files] == ["app.py", "spectra/api.py"]


def test_bytes_that_are_no_utf8(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(b"\xef\xbb\xbf# \xff\ndef handler(event, context): ...\n")
    assert find_handlers(python_files(str(tmp_path))[1]).handlers == (Handler("app", "handler"),)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    os.symlink("nowhere", tmp_path / "app.py")
    with pytest.raises(ConfigError, match="can't be read"):
        python_files(str(tmp_path))
