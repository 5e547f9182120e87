from pathlib import Path

import pytest

from lamella.config.read import read
from lamella.container.model import ContainerSettings
from lamella.errors import ConfigError
from lamella.facts.tables import runtimes


def container(folder: Path, text: str) -> ContainerSettings:
    (folder / "lamella.toml").write_text(f'runtime = "python3.12"\n{text}')
    return read(str(folder)).container


def test_nothing_is_configured_by_itself(tmp_path: Path) -> None:
    assert container(tmp_path, "") == ContainerSettings()
    assert container(tmp_path, "[container]\n") == ContainerSettings()


def test_every_key(tmp_path: Path) -> None:
    text = """
        [container]
        engine = "podman"
        build-image = { "python3.13" = "build.example/a:1", "python3.12" = "build.example/b@sha256:0a" }
        run-image = "run.example:5000/{runtime}:{architecture}"
        packages = ["libxml2-devel", "libpq-dev=15.*", "gcc-c++"]
        options = ["--isolation=chroot", "--network", "host"]
    """
    assert container(tmp_path, text) == ContainerSettings(
        engine="podman",
        build_images=(("python3.12", "build.example/b@sha256:0a"), ("python3.13", "build.example/a:1")),
        run_images=tuple((name, f"run.example:5000/{name}:{{architecture}}") for name in runtimes()),
        packages=("libxml2-devel", "libpq-dev=15.*", "gcc-c++"),
        options=("--isolation=chroot", "--network", "host"),
    )


def test_what_is_filled_in_is_so_in_a_table_too(tmp_path: Path) -> None:
    found = container(tmp_path, '[container.build-image]\n"python3.12" = "{architecture}.example/{runtime}"\n')
    assert found.build_images == (("python3.12", "{architecture}.example/python3.12"),)


REFUSALS = [
    (
        "container = 1",
        "`container` in lamella.toml must be a table\n  found the integer 1\n  hint: write `[container]`",
    ),
    (
        "[container]\nimage = 'a'",
        "`[container] image` in lamella.toml is not a known key\n"
        "  known keys: build-image, engine, options, packages, run-image\n"
        "  hint: did you mean `run-image`?",
    ),
    (
        "[container]\nengine = 'dokcer'",
        "`[container] engine` in lamella.toml must be one of docker, podman\n"
        '  found the string "dokcer"\n'
        "  hint: did you mean `docker`?",
    ),
    (
        "[container]\nbuild-image = ['a']",
        "`[container] build-image` in lamella.toml must be a string, or a table of a string for each runtime\n"
        "  found a list\n"
        '  hint: write `build-image = "…"`, or `build-image = { "python3.12" = "…" }`',
    ),
    (
        "[container]\nbuild-image = 'a b'",
        "`[container] build-image` in lamella.toml is no reference of an image\n"
        '  found the string "a b"\n'
        "  hint: write it as `docker pull` takes it: `registry/name:tag`, or `registry/name@sha256:…`; "
        "`{runtime}` and `{architecture}` are filled in",
    ),
    (
        "[container]\nbuild-image = 'build.example/{python}'",
        "`[container] build-image` in lamella.toml is no reference of an image\n"
        '  found the string "build.example/{python}"\n'
        "  hint: write it as `docker pull` takes it: `registry/name:tag`, or `registry/name@sha256:…`; "
        "`{runtime}` and `{architecture}` are filled in",
    ),
    (
        "[container.run-image]\n'python3.21' = 'a'",
        '`[container.run-image] "python3.21"` in lamella.toml is not a known runtime\n'
        f"  known are {', '.join(runtimes())}\n"
        "  hint: did you mean `python3.15`?",
    ),
    (
        "[container.run-image]\n'python3.12' = 3",
        '`[container.run-image] "python3.12"` in lamella.toml must be a string\n'
        "  found the integer 3\n"
        '  hint: write `"python3.12" = "…"`',
    ),
    (
        "[container]\npackages = ['gcc; reboot']",
        "`[container] packages` in lamella.toml names what no package is called\n"
        '  found the string "gcc; reboot"\n'
        '  hint: write names as `dnf install` takes them: `packages = ["libxml2-devel"]`',
    ),
    (
        "[container]\npackages = ['-y']",
        "`[container] packages` in lamella.toml names what no package is called\n"
        '  found the string "-y"\n'
        '  hint: write names as `dnf install` takes them: `packages = ["libxml2-devel"]`',
    ),
    (
        "[container]\noptions = ['--output=here']",
        "`[container] options` in lamella.toml holds `--output`, which lamella itself gives to the engine\n"
        "  hint: remove it",
    ),
    (
        "[container]\noptions = ['-f', 'Dockerfile']",
        "`[container] options` in lamella.toml holds `-f`, which lamella itself gives to the engine\n"
        "  hint: remove it; the image is `build-image`",
    ),
]


@pytest.mark.parametrize(("text", "message"), REFUSALS)
def test_refusals(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        container(tmp_path, text + "\n")
    assert str(caught.value) == message
