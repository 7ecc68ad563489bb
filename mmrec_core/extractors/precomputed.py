"""Features made elsewhere: a .npy matrix that comes with the dataset."""

import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from mmrec_core.domain import (
    Dataset,
    Embeddings,
    InputError,
    Progress,
    no_progress,
    sha256_json,
    sha256_strings,
)
from mmrec_core.extractors.base import (
    EXTRACTORS,
    Available,
    Encoded,
    Extractor,
    ExtractorConfig,
    Shards,
)

FOLDER = "features"
_HINTS = {
    "joint": ("joint", "multimodal", "fused", "fusion", "lvlm", "vlm", "qwen", "phi"),
    "image": ("image", "img", "visual", "vision", "v", "vit", "resnet", "rnet50", "efficientnet"),
    "text": ("text", "textual", "txt", "t", "sbert", "bert", "minilm", "sentence", "description"),
}


class PrecomputedConfig(ExtractorConfig):
    """Options of precomputed features."""

    file: str = Field(
        "",
        pattern=r"^[\w][\w .+-]*$|^$",
        description="Name of the file in the dataset's folder features, without .npy. Empty: the "
        "only file there is.",
    )
    modality: Literal["image", "text", "joint"] | None = Field(
        None,
        description="What the features were made from. None: guessed from the name (image_feat, "
        "visual..., text_feat, ...).",
    )
    zero_rows_are_missing: bool = Field(
        True,
        description="Rows of zeros mean that the item lacks this modality: many exporters write "
        "zeros for missing pictures and texts.",
    )
    nan_rows_are_missing: bool = Field(
        False,
        description="Rows that hold nothing but NaN mean that the item lacks this modality. "
        "Otherwise any NaN is an error.",
    )
    ignore_unknown_ids: bool = Field(
        False,
        description="Rows whose id (in the file NAME.ids.txt) is not an item of this dataset are "
        "left out. Otherwise they are an error.",
    )


class Precomputed(Extractor):
    """Takes features that were made elsewhere and come with the dataset.

    Reads ``features/NAME.npy``, one row an item in the order of the items file, or in the order of
    ``features/NAME.ids.txt`` (one item id a line; items not named there are missing). Every value
    must be a finite number; rows of zeros count as missing unless switched off.
    """

    name = "precomputed"
    title = "Precomputed features"
    modality = "any"
    reference = "made elsewhere; see the dataset's own description"
    version = 1
    width = 0
    Config = PrecomputedConfig

    def __init__(self, config: ExtractorConfig | None = None) -> None:
        super().__init__(config)
        if self.config.file:
            self.modality = self.config.modality or self._guess(self.config.file)
        elif self.config.modality:
            self.modality = self.config.modality

    def availability(self) -> Available:
        """Needs nothing but the files."""
        return Available(True)

    @property
    def label(self) -> str:
        """The file's name, marked as precomputed."""
        return f"precomputed:{self.config.file}" if self.config.file else self.name

    def observed(self, dataset: Dataset) -> np.ndarray:
        """True where the file has values for the item."""
        return self.encode(dataset).observed

    def inputs_fingerprint(self, dataset: Dataset) -> str:
        """sha256 of the file, of its list of ids, and of the dataset's item ids."""
        path, ids = self._paths(dataset)
        return sha256_json(
            [
                sha256_strings(dataset.item_ids),
                path.stem,
                _sha256(path),
                _sha256(ids) if ids else None,
            ]
        )

    def encode(
        self,
        dataset: Dataset,
        device: str | None = None,
        batch_size: int | None = None,
        progress: Progress = no_progress,
        shards: Shards | None = None,
    ) -> Embeddings:
        """Reads and checks the file; nothing is computed, so nothing is kept in shards.

        Raises:
            InputError: The file does not fit the dataset or holds what is not a finite number.
        """
        path, ids_path = self._paths(dataset)
        modality = self.config.modality or self._guess(path.stem)
        progress(0, dataset.n_items, f"reading {path.name}")
        values = read_matrix(path)
        row_of_item = self._rows(dataset, path, len(values), ids_path)
        known = row_of_item >= 0
        matrix = np.zeros((dataset.n_items, values.shape[1]), dtype=np.float32)
        with np.errstate(over="ignore"):
            matrix[known] = values[row_of_item[known]]
        missing = ~known
        finite = np.isfinite(matrix).all(axis=1)
        if self.config.nan_rows_are_missing:
            empty = np.isnan(matrix).all(axis=1)
            missing |= empty
            finite |= empty
        if not finite.all():
            item = int(np.flatnonzero(~finite)[0])
            hint = (
                "; if such rows mean that the item has no features, switch on nan_rows_are_missing"
                if np.isnan(matrix[item]).all()
                else ""
            )
            raise InputError(
                f"{path.name}: row {row_of_item[item]} (counted from 0, item "
                f"{dataset.item_ids[item]!r}) holds NaN or a value beyond float32{hint}."
            )
        if self.config.zero_rows_are_missing:
            missing |= ~matrix.any(axis=1)
        progress(dataset.n_items, dataset.n_items, f"reading {path.name}")
        label = f"precomputed:{path.stem}"
        return Embeddings(modality, label, dataset.item_ids, matrix, missing)

    def encode_rows(
        self,
        dataset: Dataset,
        rows: np.ndarray,
        device: str,
        batch_size: int,
        done: Callable[[int, str], None],
    ) -> Encoded:
        """The given rows of the file."""
        return Encoded(self.encode(dataset).matrix[rows])

    def _paths(self, dataset: Dataset) -> tuple[Path, Path | None]:
        files = feature_files(dataset)
        known = ", ".join(path.stem for path in files) or "none"
        if self.config.file:
            files = [path for path in files if path.stem == self.config.file]
            if not files:
                raise InputError(
                    f"Dataset {dataset.name!r} has no {FOLDER}/{self.config.file}.npy; feature "
                    f"files there are: {known}."
                )
        elif len(files) != 1:
            raise InputError(
                f"Dataset {dataset.name!r} has {len(files)} feature files ({known}); say which "
                "one with the option file."
            )
        path = files[0]
        ids = path.with_name(f"{path.stem}.ids.txt")
        return path, ids if ids.is_file() else None

    def _rows(self, dataset: Dataset, path: Path, n_rows: int, ids: Path | None) -> np.ndarray:
        """[n_items] row of each item in the file, -1 where it has none."""
        if ids is None:
            if n_rows != dataset.n_items:
                raise InputError(
                    f"{path.name} has {n_rows} rows, but dataset {dataset.name!r} has "
                    f"{dataset.n_items} items; give one row an item in the order of the items "
                    f"file, or list the rows' item ids in {path.stem}.ids.txt."
                )
            return np.arange(n_rows)
        try:
            names = pd.Index(ids.read_text("utf-8-sig").splitlines(), dtype=object)
        except UnicodeDecodeError:
            raise InputError(f"{ids.name} is not UTF-8 text; save it as UTF-8.") from None
        if len(names) != n_rows:
            raise InputError(
                f"{ids.name} lists {len(names)} ids, but {path.name} has {n_rows} rows; give one "
                "id a row."
            )
        twice = names.duplicated()
        if twice.any():
            line = int(np.flatnonzero(twice)[0])
            raise InputError(
                f"{ids.name}, line {line + 1}: item id {names[line]!r} is listed twice; keep one."
            )
        items = pd.Index(dataset.item_ids, dtype=object)
        unknown = ~names.isin(items)
        if unknown.all() and n_rows:
            raise InputError(f"{ids.name} names no item of dataset {dataset.name!r}.")
        if unknown.any() and not self.config.ignore_unknown_ids:
            line = int(np.flatnonzero(unknown)[0])
            raise InputError(
                f"{ids.name}, line {line + 1}: {names[line]!r} is no item of dataset "
                f"{dataset.name!r} ({int(unknown.sum())} such ids); remove them or switch on "
                "ignore_unknown_ids."
            )
        return np.asarray(names.get_indexer(items))

    @staticmethod
    def _guess(name: str) -> str:
        guess = guess_modality(name)
        if guess is None:
            raise InputError(
                f"Cannot tell from the name whether {name}.npy was made from image or text; set "
                "the option modality to image, text or joint."
            )
        return guess


def feature_files(dataset: Dataset) -> list[Path]:
    """The .npy files that come with a dataset, by name."""
    return sorted((dataset.folder / FOLDER).glob("*.npy"))


def guess_modality(name: str) -> str | None:
    """``image``, ``text`` or ``joint`` by the words in a file's name, or None.

    A name with words of both image and text means a joint matrix.
    """
    words = set(re.split(r"[^a-z0-9]+|(?<=[a-z0-9])(?=feats?$)", name.lower()))
    found = {
        modality
        for modality, hints in _HINTS.items()
        if words & set(hints)
        or any(word.startswith(hint) for word in words for hint in hints if len(hint) > 3)
    }
    if "joint" in found or {"image", "text"} <= found:
        return "joint"
    return found.pop() if found else None


def read_matrix(path: Path) -> np.ndarray:
    """Maps a two-dimensional numeric .npy file; nothing in it is ever executed.

    Raises:
        InputError: It is no such file, is cut short, or holds objects or no numbers.
    """
    try:
        # Unlike np.load this knows .npy alone: no archives, and no way to pickle.
        values = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OSError, EOFError, SyntaxError, TypeError) as error:
        if "Python objects" in str(error):
            raise InputError(
                f"{path.name} holds Python objects, which could run code when read; save a plain "
                "array of float32."
            ) from None
        raise InputError(
            f"{path.name} is not a readable .npy file ({error}); save it again."
        ) from error
    if values.dtype.kind not in "fiu":
        raise InputError(
            f"{path.name} holds {values.dtype}, not real numbers; save an array of float32."
        )
    if values.ndim != 2 or values.shape[1] == 0:
        raise InputError(
            f"{path.name} has shape {values.shape}; give one row an item and one column a feature."
        )
    return values


def _sha256(path: Path) -> str:
    stat = path.stat()
    return _sha256_of(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)


@lru_cache(maxsize=256)
def _sha256_of(path: Path, size: int, modified: int, inode: int) -> str:
    """Of the file as it was then: pages ask often, and files may hold gigabytes."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


EXTRACTORS.register(Precomputed.name, Precomputed)
