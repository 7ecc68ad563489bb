"""Prompts of one model side by side: the shipped ones, and answers brought for a small shop."""

import json

import numpy as np
import pandas as pd
import pytest
from descriptions.test_measure import pictured  # noqa: F401  (fixture)
from descriptions.test_service import tiny  # noqa: F401  (fixture)
from studies.shop import N_ITEMS

from mmrec_core.__main__ import main
from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.descriptions import service
from mmrec_core.descriptions import strategies as own
from mmrec_core.descriptions.imported import import_answers
from mmrec_core.descriptions.support import named_share, right
from mmrec_core.domain import InputError
from mmrec_core.extractors.prompts import STRATEGIES, known_prompt, prompt_options, written
from mmrec_core.work import HANDLERS


def brought(dataset, tmp_path, strategy, answers):
    """Answers of one model, as a file of the same name for every strategy."""
    path = tmp_path / f"{strategy}.csv"
    pd.DataFrame({"item": dataset.item_ids, "answer": answers}).to_csv(path, index=False)
    prompt = known_prompt("demo", strategy).model_copy(
        update={"slots": ("Type",), "example": {"Type": "Mug"}}
    )
    return import_answers(dataset, path, ("Type",), prompt=prompt, title="my model")


def test_the_shipped_control_scores_worst_and_nothing_is_missing(mmrec_data):
    dataset = load_dataset("demo-words")
    made = service.usual_descriptions(dataset)
    prompts = own.prompts_of(dataset, made)
    assert [own.strategy_of(p) for p in prompts] == list(STRATEGIES)
    assert own.not_asked(dataset, made) == [] and own.not_measured(dataset, prompts) == []
    table = own.strategy_table(dataset, prompts).set_index("strategy")
    assert table.loc["structured", "strict"] == 1 and np.isnan(table.loc["misaligned", "strict"])
    assert table.loc["descriptive", "named"] > 0.9 > 3 * table.loc["descriptive", "named_by_chance"]
    assert table.loc["misaligned", ["named", "distinct"]].tolist() == [0, 0]
    assert table.loc["titles alone", "mrr"] < table.loc["structured", "mrr"]
    # One answer for all ties with everything, and a tie is chance.
    assert table.loc["misaligned", "mrr"] == pytest.approx(table.loc["chance", "mrr"])
    said = own.control_sentence(table.reset_index())
    assert said.startswith("The misaligned control scores worst, as it should")
    assert "no more than chance" in said


def test_a_control_that_does_as_well_is_said_to(pictured, tmp_path, mmrec_data):  # noqa: F811
    told = {
        "structured": [written({"Type": f"kind {at % 4}"}) for at in range(N_ITEMS)],
        "misaligned": [f"kind {at % 4}" for at in range(N_ITEMS)],
    }
    made = [brought(pictured, tmp_path, *entry) for entry in told.items()]
    assert service.usual_descriptions(pictured).artefact.key == made[0].artefact.key
    prompts = own.prompts_of(pictured, made[1])
    assert [own.strategy_of(p) for p in prompts] == ["structured", "misaligned"]
    assert own.not_measured(pictured, prompts) == prompts
    truth = {"Type": "category"}
    assert "not measured yet" in own.control_sentence(own.strategy_table(pictured, prompts, truth))
    told_of = []
    own.make_comparable(pictured, [], prompts, lambda *given: told_of.append(given), truth=truth)
    assert told_of[-1][:2] == (1000, 1000)
    assert own.not_measured(pictured, prompts, truth) == []
    # Under another truth it is another measure.
    assert own.not_measured(pictured, prompts) == prompts
    table = own.strategy_table(pictured, prompts, truth)
    assert "cannot be told from structured" in own.control_sentence(table)
    assert table["named"].iloc[0] >= 0.9 > table["named_by_chance"].iloc[0]
    assert own.not_asked(pictured, made[0]) == []
    with pytest.raises(InputError, match="made elsewhere"):
        own.config_under(made[0], "descriptive")


def test_what_was_not_asked_is_asked_and_measured_by_one_job(pictured, tiny):  # noqa: F811
    made = service.describe(pictured, {"model": str(tiny), "prompt": "demo", "answer_tokens": 4})
    assert own.not_asked(pictured, made) == ["descriptive", "misaligned"]
    assert own.expected_minutes(pictured, made, 2, 1) > 0
    told = []
    spec = {
        "dataset": "shop",
        "ask": [own.config_under(made, "misaligned")],
        "measure": [made.artefact.key],
    }
    # Random weights fill no slot: that is said, and keeps nothing else from being measured.
    with pytest.raises(InputError, match="structured could not be measured: A round trip needs"):
        HANDLERS.get("strategies")(spec, lambda *given: told.append(given))
    assert own.not_asked(pictured, made) == ["descriptive"]
    prompts = own.prompts_of(pictured, made)
    assert len(prompts) == 2 and prompts[1].control
    assert [left.artefact.key for left in own.not_measured(pictured, prompts)] == [
        made.artefact.key
    ]
    done = HANDLERS.get("strategies")({**spec, "measure": []}, lambda *given: told.append(given))
    assert done["descriptions"] == [prompts[1].artefact.key] and told[-1][0] == 1
    table = own.strategy_table(pictured, prompts).set_index("strategy")
    assert np.isnan(table.loc["structured", "mrr"]) and table.loc["misaligned", "n"] == N_ITEMS - 1
    assert table.loc["structured", "distinct"] == 0
    # Of a blank picture it is a control of the input, and no prompt.
    blank = service.describe(pictured, {**own.config_under(made, "structured"), "picture": "blank"})
    assert blank.control and len(own.prompts_of(pictured, made)) == 2
    assert service.usual_descriptions(pictured).artefact.key == made.artefact.key


def row(strategy, ten, n=400, key="k"):
    return {"descriptions": key, "strategy": strategy, "recall@10": ten, "n": n}


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (
            0.02,
            "scores worst, as it should: it finds the item among the first ten in 2.0%, no more",
        ),
        (0.20, "scores worst, as it should: it finds the item among the first ten in 20.0%, above"),
        (0.48, "cannot be told from descriptive"),
        (0.53, "cannot be told from descriptive"),
        (0.70, "does not score worst"),
    ],
)
def test_the_sentence_follows_the_numbers(control, said):
    rows = [row("structured", 0.9), row("descriptive", 0.5), row("misaligned", control)]
    table = pd.DataFrame([*rows, row("chance", 0.02, key="")])
    assert said in own.control_sentence(table)
    without = table[table["strategy"] != "misaligned"]
    assert "not measured yet" in own.control_sentence(without)
    alone = table[table["strategy"].isin(["misaligned", "chance"])]
    assert "nothing to compare" in own.control_sentence(alone)


def test_the_same_model_is_asked_with_its_own_options(mmrec_data):
    made = service.usual_descriptions(load_dataset("demo-both"))
    config = own.config_under(made, "misaligned")
    assert (config["model"], config["prompt"], config["strategy"]) == (
        "small-lvlm", "demo", "misaligned",
    )  # fmt: skip
    assert "position" not in config and config["answer_tokens"] == 64
    mine = known_prompt("demo").model_copy(update={"wording": "Look: {form}"})
    assert prompt_options(mine)["custom"]["wording"] == "Look: {form}"
    other = mine.asked_as("descriptive")
    assert other.slots == mine.slots and other == known_prompt("demo", "descriptive")
    assert mine.asked_as("structured") is mine


def test_texts_name_the_truth_in_any_form():
    truth = {"Type": ["mug", "lamp", None], "Color": ["Red", "blue", "green"]}
    texts = ["Two red mugs.", "", None]
    # Of four values known of the two that were asked about, two are named.
    assert named_share(texts, truth)[0] == 0.5
    assert named_share(["A red mug", "A red mug"], {"Type": ["mug", "lamp"]}) == (0.5, 0.5)
    # A word inside another is not named.
    assert named_share(["predator", "tired"], {"Color": ["red", "red"]})[0] == 0
    assert all(np.isnan(named_share(["a", "b"], {})))


def test_right_is_told_item_by_item():
    values = [{"Type": "Mugs"}, {"Type": "Lamp"}, {}, {"Type": "Vase"}]
    found = right(values, {"Type": ["mug", "Clock", "mug", None]})
    assert found["Type"].tolist() == [True, False, None, None]


def test_described_items_are_read_cheaply_in_the_wanted_order(mmrec_data):
    import sys

    dataset = load_dataset("demo-both")
    made = service.usual_descriptions(dataset)
    before = "torch" in sys.modules
    told = service.described_items(dataset, made, ["P0002", "P0001", "nowhere"])
    assert told.index.tolist() == ["P0002", "P0001", "nowhere"]
    assert told["status"].tolist() == ["strict", "strict", "none"]
    assert told.loc["P0001", "text"] == ", ".join(
        told.loc["P0001", f"slot: {s}"] for s in made.slots
    )
    assert told.loc["nowhere", ["answer", "text"]].tolist() == ["", ""]
    assert told.loc["nowhere", "slot: Type"] is None and told.loc["P0001", "failure"] is None
    assert before or "torch" not in sys.modules


def test_from_the_command_line(pictured, tmp_path, mmrec_data, capsys):  # noqa: F811
    answers = [f"kind {at % 4}" for at in range(N_ITEMS)]
    made = [brought(pictured, tmp_path, s, answers) for s in ("descriptive", "misaligned")]
    key = made[0].artefact.key[:12]
    assert main(["strategies", key, "--stored"]) == 0
    assert "not measured yet" in capsys.readouterr().out
    assert main(["strategies", key, "--truth", "Type=category", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [r["strategy"] for r in found["prompts"]][:2] == ["descriptive", "misaligned"]
    assert "cannot be told" in found["sentence"]
    file = tmp_path / "mine.toml"
    file.write_text('slots = ["Use"]\nwording = "Say {form}"\n[example]\nUse = "Tea"\n', "utf-8")
    assert main(["prompts", "shop", "--save", "mine", "--file", str(file)]) == 0
    assert "mine" in capsys.readouterr().out
    asked = ["describe", "shop", "--model", "nobody/nothing", "--try", "2"]
    assert main([*asked, "--saved", "mine"]) == 2
    assert "is not on this machine" in capsys.readouterr().err
    assert main([*asked, "--saved", "yours"]) == 2 and "'mine'" in capsys.readouterr().err
    assert main([*asked, "--saved", "mine", "--prompt", "demo"]) == 2
    assert "Name one prompt" in capsys.readouterr().err
    file.write_text('slots = ["Use"]\nwording = "Say it"\n[example]\nUse = "Tea"\n', "utf-8")
    assert main([*asked, "--prompt-file", str(file)]) == 2
    assert "must hold {form}" in capsys.readouterr().err
    assert main(["prompts", "shop", "--forget", "mine"]) == 0
    assert "mine" not in capsys.readouterr().out
