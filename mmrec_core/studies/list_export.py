"""Lists and splits as tables: for other tools, and to come back through ``imported``."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mmrec_core.domain import Split
from mmrec_core.metrics.ranking import PAD
from mmrec_core.studies.evidence import Runs
from mmrec_core.studies.study import Arm


def lists_table(runs: Runs, split: Split, arms: Sequence[Arm] | None = None) -> pd.DataFrame:
    """Every list of the arms: user, item (ids), rank (from 1), arm, seed, converged.

    Args:
        runs: Arm -> its runs.
        split: Of the study.
        arms: Some of them; None: all.
    """
    frames = []
    for arm in runs if arms is None else arms:
        for run in runs[arm]:
            lists = np.asarray(run.array("lists"))
            user, rank = np.nonzero(lists != PAD)
            frames.append(
                pd.DataFrame(
                    {
                        "user": split.user_ids[user],
                        "item": split.item_ids[lists[user, rank]],
                        "rank": rank + 1,
                        "arm": arm.label,
                        "seed": int(run.spec["seed"]),
                        "converged": run.facts["converged"],
                    }
                )
            )
    columns = ["user", "item", "rank", "arm", "seed", "converged"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def split_tables(split: Split) -> dict[str, pd.DataFrame]:
    """The parts of a split, to train elsewhere: user, item, rating where there are any.

    Returns:
        ``train``, ``valid`` and ``test``; user and item are ids, ``relevant`` says whether an entry
        of valid or test counts as a hit. ``candidates`` (item), where only some are ranked.
    """
    tables = {}
    for name in ("train", "valid", "test"):
        part = getattr(split, name).tocoo()
        table = pd.DataFrame(
            {
                "user": split.user_ids[part.row],
                "item": split.item_ids[part.col],
                "rating": part.data,
            }
        )
        if name != "train":
            hits = split.relevant(name)
            table["relevant"] = np.asarray(hits[part.row, part.col]).ravel() > 0
        tables[name] = table
    if split.candidates is not None:
        tables["candidates"] = pd.DataFrame({"item": split.item_ids[split.candidates]})
    return tables
