"""What the pages say is so: their configurations, their command lines, what commands print."""

from __future__ import annotations

import argparse
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from docs.pages import DOCS, ROOT, anchors, section, slug, written
from docs.printed import SESSION, TROUBLES, filled, masked, names
from tests.docs.cases import CASES, Desk
from tests.docs.session import commands as session_commands
from tests.docs.session import played
from tests.test_readme import PROJECT, _project

from docs import commands
from lamella.cli import app
from lamella.config import container, read
from lamella.errors import LamellaError
from lamella.interpreter import find

README = (ROOT / "README.md").read_text()
PAGES = {path.relative_to(DOCS).as_posix(): path.read_text() for path in sorted(DOCS.rglob("*.md"))}

# Sections of README.md that the site says in pages of its own
ELSEWHERE = {"Quick start": "first-layer.md", "Commands": "commands/index.md", "With other tools": "index.md"}

_FENCE = re.compile(r"^( *)```(?P<kind>\w*)[^\n]*\n(?P<body>.*?)^\1```$", re.DOTALL | re.MULTILINE)


def _tables() -> list[tuple[str, str]]:
    """Each TOML block that configures lamella, with its page."""
    return [
        (place, found["body"])
        for place, text in PAGES.items()
        for found in _FENCE.finditer(text)
        if found["kind"] == "toml" and "tool.lamella" in found["body"]
    ]


@pytest.mark.parametrize(("place", "text"), _tables(), ids=lambda value: value.partition("\n")[0])
def test_configurations_are_read(tmp_path: Path, place: str, text: str) -> None:  # noqa: ARG001
    text = text.replace("sha256:…", f"sha256:{'0' * 64}")  # pages leave out what nobody reads
    tree = tomllib.loads(text)
    project = _project(tmp_path, text if "project" in tree else PROJECT + text)
    settings = read.read(str(project))
    written_there = tree["tool"]["lamella"]
    assert [layer.key for layer in settings.layers] == list(written_there.get("layers", {}))
    assert [function.key for function in settings.functions] == list(written_there.get("functions", {}))


def _lines(text: str) -> set[str]:
    """Command lines of lamella: in shells' fences, behind a prompt, and in the text."""
    found = set()
    for fence in _FENCE.finditer(text):
        body = fence["body"].replace("\\\n", " ")
        prompts = r"^\s*(?:\$ )?" if fence["kind"] in ("sh", "bash", "console") else r"^\s*\$ "
        found |= set(re.findall(rf"{prompts}(lamella [^\n]*)", body, re.MULTILINE))
    outside = _FENCE.sub("", text)
    return found | {" ".join(line.split()) for line in re.findall(r"`(lamella [^`]+)`", outside)}


def _all_lines() -> list[tuple[str, str]]:
    return [(place, line) for place, text in PAGES.items() for line in sorted(_lines(text))]


@pytest.mark.parametrize(("place", "line"), _all_lines(), ids=lambda value: value)
def test_command_lines_have_commands_and_options_that_exist(place: str, line: str) -> None:
    words = _words(line)
    if words[1:2] in ([], ["--version"], ["--help"], ["COMMAND"], ["…"]):
        return
    assert words[1] in app.COMMANDS, f"{place}: {line}"
    known = {name for action in app.parser(words[1])._actions for name in action.option_strings}
    own = words[: words.index("--")] if "--" in words else words
    for word in own[2:]:
        if re.match(r"--?[a-z]", word):
            assert word.partition("=")[0] in known, f"{place}: {line}"


def _words(line: str) -> list[str]:
    """Up to what a shell takes for something else."""
    line = re.split(r"\s(?:\||\|\||&&|>|<|2>&1|;|#)(?:\s|$)", line)[0].rstrip(";)")
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def test_every_section_of_the_readme_is_in_the_site() -> None:
    places = anchors(PAGES, README)
    for heading in re.findall(r"^## (.+)$", README, re.MULTILINE):
        assert slug(heading) in places or heading in ELSEWHERE, heading
    for place in ELSEWHERE.values():
        assert place in PAGES or place == "commands/index.md"


def test_a_section_ends_where_the_next_begins() -> None:
    text = "# A\n\n## B\nb\n\n```sh\n# no heading\n```\n\n### C\nc\n\n## D\n"
    assert section(text, "B") == "## B\nb\n\n```sh\n# no heading\n```\n\n### C\nc\n"
    assert section(text, "D") == "## D\n"
    with pytest.raises(ValueError, match="no section 'E'"):
        section(text, "E")


def test_nothing_is_left_of_comments_that_stand_for_something() -> None:
    for place, text in written(DOCS).items():
        assert "<!-- readme:" not in text, place
        assert "<!-- code:" not in text, place


def test_each_command_has_a_page_with_its_options() -> None:
    pages = commands.pages()
    assert sorted(pages) == sorted(["commands/index.md", *(f"commands/{name}.md" for name in app.COMMANDS)])
    for name in app.COMMANDS:
        page = pages[f"commands/{name}.md"]
        assert f"[`lamella {name}`]({name}.md)" in pages["commands/index.md"]
        for action in app.parser(name)._actions:
            for option in action.option_strings:
                if action.help is not argparse.SUPPRESS:
                    assert re.search(rf"^\| .*`{option}[` ]", page, re.MULTILINE), (name, option)
        for heading in ("Usage", "Options", "Examples", "Exit codes"):
            assert f"\n## {heading}\n" in page, (name, heading)
    assert {*commands.FOUND, *commands.OWN} <= set(app.COMMANDS)


def test_examples_are_lines_of_a_shell() -> None:
    text = "lamella build            all of it\nlamella build layer one  the one\nlamella check"
    assert commands.commented(text).splitlines() == [
        "lamella build            # all of it",
        "lamella build layer one  # the one",
        "lamella check",
    ]


def test_what_does_not_fit_beside_an_example_stands_above_it() -> None:
    text = "lamella build  " + "all of it, " * 6 + "\nlamella check\nlamella size  what is in it"
    assert commands.commented(text).splitlines() == [
        f"# {'all of it, ' * 6}",
        "lamella build",
        "",
        "lamella check",
        "",
        "# what is in it",
        "lamella size",
    ]
    for name, page in commands.pages().items():
        wide = [line for line in page.splitlines() if re.search(r"\S  # ", line) and len(line) > commands.SHOWN]
        assert not wide, name


def test_words_and_what_they_mean_are_a_table() -> None:
    assert commands.table("size     of --all\nclosure  what `x` is") == (
        "| | |\n|---|---|\n| `size` | of `--all` |\n| `closure` | what `x` is |"
    )
    assert commands.table("one\ntwo  three") == "```text\none\ntwo  three\n```"


def test_prose_as_a_page_has_it() -> None:
    text = "It is `lamella\nplan` that compares: `lamella[aws]`, *all*.\n  one  a|b\n  two\nSee --json."
    assert commands.prose(text) == (
        "It is `lamella\nplan` that compares: `lamella[aws]`, \\*all\\*.\n\n"
        "```text\none  a|b\ntwo\n```\n\nSee `--json`."
    )


def test_exit_codes_of_an_epilog() -> None:
    epilog = "examples:\n  lamella x  does\n\nexit codes: 0 fine, 1 one, or\nnot, 3 AWS, say, 2 things\n"
    blocks = commands.blocks_of(epilog)
    assert blocks == [("examples", "lamella x  does"), ("exit codes", "0 fine, 1 one, or\nnot, 3 AWS, say, 2 things")]


def test_each_page_of_trouble_has_a_case() -> None:
    pages = {path.stem for path in TROUBLES.glob("*.md")} - {"index"}
    assert pages == set(CASES)
    index = (TROUBLES / "index.md").read_text()
    assert all(f"({name}.md)" in index for name in pages)


@pytest.mark.parametrize("name", CASES)
def test_what_is_shown_of_trouble_is_what_is_printed(tmp_path: Path, name: str) -> None:
    page = (TROUBLES / f"{name}.md").read_text()
    for minor in (11, 12):
        if f"python3.{minor}" in page:
            _need(minor)
    desk = Desk(tmp_path)
    CASES[name](desk)
    assert sorted(names(page)) == sorted(desk.printed)
    assert masked(page) == masked(filled(page, desk.printed)), "docs/printed.py writes it anew"


@pytest.mark.journey
def test_the_first_layer(tmp_path: Path) -> None:
    """Every command of the page, in its order, in an empty folder."""
    _need(12)
    page = SESSION.read_text()
    assert [line.split()[1] for line in session_commands(page) if line.startswith("lamella ")] == [
        *("init", "build", "check", "invoke", "size", "why", "build")
    ]
    assert masked(page) == masked(played(page, tmp_path, {})), "docs/printed.py writes it anew"


def _need(minor: int) -> None:
    try:
        find((3, minor), offline=True, install=False)
    except LamellaError:
        pytest.skip(f"python3.{minor} is not on this machine: set PYENV_VERSION, or run `uv python install 3.{minor}`")


def test_the_table_of_the_container_has_its_keys() -> None:
    page = (DOCS / "guides/containers.md").read_text()
    table = page[page.index("[tool.lamella.container]") :]
    assert sorted(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == sorted(container.KEYS)
