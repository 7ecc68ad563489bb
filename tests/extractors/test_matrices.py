"""Categories and fusions: small cases by hand, and what they must keep."""

import numpy as np
import pandas as pd
import pytest

from mmrec_core.domain import Dataset, DatasetInfo, InputError
from mmrec_core.extractors.service import embed, make_extractor


def shop(tmp_path, categories=None, separator=None, **features):
    n = len(next(iter(features.values()))) if features else len(categories)
    items = pd.DataFrame(
        {
            "item_id": [f"i{at}" for at in range(n)],
            "category": [""] * n if categories is None else categories,
        },
        dtype="str",
    )
    (tmp_path / "features").mkdir()
    for name, matrix in features.items():
        np.save(tmp_path / "features" / f"{name}.npy", np.asarray(matrix, dtype=np.float32))
    info = DatasetInfo("shop", category_separator=separator)
    return Dataset("shop", items, items, tmp_path, info, "print")


def fused(dataset, how="concatenate", **options):
    parts = [{"extractor": "precomputed", "config": {"file": file}} for file in ("image", "text")]
    return embed(dataset, "fusion", {"parts": parts, "how": how, **options})[0]


def test_an_item_of_two_categories_has_two_ones(tmp_path, mmrec_data):
    dataset = shop(tmp_path, ["toys|games", "toys", "", " games "], "|")
    own, _ = embed(dataset, "category")
    np.testing.assert_array_equal(own.matrix, [[1, 1], [0, 1], [0, 0], [1, 0]])
    np.testing.assert_array_equal(own.missing, [False, False, True, False])
    assert own.modality == "joint"


def test_no_category_is_said_in_words(tmp_path, mmrec_data):
    with pytest.raises(InputError, match="The items of 'shop' have no category"):
        embed(shop(tmp_path, ["", ""]), "category")


def test_concatenated_rows_have_length_one_each(tmp_path, mmrec_data):
    dataset = shop(tmp_path, image=[[3, 4], [0, 0], [0, 2]], text=[[1, 0], [0, 5], [0, 0]])
    own = fused(dataset)
    half = np.sqrt(0.5)
    expected = np.array([[0.6, 0.8, 1, 0], [0, 0, 0, 1], [0, 1, 0, 0]]) * half
    np.testing.assert_allclose(own.matrix, expected, atol=1e-6)
    assert not own.missing.any()
    whole = fused(dataset, share=1.0)
    np.testing.assert_allclose(whole.matrix[:, 2:], 0)


def test_sum_is_twice_the_mean_and_a_product_needs_both(tmp_path, mmrec_data):
    rng = np.random.default_rng(0)
    image, text = rng.normal(size=(30, 6)), rng.normal(size=(30, 5))
    image[3] = text[4] = image[5] = text[5] = 0
    dataset = shop(tmp_path, image=image, text=text)
    total, mean, product = (fused(dataset, how, width=3) for how in ("sum", "mean", "product"))
    np.testing.assert_allclose(total.matrix, 2 * mean.matrix, atol=1e-6)
    assert total.width == 3
    for each in (total, product):
        np.testing.assert_array_equal(np.flatnonzero(each.missing), [5])
    # Where one matrix lacks the item, the product is the other's.
    np.testing.assert_allclose(product.matrix[3], 2 * mean.matrix[3], atol=1e-6)


def test_a_width_beyond_the_data_is_refused(tmp_path, mmrec_data):
    dataset = shop(tmp_path, image=np.eye(4), text=np.eye(4))
    with pytest.raises(InputError, match="cannot be brought to a width of 9"):
        fused(dataset, "sum", width=9)


def test_what_a_part_is_made_from_is_in_the_key(tmp_path, mmrec_data):
    dataset = shop(tmp_path, image=np.eye(4), text=np.eye(4))
    parts = [{"extractor": "precomputed", "config": {"file": f}} for f in ("image", "text")]
    before = make_extractor("fusion", {"parts": parts}).spec(dataset)
    np.save(tmp_path / "features" / "text.npy", 2 * np.eye(4, dtype=np.float32))
    assert make_extractor("fusion", {"parts": parts}).spec(dataset) != before
