import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lamella.index.settings import IndexSettings
from lamella.wheels.piping import Piped, piped

NOTHING = IndexSettings(keyring="disabled")


def as_pip_reads(made: Piped) -> dict[str, str]:
    """The options in the configuration that was written, by pip's own reading of it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment |= {"PIP_CONFIG_FILE": dict(made.secrets)["conf"], "HOME": "/nonexistent", "XDG_CONFIG_DIRS": "/none"}
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], env=environment, capture_output=True, text=True, check=True
    )
    rows = dict(line.split("=", 1) for line in done.stdout.splitlines())
    written = Path(dict(made.secrets)["conf"]).read_text()
    # This machine's own configuration is read, too
    return {
        name.removeprefix("global."): value.strip("'")
        for name, value in rows.items()
        if f"\n{name.removeprefix('global.')} =" in written
    }


def test_indexes_in_pips_order_with_their_logins_in_a_file_of_the_owners_alone(tmp_path: Path) -> None:
    settings = replace(
        NOTHING,
        default_index="https://me:secret@index.example/simple",
        extra_indexes=("https://other.example/simple", "https://third.example/simple"),
        trusted_hosts=("index.example",),
        timeout=7.5,
    )
    made = piped(settings, str(tmp_path))
    assert as_pip_reads(made) == {
        "index-url": "https://me:secret@index.example/simple",
        "extra-index-url": "\\nhttps://other.example/simple\\nhttps://third.example/simple",
        "timeout": "7.5",
        "trusted-host": "\\nindex.example",
    }
    path = Path(dict(made.secrets)["conf"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "me:" not in repr((made.mounts, made.variables, made.folders))
    assert made.mounts == ("--mount=type=secret,id=conf,target=/lamella/pip/conf",)
    assert made.variables == (("PIP_CONFIG_FILE", "/lamella/pip/conf"),)


def test_files_of_this_machine_are_secrets_and_folders_are_mounted(tmp_path: Path) -> None:
    for name in ("ca.pem", "netrc", "links.html"):
        (tmp_path / name).write_text("")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    out = tmp_path / "out"
    out.mkdir()
    settings = replace(
        NOTHING,
        ca_bundle=str(tmp_path / "ca.pem"),
        netrc=str(tmp_path / "netrc"),
        find_links=(str(wheels), str(tmp_path / "links.html"), str(tmp_path / "absent"), "https://links.example/"),
        extra_indexes=(f"file://{wheels}",),
        no_index=False,
    )
    made = piped(settings, str(out))
    assert dict(made.secrets) == {
        "ca": str(tmp_path / "ca.pem"),
        "netrc": str(tmp_path / "netrc"),
        "conf": str(out / "pip.conf"),
    }
    assert made.folders == (("folder0", str(wheels)), ("folder1", str(tmp_path)))
    assert (out / "pip.conf").read_text() == (
        "[global]\n"
        "timeout = 30\n"
        "extra-index-url =\n    file:///lamella/pip/folder0\n"
        f"find-links =\n    /lamella/pip/folder0\n    /lamella/pip/folder1/links.html\n    {tmp_path}/absent\n"
        "    https://links.example/\n"
        "cert = /lamella/pip/ca\n"
    )
    assert "--mount=type=bind,from=folder0,target=/lamella/pip/folder0" in made.mounts
    assert dict(made.variables) == {
        "PIP_CONFIG_FILE": "/lamella/pip/conf",
        "NETRC": "/lamella/pip/netrc",
        "SSL_CERT_FILE": "/lamella/pip/ca",
        "CARGO_HTTP_CAINFO": "/lamella/pip/ca",
    }


def test_no_index_is_no_index(tmp_path: Path) -> None:
    made = piped(replace(NOTHING, no_index=True, default_index="https://index.example/"), str(tmp_path))
    assert as_pip_reads(made) == {"no-index": "true", "timeout": "30"}


def test_what_the_keyring_knows_goes_into_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "keyring"
    program.write_text("#!/bin/sh\nprintf 'me\\np@ss\\n'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    piped(replace(NOTHING, default_index="https://index.example/simple", keyring="subprocess"), str(tmp_path))
    assert "\nindex-url = https://me:p%40ss@index.example/simple\n" in (tmp_path / "pip.conf").read_text()
