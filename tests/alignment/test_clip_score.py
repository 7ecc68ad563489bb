"""CLIPScore: its formula by hand, its null, and that it is measured where it is defined alone."""

import numpy as np
import pytest

from mmrec_core.alignment import MEASURES, calibrate, clip_score, clip_scores, space_matrix
from mmrec_core.alignment.clip_score import PREFIX
from mmrec_core.alignment.request import AlignConfig, AlignedSpace
from mmrec_core.alignment.service import align
from mmrec_core.domain import InputError
from mmrec_core.projection.vectors import Vectors

N = 60
QUICK = AlignConfig(measures=("mutual_knn",), permutations=39)


def test_it_is_the_formula_by_hand():
    x = np.array([[3.0, 4.0], [1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    y = np.array([[4.0, 3.0], [-2.0, 0.0], [0.0, 5.0], [1.0, 1.0]])
    # Cosines 24/25, -1 (counted as 0), 0, and none for a row of zeros.
    np.testing.assert_allclose(clip_scores(x, y), [2.4, 0.0, 0.0, 0.0], atol=1e-12)
    assert clip_score(x, y) == pytest.approx(0.6)
    assert clip_score(y, x) == pytest.approx(0.6)
    assert clip_score(x[:3], x[:3]) == pytest.approx(2.5)
    with pytest.raises(InputError, match="one space"):
        clip_score(x, np.ones((4, 3)) + np.eye(4, 3))


def pairs(seed=0, n=N):
    """Pictures and words of one model, each in its own corner of the space."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 8)) + 1.0
    return x, x + rng.normal(size=(n, 8))


def test_its_null_shuffles_the_pairs():
    x, y = pairs()
    found = calibrate("clip_score", x, y, permutations=99)
    assert found["observed"] == pytest.approx(clip_scores(x, y).mean())
    assert found["p"] == pytest.approx(0.01) and 0 < found["calibrated"] < 1
    # Unrelated pairs score well above 0: the null is what it must be read beside.
    assert found["null_band"][0] > 0.5
    unrelated = calibrate("clip_score", x, np.roll(y, 7, axis=0), permutations=99)
    assert unrelated["calibrated"] == 0 and unrelated["p"] > 0.01
    assert MEASURES.get("clip_score").bound == 2.5


def test_in_a_table_of_spaces_it_is_measured_for_pairs_with_captions_alone():
    x, y = pairs()
    spaces = {"image": x, "text": y, "other": y[::-1]}
    measures = ["clip_score", "alignment_loss"]
    both = [("image", "text"), ("image", "other")]
    table = space_matrix(spaces, measures=measures, permutations=20, shared=both)
    assert set(table["measure"]) == {"alignment_loss"}
    table = space_matrix(
        spaces, measures=measures, permutations=20, shared=both, captioned=[("text", "image")]
    )
    own = table[table["measure"] == "clip_score"]
    assert own[["space_a", "space_b"]].values.tolist() == [["image", "text"]]
    assert own["raw"].iloc[0] == pytest.approx(clip_score(x, y)) and own["n"].iloc[0] == N


def space(matrix, modality, **more):
    matrix = np.asarray(matrix, dtype=np.float32)
    ids = np.array([f"i{n}" for n in range(len(matrix))], dtype=object)
    return AlignedSpace(modality, Vectors(ids, matrix, np.ones(len(ids), bool)), **more)


def test_an_alignment_measures_it_where_one_model_read_the_texts_after_the_prefix(mmrec_data):
    x, y = pairs()
    image = space(x, "image", shares="clip")
    captions = space(y, "text", shares="clip", prefix=PREFIX)
    made = align({"image": image, "text": captions}, None, QUICK)
    # Nobody had to ask for it.
    assert made.measured == ["mutual_knn", "clip_score"] and made.without_prefix == ()
    own = made.matrix[made.matrix["measure"] == "clip_score"]
    assert own["raw"].iloc[0] == pytest.approx(clip_score(x, y), abs=1e-6)
    assert own["p"].iloc[0] == pytest.approx(1 / 40) and own["null_high"].notna().all()


@pytest.mark.parametrize(
    ("words", "could_be"),
    [
        ({"shares": "clip"}, True),
        ({"shares": "clip", "prefix": "a photo of"}, True),
        ({"shares": "siglip", "prefix": PREFIX}, False),
        ({"prefix": PREFIX}, False),
    ],
)
def test_elsewhere_it_is_not_measured_even_if_asked_for(mmrec_data, words, could_be):
    x, y = pairs()
    asked = QUICK.model_copy(update={"measures": ("mutual_knn", "clip_score")})
    spaces = {"image": space(x, "image", shares="clip"), "text": space(y, "text", **words)}
    made = align(spaces, None, asked)
    assert made.measured == ["mutual_knn"]
    assert made.without_prefix == ((("image", "text"),) if could_be else ())


def test_a_space_fitted_here_does_not_mark_its_own_work(mmrec_data):
    x, y = pairs()
    given = {"shares": "fit", "held_out": np.arange(N) < 30}
    spaces = {
        "image": space(x, "image", **given),
        "text": space(y, "text", prefix=PREFIX, **given),
    }
    made = align(spaces, None, QUICK)
    assert made.measured == ["mutual_knn"] and made.without_prefix == ()
    assert made.fitted == ("image", "text")


def test_two_texts_of_one_model_have_no_gap_between_modalities(mmrec_data):
    x, y = pairs()
    spaces = {
        "image": space(x, "image", shares="clip"),
        "text": space(y, "text", shares="clip"),
        "captions": space(y + 0.1, "text", shares="clip", prefix=PREFIX),
    }
    made = align(spaces, None, QUICK)
    assert made.positions("text", "captions") is None
    assert made.gap("image", "text")["n"] == made.gap("image", "captions")["n"] == N
    own = made.matrix[made.matrix["measure"] == "clip_score"]
    assert own[["space_a", "space_b"]].values.tolist() == [["image", "captions"]]


def test_a_space_without_a_prefix_keeps_the_key_that_it_had(mmrec_data):
    x, y = pairs()
    made = align({"image": space(x, "image"), "text": space(y, "text")}, None, QUICK)
    for _, own in made.artefact.spec["spaces"]:
        assert own.keys() == {"modality", "vectors", "shares", "fitted"}
