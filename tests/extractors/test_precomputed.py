"""Features made elsewhere are checked before they are believed."""

import numpy as np
import pytest

from mmrec_core.domain import InputError
from mmrec_core.extractors import make_extractor
from mmrec_core.extractors.precomputed import guess_modality


@pytest.fixture
def dataset(make_dataset):
    return make_dataset("tiny", texts=["a", "b", "c", "d"])


def save(dataset, name, values, ids=None):
    np.save(dataset.folder / "features" / f"{name}.npy", values, allow_pickle=True)
    if ids is not None:
        (dataset.folder / "features" / f"{name}.ids.txt").write_text("\n".join(ids) + "\n")


def encode(dataset, **config):
    return make_extractor("precomputed", config).encode(dataset)


def test_rows_are_items_in_order_and_zeros_are_missing(dataset):
    values = np.array([[1.0, 2], [0, 0], [3, 4], [5, 6]])
    save(dataset, "image_feat", values)
    made = encode(dataset)
    assert made.modality == "image" and made.extractor == "precomputed:image_feat"
    assert made.missing.tolist() == [False, True, False, False]
    np.testing.assert_array_equal(made.matrix, values.astype(np.float32))
    assert not encode(dataset, zero_rows_are_missing=False).missing.any()


def test_ids_put_rows_in_place(dataset):
    save(dataset, "text_feat", np.array([[3.0], [1.0]]), ids=["i2", "i0"])
    made = encode(dataset, file="text_feat")
    assert made.matrix.ravel().tolist() == [1, 0, 3, 0]
    assert made.missing.tolist() == [False, True, False, True]


def test_unknown_ids_are_refused_unless_declared(dataset):
    save(dataset, "text_feat", np.array([[3.0], [1.0]]), ids=["i2", "x"])
    with pytest.raises(InputError, match="line 2: 'x' is no item"):
        encode(dataset)
    assert encode(dataset, ignore_unknown_ids=True).observed.tolist() == [0, 0, 1, 0]
    save(dataset, "text_feat", np.array([[3.0], [1.0]]), ids=["y", "x"])
    with pytest.raises(InputError, match="names no item"):
        encode(dataset, ignore_unknown_ids=True)


def test_whole_nan_rows_can_be_declared_missing(dataset):
    values = np.array([[1.0, 2], [np.nan, np.nan], [3, 4], [5, 6]])
    save(dataset, "image_feat", values)
    with pytest.raises(InputError, match="row 1 .*item 'i1'.*nan_rows_are_missing"):
        encode(dataset)
    assert encode(dataset, nan_rows_are_missing=True).missing.tolist() == [0, 1, 0, 0]
    values[2, 1] = np.nan
    save(dataset, "image_feat", values)
    with pytest.raises(InputError, match="row 2 .*item 'i2'"):
        encode(dataset, nan_rows_are_missing=True)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, 1e300])
def test_infinite_values_are_refused(dataset, bad):
    values = np.ones((4, 2))
    values[3, 1] = bad
    save(dataset, "image_feat", values)
    with pytest.raises(InputError, match="row 3 .*item 'i3'"):
        encode(dataset, nan_rows_are_missing=True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((3, 2)), "3 rows, but dataset 'tiny' has 4 items"),
        (np.array([[{}]] * 4, dtype=object), "Python objects"),
        (np.array([["a"]] * 4), "not real numbers"),
        (np.ones((4, 2), dtype=complex), "not real numbers"),
        (np.ones(4), "shape"),
        (np.ones((4, 0)), "shape"),
    ],
)
def test_wrong_arrays_are_refused(dataset, values, message):
    save(dataset, "image_feat", values)
    with pytest.raises(InputError, match=message):
        encode(dataset)


def test_damaged_files_are_refused(dataset):
    save(dataset, "image_feat", np.ones((4, 200)))
    path = dataset.folder / "features" / "image_feat.npy"
    whole = path.read_bytes()
    for content in (b"", b"hello", whole[:40], whole[:-100], b"PK\x03\x04" + whole):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"image_feat\.npy"):
            encode(dataset)


@pytest.mark.parametrize(
    ("ids", "message"), [(["i0"], "lists 1 ids"), (["i1", "i1"], "line 2: .*twice")]
)
def test_wrong_ids_are_refused(dataset, ids, message):
    save(dataset, "image_feat", np.ones((2, 2)), ids=ids)
    with pytest.raises(InputError, match=message):
        encode(dataset)


def test_the_file_must_be_clear(dataset):
    with pytest.raises(InputError, match="0 feature files"):
        encode(dataset)
    save(dataset, "image_feat", np.ones((4, 2)))
    save(dataset, "odd", np.ones((4, 2)))
    with pytest.raises(InputError, match="2 feature files"):
        encode(dataset)
    with pytest.raises(InputError, match="Cannot tell"):
        encode(dataset, file="odd")
    assert encode(dataset, file="odd", modality="joint").modality == "joint"
    with pytest.raises(InputError, match=r"no features/nope\.npy"):
        encode(dataset, file="nope", modality="text")
    with pytest.raises(InputError, match="option file"):
        encode(dataset, file="../../secret")
    with pytest.raises(InputError, match="option fil:"):
        encode(dataset, fil="x")


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("image_feat", "image"),
        ("imagefeat", "image"),
        ("visual_features", "image"),
        ("v_feat", "image"),
        ("resnet50", "image"),
        ("text_feat", "text"),
        ("t_feat", "text"),
        ("TextFeatures", "text"),
        ("sbert-mpnet", "text"),
        ("image_text_feat", "joint"),
        ("qwen2vl_eos", "joint"),
        ("lvlm", "joint"),
        ("features", None),
        ("item_vectors", None),
    ],
)
def test_modality_by_name(name, modality):
    assert guess_modality(name) == modality
