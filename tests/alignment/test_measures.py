"""Measures between two spaces: known values, independent definitions, invariances, errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, spatial, stats
from scipy.spatial.distance import pdist, squareform

from mmrec_core import alignment
from mmrec_core.alignment import MEASURES, chance_overlap, debiased_cka, linear_cka, mutual_knn
from mmrec_core.alignment.pairwise import rank_matrix
from mmrec_core.domain import InputError

ROTATION = {"linear_cka", "debiased_cka", "rbf_cka", "mutual_knn", "procrustes_distance"}
ROTATION |= {"mean_squared_cca", "svcca"}
TRANSLATION = {name for name in MEASURES.names() if name.endswith("cka") or "cca" in name}
TRANSLATION |= {"procrustes_distance"}
seeds = st.integers(0, 2**31)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("linear_cka", 0.55761),
        ("debiased_cka", 0.51346),
        ("rbf_cka", 0.65483),
        ("mutual_knn", 0.27900),
        ("mean_squared_cca", 0.54540),
        ("svcca", 0.73101),
        ("pwcca", 0.73467),
        ("procrustes_distance", 0.52749),
        ("rsa", 0.47244),
        ("alignment_loss", 0.58792),
    ],
)
def test_golden(golden, name, value):
    assert getattr(alignment, name)(*golden) == pytest.approx(value, abs=1e-5)
    assert MEASURES.get(name)(*golden) == pytest.approx(value, abs=1e-5)


def test_pwcca_is_weighted_by_its_first_space(golden):
    x, y = golden
    assert alignment.pwcca(y, x) == pytest.approx(0.73684, abs=1e-5)


def test_the_registry_knows_what_each_measure_is():
    assert MEASURES.names()[0] == "debiased_cka"
    for name, measure in MEASURES.items():
        assert measure.name == name and measure.function is getattr(alignment, name)
        assert measure.description.endswith(".") or measure.description.endswith("?")
        assert measure.reference and measure.label and measure.symbol
        assert measure.bound == measure.value_range[measure.direction == "similarity"]


def related(seed: int, n: int = 60, widths: tuple[int, int] = (4, 5)):
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 3))
    return tuple(
        common @ rng.normal(size=(3, width)) + rng.normal(size=(n, width)) + rng.normal(size=width)
        for width in widths
    )


# Independent definitions


def kernels(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x @ x.T, y @ y.T


def hsic_u(k: np.ndarray, m: np.ndarray) -> float:
    """Song et al. 2012, eq. 5, as printed."""
    n = len(k)
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    one = np.ones(n)
    return float(
        np.trace(k @ m)
        + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
        - 2 / (n - 2) * (one @ k @ m @ one)
    ) / (n * (n - 3))


@settings(max_examples=15)
@given(seeds, st.sampled_from([(4, 5), (3, 90), (80, 70)]))
def test_cka_is_that_of_the_kernels(seed, widths):
    x, y = related(seed, 40, widths)
    k, m = kernels(x, y)
    expected = hsic_u(k, m) / np.sqrt(hsic_u(k, k) * hsic_u(m, m))
    assert debiased_cka(x, y) == pytest.approx(expected, abs=1e-9)
    centre = np.eye(40) - 1 / 40
    k, m = centre @ k @ centre, centre @ m @ centre
    expected = (k * m).sum() / np.linalg.norm(k) / np.linalg.norm(m)
    assert linear_cka(x, y) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=10)
@given(seeds, st.floats(0.2, 2.0))
def test_rbf_cka_is_that_of_the_kernels(seed, bandwidth):
    x, y = related(seed, 30)
    centre = np.eye(30) - 1 / 30
    both = []
    for space in (x, y):
        squares = squareform(pdist(space, "sqeuclidean"))
        kernel = np.exp(-squares / (2 * bandwidth**2 * np.median(squares)))
        both.append(centre @ kernel @ centre)
    k, m = both
    expected = (k * m).sum() / np.linalg.norm(k) / np.linalg.norm(m)
    assert alignment.rbf_cka(x, y, bandwidth) == pytest.approx(expected, abs=1e-5)


def test_wide_noise_fools_cka_and_not_its_debiased_form():
    rng = np.random.default_rng(0)
    for width, biased in ((64, 0.11), (512, 0.51), (2048, 0.80)):
        x, y = rng.normal(size=(2, 500, width))
        assert linear_cka(x, y) == pytest.approx(biased, abs=0.01)
        assert abs(debiased_cka(x, y)) < 0.005


@settings(max_examples=10)
@given(seeds)
def test_cca_is_that_of_angles_between_subspaces(seed):
    x, y = related(seed)
    angles = linalg.subspace_angles(x - x.mean(0), y - y.mean(0))
    rho = np.cos(angles)
    assert alignment.mean_squared_cca(x, y) == pytest.approx((rho**2).mean(), abs=1e-7)


def test_cca_is_that_of_scikit_learn():
    from sklearn.cross_decomposition import CCA

    x, y = related(3, 200)
    found = CCA(4, max_iter=5000, tol=1e-12).fit(x, y).transform(x, y)
    rho = [np.corrcoef(a, b)[0, 1] for a, b in zip(found[0].T, found[1].T)]
    assert alignment.mean_squared_cca(x, y) == pytest.approx(np.square(rho).mean(), abs=1e-6)


def test_svcca_keeps_99_percent_of_the_variance():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(2, 300, 6))
    # Two columns of nearly no variance: CCA sees them, SVCCA does not.
    scale = np.array([3.0, 2.0, 2.0, 1.5, 1e-3, 1e-3])
    shared = rng.normal(size=(300, 2))
    x[:, 4:], y[:, 4:] = shared, shared
    assert alignment.mean_squared_cca(x * scale, y * scale) > 0.33
    assert alignment.svcca(x * scale, y * scale) == pytest.approx(
        alignment.svcca(x[:, :4] * scale[:4], y[:, :4] * scale[:4]), abs=0.02
    )


def test_cca_reduces_wide_spaces_and_says_so():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 200, 80))
    measure = MEASURES.get("mean_squared_cca")
    assert measure.remark(measure.prepare(x)) == "PCA of 80 columns to 20"
    assert measure.remark(measure.prepare(x[:, :20])) == ""
    # Without the reduction, 80 + 80 columns on 200 items reach 0.4 by chance.
    assert measure(x, y) < 0.2
    assert measure(np.repeat(x[:, :5], 9, axis=1), x[:, :5]) == pytest.approx(1, abs=1e-9)


@settings(max_examples=10)
@given(seeds)
def test_procrustes_is_scipys(seed):
    x, y = related(seed, 40, (5, 5))
    # scipy also fits the scale: its disparity is 1 - ||A'B||_*^2.
    disparity = spatial.procrustes(x, y)[2]
    found = alignment.procrustes_distance(x, y)
    assert 1 - (1 - found / 2) ** 2 == pytest.approx(disparity, abs=1e-9)


@settings(max_examples=10)
@given(seeds, st.sampled_from(["correlation", "cosine", "euclidean"]))
def test_rsa_is_spearman_of_scipys_distances(seed, distance):
    x, y = related(seed, 30)
    expected = stats.spearmanr(pdist(x, distance), pdist(y, distance)).statistic
    assert alignment.rsa(x, y, distance) == pytest.approx(expected, abs=1e-6)


def test_rsa_shares_ranks_among_ties():
    rng = np.random.default_rng(6)
    x, y = (np.eye(4)[rng.integers(0, 4, 50)] for _ in range(2))
    expected = stats.spearmanr(np.round(pdist(x), 9), np.round(pdist(y), 9)).statistic
    assert alignment.rsa(x, y) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=10)
@given(seeds, st.integers(1, 29))
def test_mutual_knn_is_the_mean_share_of_common_neighbours(seed, k):
    x, y = related(seed, 30)
    near = []
    for space in (x, y):
        cosine = 1 - squareform(pdist(space, "cosine"))
        np.fill_diagonal(cosine, -np.inf)
        near.append(np.argsort(-cosine, axis=1)[:, :k])
    expected = np.mean([len({*a} & {*b}) / k for a, b in zip(*near)])
    assert mutual_knn(x, y, k) == pytest.approx(expected, abs=1e-9)


def test_ties_of_categories_do_not_look_like_agreement():
    """Equal vectors everywhere, in unrelated spaces: a fixed order of ties would share most."""
    rng = np.random.default_rng(7)
    x, y = (np.eye(3)[rng.integers(0, 3, 300)] for _ in range(2))
    found = alignment.calibrate("mutual_knn", x, y)
    assert found["p"] > 0.05
    assert mutual_knn(x, x) == pytest.approx(1)
    # About a third of the third that x ties with is also y's, each to a tenth.
    assert found["observed"] == pytest.approx(1 / 3, abs=0.05)


def test_chance_of_mutual_knn():
    values = [mutual_knn(*np.random.default_rng(s).normal(size=(2, 200, 8))) for s in range(20)]
    assert np.mean(values) == pytest.approx(chance_overlap(200), abs=0.005)


# Properties


@settings(max_examples=10)
@given(seeds, st.sampled_from(MEASURES.names()))
def test_equal_spaces_reach_the_bound_and_none_passes_it(seed, name):
    measure = MEASURES.get(name)
    x, y = related(seed, 60, (5, 5))
    assert measure(x, x) == pytest.approx(measure.bound, abs=1e-6)
    low, high = measure.value_range
    assert low - 1e-6 <= measure(x, y) <= high + 1e-6
    if measure.symmetric:
        assert measure(x, y) == pytest.approx(measure(y, x), abs=1e-6)


@settings(max_examples=25)
@given(seeds, st.sampled_from(MEASURES.names()))
def test_an_order_is_the_measure_of_permuted_rows(seed, name):
    measure = MEASURES.get(name)
    x, y = related(seed, 60, (5, 5))
    order = np.random.default_rng(seed).permutation(60)
    found = measure.value(measure.prepare(x), measure.prepare(y), order)
    assert found == pytest.approx(measure(x, y[order]), abs=1e-5)
    assert measure(x[order], y[order]) == pytest.approx(measure(x, y), abs=1e-6)


@settings(max_examples=15)
@given(seeds, st.sampled_from(sorted(ROTATION)))
def test_rotation_and_scale_change_nothing(seed, name):
    measure = MEASURES.get(name)
    x, y = related(seed)
    turn = stats.ortho_group.rvs(4, random_state=seed % 1000)
    assert measure(3.7 * x @ turn, y) == pytest.approx(measure(x, y), abs=2e-5)


@settings(max_examples=15)
@given(seeds, st.sampled_from(sorted(TRANSLATION)))
def test_a_shift_changes_nothing(seed, name):
    measure = MEASURES.get(name)
    x, y = related(seed)
    assert measure(x + 40.0, y) == pytest.approx(measure(x, y), abs=2e-5)


def test_cca_sees_any_invertible_map_as_equal():
    x, y = related(8)
    bent = x @ np.array([[1, 2, 0, 0], [0, 1, 3, 0], [0, 0, 1, 1], [0, 0, 0, 0.1]])
    assert alignment.mean_squared_cca(bent, y) == pytest.approx(
        alignment.mean_squared_cca(x, y), abs=1e-6
    )
    assert linear_cka(bent, y) != pytest.approx(linear_cka(x, y), abs=1e-3)


@pytest.mark.parametrize("name", MEASURES.names())
def test_float32_with_a_large_mean_is_as_good_as_float64(name):
    measure = MEASURES.get(name)
    x, y = (s.astype(np.float32) for s in related(9, 80, (6, 6)))
    assert measure(x, y) == pytest.approx(measure(x.astype(float), y.astype(float)), abs=1e-9)


# Errors


@pytest.mark.parametrize("name", MEASURES.names())
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda x: x[:-1], "same rows"),
        (lambda x: np.full_like(x, 2.5), "same vector"),
        (lambda x: np.where(x > 1, np.nan, x), "NaN"),
        (lambda x: x[:, 0], "table"),
        (lambda x: x[:, :0], "table"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(name, spoil, words):
    x, y = related(10, 50, (4, 4))
    for pair in ((spoil(x), y), (x, spoil(y))):
        with pytest.raises(InputError, match=words):
            MEASURES.get(name)(*pair)


def test_limits_of_single_measures():
    rng = np.random.default_rng(11)
    x = rng.normal(size=(50, 3))
    with pytest.raises(InputError, match="at least 4 items"):
        debiased_cka(x[:3], x[:3])
    with pytest.raises(InputError, match="equally far apart"):
        debiased_cka(np.eye(9), np.eye(9))
    with pytest.raises(InputError, match="equally far apart"):
        alignment.rsa(np.eye(9), np.eye(9))
    with pytest.raises(InputError, match="no distance 'manhattan'"):
        alignment.rsa(x, x, "manhattan")
    with pytest.raises(InputError, match="RSA needs"):
        alignment.rsa(x[:2], x[:2])
    with pytest.raises(InputError, match="k is 50"):
        mutual_knn(x, x, 50)
    with pytest.raises(InputError, match="CCA needs"):
        alignment.svcca(x[:9], x[:9])
    with pytest.raises(InputError, match="bandwidth"):
        alignment.rbf_cka(x, x, 0.0)
    with pytest.raises(InputError, match="no width"):
        alignment.rbf_cka(np.repeat(np.eye(50)[:, :1], 3, axis=1), x)
    for name in ("alignment_loss", "modality_gap"):
        with pytest.raises(InputError, match="one space"):
            getattr(alignment, name)(x, x[:, :2])


def test_a_row_of_zeros_has_no_direction_and_breaks_nothing():
    x, y = related(12, 50, (4, 4))
    x[3] = 0.0
    for name, measure in MEASURES.items():
        assert np.isfinite(measure(x, y)), name


@pytest.mark.parametrize("value", [0.0, 0.25])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_pairs_that_are_all_equally_far_apart_are_not_ranked(value, kind):
    with pytest.raises(InputError, match="nothing to rank"):
        rank_matrix(np.full((5, 5), value, dtype=kind))
