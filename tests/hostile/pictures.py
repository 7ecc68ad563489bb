"""Pictures that are none, are others than they say, or unpack to more than a disk holds."""

import io
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from hostile import INSTALLS, REJECTS, SURVIVES, Case, Content, in_folder, put
from hostile.sound import INTERACTIONS, ITEMS, csv_of, picture

SHOP: Content = {"interactions.csv": csv_of(INTERACTIONS), "items.csv": csv_of(ITEMS)}
NONE = "it is not a JPEG, PNG, WebP or GIF picture"
BROKEN = "it is cut off or damaged"
PIXELS = "pixels"


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png(width: int, height: int, rows: bytes, *more: bytes, kind: int = 2, depth: int = 8) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + b"".join(more)
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    raw = io.BytesIO()
    image.save(raw, kind, **options)
    return raw.getvalue()


def sized(raw: bytes, width: int, height: int) -> bytes:
    """A JPEG, GIF or WebP that claims another size."""
    if raw[:3] == b"GIF":
        return raw[:6] + struct.pack("<HH", width, height) + raw[10:]
    at = raw.index(b"\xff\xc0") + 5
    return raw[:at] + struct.pack(">HH", height, width) + raw[at + 4 :]


def with_(content: bytes, name: str = "i1.jpg") -> Any:
    return in_folder({**SHOP, f"images/{name}": content})


def _broken() -> Iterator[tuple[str, bytes, str]]:
    jpeg, small = picture("JPEG", (64, 48)), picture("PNG")
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    gif = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    webp = picture("WEBP", (64, 48))
    yield "zero bytes", b"", "the file is empty"
    yield "one byte", b"\xff", NONE
    yield "zeros", bytes(3_000), NONE
    yield "HTML", b"<!DOCTYPE html><script>alert(1)</script>", NONE
    yield "SVG", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', NONE
    yield "PDF", b"%PDF-1.7\n1 0 obj<</JS(app.alert(1))>>endobj\n", NONE
    yield "a program", b"MZ\x90\0" + bytes(200), NONE
    yield "PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(id) system\n", NONE
    yield "a zip", b"PK\x03\x04" + bytes(200), NONE
    yield "BMP", saved(frames[0], "BMP"), NONE
    yield "TIFF", saved(frames[0], "TIFF"), NONE
    yield "ICO", saved(frames[0], "ICO"), NONE
    yield "Photoshop", b"8BPS\0\1" + bytes(300), NONE
    yield "JPEG cut off", jpeg[: len(jpeg) // 2], BROKEN
    yield "JPEG cut in its head", jpeg[:30], ""
    yield "JPEG without picture", b"\xff\xd8\xff\xd9", ""
    yield "JPEG of its beginning and garbage", jpeg[:200] + bytes(range(256)) * 4, ""
    yield "PNG cut off", small[:-200], BROKEN
    yield "PNG cut in its head", small[:20], ""
    yield "PNG with a wrong checksum", small[:29] + b"\0\0\0\0" + small[33:], ""
    yield "PNG with a wrong checksum inside", small[:60] + b"\xff" + small[61:], ""
    yield "PNG of no width", png(0, 9, b""), ""
    yield "PNG with too few rows", png(9, 9, bytes(20)), ""
    yield "PNG of an unknown kind", png(9, 9, bytes(252), kind=5), ""
    yield "PNG of depth 3", png(9, 9, bytes(252), depth=3), ""
    yield "GIF cut off", gif[: len(gif) // 3], ""
    yield "GIF cut in its head", gif[:9], ""
    yield "WebP cut off", webp[: len(webp) // 2], ""
    yield "WebP cut in its head", webp[:20], ""
    yield "WebP that claims more", webp[:4] + b"\xff\xff\xff\x7f" + webp[8:], ""
    yield "PNG of 60,000 x 60,000", png(60_000, 60_000, bytes(1_000)), PIXELS
    yield "PNG of 2,147,483,647 x 1", png(2**31 - 1, 1, bytes(1_000)), PIXELS
    yield "PNG of 3,000 x 3,000 that is all there", png(3_000, 3_000, bytes(9_001 * 3_000)), PIXELS
    yield "JPEG of 60,000 x 60,000", sized(jpeg, 60_000, 60_000), PIXELS
    yield "GIF of 60,000 x 60,000", sized(gif, 60_000, 60_000), PIXELS
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(80 * 2**20), 9))
    yield "PNG with a bomb for a comment", png(2, 2, bytes(14), text), ""
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(80 * 2**20), 9))
    yield "PNG with a bomb for a profile", png(2, 2, bytes(14), profile), ""


def _sound() -> Iterator[tuple[str, bytes, str]]:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    more = {"save_all": True, "append_images": frames[1:]}
    yield "PNG under the name of a JPEG", picture("PNG"), "of another format than their names say"
    yield "animated GIF", saved(frames[0], "GIF", **more), "another format"
    yield "animated PNG", saved(frames[0], "PNG", **more), "another format"
    yield "animated WebP", saved(frames[0], "WEBP", **more), "another format"
    yield "JPEG of a phone with two views", saved(frames[0], "MPO", **more), ""
    yield "JPEG in CMYK", saved(Image.new("CMYK", (20, 20)), "JPEG"), ""
    yield "JPEG in grey", saved(Image.new("L", (20, 20)), "JPEG"), ""
    for mode in ("1", "L", "LA", "P", "RGBA", "I;16"):
        yield f"PNG of mode {mode}", saved(Image.new(mode, (20, 20)), "PNG"), ""
    yield "PNG of one pixel", saved(Image.new("RGB", (1, 1)), "PNG"), ""
    yield "PNG of 60,000 x 1", saved(Image.new("RGB", (60_000, 1)), "PNG"), ""
    yield "PNG of 1 x 60,000", saved(Image.new("RGB", (1, 60_000)), "PNG"), ""
    yield "JPEG with a page behind", picture() + b"<script>alert(1)</script>", ""
    exif = Image.Exif()
    exif[0x0112] = 6
    yield "JPEG that lies on its side", saved(frames[0], "JPEG", exif=exif), ""
    exif[0x0112] = 99
    yield "JPEG turned by nothing known", saved(frames[0], "JPEG", exif=exif), ""
    wrong = saved(frames[0], "JPEG", exif=b"Exif\0\0II*\0" + b"\xff" * 60)
    yield "JPEG with broken facts", wrong, ""


def _links(folder: Path) -> Path:
    """Pictures and tables that are links out of the upload, symbolic and hard, and a device."""
    root = put(folder, {**SHOP, "images/i3.jpg": picture()})
    (folder / "outside").mkdir()
    (folder / "outside" / "secret.jpg").write_bytes(picture(seed=9))
    (root / "images" / "i1.jpg").symlink_to(folder / "outside" / "secret.jpg")
    (root / "images" / "more").symlink_to(folder / "outside")
    (root / "images" / "self").symlink_to(root)
    (root / "dataset.toml").symlink_to("/etc/passwd")
    os.link(root / "images" / "i3.jpg", root / "images" / "i2.jpg")
    os.mkfifo(root / "images" / "queue.jpg")
    return root


def _device(folder: Path) -> Path:
    """Where devices may be made; elsewhere a queue, which blocks whoever opens it."""
    root = put(folder, SHOP)
    try:
        os.mknod(root / "images.jpg", 0o600 | 0o020000, os.makedev(1, 5))
    except (OSError, AttributeError):
        os.mkfifo(root / "images.jpg")
    return root


def cases() -> Iterator[Case]:
    """All of them."""
    for name, content, says in _broken():
        yield Case(f"picture: {name}", with_(content), REJECTS if says else SURVIVES,
                   f"images/i1.jpg: {says}" if says not in (PIXELS, "") else says, 1)  # fmt: skip
    for name, content, says in _sound():
        yield Case(f"picture: {name}", with_(content), INSTALLS, says,
                   facts={"n_missing_images": 2})  # fmt: skip
    yield Case("links and queues", _links, INSTALLS, "4 links are not followed",
               facts={"n_missing_images": 1})  # fmt: skip
    yield Case("a device", _device, INSTALLS, facts={"n_missing_images": 3})
    both = {"images/i1.jpg": picture(), "images/I1.JPG": picture(seed=2)}
    yield Case("pictures that differ in case", in_folder({**SHOP, **both}), INSTALLS,
               facts={"n_missing_images": 2})  # fmt: skip
    many = {f"images/i{k}.jpg": b"" for k in range(1, 4)}
    yield Case("three empty pictures", in_folder({**SHOP, **many}), REJECTS, "is empty", 3)
