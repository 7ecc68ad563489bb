"""Faithfulness and probes through the store: the demo's shipped ones, and a small shop's own."""

import json

import numpy as np
import pandas as pd
import pytest
from descriptions.test_service import tiny  # noqa: F401  (fixture)
from studies.shop import N_ITEMS, add_pictures, write_shop

from mmrec_core.__main__ import main
from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.datasets.install import install
from mmrec_core.descriptions import measure, service
from mmrec_core.descriptions.imported import import_answers
from mmrec_core.domain import InputError
from mmrec_core.extractors.prompts import known_prompt, written
from mmrec_core.store import Store


@pytest.fixture
def shipped(mmrec_data):
    dataset = load_dataset("demo-picture")
    return dataset, service.usual_descriptions(dataset)


def test_the_shipped_measures_are_those_of_today_and_serve_every_world(shipped):
    dataset, made = shipped
    found = measure.find_faithfulness(dataset, made)
    spec = measure.faithfulness_spec(dataset, made)
    assert found.shipped and found.key == Store.key(measure.FAITHFULNESS, spec)
    trips = measure.tables(found)["round_trip"].set_index("what")
    assert trips.loc["descriptions", "recall@10"] > 0.9
    for control in ("shuffled descriptions", "descriptions of noise"):
        assert trips.loc[control, "mrr"] < 3 * trips.loc[control, "chance"]
    accuracy = measure.tables(found)["accuracy"].set_index("slot")["accuracy"]
    assert accuracy[["Type", "Color"]].min() >= 0.97 and accuracy.min() >= 0.92
    (probes,) = measure.list_probes(made)
    spec = measure.probe_spec(dataset, made, "small-lvlm", None)
    assert probes.key == Store.key(measure.PROBES, spec)
    slots = probes.table("slots")
    assert (slots["accuracy"] > 2 * slots["shuffled"]).all()
    words = probes.table("words")
    assert len(words) == dataset.n_items and words["Type confidence"].between(0, 1).all()


def test_the_command_reads_what_is_there(shipped, capsys):
    _, made = shipped
    assert main(["faithfulness", made.artefact.key[:10], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"round_trip", "accuracy", "support", "consistency"} <= set(found)
    assert main(["faithfulness", made.artefact.key[:10], "--truth", "Price=category"]) == 2
    assert "There is no slot 'Price'" in capsys.readouterr().err


@pytest.fixture
def pictured(tmp_path, mmrec_data):
    """60 items: pictures of one tone each, the last without; tones in the metadata."""
    add_pictures(write_shop(tmp_path / "shop", more=True))
    install(tmp_path / "shop", name="shop")
    return load_dataset("shop")


def said(dataset, tmp_path, answers):
    path = tmp_path / "said.csv"
    pd.DataFrame({"item": dataset.item_ids, "answer": answers}).to_csv(path, index=False)
    prompt = known_prompt("demo").model_copy(
        update={"slots": ("Type",), "example": {"Type": "Mug"}}
    )
    return import_answers(dataset, path, ("Type",), prompt=prompt)


def test_imported_answers_are_measured_without_asking_again(pictured, tmp_path, capsys):
    answers = [written({"Type": f"kind {at % 4}"}) for at in range(N_ITEMS)]
    made = said(pictured, tmp_path, answers)
    artefact = measure.measure_faithfulness(pictured, made, truth={"Type": "category"})
    assert artefact.facts["asked_again"] == 0
    assert artefact.facts["not_asked"] == "the answers were made elsewhere"
    found = measure.tables(artefact)
    assert not len(found["consistency"])
    # Categories are "kind 0" to "kind 3" but for three odd items.
    assert found["accuracy"]["accuracy"].iloc[0] >= 0.9
    assert "descriptions of noise" not in set(found["round_trip"]["what"])
    assert measure.find_faithfulness(pictured, made).key == artefact.key
    # Another truth is another measure; the newest is shown.
    again = measure.measure_faithfulness(pictured, made)
    assert again.key != artefact.key
    assert measure.find_faithfulness(pictured, made).key == again.key


def test_a_model_is_asked_again_with_its_own_options(pictured, tiny, monkeypatch):  # noqa: F811
    config = {"model": str(tiny), "prompt": "demo", "answer_tokens": 4}
    made = service.describe(pictured, config)
    asked = []
    own = measure.VisionLanguage.answer_rows

    def counted(self, dataset, rows, *given):
        asked.append(
            (self.config.answer_tokens, self.config.picture, self.prompt.wording, len(rows))
        )
        return own(self, dataset, rows, *given)

    monkeypatch.setattr(measure.VisionLanguage, "answer_rows", counted)
    again, noise, rows = measure._asked_again(pictured, made)
    assert [a[:2] for a in asked] == [(4, "own"), (4, "noise")]
    assert asked[0][2] != asked[1][2] and asked[0][3] == N_ITEMS - 1 == len(again) == len(noise)
    assert np.isin(rows, np.arange(N_ITEMS - 1)).all()


def test_a_slot_that_nobody_fills_has_no_probe(pictured, tmp_path):
    made = said(pictured, tmp_path, ["[Type] {one}"] * N_ITEMS)
    with pytest.raises(InputError, match="No slot has two values"):
        measure.probe_words(pictured, made, "precomputed", {"file": "text"})
