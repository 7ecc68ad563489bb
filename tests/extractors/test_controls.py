"""Every control removes what it says and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mmrec_core.domain import Embeddings, InputError
from mmrec_core.extractors.controls import CONTROLS, apply, left_in_place
from mmrec_core.extractors.permutation import derangement

DATA_DRIVEN = ["shuffle", "gaussian-unit", "gaussian-matched", "mean"]


def embeddings(
    n: int, d: int, seed: int = 0, missing: float = 0.0, modality: str = "image"
) -> Embeddings:
    rng = np.random.default_rng([seed, n, d])
    matrix = (rng.standard_normal((n, d)) * np.arange(1, d + 1) + 3).astype(np.float32)
    ids = np.array([f"i{at}" for at in range(n)], dtype=object)
    mask = rng.random(n) < missing
    return Embeddings(modality, "minilm", ids, matrix, mask, failures={"i0": "why"})


def row_numbers(before: Embeddings, after: Embeddings) -> np.ndarray:
    """For each row after, the row before that it came from (rows are distinct)."""
    where = {row.tobytes(): at for at, row in enumerate(before.matrix) if before.observed[at]}
    return np.array(
        [where[row.tobytes()] for at, row in enumerate(after.matrix) if after.observed[at]]
    )


some = st.builds(
    embeddings,
    n=st.integers(0, 40),
    d=st.integers(1, 12),
    seed=st.integers(0, 9),
    missing=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
)


@given(some, st.integers(0, 2**40), st.sampled_from(DATA_DRIVEN))
def test_shape_dtype_mask_and_missing_rows_are_kept(real, seed, control):
    after = apply({"image": real}, "image", control, seed)["image"]
    assert after.matrix.shape == real.matrix.shape
    assert after.matrix.dtype == np.float32
    np.testing.assert_array_equal(after.missing, real.missing)
    assert not after.matrix[after.missing].any()
    np.testing.assert_array_equal(after.item_ids, real.item_ids)
    assert after.extractor == f"minilm|{control}"
    assert after.modality == "image" and after.failures == real.failures
    again = apply({"image": real}, "image", control, seed)["image"]
    assert again.matrix.tobytes() == after.matrix.tobytes()


@given(some, st.integers(0, 1000))
def test_shuffle_has_no_fixed_point_and_keeps_rows_and_spectrum(real, seed):
    after = apply({"image": real}, "image", "shuffle", seed)["image"]
    observed = np.flatnonzero(real.observed)
    came_from = row_numbers(real, after)
    assert sorted(came_from) == list(observed)
    if len(observed) > 1:
        assert (came_from != observed).all()
        assert left_in_place({"image": real}, "image") == 0
    if len(observed):
        wide = real.matrix.astype(np.float64)
        mixed = after.matrix.astype(np.float64)
        np.testing.assert_allclose(
            np.linalg.svd(wide, compute_uv=False),
            np.linalg.svd(mixed, compute_uv=False),
            rtol=1e-9,
            atol=1e-9,
        )


@given(
    st.integers(0, 40),
    st.sampled_from([0.0, 0.2, 0.5]),
    st.sampled_from([0.0, 0.2, 0.5]),
    st.integers(0, 100),
)
def test_shuffling_all_moves_an_items_vectors_together(n, image_missing, text_missing, seed):
    image = embeddings(n, 3, 1, image_missing, "image")
    text = embeddings(n, 5, 2, text_missing, "text")
    features = {"image": image, "text": text}
    after = apply(features, "all", "shuffle", seed)
    source = np.arange(n)
    for name in features:
        np.testing.assert_array_equal(after[name].missing, features[name].missing)
        source[after[name].observed] = row_numbers(features[name], after[name])
    for name, each in features.items():
        np.testing.assert_array_equal(after[name].matrix, each.matrix[source])
    observed = image.observed | text.observed
    assert int((source[observed] == np.flatnonzero(observed)).sum()) == left_in_place(
        features, "all"
    )


def test_an_item_alone_with_its_mask_stays_and_is_counted():
    image, text = embeddings(6, 2, 1), embeddings(6, 2, 2, modality="text")
    mask = np.array([True, False, False, False, False, False])
    text = Embeddings("text", "minilm", text.item_ids, text.matrix, mask)
    features = {"image": image, "text": text}
    after = apply(features, "all", "shuffle", 3)
    assert left_in_place(features, "all") == 1
    np.testing.assert_array_equal(after["image"].matrix[0], image.matrix[0])
    assert (after["image"].matrix[1:] != image.matrix[1:]).any(axis=1).all()
    one = {"image": embeddings(1, 2)}
    assert left_in_place(one, "image") == 1
    np.testing.assert_array_equal(
        apply(one, "image", "shuffle", 0)["image"].matrix, one["image"].matrix
    )


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(0, 1000))
def test_derangement_stays_within_groups(groups, seed):
    groups = np.array(groups, dtype=np.int64)
    source = derangement(groups, np.random.default_rng(seed))
    assert sorted(source) == list(range(len(groups)))
    np.testing.assert_array_equal(groups[source], groups)
    alone = np.isin(groups, [g for g in set(groups.tolist()) if (groups == g).sum() == 1])
    np.testing.assert_array_equal(source == np.arange(len(groups)), alone)


def test_derangements_are_equally_likely():
    """Four items have nine derangements; a cycle of all (Sattolo) would reach only six."""
    rng = np.random.default_rng(5)
    drawn = [tuple(derangement(np.zeros(4, dtype=np.int64), rng)) for _ in range(3600)]
    kinds, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(kinds) == 9
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("control", ["shuffle", "gaussian-unit", "gaussian-matched"])
def test_seeds_and_modalities_draw_differently(control):
    image = embeddings(30, 4, 1)
    text = Embeddings("text", "minilm", image.item_ids, image.matrix, image.missing)
    features = {"image": image, "text": text}
    first = apply(features, "image", control, 1)["image"].matrix
    assert (first != apply(features, "image", control, 2)["image"].matrix).any()
    assert (first != apply(features, "text", control, 1)["text"].matrix).any()


@pytest.mark.parametrize("control", ["gaussian-unit", "gaussian-matched", "mean", "identity"])
def test_all_is_each_by_itself_unless_said_otherwise(control):
    features = {"image": embeddings(9, 3, 1), "text": embeddings(9, 4, 2, modality="text")}
    both = apply(features, "all", control, 4)
    step = apply(apply(features, "image", control, 4), "text", control, 4)
    assert {name: each.fingerprint for name, each in both.items()} == {
        name: each.fingerprint for name, each in step.items()
    }


def test_gaussian_unit_is_standard_normal_on_observed_rows():
    real = embeddings(2000, 5, missing=0.3)
    after = apply({"image": real}, "image", "gaussian-unit", 1)["image"]
    drawn = after.matrix[after.observed].ravel()
    assert stats.kstest(drawn, "norm").pvalue > 1e-3
    correlation = np.corrcoef(after.matrix[after.observed].T)
    assert np.abs(correlation - np.eye(5)).max() < 0.1


@pytest.mark.parametrize("n", [20_000, 9_000])
def test_gaussian_matched_has_the_moments_of_the_real_rows(n):
    rng = np.random.default_rng(1)
    base = rng.exponential(size=(n, 4)) @ rng.standard_normal((4, 6))
    matrix = np.concatenate([base + 5, np.full((n, 1), 7.0)], axis=1).astype(np.float32)
    ids = np.arange(n).astype(str).astype(object)
    real = Embeddings("image", "x", ids, matrix, rng.random(n) < 0.1)
    after = apply({"image": real}, "image", "gaussian-matched", 3)["image"]
    was, now = matrix[real.observed], after.matrix[real.observed]
    spread = np.sqrt(np.diag(np.cov(was.T)) / len(was))
    assert (np.abs(now.mean(0) - was.mean(0)) <= 4.5 * spread + 1e-5).all()
    covariance = np.cov(was.T)
    tolerance = 0.06 * np.sqrt(np.outer(np.diag(covariance), np.diag(covariance))) + 1e-8
    assert (np.abs(np.cov(now.T) - covariance) <= tolerance).all()
    # A combination of columns that never varies, rank 4 of 7: singular, and kept singular.
    values = np.linalg.eigvalsh(np.cov(now.astype(np.float64).T))
    assert (values < 1e-6 * values.max()).sum() == 3
    assert abs(stats.skew(now[:, 0])) < 0.1 < abs(stats.skew(was[:, 0]))


def test_gaussian_matched_shrinks_when_there_are_fewer_items_than_columns():
    """Against scikit-learn's covariance, by the distribution of Mahalanobis distances."""
    from sklearn.covariance import LedoitWolf

    real = embeddings(60, 80, seed=3)
    fitted = LedoitWolf().fit(real.matrix.astype(np.float64))
    draws = np.concatenate(
        [
            apply({"image": real}, "image", "gaussian-matched", seed)["image"].matrix
            for seed in range(40)
        ]
    )
    distance = fitted.mahalanobis(draws.astype(np.float64))
    assert stats.kstest(distance, stats.chi2(80).cdf).pvalue > 1e-3
    # The smallest eigenvalue is that of the shrunk covariance, not 0.
    assert np.linalg.matrix_rank(draws - draws.mean(0)) == 80


def test_mean_is_constant_on_observed_rows():
    real = embeddings(30, 4, missing=0.4)
    after = apply({"image": real}, "image", "mean", 0)["image"]
    expected = np.tile(real.matrix[real.observed].mean(0), (int(real.observed.sum()), 1))
    np.testing.assert_allclose(after.matrix[after.observed], expected, rtol=1e-5)
    assert len(np.unique(after.matrix[after.observed], axis=0)) == 1


def test_removed_is_absent_and_real_is_the_same_object():
    features = {"image": embeddings(5, 2), "text": embeddings(5, 3, modality="text")}
    assert set(apply(features, "image", "removed", 0)) == {"text"}
    assert apply(features, "all", "removed", 0) == {}
    assert apply(features, "image", "real", 0) == features
    assert apply(features, "image", "shuffle", 0)["text"] is features["text"]


def test_identity_is_one_hot_without_a_matrix():
    real = embeddings(7, 3, missing=0.5)
    after = apply({"image": real}, "image", "identity", 0)["image"]
    assert after.one_hot and after.width == 7 and after.matrix.shape == (7, 0)
    assert not after.missing.any()
    with pytest.raises(InputError, match="one-hot"):
        apply({"image": after}, "image", "shuffle", 0)


def test_facts():
    assert CONTROLS.names() == [
        "real",
        "shuffle",
        "gaussian-unit",
        "gaussian-matched",
        "mean",
        "removed",
        "identity",
        "shuffle-within-category",
        "shuffle-within-popularity",
        "other-modality",
        "picture-of-another",
        "picture-blank",
        "title-of-another",
        "title-removed",
        "missing-20",
        "missing-40",
        "missing-60",
        "missing-80",
    ]
    for name, control in CONTROLS.items():
        assert control.name == name and control.title and control.removes
        assert (control.__doc__ or "").strip()
        assert ("inference" in control.stages) == (name not in ("identity", "other-modality"))
        assert control.graph_ok == (name != "identity")


@pytest.mark.parametrize(
    ("modality", "control", "seed", "message"),
    [
        ("image", "noise", 0, "no control 'noise'"),
        ("audio", "mean", 0, "no features of modality 'audio'"),
        ("image", "mean", -1, "0 or more"),
    ],
)
def test_wrong_requests_are_refused(modality, control, seed, message):
    with pytest.raises(InputError, match=message):
        apply({"image": embeddings(3, 2)}, modality, control, seed)


def test_other_items_are_refused():
    text = embeddings(4, 2, modality="text")
    turned = Embeddings("text", "x", text.item_ids[::-1], text.matrix, text.missing)
    with pytest.raises(InputError, match="align"):
        apply({"image": embeddings(4, 2), "text": turned}, "all", "shuffle", 0)
