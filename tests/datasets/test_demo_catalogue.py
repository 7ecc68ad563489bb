"""The demo's products: attributes, texts and pictures."""

import itertools
import re

import numpy as np
import pytest
from scipy import stats

from mmrec_core.datasets.demo import (
    ATTRIBUTES,
    READABLE,
    SILHOUETTES,
    TYPES,
    VISIBLE,
    draw_product,
    sample_attributes,
    write_text,
)
from mmrec_core.datasets.demo.texts import KINDS, SENTENCES

SYNONYMS = """
colour color grey gray gold golden silver brown beige cream violet dark light pale
stripe stripes check checks checkered gingham dots dot polka pattern patterned
wooden oak steel iron chrome metallic wool woollen knitted fabric plastic
minimalist simple plainly traditional fun funny cute face ears gilded ornament
"""
SHOWN_ONLY = {value for values in VISIBLE.values() for value in values} | set(SYNONYMS.split())


def _texts(n: int, seed: int) -> list[tuple[dict[str, str], str, str]]:
    rows = sample_attributes(n, seed).to_dict("records")
    return [(row, *write_text(row, np.random.default_rng([seed, k]))) for k, row in enumerate(rows)]


def _associations(seed: int) -> tuple[list[float], list[float]]:
    """p-value of the chi-squared test and Cramér's V of every pair of attributes."""
    table = sample_attributes(1200, seed)
    p_values, effects = [], []
    for first, second in itertools.combinations(ATTRIBUTES, 2):
        counts = table.groupby([first, second]).size().unstack(fill_value=0)
        test = stats.chi2_contingency(counts)
        p_values.append(float(test.pvalue))
        effects.append(float((test.statistic / len(table) / (min(counts.shape) - 1)) ** 0.5))
    return p_values, effects


def test_attributes_are_drawn_independently_of_each_other() -> None:
    """Over many catalogues the p-values are uniform, as they are only under independence."""
    p_values = [p for seed in range(100, 110) for p in _associations(seed)[0]]
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_shipped_attributes_hardly_go_together() -> None:
    """One catalogue has chance associations (its seed was not selected); they are weak."""
    p_values, effects = _associations(20261)
    assert min(p_values) > 1e-4
    assert max(effects) < 0.15


def test_every_value_is_about_equally_frequent() -> None:
    table = sample_attributes(1200, 20261)
    for name, values in ATTRIBUTES.items():
        counts = table[name].value_counts().reindex(values)
        assert stats.chisquare(counts).pvalue > 0.001, name


def test_another_seed_gives_other_products() -> None:
    first, second = sample_attributes(200, 1), sample_attributes(200, 2)
    assert first.equals(sample_attributes(200, 1))
    assert not first.equals(second)


def test_texts_name_nothing_that_the_picture_alone_shows() -> None:
    for _, title, description in _texts(600, 4):
        words = set(re.findall(r"[a-z]+", f"{title} {description}".lower()))
        assert not words & SHOWN_ONLY


def test_no_wording_names_what_the_picture_alone_shows() -> None:
    said = [text for values in SENTENCES.values() for ways in values.values() for text in ways]
    said += [kind for kinds in KINDS.values() for kind in kinds]
    for text in said:
        assert not set(re.findall(r"[a-z]+", text.lower())) & SHOWN_ONLY, text


def test_texts_name_type_and_every_readable_attribute() -> None:
    for row, title, description in _texts(300, 5):
        assert any(kind in title.lower() for kind in KINDS[row["type"]])
        assert row["brand"] in title
        for name in READABLE:
            ways = SENTENCES[name]
            assert any(way in description for way in ways[row[name]]), name
            others = [way for value in READABLE[name] if value != row[name] for way in ways[value]]
            assert not any(way in description for way in others), name


def test_titles_vary_and_begin_with_a_capital() -> None:
    titles = [title for _, title, _ in _texts(300, 6)]
    assert len(set(titles)) > 200
    assert all(title[0].isupper() and len(title) < 90 for title in titles)


@pytest.mark.parametrize("kind", TYPES)
def test_every_silhouette_and_style_can_be_drawn(kind: str) -> None:
    for k in range(SILHOUETTES * 3):
        look = {
            "type": kind,
            "colour": VISIBLE["colour"][k % 10],
            "pattern": VISIBLE["pattern"][k % 4],
            "material": VISIBLE["material"][k % 3],
            "style": VISIBLE["style"][(k // SILHOUETTES) % 3],
        }
        picture = draw_product(
            look, np.random.default_rng([8, k]), size=64, supersample=1, silhouette=k % SILHOUETTES
        )
        assert picture.size == (64, 64)
        assert picture.mode == "RGB"
        assert np.asarray(picture).std() > 10


LOOK = {
    "type": "mug",
    "colour": "red",
    "pattern": "plain",
    "material": "wood",
    "style": "minimal",
}


def _draw(seed: int = 1, **changed: str) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.asarray(draw_product(LOOK | changed, rng, size=96, supersample=2), dtype=float)


def test_the_same_seed_draws_the_same_picture() -> None:
    assert np.array_equal(_draw(), _draw())
    assert not np.array_equal(_draw(1), _draw(2))


def test_each_visible_attribute_changes_the_picture() -> None:
    for name, values in VISIBLE.items():
        pictures = [_draw(**{name: value}) for value in values]
        for first, second in itertools.combinations(pictures, 2):
            assert np.abs(first - second).mean() > 1.0, name


def test_readable_attributes_do_not_change_the_picture() -> None:
    plain = _draw()
    for name, values in READABLE.items():
        for value in values:
            assert np.array_equal(plain, _draw(**{name: value}))


def test_mean_colour_of_the_body_tells_the_colours_apart() -> None:
    """A nearest-mean rule on the middle of plain mugs finds nearly every colour."""
    colours = VISIBLE["colour"]
    middle = np.array(
        [
            [_draw(seed, colour=colour)[40:64, 36:60].mean(axis=(0, 1)) for seed in range(8)]
            for colour in colours
        ]
    )
    centres = middle[:, :4].mean(axis=1)
    distance = np.linalg.norm(middle[:, 4:, None] - centres, axis=-1)
    hits = distance.argmin(axis=-1) == np.arange(len(colours))[:, None]
    assert hits.mean() > 0.85


def test_backdrop_does_not_depend_on_the_attributes() -> None:
    """The corners, where no product reaches, are the same whatever is drawn."""
    for name, values in VISIBLE.items():
        for value in values:
            changed, same = _draw(**{name: value}), _draw()
            for rows, columns in itertools.product((slice(0, 6), slice(90, 96)), repeat=2):
                # Exposure is drawn after the product, so only the shade may differ.
                ratio = changed[rows, columns] / same[rows, columns]
                assert ratio.std() < 0.02, (name, value)
