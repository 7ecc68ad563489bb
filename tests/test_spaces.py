"""Spaces by name: embeddings, controls of them, trained item vectors; and what is no space."""

import numpy as np
import pytest
import small_shop

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.domain import InputError
from mmrec_core.extractors import controls
from mmrec_core.extractors.service import embed, make_extractor
from mmrec_core.spaces import (
    aligned_space,
    as_aligned,
    find_space,
    find_vectors,
    list_spaces,
    make_vectors,
    usual_spaces,
)
from mmrec_core.store import store
from mmrec_core.studies.results import list_studies
from mmrec_core.studies.runs import restored
from mmrec_core.studies.stored import inputs_of, study_of
from mmrec_core.studies.study import Arm


@pytest.fixture
def shop(mmrec_data, tmp_path):
    small_shop.install_shop(tmp_path / "small")
    return load_dataset(small_shop.NAME)


def named(file):
    return f"precomputed(file={file})"


def test_nothing_is_a_space_before_it_is_embedded(shop):
    assert list_spaces(shop) == [] and usual_spaces([]) is None
    assert find_space(shop, named("image")).title == "Precomputed features: image"
    assert find_vectors(shop, named("image")) is None
    made = make_vectors(shop, named("image"))
    assert [s.name for s in list_spaces(shop)] == [named("image")]
    np.testing.assert_array_equal(find_vectors(shop, named("image")).matrix, made.matrix)


def test_each_space_is_one_that_can_be_named(shop):
    """Any stored embeddings have a name that finds the very same matrix, nested options too."""
    parts = [{"extractor": "precomputed", "config": {"file": f}} for f in ("image", "text")]
    made = [
        embed(shop, "precomputed", {"file": "text"})[0],
        embed(shop, "fusion", {"parts": parts, "how": "mean", "width": 2, "share": 0.3})[0],
        embed(shop, "fusion", {"parts": parts})[0],
    ]
    found = {s.name: find_vectors(shop, s.name).matrix for s in list_spaces(shop)}
    assert len(found) == 4  # the other part of the fusions too
    for own in made:
        assert any(np.array_equal(own.matrix, matrix) for matrix in found.values())
    assert all(find_space(shop, name).name == name for name in found)


def test_a_control_is_the_control_of_the_features(shop):
    real = embed(shop, "precomputed", {"file": "text"})[0]
    for name, control, seed in (("shuffle@3", "shuffle", 3), ("shuffle", "shuffle", 0),
                                ("gaussian-matched@1", "gaussian-matched", 1)):  # fmt: skip
        own = find_vectors(shop, f"{named('text')}|{name}")
        expected = controls.apply({"text": real}, "text", control, seed)["text"].matrix
        np.testing.assert_array_equal(own.matrix, expected)
    space = find_space(shop, f"{named('text')}|shuffle@3")
    assert space.kind == "control" and "seed 3" in space.title and space.modality == "text"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nothing", "no extractor 'nothing'"),
        ("precomputed(file=text)|removed", "A space is looked at under"),
        ("precomputed(file=text)|shuffle@x", "A space is looked at under"),
        ("precomputed(file=image)+precomputed(file=text)", "names several matrices"),
        ("embeddings:abc", "There are no embeddings 'abc'"),
        ("run:abc", "There is no run 'abc'"),
        ("run:", "There is no run ''"),
    ],
)
def test_what_is_no_space_is_said_in_words(shop, name, sentence):
    with pytest.raises(InputError, match=sentence):
        find_space(shop, name)


def test_item_vectors_are_the_factors_of_the_trained_model(shop):
    small_shop.finished_study()
    trained = [s for s in list_spaces(shop) if s.kind == "recommender"]
    titles = {s.title.split(",")[0] for s in trained}
    assert titles == {"VBPR", "BPR-MF"} and all(s.modality == "none" for s in trained)
    space = next(s for s in trained if s.title.startswith("VBPR") and "seed 2" in s.title)
    assert find_vectors(shop, space.name) is None
    own = make_vectors(shop, space.name)
    np.testing.assert_array_equal(find_vectors(shop, space.name).matrix, own.matrix)
    result = list_studies(small_shop.NAME)[0]
    inputs, key = inputs_of(result), space.name.removeprefix("run:")
    run = next(r for r in store().list("run") if r.key.startswith(key))
    model = restored(study_of(result), inputs, Arm("vbpr", "none", "real"), run)
    users = np.arange(5)
    collaborative = sum(part for name, part in model.parts(users).items() if name != "popularity")
    lefts = [u for u, _ in model.factor_arrays().values() if u is not None]
    left = np.concatenate(lefts, axis=1)[users]
    rows = [list(shop.item_ids).index(item) for item in inputs.split.item_ids]
    np.testing.assert_allclose(left @ own.matrix[rows].T, collaborative, atol=1e-5)


def test_items_outside_of_training_are_not_in_the_space_of_a_model(shop):
    small_shop.finished_study()
    space = next(s for s in list_spaces(shop) if s.kind == "recommender")
    own = make_vectors(shop, space.name)
    split = inputs_of(list_studies(small_shop.NAME)[0]).split
    seen = {item for item, n in zip(split.item_ids, split.train_degree) if n}
    assert {str(i) for i in shop.item_ids[own.observed]} == seen


def test_the_two_sides_of_a_shared_space_know_each_other(mmrec_data, tmp_path):
    from extractors.test_shared_space import QUICK, two_views
    from extractors.test_shared_space import shop as shared_shop

    dataset = shared_shop(tmp_path, *two_views())
    for side in ("image", "text"):
        embed(dataset, "shared-space", {**QUICK, "output": side})
    spaces = {s.modality: s for s in list_spaces(dataset) if "Shared space" in s.title}
    assert spaces["image"].title.startswith("Shared space, pictures of precomputed")
    image, text = (aligned_space(dataset, spaces[m].name) for m in ("image", "text"))
    assert image.shares == text.shares != "" and image.held_out.sum() == 80
    assert image.source.matrix.shape[1] == 20 and text.source.matrix.shape[1] == 14
    again = as_aligned(dataset, spaces["text"].name, text.vectors)
    assert again.shares == text.shares
    plain = as_aligned(dataset, "precomputed(file=image)", image.source)
    assert plain.shares == "" and plain.held_out is None


def test_matrices_made_under_a_control_of_the_input_are_no_space(shop):
    extractor = make_extractor("small-lvlm", {"picture": "noise"})
    from mmrec_core.spaces import _of_a_control

    assert _of_a_control(extractor) and not _of_a_control(make_extractor("small-lvlm"))


def test_gains_of_studies_are_found_under_the_names_of_spaces(shop):
    from mmrec_core.studies.gains import gain_table

    small_shop.finished_study()
    for file in ("image", "text"):
        make_vectors(shop, named(file))
    gains = gain_table(small_shop.NAME)
    assert set(gains["space"]) <= {space.name for space in list_spaces(shop)}
    assert set(gains["modality"]) == {"image", "text"}


def test_no_two_spaces_read_alike(shop):
    small_shop.finished_study()
    titles = [space.title for space in list_spaces(shop)]
    assert len(set(titles)) == len(titles)


def test_every_shipped_space_is_compared_as_it_is(mmrec_data):
    """A vision-language model is a hub model too, but its vectors are of both modalities."""
    demo = load_dataset("demo-both")
    for space in list_spaces(demo):
        vectors = find_vectors(demo, space.name) or make_vectors(demo, space.name)
        assert as_aligned(demo, space.name, vectors).shares == ""


@pytest.fixture
def fitted_shop(mmrec_data, tmp_path):
    """A shop with both sides of a shared space, and the names of these."""
    from extractors.test_shared_space import QUICK, two_views
    from extractors.test_shared_space import shop as shared_shop

    dataset = shared_shop(tmp_path, *two_views())
    for side in ("image", "text"):
        embed(dataset, "shared-space", {**QUICK, "output": side})
    return dataset, {s.modality: s.name for s in list_spaces(dataset) if "Shared" in s.title}


def test_a_fusion_of_what_was_fitted_keeps_who_was_held_out(fitted_shop):
    from extractors.test_shared_space import PARTS, QUICK

    dataset, names = fitted_shop
    side = {m: aligned_space(dataset, name) for m, name in names.items()}
    parts = [{"extractor": "shared-space", "config": {**QUICK, "output": m}} for m in names]
    embed(dataset, "fusion", {"parts": parts})
    plain = [*PARTS.values()]
    embed(dataset, "fusion", {"parts": plain})
    # Another seed holds others out: a fusion of both has been fitted on what either was fitted on.
    other = {"extractor": "shared-space", "config": {**QUICK, "seed": 1}}
    embed(dataset, "fusion", {"parts": [parts[0], other]})
    made = [aligned_space(dataset, s.name) for s in list_spaces(dataset) if s.modality == "joint"]
    held = sorted(
        (own.held_out for own in made if own.held_out is not None), key=lambda h: -h.sum()
    )
    assert len(made) == 3 and len(held) == 2
    np.testing.assert_array_equal(held[0], side["image"].held_out)
    assert 0 < held[1].sum() < 40 and not (held[1] & ~held[0]).any()
    assert all(own.shares == "" for own in made)


def test_a_fitted_space_whose_heads_are_gone_is_not_ready(fitted_shop):
    from extractors.test_shared_space import QUICK

    from mmrec_core.spaces import held_out_of, is_ready

    dataset, names = fitted_shop
    parts = [{"extractor": "shared-space", "config": {**QUICK, "output": m}} for m in names]
    embed(dataset, "fusion", {"parts": parts})
    fusion = next(s.name for s in list_spaces(dataset) if s.modality == "joint")
    plain = "precomputed(file=image)"
    assert all(is_ready(dataset, name) for name in (*names.values(), fusion, plain))
    assert held_out_of(dataset, fusion).sum() == 80 and held_out_of(dataset, plain) is None
    # A control deals the rows out anew: no pair that was learned is left.
    assert held_out_of(dataset, f"{names['image']}|shuffle") is None
    for heads in list(store().list("shared-heads")):
        store().delete("shared-heads", heads.key)
    assert not any(is_ready(dataset, name) for name in (*names.values(), fusion))
    assert is_ready(dataset, plain)
    extractor = make_extractor("shared-space", QUICK)
    assert extractor.find_heads(dataset) is None
    made = extractor.heads(dataset)
    assert extractor.find_heads(dataset).key == made.key and is_ready(dataset, fusion)


def test_a_recommender_trained_on_a_fitted_space_has_seen_its_pairs(shop, monkeypatch):
    from mmrec_core.extractors import shared_space
    from mmrec_core.spaces import held_out_of
    from mmrec_core.studies.runner import run_study
    from mmrec_core.studies.study import make_study

    monkeypatch.setattr(shared_space, "LEAST_PAIRS", 10)  # the shop has 30
    monkeypatch.setattr(shared_space, "LEAST_FITTED", 5)
    parts = {m: {"extractor": "precomputed", "config": {"file": m}} for m in ("image", "text")}
    config = {"output": "image", **parts, "width": 2, "max_epochs": 2}
    features = {**parts, "image": {"extractor": "shared-space", "config": config}}
    run_study(make_study({**small_shop.STUDY, "features": features}), workers=1)
    found = {
        s.title.split(",")[0]: held_out_of(shop, s.name)
        for s in list_spaces(shop)
        if s.kind == "recommender"
    }
    assert found["BPR-MF"] is None
    (vbpr,) = [held for title, held in found.items() if title.startswith("VBPR")]
    assert vbpr.sum() == 10
