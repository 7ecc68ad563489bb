"""The shared space: it joins what belongs together, learns nothing from noise, and is honest."""

import numpy as np
import pandas as pd
import pytest

from mmrec_core.alignment import retrieval
from mmrec_core.domain import Dataset, DatasetInfo, InputError
from mmrec_core.extractors.service import embed, make_extractor
from mmrec_core.extractors.shared_space import held_out_items, project

PARTS = {side: {"extractor": "precomputed", "config": {"file": side}} for side in ("image", "text")}
QUICK = {**PARTS, "width": 8, "max_epochs": 60}


def shop(folder, image, text):
    ids = [f"i{n}" for n in range(len(image))]
    (folder / "features").mkdir(parents=True)
    np.save(folder / "features" / "image.npy", np.asarray(image, dtype=np.float32))
    np.save(folder / "features" / "text.npy", np.asarray(text, dtype=np.float32))
    empty = dict.fromkeys(("category", "title", "text", "image", "image_sha256"), "")
    items = pd.DataFrame({"item_id": ids, **empty}, dtype="str")
    return Dataset("shop", items, items, folder, DatasetInfo("shop"), "print")


def two_views(n=400, signal=1.0, seed=0):
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 6))
    views = [
        signal * common @ rng.normal(size=(6, width)) + rng.normal(size=(n, width))
        for width in (20, 14)
    ]
    return views


def sides(dataset, **options):
    return [
        embed(dataset, "shared-space", {**QUICK, "output": side, **options})[0]
        for side in ("image", "text")
    ]


def test_held_out_pairs_meet_where_there_is_something_to_learn(tmp_path, mmrec_data):
    dataset = shop(tmp_path, *two_views())
    image, text = sides(dataset)
    heads = make_extractor("shared-space", QUICK).heads(dataset)
    out = held_out_items(heads)
    assert out.sum() == 80 == heads.facts["held_out"] and heads.facts["fitted_on"] == 320
    found = retrieval(image.matrix[out], text.matrix[out])
    assert found["x_to_y"]["r_at_10"] > 4 * found["chance"]["r_at_10"]
    assert image.modality == "image" and text.modality == "text"
    np.testing.assert_allclose(np.linalg.norm(image.matrix, axis=1), 1, atol=1e-5)


def test_noise_is_not_joined(tmp_path, mmrec_data):
    dataset = shop(tmp_path, *two_views(signal=0.0))
    image, text = sides(dataset)
    out = held_out_items(make_extractor("shared-space", QUICK).heads(dataset))
    found = retrieval(image.matrix[out], text.matrix[out])
    assert found["x_to_y"]["r_at_10"] < 2.5 * found["chance"]["r_at_10"]


def test_what_is_held_out_decides_nothing(tmp_path, mmrec_data):
    """Other vectors in held-out rows give the same heads: they were never looked at."""
    image, text = two_views()
    first = shop(tmp_path / "one", image, text)
    heads = make_extractor("shared-space", QUICK).heads(first)
    out = held_out_items(heads)
    other = text.copy()
    other[out] = np.random.default_rng(9).normal(size=other[out].shape) * 50
    second = make_extractor("shared-space", QUICK).heads(shop(tmp_path / "two", image, other))
    assert second.key != heads.key
    probe = np.random.default_rng(1).normal(size=(5, 20)).astype(np.float32)
    np.testing.assert_array_equal(project(heads, "image", probe), project(second, "image", probe))


def test_the_same_config_gives_the_same_heads_and_a_hidden_layer_others(tmp_path, mmrec_data):
    dataset = shop(tmp_path, *two_views())
    (first, _), (again, _) = sides(dataset), sides(dataset)
    np.testing.assert_array_equal(first.matrix, again.matrix)
    deep, _ = sides(dataset, hidden=16)
    assert deep.width == 8 and not np.allclose(deep.matrix, first.matrix)


def test_items_that_lack_a_side_are_missing_there_and_are_no_pair(tmp_path, mmrec_data):
    image, text = two_views()
    image[:30] = 0.0
    dataset = shop(tmp_path, image, text)
    own, other = sides(dataset)
    assert own.missing[:30].all() and not own.missing[30:].any() and not other.missing.any()
    heads = make_extractor("shared-space", QUICK).heads(dataset)
    assert heads.facts["pairs"] == 370 and not held_out_items(heads)[:30].any()


def test_too_few_pairs_are_refused_in_words(tmp_path, mmrec_data):
    dataset = shop(tmp_path, *two_views(n=30))
    with pytest.raises(InputError, match="Only 30 items have both a picture and words"):
        sides(dataset)


def test_it_says_that_it_was_fitted_here():
    own = make_extractor("shared-space", {"output": "text"})
    assert "fitted on this catalogue" in own.caution(None) and own.modality == "text"
    assert make_extractor("shared-space").details == ""
    assert make_extractor("shared-space", {"hidden": 8}).details == "(hidden=8)"
    assert "of precomputed" in make_extractor("shared-space", PARTS).details
