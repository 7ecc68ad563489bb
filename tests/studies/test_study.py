"""Arms, plans, whole studies on a tiny dataset, and what the store makes of a second start."""

import json

import numpy as np
import pytest
from studies.shop import QUICK, write_shop

from mmrec_core.datasets.install import install
from mmrec_core.domain import InputError
from mmrec_core.studies import runs as runs_module
from mmrec_core.studies.inputs import embed_one, load_inputs, resolved
from mmrec_core.studies.plan import plan_study
from mmrec_core.studies.results import list_studies, load_study
from mmrec_core.studies.runner import run_study
from mmrec_core.studies.runs import arm_features, find_run, run_spec, train_runs
from mmrec_core.studies.study import Arm, Study, arms_of, feature_controls, make_study


def test_a_reference_that_cannot_hold_the_items_is_left_out_with_the_reason(monkeypatch):
    study = make_study({"dataset": "x", "references": ["ease", "most-pop"]})
    groups = {"popularity": np.zeros(20_001, dtype=int)}
    arms, skipped = arms_of(study, {"image": False, "text": False}, groups)
    assert "ease" not in {arm.recommender for arm in arms}
    assert skipped[0].arm.recommender == "ease"
    assert "holds at most 20,000 items, these are 20,001" in skipped[0].reason
    few = {"popularity": np.zeros(20_000, dtype=int)}
    complete = {"image": False, "text": False}
    assert arms_of(study, complete, few)[0][0].recommender == "ease"


def shop_study(tmp_path, missing_images=0, **values):
    install(write_shop(tmp_path / "shop", missing_images), name="shop")
    chosen = {
        "dataset": "shop",
        "recommenders": ["vbpr"],
        "references": ["most-pop", "bpr-mf"],
        "controls": ["shuffle", "removed"],
        "seeds": 5,
        "configs": QUICK,
        **values,
    }
    return make_study(chosen)


def test_arms_of_a_study():
    study = Study(dataset="x", controls=("shuffle", "removed", "mean", "identity"))
    arms, skipped = arms_of(study, {"image": True, "text": False})
    labels = [arm.label for arm in arms]
    assert len(set(labels)) == len(labels)
    assert labels[:6] == ["random", "most-pop", "item-knn", "ease", "bpr-mf", "light-gcn"]
    assert "vbpr · real" in labels and "freedom · all · shuffle" in labels
    assert "vbpr · image · mean" in labels
    reasons = {s.arm.label: s.reason for s in skipped}
    assert "no item lacks" in reasons["vbpr · text · mean"]
    assert "one-hot" in reasons["freedom · image · identity"]


def test_a_removed_modality_is_not_read():
    study = Study(dataset="x")
    assert list(feature_controls(study, Arm("vbpr", "image", "removed"))) == [
        ("text", "real", "text")
    ]
    assert list(feature_controls(study, Arm("vbpr", "all", "removed"))) == []
    assert list(feature_controls(study, Arm("vbpr", "all", "shuffle"))) == [
        ("image", "shuffle", "all"),
        ("text", "shuffle", "all"),
    ]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"recommenders": ["vbprr"]}, "no recommender 'vbprr'"),
        ({"recommenders": ["bpr-mf"]}, "uses no content"),
        ({"references": ["vbpr"]}, "uses content"),
        ({"controls": ["noise"]}, "no control 'noise'"),
        ({"metric": "recall@21x"}, "recall@21x"),
        ({"seeds": 0}, "seeds"),
        ({"delta": 2}, "delta"),
        ({"configs": {"vbpr": {"reg": -1}}}, "reg"),
        ({"configs": {"vbpr": {"wings": 2}}}, "wings"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_study_is_refused_in_words(values, sentence):
    with pytest.raises(InputError, match=sentence):
        make_study({"dataset": "x", **values})


def test_a_whole_study(tmp_path, mmrec_data):
    # Smaller steps, so that what the words are worth stands out from chance.
    fine = {n: QUICK[n] | {"batch_size": 512, "learning_rate": 5e-3} for n in ("vbpr", "bpr-mf")}
    study = shop_study(tmp_path, configs=fine)
    plan = plan_study(study)
    assert plan.runs == 1 + 5 + 7 * 5 and plan.runs_left == plan.runs
    told = []
    artefact = run_study(study, lambda p: told.append(p.fraction), workers=1)
    assert told and max(told) <= 1
    result = load_study(artefact.key[:10])
    assert [s.key for s in list_studies("shop")] == [artefact.key]
    verdicts = {v["modality"]: v for v in result.verdicts}
    assert set(verdicts) == {"image", "text", "all"}
    assert verdicts["text"]["used"]["effect"] > 0
    assert verdicts["text"]["used"]["state"] == "above"
    assert verdicts["image"]["used"]["state"] != "above"
    arms = result.arms.set_index("arm")
    used = result.comparisons.query(
        "modality == 'text' and kind == 'used' and metric == 'recall@20'"
    ).iloc[0]
    difference = (
        arms.loc["vbpr · real", "recall@20"] - arms.loc["vbpr · text · shuffle", "recall@20"]
    )
    assert used["effect"] == pytest.approx(difference, abs=1e-6)
    assert used["base_mean"] == pytest.approx(
        arms.loc["vbpr · text · shuffle", "recall@20"], abs=1e-6
    )
    assert (result.curves.groupby(["arm", "seed"]).size() > 1).all()
    assert result.command.startswith("python -m mmrec_core study shop")
    json.dumps(result.document)


def test_the_second_start_answers_from_the_store(tmp_path, mmrec_data, monkeypatch):
    study = shop_study(tmp_path, references=[])
    first = run_study(study, workers=1)

    def trained(*args, **kwargs):
        raise AssertionError("trained again")

    monkeypatch.setattr(runs_module, "_fitted", trained)
    assert run_study(study, workers=1).key == first.key
    assert plan_study(study).runs_left == 0


def test_more_seeds_train_only_what_is_new(tmp_path, mmrec_data):
    study = shop_study(tmp_path, references=[], seeds=2)
    run_study(study, workers=1)
    more = study.model_copy(update={"seeds": 3})
    plan = plan_study(more)
    assert (plan.runs, plan.runs_left) == (21, 7)


def test_processes_side_by_side_give_the_same_numbers(tmp_path, mmrec_data, monkeypatch):
    study = shop_study(tmp_path, references=[], controls=["shuffle"], modalities=["text"], seeds=2)
    one = load_study(run_study(study, workers=1).key).arms
    monkeypatch.setenv("MMREC_DATA", str(mmrec_data / "other"))
    from mmrec_core import settings, store

    settings.settings.cache_clear()
    store.store.cache_clear()
    install(tmp_path / "shop", name="shop")
    two = load_study(run_study(study, workers=2).key).arms
    np.testing.assert_allclose(one["recall@20"], two["recall@20"], atol=1e-6)


def test_runs_are_told_apart_by_all_their_inputs(tmp_path, mmrec_data):
    study = resolved(shop_study(tmp_path))
    for modality in study.modalities:
        embed_one(study, modality)
    inputs = load_inputs(study)
    real, shuffled = Arm("vbpr", "none", "real"), Arm("vbpr", "text", "shuffle")
    specs = [
        run_spec(study, inputs, real, 1),
        run_spec(study, inputs, real, 2),
        run_spec(study, inputs, shuffled, 1),
        run_spec(study, inputs, Arm("vbpr", "all", "shuffle"), 1),
        run_spec(study.model_copy(update={"mask": "train"}), inputs, real, 1),
        run_spec(study.model_copy(update={"stage": "inference"}), inputs, shuffled, 1),
        run_spec(study.model_copy(update={"configs": {"vbpr": {"reg": 0.5}}}), inputs, real, 1),
    ]
    assert len({json.dumps(s, sort_keys=True) for s in specs}) == len(specs)
    # A real arm is the same at both stages, and its run is shared.
    assert run_spec(study.model_copy(update={"stage": "inference"}), inputs, real, 1) == specs[0]


def test_the_control_is_drawn_with_the_training_seed(tmp_path, mmrec_data):
    study = resolved(shop_study(tmp_path))
    for modality in study.modalities:
        embed_one(study, modality)
    inputs = load_inputs(study)
    arm = Arm("vbpr", "text", "shuffle")
    one, two = (arm_features(study, inputs, arm, seed) for seed in (1, 2))
    assert one["text"].fingerprint != two["text"].fingerprint
    assert one["image"].fingerprint == inputs.features["image"].fingerprint


def test_inference_scores_the_real_model_with_the_control(tmp_path, mmrec_data):
    study = shop_study(tmp_path, references=[], stage="inference", controls=["shuffle", "removed"])
    result = load_study(run_study(study, workers=1).key)
    verdicts = {v["modality"]: v for v in result.verdicts}
    assert verdicts["text"]["used"]["effect"] > 0
    resolved_study = resolved(study)
    inputs = load_inputs(resolved_study)
    real = find_run(resolved_study, inputs, Arm("vbpr", "none", "real"), 1)
    shuffled = find_run(resolved_study, inputs, Arm("vbpr", "text", "shuffle"), 1)
    assert shuffled.facts["best_epoch"] == real.facts["best_epoch"]
    assert not np.array_equal(shuffled.array("lists"), real.array("lists"))


def test_missing_rows_bring_the_missingness_comparison(tmp_path, mmrec_data):
    study = shop_study(
        tmp_path, missing_images=20, references=[], controls=["shuffle", "removed", "mean"]
    )
    kinds = load_study(run_study(study, workers=1).key).comparisons.groupby("modality")["kind"]
    assert "missingness" in set(kinds.get_group("image"))
    assert "missingness" not in set(kinds.get_group("text"))


def test_finished_runs_survive_a_stop(tmp_path, mmrec_data, monkeypatch):
    study = shop_study(tmp_path, references=[], controls=["shuffle"], modalities=["text"])

    calls = []

    def stops_after_one(*args, **kwargs):
        calls.append(args)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return train_runs(*args, **kwargs)

    monkeypatch.setattr("mmrec_core.studies.runner.train_runs", stops_after_one)
    with pytest.raises(KeyboardInterrupt):
        run_study(study, workers=1)
    assert not list_studies("shop")
    monkeypatch.undo()
    monkeypatch.setenv("MMREC_DATA", str(mmrec_data))
    assert plan_study(study).runs_left == 5


def test_an_unknown_dataset_is_named(mmrec_data):
    with pytest.raises(InputError, match="nowhere"):
        plan_study(make_study({"dataset": "nowhere"}))
