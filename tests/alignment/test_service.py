"""Alignment as an artefact: what agrees, what does not, and that nothing fitted is trusted."""

import numpy as np
import pytest
from scipy import sparse

from mmrec_core.alignment.crossing import CHANCE, RIDGE, SHARED
from mmrec_core.alignment.service import AlignConfig, AlignedSpace, align
from mmrec_core.domain import InputError, Split
from mmrec_core.projection.vectors import Vectors

QUICK = AlignConfig(measures=("debiased_cka", "mutual_knn"), permutations=39)
N = 240


def space(matrix, modality="image", **more):
    matrix = np.asarray(matrix, dtype=np.float32)
    ids = np.array([f"i{n}" for n in range(len(matrix))], dtype=object)
    return AlignedSpace(modality, Vectors(ids, matrix, np.ones(len(ids), bool)), **more)


@pytest.fixture(scope="module")
def world():
    """Two views of one taste, noise, and users who follow the taste."""
    rng = np.random.default_rng(0)
    taste = rng.normal(size=(N, 4))
    views = [taste @ rng.normal(size=(4, 12)) + 0.3 * rng.normal(size=(N, 12)) for _ in range(2)]
    utility = rng.normal(size=(150, 4)) @ taste.T * 2 + rng.gumbel(size=(150, N))
    chosen = np.argsort(-utility, axis=1)[:, :20]
    train = sparse.csr_matrix(
        (np.ones(3000), (np.repeat(np.arange(150), 20), chosen.ravel())), shape=(150, N)
    )
    ids = np.array([f"i{n}" for n in range(N)], dtype=object)
    users = np.array([f"u{n}" for n in range(150)], dtype=object)
    empty = sparse.csr_matrix((150, N))
    split = Split(train, empty, empty, users, ids, None, "random", 0, "all in train")
    return views, rng.normal(size=(N, 12)), split


def test_views_agree_noise_does_not_and_users_follow_the_views(mmrec_data, world):
    (image, text), noise, split = world
    spaces = {
        "image": space(image), "text": space(text, "text"), "noise": space(noise, "text"),
        "trained": space(image[:, :3], "none"),
    }  # fmt: skip
    told = []
    made = align(spaces, split, QUICK, lambda done, total, what: told.append((done, what)))
    table = made.matrix.set_index(["space_a", "space_b", "measure"])
    assert len(table) == 6 * 2
    for measure in QUICK.measures:
        assert table.loc[("image", "text", measure), "p"] == pytest.approx(1 / 40)
        assert table.loc[("image", "text", measure), "calibrated"] > 0.2
        assert table.loc[("image", "noise", measure), "calibrated"] < 0.05
    lift = made.behaviour[made.behaviour["measure"] == "lift"].set_index("space")
    assert set(lift.index) == {"image", "text", "noise"}  # trained vectors are no content
    assert lift.loc["image", "low"] > 1 and abs(lift.loc["noise", "value"] - 1) < 0.15
    assert list(made.geometry["space"]) == list(spaces) == list(made.spaces)
    ten = made.retrieval[made.retrieval["k"] == 10]
    pairs = set(zip(ten["space_a"], ten["space_b"]))
    assert pairs == {("image", "text"), ("image", "noise")}  # unlike modalities only
    own = ten[(ten["space_b"] == "text") & (ten["query"] == "image")].set_index("method")
    assert own.loc[RIDGE, "recall"] > 3 * own.loc[CHANCE, "recall"]
    assert own.loc[RIDGE, "n"] == N // 2
    hits = made.hits("image", "text")
    assert len(hits) == 2 * (N // 2)
    first = hits[hits["rank"] == 1]
    assert (first["found_1"] == first["row"]).all()
    assert made.positions("image", "text") is None
    shares = [done for done, _ in told]
    assert shares == sorted(shares) and shares[-1] > 950


def test_it_is_made_once_and_anything_that_decides_it_makes_another(mmrec_data, world):
    (image, text), _, split = world
    spaces = {"image": space(image), "text": space(text, "text")}
    first = align(spaces, split, QUICK)
    assert align(spaces, split, QUICK).artefact.key == first.artefact.key
    turned = dict(reversed(spaces.items()))
    other = [
        align(turned, split, QUICK),
        align(spaces, split, QUICK.model_copy(update={"seed": 1})),
        align({**spaces, "text": space(text + 1, "text")}, split, QUICK),
    ]
    assert len({first.artefact.key, *(o.artefact.key for o in other)}) == 4


def test_a_fitted_space_is_looked_at_on_held_out_items_alone(mmrec_data, world):
    """Sides that agree perfectly where they were fitted, and not at all elsewhere."""
    (image, text), _, split = world
    rng = np.random.default_rng(5)
    held = np.zeros(N, bool)
    held[:80] = True
    one = rng.normal(size=(N, 10))
    other = np.where(held[:, None], rng.normal(size=(N, 10)), one)
    given = {"shares": "fit", "held_out": held}
    spaces = {
        "one": space(one, source=space(image).vectors, **given),
        "other": space(other, "text", source=space(text, "text").vectors, **given),
        "text": space(text, "text"),
    }
    made = align(spaces, split, QUICK)
    table = made.matrix.set_index(["space_a", "space_b", "measure"])
    assert (table["n"] == 80).loc[[("one", "other", m) for m in QUICK.measures]].all()
    assert table.loc[("one", "other", "debiased_cka"), "raw"] < 0.2
    ten = made.retrieval[(made.retrieval["k"] == 10) & (made.retrieval["space_b"] == "other")]
    own = ten[ten["query"] == "one"].set_index("method")["recall"]
    assert own[SHARED] < 3 * own[CHANCE]
    # Beside it what a ridge map of the sources does on the same items.
    assert own[RIDGE] > 3 * own[CHANCE]
    facts = made.gap("one", "other")
    assert facts["n"] == 80 and len(made.positions("one", "other")) == 160


def test_near_duplicates_are_found_where_all_vectors_point_one_way(mmrec_data, world):
    (image, text), _, split = world
    narrow = image + 1000.0
    narrow[7] = narrow[3]
    made = align({"narrow": space(narrow), "text": space(text, "text")}, split, QUICK)
    own = made.duplicates[made.duplicates["space"] == "narrow"]
    assert own[["a", "b"]].iloc[0].tolist() == [3, 7] and own["n_pairs"].iloc[0] < N
    assert bool(own["exact"].iloc[0])


def test_content_that_nobody_can_be_compared_on_is_noted(mmrec_data, world):
    (image, text), _, split = world
    alone = sparse.csr_matrix((np.ones(N), (np.zeros(N, int), np.arange(N))), shape=(150, N))
    lonely = Split(
        alone, split.valid, split.test, split.user_ids, split.item_ids, None, "random", 0, "one"
    )
    made = align({"image": space(image), "text": space(text, "text")}, lonely, QUICK)
    assert len(made.behaviour) == 2 and all(made.behaviour["note"] != "")


def test_a_poor_space_is_noted_and_ends_nothing(mmrec_data, world):
    """All vectors equal in one space, a single item in another, no interactions to divide."""
    (image, text), _, split = world
    one = np.zeros((N, 12))
    one[4] = 1.0
    spaces = {
        "equal": space(np.ones((N, 12))), "one": space(one), "text": space(text, "text"),
    }  # fmt: skip
    made = align(spaces, split, QUICK)
    notes = made.geometry.set_index("space")["note"]
    assert notes["equal"] and notes["one"] and not notes["text"]
    assert made.matrix["raw"].isna().all()
    without = align({"image": space(image), "text": space(text, "text")}, None, QUICK)
    assert all(without.behaviour["note"].str.contains("too few interactions"))


def test_what_cannot_be_compared_is_said_in_words(mmrec_data, world):
    (image, text), _, split = world
    with pytest.raises(InputError, match="two spaces or more"):
        align({"image": space(image)}, split, QUICK)
    with pytest.raises(InputError, match="the same items"):
        align({"image": space(image), "text": space(text[:-1], "text")}, split, QUICK)
    with pytest.raises(InputError, match="no measure 'kendall'"):
        align(
            {"image": space(image), "text": space(text, "text")}, split,
            AlignConfig(measures=("kendall",)),
        )  # fmt: skip
