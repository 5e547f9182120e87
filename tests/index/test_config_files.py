from __future__ import annotations

import os
from pathlib import Path

import pytest

from lamella.errors import ConfigError
from lamella.index.config_files import Layer, Layers, PipOptions, items, located, pip_options, uv_layers

URL = "https://index.example/simple"


def options(home: Path, **environ: str) -> PipOptions:
    return pip_options(environ, home=str(home), config_home=str(home / ".config"), etc=str(home / "etc"))


def test_a_setting_knows_the_file_that_it_comes_from() -> None:
    strong = Layer({"find-links": ["wheels"], "offline": False}, "/srv/project/uv.toml")
    weak = Layer({"find-links": URL, "http-proxy": "proxy.example"}, "/srv/home/uv.toml")
    layers = Layers([strong, weak])
    assert layers.located("find-links") == ["file:///srv/project/wheels", URL]
    assert (layers.one("http-proxy"), layers.file_of("http-proxy")) == ("proxy.example", "/srv/home/uv.toml")
    assert (layers.one("offline"), layers.one("unheard"), layers.file_of("unheard")) == (None, None, "")


def test_values_that_are_no_text_are_read_as_text() -> None:
    """What uv refuses itself is no reason for us to break."""
    layers = Layers([Layer({"http-proxy": ["a", "b"], "no-proxy": [1, "x"]}, "/srv/uv.toml")])
    assert layers.one("http-proxy") == "['a', 'b']"
    assert layers.all("no-proxy") == ["1", "x"]


def test_the_file_of_a_project_is_the_one_that_counted(tmp_path: Path) -> None:
    def layers() -> Layers:
        return uv_layers(str(tmp_path), {}, config_home=str(tmp_path / "config"), etc=str(tmp_path / "etc"))

    (tmp_path / "pyproject.toml").write_text(f'[tool.uv]\nindex-url = "{URL}"')
    assert layers().file_of("index-url") == str(tmp_path / "pyproject.toml")
    (tmp_path / "uv.toml").write_text(f'index-url = "{URL}"')
    assert layers().file_of("index-url") == str(tmp_path / "uv.toml")


def test_pips_options_by_any_spelling_and_their_sources(tmp_path: Path) -> None:
    conf = tmp_path / ".config" / "pip" / "pip.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text("[global]\nindex_url = one\n--cert = /srv/ca.pem\n[download]\nno-index = 1\n")
    found = options(tmp_path, PIP_INDEX_URL=URL, PIP_TIMEOUT="", HOME="x")
    assert dict(found.values) == {"index-url": URL, "cert": "/srv/ca.pem", "no-index": "1"}
    assert dict(found.sources) == {"index-url": "PIP_INDEX_URL", "cert": str(conf), "no-index": str(conf)}
    assert found.get("timeout") is None
    assert found.located("index-url", "/srv") == [URL]
    assert found.located("find-links", "/srv") == []


def test_files_that_are_no_files_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "etc" / "pip.conf").mkdir(parents=True)
    assert options(tmp_path).values == {}
    assert options(tmp_path, PIP_CONFIG_FILE=str(tmp_path / "missing")).values.keys() == {"config-file"}
    assert options(tmp_path, PIP_CONFIG_FILE=os.devnull).values.keys() == {"config-file"}


def test_items() -> None:
    assert (items(None), items("one"), items(["one", 2])) == ([], ["one"], ["one", 2])


def test_paths_become_addresses_and_broken_addresses_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/srv/home")
    assert located("../my wheels", "/srv/project", "UV_FIND_LINKS") == "file:///srv/my%20wheels"
    assert located("~/wheels", "/srv/project", "UV_FIND_LINKS") == "file:///srv/home/wheels"
    assert located("b\udcffd", "/srv", "UV_FIND_LINKS") == "file:///srv/b%FFd", "a name that is no UTF-8"
    with pytest.raises(ConfigError, match="`UV_FIND_LINKS`"):
        located("https://[bad", "/srv", "UV_FIND_LINKS")
