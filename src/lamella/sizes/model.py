"""What an artifact is made of, and what is said of it.  Values only; sizes are in bytes."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One file of a wheel, of the project's own code, or made by the build.

    `path` is where it is in the archive, or would have been.  `distribution` is the normalized name, "" for the
    project's own files, as is `wheel`, the wheel's file name.  `rule` is what decided: "" for no rule, a pruning
    rule's name, "keep", "drop", "services", "without", "unreached", "bytecode" (the source was replaced by its
    bytecode, or this is bytecode), "equal" (it became a link), "include", "exclude" or "never" (a file of the project's
    own is left out).  `reason` is a sentence.

    `before_…` are sizes in the wheel, 0 for what was made; `zipped` and `unzipped` those in the artifact, 0 for what
    is out.  Zipped ones include the records of the zip.  `changes` are all that were made to a kept file, in order:
    "blanked", "recompressed", "linked to libarrow_python.so.2600", "compiled".  `zipped_between` is the zipped size of
    a file that was blanked before it was recompressed, 0 for others.
    """

    path: str
    distribution: str
    version: str
    wheel: str
    kept: bool
    rule: str
    reason: str
    before_zipped: int
    before_unzipped: int
    zipped: int
    unzipped: int
    changes: tuple[str, ...]
    zipped_between: int = 0


class Explained(NamedTuple):
    """An artifact by its key and file name, with every file that it has or could have from its wheels.

    `left_out` are the project's own files that it could have had; a path with a slash at its end is a folder, which
    stands for all below it.  They count for nothing.
    """

    key: str
    file: str
    rows: tuple[Row, ...]
    left_out: tuple[Row, ...] = ()


class Placed(NamedTuple):
    """A row with its kind of file, and the rule or step that took it out, changed or made it ("" for none)."""

    row: Row
    kind: str
    step: str


class Size(NamedTuple):
    """How many files, and what they take.  Sizes add up; of a difference each part may be negative."""

    members: int
    zipped: int
    unzipped: int

    def plus(self, other: Size) -> Size:
        return Size(self.members + other.members, self.zipped + other.zipped, self.unzipped + other.unzipped)

    def minus(self, other: Size) -> Size:
        return Size(self.members - other.members, self.zipped - other.zipped, self.unzipped - other.unzipped)


NOTHING = Size(0, 0, 0)


class Share(NamedTuple):
    """What one distribution, or one kind of file, takes: in the wheels and in the artifact."""

    name: str
    version: str
    before: Size
    after: Size


class Saving(NamedTuple):
    """What one rule or step took away from the artifact; negative where it added.

    `name` is the name of a rule, or of a step: "blanking", "links", "recompression", "bytecode".  `members` are the
    files that it took out, changed or added.  `reason` is the one that most of them have.
    """

    name: str
    members: int
    zipped: int
    unzipped: int
    reason: str


class Sums(NamedTuple):
    """An artifact's sums.  `before` less the zipped and unzipped sizes of all `savings` is `after`."""

    before: Size
    after: Size
    distributions: tuple[Share, ...]
    kinds: tuple[Share, ...]
    savings: tuple[Saving, ...]


class Group(NamedTuple):
    """The files of an answer with one fate, decided by one rule; `reason` is the one that most of them have."""

    kept: bool
    rule: str
    reason: str
    files: int
    before: Size
    after: Size


class Answer(NamedTuple):
    """Why what was asked for is in or out.  `what` is "file", "folder", "distribution", "pattern" or "absent".

    `rows` are all files that are meant, by path; for "absent" there is one, which stands for a whole distribution that
    has nothing in the artifact.
    """

    what: str
    path: str
    rows: tuple[Row, ...]
    groups: tuple[Group, ...]


class Member(NamedTuple):
    """A file of a finished zip.  `zipped` includes its records; `packed` is the length of its stream."""

    path: str
    distribution: str
    crc: int
    mode: int
    packed: int
    zipped: int
    unzipped: int


class Contents(NamedTuple):
    """A finished zip: its members by path, and the versions of the distributions in it ("" for unknown ones)."""

    path: str
    members: dict[str, Member]
    versions: dict[str, str]


class PathChange(NamedTuple):
    """What became of one path.

    `how` is "added", "removed", "changed" (other bytes, or another mode) or "repacked" (the same bytes, compressed
    in another way).  `old` and `new` are None where there is none.
    """

    path: str
    distribution: str
    how: str
    old: Member | None
    new: Member | None

    @property
    def zipped(self) -> int:
        return (self.new.zipped if self.new else 0) - (self.old.zipped if self.old else 0)

    @property
    def unzipped(self) -> int:
        return (self.new.unzipped if self.new else 0) - (self.old.unzipped if self.old else 0)


class DistributionChange(NamedTuple):
    """What became of one distribution: `how` is "added", "removed", "updated" (another version) or "changed".

    `counts` are the numbers of its added, removed and changed files; a repacked one counts as changed.
    """

    name: str
    how: str
    old_version: str
    new_version: str
    old: Size
    new: Size
    counts: tuple[int, int, int]


class Comparison(NamedTuple):
    """Two artifacts under one key.  `how` is "added", "removed", "changed" or "same"."""

    key: str
    how: str
    old: Size
    new: Size
    distributions: tuple[DistributionChange, ...]
    paths: tuple[PathChange, ...]
