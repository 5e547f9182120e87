from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.elf.making import EXECUTABLE, elf

from lamella.archive.entry import FILE, LINK, PROGRAM, from_bytes
from lamella.pruning.model import File
from lamella.pruning.native import UNREACHED, unreached

EXTENSION = "demo/_demo.cpython-312-x86_64-linux-gnu.so"
EXTRA = "demo/libextra.so.1"


def files(members: Mapping[str, bytes], distribution: str = "demo", mode: int = FILE) -> list[File]:
    """`members` by their path below importable code; `bin/…` and `lib/…` lie beside it."""
    made = []
    for path, data in members.items():
        beside = path.startswith(("bin/", "lib/"))
        entry = from_bytes(
            path if beside else f"python/{path}", distribution, data, PROGRAM if path[:4] == "bin/" else mode
        )
        made.append(File(entry, path, distribution, not beside))
    return made


def library(
    soname: str | None, *needed: str, runpath: str | None = "$ORIGIN", text: bytes = b"", **more: object
) -> bytes:
    return elf(soname=soname, needed=needed, runpath=runpath, text=text, **more)  # type: ignore[arg-type]


def extension(*needed: str, **more: object) -> bytes:
    return elf(needed=needed, modules=["_demo"], **({"runpath": "$ORIGIN"} | more))  # type: ignore[arg-type]


# An extension module that links libmain; libextra, which it does not link, lies beside that
BASE = {
    "demo/__init__.py": b"from demo import _demo\n",
    EXTENSION: extension("libmain.so.1", "libc.so.6"),
    "demo/libmain.so.1": library("libmain.so.1"),
    EXTRA: library("libextra.so.1"),
    "demo-1.0.dist-info/RECORD": b"demo/libextra.so.1,,\n",
}


def test_what_nothing_links_goes_and_the_reason_is_told() -> None:
    assert unreached(files(BASE)) == {f"python/{EXTRA}": UNREACHED}


def test_what_only_a_dropped_extension_module_linked_goes_with_all_that_it_linked() -> None:
    """pyarrow without _flight: libarrow_python_flight and libarrow_flight, but not libarrow."""
    whole = {
        **BASE,
        "demo/_flight.abi3.so": elf(needed=["libpyflight.so"], runpath="$ORIGIN", modules=["_flight"]),
        "demo/libpyflight.so": library("libpyflight.so", "libflight.so", "libmain.so.1"),
        "demo/libflight.so": library("libflight.so", "libmain.so.1"),
    }
    assert set(unreached(files(whole))) == {f"python/{EXTRA}"}
    del whole["demo/_flight.abi3.so"]
    assert set(unreached(files(whole))) == {f"python/{EXTRA}", "python/demo/libpyflight.so", "python/demo/libflight.so"}


def test_copies_under_other_names_go_though_they_say_the_same_soname() -> None:
    main = BASE["demo/libmain.so.1"]
    gone = unreached(files({**BASE, "demo/libmain.so": main, "demo/libmain.so.1.2.0": main}))
    assert set(gone) == {f"python/{EXTRA}", "python/demo/libmain.so", "python/demo/libmain.so.1.2.0"}
    assert "a copy of `libmain.so.1`" in gone["python/demo/libmain.so"]


def test_libraries_that_share_a_soname_stay_where_no_path_leads_to_one() -> None:
    members = {
        **BASE,
        EXTENSION: extension("libtwin.so.1"),
        "one.libs/libtwin-0123abcd.so.1": library("libtwin.so.1"),
        "two.libs/libtwin-abcd0123.so.1": library("libtwin.so.1", "libmain.so.1"),
    }
    assert set(unreached(files(members))) == {f"python/{EXTRA}"}


ONE, TWO = "python/one.libs/libtwin-0123abcd.so.1", "python/two.libs/libtwin-abcd0123.so.1"
VERSIONS = {
    "the one that defines them": (["TWIN_1", "TWIN_2"], ["TWIN_1"], ["TWIN_1", "TWIN_2"], {TWO}),
    "both where both do": (["TWIN_1"], ["TWIN_1"], ["TWIN_1", "TWIN_2"], set()),
    "both where none does": (["TWIN_3"], ["TWIN_1"], ["TWIN_2"], set()),
    "both where none has versions": (["TWIN_1"], [], [], set()),
    "both where nothing is asked for": ([], ["TWIN_1"], ["TWIN_2"], set()),
}


@pytest.mark.parametrize(("wanted", "two", "one", "gone"), VERSIONS.values(), ids=VERSIONS.keys())
def test_symbol_versions_tell_libraries_of_one_soname_apart(
    wanted: list[str], two: list[str], one: list[str], gone: set[str]
) -> None:
    needs = {"libc.so.6": ["GLIBC_2.28"]} | ({"libtwin.so.1": wanted} if wanted else {})
    members = {
        **BASE,
        EXTENSION: extension("libtwin.so.1", "libmain.so.1", needs=needs),
        ONE.removeprefix("python/"): library("libtwin.so.1", defines=["libtwin.so.1", *one]),
        TWO.removeprefix("python/"): library("libtwin.so.1", defines=["libtwin.so.1", *two]),
    }
    assert set(unreached(files(members))) == {f"python/{EXTRA}"} | gone


def test_symbol_versions_tell_libraries_in_several_folders_of_the_search_apart() -> None:
    members = {
        **BASE,
        EXTENSION: extension(
            "libtwin.so.1", needs={"libtwin.so.1": ["TWIN_2"]}, runpath="$ORIGIN/../a.libs:$ORIGIN/../b.libs"
        ),
        "a.libs/libtwin.so.1": library("libtwin.so.1", defines=["TWIN_1"]),
        "b.libs/libtwin.so.1": library("libtwin.so.1", defines=["TWIN_2"]),
        "demo/load.py": b"ctypes.CDLL('libextra.so.1'); ctypes.CDLL('libmain.so.1')",
    }
    assert set(unreached(files(members))) == {"python/a.libs/libtwin.so.1"}


def test_what_can_not_be_read_may_define_any_version() -> None:
    members = {
        **BASE,
        EXTENSION: extension("libtwin.so.1", "libmain.so.1", needs={"libtwin.so.1": ["TWIN_2"]}),
        "one.libs/libtwin.so.1": library(
            "libtwin.so.1", "libextra.so.1", defines=["TWIN_2"], runpath="$ORIGIN/../demo"
        ),
        "two.libs/libtwin.so.1": elf()[:80],
    }
    assert unreached(files(members)) == {}


def test_an_rpath_is_handed_down_and_a_runpath_is_not() -> None:
    members = {
        "demo/_demo.abi3.so": elf(needed=["liba.so"], rpath="$ORIGIN/../demo.libs", modules=["_demo"]),
        "demo.libs/liba.so": library("liba.so", "libb.so", runpath=None),
        "demo.libs/libb.so": library("libb.so", runpath=None),
        "demo.libs/libc0.so": library("libc0.so", runpath=None),
        # The same SONAME elsewhere: only where a folder of the search has none would it be the one
        "other/libb.so": library("libb.so"),
        "other/_other.abi3.so": extension("libc.so.6"),
    }
    assert set(unreached(files(members))) == {"python/demo.libs/libc0.so", "python/other/libb.so"}


NAMED = {
    "in Python of the distribution": {"demo/load.py": b'ctypes.CDLL(os.path.join(here, "libextra.so.1"))'},
    "by its plain name": {"demo/load.py": b'ctypes.CDLL(find_library("extra"))'},
    "by its plain name in another file": {
        "demo/load.py": b'def load(name): return ctypes.CDLL(f"{here}/lib{name}.so.1")',
        "demo/use.py": b"load('extra')",
    },
    "with a wildcard": {"demo/load.py": b'glob("libextra.so.*")'},
    "in a table": {"demo/drivers.json": b'{"library_path": "./libextra.so.1"}'},
    "by what it lists": {"demo/load.py": b"for name in os.listdir(here):\n    ctypes.CDLL(name)\n"},
    "in a library": {"demo/libmain.so.1": library("libmain.so.1", text=b"\0libextra.so\0")},
    "by its plain name in a library": {"demo/libmain.so.1": library("libmain.so.1", text=b"\0lib%s.so\0extra\0")},
}


@pytest.mark.parametrize("more", NAMED.values(), ids=NAMED.keys())
def test_what_may_be_loaded_by_name_stays(more: dict[str, bytes]) -> None:
    assert unreached(files({**BASE, **more})) == {}


def test_another_distribution_names_it_by_its_file() -> None:
    loads = {"other/__init__.py": b'ctypes.CDLL("libextra.so.1")'}
    speaks = {"other/__init__.py": b"import ctypes\nextra = ctypes.CDLL(None)\n"}
    assert unreached(files(BASE) + files(loads, "other")) == {}
    assert len(unreached(files(BASE) + files(speaks, "other"))) == 1


def test_what_is_loaded_by_name_brings_what_it_links() -> None:
    members = {
        **BASE,
        "demo/load.py": b'ctypes.CDLL("libextra.so.1")',
        EXTRA: library("libextra.so.1", "libdeep.so", text=b"\0libdeeper.so\0"),
        "demo/libdeep.so": library("libdeep.so"),
        "demo/libdeeper.so": library("libdeeper.so"),
        "demo/libnot.so": library("libnot.so"),
    }
    assert set(unreached(files(members))) == {"python/demo/libnot.so"}


def test_what_one_distribution_links_another_may_load_by_name() -> None:
    """A file of the same name elsewhere is no copy of it that one could do without."""
    theirs = {
        "other/_other.abi3.so": elf(modules=["_other"]),
        "other/__init__.py": b'ctypes.CDLL(os.path.join(here, "libmain.so.1"))',
        "other/libmain.so.1": library("libmain.so.1", text=b"newer"),
    }
    assert set(unreached(files(BASE) + files(theirs, "other"))) == {f"python/{EXTRA}"}


NOT_NAMED = {
    "a word without a loader": {"demo/words.py": b"extra = 'extra'"},
    "as part of another name": {"demo/load.py": b'ctypes.CDLL("libextra.so.12"); ctypes.CDLL("libextras.so.1")'},
    "in a record": {"demo-1.0.dist-info/METADATA": b"loads libextra.so.1", "demo/api.pyi": b"libextra.so.1"},
    "in a library that nothing reaches": {"demo/libmore.so": library("libmore.so", text=b"\0libextra.so.1\0")},
}


@pytest.mark.parametrize("more", NOT_NAMED.values(), ids=NOT_NAMED.keys())
def test_what_is_not_named_goes(more: dict[str, bytes]) -> None:
    assert f"python/{EXTRA}" in unreached(files({**BASE, **more}))


DOUBTFUL = {
    "a plugin, without a SONAME": {EXTRA: library(None)},
    "a folder of plugins": {"demo/plugins/libpng.so": library("libpng.so"), "demo/use.py": b"CDLL('libextra.so.1')"},
    "a linker script beside it": {"demo/libextra.so": b"INPUT ( libextra.so.1 )"},
    "a damaged library beside it": {"demo/libbad.so": elf()[:80]},
}


@pytest.mark.parametrize("more", DOUBTFUL.values(), ids=DOUBTFUL.keys())
def test_in_doubt_it_stays(more: dict[str, bytes]) -> None:
    assert unreached(files({**BASE, **more})) == {}


def test_a_distribution_of_libraries_alone_stays() -> None:
    """nvidia-cublas-cu12, tbb, intel-openmp: others load their libraries by path."""
    alone = {"nvidia/cublas/lib/libcublas.so.12": library("libcublas.so.12")}
    assert unreached(files(alone)) == {}
    assert set(unreached(files(BASE) + files(alone, "nvidia-cublas-cu12"))) == {f"python/{EXTRA}"}


def test_programs_and_what_lies_on_the_library_path_are_loaded() -> None:
    members = {
        **BASE,
        "bin/demo": elf(type=EXECUTABLE, interpreter=True, needed=["libextra.so.1"], runpath="$ORIGIN/../python/demo"),
        "lib/libtool.so": library("libtool.so"),
    }
    assert unreached(files(members)) == {}
    del members["bin/demo"]
    assert set(unreached(files(members))) == {f"python/{EXTRA}"}


def test_a_link_stays_and_so_does_its_distribution() -> None:
    link = File(from_bytes("python/demo/libextra.so", "demo", b"libextra.so.1", LINK), "demo/libextra.so", "demo")
    assert unreached([*files(BASE), link]) == {}


def test_each_text_is_read_once_and_each_library_twice() -> None:
    from collections import Counter

    from lamella.archive.entry import Entry, content

    reads: Counter[str] = Counter()

    def read(entry: Entry) -> bytes:
        reads[entry.path] += 1
        return content(entry)

    more = {f"demo/libmore{number}.so.1": library(f"libmore{number}.so.1") for number in range(3)}
    texts = {"demo/load.py": b"ctypes.CDLL('libmore0.so.1')", "demo/a.json": b"{}", "demo/note.md": b"libmore1.so.1"}
    gone = unreached(files({**BASE, **more, **texts}), read=read)
    assert set(gone) == {f"python/{EXTRA}", "python/demo/libmore1.so.1", "python/demo/libmore2.so.1"}
    assert {path: times for path, times in reads.items() if not path.endswith((".so", ".so.1"))} == {
        "python/demo/__init__.py": 1,
        "python/demo/load.py": 1,
        "python/demo/a.json": 1,
    }
    assert max(reads.values()) == 2


def test_no_file_is_read_where_there_is_no_library() -> None:
    def refuse(entry: object) -> bytes:
        raise AssertionError(entry)

    assert unreached(files({"demo/__init__.py": b"import ctypes"}), read=refuse) == {}
