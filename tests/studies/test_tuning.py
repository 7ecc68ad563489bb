"""The search of settings: equal budgets, validation only, resumable, the same numbers again."""

import numpy as np
import pytest
from studies.shop import write_shop

from mmrec_core import settings, store
from mmrec_core.datasets.install import install
from mmrec_core.domain import InputError
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.recommenders.vbpr import VBPR
from mmrec_core.studies import tuning
from mmrec_core.studies.inputs import embed_one, load_inputs, resolved
from mmrec_core.studies.plan import plan_study
from mmrec_core.studies.results import StudyResult, study_command
from mmrec_core.studies.runner import run_study
from mmrec_core.studies.runs import arm_config, search_arm
from mmrec_core.studies.study import PAPER_GRID, Arm, arms_of, make_study, search_grid

BRIEF = {"factors": 4, "batch_size": 512, "max_epochs": 4, "patience": 4, "evaluate_every": 1}
STUDY = {
    "dataset": "shop",
    "recommenders": ["vbpr"],
    "references": ["most-pop", "item-knn"],
    "modalities": ["text"],
    "controls": ["shuffle", "removed"],
    "seeds": 2,
    "configs": {"vbpr": BRIEF},
    "tuning": {"trials": 7},
}
REAL = Arm("vbpr", "none", "real")


@pytest.fixture
def shop(tmp_path, mmrec_data, monkeypatch):
    monkeypatch.setattr(settings.Settings, "demo_store", property(lambda s: s.data / "none"))
    store.store.cache_clear()
    install(write_shop(tmp_path / "shop"), name="shop")
    embed_one(resolved(make_study(STUDY)), "text")
    return mmrec_data


def finished(**changed):
    return StudyResult(run_study(make_study(STUDY | changed), workers=1))


def test_every_arm_has_the_same_budget_and_verdicts_say_so(shop):
    result = finished(seeds=5)
    counts = result.trials.groupby("arm")["number"].size()
    assert set(counts) == {7}
    assert set(counts.index) == {
        "item-knn", "vbpr · real", "vbpr · text · shuffle", "vbpr · text · removed",
    }  # fmt: skip
    assert all(v["tuned"] for v in result.verdicts)
    assert not any("Untuned" in v["sentence"] for v in result.verdicts)
    assert result.settings_in_words.startswith("every arm tuned with 7 trials")
    assert "--tune 7 --sampler tpe --space own" in study_command(result.study)


def test_progress_counts_trials_and_runs(shop):
    told = []
    run_study(make_study(STUDY), told.append, workers=1)
    fractions = [progress.fraction for progress in told if "done" in progress.what]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    # 28 trials and 8 runs: once the searches are over, 28 of 36 are done.
    searched = [p for p in told if p.what.startswith("tune ") and p.what.endswith("done")]
    assert searched[-1].fraction == pytest.approx(28 / 36) and searched[-1].total_runs == 8


def test_a_search_says_its_best_so_far(shop):
    study = resolved(make_study(STUDY))
    said = []
    tuning.search(study, load_inputs(study), REAL, lambda done, total, what: said.append(what))
    assert said[0] == "vbpr · real: trial 1 of 7"
    assert "trial 2 of 7, best Recall@20 on validation 0." in said[1]


def test_the_best_trial_on_validation_is_trained(shop):
    result = finished()
    study = resolved(make_study(STUDY))
    inputs = load_inputs(study)
    own = result.trials[result.trials["arm"] == REAL.label]
    complete = own[own["state"] == "complete"]
    assert (complete["value"].max() == own.loc[own["chosen"], "value"]).all()
    config = arm_config(study, inputs, REAL)
    model = VBPR.fit_seeds(config, inputs.split, [inputs.features], [study.first_seed])[0]
    assert model.report.curve["recall@20"].max() == complete["value"].max()
    # What the study sets itself is kept and not searched.
    assert config.factors == 4 and config.batch_size == 512
    assert "factors" not in search_grid(study, "vbpr") or "factors" not in VBPR.grid


def test_the_test_part_is_never_looked_at(shop, monkeypatch):
    study = resolved(make_study(STUDY))
    inputs = load_inputs(study)
    real = type(inputs.split).relevant

    def guarded(self, part):
        assert part != "test", "a search has no business there"
        return real(self, part)

    monkeypatch.setattr(type(inputs.split), "relevant", guarded)
    tuning.search(study, inputs, REAL)
    tuning.search(study, inputs, Arm("item-knn", "none", "none"))


def test_an_interrupted_search_goes_on_and_finds_the_same(shop, monkeypatch):
    study = resolved(make_study(STUDY))
    inputs = load_inputs(study)
    whole = tuning.search(study, inputs, REAL)
    expected = whole.table("trials").drop(columns="seconds")
    kept = {trial.spec["number"]: trial.key for trial in store.store().list("trial")}
    store.store().delete("search", whole.key)
    for number, key in kept.items():
        if number >= 3:
            store.store().delete("trial", key)
    trained = []
    real = tuning._train

    def counted(*given):
        trained.append(1)
        return real(*given)

    monkeypatch.setattr(tuning, "_train", counted)
    again = tuning.search(study, inputs, REAL).table("trials").drop(columns="seconds")
    assert len(trained) == 4
    assert again.equals(expected)


def test_hopeless_trials_are_cut_short(shop):
    slow = BRIEF | {"max_epochs": 12, "patience": 12}
    study = resolved(make_study(STUDY | {"configs": {"vbpr": slow}, "tuning": {"trials": 16}}))
    inputs = load_inputs(study)
    found = tuning.search(study, inputs, REAL)
    table = found.table("trials")
    pruned = table[table["state"] == "pruned"]
    assert len(pruned) > 0 and (pruned["number"] >= tuning.PATIENT_TRIALS).all()
    lengths = {t.spec["number"]: len(t.array("curve")) for t in store.store().list("trial")}
    assert min(lengths[n] for n in pruned["number"]) < 12
    assert not (table["value"].max() == pruned["value"]).any() or len(pruned) < len(table)


def test_a_grid_is_gone_through_once(shop):
    study = make_study(STUDY | {"tuning": {"trials": 500, "sampler": "grid"}})
    study = resolved(study.model_copy(update={"configs": {"ease": {}, "vbpr": BRIEF}}))
    inputs = load_inputs(study)
    table = tuning.search(study, inputs, Arm("ease", "none", "none")).table("trials")
    assert sorted(table["reg"]) == sorted(RECOMMENDERS.get("ease").grid["reg"])
    assert tuning.trials_of(study, "most-pop") == 0


def test_a_small_grid_is_tried_whole_by_any_sampler(shop):
    study = resolved(make_study(STUDY | {"tuning": {"trials": 30}}))
    table = tuning.search(study, load_inputs(study), Arm("ease", "none", "none")).table("trials")
    assert sorted(table["reg"]) == sorted(RECOMMENDERS.get("ease").grid["reg"])
    assert table["reg"].iloc[0] == RECOMMENDERS.get("ease").Config().reg


def test_values_that_do_not_go_with_a_fixed_setting_are_not_tried(shop):
    study = make_study(STUDY | {"configs": {"item-knn": {"weighting": "bm25"}}})
    assert search_grid(study, "item-knn")["similarity"] == ("cosine", "asymmetric", "dot")


def test_searches_of_models_without_chance_are_told_apart_by_what_drives_them(shop):
    arm = Arm("item-knn", "none", "none")
    studies = [resolved(make_study(STUDY | {"first_seed": seed})) for seed in (1, 101)]
    keys = {tuning.search(study, load_inputs(study), arm).key for study in studies}
    assert len(keys) == 2


def test_the_papers_grid(shop):
    study = make_study(STUDY | {"configs": {}, "tuning": {"trials": 3, "space": "paper"}})
    assert search_grid(study, "vbpr") == dict(PAPER_GRID)
    assert search_grid(study, "item-knn") == dict(RECOMMENDERS.get("item-knn").grid)


def test_a_plan_counts_trials_and_a_finished_search_none(shop):
    plan = plan_study(make_study(STUDY))
    assert plan.trials == 4 * 7 and "at most 28 trials" in plan.in_words()
    finished()
    assert plan_study(make_study(STUDY)).trials == 0
    assert plan_study(make_study(STUDY)).runs_left == 0


def test_at_inference_controls_have_the_settings_they_were_trained_with(shop):
    study = resolved(make_study(STUDY | {"stage": "inference"}))
    shuffled = Arm("vbpr", "text", "shuffle")
    assert search_arm(study, shuffled) == REAL
    assert plan_study(make_study(STUDY | {"stage": "inference"})).trials == 2 * 7
    result = finished(stage="inference")
    assert set(result.trials["arm"]) == {"item-knn", REAL.label}
    inputs = load_inputs(study)
    assert arm_config(study, inputs, shuffled) == arm_config(study, inputs, REAL)


def test_all_trials_diverging_leaves_the_defaults(shop, monkeypatch):
    from mmrec_core.recommenders.training import DivergedError

    def diverge(*given, **named):
        raise DivergedError("the loss is no longer a number")

    study = resolved(make_study(STUDY | {"tuning": {"trials": 2}}))
    inputs = load_inputs(study)
    monkeypatch.setattr(VBPR, "fit_seeds", diverge)
    found = tuning.search(study, inputs, REAL)
    assert set(found.table("trials")["state"]) == {"diverged"} and found.facts["best"] == {}
    assert arm_config(study, inputs, REAL).learning_rate == VBPR.Config().learning_rate


@pytest.mark.parametrize("trials", [0, 501])
def test_a_budget_out_of_range_is_a_sentence(trials):
    with pytest.raises(InputError, match="tuning.trials"):
        make_study(STUDY | {"tuning": {"trials": trials}})


def test_every_default_lies_in_its_grid_or_the_grid_is_empty():
    """So that a search begins with what is used without one."""
    for name, kind in RECOMMENDERS.items():
        config = kind.Config()
        outside = [k for k, values in kind.grid.items() if getattr(config, k) not in values]
        assert outside == [], name


def test_arms_of_a_model_that_draws_nothing_follow_their_control(shop):
    study = resolved(
        make_study(STUDY | {"recommenders": ["attribute-item-knn"], "configs": {}, "seeds": 3})
    )
    from mmrec_core.studies.study import seeds_of

    arms, _ = arms_of(study, {"text": False})
    counts = {arm.control: len(seeds_of(study, arm)) for arm in arms if arm.control != "none"}
    assert counts == {"real": 1, "shuffle": 3, "removed": 1}
    again = make_study(
        STUDY
        | {"recommenders": ["attribute-item-knn"], "configs": {}, "seeds": 3, "tuning": None}
        | {"stage": "inference"}
    )
    at_inference = StudyResult(run_study(again, workers=1)).arms.set_index("control")
    assert at_inference.loc["shuffle", "seeds"] == 3
    result = StudyResult(run_study(study.model_copy(update={"tuning": None}), workers=1))
    # Such a model is a function of its features: retraining changes nothing.
    both = result.arms.set_index("control")["recall@20"], at_inference["recall@20"]
    np.testing.assert_allclose(both[0].sort_index(), both[1].sort_index(), atol=1e-9)
    row = result.arms.set_index("control")
    assert row.loc["shuffle", "seeds"] == 3 and row.loc["real", "seeds"] == 1
    assert np.isfinite(result.comparisons["effect"]).all()
