"""Nulls: what is beyond chance, and how often chance itself is called so."""

import numpy as np
import pytest
from scipy import stats

from mmrec_core.alignment import (
    MEASURES,
    calibrate,
    debiased_cka,
    linear_cka,
    procrustes_distance,
    space_matrix,
)
from mmrec_core.alignment.calibration import against_null
from mmrec_core.domain import InputError

PAIRED = [name for name, measure in MEASURES.items() if measure.paired]


def noise(seed: int, n: int = 30, widths: tuple[int, int] = (3, 3)):
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=(n, width)) for width in widths)


@pytest.mark.parametrize("name", PAIRED)
def test_p_is_uniform_on_independent_noise(name):
    found = [calibrate(name, *noise(s), permutations=39, seed=s) for s in range(60)]
    p = np.array([one["p"] for one in found])
    # Multiples of 1/40, so a continuous test sees steps: spread each over its step.
    spread = p - np.random.default_rng(0).uniform(0, 1 / 40, len(p))
    assert stats.kstest(spread, "uniform").pvalue > 0.005
    assert (np.array([one["calibrated"] for one in found]) > 0).mean() <= 0.15


@pytest.mark.parametrize("name", PAIRED)
def test_what_belongs_together_is_found_and_shuffled_rows_are_not(golden, name):
    x, y = golden
    found = calibrate(name, x, y)
    assert found["p"] == pytest.approx(1 / 201)
    assert 0 < found["calibrated"] < 1
    assert found["observed"] == pytest.approx(MEASURES.get(name)(x, y))
    low, high = found["null_band"]
    assert found["null"].min() <= low < high <= found["null"].max()
    shuffled = calibrate(name, x, y[np.random.default_rng(5).permutation(100)])
    assert shuffled["calibrated"] < 0.02 and shuffled["p"] > 0.01
    assert calibrate(name, x, x)["calibrated"] == pytest.approx(1, abs=1e-6)


def test_distances_use_the_lower_tail(golden):
    found = calibrate("procrustes_distance", *golden)
    tau = np.sort(found["null"])[9]  # the 191st from above, of 200
    assert found["threshold"] == tau > found["observed"]
    assert found["calibrated"] == pytest.approx((tau - found["observed"]) / tau)


def test_the_threshold_is_where_p_meets_alpha():
    null = np.arange(1, 201) / 1000
    for observed, p, beyond in ((0.1915, 10 / 201, True), (0.1905, 11 / 201, False)):
        found = against_null(observed, null, 50, 1.0)
        assert found["p"] == pytest.approx(p)
        assert (found["p"] <= 0.05) == (found["calibrated"] > 0) == beyond
    assert found["threshold"] == 0.191
    found = against_null(0.5, null, 50, 1.0)
    assert found["calibrated"] == pytest.approx((0.5 - 0.191) / (1 - 0.191))
    assert np.isnan(against_null(0.5, null, 50, np.inf)["calibrated"])


def test_ties_count_against_the_observed_value():
    found = against_null(0.3, np.full(200, 0.3), 50, 1.0)
    assert found["p"] == 1.0 and found["calibrated"] == 0.0
    # A permutation that has no value is no evidence either.
    assert against_null(0.9, np.full(200, np.nan), 50, 1.0)["p"] == 1.0
    assert np.isnan(against_null(np.nan, np.zeros(200), 50, 1.0)["p"])


def test_names_measures_and_functions_mean_the_same(golden):
    x, y = golden
    by_name = calibrate("linear_cka", x, y, permutations=50)
    for measure in (linear_cka, MEASURES.get("linear_cka")):
        found = calibrate(measure, x, y, permutations=50)
        np.testing.assert_array_equal(found["null"], by_name["null"])
    by_hand = calibrate(lambda a, b: linear_cka(a, b), x, y, permutations=50)
    np.testing.assert_allclose(by_hand["null"], by_name["null"], atol=1e-6)
    assert by_hand["calibrated"] == pytest.approx(by_name["calibrated"], abs=1e-5)
    assert calibrate(procrustes_distance, x, y, permutations=50)["p"] == pytest.approx(1 / 51)


def test_seeds_repeat_and_differ(golden):
    one, same, other = (calibrate(debiased_cka, *golden, 30, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one["null"], same["null"])
    assert not np.array_equal(one["null"], other["null"])
    assert (one["n"], one["permutations"], one["alpha"]) == (100, 30, 0.05)


def test_what_has_no_null_is_refused(golden):
    with pytest.raises(InputError, match="does not depend on which row"):
        calibrate("modality_gap", *golden)
    with pytest.raises(InputError, match="take at least 19"):
        calibrate("linear_cka", *golden, permutations=18)
    with pytest.raises(InputError, match="no measure 'ckaa'"):
        calibrate("ckaa", *golden)
    with pytest.raises(InputError, match="same rows"):
        calibrate("linear_cka", golden[0], golden[1][:5])


class TestSpaceMatrix:
    def test_is_the_calibration_of_every_pair(self, golden):
        x, y = golden
        table = space_matrix({"a": x, "b": y, "c": x + y}, permutations=30, seed=4)
        # Measures for one shared space are left out unless the pair is said to share it.
        names = [n for n, m in MEASURES.items() if not m.shared_space_only]
        assert len(table) == 3 * len(names)
        row = table[(table.space_b == "b") & (table.measure == "mutual_knn")].iloc[0]
        expected = calibrate("mutual_knn", x, y, 30, 4)
        assert row.raw == expected["observed"] and row.p == expected["p"]
        assert (row.null_low, row.null_high) == expected["null_band"]
        assert row.calibrated == expected["calibrated"] and not row.sampled
        pwcca = table[(table.space_a == "b") & (table.measure == "pwcca")].iloc[0]
        assert pwcca.note == "weighted by b"

    def test_only_items_of_both_spaces_count(self, golden):
        x, y = (space.copy() for space in golden)
        masks = {"a": np.arange(100) % 3 > 0, "b": np.arange(100) % 4 > 0}
        both = masks["a"] & masks["b"]
        x[~masks["a"]], y[~masks["b"]] = np.nan, np.nan
        table = space_matrix({"a": x, "b": y}, masks, ["debiased_cka", "rsa"], 30)
        for row, name in zip(table.itertuples(), ("debiased_cka", "rsa")):
            assert row.n == row.n_common == both.sum()
            assert row.raw == pytest.approx(MEASURES.get(name)(x[both], y[both]))

    def test_quadratic_measures_take_a_sample_and_say_so(self, golden):
        spaces = dict(zip("ab", golden))
        table = space_matrix(spaces, measures=["linear_cka", "rsa"], permutations=20, sample=40)
        assert table.n.tolist() == [100, 40] and table.n_common.tolist() == [100, 100]
        assert table.sampled.tolist() == [False, True]
        again = space_matrix(spaces, measures=["rsa"], permutations=20, sample=40)
        other = space_matrix(spaces, measures=["rsa"], permutations=20, sample=40, seed=1)
        assert again.raw[0] == table.raw[1] != other.raw[0]

    def test_shared_spaces(self, golden):
        x, y = golden
        table = space_matrix(
            {"a": x, "b": y, "c": y[:, :4]},
            measures=["modality_gap", "alignment_loss"],
            permutations=20,
            shared=[("b", "a")],
        )
        assert table[["space_a", "space_b"]].values.tolist() == [["a", "b"]] * 2
        gap, loss = table.itertuples()
        assert np.isnan(gap.p) and "no null" in gap.note and gap.raw > 0
        assert loss.p == pytest.approx(1 / 21)

    def test_a_pair_without_a_value_says_why(self, golden):
        x, y = golden
        spaces = {"a": x, "same": np.ones((100, 3)), "none": y}
        masks = {"none": np.zeros(100, dtype=bool)}
        table = space_matrix(spaces, masks, ["debiased_cka"], 20)
        assert table.raw.isna().all() and table.p.isna().all()
        notes = table.note.tolist()
        assert "same: All items" in notes[0] and "No item has both" in notes[1]

    def test_raw_values_alone_progress_and_remarks(self, golden):
        x, _ = golden
        wide = np.random.default_rng(0).normal(size=(100, 30))
        seen = []
        table = space_matrix(
            {"a": x, "wide": wide},
            measures=["mean_squared_cca"],
            permutations=0,
            progress=lambda *step: seen.append(step),
        )
        assert table.note[0] == "wide: PCA of 30 columns to 10"
        assert table.p.isna().all() and table.raw[0] < 0.5
        assert seen == [(0, 1, "CCA (mean squared): a × wide"), (1, 1, "done")]

    def test_rows_must_be_the_same(self, golden):
        x, y = golden
        with pytest.raises(InputError, match="same rows"):
            space_matrix({"a": x, "b": y[:50]})
        with pytest.raises(InputError, match="not given: \\['c'\\]"):
            space_matrix({"a": x, "b": y}, {"c": np.ones(100, dtype=bool)})
        assert space_matrix({"a": x}, permutations=20).empty
