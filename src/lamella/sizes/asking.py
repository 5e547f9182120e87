"""Which files are meant by what a person asks about, and why they are in or out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from lamella.errors import UsageError
from lamella.sizes.kinds import at_site
from lamella.sizes.model import Answer, Explained, Group, Row
from lamella.sizes.sums import after, before, total
from lamella.wording import closest, printable

_MOUNT = re.compile(r"(\./|/opt/|/var/task/)?/*")
_GLOB = re.compile(r"[*?\[]")


class UnknownError(UsageError):
    """What was asked for is no file, folder, distribution or module that the artifact could have."""


def ask(explained: Explained, asked: str) -> Answer:
    """The files that `asked` means.

    It is a path in the archive, one below the folder of importable code ("numpy/tests"), or either behind `/opt/` or
    `/var/task/`: of a file or a folder; else a pattern as `keep` and `drop` take it, the name of a distribution or of
    a module ("numpy.testing").  What lies in a folder that is left out as a whole is left out with it.
    Raises UsageError for a pattern without a match, UnknownError for what is none of these, with what was probably
    meant.
    """
    rows = sorted((*explained.rows, *explained.left_out), key=lambda row: row.path)
    path = asked[_MOUNT.match(asked).end() :].rstrip("/")  # type: ignore[union-attr]
    if path in ("", "."):
        return _answer("folder", ".", rows)
    for what, wanted in (
        ("file", lambda own: own == path),
        ("folder", lambda own: own.startswith(path + "/")),
    ):
        found = _found(rows, wanted)
        if found:
            return _answer(what, path, found)
    whole = next((row for row in explained.left_out if row.path.endswith("/") and path.startswith(row.path)), None)
    if whole is not None:
        return _answer("file", path, [whole._replace(path=path, reason=f"of `{whole.path}`: {whole.reason}")])
    if _GLOB.search(path):
        found = _matching(rows, path)
        if found:
            return _answer("pattern", path, found)
        raise UsageError(
            f"no file of `{explained.key}` matches `{printable(path)}`",
            hint="patterns are read as in .gitignore, against the path below the folder of importable code",
        )
    name = re.sub(r"[-_.]+", "-", path).lower()  # PyPA spec: name normalization
    found = [row for row in rows if row.distribution == name]
    if found:
        return _answer("distribution", name, found)
    found = _module(rows, path)
    if found:
        return _answer("file" if len({row.path for row in found}) == 1 else "folder", path, found)
    raise _unknown(explained, path, rows)


def absent(asked: str, name: str, rule: str, reason: str) -> Answer:
    """The answer to what would be of the distribution `name`, which has nothing in the artifact."""
    row = Row(asked, name, "", "", False, rule, reason, 0, 0, 0, 0, ())
    return _answer("absent", asked, [row])


def missing(explained: Explained, asked: str) -> str | None:
    """The distribution that may be meant when its name, or a path in a package of its name, is asked for.

    None when that one has files in the artifact, or could have: then it is the path that is wrong.
    """
    path = asked[_MOUNT.match(asked).end() :]  # type: ignore[union-attr]
    name = re.sub(r"[-_.]+", "-", at_site(path).partition("/")[0]).lower()
    return None if any(row.distribution == name for row in explained.rows) else name


def _found(rows: Iterable[Row], wanted: Callable[[str], bool]) -> list[Row]:
    return [row for row in rows if wanted(row.path) or wanted(at_site(row.path))]


def _matching(rows: Iterable[Row], pattern: str) -> list[Row]:
    import pathspec  # 50 ms; only a pattern needs it

    try:
        return _found(rows, pathspec.GitIgnoreSpec.from_lines([pattern]).match_file)
    except (ValueError, re.error) as error:
        raise UsageError(
            f"`{printable(pattern)}` can't be read as a pattern",
            why=[str(error)],
            hint="patterns are written as in .gitignore",
        ) from error


def _module(rows: Sequence[Row], dotted: str) -> list[Row]:
    """The files of a module by its dotted name."""
    if "/" in dotted or "." not in dotted:
        return []
    path = dotted.replace(".", "/")
    ways = (
        lambda own: own.startswith(path + "/"),
        lambda own: own == path + ".py" or (own.startswith(path + ".") and own.endswith(".so")),
    )
    return next(filter(None, (_found(rows, way) for way in ways)), [])


def _answer(what: str, path: str, rows: Sequence[Row]) -> Answer:
    return Answer(what, path, tuple(rows), tuple(grouped(rows)))


def grouped(rows: Iterable[Row]) -> list[Group]:
    """The rows by fate and rule: what is in before what is out, each largest first."""
    found: dict[tuple[bool, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.kept, row.rule), []).append(row)
    groups = []
    for (kept, rule), members in found.items():
        sizes = total(map(before, members)), total(map(after, members))
        groups.append(Group(kept, rule, _reason(members), len(members), *sizes))
    return sorted(groups, key=lambda group: (not group.kept, -max(group.before.unzipped, group.after.unzipped)))


def _reason(rows: Sequence[Row]) -> str:
    """The reason that most of the rows have, and how many others there are."""
    counted = Counter(row.reason for row in rows)
    ((first, _),) = counted.most_common(1)
    others = len(counted) - 1
    return f"{first} (and {others} other reason{'s' * (others != 1)})" if others else first


def _unknown(explained: Explained, path: str, rows: Sequence[Row]) -> UnknownError:
    meant = _nearest(path, [row.path for row in rows])
    return UnknownError(
        f"`{printable(path)}` is neither in `{explained.key}` nor in what it is made of",
        hint=f"did you mean `{meant}`?" if meant else f"`lamella why {explained.key} /` tells of all that is there",
    )


def _nearest(path: str, paths: Sequence[str]) -> str | None:
    """The path or folder that was probably meant: step by step down, then by the last name alone."""
    sites = sorted({own[: len(own) - len(at_site(own))] for own in paths}, key=len)
    for site in sites:
        below = [own.split("/") for own in (path[len(site) :] for path in paths if path.startswith(site))]
        walked = _walk(path.removeprefix(site).split("/"), below)
        if walked:
            return walked
    name = path.rpartition("/")[2]
    return next((at_site(own) for own in paths if own.endswith("/" + name)), None)


def _walk(parts: Sequence[str], below: Sequence[Sequence[str]]) -> str | None:
    walked: list[str] = []
    for part in parts:
        children = {own[0] for own in below if own}
        step = part if part in children else closest(part, children)
        if step is None:
            return None
        walked.append(step)
        below = [own[1:] for own in below if own and own[0] == step]
    return "/".join(walked)
