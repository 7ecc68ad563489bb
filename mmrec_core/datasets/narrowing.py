"""Thresholds said at the installation, and whether only what they leave is installed."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from mmrec_core.datasets.importers.base import Tables
from mmrec_core.datasets.schema import Ledger
from mmrec_core.datasets.split import k_core
from mmrec_core.domain import InputError


@dataclass(frozen=True)
class Narrowing:
    """What a person says of thresholds.

    Attributes:
        k_core: Default k-core of studies; None: as the upload says.
        relevant_from: Rating from which a held-out interaction counts in studies; ``all``: every
            one does; None: as the upload says.
        only_core: Only the k-core is installed: items that no study would see cost no pictures,
            embeddings or room.
    """

    k_core: int | None = None
    relevant_from: float | str | None = None
    only_core: bool = False

    def kept(self, interactions: pd.DataFrame, declared: int) -> np.ndarray:
        """[n] bool, which interactions are in the k-core; ``declared`` where nothing is said.

        Raises:
            InputError: None is.
        """
        k = declared if self.k_core is None else self.k_core
        user, item = (pd.factorize(interactions[name])[0] for name in ("user_id", "item_id"))
        kept = k_core(user.astype(np.int32), item.astype(np.int32), k)
        if not kept.any():
            raise InputError(
                f"The {k}-core is empty: no interaction would be left to install; choose a "
                "smaller k-core."
            )
        return kept


def narrowed(tables: Tables, said: Narrowing, ledger: Ledger) -> Tables:
    """``tables`` with the thresholds as said.

    Raises:
        InputError: Nothing is left of them, or the split is fixed and would be torn apart.
    """
    info = tables.info
    if said.k_core is not None:
        info = replace(info, k_core=said.k_core)
    if said.relevant_from is not None:
        all_ = said.relevant_from == "all"
        info = replace(info, relevant_from=None if all_ else float(said.relevant_from))
    tables = replace(tables, info=info)
    if not said.only_core:
        return tables
    if "split" in tables.interactions:
        raise InputError(
            "These interactions are divided into train, valid and test already; they are installed "
            "whole, without a k-core."
        )
    kept = said.kept(tables.interactions, info.k_core)
    interactions = tables.interactions[kept].reset_index(drop=True)
    named = tables.items["item_id"].isin(interactions["item_id"].unique()).to_numpy(dtype=bool)
    if kept.all() and named.all():
        # Nothing to leave out, or left out already while it was read.
        return tables
    ledger.note(
        f"Only the {info.k_core}-core is installed: {int((~kept).sum()):,} interactions and "
        f"{int((~named).sum()):,} items are left out."
    )
    unknown = int((tables.item_rows[named] < 0).sum()) if tables.n_item_rows else 0
    return replace(
        tables,
        items=tables.items[named].reset_index(drop=True),
        interactions=interactions,
        item_rows=tables.item_rows[named],
        n_unknown_items=unknown,
        absent_images=tables.absent_images[named],
    )


def coded(tables: Tables) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[n] user and item codes from 0, and ratings, of the interactions."""
    frame = tables.interactions
    return (
        pd.factorize(frame["user_id"])[0].astype(np.int32),
        pd.factorize(frame["item_id"])[0].astype(np.int32),
        frame["rating"].to_numpy(dtype=np.float32),
    )


def write_codes(path: Path, tables: Tables) -> None:
    """Keeps what ``read_codes`` reads."""
    user, item, rating = coded(tables)
    np.savez(path, user=user, item=item, rating=rating, n_items=len(tables.items))


def read_codes(path: Path) -> dict[str, np.ndarray]:
    """User, item and rating [n] of an upload that was inspected, and its number of items."""
    with np.load(path, allow_pickle=False) as held:
        return {name: held[name] for name in held.files}
