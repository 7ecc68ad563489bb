"""What an upload is checked for, and the report of what was found.

One policy, in one place: by default the first unsound row, picture or feature file refuses the
whole upload with a sentence that names file and line. A lenient reading leaves out what is
unsound, counts it, and goes on.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
import pandas as pd

from mmrec_core.domain import InputError

SHOWN = 100
"""So many findings of a kind are kept for the screen; all are counted."""

HEAD_ROWS = 5
"""So many rows of a table are kept, to be shown as they were read."""

HEAD_CHARACTERS = 200
"""Of a cell that is shown."""

REMEDY = "correct it, or install what is sound (--lenient)"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        file: Name as in the upload.
        line: Line of the file (row number, from 1, in Parquet and .npy files); None: the file.
        reason: What is wrong, in words.
    """

    file: str
    line: int | None
    reason: str

    @property
    def sentence(self) -> str:
        """File, line and reason in one line of text."""
        where = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{where}: {self.reason}"


@dataclass(frozen=True)
class Head:
    """The beginning of a table, as it was read.

    Attributes:
        columns: Their names.
        rows: The first rows; long cells are cut.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Report:
    """What an upload holds and what is wrong with it; JSON-able.

    Attributes:
        n_users: Users with at least one interaction.
        n_items: Items, those only named by interactions included.
        n_interactions: Interactions after duplicates are removed.
        rows_read: File -> rows in it, rejected ones included.
        n_rejected: Rows left out.
        rejected: The first of them.
        n_duplicate_interactions: Earlier rows of a user-item pair that occurs again.
        n_items_without_interactions: Items nobody interacted with; they are kept.
        n_unknown_items: Items that interactions name and the item table lacks; they are kept,
            with an empty title.
        n_missing_images: Items without a usable picture.
        n_missing_texts: Items without text.
        n_broken_images: Pictures that cannot be used.
        broken_images: The first of them.
        n_absent_images: Pictures that the item table names and the upload lacks.
        features: Name -> modality of the precomputed features that can be used.
        sparsity: Share of user-item pairs without interaction, 0 to 1.
        columns: Role -> columns that play it.
        guessed: Roles that were guessed from column names.
        notes: Further remarks, each one sentence.
        format: Name of the format that it was read as.
        k_core: Default k-core of studies.
        relevant_from: Rating from which a held-out interaction counts; None: every one does.
        split: Default split of studies, random or fixed.
    """

    n_users: int = 0
    n_items: int = 0
    n_interactions: int = 0
    rows_read: Mapping[str, int] = field(default_factory=dict)
    n_rejected: int = 0
    rejected: tuple[Finding, ...] = ()
    n_duplicate_interactions: int = 0
    n_items_without_interactions: int = 0
    n_unknown_items: int = 0
    n_missing_images: int = 0
    n_missing_texts: int = 0
    n_broken_images: int = 0
    broken_images: tuple[Finding, ...] = ()
    n_absent_images: int = 0
    features: Mapping[str, str] = field(default_factory=dict)
    sparsity: float = 1.0
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    format: str = "folder"
    k_core: int = 5
    relevant_from: float | None = None
    split: str = "random"

    @property
    def sound(self) -> bool:
        """True when nothing had to be left out."""
        return not (self.n_rejected or self.n_broken_images)

    def as_json(self) -> dict[str, Any]:
        """The report in JSON types."""
        return asdict(self)

    def sentences(self) -> list[str]:
        """The report in plain words, for a terminal; what is zero is left out."""
        lines = [
            f"{self.n_users:,} users, {self.n_items:,} items, {self.n_interactions:,} "
            f"interactions (sparsity {self.sparsity:.4%})"
        ]
        lines += [f"{file}: {rows:,} rows read" for file, rows in self.rows_read.items()]
        lines += [
            f"{role} = {', '.join(columns)}{' (guessed)' if role in self.guessed else ''}"
            for role, columns in self.columns.items()
        ]
        counts = {
            "rows rejected": self.n_rejected,
            "earlier interactions of a repeated user-item pair removed": (
                self.n_duplicate_interactions
            ),
            "items without interactions": self.n_items_without_interactions,
            "items that only interactions name": self.n_unknown_items,
            "items without picture": self.n_missing_images,
            "items without text": self.n_missing_texts,
            "broken pictures": self.n_broken_images,
            "pictures named but not in the upload": self.n_absent_images,
        }
        lines += [f"{count:,} {what}" for what, count in counts.items() if count]
        lines += [f"features {name} ({modality})" for name, modality in self.features.items()]
        lines += list(self.notes)
        lines += [finding.sentence for finding in (*self.rejected, *self.broken_images)]
        return lines


def clean(text: str) -> str:
    """``text`` without halves of surrogate pairs, which no file or database can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def printable(text: str, most: int = 60) -> str:
    """``text`` as one can be shown in a sentence: cut, and without control characters."""
    plain = re.sub(r"[\x00-\x1f\x7f-\x9f]", "\N{REPLACEMENT CHARACTER}", clean(text))
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."


class Ledger:
    """Collects findings while an upload is read, and applies the policy.

    Args:
        lenient: Count what is unsound and go on; otherwise the first finding raises.
        csv_path: Where every finding is written (file, line, reason), however many.
    """

    def __init__(self, lenient: bool, csv_path: Path | None = None) -> None:
        self.lenient = lenient
        self.rows_read: dict[str, int] = {}
        self.rejected: list[Finding] = []
        self.n_rejected = 0
        self.broken: list[Finding] = []
        self.n_broken = 0
        self.notes: list[str] = []
        self.heads: dict[str, Head] = {}
        self._file: IO[str] | None = None
        if csv_path is not None:
            self._file = csv_path.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(["file", "line", "reason"])

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def note(self, sentence: str) -> None:
        """Adds a remark; the same one only once."""
        sentence = clean(sentence)
        if sentence not in self.notes:
            self.notes.append(sentence)

    def saw(self, file: str, frame: pd.DataFrame) -> None:
        """Keeps the first rows of a table, once; later columns are added to them."""
        known = self.heads.get(file)
        columns = tuple(map(str, frame.columns))
        if known is not None:
            if len(columns) > len(known.columns):
                self.heads[file] = Head(columns, known.rows)
            return
        rows = (
            tuple(str(c)[:HEAD_CHARACTERS] for c in row) for row in frame.itertuples(index=False)
        )
        self.heads[file] = Head(columns, tuple(rows))

    def reject(self, file: str, line: int | None, reason: str) -> None:
        """Notes a row, or a file, that is left out.

        Raises:
            InputError: The reading is not lenient.
        """
        finding = self._noted(file, line, reason)
        self.n_rejected += 1
        if len(self.rejected) < SHOWN:
            self.rejected.append(finding)

    def reject_rows(
        self, file: str, lines: np.ndarray, bad: np.ndarray, what: str, values: pd.Series
    ) -> None:
        """Notes every row where ``bad``; ``what`` holds ``{}`` for the offending value."""
        rows = np.flatnonzero(bad)
        told = rows if self._file is not None else rows[: SHOWN + 1]
        for row in told:
            value = str(values.iloc[row])
            shown = value if len(value) <= 60 else f"{value[:57]}..."
            # Not ``format``: names of columns may hold braces as well.
            self.reject(file, int(lines[row]), what.replace("{}", repr(shown)))
        self.n_rejected += len(rows) - len(told)

    def broken_image(self, file: str, reason: str) -> None:
        """Notes a picture that cannot be used.

        Raises:
            InputError: The reading is not lenient.
        """
        finding = self._noted(file, None, reason)
        self.n_broken += 1
        if len(self.broken) < SHOWN:
            self.broken.append(finding)

    def _noted(self, file: str, line: int | None, reason: str) -> Finding:
        finding = Finding(clean(file), line, clean(reason))
        if not self.lenient:
            raise InputError(f"{finding.sentence}; {REMEDY}.")
        if self._file is not None:
            from mmrec_core.datasets.export import escape_cell

            self._writer.writerow(
                [escape_cell(finding.file), line or "", escape_cell(finding.reason)]
            )
        return finding
