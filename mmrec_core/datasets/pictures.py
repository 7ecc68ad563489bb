"""Pictures of an upload: what they are is decided by decoding them, never by their names."""

import hashlib
import io
import os
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from mmrec_core.domain import InputError
from mmrec_core.settings import settings

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"}
"""Formats that are read, and how their files are called in the store."""

THUMBNAILS = (96, 320)
"""Longest side of the thumbnails, in pixels."""

MOST_BYTES = 128 * 2**20

_SPELLINGS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".gif": "GIF"}


@dataclass(frozen=True)
class Picture:
    """One picture after decoding.

    Attributes:
        sha256: Of the file, byte for byte; empty when it cannot be used.
        relative: Where it lies below the dataset's folder.
        broken: Why it cannot be used; empty when it can.
        mislabelled: True when its suffix names another format.
    """

    sha256: str
    relative: str
    broken: str = ""
    mislabelled: bool = False


def relative_path(sha256: str, suffix: str) -> str:
    """Where an original lies below the dataset's folder; made of its checksum alone."""
    return f"images/{sha256[:2]}/{sha256}{suffix}"


def thumbnail(relative: str, size: int) -> str:
    """Where the thumbnail of the original at ``relative`` lies."""
    stem = Path(relative).stem
    return f"thumbs/{size}/{stem[:2]}/{stem}.webp"


def decoded(path: Path, longest: int | None = None) -> tuple[Image.Image, str, bytes]:
    """The first frame of a picture, wholly decoded and turned upright, its format and its bytes.

    Args:
        path: The file.
        longest: A JPEG may be decoded at a fraction of its size, no smaller than this.

    Raises:
        InputError: It is no picture, cut off, damaged or too large.
    """
    limit = settings().limits.image_pixels
    if path.stat().st_size > MOST_BYTES:
        raise InputError(f"the file is larger than {MOST_BYTES // 2**20} MiB")
    raw = path.read_bytes()
    if not raw:
        raise InputError("the file is empty")
    try:
        picture: Image.Image = Image.open(io.BytesIO(raw), formats=tuple(SUFFIXES))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(f"it has more than {limit:,} pixels") from None
    except Exception:
        # Decoders raise whatever their parser trips over (OSError, SyntaxError, struct.error...).
        raise InputError("it is not a JPEG, PNG, WebP or GIF picture") from None
    # Phones keep a second view behind the picture; the first is an ordinary JPEG.
    kind = "JPEG" if picture.format == "MPO" else str(picture.format)
    width, height = picture.size
    if width * height > limit:
        raise InputError(f"it has {width:,} x {height:,} pixels; at most {limit:,} are read")
    try:
        if longest is not None and kind == "JPEG":
            picture.draft("RGB", (longest, longest))
        picture.load()
        picture = ImageOps.exif_transpose(picture)
    except Exception as error:
        raise InputError(f"it is cut off or damaged ({str(error)[:80]})") from None
    return picture, kind, raw


def check(path: Path) -> Picture:
    """Decodes a picture and says what it is; nothing is written."""
    return _checked(path, None)


def store_picture(path: Path, folder: Path) -> Picture:
    """Copies a sound picture and its thumbnails below ``folder``; a broken one leaves nothing."""
    return _checked(path, folder)


def _checked(path: Path, folder: Path | None) -> Picture:
    try:
        picture, kind, raw = decoded(path, 2 * max(THUMBNAILS))
    except InputError as error:
        return Picture("", "", broken=str(error))
    sha256 = hashlib.sha256(raw).hexdigest()
    relative = relative_path(sha256, SUFFIXES[kind])
    if folder is not None and not (folder / relative).exists():
        small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        for size in sorted(THUMBNAILS, reverse=True):
            small.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=2.0)
            packed = io.BytesIO()
            small.save(packed, "WEBP", quality=82, method=1)
            _write(folder / thumbnail(relative, size), packed.getvalue())
        _write(folder / relative, raw)
    said = _SPELLINGS.get(path.suffix.lower())
    return Picture(sha256, relative, mislabelled=said != kind)


def _write(path: Path, raw: bytes) -> None:
    """Two threads may meet the same picture under two names: whoever is last replaces it whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{threading.get_ident()}.tmp")
    aside.write_bytes(raw)
    os.replace(aside, path)


def process(
    paths: Sequence[Path], folder: Path | None, told: Callable[[int], None]
) -> Generator[Picture, None, None]:
    """Checks, and with ``folder`` stores, pictures side by side; results in order.

    Decoding lets go of Python's lock, so threads suffice. Closing the iterator cancels the rest.
    """
    pool = ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1))
    try:
        results = pool.map(lambda path: _checked(path, folder), paths)
        for done, result in enumerate(results, start=1):
            told(done)
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
