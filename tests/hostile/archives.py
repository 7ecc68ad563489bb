"""Zip archives that want out of their folder, or fill the disk, or are not what they say."""

import io
import stat
import struct
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from hostile import INSTALLS, REFUSED, REJECTS, SURVIVES, Case, Content, single
from hostile.sound import INTERACTIONS, ITEMS, csv_of, npy, picture

SHOP: Content = {"interactions.csv": csv_of(INTERACTIONS), "items.csv": csv_of(ITEMS)}
CENTRAL, END = b"PK\x01\x02", b"PK\x05\x06"


def packed(
    files: Content, method: int = zipfile.ZIP_DEFLATED, change: Callable[..., None] | None = None
) -> bytes:
    """A zip whose members have exactly these names; ``change`` is given each of them."""
    raw = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(raw, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, content in files.items():
            member = zipfile.ZipInfo("x")
            member.filename, member.compress_type = name, method
            if change is not None:
                change(member)
            archive.writestr(member, content)
    return raw.getvalue()


def zipped(raw: bytes) -> Callable[[Path], Path]:
    return single("up.zip", raw)


def patched(raw: bytes, *changes: tuple[bytes, int, bytes]) -> bytes:
    """Bytes put at an offset from the first place of a mark."""
    found = bytearray(raw)
    for mark, offset, own in changes:
        at = found.index(mark) + offset
        found[at : at + len(own)] = own
    return bytes(found)


def twice(raw: bytes, own: bytes, name: str) -> bytes:
    """Another name, of the same length, for a member in the directory alone."""
    at = raw.rindex(name.encode())
    return raw[:at] + own + raw[at + len(own) :]


def kind(mode: int) -> Callable[[zipfile.ZipInfo], None]:
    def change(member: zipfile.ZipInfo) -> None:
        member.external_attr = (mode | 0o777) << 16

    return change


def overlapping(copies: int) -> bytes:
    """A directory that names one member's bytes many times, as the densest bombs do."""
    raw = packed({"interactions.csv": csv_of(INTERACTIONS).encode() + b"\n" * 300_000})
    at, end = raw.index(CENTRAL), raw.index(END)
    entry = raw[at:end]
    names = [entry.replace(b"interactions.csv", f"interaction{k:05}"[:16].encode())
             for k in range(copies)]  # fmt: skip
    tail = struct.pack("<4sHHHHIIH", END, 0, 0, copies, copies, len(entry) * copies, at, 0)
    return raw[:at] + b"".join(names) + tail


def _names() -> Iterator[Case]:
    for name in (
        "../evil.csv", "a/../../evil.csv", "/etc/passwd", "//server/share", "C:/evil.csv",
        "c:evil.csv", "..\\evil.csv", "a\\b.csv", "a//b.csv", "./a.csv", "a/./b.csv", "..",
        "images/..", "a\nb.csv", "\x1b[31m.csv", "x" * 300, "/".join(["y" * 200] * 6), " /../x",
    ):  # fmt: skip
        files = {**SHOP, name: b"x"}
        yield Case(f"zip: {name[:20]!r}", zipped(packed(files)), REFUSED, "is refused: ")
    for name in ("con", "nul.txt", "a ", "...", "~", "$HOME", "%2e%2e/x", "-rf", "*", "\u202egpj"):
        files = {**SHOP, f"{name}": b"x"}
        yield Case(f"zip: {name!r} is a name like others", zipped(packed(files)), INSTALLS)
    nul = patched(packed({**SHOP, "aXb.csv": b"x"}), (b"aXb.csv", 1, b"\0"))
    yield Case("zip: NUL in a name", zipped(twice(nul, b"a\0b.csv", "aXb.csv")), REFUSED, "refused")
    liar = twice(packed({**SHOP, "aaaaaa.csv": b"x"}), b"../evi.csv", "aaaaaa.csv")
    yield Case("zip: another name in the directory", zipped(liar), REFUSED, "refused")
    latin = twice(packed({**SHOP, "aaaa.csv": b"x"}), b"\x82\xff.csv", "aaaa.csv")
    yield Case("zip: a name of DOS", zipped(latin))
    wrong = packed({**SHOP, "ä\xe9ö.csv": b"x"}).replace(
        "äéö".encode(), b"\xff\xfe\xfd\xff\xfe\xfd"
    )
    yield Case("zip: a name that is no UTF-8", zipped(wrong), REFUSED, "no text in UTF-8")
    both = {**SHOP, "items.csv ": b"x", "images/a.jpg": picture(), "images/A.jpg": picture()}
    yield Case("zip: names that differ in case", zipped(packed(both)), SURVIVES)
    forms = {unicodedata.normalize(form, "images/é.jpg"): picture() for form in ("NFC", "NFD")}
    yield Case("zip: one name in two forms", zipped(packed({**SHOP, **forms})), SURVIVES)
    for name, files in (
        ("a file and a folder", {"a": b"1", "a/b": b"2"}),
        ("a folder and a file", {"a/b": b"2", "a": b"1"}),
        ("a file below a table", {**SHOP, "items.csv/x": b"2"}),
    ):
        yield Case(f"zip: {name}", zipped(packed(files)), REFUSED, "is a file as well")


def _members() -> Iterator[Case]:
    for name, mode, says in (
        ("a link", stat.S_IFLNK, "it is a link"),
        ("a queue", stat.S_IFIFO, "neither a file nor a folder"),
        ("a device", stat.S_IFCHR, "neither a file nor a folder"),
        ("a socket", stat.S_IFSOCK, "neither a file nor a folder"),
    ):
        raw = packed({"interactions.csv": b"/etc/passwd"}, change=kind(mode))
        yield Case(f"zip: {name}", zipped(raw), REFUSED, says)
    rights = packed(SHOP, change=kind(stat.S_IFREG | stat.S_ISUID))
    yield Case("zip: rights of the owner", zipped(rights), INSTALLS)
    lock = patched(packed(SHOP), (b"PK\x03\x04", 6, b"\1"), (CENTRAL, 8, b"\1"))
    yield Case("zip: encrypted", zipped(lock), REFUSED, "it is encrypted")
    for name, method in (("bzip2", zipfile.ZIP_BZIP2), ("LZMA", zipfile.ZIP_LZMA)):
        raw = packed(SHOP, method)
        yield Case(f"zip: packed by {name}", zipped(raw), REFUSED, "ordinary zip (deflate)")
    for name, method in (("Deflate64", 9), ("no known way", 250), ("another way than is said", 0)):
        raw = patched(packed(SHOP), (CENTRAL, 10, struct.pack("<H", method)))
        yield Case(f"zip: packed by {name}", zipped(raw), REFUSED, "up.zip")
    first = packed({"interactions.csv": csv_of(INTERACTIONS)}, zipfile.ZIP_STORED)
    for name, offset, own in (
        ("wrong checksum", 16, b"\1\2\3\4"),
        ("larger than it says", 24, struct.pack("<I", 9)),
        ("smaller than it says", 24, struct.pack("<I", 9_999)),
        ("packed smaller than it says", 20, struct.pack("<I", 9_999)),
        ("its place beyond the end", 42, struct.pack("<I", 2**31)),
        ("its place in the middle", 42, struct.pack("<I", 30)),
        ("a long name", 28, struct.pack("<H", 65_535)),
        ("a long extra field", 30, struct.pack("<H", 65_535)),
        ("a long comment", 32, struct.pack("<H", 65_535)),
        ("a later version", 6, struct.pack("<H", 99)),
        ("patched data", 8, struct.pack("<H", 0x20)),
        ("strong encryption", 8, struct.pack("<H", 0x41)),
    ):
        # What is left of these is whole: its checksum holds.
        harmless = name in ("smaller than it says", "packed smaller than it says") or (
            name.startswith("a long ")
        )
        raw = patched(first, (CENTRAL, offset, own))
        yield Case(f"zip: {name}", zipped(raw), SURVIVES if harmless else REFUSED, "up.zip")
    lying = packed({"interactions.csv": b"user_id,item_id\n" + b"u,i\n" * 400_000})
    small = patched(lying, (CENTRAL, 24, struct.pack("<I", 99)))
    yield Case("zip: bomb that lies about its size", zipped(small), REFUSED, "up.zip")
    same = packed({"interactions.csv": b"user_id,item_id\nu,i\n", "i.csv": b"", "": b""})
    yield Case("zip: a member without name", zipped(same), REFUSED, "absolute path or empty")
    names = ["items.csv", "items.csv"]
    raw = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(raw, "w") as archive:
        warnings.simplefilter("ignore")
        for name in ("interactions.csv", *names):
            archive.writestr(name, SHOP[name])
    yield Case("zip: a member twice", zipped(raw.getvalue()), REFUSED, "in the archive twice")
    # 64-bit sizes that the directory claims and nothing bears out.
    extra = struct.pack("<HHQQQ", 1, 24, 2**63, 2**63, 0)

    def huge(member: zipfile.ZipInfo) -> None:
        member.extra = extra

    vast = packed({"interactions.csv": b"x"}, change=huge)
    claims = patched(vast, (CENTRAL, 20, b"\xff" * 8))
    yield Case("zip: 64-bit sizes", zipped(claims), REFUSED, "up.zip")
    short = patched(packed({"a.csv": b"x"}), (CENTRAL, 20, b"\xff" * 8))
    yield Case("zip: 64-bit sizes that are not there", zipped(short), REFUSED, "up.zip")
    end64 = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 2**40, 2**40, 2**50, 0)
    place = struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 1)
    tail = struct.pack("<4sHHHHIIH", END, 0, 0, 65_535, 65_535, 2**32 - 1, 2**32 - 1, 0)
    yield Case("zip: a directory of terabytes", zipped(end64 + place + tail), REFUSED, "up.zip")


def _whole() -> Iterator[Case]:
    sound = packed(SHOP)
    yield Case("zip: sound", zipped(sound), INSTALLS)
    yield Case("zip: behind a program", zipped(b"MZ" + bytes(5_000) + sound), SURVIVES)
    yield Case("zip: junk behind", zipped(sound + bytes(300)), SURVIVES)
    yield Case("zip: two behind each other", zipped(packed({"a.csv": b"x"}) + sound), SURVIVES)
    for name, raw in (
        ("nothing", b""), ("zeros", bytes(900)), ("its beginning", sound[:40]),
        ("cut in the middle", sound[: len(sound) // 2]), ("cut before its end", sound[:-5]),
        ("a RAR", b"Rar!\x1a\x07\x01\0" + bytes(99)), ("a 7z", b"7z\xbc\xaf\x27\x1c" + bytes(99)),
        ("a gzip", b"\x1f\x8b\x08" + bytes(99)), ("text", b"user_id,item_id\nu,i\n"),
    ):  # fmt: skip
        yield Case(f"zip: {name}", zipped(raw), REFUSED, "up.zip is not a zip archive")
    yield Case("zip: no members", zipped(END + bytes(18)), REFUSED, "nothing")
    yield Case("zip: folders only", zipped(packed({"a/": b"", "a/b/": b""})), REFUSED, "no")
    yield Case("zip: in a zip", zipped(packed({"shop.zip": sound})), REFUSED, "shop.zip")
    nested = sound
    for depth in range(8):
        nested = packed({f"{depth}.zip": nested})
    yield Case("zip: in eight zips", zipped(nested), REFUSED, "7.zip")
    bomb = packed({**SHOP, "notes.txt": bytes(3_000_000)})
    yield Case("zip: bomb by ratio", zipped(bomb), REFUSED, "times its size")
    total = packed({**SHOP, "notes.txt": bytes(41_000_000)})
    yield Case("zip: bomb by size", zipped(total), REFUSED, "GiB are read")
    yield Case("zip: bomb of overlapping members", zipped(overlapping(100)), REFUSED, "times its")
    many = packed({**SHOP, **{f"n/{k}": b"" for k in range(501)}}, zipfile.ZIP_STORED)
    yield Case("zip: too many members", zipped(many), REFUSED, "holds 503 files; at most 500")
    deep = packed({**SHOP, "/".join(["d"] * 400) + "/x": b"x"})
    yield Case("zip: 400 folders in each other", zipped(deep), INSTALLS)
    comment = patched(sound, (END, 20, b"\xff\xff"))
    yield Case("zip: a comment that is not there", zipped(comment))
    for at in range(10, len(sound), len(sound) // 12):
        flipped = sound[:at] + bytes([sound[at] ^ 0x41]) + sound[at + 1 :]
        yield Case(f"zip: byte {at} changed", zipped(flipped))
    inner = packed({**SHOP, "features/clip.npy": npy([1.0]), "images/i1.jpg": b"<svg/>"})
    yield Case("zip: unsound inside", zipped(inner), REJECTS, "", 2)
    link = packed({**SHOP, "__MACOSX/../../evil": b"x", "__MACOSX/._a": b"x"})
    yield Case("zip: junk of a Mac that wants out", zipped(link), INSTALLS)


def cases() -> Iterator[Case]:
    """All of them."""
    for group in (_names, _members, _whole):
        yield from group()
