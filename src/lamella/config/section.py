"""One table of the configuration, read key by key, with the table's place in the file for every refusal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lamella.errors import ConfigError
from lamella.wording import did_you_mean

BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


class Section:
    """A table at `path` below the configuration's top.

    `prefix` is ("tool", "lamella") in pyproject.toml and empty in lamella.toml; `file` is the file's name for
    messages, as the caller reached it.
    """

    __slots__ = ("data", "file", "path", "prefix")

    def __init__(
        self, data: Mapping[str, object], file: str, prefix: tuple[str, ...], path: tuple[str, ...] = ()
    ) -> None:
        self.data = data
        self.file = file
        self.prefix = prefix
        self.path = path

    def place(self, key: str | None = None) -> str:
        """Where the table, or one key of it, stands: ``[tool.lamella.layers.layer] groups``."""
        header = ".".join(written_key(part) for part in (*self.prefix, *self.path))
        if key is None:
            return f"[{header}]"
        return f"[{header}] {written_key(key)}" if header else written_key(key)

    def refuse(self, key: str | None, problem: str, *, why: Iterable[str] = (), hint: str | None = None) -> ConfigError:
        """The error for `key`, to be raised: the place, the file, then `problem` as the sentence's verb."""
        return ConfigError(f"`{self.place(key)}` in {self.file} {problem}", why=why, hint=hint)

    def wrong_type(self, key: str, expected: str, found: object, hint: str) -> ConfigError:
        return self.refuse(key, f"must be {expected}", why=(f"found {described(found)}",), hint=hint)

    def only(self, known: Iterable[str]) -> None:
        """Refuse the first key that is not among `known`."""
        names = sorted(known)
        for key in self.data:
            if key not in names:
                close = did_you_mean(key.lower().replace("_", "-"), names)
                raise self.refuse(
                    key,
                    "is not a known key",
                    why=(f"known keys: {', '.join(names)}",),
                    hint=close or "remove it; keys of later versions of lamella are refused, not ignored",
                )

    def text(self, key: str) -> str | None:
        """The string at `key`, or None where the key is left out."""
        value = self.data.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.wrong_type(key, "a string", value, f'write `{written_key(key)} = "…"`')
        return self._printable(key, value)

    def texts(self, key: str, *, or_one: bool = False) -> tuple[str, ...] | None:
        """The list of different strings at `key`, or None where it is left out.  `or_one`: a bare string, too."""
        value = self.data.get(key)
        if value is None:
            return None
        if or_one and isinstance(value, str):
            value = [value]
        expected = "a string or a list of strings" if or_one else "a list of strings"
        if not isinstance(value, list):
            sample = value if isinstance(value, str) and value.isprintable() else "…"
            raise self.wrong_type(key, expected, value, f'write `{written_key(key)} = ["{sample}"]`')
        found: list[str] = []
        for item in value:
            if not isinstance(item, str):
                raise self.wrong_type(key, expected, item, f'write `{written_key(key)} = ["…"]`')
            found.append(self._printable(key, item))
        self.different(key, found)
        return tuple(found)

    def flag(self, key: str) -> bool:
        """The boolean at `key`; False where it is left out."""
        value = self.data.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong_type(key, "true or false", value, f"write `{written_key(key)} = true`")
        return value

    def whole(self, key: str, least: int, most: int, *, unit: str) -> int | None:
        """The whole number at `key`, from `least` to `most`, or None where it is left out."""
        value = self.data.get(key)
        if value is None:
            return None
        # A boolean is an integer to Python, and not to TOML
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.refuse(
                key,
                f"must be a whole number of {unit} from {least} to {most}",
                why=(f"found {described(value)}",),
                hint=f"write `{written_key(key)} = {most if isinstance(value, int) and value > most else least}`, say",
            )
        return value

    def number(self, key: str, most: float, *, unit: str = "", example: float = 1) -> float | None:
        """The number at `key`, above 0 and at most `most`, or None where it is left out."""
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= most:
            return float(value)
        raise self.refuse(
            key,
            f"must be a number{unit and f' of {unit}'} above 0, at most {most:g}",
            why=(f"found {described(value)}",),
            hint=f"write `{written_key(key)} = {example:g}`, say",
        )

    def table(self, key: str, example: str) -> Section | None:
        """The table at `key`, or None where it is left out.  `example` is the whole line that a hint shows."""
        value = self.data.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.wrong_type(key, "a table", value, f"write `{example}`")
        return Section(value, self.file, self.prefix, (*self.path, key))

    def rows(self, key: str, example: str) -> Iterator[Section]:
        """The tables of the list at `key`.  Messages count them: ``[….smoke.1]`` is the first.

        `example` is the whole line that a hint shows.
        """
        value = self.data.get(key, [])
        if not isinstance(value, list):
            raise self.wrong_type(key, "a list of tables", value, f"write `{example}`")
        for number, table in enumerate(value, 1):
            if not isinstance(table, dict):
                raise self.wrong_type(key, "a list of tables", table, f"write `{example}`")
            yield Section(table, self.file, self.prefix, (*self.path, key, str(number)))

    def one_of(self, key: str, known: tuple[str, ...]) -> str | None:
        """The string at `key`, one of `known`, or None where it is left out."""
        value = self.text(key)
        if value is not None and value not in known:
            raise self.refuse(
                key,
                f"must be one of {', '.join(known)}",
                why=(f"found {described(value)}",),
                hint=did_you_mean(value, known),
            )
        return value

    def different(self, key: str, items: Iterable[str]) -> None:
        """Refuse an item that stands twice."""
        seen: set[str] = set()
        for item in items:
            if item in seen:
                raise self.refuse(key, f"lists `{item}` twice", hint="remove one of them")
            seen.add(item)

    def sections(self, key: str) -> Iterator[tuple[str, Section]]:
        """The tables below `key`, in the file's order: (name, table)."""
        value = self.data.get(key, {})
        example = ".".join((*self.prefix, *self.path, key, "NAME"))
        if not isinstance(value, dict):
            raise self.wrong_type(key, "a table of tables", value, f"write `[{example}]`")
        for name, table in value.items():
            if not isinstance(table, dict):
                below = Section(value, self.file, self.prefix, (*self.path, key))
                raise below.wrong_type(name, "a table", table, f"write `[{example}]` with its keys below")
            yield name, Section(table, self.file, self.prefix, (*self.path, key, name))

    def _printable(self, key: str, value: str) -> str:
        if not value:
            raise self.refuse(key, "must not be empty", why=('found ""',), hint="give it a value or remove it")
        if not value.isprintable():
            raise self.refuse(
                key, "holds a character that can't be printed", why=(f"found {described(value)}",), hint="remove it"
            )
        return value


def written_key(key: str) -> str:
    """The key as TOML writes it: bare where it can be, else quoted with escapes, so it is safe on a terminal."""
    if key and BARE.issuperset(key):
        return key
    return '"' + escaped(key) + '"'


def escaped(text: str) -> str:
    return "".join(
        f"\\{c}"
        if c in '"\\'
        else c
        if c.isprintable()
        else f"\\u{ord(c):04x}"
        if ord(c) < 65536
        else f"\\U{ord(c):08x}"
        for c in text
    )


def described(value: object) -> str:
    """A TOML value for a message: its kind and, when that is short, the value."""
    if isinstance(value, str):
        short = value if len(value) <= 60 else value[:57] + "…"
        return f'the string "{escaped(short)}"'
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, int):
        # Python refuses to print integers of more than 4300 digits
        return f"the integer {value}" if abs(value) < 10**20 else "an integer"
    if isinstance(value, float):
        return f"the number {value}"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, dict):
        return "a table"
    return f"the date or time {value}"
