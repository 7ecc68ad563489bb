"""Lines of a text file, packed or not, with the lines that cannot be read as text."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from typing import IO

from mmrec_core.datasets.archive import RATIO_FLOOR
from mmrec_core.datasets.importers.tables import Table
from mmrec_core.domain import InputError
from mmrec_core.settings import settings

LONGEST_LINE = 16 * 2**20
"""Bytes; a row over several lines is no longer either."""

AT_ONCE = 2**27
"""Bytes that one chunk of rows is made of, or little more: rows may be long."""

_BOM = b"\xef\xbb\xbf"
_UTF8 = ("utf-8", "utf8")


class Lines:
    """Lines of a file as text; notes the lines that are no text in its encoding and reads on.

    Attributes:
        bad: Line, from 1 -> why it cannot be read; whoever reads the line takes it out.
        read: Bytes so far.
        row_start: Bytes before the present row, where a row may have several lines; else None.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.bad: dict[int, str] = {}
        self.read = 0
        self.row_start: int | None = None

    def __iter__(self) -> Iterator[str]:
        file, encoding = self.table.name, self.table.encoding
        plain = encoding in _UTF8
        decode = codecs.getdecoder(encoding)
        number = 0
        with self.table.path.open("rb") as stored:
            for number, raw in enumerate(self._raw(stored), start=1):
                if number == 1 and plain:
                    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
                        raise InputError(f"{file} is UTF-16; save it as UTF-8.")
                    if b"\0" in raw:
                        raise InputError(f"{file} is no text in UTF-8; if it is text, save it so.")
                    raw = raw.removeprefix(_BOM)
                self.read += len(raw)
                if len(raw) == LONGEST_LINE:
                    raise InputError(
                        f"{file}, line {number}: the line is longer than "
                        f"{LONGEST_LINE // 2**20} MiB; this is not a table."
                    )
                if self.row_start is not None and self.read - self.row_start > LONGEST_LINE:
                    raise InputError(
                        f"{file}, line {number}: the row is longer than {LONGEST_LINE // 2**20} "
                        "MiB; a quotation mark before it may never be closed."
                    )
                try:
                    yield decode(raw)[0]
                except UnicodeDecodeError as error:
                    self.bad[number] = (
                        f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
                    )
                    yield decode(raw, "replace")[0]

    def _raw(self, stored: IO[bytes]) -> Iterator[bytes]:
        name = self.table.name
        if not name.lower().endswith(".gz"):
            while raw := stored.readline(LONGEST_LINE):
                yield raw
            return
        packed_size = max(1, self.table.path.stat().st_size)
        most = max(RATIO_FLOOR, settings().limits.archive_ratio * packed_size)
        read = 0
        try:
            with gzip.open(stored) as unpacked:
                while raw := unpacked.readline(LONGEST_LINE):
                    read += len(raw)
                    if read > most:
                        raise InputError(
                            f"{name} unpacks to more than {settings().limits.archive_ratio:g} "
                            "times its size, as archives made to fill a disk do; give it unpacked."
                        )
                    yield raw
        except (OSError, EOFError, zlib.error) as error:
            if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
                raise
            raise InputError(
                f"{name} is damaged or cut off ({error}); pack or download it again."
            ) from error


def first_line(table: Table) -> str:
    """The first line, or the empty text."""
    return next(iter(Lines(table)), "")
