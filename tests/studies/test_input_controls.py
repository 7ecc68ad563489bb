"""Which modality did a joint matrix use? The model's input is replaced and extracted again."""

import numpy as np
import pytest
from extractors.tiny_vlms import checkpoint
from studies.shop import QUICK, add_pictures, write_shop

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.datasets.install import install
from mmrec_core.extractors.service import make_extractor
from mmrec_core.studies.inputs import embed_one, load_inputs, resolved, to_embed
from mmrec_core.studies.knockout import knockout_table
from mmrec_core.studies.plan import plan_study
from mmrec_core.studies.results import load_study
from mmrec_core.studies.runner import run_study
from mmrec_core.studies.runs import arm_features, run_spec
from mmrec_core.studies.study import Arm, make_study

INPUT = ["picture-of-another", "picture-blank", "title-of-another", "title-removed"]
TITLED = {
    "slots": ["Type"], "example": {"Type": "Mug"}, "wording": "{title} {form}",
}  # fmt: skip


@pytest.fixture
def model(tmp_path):
    return str(checkpoint("llava", tmp_path / "llava"))


def installed(tmp_path):
    add_pictures(write_shop(tmp_path / "shop"))
    install(tmp_path / "shop", name="shop")


def joint_study(tmp_path, model, controls, **config):
    installed(tmp_path)
    choice = {"extractor": "vision-language", "config": {"model": model, **config}}
    return make_study(
        {
            "dataset": "shop", "recommenders": ["vbpr"], "references": [], "modalities": ["joint"],
            "features": {"joint": choice}, "controls": ["shuffle", "removed", *controls],
            "seeds": 2, "configs": {"vbpr": {**QUICK["vbpr"], "max_epochs": 5}},
            "split": {"k_core": 0},
        }
    )  # fmt: skip


def test_inputs_are_replaced_and_judged_each_by_itself(tmp_path, mmrec_data, model):
    study = joint_study(tmp_path, model, INPUT, custom=TITLED)
    assert plan_study(study).to_embed == ["joint", *INPUT]
    result = load_study(run_study(study, workers=1).key)
    assert {v["modality"] for v in result.verdicts} == {"joint", "input-picture", "input-title"}
    own = result.comparisons.query("metric == 'recall@20'").set_index(["modality", "kind"])["base"]
    assert own["input-picture", "used"] == "vbpr · input-picture · picture-of-another"
    assert own["input-picture", "gained"] == "vbpr · input-picture · picture-blank"
    assert own["input-title", "used"] == "vbpr · input-title · title-of-another"
    assert own["input-title", "gained"] == "vbpr · input-title · title-removed"
    families = {frozenset(v["family"].items()) for v in result.verdicts}
    assert families == {frozenset({("F1", 3), ("F2", 3), ("F3", 3), ("F4", 0)})}
    knocked = knockout_table(result.comparisons, "recall@20")
    assert set(knocked["stand_in"]) == {"shuffle", "removed", *INPUT}
    sentence = next(v["sentence"] for v in result.verdicts if v["modality"] == "input-title")
    assert "the title through the joint embeddings" in sentence


def test_each_arm_reads_the_matrix_made_under_its_control(tmp_path, mmrec_data, model):
    study = resolved(joint_study(tmp_path, model, INPUT, custom=TITLED))
    for what in to_embed(study):
        embed_one(study, what)
    inputs = load_inputs(study)
    real = Arm("vbpr", "none", "real")
    keys = set()
    for control in INPUT:
        scope = "input-title" if control.startswith("title") else "input-picture"
        arm = Arm("vbpr", scope, control)
        (own,) = arm_features(study, inputs, arm, 1).values()
        (again,) = arm_features(study, inputs, arm, 2).values()
        assert own.matrix is again.matrix
        assert own.matrix.shape == inputs.features["joint"].matrix.shape
        spec = run_spec(study, inputs, arm, 1)["features"]["joint"]
        assert spec["scope"] == scope and spec["control"] == control
        keys.add(spec["fingerprint"])
    keys.add(run_spec(study, inputs, real, 1)["features"]["joint"]["fingerprint"])
    assert len(keys) == 5


def test_without_a_title_another_picture_is_the_shuffled_matrix(tmp_path, mmrec_data, model):
    study = resolved(joint_study(tmp_path, model, INPUT))
    assert to_embed(study) == ["joint", "picture-of-another", "picture-blank"]
    for what in to_embed(study):
        embed_one(study, what)
    inputs = load_inputs(study)
    every = (inputs.features["joint"], *inputs.extracted.values())
    assert len({tuple(np.flatnonzero(each.missing)) for each in every}) == 1
    real, other, blank = (each.matrix[each.observed] for each in every)
    order = np.lexsort(real.T.round(4)), np.lexsort(other.T.round(4))
    np.testing.assert_allclose(real[order[0]], other[order[1]], atol=1e-4)
    assert np.abs(real - other).max() > 1e-3
    np.testing.assert_allclose(blank, np.broadcast_to(blank[0], blank.shape), atol=1e-5)
    skipped = {s.arm.label: s.reason for s in plan_study(study).skipped}
    assert skipped == {
        "vbpr · input-title · title-of-another": "the prompt gives the model no title",
        "vbpr · input-title · title-removed": "the prompt gives the model no title",
    }


def test_only_a_vision_language_model_is_extracted_again(tmp_path, mmrec_data):
    installed(tmp_path)
    study = make_study(
        {
            "dataset": "shop", "recommenders": ["vbpr"], "references": [], "modalities": ["text"],
            "controls": ["shuffle", "removed", "picture-blank"], "seeds": 2,
        }
    )  # fmt: skip
    (left_out,) = plan_study(study).skipped
    assert "only a vision-language model" in left_out.reason


def test_who_has_a_picture_and_a_title_stays(tmp_path, mmrec_data, model):
    installed(tmp_path)
    dataset = load_dataset("shop")
    config = {"model": model, "custom": TITLED}
    real = make_extractor("vision-language", config)
    other = make_extractor("vision-language", {**config, "picture": "other", "title": "other"})
    np.testing.assert_array_equal(real.observed(dataset), other.observed(dataset))
    before, after = real.shown(dataset), other.shown(dataset)
    present = before != ""
    assert sorted(before) == sorted(after) and (before[present] != after[present]).all()
    assert (after[~present] == "").all()
    assert sorted(real.words(dataset)) == sorted(other.words(dataset))
