from __future__ import annotations

import importlib.util
import marshal
import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.derive.storing import Shelf

from lamella.archive.entry import FILE, LINK, PROGRAM, Entry, content, from_bytes
from lamella.derive import compiling
from lamella.derive.bytecode import Mode, compile_all
from lamella.derive.compiler import Compiler
from lamella.errors import OutsideError
from lamella.interpreter import Interpreter, InterpreterMissingError, find

OWN = (sys.version_info[0], sys.version_info[1])


def interpreters() -> list[Interpreter]:
    """One of each minor version that is here."""
    found = []
    for minor in range(9, 16):
        try:
            found.append(find((3, minor), offline=True, install=False))
        except InterpreterMissingError:
            continue
    return found


HERE = interpreters()


def minor(interpreter: Interpreter) -> tuple[int, int]:
    first, second = interpreter.version.split(".")[:2]
    return int(first), int(second)


@pytest.fixture(params=HERE, ids=lambda interpreter: interpreter.version)
def python(request: pytest.FixtureRequest) -> Interpreter:
    found: Interpreter = request.param
    return found


def compiled(
    entries: Sequence[Entry],
    folder: Path,
    *,
    interpreter: Interpreter = HERE[0],
    mode: Mode = "beside",
    mount: str = "/opt",
    sites: Sequence[str] = ("python",),
    store: Shelf | None = None,
    keep: frozenset[str] = frozenset(),
) -> dict[str, Entry]:
    done = compile_all(
        entries,
        interpreter=interpreter,
        python=minor(interpreter),
        mount=mount,
        sites=sites,
        mode=mode,
        store=store or Shelf(folder),
        keep=keep,
    )
    assert [entry.path for entry in done] == sorted({entry.path for entry in done})
    return {entry.path: entry for entry in done}


def sources(files: dict[str, str | bytes]) -> list[Entry]:
    return [from_bytes(path, "demo", text.encode() if isinstance(text, str) else text) for path, text in files.items()]


def real() -> list[Entry]:
    """Sources that people wrote: of packages that are installed beside this test, and of the standard library."""
    entries = []
    for name in ("packaging", "pluggy", "email", "json", "asyncio", "dataclasses", "inspect", "typing", "turtle"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        files = sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
        entries += [
            from_bytes(f"python/{file.relative_to(origin.parents[origin.name == '__init__.py'])}", name, data)
            for file in files
            if (data := file.read_bytes())
        ]
    return entries


def unpacked(entries: Sequence[Entry], folder: Path) -> Path:
    for entry in entries:
        path = folder / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(entry))
    return folder


def run(interpreter: Interpreter, folder: Path, code: str) -> str:
    command = [interpreter.path, "-B", "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_same_bytes_in_any_order_and_company(
    python: Interpreter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = real()
    assert len(entries) > 100
    (tmp_path / "a").mkdir()
    together = compiled(entries, tmp_path / "a", interpreter=python)
    bytecode = {path for path in together if path.endswith(".pyc")}
    assert len(bytecode) > 100
    # Each in a distribution of its own, the last first, with the settings of another shell
    monkeypatch.setenv("PYTHONHASHSEED", "4711")
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    monkeypatch.setenv("PYTHONNODEBUGRANGES", "1")
    (tmp_path / "b").mkdir()
    alone = [entry._replace(origin=f"demo{number}") for number, entry in enumerate(entries)][::-1]
    apart = compiled(alone, tmp_path / "b", interpreter=python)
    assert bytecode == {path for path in apart if path.endswith(".pyc")}
    assert [path for path in bytecode if content(together[path]) != content(apart[path])] == []
    # One process for each file: nothing was compiled before it
    for number, entry in enumerate(entries[::20]):
        (tmp_path / str(number)).mkdir()
        single = compiled([entry], tmp_path / str(number), interpreter=python)
        for path in single.keys() & bytecode:
            assert content(single[path]) == content(together[path]), path


def test_the_same_bytes_whatever_the_hash_seed(python: Interpreter) -> None:
    """Without the seed that is always given.  No classes: in 3.13.0 what their methods assign is a set."""
    source = (
        "def f(x, y=None):\n    if x in {None, 1, 'one', 'zwei', (2, 'drei'), 4.5, b'four', y}: return {'a', 'b'}\n"
    )
    source += "    return y in {'alpha', 'beta', 'gamma', 'delta', None, 'epsilon', ..., (None, 'a'), True}\n"
    code = f"import sys; sys.path.insert(0, {str(Path(compiling.__file__).parent)!r}); import compiling; "
    code += f"print(compiling.bytecode({source.encode()!r}, 'x').hex())"
    answers = set()
    for seed in "01234567":
        command = [python.path, "-s", "-S", "-B", "-c", code]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        answers.add(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    assert len(answers) == 1


def test_what_is_written_anew_is_the_same_code() -> None:
    """Beside the twin that marshal offers: version 2 refers to nothing, and so tells values alone."""
    for entry in real():
        code = compile(content(entry), entry.path, "exec", dont_inherit=True)
        data = marshal.dumps(code)
        anew = compiling.canonical(data)
        assert compiling.canonical(anew) == anew
        assert len(anew) <= len(data)
        again = marshal.loads(anew)
        assert again == code
        assert _plain(again) == _plain(code)
        # Another history of the same values: nothing shared that need not be, and everything referred to
        held = list(_objects(code))
        assert compiling.canonical(marshal.dumps(code)) == anew
        assert compiling.canonical(marshal.dumps(_copy(code))) == anew
        assert held


def _plain(code: Any) -> bytes:
    # Which strings are interned is no part of the value
    return marshal.dumps(code, 2).replace(b"t", b"u")


def _objects(code: Any) -> list[object]:
    found = [code]
    for constant in getattr(code, "co_consts", ()):
        found += _objects(constant)
    return found


def _copy(code: Any) -> Any:
    """Code of equal values that are other objects."""
    return marshal.loads(marshal.dumps(marshal.loads(marshal.dumps(code, 2)), 2))


def test_a_value_that_marshal_may_write_some_day_is_refused() -> None:
    with pytest.raises(compiling.UnknownFormatError, match="type '%' at 1"):
        compiling.canonical(b"%")
    with pytest.raises(compiling.UnknownFormatError, match="1 bytes are left"):
        compiling.canonical(b"NN")


SHOWING = "import demo.sub; print(demo.sub.VALUE, demo.sub.__cached__)"
PACKAGE: dict[str, str | bytes] = {
    "python/demo/__init__.py": '"A package."\n',
    "python/demo/sub.py": 'VALUE = 1\ndef f():\n    "Documented."\n    assert not VALUE\n',
}


def test_beside_its_source_it_is_used_and_not_checked(python: Interpreter, tmp_path: Path) -> None:
    done = compiled(sources(PACKAGE), tmp_path, interpreter=python)
    tag = f"cpython-{minor(python)[0]}{minor(python)[1]}"
    assert sorted(done) == [
        "python/demo/__init__.py",
        f"python/demo/__pycache__/__init__.{tag}.pyc",
        f"python/demo/__pycache__/sub.{tag}.pyc",
        "python/demo/sub.py",
    ]
    where = unpacked(list(done.values()), tmp_path / "out") / "python"
    (where / "demo/sub.py").write_text("VALUE = 'compiled again'\n")
    assert run(python, where, SHOWING) == f"1 {where}/demo/__pycache__/sub.{tag}.pyc"
    assert run(python, where, "import demo.sub; print(demo.sub.f.__doc__, demo.__doc__)") == "Documented. A package."
    # An import corrects the name where the code is not where it was compiled for; that takes time
    reading = f"import marshal; f = open({str(where / 'demo/__pycache__' / f'sub.{tag}.pyc')!r}, 'rb'); f.seek(16); "
    assert run(python, where, reading + "print(marshal.load(f).co_filename)") == "/opt/python/demo/sub.py"
    code = content(done[f"python/demo/__pycache__/sub.{tag}.pyc"])
    assert code[4:8] == b"\x01\0\0\0"  # PEP 552: with a hash, not checked
    asked = "import importlib.util as u; print(u.MAGIC_NUMBER.hex() + u.source_hash(sys.stdin.buffer.read()).hex())"
    said = subprocess.run(
        [python.path, "-c", f"import sys; {asked}"],
        input=str(PACKAGE["python/demo/sub.py"]).encode(),
        capture_output=True,
        check=True,
    )
    assert (code[:4] + code[8:16]).hex() == said.stdout.decode().strip()


def test_instead_of_its_source(python: Interpreter, tmp_path: Path) -> None:
    done = compiled(sources(PACKAGE), tmp_path, interpreter=python, mode="instead", mount="/var/task")
    assert sorted(done) == ["python/demo/__init__.pyc", "python/demo/sub.pyc"]
    where = unpacked(list(done.values()), tmp_path / "out") / "python"
    code = "import demo.sub; print(demo.sub.VALUE, demo.sub.__file__, demo.sub.f.__code__.co_filename)"
    assert run(python, where, code) == f"1 {where}/demo/sub.pyc /var/task/python/demo/sub.py"


def test_real_packages_load_from_bytecode_alone(tmp_path: Path) -> None:
    entries = [entry for entry in real() if entry.origin in ("packaging", "pluggy", "turtle")]
    done = compiled(entries, tmp_path, mode="instead", interpreter=find(OWN, offline=True))
    where = unpacked(list(done.values()), tmp_path / "out") / "python"
    assert not list(where.rglob("*.py"))
    code = "import packaging.requirements as r, pluggy; print(r.Requirement('a>1').name, r.__file__, pluggy.__file__)"
    assert run(find(OWN, offline=True), where, code) == (
        f"a {where}/packaging/requirements.pyc {where}/pluggy/__init__.pyc"
    )


def test_it_belongs_to_what_its_source_belongs_to(tmp_path: Path) -> None:
    (entry,) = sources({"python/demo.py": "VALUE = 1\n"})
    done = compiled([entry._replace(mode=PROGRAM)], tmp_path)
    (code,) = (entry for path, entry in done.items() if path.endswith(".pyc"))
    assert (code.origin, code.mode) == ("demo", FILE)
    assert done["python/demo.py"].mode == PROGRAM


BROKEN: dict[str, str | bytes] = {
    "python/demo/old.py": "print 'Python 2'\n",
    "python/demo/template.py": "class {{ name }}:\n",
    "python/demo/zero.py": b"x = 1\0\n",
    "python/demo/latin.py": b"x = '\xe4'\n",
    "python/demo/lone.py": "x = 1\n  y = 2\n",
    "python/demo/return_.py": "return 1\n",
    "python/demo/deep.py": "(" * 5000 + ")" * 5000 + "\n",
    "python/demo/minus.py": "x = " + "-" * 100_000 + "1\n",
    "python/demo/long.py": "x = " + "+".join(["y"] * 30_000) + "\n",
}


@pytest.mark.parametrize("mode", ["beside", "instead"])
def test_what_does_not_compile_stays(python: Interpreter, tmp_path: Path, mode: Mode) -> None:
    files = {**BROKEN, "python/demo/after.py": "VALUE = 1\n", "python/demo/cookie.py": b"# coding: latin-1\nx='\xe4'\n"}
    done = compiled(sources(files), tmp_path, interpreter=python, mode=mode)
    codes = {path.rpartition("/")[2].partition(".")[0] for path in done if path.endswith(".pyc")}
    assert {"after", "cookie"} <= codes
    # Whether a deep one compiles is the interpreter's own affair
    assert codes.isdisjoint({"old", "template", "zero", "latin", "lone", "return_"})
    for entry in sources(BROKEN):
        assert entry.path + "c" in done or done[entry.path] == entry


def test_only_what_could_be_imported(tmp_path: Path) -> None:
    text = "VALUE = 1\n"
    entries = sources(
        dict.fromkeys(
            [
                "bin/program.py",
                "python/demo-1.0.dist-info/licenses.py",
                "python/demo-1.0.data/scripts/run.py",
                "python/demo/not-a-name.py",
                "python/demo/two.dots.py",
                "python/lib/python3.12/site-packages/other/mod.py",
                "python/demo/note.txt",
                "python/demo/stub.pyi",
                "python/demo/migrations/0001_first.py",
                "python/naïve.py",
            ],
            text,
        )
    )
    entries.append(from_bytes("python/demo/link.py", "demo", b"note.txt", LINK))
    done = compiled(entries, tmp_path, mode="instead")
    assert sorted(path for path in done if path.endswith(".pyc")) == [
        "python/demo/migrations/0001_first.pyc",
        "python/naïve.pyc",
    ]
    assert len(done) == len(entries)


def test_the_folders_of_one_version_and_of_all(tmp_path: Path) -> None:
    paths = ["python/a.py", "python/lib/python3.12/site-packages/b.py", "python/lib/python3.13/site-packages/c.py"]
    done = compiled(
        sources(dict.fromkeys(paths, "")),
        tmp_path,
        sites=["python", "python/lib/python3.12/site-packages"],
        mode="instead",
    )
    assert sorted(done) == [paths[0] + "c", paths[1] + "c", paths[2]]


def test_a_functions_zip(tmp_path: Path) -> None:
    done = compiled(sources(dict.fromkeys(["app.py", "bin/tool.py"], "")), tmp_path, sites=[""], mode="instead")
    assert sorted(done) == ["app.pyc", "bin/tool.py"]


def test_a_program_keeps_its_first_line(tmp_path: Path) -> None:
    entries = [
        from_bytes("python/demo/tool.py", "demo", b"#!/usr/bin/env python\n", PROGRAM),
        from_bytes("python/demo/module.py", "demo", b"VALUE = 1\n", PROGRAM),
    ]
    done = compiled(entries, tmp_path, mode="instead")
    assert sorted(done) == ["python/demo/module.pyc", "python/demo/tool.py"]


def modules(done: dict[str, Entry]) -> dict[str, str]:
    """What there is of each module: its "source", "bytecode", or "both"."""
    found: dict[str, str] = {}
    for path in done:
        if path.endswith((".py", ".pyc")):
            name = path.replace("__pycache__/", "").removeprefix("python/").partition(".")[0]
            kind = "source" if path.endswith(".py") else "bytecode"
            found[name] = "both" if name in found else kind
    return found


NAMING: dict[str, str | bytes] = {
    "python/demo/__init__.py": "for name in ('config.py', \"data/extra.py\", r'win\\other.py'): pass\n",
    "python/demo/config.py": "VALUE = 1\n",
    "python/demo/config_.py": "VALUE = 1\n",
    "python/demo/data/extra.py": "VALUE = 1\n",
    "python/demo/data/other.py": "VALUE = 1\n",
    "python/demo/data/plain.py": "# see plain.py\n",
}


def test_a_source_that_is_named_as_a_file_stays(python: Interpreter, tmp_path: Path) -> None:
    """As opencv's `config.py`, which is looked for and executed."""
    looking = "import os\npath = os.path.join(os.path.dirname(__file__), 'config.py')\n"
    looking += "exec(compile(open(path, 'rb').read(), path, 'exec'))\n"
    files = {**PACKAGE, "python/demo/__init__.py": looking, "python/demo/config.py": "FOUND = 7\n"}
    done = compiled(sources(files), tmp_path, interpreter=python, mode="instead")
    assert modules(done) == {"demo/__init__": "bytecode", "demo/sub": "bytecode", "demo/config": "both"}
    where = unpacked(list(done.values()), tmp_path / "out") / "python"
    assert run(python, where, "import demo, demo.config; print(demo.FOUND, demo.config.__file__)") == (
        f"7 {where}/demo/config.py"
    )


def test_only_the_end_of_a_string_names_a_file(tmp_path: Path) -> None:
    other = sources({"python/other/config.py": "", "python/other/plain.py": ""})
    entries = sources(NAMING) + [entry._replace(origin="other") for entry in other]
    assert modules(compiled(entries, tmp_path, mode="instead")) == {
        "demo/__init__": "bytecode",
        "demo/config": "both",
        "demo/config_": "bytecode",
        "demo/data/extra": "both",
        "demo/data/other": "both",
        "demo/data/plain": "bytecode",
        "other/config": "bytecode",
        "other/plain": "bytecode",
    }


TEMPLATES: dict[str, str | bytes] = {
    "python/demo/templates/generic/env.py": "VALUE = 1\n",
    "python/demo/ui/templates/__init__.py": "VALUE = 1\n",
    "python/demo/ui/templates/new/app.py": "VALUE = 1\n",
    "python/demo/templates.py": "VALUE = 1\n",
}


def test_what_is_for_copying_stays_a_source(tmp_path: Path) -> None:
    """As alembic's `templates/generic/env.py`."""
    assert modules(compiled(sources(TEMPLATES), tmp_path, mode="instead")) == {
        "demo/templates/generic/env": "source",
        "demo/ui/templates/__init__": "both",
        "demo/ui/templates/new/app": "both",
        "demo/templates": "bytecode",
    }
    assert modules(compiled(sources(TEMPLATES), tmp_path)) == {
        "demo/templates/generic/env": "source",
        "demo/ui/templates/__init__": "both",
        "demo/ui/templates/new/app": "both",
        "demo/templates": "both",
    }


def test_what_is_to_be_kept_stays_a_source(python: Interpreter, tmp_path: Path) -> None:
    files = {**PACKAGE, "python/demo/reading.py": "import inspect\ndef f(): return inspect.getsource(f)\n"}
    keep = frozenset({"python/demo/reading.py", "python/demo/none.txt"})
    done = compiled(sources(files), tmp_path, interpreter=python, mode="instead", keep=keep)
    assert modules(done) == {"demo/__init__": "bytecode", "demo/sub": "bytecode", "demo/reading": "both"}
    where = unpacked(list(done.values()), tmp_path / "out") / "python"
    assert run(python, where, "from demo.reading import f; print(f())").startswith("def f(): return inspect")
    beside = compiled(sources(files), tmp_path, interpreter=python, keep=keep)
    assert set(modules(beside).values()) == {"both"}


def test_bytecode_of_the_wheel_gives_way(tmp_path: Path) -> None:
    tag = f"{minor(HERE[0])[0]}{minor(HERE[0])[1]}"
    path = f"python/__pycache__/demo.cpython-{tag}.pyc"
    done = compiled(sources({"python/demo.py": "", path: b"stale"}), tmp_path)
    assert content(done[path]) != b"stale"
    assert len(done) == 2


def test_no_code_is_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    text = f"open({str(trace)!r}, 'w')\n"
    files = {f"python/{name}.py": text for name in ("demo", "sitecustomize", "re", "encodings")}
    assert len(compiled(sources({**files}), tmp_path)) == 8
    assert not trace.exists()


def test_compiled_once(tmp_path: Path) -> None:
    store = Shelf(tmp_path)
    entries = sources({"python/one.py": "VALUE = 1\n", "python/broken.py": "=\n"})
    entries += [entry._replace(path="python/two.py", origin="other") for entry in entries[:1]]
    first = compiled(entries, tmp_path, store=store)
    assert sorted(store.made) == [["python/one.py"], ["python/two.py"]]
    assert compiled(entries, tmp_path, store=store) == first
    instead = compiled(entries, tmp_path, mode="instead", store=store)
    assert instead["python/one.pyc"].source.endswith(".pack")
    assert len(store.made) == 4
    compiled(entries, tmp_path, mount="/var/task", store=store)
    assert len(store.made) == 6
    compiled(sources({"python/one.py": "VALUE = 2\n"}), tmp_path, store=store)
    assert len(store.made) == 7


def test_instead_of_sources_there_are_no_columns_to_underline_with(python: Interpreter, tmp_path: Path) -> None:
    entries = sources({"python/one.py": Path(textwrap.__file__).read_text(encoding="utf-8")})
    beside = compiled(entries, tmp_path, interpreter=python)
    instead = compiled(entries, tmp_path, interpreter=python, mode="instead")
    (path,) = (path for path in beside if path.endswith(".pyc"))
    less = beside[path].size - instead["python/one.pyc"].size
    assert less > 100 if minor(python) >= (3, 11) else less == 0


def test_what_was_compiled_once_needs_no_interpreter(tmp_path: Path) -> None:
    store = Shelf(tmp_path)
    entries = sources({"python/one.py": "VALUE = 1\n"})
    first = compiled(entries, tmp_path, store=store)
    gone = HERE[0]._replace(path="/nowhere/python")
    assert compiled(entries, tmp_path, interpreter=gone, store=store) == first


def test_an_interpreter_that_fails(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no heart >&2\nexit 3\n")
    broken.chmod(0o755)
    entries = sources({"python/one.py": "VALUE = 1\n"})
    with pytest.raises(OutsideError) as caught:
        compiled(entries, tmp_path, interpreter=Interpreter(str(broken), "3.12.1"))
    assert caught.value.what == "Python 3.12.1 can't compile bytecode"
    assert caught.value.why == (f"`{broken}` ended with 3", "no heart")
    with pytest.raises(OutsideError) as caught:
        compiled(entries, tmp_path, interpreter=Interpreter("/nowhere/python", "3.12.1"))
    assert caught.value.why == ("`/nowhere/python` can't be run: No such file or directory",)


def test_an_interpreter_that_a_file_brings_down(tmp_path: Path) -> None:
    """The others are compiled all the same, by another process."""
    own = find(OWN, offline=True)
    fragile = tmp_path / "python"
    # It reads as much as the first file has, and is gone
    fragile.write_text(
        f'#!/bin/sh\nif [ -e {tmp_path}/fell ]; then exec {own.path} "$@"; fi\n'
        f": > {tmp_path}/fell\nprintf '1234\\001\\000\\000\\000'\nhead -c 8 > /dev/null\nexit 139\n"
    )
    fragile.chmod(0o755)
    with Compiler(Interpreter(str(fragile), own.version), 2) as compiler:
        assert compiler.bytecode("a.py", b"VALUE = 1\n") == b""
        assert compiler.bytecode("a.py", b"VALUE = 1\n")[16:] == compiling.bytecode(b"VALUE = 1\n", "a.py")[16:]
