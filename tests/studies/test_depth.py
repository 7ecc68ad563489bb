"""The study in depth: Shapley values, curves, power, pairing, cost, agreement, imported lists."""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studies import shop

from mmrec_core import settings, store
from mmrec_core.datasets.install import install
from mmrec_core.domain import InputError
from mmrec_core.metrics.agreement import AGREEMENT
from mmrec_core.metrics.power import needed_for_power
from mmrec_core.studies.agreement import (
    agreement_table,
    most_different,
    same_arm_agreement,
    user_agreement,
)
from mmrec_core.studies.cost import comparable, cost_table, setting_name
from mmrec_core.studies.imported import import_lists, parse_arm
from mmrec_core.studies.inputs import split_of, with_split
from mmrec_core.studies.list_export import lists_table, split_tables
from mmrec_core.studies.list_files import read_ids, read_lists
from mmrec_core.studies.missing_curve import missing_curve
from mmrec_core.studies.pairing import cautions, paired_table, why_not_paired
from mmrec_core.studies.power import power_sentences, power_table
from mmrec_core.studies.results import StudyResult
from mmrec_core.studies.runner import run_study
from mmrec_core.studies.shapley import shapley_table, shapley_values
from mmrec_core.studies.stored import (
    inputs_of,
    kept_runs,
    per_user,
    primary_effects,
    runs_of,
)
from mmrec_core.studies.study import Arm, make_study, make_study_unchecked

QUICK = shop.QUICK["vbpr"]
STUDY = {
    "dataset": "shop",
    "recommenders": ["vbpr"],
    "references": ["most-pop", "bpr-mf"],
    "controls": ["shuffle", "removed", "missing-40", "missing-80"],
    "seeds": 5,
    "split": {"k_core": 0},
    "configs": {"vbpr": QUICK, "bpr-mf": QUICK},
}
REAL = Arm("vbpr", "none", "real")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudyResult]:
    """One study of the tiny shop, in a data folder of its own."""
    folder = tmp_path_factory.mktemp("depth")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMREC_DATA", str(folder / "data"))
        settings.settings.cache_clear()
        store.store.cache_clear()
        install(shop.write_shop(folder / "shop", more=True), name="shop")
        yield StudyResult(run_study(make_study(STUDY), workers=1))
    settings.settings.cache_clear()
    store.store.cache_clear()


# Shapley values


@given(st.integers(1, 4), st.integers(0, 100))
def test_shapley_values_add_up_and_know_their_axioms(m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    players = [f"p{at}" for at in range(m)]
    subsets = [
        frozenset(p for at, p in enumerate(players) if number >> at & 1) for number in range(2**m)
    ]
    game = {s: rng.normal(size=3) for s in subsets}
    found = shapley_values(game)
    np.testing.assert_allclose(
        sum(found.values()), game[frozenset(players)] - game[frozenset()], atol=1e-12
    )
    # A player that changes nothing gets nothing; of two that change the same, each gets as much.
    dummy = {s: game[s - {"p0"}] for s in subsets}
    np.testing.assert_allclose(shapley_values(dummy)["p0"], 0, atol=1e-12)
    size = {s: np.full(3, float(len(s) ** 2)) for s in subsets}
    assert len({round(float(v[0]), 12) for v in shapley_values(size).values()}) == 1


def test_shapley_by_hand() -> None:
    v = {(): 1.0, ("a",): 3.0, ("b",): 2.0, ("a", "b"): 7.0}
    found = shapley_values({frozenset(s): np.array(x) for s, x in v.items()})
    assert (float(found["a"]), float(found["b"])) == (3.5, 2.5)
    with pytest.raises(ValueError, match="4 coalitions"):
        shapley_values({frozenset(): np.array(0), frozenset("ab"): np.array(1)})


def test_shapley_of_a_study(study: StudyResult) -> None:
    table = shapley_table(study)
    part = table.set_index("part")["value"]
    assert list(table["part"]) == ["empty", "image", "text", "interaction", "all"]
    assert part["image"] + part["text"] == pytest.approx(part["all"] - part["empty"], abs=1e-15)
    means = {arm: np.nanmean(values) for arm, values in per_user(study).items()}
    assert part["all"] == pytest.approx(means[REAL])
    assert part["empty"] == pytest.approx(means[Arm("vbpr", "all", "removed")])
    only_text = means[Arm("vbpr", "image", "removed")]
    only_image = means[Arm("vbpr", "text", "removed")]
    by_hand = ((only_text - part["empty"]) + (part["all"] - only_image)) / 2
    assert part["text"] == pytest.approx(by_hand)
    assert part["interaction"] == pytest.approx(
        part["all"] - only_image - only_text + part["empty"]
    )
    tested = table[table["part"].isin(["image", "text", "interaction"])]
    assert (tested["p_adjusted"] >= tested["p"]).all() and table["p"].isna().sum() == 2


# The missing-modality curve


def test_the_curve_begins_and_ends_at_the_arms(study: StudyResult) -> None:
    curve, arms = missing_curve(study), study.arms.set_index("arm")
    assert set(curve["modality"]) == {"image", "text", "all"}
    for modality, own in curve.groupby("modality"):
        assert list(own["share"]) == [0.0, 0.4, 0.8, 1.0]
        for share, label in (
            (0.0, "vbpr · real"),
            (0.4, f"vbpr · {modality} · missing-40"),
            (1.0, f"vbpr · {modality} · removed"),
        ):
            point = own[own["share"] == share].iloc[0]
            for column, ending in (("value", ""), ("low", "_low"), ("high", "_high")):
                assert point[column] == arms.loc[label, f"recall@20{ending}"]
    # Words carry the taste here: the curve falls for them.
    text = curve[curve["modality"] == "text"].set_index("share")["value"]
    assert text[0.0] > text[1.0]


# Power


def test_power_says_what_would_decide(study: StudyResult) -> None:
    table = power_table(study)
    effects = primary_effects(study)
    assert set(table["axis"]) == {"seeds", "users"}
    assert table["power"].between(0, 1).all()
    now = table[table["now"]]
    assert set(now.loc[now["axis"] == "seeds", "n"]) == {5}
    assert (table.groupby(["modality", "kind", "axis"])["now"].sum() == 1).all()
    pair = next(p for p in effects if (p.modality, p.kind) == ("image", "used"))
    own = now[(now["modality"] == "image") & (now["kind"] == "used")].set_index("axis")
    family = len({p for p in effects if p.kind == "used"})
    need = needed_for_power(effects[pair], 0.05, 0.05 / family)
    expected = [np.nan if n is None else n for n in (need.seeds, need.users)]
    np.testing.assert_array_equal(own.loc[["seeds", "users"], "needed"], expected)
    stored = study.comparisons.query("metric == 'recall@20' and kind == 'used'")
    stored = stored.set_index("modality")["smallest_delta"]
    assert own["smallest_delta"].iloc[0] == pytest.approx(stored["image"], rel=1e-6)
    said = power_sentences(table)
    open_ones = study.comparisons.query("state == 'undecided' and metric == 'recall@20'")
    wanted = {tuple(x) for x in open_ones[["recommender", "modality", "kind"]].to_numpy()}
    assert {s[:3] for s in said} == {w for w in wanted if w[2] != "missingness"}
    for *_, text in said:
        assert "chance of" in text and "smallest margin" in text


# Two studies


def test_two_studies_are_paired_by_user_and_seed(study: StudyResult) -> None:
    small = STUDY | {"controls": ["removed"], "seeds": 2}
    configs = {"vbpr": QUICK | {"reg": 0.5, "max_epochs": 20}, "bpr-mf": QUICK}
    other = StudyResult(run_study(make_study(small | {"configs": configs}), workers=1))
    table = paired_table(study, other).set_index("arm")
    assert set(table.index) == set(other.arms["arm"])
    assert set(table["seeds"]) == {2}
    a, b = per_user(study)[REAL][:, :2], per_user(other)[REAL]
    assert table.loc["vbpr · real", "effect"] == pytest.approx(np.nanmean(b - a))
    assert table.loc["vbpr · real", "relative"] == pytest.approx(np.nanmean(b - a) / np.nanmean(a))
    assert table.loc["bpr-mf", "effect"] == 0
    assert (table["p_adjusted"] >= table["p"] - 1e-15).all()
    # Two seeds in common are too few for a state, and that is said.
    assert table["state"].isna().all()
    assert any("2 seeds in common" in sentence for sentence in cautions(study, other))
    own = paired_table(study, study).set_index("arm")
    assert set(own["state"]) == {"equal"} and (own["effect"] == 0).all()
    less = StudyResult(
        run_study(
            make_study(
                small | {"references": [], "split": {"k_core": 0, "seed": 1}, "configs": configs}
            ),
            workers=1,
        )
    )
    assert "divide the interactions differently" in why_not_paired(study, less)
    with pytest.raises(InputError, match="cannot be compared user by user"):
        paired_table(study, less)

    found = comparable(study, [study, other, less])
    assert [own.key for own in found] == [study.key, other.key]
    cost = cost_table(found, "recall@20")
    # The first study's own figures, and each reference once.
    assert sorted(cost["recommender"]) == ["bpr-mf", "most-pop", "vbpr"]
    assert set(cost["study"]) == {study.key}
    assert set(cost_table(found[::-1], "recall@20")["study"]) == {other.key}
    vbpr = cost[cost["recommender"] == "vbpr"]
    assert set(vbpr["width"]) == {28} and set(vbpr["setting"]) == {
        setting_name(study.study["features"])
    }
    assert (cost.loc[cost["reference"], "extract_seconds"] == 0).all()
    assert (cost["memory_mib"] > 50).all()


# Agreement


def test_agreement_of_arms(study: StudyResult) -> None:
    inputs = inputs_of(study)
    runs = runs_of(study, inputs)
    shuffled, popular = Arm("vbpr", "text", "shuffle"), Arm("most-pop", "none", "none")
    table = agreement_table(runs, [REAL, shuffled, popular], list(AGREEMENT), k=10)
    assert len(table) == 3 * len(AGREEMENT)
    row = table.query("arm_b == 'most-pop' and arm_a == 'vbpr · real' and measure == 'jaccard'")
    one = [np.asarray(run.array("lists"))[:, :10] for run in runs[REAL]]
    other = np.asarray(runs[popular][0].array("lists"))[:, :10]
    by_hand = np.mean(
        [
            len({*a} & {*b}) / len({*a} | {*b})
            for lists in one
            for a, b in zip(lists.tolist(), other.tolist(), strict=True)
        ]
    )
    assert row["value"].iloc[0] == pytest.approx(by_hand)
    assert row["low"].iloc[0] < by_hand < row["high"].iloc[0]
    assert 0 < same_arm_agreement(runs, REAL, "overlap", 10) <= 1
    assert np.isnan(same_arm_agreement(runs, popular, "overlap", 10))
    users = most_different(runs, REAL, popular, per_user(study), "overlap", 10)
    values = user_agreement(runs, REAL, popular, "overlap", 10).mean(axis=1)
    assert users["agreement"].is_monotonic_increasing
    assert users["agreement"].iloc[0] == values.min()
    with pytest.raises(InputError, match="no measure"):
        user_agreement(runs, REAL, popular, "nearness", 10)


def test_what_is_kept_of_a_study_can_be_compared(study: StudyResult) -> None:
    inputs = inputs_of(study)
    runs = runs_of(study, inputs)
    gone = [runs[REAL][2], *runs[Arm("vbpr", "text", "shuffle")]]
    assert {arm: len(own) for arm, own in kept_runs(study, inputs).items()} == {
        arm: len(own) for arm, own in runs.items()
    }
    copies = {run.key: shutil.copytree(run.path, run.path.with_suffix(".kept")) for run in gone}
    try:
        for run in gone:
            store.store().delete(run.kind, run.key)
        kept = kept_runs(study, inputs)
        assert Arm("vbpr", "text", "shuffle") not in kept
        # Seed 3 of the real arm is gone: it is left out of all, so that seeds stay paired.
        assert [run.spec["seed"] for run in kept[REAL]] == [1, 2, 4, 5]
        assert [run.spec["seed"] for run in kept[Arm("bpr-mf", "none", "none")]] == [1, 2, 4, 5]
        assert len(kept[Arm("most-pop", "none", "none")]) == 1
        with pytest.raises(InputError, match="not in the store any more"):
            runs_of(study, inputs)
    finally:
        for run in gone:
            shutil.move(copies[run.key], run.path)


# Lists from elsewhere

SPLIT = {"dataset": "shop", "split": {"k_core": 0}}


def as_file(study: StudyResult, folder: Path, ending: str = "csv") -> Path:
    inputs = inputs_of(study)
    table = lists_table(runs_of(study, inputs), inputs.split)
    path = folder / f"lists.{ending}"
    table.to_parquet(path) if ending == "parquet" else table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def read(study: StudyResult, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """All lists of the study, written to a file and read again."""
    return read_lists(as_file(study, tmp_path_factory.mktemp("lists")))


@pytest.fixture
def table(read: pd.DataFrame) -> pd.DataFrame:
    """The same, to change as one likes."""
    return read.copy()


def test_our_own_lists_come_back_with_the_same_verdicts(
    study: StudyResult, read: pd.DataFrame
) -> None:
    back = StudyResult(import_lists(read, SPLIT, ["lists.csv"]))
    assert back.imported and not study.imported
    for own, theirs in zip(study.verdicts, back.verdicts, strict=True):
        assert theirs["tuned"] is None and theirs["sentence"].endswith("From lists made elsewhere.")
        same = {k: v for k, v in own.items() if k not in ("tuned", "sentence")}
        assert {k: v for k, v in theirs.items() if k not in ("tuned", "sentence")} == same
    pd.testing.assert_frame_equal(back.comparisons, study.comparisons)
    pd.testing.assert_frame_equal(
        back.slices[back.slices["slicing"] != "image"], study.slices, check_dtype=False
    )
    metrics = [c for c in study.arms if "@" in c and not c.startswith(("epc", "efd"))]
    pd.testing.assert_frame_equal(back.arms[metrics], study.arms[metrics])
    assert back.arms["seconds"].isna().all()
    assert import_lists(read, SPLIT, ["lists.csv"]).key == back.key
    # Everything downstream reads them as it reads our own.
    pd.testing.assert_frame_equal(shapley_table(back), shapley_table(study))
    pd.testing.assert_frame_equal(missing_curve(back), missing_curve(study))
    inputs = inputs_of(back)
    assert set(runs_of(back, inputs)) == set(runs_of(study, inputs_of(study)))
    assert "import-lists shop lists.csv" in back.command


def test_a_model_that_is_none_of_ours(study: StudyResult, tmp_path: Path) -> None:
    table = read_lists(as_file(study, tmp_path, "parquet"))
    table["arm"] = table["arm"].str.replace("vbpr", "My <b>Model</b>").str.replace(" · ", "|")
    table["seed"] = table["seed"] * 111
    back = StudyResult(import_lists(table, SPLIT))
    assert back.study["recommenders"] == ["My <b>Model</b>"]
    assert back.document["imported"]["seeds"] == [111, 222, 333, 444, 555]
    assert [v["verdict"] for v in back.verdicts] == [v["verdict"] for v in study.verdicts]


def test_layouts_of_other_tools(study: StudyResult, tmp_path: Path) -> None:
    inputs = inputs_of(study)
    own = lists_table(runs_of(study, inputs), inputs.split, [REAL])
    own = own[own["seed"] == 1]
    expected = own.assign(rank=own["rank"] - 1).sort_values(["user", "rank"])[
        ["user", "item", "rank"]
    ]
    expected = expected.reset_index(drop=True)

    def same(table: pd.DataFrame) -> None:
        got = table.sort_values(["user", "rank"])[["user", "item", "rank"]].reset_index(drop=True)
        pd.testing.assert_frame_equal(got, expected, check_dtype=False)

    elliot = tmp_path / "elliot.tsv"
    shuffled = own.sample(frac=1, random_state=0)
    shuffled.assign(score=1 / shuffled["rank"])[["user", "item", "score"]].to_csv(
        elliot, sep="\t", header=False, index=False
    )
    read = read_lists(elliot, "VBPR · real", 7)
    same(read)
    assert set(read["arm"]) == {"VBPR · real"} and set(read["seed"]) == {7}

    number = {"u": inputs.split.user_ids, "i": inputs.split.item_ids}
    ids = {
        which: {own_id: str(at) for at, own_id in enumerate(values)}
        for which, values in number.items()
    }
    wide = own.pivot(index="user", columns="rank", values="item")
    wide = wide.apply(lambda column: column.map(ids["i"]))
    wide.columns = [f"top_{rank - 1}" for rank in wide.columns]
    wide.insert(0, "id", [ids["u"][user] for user in wide.index])
    wide.to_csv(tmp_path / "mmrec.csv", sep="\t", index=False)
    for which, column in (("u", "userID"), ("i", "itemID")):
        pd.DataFrame({"raw": number[which], column: range(len(number[which]))}).to_csv(
            tmp_path / f"{which}.csv", sep="\t", index=False
        )
    same(
        read_lists(
            tmp_path / "mmrec.csv",
            "vbpr",
            users=read_ids(tmp_path / "u.csv"),
            items=read_ids(tmp_path / "i.csv"),
        )
    )


def test_split_tables_are_the_split(study: StudyResult) -> None:
    split = inputs_of(study).split
    tables = split_tables(split)
    assert [len(tables[name]) for name in ("train", "valid", "test")] == [
        split.train.nnz, split.valid.nnz, split.test.nnz,
    ]  # fmt: skip
    assert tables["test"]["relevant"].all()
    assert not tables["train"].merge(tables["test"], on=["user", "item"]).size


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda t: t.assign(item=t["item"].where(t.index != 3, "nothing")),
            "does not hold.*'nothing'",
        ),
        (lambda t: t[(t["seed"] != 3) | (t["arm"] != "vbpr · real")], "no lists for seed 3"),
        (lambda t: t[t["arm"] != "vbpr · real"], "controls but no real arm"),
        (lambda t: t[~t["arm"].str.contains("vbpr")], "nothing is to be judged"),
        (lambda t: t.assign(user="nobody-" + t["user"]), "no user of the lists"),
        (lambda t: t[t["rank"] < 3], "hold 3 items"),
        (
            lambda t: t.assign(arm=t["arm"].str.replace("shuffle", "shuffel")),
            "known control.*shuffel",
        ),
        (lambda t: t[t["user"].isin(["u1", "u2", "u3"])], "too few are left"),
    ],
)
def test_lists_that_do_not_fit_are_refused(table, change, words) -> None:
    with pytest.raises(InputError, match=words):
        import_lists(change(table), SPLIT)


def test_lists_count_as_long_as_the_shortest_arms(study: StudyResult, table: pd.DataFrame) -> None:
    """A longer list finds more by its length alone: that would be a false verdict."""
    short = table[(table["rank"] < 10) | (table["arm"] != "vbpr · image · shuffle")]
    with pytest.raises(InputError, match="vbpr · image · shuffle hold 10 items"):
        import_lists(short, {**SPLIT, "metric": "recall@20"})
    back = StudyResult(import_lists(short, SPLIT))
    assert back.study["metric"] == "recall@10" and "recall@20" not in back.arms
    own = study.comparisons.query("metric == 'recall@10'")["effect"].to_numpy()
    theirs = back.comparisons.query("metric == 'recall@10'")["effect"].to_numpy()
    np.testing.assert_allclose(theirs, own)


def test_two_files_under_one_name_are_refused(table: pd.DataFrame) -> None:
    again = table[(table["arm"] == "vbpr · real") & (table["seed"] == 1)]
    again = again.assign(item=again["item"].to_numpy()[::-1])
    with pytest.raises(InputError, match="two lists of 'vbpr · real' with seed 1"):
        import_lists(pd.concat([table, again]), SPLIT)


def test_what_is_known_of_convergence_is_kept(table: pd.DataFrame) -> None:
    table["converged"] = pd.array([None] * len(table), dtype="boolean")
    unknown = StudyResult(import_lists(table, SPLIT))
    assert unknown.arms["converged"].isna().all()
    table.loc[(table["arm"] == "vbpr · real") & (table["rank"] == 0), "converged"] = False
    void = StudyResult(import_lists(table, SPLIT))
    assert {v["verdict"] for v in void.verdicts} == {"void"}
    assert "did not converge" in void.verdicts[0]["void"]


def test_the_shape_of_a_study_follows_from_its_arms(table: pd.DataFrame) -> None:
    some = table[~table["arm"].str.contains("text") & ~table["arm"].str.contains("missing")]
    back = StudyResult(import_lists(some, SPLIT))
    assert [v["modality"] for v in back.verdicts] == ["image", "all"]
    joint = some[~some["arm"].str.contains("all")]
    joint = joint.assign(arm=joint["arm"].str.replace("image", "joint"))
    assert [v["modality"] for v in StudyResult(import_lists(joint, SPLIT)).verdicts] == ["joint"]
    mixed = joint[joint["arm"] == "vbpr · joint · removed"].assign(arm="vbpr · all · removed")
    with pytest.raises(InputError, match="one matrix"):
        import_lists(pd.concat([joint, mixed]), SPLIT)
    # Seeds in a row keep their numbers, so that they pair with those of other studies.
    assert back.study["first_seed"] == 1
    later = StudyResult(import_lists(some.assign(seed=some["seed"] + 7), SPLIT))
    assert later.study["first_seed"] == 8 and later.key != back.key
    assert f"--metric {back.study['metric']}" in back.command and "--k-core 0" in back.command


def test_items_that_a_split_does_not_rank_are_refused(table: pd.DataFrame) -> None:
    cold = {"dataset": "shop", "split": {"k_core": 0, "strategy": "cold-items", "cold": 0.8}}
    with pytest.raises(InputError, match="does not rank|another split"):
        import_lists(table, cold)
    split = split_of(with_split(make_study_unchecked(cold)))
    assert set(split_tables(split)["candidates"]["item"]) == set(split.item_ids[split.candidates])


def test_lists_of_another_split_are_refused(table: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="made on another split"):
        import_lists(table, {"dataset": "shop", "split": {"k_core": 0, "seed": 5}})


def test_users_without_a_list_are_left_out_everywhere(
    study: StudyResult, table: pd.DataFrame
) -> None:
    table = table[(table["user"] != "u5") | (table["arm"] != "vbpr · text · shuffle")]
    back = StudyResult(import_lists(table, SPLIT))
    assert back.document["imported"]["silent_users"] == 1
    assert set(back.comparisons["n_users"]) == {study.document["n_users"] - 1}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("user,item\nu1,i1\n", "neither rank nor score"),
        ("user,thing,rank\nu1,i1,1\n", "no column for the item"),
        ("user,item,rank\nu1,i1,best\n", "row 1: the rank 'best' is no number"),
        ("user,item,rank,arm\nu1,i1,1,a\nu1,i1,2,a\n", "stands twice"),
        ("user,item,rank,arm,seed\nu1,i1,1,a,1.5\n", "no whole number"),
        ("user,item,rank,arm,seed\nu1,i1,1,a,inf\n", "no whole number"),
        ("user,item,rank,arm,seed\nu1,i1,1,a,1e30\n", "no whole number"),
        ("user;item;score;converged\nu1;i1;1;perhaps\n", "converged is 'perhaps'"),
        ("a b\n", "2 columns"),
        ("", "no header and|not a readable table"),
    ],
)
def test_files_that_cannot_be_read_say_where(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(content, "utf-8")
    with pytest.raises(InputError, match=words):
        read_lists(path, "a")


def test_arms_as_people_write_them() -> None:
    assert parse_arm("VBPR") == Arm("vbpr", "none", "none")
    assert parse_arm("BPR-MF|real") == Arm("bpr-mf", "none", "real")
    assert parse_arm("light gcn / image / Shuffle") == Arm("light-gcn", "image", "shuffle")
    assert parse_arm("mine · removed") == Arm("mine", "all", "removed")
    with pytest.raises(InputError, match="hold no lists"):
        import_lists(pd.DataFrame(columns=["arm", "seed", "user", "item", "rank"]), SPLIT)
    for wrong in ("a · b · c · d", "", "a · sound · shuffle"):
        with pytest.raises(InputError):
            parse_arm(wrong)
    assert dataclasses.is_dataclass(parse_arm("a"))
