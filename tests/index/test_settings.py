from __future__ import annotations

import os
from pathlib import Path

import pytest

from lamella.errors import ConfigError
from lamella.index.settings import IndexSettings, load

INDEX = "https://index.example/simple"
OTHER = "https://other.example/simple"
THIRD = "https://third.example/simple"


class Machine:
    """A project, a home and an /etc of a test's own."""

    def __init__(self, base: Path) -> None:
        self.root, self.home, self.etc = base / "project", base / "home", base / "etc"
        for folder in (self.root, self.home, self.etc):
            folder.mkdir()

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def pyproject(self, text: str) -> None:
        self.write(self.root / "pyproject.toml", text)

    def pip_conf(self, text: str) -> None:
        self.write(self.home / ".config" / "pip" / "pip.conf", text)

    def load(self, *options: str, root: Path | None = None, **environ: str) -> IndexSettings:
        return load(str(root or self.root), {"HOME": str(self.home), **environ}, options=options, etc=str(self.etc))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_nothing_said_means_the_librarys_default(machine: Machine) -> None:
    settings = machine.load()
    assert settings.index_urls == (None,)
    assert settings == IndexSettings(netrc=str(machine.home / ".netrc"))


# uv


def test_uv_environment(machine: Machine) -> None:
    settings = machine.load(UV_DEFAULT_INDEX=INDEX, UV_INDEX=f"corp={OTHER} {THIRD}")
    assert settings.index_urls == (OTHER, THIRD, INDEX)
    assert settings.first_index


def test_uv_old_variables(machine: Machine) -> None:
    settings = machine.load(
        UV_INDEX_URL=INDEX, UV_EXTRA_INDEX_URL=f"{OTHER} {THIRD}", UV_FIND_LINKS="https://links.example/,/srv/wheels"
    )
    assert settings.index_urls == (OTHER, THIRD, INDEX)
    assert settings.find_links == ("https://links.example/", "file:///srv/wheels")


def test_uv_credentials_of_a_named_index(machine: Machine) -> None:
    settings = machine.load(
        UV_INDEX=f"my-corp={OTHER}", UV_INDEX_MY_CORP_USERNAME="me@corp", UV_INDEX_MY_CORP_PASSWORD="s3/cret"
    )
    assert settings.index_urls == ("https://me%40corp:s3%2Fcret@other.example/simple", None)


def test_uv_pyproject(machine: Machine) -> None:
    machine.pyproject(f"""
        [[tool.uv.index]]
        name = "first"
        url = "{INDEX}"
        ignore-error-codes = [403]
        [[tool.uv.index]]
        url = "{THIRD}"
        explicit = true
        [[tool.uv.index]]
        name = "main"
        url = "{OTHER}"
        default = true
        [[tool.uv.index]]
        url = "wheels"
        format = "flat"
    """)
    settings = machine.load()
    assert settings.index_urls == (INDEX, OTHER)
    assert settings.explicit_indexes == (THIRD,)
    assert settings.ignored_errors == ((INDEX, 403),)
    assert settings.find_links == ((machine.root / "wheels").as_uri(),)


def test_uv_environment_before_project_before_user_before_system(machine: Machine) -> None:
    machine.write(
        machine.etc / "uv" / "uv.toml", 'index-url = "https://system.example/"\nkeyring-provider = "subprocess"'
    )
    machine.write(machine.home / ".config" / "uv" / "uv.toml", f'[[index]]\nname = "x"\nurl = "{OTHER}"')
    machine.pyproject(f'[[tool.uv.index]]\nname = "x"\nurl = "{INDEX}"\n[[tool.uv.index]]\nname = "y"\nurl = "{THIRD}"')
    settings = machine.load(UV_INDEX="y=https://env.example/")
    assert settings.index_urls == ("https://env.example/", INDEX, "https://system.example/")
    assert settings.keyring == "subprocess"


def test_uv_joins_variables_and_files(machine: Machine) -> None:
    """As `uv lock --show-settings` tells it."""
    machine.pyproject(f"""
        [tool.uv]
        index-url = "https://old.example/"
        extra-index-url = ["{OTHER}"]
        find-links = ["links"]
        [[tool.uv.index]]
        url = "simple"
        default = true
    """)
    settings = machine.load(UV_INDEX_URL=INDEX, UV_EXTRA_INDEX_URL=THIRD, UV_FIND_LINKS="/srv/wheels")
    assert settings.index_urls == (THIRD, OTHER, (machine.root / "simple").as_uri())
    assert settings.find_links == ("file:///srv/wheels", (machine.root / "links").as_uri())


def test_uv_toml_wins_over_pyproject_beside_it(machine: Machine) -> None:
    machine.pyproject(f'[tool.uv]\nindex-url = "{OTHER}"')
    machine.write(machine.root / "uv.toml", f'index-url = "{INDEX}"')
    assert machine.load().index_urls == (INDEX,)


def test_uv_workspace_members_use_the_workspaces_settings(machine: Machine) -> None:
    machine.pyproject(
        f'[tool.uv]\nindex-url = "{INDEX}"\n[tool.uv.workspace]\nmembers = ["libs/*"]\nexclude = ["libs/c"]'
    )
    for name in "abc":
        machine.write(machine.root / "libs" / name / "pyproject.toml", f'[tool.uv]\nindex-url = "{OTHER}"')
    assert machine.load(root=machine.root / "libs" / "a").index_urls == (INDEX,)
    assert machine.load(root=machine.root / "libs" / "c").index_urls == (OTHER,)
    assert machine.load(root=machine.root / "docs").index_urls == (INDEX,)


def test_uv_config_file_replaces_all_others(machine: Machine) -> None:
    machine.pyproject(f'[tool.uv]\nindex-url = "{OTHER}"')
    machine.write(machine.root / "ci.toml", f'index-url = "{INDEX}"\nfind-links = ["wheels"]')
    settings = machine.load(UV_CONFIG_FILE="ci.toml")
    assert settings.index_urls == (INDEX,)
    assert settings.find_links == ((machine.root / "wheels").as_uri(),)
    assert machine.load(UV_NO_CONFIG="1").index_urls == (None,)


def test_uv_no_index_and_strategy(machine: Machine) -> None:
    machine.pyproject('[tool.uv]\nno-index = true\nfind-links = ["wheels"]\nindex-strategy = "unsafe-best-match"')
    settings = machine.load()
    assert settings.index_urls == ()
    assert not settings.first_index
    assert machine.load(UV_INDEX_STRATEGY="first-index").first_index


def test_uv_network_settings(machine: Machine) -> None:
    machine.pyproject("""
        [tool.uv]
        allow-insecure-host = ["index.example"]
        https-proxy = "http://proxy.example:3128"
        no-proxy = ["inside.example"]
        system-certs = true
    """)
    settings = machine.load(
        UV_INSECURE_HOST="a.example b.example:8443", UV_HTTP_TIMEOUT="5", UV_KEYRING_PROVIDER="disabled"
    )
    assert settings.trusted_hosts == ("a.example", "b.example:8443", "index.example")
    assert settings.proxies == (("https", "http://proxy.example:3128"),)
    assert settings.no_proxy == ("inside.example",)
    assert settings.system_certs
    assert settings.timeout == 5.0
    assert settings.keyring == "disabled"
    assert not machine.load(UV_NATIVE_TLS="0").system_certs


# pip


def test_pip_environment(machine: Machine) -> None:
    settings = machine.load(
        PIP_INDEX_URL=INDEX, PIP_EXTRA_INDEX_URL=f"{OTHER}\n{THIRD}", PIP_FIND_LINKS="/srv/wheels ./more",
        PIP_TRUSTED_HOST="index.example", PIP_CERT="/srv/ca.pem", PIP_CLIENT_CERT="/srv/me.pem",
        PIP_PROXY="proxy.example:3128", PIP_TIMEOUT="7", PIP_KEYRING_PROVIDER="subprocess",
    )  # fmt: skip
    assert settings.index_urls == (INDEX, OTHER, THIRD)
    assert not settings.first_index
    assert settings.find_links == ("file:///srv/wheels", (machine.root / "more").as_uri())
    assert settings.trusted_hosts == ("index.example",)
    assert (settings.ca_bundle, settings.client_cert) == ("/srv/ca.pem", "/srv/me.pem")
    assert settings.proxies == (("http", "http://proxy.example:3128"), ("https", "http://proxy.example:3128"))
    assert settings.timeout == 7.0
    assert settings.keyring == "subprocess"


def test_pip_files_from_weak_to_strong(machine: Machine) -> None:
    machine.write(machine.etc / "pip.conf", f"[global]\nindex-url = {OTHER}\ncert = /srv/ca.pem\ntimeout = 3")
    machine.pip_conf(f"[global]\nindex_url = {THIRD}\nextra-index-url =\n    {OTHER}\n    file:///srv/simple\n")
    venv = machine.home / "venv"
    machine.write(venv / "pip.conf", f"[install]\nindex-url = {INDEX}")
    settings = machine.load(VIRTUAL_ENV=str(venv))
    assert settings.index_urls == (INDEX, OTHER, "file:///srv/simple")
    assert settings.ca_bundle == "/srv/ca.pem"
    assert settings.timeout == 3.0


def test_pip_named_file_and_none_at_all(machine: Machine) -> None:
    machine.pip_conf(f"[global]\nindex-url = {OTHER}")
    machine.write(machine.home / "ci.conf", f"[global]\nindex-url = {INDEX}\nno-index = yes")
    assert machine.load(PIP_CONFIG_FILE=str(machine.home / "ci.conf")).no_index
    assert machine.load(PIP_CONFIG_FILE=str(machine.home / "ci.conf")).default_index == INDEX
    assert machine.load(PIP_CONFIG_FILE=os.devnull).index_urls == (None,)


def test_percent_signs_in_pips_files_are_plain(machine: Machine) -> None:
    machine.pip_conf("[global]\nindex-url = https://me:a%2Fb@index.example/simple")
    assert machine.load().index_urls == ("https://me:a%2Fb@index.example/simple",)


# Both, and requirements files


def test_uvs_indexes_replace_pips_but_the_rest_is_shared(machine: Machine) -> None:
    machine.pip_conf(f"[global]\nindex-url = {OTHER}\ncert = /srv/ca.pem\nfind-links = /srv/wheels")
    settings = machine.load(UV_DEFAULT_INDEX=INDEX)
    assert settings.index_urls == (INDEX,)
    assert settings.find_links == ()
    assert settings.ca_bundle == "/srv/ca.pem"


def test_ssl_cert_file_comes_before_pips(machine: Machine) -> None:
    pip, requests = "/srv/pip.pem", "/srv/requests.pem"
    settings = machine.load(SSL_CERT_FILE="/srv/ca.pem", PIP_CERT=pip, REQUESTS_CA_BUNDLE=requests)
    assert settings.ca_bundle == "/srv/ca.pem"
    assert machine.load(PIP_CERT=pip, REQUESTS_CA_BUNDLE=requests).ca_bundle == pip
    assert machine.load(REQUESTS_CA_BUNDLE="/srv/requests.pem", SSL_CERT_DIR="/srv").ca_bundle == "/srv/requests.pem"
    assert machine.load(SSL_CERT_DIR="/srv/certs").ca_bundle == "/srv/certs"


def test_options_of_a_requirements_file_come_on_top(machine: Machine) -> None:
    settings = machine.load(
        "-i https://me:${TOKEN}@index.example/simple",
        f"--extra-index-url={OTHER}  # ours",
        "--find-links ./wheels",
        "--trusted-host index.example --require-hashes",
        PIP_INDEX_URL=THIRD,
        PIP_EXTRA_INDEX_URL=THIRD,
        TOKEN="s3cret",
    )
    assert settings.index_urls == ("https://me:s3cret@index.example/simple", THIRD, OTHER)
    assert settings.find_links == ((machine.root / "wheels").as_uri(),)
    assert settings.trusted_hosts == ("index.example",)
    assert machine.load("--no-index").index_urls == ()


def test_netrc_follows_the_variable(machine: Machine) -> None:
    assert machine.load(NETRC="/srv/netrc").netrc == "/srv/netrc"


def test_credentials_are_not_in_the_repr(machine: Machine) -> None:
    secret = "https://me:s3cret@index.example/simple"
    settings = machine.load(UV_INDEX=secret, UV_DEFAULT_INDEX=secret, UV_FIND_LINKS=secret, PIP_PROXY=secret)
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan"])
def test_a_timeout_that_is_none(machine: Machine, value: str) -> None:
    with pytest.raises(ConfigError, match="no timeout in seconds"):
        machine.load(UV_HTTP_TIMEOUT=value)


def test_files_that_cannot_be_read_are_named(machine: Machine) -> None:
    machine.pip_conf("index-url = without a section")
    with pytest.raises(ConfigError, match=r"pip\.conf` can't be read"):
        machine.load()
    machine.pip_conf("")
    machine.write(machine.root / "uv.toml", "index-url = ")
    with pytest.raises(ConfigError, match=r"uv\.toml` is not valid TOML"):
        machine.load()
    with pytest.raises(ConfigError, match=r"missing\.toml` can't be read"):
        machine.load(UV_CONFIG_FILE="missing.toml")


def test_a_broken_pyproject_is_left_to_its_own_reader(machine: Machine) -> None:
    machine.pyproject("[tool")
    assert machine.load().index_urls == (None,)


def test_an_option_line_that_cannot_be_read(machine: Machine) -> None:
    with pytest.raises(ConfigError, match="option line"):
        machine.load('--index-url "https://index.example')


BAD = "https://me:s3cret@[bad/simple"


@pytest.mark.parametrize(
    "variable",
    [
        "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_PROXY", "UV_INDEX", "UV_DEFAULT_INDEX",
        "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "HTTPS_PROXY", "all_proxy",
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_asked_is_told_with_its_variable(machine: Machine, variable: str) -> None:
    with pytest.raises(ConfigError, match=f"in `{variable}` is no address that can be asked") as caught:
        machine.load(**{variable: BAD})  # type: ignore[arg-type]
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("port", ["99999", "x"])
def test_a_port_that_is_none(machine: Machine, port: str) -> None:
    with pytest.raises(ConfigError, match="in `PIP_INDEX_URL` is no address"):
        machine.load(PIP_INDEX_URL=f"https://index.example:{port}/simple")


def test_a_label_that_is_too_long(machine: Machine) -> None:
    with pytest.raises(ConfigError, match="in `UV_INDEX` is no address"):
        machine.load(UV_INDEX=f"corp=https://{'a' * 70}.example/simple")


def test_an_address_that_cannot_be_asked_is_told_with_its_file(machine: Machine) -> None:
    machine.pip_conf(f"[global]\nextra-index-url = {INDEX}\n    {BAD}")
    with pytest.raises(ConfigError, match=r"in `.*pip\.conf` is no address"):
        machine.load()
    machine.pip_conf("")
    for text in (f'[[tool.uv.index]]\nurl = "{BAD}"', f'[tool.uv]\nhttp-proxy = "{BAD}"'):
        machine.pyproject(text)
        with pytest.raises(ConfigError, match=r"in `.*pyproject\.toml` is no address"):
            machine.load()


@pytest.mark.parametrize("option", ["--index-url", "--extra-index-url", "--find-links"])
def test_an_address_in_a_requirements_file(machine: Machine, option: str) -> None:
    with pytest.raises(ConfigError, match=f"in `{option}` is no address"):
        machine.load(f"{option} {BAD}")


def test_a_host_that_is_none(machine: Machine) -> None:
    with pytest.raises(ConfigError, match="in `UV_INSECURE_HOST` is no host"):
        machine.load(UV_INSECURE_HOST="[bad")
    with pytest.raises(ConfigError, match="in `--trusted-host` is no host"):
        machine.load("--trusted-host index.example:http")
