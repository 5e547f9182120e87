import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.container.engines import FakeEngine
from tests.wheels.sdists import make_sdist, make_tools
from tests.wheels.wheelmaker import sha256

from lamella.container.model import ContainerSettings, Engine
from lamella.errors import BuildError
from lamella.target import Target
from lamella.wheels.admit import admit
from lamella.wheels.native import INSTALL, Built, Order, build, key
from lamella.wheels.piping import Piped

TARGET = Target("python3.11", "x86_64")
NO_INSTALLER = "the image has none of dnf, microdnf, yum and apt-get to install packages with"
IMAGE = "registry.example/build:1"


def built(tmp_path: Path, orders: Mapping[str, Path], packages: tuple[str, ...] = ()) -> tuple[Built, FakeEngine]:
    podman = FakeEngine(tmp_path / "podman", "podman")
    tools = make_tools(tmp_path)
    wheel = admit(str(tools), filename=tools.name, expected=(("sha256", sha256(tools.read_bytes())),))
    folder = tmp_path / "work"
    folder.mkdir()
    made = build(
        [Order(name, str(path)) for name, path in orders.items()],
        engine=Engine("podman", podman.program, "5.0.1", "x86_64"),
        image=IMAGE,
        packages=packages,
        target=TARGET,
        tools=[wheel],
        piped=Piped(
            secrets=(("conf", "/etc/hostname"),),
            mounts=("--mount=type=secret,id=conf,target=/lamella/pip/conf",),
            variables=(("PIP_CONFIG_FILE", "/lamella/pip/conf"),),
        ),
        folder=str(folder),
        said=lambda line: None,  # noqa: ARG005
    )
    return made, podman


def path_of(made: str | BuildError) -> Path:
    assert isinstance(made, str), made
    return Path(made)


def error_of(made: str | BuildError) -> BuildError:
    assert isinstance(made, BuildError), made
    return made


def test_sdists_and_projects_become_wheels_in_one_run(tmp_path: Path) -> None:
    sdist = make_sdist(tmp_path, "native", tag="cp311-cp311-linux_x86_64", files={"native.so": b"\x7fELF"})
    project = make_sdist(tmp_path, "project")
    subprocess.run(["tar", "xf", project], cwd=tmp_path, check=True)
    made, podman = built(tmp_path, {"native": sdist, "project": tmp_path / "project-1.0"}, ("libxml2-devel", "libx*"))
    native = path_of(made["native"])
    assert native.name == "native-1.0-cp311-cp311-manylinux_2_26_x86_64.whl"
    assert path_of(made["project"]).name == "project-1.0-py3-none-any.whl"
    (words,) = podman.builds
    assert words[words.index("--secret") + 1] == "id=conf,src=/etc/hostname"
    lines = podman.containerfile.splitlines()
    assert lines[:2] == [f"FROM {IMAGE} AS work", "USER root"]
    assert lines[2:] == [
        "ENV PATH=/var/lang/bin:$PATH",
        "COPY install.sh /lamella/install.sh",
        "RUN sh /lamella/install.sh libxml2-devel 'libx*'",
        "COPY . /lamella/in",
        "RUN --mount=type=secret,id=conf,target=/lamella/pip/conf PIP_CONFIG_FILE=/lamella/pip/conf "
        "sh /lamella/in/build.sh python3.11",
        "FROM scratch",
        "COPY --from=work /lamella/out/ /",
    ]


def test_what_was_packed_here_depends_on_its_content_alone(tmp_path: Path) -> None:
    sdist = make_sdist(tmp_path, "pure")
    digests = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made, _ = built(tmp_path / name, {"pure": sdist})
        digests.add(sha256(path_of(made["pure"]).read_bytes()))
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        (
            "x.c:2:10: fatal error: ffi.h: No such file or directory",
            "name the package that has the header `ffi.h` in `[tool.lamella.container] packages`",
        ),
        (
            "/usr/bin/ld: cannot find -lxml2: No such file or directory",
            "name the package that has the library `xml2` in `[tool.lamella.container] packages`",
        ),
        (
            "error: command 'gcc' failed: No such file or directory",
            "name the package that has the program `gcc` in `[tool.lamella.container] packages`",
        ),
        (
            'Cannot repair wheel, because required library "libfoo.so.1" could not be located',
            "name the package that has the library `libfoo.so.1` in `[tool.lamella.container] packages`",
        ),
        ("RuntimeError: it rains", "what it needs to be built goes into `[tool.lamella.container] packages`"),
    ],
)
def test_a_failure_tells_what_is_missing(tmp_path: Path, said: str, hint: str) -> None:
    act = f"print({said!r}, *range(20), sep=chr(10)); sys.exit('it failed')"
    made, _ = built(tmp_path, {"broken": make_sdist(tmp_path, "broken", act=act), "fine": make_sdist(tmp_path, "fine")})
    assert path_of(made["fine"]).name == "fine-1.0-py3-none-any.whl"
    error = error_of(made["broken"])
    assert error.what == f"`broken` could not be built into a wheel in `{IMAGE}`"
    assert error.hint == hint
    assert any("it failed" in line for line in error.why)
    if "rains" not in said:
        assert said in error.why[0]  # far above the last lines


def test_an_image_that_is_too_new(tmp_path: Path) -> None:
    made, _ = built(tmp_path, {"newer": make_sdist(tmp_path, "newer", tag="cp311-cp311-linux_x86_64")})
    assert error_of(made["newer"]).hint == (
        "the image is newer than python3.11, whose glibc is 2.26: build in that runtime's own build image"
    )


def test_the_key_is_of_everything_that_makes_another_wheel() -> None:
    def of(settings: ContainerSettings, image: str = "sha256:1", target: Target = TARGET, source: object = "a") -> str:
        return key(settings, image, target, source)

    plain = ContainerSettings()
    same = [plain, ContainerSettings(engine="podman"), ContainerSettings(run_images=(("python3.11", "x"),))]
    assert len({of(settings) for settings in same}) == 1
    others = [
        of(plain),
        of(plain, image="sha256:2"),
        of(plain, target=Target("python3.12", "x86_64")),
        of(plain, target=Target("python3.11", "arm64")),
        of(plain, source="b"),
        of(ContainerSettings(packages=("gcc",))),
        of(ContainerSettings(options=("--network=host",))),
    ]
    assert len(set(others)) == len(others)


@pytest.mark.parametrize("installer", ["dnf", "microdnf", "yum", "apt-get"])
def test_packages_are_installed_by_what_the_image_has(tmp_path: Path, installer: str) -> None:
    program = tmp_path / installer
    program.write_text('#!/bin/sh\necho "$(basename "$0")" "$@"\n')
    program.chmod(0o755)
    (tmp_path / "basename").symlink_to("/usr/bin/basename")
    done = subprocess.run(
        ["/bin/sh", "-c", INSTALL, "install.sh", "a-devel", "b*"],
        env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1].split() == (
        [installer, "install", "-y", *(["--no-install-recommends"] if installer == "apt-get" else []), "a-devel", "b*"]
    )


def test_an_image_without_an_installer_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", INSTALL, "install.sh", "a"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, f"lamella: {NO_INSTALLER}\n")
