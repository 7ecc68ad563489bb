"""Known-truth calibration: fresh worlds by name, hand-worked shares, resumption."""

from pathlib import Path

import pandas as pd
import pytest

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.datasets.demo.fresh import FreshWorld, fresh_name
from mmrec_core.domain import InputError
from mmrec_core.store import store
from mmrec_core.studies import calibration as room
from mmrec_core.studies.calibration import (
    Calibration,
    latest_calibration,
    make_calibration,
    plan_calibration,
    run_calibration,
    share,
    smallest_found,
    summary,
)
from mmrec_core.studies.study import Study, make_study


def test_a_fresh_world_is_known_by_its_name() -> None:
    world = FreshWorld("picture", 101, 50)
    assert fresh_name(world.name) == world
    assert fresh_name("fresh-nowhere-101-at-50") is None and fresh_name("demo-both") is None
    assert world.planted == {"image": True, "text": False, "all": True}
    assert FreshWorld("neither", 101).planted == {"image": False, "text": False, "all": False}
    with pytest.raises(InputError, match="no fresh world"):
        load_dataset("fresh-picture-x")


def test_strength_and_seed_change_the_choices_and_nothing_else() -> None:
    whole, again, half, other = (
        load_dataset(FreshWorld("words", *given).name)
        for given in ((101, 100), (101, 100), (101, 50), (102, 100))
    )
    assert whole.interactions.equals(again.interactions)
    assert whole.items.equals(half.items) and whole.items.equals(other.items)
    assert not whole.interactions.equals(half.interactions)
    assert not whole.interactions.equals(other.interactions)
    assert len({whole.fingerprint, half.fingerprint, other.fingerprint}) == 3


def test_the_seeds_that_tuned_the_defaults_cannot_certify_them() -> None:
    with pytest.raises(InputError, match="tuned the defaults"):
        make_calibration({"generator_seeds": [3, 101]})
    with pytest.raises(InputError, match="no world"):
        make_calibration({"worlds": ["moon"]})
    cells = make_calibration({}).cells
    assert len(cells) == 2 * 7 and sum(cell.world == "neither" for cell in cells) == 2


def test_shares_are_clopper_and_pearson() -> None:
    # 0 of 10: 1 - .025^(1/10); 10 of 10 mirrors it; 5 of 10 from published tables.
    assert share(0, 10) == pytest.approx((0.0, 0.30850), abs=1e-5)
    assert share(10, 10) == pytest.approx((0.69150, 1.0), abs=1e-5)
    assert share(5, 10) == pytest.approx((0.18709, 0.81291), abs=1e-5)


def test_summary_counts_false_alarms_and_power() -> None:
    def rows(planted: bool, strength: int, states: list[str]) -> list[dict[str, object]]:
        return [
            {
                "recommender": "vbpr",
                "planted": planted,
                "strength": strength,
                "used": state,
                "gained": "undecided",
            }
            for state in states
        ]

    cells = pd.DataFrame(
        rows(False, 50, ["equal", "above", "below"])
        + rows(False, 100, ["equal"])
        + rows(True, 50, ["above", "undecided"])
        + rows(True, 100, ["above"] * 4 + ["below"])
    )
    table = summary(cells)
    used = table[table["comparison"] == "used"].set_index(["case", "strength"])
    assert used.loc[("not planted", 0), ["above", "cases"]].tolist() == [1, 4]
    assert used.loc[("planted", 50), ["above", "cases"]].tolist() == [1, 2]
    assert used.loc[("planted", 100), "share"] == pytest.approx(0.8)
    assert set(used["control"]) == {"shuffle"}
    assert smallest_found(table) == {("vbpr", "used"): 100, ("vbpr", "gained"): None}


def test_it_is_taken_up_where_it_was_stopped(
    mmrec_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = {"vbpr": {"max_epochs": 2, "patience": 1, "evaluate_every": 1, "factors": 4,
                      "content_factors": 4}}  # fmt: skip
    full = Calibration.study

    def study(self: Calibration, cell: FreshWorld) -> Study:
        return make_study({**full(self, cell).model_dump(), "configs": quick})

    monkeypatch.setattr(Calibration, "study", study)
    calibration = make_calibration(
        {"recommenders": ["vbpr"], "worlds": ["neither", "words"], "strengths": [100],
         "generator_seeds": [101]}
    )  # fmt: skip
    real, studied = room.run_study, []

    def once(study: Study, *given: object) -> object:
        if studied:
            raise KeyboardInterrupt
        studied.append(study.dataset)
        return real(study, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(room, "run_study", once)
    with pytest.raises(KeyboardInterrupt):
        run_calibration(calibration, workers=1)

    def own() -> list[str]:
        return [a.key for a in store().list(room.KIND) if not a.shipped]

    assert plan_calibration(calibration).done == 1 and own() == []
    assert not list(store().list("run")) or all(run.shipped for run in store().list("run"))

    monkeypatch.setattr(room, "run_study", real)
    artefact = run_calibration(calibration, workers=1)
    cells, same = artefact.table("cells"), artefact.table("same_arm")
    assert list(cells["world"].unique()) == ["neither", "words"] and len(cells) == 6
    assert cells.groupby("world")["planted"].sum().to_dict() == {"neither": 0, "words": 2}
    assert len(same) == 1 and same["p"].between(0, 1).all()
    assert own() == [artefact.key]
    latest = latest_calibration()
    assert latest is not None and latest.shipped, "the one over more worlds counts"

    def never(*given: object) -> None:
        raise AssertionError("studied twice")

    monkeypatch.setattr(room, "run_study", never)
    monkeypatch.setattr(room, "train_runs", never)
    assert run_calibration(calibration, workers=1).key == artefact.key


def test_the_shipped_calibration_is_of_the_models_as_they_are() -> None:
    """Fails where a default of a judged model changes: calibrate anew, then ship."""
    found = latest_calibration()
    assert found is not None and found.shipped
    assert found.facts["recommenders"] == ["vbpr", "freedom"] and found.facts["worlds"] >= 14
    table = summary(found.table("cells"))
    assert table.loc[table["case"] == "not planted", "above"].sum() == 0
