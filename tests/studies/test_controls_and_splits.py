"""Whole studies with the controls that read groups of items, and on every kind of split."""

import json

import numpy as np
import pytest
from studies.shop import QUICK, write_shop

from mmrec_core.commands.parser import build_parser
from mmrec_core.commands.studies import _values
from mmrec_core.datasets.install import install
from mmrec_core.domain import InputError
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.store import store
from mmrec_core.studies.inputs import embed_one, load_inputs, resolved
from mmrec_core.studies.plan import plan_study
from mmrec_core.studies.results import load_study, study_command
from mmrec_core.studies.runner import run_study
from mmrec_core.studies.runs import KIND as RUN
from mmrec_core.studies.runs import ranked, run_spec
from mmrec_core.studies.study import Arm, Study, arms_of, make_study

CONTEXT = ("shuffle-within-category", "shuffle-within-popularity", "other-modality")
COLD = {"strategy": "cold-items", "k_core": 0, "cold": 0.5}


def shop_study(tmp_path, more=True, missing_images=0, **values):
    install(write_shop(tmp_path / "shop", missing_images, more), name="shop")
    chosen = {
        "dataset": "shop",
        "recommenders": ["vbpr"],
        "references": ["most-pop"],
        "controls": ["shuffle", "removed"],
        "seeds": 5,
        "configs": {"vbpr": QUICK["vbpr"]},
        **values,
    }
    return make_study(chosen)


def with_inputs(study):
    study = resolved(study)
    for modality in study.modalities:
        embed_one(study, modality)
    return study, load_inputs(study)


def test_what_content_is_worth_shows_on_cold_items(tmp_path, mmrec_data):
    study = shop_study(tmp_path, more=False, modalities=["text"], split=COLD, metric="recall@5")
    result = load_study(run_study(study, workers=1).key)
    arms = result.arms.set_index("arm")
    content, bare = arms.loc["vbpr · real"], arms.loc["vbpr · text · removed"]
    assert content["recall@5"] > 1.5 * bare["recall@5"]
    assert content["recall@5_low"] > bare["recall@5_high"]
    (verdict,) = result.verdicts
    assert verdict["verdict"] == "content used, and it pays"
    assert "only cold items are ranked" in result.document["split"]
    # Without content every cold item scores alike: ties in the same seeded order for all.
    assert bare["recall@5"] == pytest.approx(arms.loc["most-pop", "recall@5"])

    study, inputs = with_inputs(study)
    split = inputs.split
    seen = (split.train + split.valid).toarray() > 0
    own = [run for run in store().list(RUN) if not run.shipped]
    assert len(own) == 1 + 3 * 5
    for run in own:
        lists = np.asarray(run.array("lists"))
        assert split.candidates[lists[lists >= 0]].all()
        assert not np.take_along_axis(seen, np.maximum(lists, 0), 1)[lists >= 0].any()
        # Every candidate that a user has not seen is ranked: 30 are fewer than the list holds.
        expected = (split.candidates & ~seen).sum(1)
        np.testing.assert_array_equal((lists >= 0).sum(1), expected)
        assert run.facts["qualities"]["coverage_share@50"] == 1


def test_candidates_are_ranked_in_the_order_of_scores(tmp_path, mmrec_data):
    study = shop_study(tmp_path, modalities=["text"], split=COLD)
    _, inputs = with_inputs(study)
    split = inputs.split
    model = RECOMMENDERS.get("random")().fit(split, seed=2)
    lists = ranked(model, split, "train", k=7)
    score = model.score(np.arange(split.n_users))
    score[:, ~split.candidates] = -1
    np.testing.assert_array_equal(lists, np.argsort(-score, axis=1)[:, :7])


def test_too_few_candidates_are_refused(tmp_path, mmrec_data):
    study = shop_study(tmp_path, modalities=["text"], split=COLD | {"cold": 0.3})
    with pytest.raises(InputError, match="Only 18 items are ranked .* raise the share"):
        run_study(study, workers=1)


def test_controls_with_context_are_compared_and_never_judged(tmp_path, mmrec_data):
    study = shop_study(
        tmp_path, missing_images=8, references=[], controls=["shuffle", *CONTEXT], seeds=2,
        split={"k_core": 0},
    )  # fmt: skip
    result = load_study(run_study(study, workers=1).key)
    kinds = result.comparisons.query("metric == 'recall@20'").groupby("modality")["kind"].agg(set)
    over = {f"over_{control}" for control in CONTEXT}
    assert kinds["image"] == kinds["text"] == {"used", *over}
    assert kinds["all"] == {"used"} | over - {"over_other-modality"}
    judged = result.comparisons[result.comparisons["p_adjusted"].notna()]
    assert not set(judged["kind"]) & over
    skipped = {s["arm"]: s["reason"] for s in result.document["skipped"]}
    assert skipped == {
        "vbpr · all · other-modality": "all modalities at once have no other modality"
    }
    # Item 7 has a category of its own and no picture; item 3 is the only one of its kind among
    # the eight without pictures, so the vectors of both cannot be moved together.
    kept = result.document["left_in_place"]
    assert {label: n for label, n in kept.items() if "category" in label} == {
        "vbpr · text · shuffle-within-category": 1,
        "vbpr · all · shuffle-within-category": 2,
    }
    # Words that stand in for the picture: the picture's branch holds what pleases.
    arms = result.arms.set_index("arm")["recall@20"]
    assert arms["vbpr · text · other-modality"] < arms["vbpr · image · other-modality"]


def test_only_arms_that_read_groups_have_them_in_their_key(tmp_path, mmrec_data):
    study, inputs = with_inputs(shop_study(tmp_path, controls=["shuffle", "removed", *CONTEXT]))
    arms, _ = arms_of(study, inputs.missing, inputs.groups)
    before = {
        "version", "split", "recommender", "recommender_version", "config", "features",
        "trained_on", "seed", "mask", "ks",
    }  # fmt: skip
    for arm in arms:
        more = set(run_spec(study, inputs, arm, 1)) - before
        name = arm.control.removeprefix("shuffle-within-")
        assert more == ({f"{name}_groups"} if "within" in arm.control else set()), arm.label
    keys = {json.dumps(run_spec(study, inputs, arm, 1), sort_keys=True) for arm in arms}
    assert len(keys) == len(arms)
    # Other categories, another run.
    arm = Arm("vbpr", "text", "shuffle-within-category")
    was = run_spec(study, inputs, arm, 1)
    inputs.groups["category"][:] = 0
    assert run_spec(study, inputs, arm, 1) != was


@pytest.mark.parametrize(
    ("more", "modalities", "reasons"),
    [
        (False, ["image", "text"], {
            "vbpr · image · shuffle-within-category": "the dataset does not say the category",
            "vbpr · all · other-modality": "all modalities at once",
        }),
        (True, ["text"], {"vbpr · text · other-modality": "text alone has no other modality"}),
    ],
)  # fmt: skip
def test_what_cannot_be_applied_is_left_out_with_the_reason(
    tmp_path, mmrec_data, more, modalities, reasons
):
    plan = plan_study(
        shop_study(tmp_path, more=more, modalities=modalities, controls=["shuffle", *CONTEXT])
    )
    said = {s.arm.label: s.reason for s in plan.skipped}
    for label, words in reasons.items():
        assert words in said[label]
    assert not any("within-popularity" in label for label in said)


def test_joint_and_inference_have_no_other_modality():
    joint = Study(dataset="x", modalities=("joint",), controls=CONTEXT)
    groups = {"popularity": np.array([0, 0, 1]), "category": np.array([0, 1, 2])}
    _, skipped = arms_of(joint, {"joint": False}, groups)
    said = {s.arm.label: s.reason for s in skipped}
    assert said["vbpr · joint · other-modality"] == "one joint matrix has no other modality"
    assert "alone in its category" in said["vbpr · joint · shuffle-within-category"]
    assert "vbpr · joint · shuffle-within-popularity" not in said
    study = Study(dataset="x", controls=CONTEXT, stage="inference")
    _, skipped = arms_of(study, {"image": False, "text": False}, groups)
    reasons = {s.arm.label: s.reason for s in skipped}
    assert "makes no sense at the inference stage" in reasons["vbpr · image · other-modality"]


@pytest.mark.parametrize(
    "split",
    [
        {"strategy": "temporal", "k_core": 2},
        {"strategy": "leave-one-out", "k_core": 0, "seed": 3},
        {**COLD, "relevant_from": "all"},
        {"strategy": "random", "k_core": 4},
    ],
)
def test_the_command_reproduces_the_split(tmp_path, mmrec_data, split):
    study = resolved(shop_study(tmp_path, split={"relevant_from": 4.0, **split}))
    command = study_command(study.model_dump(mode="json")).split()
    options = build_parser().parse_args(command[3:])
    again = resolved(make_study(_values(options)))
    assert again.split == study.split
    assert again.model_dump(mode="json") | {"configs": {}, "features": {}} == (
        study.model_dump(mode="json") | {"configs": {}, "features": {}}
    )


@pytest.mark.parametrize("strategy", ["temporal", "leave-one-out"])
def test_a_study_runs_on_every_split(tmp_path, mmrec_data, strategy):
    study = shop_study(
        tmp_path, modalities=["text"], controls=["shuffle"], seeds=1,
        split={"strategy": strategy, "k_core": 0},
    )  # fmt: skip
    result = load_study(run_study(study, workers=1).key)
    assert len(result.arms) == 3
    assert ("by time over all users" if strategy == "temporal" else "last interaction") in (
        result.document["split"]
    )
