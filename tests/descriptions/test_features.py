"""Attributes of descriptions as features, and what must be ruled out beside them."""

import numpy as np
import pandas as pd
import pytest
from descriptions.test_service import shop  # noqa: F401  (fixture)

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.descriptions.imported import import_answers
from mmrec_core.domain import InputError
from mmrec_core.extractors.service import embed, make_extractor

SLOTS = ["Type", "Color"]
ANSWERS = (
    "[Type] {Mug}, [Color] {Red}",
    "",
    "[Type] {mugs}, [Color] {Blue}",
    "nothing of the kind",
    "[Type] {Lamp}, [Color] {Red}",
)


@pytest.fixture
def described(shop, tmp_path, mmrec_data):  # noqa: F811
    rows = pd.DataFrame({"item": shop.item_ids, "answer": ANSWERS})
    rows.to_csv(tmp_path / "said.csv", index=False)
    return import_answers(shop, tmp_path / "said.csv", SLOTS).artefact.key


def test_two_items_with_other_attributes_differ(shop, described, mmrec_data):  # noqa: F811
    own, _ = embed(shop, "attributes", {"descriptions": described, "distance": 0.1})
    assert own.matrix.shape == (5, 4)
    mug, again, lamp = own.matrix[[0, 2, 4]]
    assert mug.sum() == again.sum() == lamp.sum() == 2
    assert mug @ again == 1 and mug @ lamp == 1 and again @ lamp == 0
    np.testing.assert_array_equal(own.missing, [False, True, False, True, False])


def test_like_words_have_like_vectors(shop, described, mmrec_data):  # noqa: F811
    own, _ = embed(shop, "description-text", {"descriptions": described[:10]})
    rows = own.matrix[own.observed]
    assert rows.shape == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    near = rows @ rows.T
    assert near[0, 2] < 1 and near[0, 1] > near[1, 2]


def test_a_short_key_gives_the_same_embeddings(shop, described, mmrec_data):  # noqa: F811
    specs = [
        make_extractor("attributes", {"descriptions": key}).spec(shop)
        for key in (described, described[:8])
    ]
    assert specs[0] == specs[1]


def test_without_descriptions_a_sentence_says_how_to_get_them(shop, mmrec_data):  # noqa: F811
    for name in ("attributes", "description-text"):
        ok, reason = make_extractor(name).availability()
        assert not ok and "python -m mmrec_core describe" in reason
    with pytest.raises(InputError, match="There are no descriptions 'abc'"):
        embed(shop, "attributes", {"descriptions": "abc"})


def test_descriptions_of_another_catalogue_are_refused(shop, described, mmrec_data):  # noqa: F811
    with pytest.raises(InputError, match="are of other items than those of 'demo-both'"):
        embed(load_dataset("demo-both"), "attributes", {"descriptions": described})


def test_a_probe_reads_the_demo_from_its_pictures(mmrec_data):
    dataset = load_dataset("demo-both")
    own, _ = embed(dataset, "probed-attributes")
    assert own.matrix.shape == (1200, 10 + 10 + 4 + 3 + 3)
    np.testing.assert_array_equal(own.matrix.sum(1), 5)


def test_a_probe_without_labels_is_refused(shop, mmrec_data):  # noqa: F811
    with pytest.raises(InputError, match="Nothing is known of the values of 'shop'"):
        make_extractor("probed-attributes").spec(shop)
