"""Slices: hand-worked groups, and sums that must come back to the whole."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from studies import shop

from mmrec_core.datasets.install import install
from mmrec_core.studies.evidence import metric_of
from mmrec_core.studies.inputs import Inputs, load_inputs, resolved
from mmrec_core.studies.results import StudyResult
from mmrec_core.studies.runner import run_study
from mmrec_core.studies.runs import train_runs
from mmrec_core.studies.slices import COLUMNS, FEWEST_USERS, slicings_of
from mmrec_core.studies.study import Arm, make_study

STUDY = {
    "dataset": "shop",
    "recommenders": ["vbpr"],
    "references": [],
    "controls": ["shuffle", "removed"],
    "seeds": 2,
    "split": {"k_core": 0},
    "configs": {"vbpr": shop.QUICK["vbpr"] | {"max_epochs": 10}},
}


def made(tmp_path: Path) -> tuple[StudyResult, Inputs]:
    """A shop whose users bought 5, 7 or 9 items, two categories, some pictures missing."""
    folder = shop.write_shop(tmp_path / "up", missing_images=12)
    bought = pd.read_csv(folder / "interactions.csv")
    kept = np.arange(len(bought)) % 10 < 5 + 2 * (np.arange(len(bought)) // 10 % 3)
    bought[kept].to_csv(folder / "interactions.csv", index=False)
    items = pd.read_csv(folder / "items.csv")
    items["category"] = ["round|red" if i % 3 else "square" for i in range(len(items))]
    items.to_csv(folder / "items.csv", index=False)
    toml = "[columns]\ncategory = 'category'\ncategory_separator = '|'\n"
    (folder / "dataset.toml").write_text(toml, "utf-8")
    install(folder, name="shop")
    study = make_study(STUDY)
    artefact = run_study(study, workers=1)
    return StudyResult(artefact), load_inputs(resolved(study))


def test_slices_divide_and_add_up(mmrec_data: Path, tmp_path: Path) -> None:
    result, inputs = made(tmp_path)
    table = result.slices
    assert list(table.columns) == COLUMNS
    assert set(table["slicing"]) >= {"activity", "popularity", "category", "image"}
    by_name = {slicing.name: slicing for slicing in slicings_of(inputs)}
    for slicing in by_name.values():
        groups = slicing.users if slicing.users is not None else slicing.items
        assert groups is not None and groups.max() == len(slicing.labels) - 1
    assert by_name["category"].labels == ("round", "square")
    image = by_name["image"].items
    assert image is not None
    np.testing.assert_array_equal(image == 1, inputs.features["image"].missing)

    # The mean over users of a user slicing, weighted by its users, is the study's own effect.
    own = table.query("slicing == 'activity' and modality == 'text' and kind == 'used'")
    whole = result.comparisons.query(
        "metric == 'recall@20' and modality == 'text' and kind == 'used'"
    )["effect"].iloc[0]
    assert len(own) == 3 and own["n_users"].sum() == result.document["n_users"]
    assert np.average(own["effect"], weights=own["n_users"]) == pytest.approx(whole, abs=1e-9)
    assert (table["n_users"] >= FEWEST_USERS).all()
    assert (table["p_adjusted"] >= table["p"] - 1e-12).all()

    # Hits in the slices of one slicing, over all relevant items, are the whole recall.
    study = resolved(make_study(result.study))
    arm = Arm("vbpr", "none", "real")
    runs = train_runs(study, inputs, arm, study.seed_list)
    recall = metric_of(runs, "recall@20", study.seeds)
    relevant = inputs.split.relevant("test").toarray() > 0
    items = by_name["popularity"].items
    assert items is not None
    lists = np.asarray(runs[0].array("lists"))[:, :20]
    found = np.zeros(len(lists))
    for group in (0, 1):
        inside = items == group
        for u in range(len(lists)):
            listed = lists[u][lists[u] >= 0]
            found[u] += (relevant[u, listed] & inside[listed]).sum()
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found / relevant.sum(axis=1), recall[:, 0])
