"""Admission: look at a wheel whole, once, before anything of it is used.

Hash, structure, every byte of every member, and what its `.dist-info` says must agree.  No global state: several
threads may admit wheels at once, and zlib and hashlib let them run.
"""

from __future__ import annotations

import base64
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from lamella.archive.directory import refuse
from lamella.archive.proof import Proof, prove_link
from lamella.archive.reader import Archive, RawMember, read_open
from lamella.errors import ArchiveError
from lamella.wheels import distinfo
from lamella.wheels.model import Member, Wheel
from lamella.wording import printable

STRONG = ("sha256", "sha512", "sha384", "blake2b", "sha3_256", "sha3_512")
RECORD_ALGORITHMS = ("sha256", "sha384", "sha512")

# More than this, and more than a hundred times the wheel's own size, is no wheel but a bomb: the fullest real ones
# (tables of text, zeroed images) stay under 20:1
BOMB_BYTES = 1024**3
BOMB_RATIO = 100

# What is parsed is held whole: RECORD of a hundred thousand files has about 12 MiB
PARSED_BYTES = 32 * 1024**2
_FILE_PIECE = 1024 * 1024
# Members of at least so many bytes are inflated side by side, by at most so many threads a wheel
_LARGE = 1024 * 1024
_INFLATING = min(4, os.cpu_count() or 1)


class _DistInfo(NamedTuple):
    """The members of `.dist-info` that are parsed, and the directory's name with its slash."""

    directory: str
    record: RawMember
    metadata: RawMember
    wheel: RawMember
    entry_points: RawMember | None


class _Told(NamedTuple):
    """What those members say."""

    rows: dict[str, distinfo.Row]
    metadata: distinfo.Metadata
    purelib: bool
    scripts: tuple[tuple[str, str], ...]


def admit(
    path: str,
    *,
    filename: str,
    expected: tuple[tuple[str, str], ...] = (),
    name: str | None = None,
    version: str | None = None,
) -> Wheel:
    """Look at the wheel at `path` whole; `filename` is what the index calls it.

    `expected` are (algorithm, hex) pairs.  With a sha256 among them, the file's must be one of those; without,
    every strong algorithm that is named must match.  `name` and `version` are what the lock pins.
    Raises ArchiveError for the first disagreement.  Writes nothing.
    """
    try:
        written, number, _, tags = parse_wheel_filename(filename)
    except (InvalidWheelFilename, InvalidVersion):
        refuse(filename, "its file name is not that of a wheel: name-version-python-abi-platform.whl")
    _check_pin(filename, written, number, name, version)
    file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        sha256 = _check_hashes(file, filename, expected)
        archive = read_open(file, filename)
        _check_bomb(archive)
        info = _find_dist_info(archive, written, number)
        _check_data(archive, written, number)
        told = _parse(file, info, filename)
        _check_description(told.metadata, filename, written, number, info.metadata.name)
        return Wheel(
            name=written,
            version=str(number),
            filename=filename,
            sha256=sha256,
            path=path,
            purelib=told.purelib,
            tags=tuple(sorted(map(str, tags))),
            requires=told.metadata.requires,
            requires_python=told.metadata.requires_python,
            scripts=told.scripts,
            members=_prove(file, archive, info, told.rows),
        )
    finally:
        os.close(file)


def _check_pin(filename: str, written: str, number: Version, name: str | None, version: str | None) -> None:
    if name is not None and canonicalize_name(name) != written:
        refuse(filename, f"the lock asks for `{name}`, the file is of `{written}`")
    if version is None:
        return
    pinned = Version(version)
    # PEP 440: a pin without a local version label is met by any label
    if pinned != (number if pinned.local else Version(number.public)):
        refuse(filename, f"the lock asks for version {version}, the file is of {number}")


def _check_hashes(file: int, filename: str, expected: tuple[tuple[str, str], ...]) -> str:
    """Hash the file in pieces, once; return its sha256."""
    wanted: dict[str, set[str]] = {}
    for algorithm, digest in expected:
        wanted.setdefault(algorithm.lower(), set()).add(digest.lower())
    asked = ["sha256"] if "sha256" in wanted else [algorithm for algorithm in wanted if algorithm in STRONG]
    if expected and not asked:
        raise ArchiveError(
            f"`{printable(filename)}` can't be verified",
            why=(f"the lock gives only {', '.join(sorted(wanted))}, which is too weak or unknown",),
            hint="lock again with a tool that writes sha256 hashes, such as `uv lock` or `uv export`",
        )
    digests = {algorithm: hashlib.new(algorithm) for algorithm in {"sha256", *asked}}
    offset = 0
    while piece := os.pread(file, _FILE_PIECE, offset):
        for digest_of in digests.values():
            digest_of.update(piece)
        offset += len(piece)
    for algorithm in asked:
        found = digests[algorithm].hexdigest()
        if found not in wanted[algorithm]:
            raise ArchiveError(
                f"`{printable(filename)}` is not the file that was locked",
                why=(
                    f"its {algorithm} is  {found}",
                    *(f"the lock has {' ' * len(algorithm)}{digest}" for digest in sorted(wanted[algorithm])[:3]),
                ),
                hint="if the file was published anew on purpose, lock again; if not, tell whoever runs the index",
            )
    return digests["sha256"].hexdigest()


def _check_bomb(archive: Archive) -> None:
    total = sum(member.size for member in archive.members)
    if total > BOMB_BYTES and total > BOMB_RATIO * archive.size:
        refuse(archive.path, f"its {archive.size} bytes unpack to {total}: it is a zip bomb")


def _find_dist_info(archive: Archive, name: str, version: Version) -> _DistInfo:
    """Find the one `.dist-info` at the wheel's root, which must be that of its file name."""
    tops = {member.name.partition("/")[0] for member in archive.members if "/" in member.name}
    directories = sorted(top for top in tops if top.endswith(".dist-info"))
    if len(directories) != 1:
        refuse(archive.path, f"it has {len(directories)} `.dist-info` directories; a wheel has one")
    directory = directories[0]
    if not distinfo.is_dist_info(directory, name, version):
        refuse(archive.path, "its name disagrees with the wheel's file name", directory)
    inside = {member.name: member for member in archive.members if member.name.startswith(directory)}
    found = [inside.get(f"{directory}/{file}") for file in ("RECORD", "METADATA", "WHEEL", "entry_points.txt")]
    for member in found:
        if member is not None and (member.mode == 0o120777 or member.size > PARSED_BYTES):
            refuse(archive.path, f"it is a link, or has more than {PARSED_BYTES} bytes", member.name)
    record, metadata, wheel, entry_points = found
    if record is None or metadata is None or wheel is None:
        refuse(archive.path, "it has not all of RECORD, METADATA and WHEEL", directory)
    return _DistInfo(f"{directory}/", record, metadata, wheel, entry_points)


def _check_data(archive: Archive, name: str, version: Version) -> None:
    """Hold the names below `NAME-VERSION.data` against the specification: `SCHEME/PATH`.

    pip takes any folder at the root that ends in `.data` for it, others only the one of the very name: a second one
    would be installed by some and left where it lies by others.
    """
    for member in archive.members:
        folder, _, inner = member.name.partition("/")
        if not inner or not folder.endswith(".data") or member.is_dir:
            continue
        if not distinfo.is_dist_info(folder, name, version):
            refuse(archive.path, "a `.data` folder of another name than the wheel's is installed by some only", folder)
        if "/" not in inner:
            refuse(archive.path, "it is a file where `.data` has a folder for each scheme", member.name)


def _parse(file: int, info: _DistInfo, filename: str) -> _Told:
    def content(member: RawMember) -> tuple[bytes, str, str]:
        return b"".join(Proof(file, member, filename).pieces()), filename, member.name

    return _Told(
        rows=distinfo.parse_record(*content(info.record)),
        metadata=distinfo.parse_metadata(*content(info.metadata)),
        purelib=distinfo.parse_wheel(*content(info.wheel)),
        scripts=distinfo.parse_scripts(*content(info.entry_points)) if info.entry_points is not None else (),
    )


def _check_description(found: distinfo.Metadata, filename: str, name: str, version: Version, member: str) -> None:
    if found.name != name or Version(found.version) != version:
        described = printable(f"{found.name} {found.version}")
        refuse(filename, f"it describes {described}, its file name {name} {version}", member)


def _prove(file: int, archive: Archive, info: _DistInfo, rows: dict[str, distinfo.Row]) -> tuple[Member, ...]:
    """Inflate every member once, against its headers and its line in RECORD, which must list nothing else.

    Large members are inflated side by side: zlib and hashlib let other threads run meanwhile.
    """
    unhashed = {info.record.name, f"{info.directory}RECORD.jws", f"{info.directory}RECORD.p7s"}
    lines = {raw.name: rows.pop(raw.name, None) for raw in archive.members}

    def prove(raw: RawMember) -> Member | None:
        return _prove_member(file, raw, lines[raw.name], archive.path, hashed=raw.name not in unhashed)

    large = sorted((raw for raw in archive.members if raw.size >= _LARGE), key=lambda raw: -raw.size)
    proven: dict[str, Member | None] = {}
    if len(large) > 1:
        with ThreadPoolExecutor(_INFLATING) as pool:
            try:
                proven.update(zip((raw.name for raw in large), pool.map(prove, large), strict=True))
            except ArchiveError:
                pool.shutdown(cancel_futures=True)
                raise
    members = [proven[raw.name] if raw.name in proven else prove(raw) for raw in archive.members]
    for path in rows:
        refuse(archive.path, "RECORD lists it, and the wheel does not hold it", path)
    return tuple(member for member in members if member is not None)


def _prove_member(file: int, raw: RawMember, row: distinfo.Row | None, filename: str, *, hashed: bool) -> Member | None:
    """Prove one member; None for a folder, which no archive of ours repeats."""
    proof = Proof(file, raw, filename)
    if hashed and not raw.is_dir:
        _check_row(proof, raw, row, filename)
    else:
        proof.feed()
    if raw.is_dir:
        return None
    if raw.mode == 0o120777:
        prove_link(file, raw, filename, root=_moved_as_one(raw.name))
    return Member(raw.name, raw.offset, raw.packed, raw.size, raw.crc, proof.packed_crc, raw.method, raw.mode)


def _moved_as_one(name: str) -> str:
    """Return the directory that a link may not leave: `NAME.data/SCHEME/` is installed elsewhere, as one."""
    data, _, rest = name.partition("/")
    scheme, separator, _ = rest.partition("/")
    return f"{data}/{scheme}/" if data.endswith(".data") and separator else ""


def _check_row(proof: Proof, raw: RawMember, row: distinfo.Row | None, filename: str) -> None:
    if row is None:
        refuse(filename, "RECORD does not list it", raw.name)
    if row.algorithm not in RECORD_ALGORITHMS:
        why = f"RECORD hashes it with {printable(row.algorithm)}" if row.algorithm else "RECORD has no hash of it"
        refuse(filename, f"{why}; sha256 or stronger is asked for", raw.name)
    digest = hashlib.new(row.algorithm)
    proof.feed(digest)
    if row.size is not None and row.size != raw.size:
        refuse(filename, f"it has {raw.size} bytes, RECORD says {row.size}", raw.name)
    if base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() != row.digest:
        refuse(filename, f"its {row.algorithm} is not the one in RECORD", raw.name)
