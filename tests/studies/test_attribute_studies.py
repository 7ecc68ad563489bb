"""The study that feeds descriptions to AttributeItemKNN, and finding those that did."""

import pandas as pd
import pytest
from studies.shop import N_ITEMS, add_pictures, write_shop

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.datasets.install import install
from mmrec_core.descriptions.imported import import_answers
from mmrec_core.domain import InputError
from mmrec_core.extractors.prompts import known_prompt, written
from mmrec_core.studies.attributes import READERS, attribute_study, readers_of, studies_of
from mmrec_core.studies.plan import plan_study
from mmrec_core.studies.runner import run_study
from mmrec_core.studies.study import make_study


@pytest.fixture
def shop(tmp_path, mmrec_data):
    add_pictures(write_shop(tmp_path / "shop", more=True))
    install(tmp_path / "shop", name="shop")
    return load_dataset("shop")


def said(dataset, tmp_path, strategy="structured"):
    path = tmp_path / f"{strategy}.csv"
    answers = [written({"Type": f"kind {at % 4}"}) for at in range(N_ITEMS)]
    pd.DataFrame({"item": dataset.item_ids, "answer": answers}).to_csv(path, index=False)
    prompt = known_prompt("demo", strategy).model_copy(
        update={"slots": ("Type",), "example": {"Type": "Mug"}}
    )
    return import_answers(dataset, path, ("Type",), prompt=prompt)


def test_the_study_has_its_controls_and_is_found_by_what_it_read(shop, tmp_path):
    made = said(shop, tmp_path)
    values = attribute_study("shop", made)
    plan = plan_study(make_study(values))
    labels = [arm.label for arm in plan.arms]
    for control in ("real", "joint · shuffle", "joint · gaussian-matched", "joint · removed"):
        assert f"attribute-item-knn · {control}" in labels
    assert "item-knn" in labels and plan.minutes < 2
    assert studies_of("shop", made) == {}
    artefact = run_study(make_study(values), workers=1)
    found = studies_of("shop", made)
    assert [study.key for study in found.pop("attributes")] == [artefact.key] and not found
    (verdict,) = next(iter(studies_of("shop", made).values()))[0].verdicts
    assert (verdict["recommender"], verdict["modality"]) == ("attribute-item-knn", "joint")
    # Other descriptions are other features.
    assert studies_of("shop", said(shop, tmp_path, "descriptive")) == {}


def test_sentences_hold_no_attributes_but_can_be_read(shop, tmp_path):
    made = said(shop, tmp_path, "descriptive")
    assert readers_of(made) == ["description-text"]
    with pytest.raises(InputError, match="were not asked for slots"):
        attribute_study("shop", made)
    with pytest.raises(InputError, match="no reader 'nothing'"):
        attribute_study("shop", made, "nothing")
    values = attribute_study("shop", made, "description-text", 12)
    assert make_study(values).tuning.trials == 12
    assert set(readers_of(said(shop, tmp_path))) == set(READERS)
