"""Every way of breaking a table that makes sense for any format, applied to all of them.

What an importer takes for its interactions and items is asked of the importer itself, so that a
format is under test as soon as it is registered and has a sound upload.
"""

import gzip
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from hostile import INSTALLS, REFUSED, SURVIVES, Case, Content, in_folder
from hostile.sound import picture, sound
from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.importers import IMPORTERS
from mmrec_core.datasets.importers.tables import Table, suffix_of
from mmrec_core.datasets.schema import Ledger

GARBAGE = random.Random(0).randbytes(2_000)
LONG = b"x" * 300_000
"""Longer than a cell, and than a line, may be in these tests."""


def _middle(raw: bytes, put: bytes) -> bytes:
    """``put`` in the middle of a middle line."""
    at = raw.find(b"\n", len(raw) // 2) + 2
    return raw[:at] + put + raw[at:]


def _flipped(raw: bytes, share: float) -> bytes:
    at = int(share * (len(raw) - 1))
    return raw[:at] + bytes([raw[at] ^ 0xFF]) + raw[at + 1 :]


def _each_line(raw: bytes, change: Callable[[int, bytes], bytes]) -> bytes:
    return b"".join(change(n, line) + b"\n" for n, line in enumerate(raw.splitlines()))


def _first_line(raw: bytes) -> bytes:
    return raw.partition(b"\n")[0] + b"\n"


def _numbers(raw: bytes, value: bytes) -> bytes:
    """Every row but the first with ``value`` for its last number."""
    import re

    def changed(n: int, line: bytes) -> bytes:
        found = list(re.finditer(rb"(?<![\w.])\d+(\.\d+)?(?![\w.])", line))
        if n == 0 or not found:
            return line
        return line[: found[-1].start()] + value + line[found[-1].end() :]

    return _each_line(raw, changed)


Change = Callable[[bytes], bytes]

SAME: dict[str, Change] = {
    "no end of line at the end": lambda raw: raw.rstrip(b"\n"),
    "ends of lines of Windows": lambda raw: raw.replace(b"\n", b"\r\n"),
    "empty lines at the end": lambda raw: raw + b"\n\n\n",
}
"""Ways of writing the same table in text."""

ANY: dict[str, Change] = {
    "cut after a tenth": lambda raw: raw[: len(raw) // 10],
    "cut in the middle": lambda raw: raw[: len(raw) // 2],
    "cut before the end": lambda raw: raw[:-7],
    "first byte flipped": lambda raw: _flipped(raw, 0.0),
    "byte flipped": lambda raw: _flipped(raw, 0.45),
    "late byte flipped": lambda raw: _flipped(raw, 0.9),
    "last byte flipped": lambda raw: _flipped(raw, 1.0),
    "garbage": lambda raw: GARBAGE,
    "garbage behind": lambda raw: raw + GARBAGE,
    "garbage in the middle": lambda raw: _middle(raw, GARBAGE),
    "halves exchanged": lambda raw: raw[len(raw) // 2 :] + raw[: len(raw) // 2],
    "zeros": lambda raw: bytes(len(raw)),
}
"""Breaks files of whichever kind."""

TEXT: dict[str, Change] = {
    "header only": _first_line,
    "twice": lambda raw: raw + raw,
    "in UTF-16": lambda raw: raw.decode("latin-1").encode("utf-16"),
    "in UTF-16 without mark": lambda raw: raw.decode("latin-1").encode("utf-16-le"),
    "in UTF-32": lambda raw: raw.decode("latin-1").encode("utf-32"),
    "byte-order mark": lambda raw: b"\xef\xbb\xbf" + raw,
    "two byte-order marks": lambda raw: b"\xef\xbb\xbf" * 2 + raw,
    "one Latin-1 character": lambda raw: _middle(raw, b"\xe9"),
    "half a surrogate pair": lambda raw: _middle(raw, b"\xed\xa0\x80"),
    "NUL inside": lambda raw: _middle(raw, b"\0"),
    "escape codes": lambda raw: _middle(raw, b"\x1b[31m\x07"),
    "ends of lines of old Macs": lambda raw: raw.replace(b"\n", b"\r"),
    "lone carriage return": lambda raw: _middle(raw, b"\r"),
    "open quotation mark": lambda raw: _middle(raw, b'"'),
    "open quotation mark in the header": lambda raw: b'"' + raw,
    "all cells quoted wrongly": lambda raw: raw.replace(b",", b'",x"'),
    "ragged": lambda raw: _each_line(raw, lambda n, line: line[: len(line) // (1 + n % 2)]),
    "one cell more": lambda raw: _each_line(raw, lambda n, x: x if n < 2 else x + b",1\t1::1|1"),
    "many columns": lambda raw: _each_line(raw, lambda n, x: x + b",c\tc" * 10_000),
    "many columns in one row": lambda raw: raw + b"1,1\t1::1|1" * 10_000 + b"\n",
    "columns twice": lambda raw: _each_line(raw, lambda n, x: x + b"," + x + b"\t" + x),
    "endless line": lambda raw: raw + LONG,
    "endless first line": lambda raw: LONG + raw,
    "endless quotation": lambda raw: raw + b'"' + b"x,y\n" * 6_000,
    "deep nesting": lambda raw: raw + b'{"a":' * 5_000 + b"\n" + b"[" * 100_000 + b"\n",
    "empty records": lambda raw: raw + b'{}\n[]\nnull\n0\n"x"\n',
    "huge numbers": lambda raw: _numbers(raw, b"1e400"),
    "numbers of many digits": lambda raw: _numbers(raw, b"9" * 5_000),
    "beyond 64 bits": lambda raw: _numbers(raw, b"9223372036854775813"),
    "no numbers": lambda raw: _numbers(raw, b"NaN"),
    "infinity": lambda raw: _numbers(raw, b"-Infinity"),
    "negative": lambda raw: _numbers(raw, b"-62135596801"),
    "HTML": lambda raw: b"<!DOCTYPE html><html><body>404 Not Found</body></html>\n",
    "a pointer of Git LFS": lambda raw: (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12345\n"
    ),
    "one JSON array": lambda raw: b'[{"user_id": 1, "item_id": 2},\n{"user_id": 1}]\n',
    "a picture": lambda raw: picture(),
    "a program": lambda raw: b"MZ\x90\0\3\0\0\0" + GARBAGE,
}
"""Breaks text."""


def _member(raw: bytes, wrong: bytes = b"") -> bytes:
    packed = gzip.compress(raw, mtime=0)
    return packed[: -len(wrong)] + wrong if wrong else packed


PACKED: dict[str, Change] = {
    "cut": lambda raw: _member(raw)[:-9],
    "cut in its head": lambda raw: _member(raw)[:6],
    "without content": lambda raw: b"",
    "not packed at all": lambda raw: raw,
    "wrong checksum": lambda raw: _member(raw, struct.pack("<II", 1, len(raw))),
    "wrong size": lambda raw: _member(raw, struct.pack("<II", zlib.crc32(raw), 5)),
    "garbage behind": lambda raw: _member(raw) + GARBAGE,
    "packed twice": lambda raw: _member(_member(raw)),
    "in two members": lambda raw: _member(_first_line(raw)) + _member(raw.partition(b"\n")[2]),
    "bomb": lambda raw: _member(raw + b"0" * 300_000),
    "bomb of lines": lambda raw: _member(raw + b"\n" * 300_000),
    "byte flipped": lambda raw: _flipped(_member(raw), 0.5),
}
"""Packs text for a name that ends in .gz, and breaks that."""


@cache
def tables(format_: str, variant: str) -> tuple[tuple[Table, ...], Table | None]:
    """The tables that an importer takes for interactions and items."""
    import tempfile

    content = sound(format_)[variant]
    with tempfile.TemporaryDirectory() as folder:
        root = in_folder(content)(Path(folder))
        files = Files({name: root / name for name in content}, "up")
        layout = IMPORTERS.get(format_).layout(files, None, Ledger(lenient=True))
    return layout.interactions, layout.items


def _raw(content: Content, name: str) -> bytes:
    held = content[name]
    raw = held.encode() if isinstance(held, str) else held
    return gzip.decompress(raw) if name.endswith(".gz") else raw


def _is_text(name: str) -> bool:
    return suffix_of(name) not in (".parquet", ".arrow")


BASIC = ("folder", "tables")
"""Formats whose tables are broken in every way; the others read through the same rooms."""


def _wanted(format_: str, nth: int, first: bool) -> int:
    """Of how many ways of breaking a table one is taken, so that the whole stays fast."""
    if nth == 0 and first:
        return 1 if format_ in BASIC else 2
    return 6


def mutations(name: str, packed: bool) -> list[tuple[str, Change, str, str]]:
    """What is done, how, name of the outcome and of the file, for a table of that name."""
    found = []
    if _is_text(name):
        found += [(what, change, INSTALLS, name) for what, change in SAME.items()]
        found += [(what, change, SURVIVES, name) for what, change in TEXT.items()]
    found += [(what, change, SURVIVES, name) for what, change in ANY.items()]
    if packed and _is_text(name):
        called = name if name.endswith(".gz") else f"{name}.gz"
        found += [(f"packed: {what}", change, SURVIVES, called) for what, change in PACKED.items()]
    return found


def cases(format_: str) -> Iterator[Case]:
    """Sound uploads of a format, with one of their tables broken in one way.

    Other ways are taken for other formats, variants and tables, so that each is taken often.
    """
    turn = sum(map(ord, format_))
    for nth, (variant, content) in enumerate(sound(format_).items()):
        interactions, items = tables(format_, variant)
        broken = [interactions[0].name, *([items.name] if items is not None and nth == 0 else [])]
        for name in broken:
            where = f"{format_} {variant}: {name}"
            first = name == interactions[0].name
            raw, packed = _raw(content, name), name.endswith(".gz")
            nothing = {**content, name: gzip.compress(b"") if packed else b""}
            outcome = REFUSED if first and nth == 0 else SURVIVES
            yield Case(f"{where}, empty", in_folder(nothing), outcome)
            step = _wanted(format_, nth, first)
            turn += 1
            for what, change, outcome, called in mutations(name, first)[turn % step :: step]:
                own = change(raw)
                own = gzip.compress(own, mtime=0) if packed and "packed" not in what else own
                rest = {other: held for other, held in content.items() if other != name}
                yield Case(f"{where}, {what}", in_folder({**rest, called: own}), outcome)
