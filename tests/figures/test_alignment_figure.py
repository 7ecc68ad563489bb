from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Polygon, Rectangle

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    FORMATS,
    alignment_matrix,
    alignment_matrix_description,
    alignment_matrix_publication,
    save,
)
from mmrec_core.figures.palette import CATEGORY_COLOURS, SEQUENTIAL, SPACE_MARKERS, shade
from mmrec_core.figures.paper import WIDTHS

EVIL = "<b>$x^2$</b> & a name that somebody made far too long to print anywhere"
NAMES = ("DINOv2 ViT-S/14", "CLIP ViT-B/32 picture", "MiniLM-L6", EVIL, "CLIP joint (mean)", "VBPR")
MODALITIES = ("image", "image", "text", "text", "joint", "none")
TITLES = {f"k{i}": f"{NAMES[i % 6]}{' again' * (i // 6)}" for i in range(16)}
KINDS = {f"k{i}": MODALITIES[i % 6] for i in range(16)}


def table(spaces: int) -> pd.DataFrame:
    rng = np.random.default_rng([spaces])
    rows = []
    for place, (a, b) in enumerate(combinations(range(spaces), 2)):
        raw, high = rng.uniform(0.2, 0.9), rng.uniform(0.05, 0.15)
        chance = place % 5 == 1
        rows.append(
            {
                "space_a": f"k{a}",
                "space_b": f"k{b}",
                "measure": "cka",
                "n": 2345,
                "raw": 0.04 if chance else raw,
                "null_low": 0.01,
                "null_high": high,
                "p": 0.31 if chance else 1 / 201,
                "calibrated": 0.0 if chance else (raw - high) / (1 - high),
            }
        )
    return pd.DataFrame(rows)


def draw(spaces: int, **more):
    return alignment_matrix_publication(
        table(spaces), "cka", TITLES, label="debiased CKA", modalities=KINDS, **more
    )


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize("spaces", [2, 5, 9, 16])
def test_no_text_meets_another(clashes, spaces, width) -> None:
    figure = draw(spaces, width=width)
    assert clashes(figure) == []
    assert figure.get_figwidth() == WIDTHS[width]
    assert figure.get_figheight() <= 11


def test_both_halves_have_the_calibrated_values_colour() -> None:
    made = table(5)
    wanted = {}
    for row in made.itertuples():
        a, b = int(row.space_a[1:]), int(row.space_b[1:])
        wanted[a, b] = wanted[b, a] = row.calibrated
    z = alignment_matrix(made, "cka").data[0].z
    found = {(x, y): z[y][x] for y in range(5) for x in range(5) if z[y][x] is not None}
    assert found == wanted
    squares = [p for p in draw(5).axes[0].patches if isinstance(p, Rectangle)]
    drawn = {
        (round(p.get_x() + 0.5), round(p.get_y() + 0.5)): to_hex(p.get_facecolor())
        for p in squares
        if p.get_alpha() is None
    }
    assert drawn == {place: shade(SEQUENTIAL, value) for place, value in wanted.items()}
    assert len(squares) == 25


def test_cells_hold_all_numbers_or_the_calibrated_one_or_none() -> None:
    made = table(3).assign(raw=0.567, null_low=0.012, null_high=0.078, calibrated=[0.5, 0.0, 1.0])
    shown = texts(alignment_matrix_publication(made, "cka", width="two"))
    for text in ("0.50", "0.00", "1.00", "0.57", "0.01–0.08"):
        assert text in shown
    tiny = made.assign(null_low=0.001, null_high=0.004)
    assert "0.001–0.004" in texts(alignment_matrix_publication(tiny, "cka", width="two"))
    alone = texts(draw(8))
    assert any(text.replace(".", "").isdigit() for text in alone)
    assert not any("–" in text for text in alone)
    assert not any(text.replace(".", "").isdigit() for text in texts(draw(16)))
    assert any("raw value, null band" in text.get_text() for text in draw(4).texts)
    assert not any("in the cells" in text.get_text() for text in draw(16).texts)
    for spaces, notes in ((5, 20), (9, 72), (17, 0)):
        assert len(alignment_matrix(table(spaces), "cka").layout.annotations) == notes


def test_pairs_by_chance_have_a_corner_mark() -> None:
    figure = draw(5)
    corners = [p for p in figure.axes[0].patches if isinstance(p, Polygon)]
    assert len(corners) == 4
    subtitle = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
    assert "◥ p > 0.05, not told from chance (2 pairs)" in subtitle
    screen = alignment_matrix(table(5), "cka")
    assert sum(shape.type == "path" for shape in screen.layout.shapes) == 4
    assert "2 of 10 pairs not told from chance" in alignment_matrix_description(table(5), "cka")


def test_modalities_stand_beside_the_names() -> None:
    figure = draw(6)
    marks = [line.get_marker() for line in figure.axes[0].lines]
    assert marks == 2 * [SPACE_MARKERS[each].matplotlib for each in MODALITIES]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["image", "text", "joint", "collaborative"]
    screen = alignment_matrix(table(6), "cka", TITLES, modalities=KINDS)
    assert 'color:#E69F00">●</span> DINOv2' in screen.layout.yaxis.ticktext[0]
    assert "● image, ■ text, ▲ joint, ✕ collaborative" in screen.layout.xaxis.title.text


def test_description_and_hover_hold_the_numbers() -> None:
    made = table(3).assign(calibrated=[0.5, 0.25, 0.75], p=0.005, raw=0.6)
    made = made.assign(null_low=0.01, null_high=0.02)
    sentence = alignment_matrix_description(made, "cka", TITLES, label="Procrustes", distance=True)
    assert sentence.startswith("Alignment of embedding spaces: Procrustes, a distance, 3 spaces, ")
    assert "lowest 0.250 (DINOv2 ViT-S/14 and MiniLM-L6, raw 0.600, null band [0.0100" in sentence
    figure = alignment_matrix(made, "cka", TITLES, label="Procrustes", distance=True)
    assert figure.layout.meta["title"] == "Alignment of embedding spaces: Procrustes"
    assert "raw is a distance: lower is closer" in figure.layout.title.subtitle.text
    hover = figure.data[0].hovertext[1][0]
    assert hover == figure.data[0].hovertext[0][1]
    for part in ("calibrated 0.500", "raw 0.600", "p 0.00500", "2,345 items"):
        assert part in hover


def test_missing_values_are_said_and_not_drawn(clashes) -> None:
    made = table(4)
    made.loc[0, "calibrated"] = np.nan
    figure = alignment_matrix(made.drop(index=5), "cka")
    assert [note.text for note in figure.layout.annotations].count("×") == 4
    assert "×: no value (2 pairs)" in figure.layout.title.subtitle.text
    printed = alignment_matrix_publication(made.drop(index=5), "cka")
    assert clashes(printed) == []
    assert [line.get_marker() for line in printed.axes[0].lines].count("x") == 4
    no_band = table(3).assign(raw=np.nan, null_low=np.nan, null_high=np.nan, p=np.nan)
    assert "–" in texts(alignment_matrix_publication(no_band, "cka"))
    assert "corner" not in alignment_matrix_description(no_band, "cka")


def test_names_from_data_are_text(clashes) -> None:
    evil = {"k0": EVIL, "k1": "$\\frac{1}{"}
    figure = alignment_matrix(table(3), "cka", evil, label="<i>measure</i>")
    shown = [*figure.layout.yaxis.ticktext, figure.layout.title.text]
    shown += [text for row in figure.data[0].hovertext for text in row]
    assert not any("<b>$" in text or "<i>" in text for text in shown)
    printed = alignment_matrix_publication(table(3), "cka", evil, "two", label="$x$")
    assert clashes(printed) == []
    assert "$\\frac{1}{" in texts(printed)


def test_what_cannot_be_drawn_is_refused() -> None:
    made = table(3)
    for draw_it in (alignment_matrix, alignment_matrix_publication, alignment_matrix_description):
        with pytest.raises(InputError, match="No pair of spaces has a calibrated value of 'love'"):
            draw_it(made, "love")
    with pytest.raises(InputError, match="no column 'null_low'"):
        alignment_matrix(made.drop(columns="null_low"), "cka")
    with pytest.raises(InputError, match="k1 and k0 are compared twice"):
        back = made.rename(columns={"space_a": "space_b", "space_b": "space_a"})
        alignment_matrix(pd.concat([made, back]), "cka")
    with pytest.raises(InputError, match="compared with itself"):
        alignment_matrix(made.assign(space_b=made["space_a"]), "cka")
    with pytest.raises(InputError, match="must lie between 0 and 1"):
        alignment_matrix(made.assign(calibrated=1.5), "cka")
    with pytest.raises(InputError, match="no modality of a space 'sound'"):
        alignment_matrix(made, "cka", modalities={"k0": "sound"})
    with pytest.raises(InputError, match="no width 'three'"):
        alignment_matrix_publication(made, "cka", width="three")


@pytest.mark.parametrize("format", FORMATS)
def test_it_can_be_saved(format) -> None:
    first, second = (save(draw(3), format) for _ in "ab")
    assert first == second
    assert len(first) > 1000


def test_colours_of_categories_are_told_apart() -> None:
    assert len(set(CATEGORY_COLOURS)) == 12
    # As seen, and without red, green or blue cones (Machado, Oliveira, Fernandes, 2009).
    sights = np.array(
        [
            np.eye(3),
            [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
             [-0.01182, 0.04294, 0.968881]],
            [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
             [-0.003882, -0.048116, 1.051998]],
            [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
             [0.004733, 0.691367, 0.3039]],
        ]
    )  # fmt: skip
    whole = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in CATEGORY_COLOURS])
    light = np.where(whole <= 0.04045, whole / 12.92, ((whole + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    for sight in sights:
        xyz = np.clip(light @ sight.T, 0, 1) @ to_xyz.T / [0.9505, 1, 1.089]
        f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
        lab = np.stack(
            [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
        )
        apart = np.linalg.norm(lab[:, None] - lab[None], axis=2)
        assert apart[~np.eye(12, dtype=bool)].min() > 14
