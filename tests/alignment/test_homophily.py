"""Content against behaviour, against definitions with sets and with planted and absent tastes."""

import numpy as np
import pytest
from scipy import sparse, stats

from mmrec_core.alignment import homophily
from mmrec_core.alignment.homophily import popularity_bins
from mmrec_core.domain import InputError


def shop(seed: int, taste: float, n_items: int = 120, n_users: int = 400):
    """Users take items near their taste (``taste`` 0: at random); popularity is uneven."""
    rng = np.random.default_rng(seed)
    content = rng.normal(size=(n_items, 4))
    tastes = rng.normal(size=(n_users, 4))
    appeal = rng.normal(size=n_items)
    scores = taste * tastes @ content.T + appeal + rng.gumbel(size=(n_users, n_items))
    items = np.argsort(-scores, axis=1)[:, :6]
    users = np.repeat(np.arange(n_users), 6)
    train = sparse.csr_matrix((np.ones(users.size), (users, items.ravel())), (n_users, n_items))
    return train, content


def by_name(found):
    return found.table.set_index("measure")


def test_planted_tastes_are_found():
    found = by_name(homophily(*shop(0, 2.0), permutations=39))
    assert (found.p == 1 / 40).all()
    assert (found.value > found.null_high).all()
    assert found.value["auc"] > 0.6 and found.low["lift"] > 1.2
    assert found.low["lift"] < found.value["lift"] < found.high["lift"]


def test_popularity_alone_is_not_taken_for_taste():
    """Content that tells popularity, and users without taste: a plain comparison would see it."""
    p = []
    for seed in range(12):
        train, content = shop(seed, 0.0)
        found = by_name(homophily(train, content, permutations=39, seed=seed))
        p.append(found.p)
        assert found.value["lift"] == pytest.approx(1, abs=0.25)
        assert found.value["auc"] == pytest.approx(0.5, abs=0.08)
    p = np.array(p)
    assert (p <= 0.05).mean() < 0.2 and np.median(p) > 0.2


def test_numbers_are_the_definitions():
    train, content = shop(1, 1.0, 40, 200)
    found = homophily(train, content, k=5, permutations=20)
    table = by_name(found)
    users = [set(train.tocsc()[:, i].indices) for i in range(40)]
    kept = [i for i in range(40) if len(users[i]) >= 2]
    assert found.n_used == len(kept) and found.low_degree == 40 - len(kept)
    c = np.array(
        [
            [
                0.0 if i == j else len(users[i] & users[j]) / np.sqrt(len(users[i]) * len(users[j]))
                for j in kept
            ]
            for i in kept
        ]
    )
    rows = content - content.mean(0)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True))[kept]
    cosine = rows @ rows.T
    upper = np.triu_indices(len(kept), 1)
    rho = stats.spearmanr(cosine[upper], np.round(c[upper], 6)).statistic
    assert table.value["mantel"] == pytest.approx(rho, abs=1e-3)

    np.fill_diagonal(cosine, -np.inf)
    near = np.argsort(-cosine, axis=1)[:, :5]
    bins = popularity_bins(np.array([len(users[i]) for i in kept]))
    above = below = 0.0
    for i, mine in enumerate(near):
        for j in mine:
            alike = [o for o in range(len(kept)) if bins[o] == bins[j] and o != i]
            above += c[i, j]
            below += np.mean([c[i, o] for o in alike])
    assert table.value["lift"] == pytest.approx(above / below, rel=1e-4)
    # Overlap, with ties of c at the fifth place divided among the tied.
    share = total = 0.0
    for i, mine in enumerate(near):
        order = np.sort(c[i][c[i] > 0].round(6))[::-1][:5]
        floor = order[-1] if len(order) == 5 else 0.0
        value = c[i].round(6)
        over = (value > floor).sum()
        level = ((value == floor) & (value > 0)).sum()
        weight = np.where(value > floor, 1.0, 0.0)
        if level:
            weight[(value == floor) & (value > 0)] = min(1.0, (5 - over) / level)
        total += weight.sum()
        share += weight[mine].sum()
    assert table.value["overlap"] == pytest.approx(share / total, abs=0.02)


def test_auc_is_scikit_learns():
    from sklearn.metrics import roc_auc_score

    from mmrec_core.alignment.homophily import _behaviour, _Pairs

    train, content = shop(2, 1.0, 60, 300)
    train = sparse.csc_matrix(train, dtype=np.float32)
    degree = np.diff(train.indptr)
    rows = (content / np.linalg.norm(content, axis=1, keepdims=True)).astype(np.float32)
    pairs = _Pairs(_behaviour(train, degree), rows, degree, 5, 0)
    left, right, other = pairs.left, pairs.right, pairs.other
    assert (pairs.behaviour[left, right] > 0).all() and (pairs.behaviour[left, other] == 0).all()
    assert (pairs.bin[right] == pairs.bin[other]).all() and (left != other).all()
    scores = np.concatenate([pairs.cosine[left, right], pairs.cosine[left, other]])
    truth = np.repeat([1, 0], len(left))
    assert pairs.auc(None) == pytest.approx(roc_auc_score(truth, scores))
    order = np.random.default_rng(0).permutation(60)
    again = _Pairs(pairs.behaviour, rows[order], degree, 5, 0)
    for name in ("overlap", "lift", "auc", "mantel"):
        assert getattr(pairs, name)(order) == pytest.approx(getattr(again, name)(None), abs=1e-5)


def test_items_left_out_are_counted():
    train, content = shop(3, 1.0)
    degree = np.asarray((train > 0).sum(axis=0)).ravel()
    observed = np.arange(120) % 5 > 0
    found = homophily(train, content, observed, permutations=20, sample=40)
    assert found.without_content == 24 and found.n_items == 120
    assert found.low_degree == ((degree < 2) & observed).sum()
    assert found.n_eligible == ((degree >= 2) & observed).sum() > found.n_used == 40
    assert found.sampled
    again = homophily(train, content, observed, permutations=20, sample=40)
    assert again.table.equals(found.table)


def test_popularity_bins_keep_equal_degrees_together():
    degree = np.random.default_rng(0).geometric(0.1, 500)
    bins = popularity_bins(degree)
    assert bins.min() == 0 and set(bins) == set(range(bins.max() + 1)) and bins.max() < 20
    for value in set(degree):
        assert len(set(bins[degree == value])) == 1
    order = np.argsort(degree)
    assert (np.diff(bins[order]) >= 0).all()
    assert set(popularity_bins(np.full(9, 4))) == {0}


def test_errors():
    train, content = shop(4, 1.0)
    with pytest.raises(InputError, match="do not fit"):
        homophily(train, content[:-1])
    with pytest.raises(InputError, match="0 items have content"):
        homophily(train, content, np.zeros(120, dtype=bool))
    apart = sparse.csr_matrix(np.kron(np.eye(30), np.ones((2, 1))))
    with pytest.raises(InputError, match="No two of these items"):
        homophily(apart, content[:30])
    with pytest.raises(InputError, match="same vector"):
        homophily(train, np.ones((120, 3)))
