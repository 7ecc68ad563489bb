from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_hex

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    FORMATS,
    agreement_map,
    agreement_map_description,
    agreement_map_publication,
    save,
)
from mmrec_core.figures.palette import (
    DARK_INK,
    DIVERGING,
    LIGHT_INK,
    SEQUENTIAL,
    ink_on,
    shade,
)
from mmrec_core.figures.paper import WIDTHS

TAILS = ("", " · real", " · image · shuffle", " · all · gaussian-matched")
NAMES = ("vbpr", "freedom", "a recommender whose name somebody made much too long") + tuple(
    f"attribute-item-knn {number}" for number in range(6)
)


def table(arms: int, measure: str = "rbo") -> pd.DataFrame:
    rng = np.random.default_rng([arms])
    names = [f"{NAMES[place // 4]}{TAILS[place % 4]}" for place in range(arms)]
    rows = []
    for a, b in combinations(names, 2):
        value = rng.uniform(-1 if measure == "kendall" else 0, 1)
        rows.append(
            {
                "arm_a": a,
                "arm_b": b,
                "measure": measure,
                "value": value,
                "low": value - 0.01,
                "high": value + 0.02,
                "k": 20,
                "n_users": 12345,
                "seeds": 5,
            }
        )
    return pd.DataFrame(rows)


def cells(figure) -> list[tuple[int, int, str]]:
    """Column, row and colour of the printed cells."""
    drawn = next(c for c in figure.axes[0].collections if isinstance(c, PatchCollection))
    corners = [path.vertices for path in drawn.get_paths()]
    return [
        (round(box[:, 0].mean()), round(box[:, 1].min() + 0.5), to_hex(colour))
        for box, colour in zip(corners, drawn.get_facecolors())
    ]


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize("measure", ["rbo", "kendall"])
@pytest.mark.parametrize("arms", [2, 3, 5, 8, 30])
def test_no_text_meets_another(clashes, arms, measure, width) -> None:
    figure = agreement_map_publication(table(arms, measure), measure, width=width)
    assert clashes(figure) == []
    assert figure.get_figwidth() == WIDTHS[width]
    assert figure.get_figheight() <= 11.7


def test_cells_below_the_diagonal_have_the_values_colour() -> None:
    agreement = table(5)
    mixed = agreement.copy()
    mixed.loc[1, ["arm_a", "arm_b"]] = agreement.loc[1, ["arm_b", "arm_a"]].to_numpy()
    order = list(dict.fromkeys([*agreement["arm_a"], *agreement["arm_b"]]))
    wanted = {
        (order.index(row.arm_a), order.index(row.arm_b)): row.value
        for row in agreement.itertuples()
    }
    figure = agreement_map(agreement, "rbo")
    z = figure.data[0].z
    found = {
        (column, row): z[row][column]
        for row in range(5)
        for column in range(5)
        if z[row][column] is not None
    }
    assert found == wanted
    printed = agreement_map_publication(agreement, "rbo")
    assert {(x, y): colour for x, y, colour in cells(printed)} == {
        place: shade(SEQUENTIAL, value) for place, value in wanted.items()
    }
    assert sum(v is not None for row in agreement_map(mixed, "rbo").data[0].z for v in row) == 10


def test_values_stand_in_the_cells_where_they_fit() -> None:
    agreement = table(5)
    figure = agreement_map_publication(agreement, "rbo")
    wanted = [f"{value:.2f}" for value in agreement["value"]]
    assert set(wanted) <= set(texts(figure))
    notes = [note.text for note in agreement_map(agreement, "rbo").layout.annotations]
    assert set(wanted) <= set(notes)
    many = table(30)
    printed = agreement_map_publication(many, "rbo")
    assert not any(text.replace(".", "").isdigit() for text in texts(printed))
    hovers = [text for row in agreement_map(many, "rbo").data[0].hovertext for text in row if text]
    assert len(hovers) == 435
    assert len(agreement_map(many, "rbo").layout.annotations) == 31


def test_ink_is_dark_or_light_by_contrast() -> None:
    assert ink_on("#fee838") == DARK_INK
    assert ink_on("#00224e") == LIGHT_INK
    assert shade(SEQUENTIAL, 0) == SEQUENTIAL[0]
    assert shade(SEQUENTIAL, 1) == SEQUENTIAL[-1]
    assert shade(("#000000", "#ffffff"), 0.5) == "#808080"
    grey = [sum(int(c[i : i + 2], 16) * w for i, w in ((1, 0.3), (3, 0.59), (5, 0.11)))
            for c in SEQUENTIAL]  # fmt: skip
    assert grey == sorted(grey)
    agreement = table(3)
    agreement["value"] = [0.02, 0.98, 0.5]
    inks = {
        t.get_text(): t.get_color()
        for t in agreement_map_publication(agreement, "rbo").axes[0].texts
    }
    assert (inks["0.02"], inks["0.98"]) == (LIGHT_INK, DARK_INK)


def test_kendall_is_diverging_and_says_the_sign() -> None:
    agreement = table(5, "kendall")
    agreement.loc[:1, "value"] = [-0.5, 0.0]
    figure = agreement_map(agreement, "kendall")
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-1, 1)
    printed = agreement_map_publication(agreement, "kendall")
    assert "−0.50" in texts(printed)
    colours = {(x, y): colour for x, y, colour in cells(printed)}
    assert colours[0, 2] == DIVERGING[5]  # 0 is the middle
    sequential = agreement_map(table(3), "rbo").data[0]
    assert (sequential.zmin, sequential.zmax) == (0, 1)
    # Without values a mark says which cells are below 0.
    many = table(30, "kendall")
    printed = agreement_map_publication(many, "kendall")
    marks = [line for line in printed.axes[0].lines if line.get_marker() == "_"]
    assert len(marks) == (many["value"] < 0).sum()
    assert any("−: below 0" in t.get_text().replace("\n", " ") for t in printed.texts)


def test_names_are_translated_and_stand_once() -> None:
    figure = agreement_map_publication(table(4), "rbo", titles={"vbpr": "VBPR"}, width="two")
    names = [
        "VBPR",
        "VBPR · real",
        "VBPR · image · shuffle",
        "VBPR · whole model · gaussian-matched",
    ]
    assert [text for text in texts(figure) if text.startswith("VBPR")] == names
    notes = [n.text for n in agreement_map(table(4), "rbo", {"vbpr": "VBPR"}).layout.annotations]
    assert notes[:4] == names


def test_of_a_long_name_the_recommender_is_cut_first(clashes) -> None:
    figure = agreement_map_publication(table(30), "rbo")
    cut = [text for text in texts(figure) if "… · " in text]
    assert all(text.endswith(("real", "shuffle", "gaussian-matched")) for text in cut)
    assert cut


def test_description_and_hover_hold_the_numbers() -> None:
    agreement = table(3)
    agreement["value"] = [0.123, 0.987, 0.5]
    agreement["low"], agreement["high"] = agreement["value"] - 0.01, agreement["value"] + 0.02
    figure = agreement_map(agreement, "rbo")
    sentence = agreement_map_description(agreement, "rbo")
    assert figure.layout.meta["description"] == sentence
    assert "RBO (extrapolated, p = 0.9), 3 arms, 12,345 users, 5 seeds" in sentence
    assert "95 % intervals at most 0.0300 wide" in sentence
    assert "lowest 0.12 (vbpr and vbpr · real, 95 % interval [0.113, 0.143])" in sentence
    assert "highest 0.99 (vbpr and vbpr · image · shuffle" in sentence
    hover = figure.data[0].hovertext[1][0]
    for part in ("vbpr · real", "RBO (extrapolated, p = 0.9) 0.123", "[0.113, 0.143]", "top 20",
                 "12,345 users", "5 seeds"):  # fmt: skip
        assert part in hover
    bar = "RBO (extrapolated, p = 0.9), top 20, mean over users and seeds"
    assert bar in [note.text for note in figure.layout.annotations]
    assert any(bar in t.get_text() for axes in agreement_map_publication(agreement, "rbo").axes
               for t in axes.texts)  # fmt: skip


def test_missing_values_are_said_and_not_drawn(clashes) -> None:
    agreement = table(4)
    agreement.loc[1, ["value", "low", "high"]] = np.nan
    agreement = agreement.drop(index=5)
    figure = agreement_map(agreement, "rbo")
    assert sum(v is not None for row in figure.data[0].z for v in row) == 4
    assert [note.text for note in figure.layout.annotations].count("×") == 2
    assert "×: no value (2 pairs)" in figure.layout.title.subtitle.text
    assert "no value (2 pairs)" in agreement_map_description(agreement, "rbo")
    printed = agreement_map_publication(agreement, "rbo")
    assert clashes(printed) == []
    assert len(cells(printed)) == 4
    (crosses,) = printed.axes[0].lines
    assert sorted(zip(crosses.get_xdata(), crosses.get_ydata())) == [(0, 2), (2, 3)]


def test_names_from_data_are_text(clashes) -> None:
    evil = "<i>$x$</i>"
    agreement = table(2).assign(arm_a=evil)
    figure = agreement_map(agreement, "rbo")
    shown = [n.text for n in figure.layout.annotations]
    shown += [text for row in figure.data[0].hovertext for text in row]
    assert not any("<i>" in text for text in shown)
    printed = agreement_map_publication(agreement, "rbo")
    assert clashes(printed) == []
    assert evil in texts(printed)


def test_what_cannot_be_drawn_is_refused() -> None:
    agreement = table(3)
    for draw in (agreement_map, agreement_map_publication, agreement_map_description):
        with pytest.raises(InputError, match="no measure 'love'. Known: overlap"):
            draw(agreement, "love")
    with pytest.raises(InputError, match="No pair of arms has a value of jaccard"):
        agreement_map(agreement, "jaccard")
    with pytest.raises(InputError, match="no column 'arm_b'"):
        agreement_map(agreement.drop(columns="arm_b"), "rbo")
    with pytest.raises(InputError, match="vbpr · real and vbpr are compared twice"):
        back = agreement.rename(columns={"arm_a": "arm_b", "arm_b": "arm_a"})
        agreement_map(pd.concat([agreement, back]), "rbo")
    with pytest.raises(InputError, match="compared with itself"):
        agreement_map(agreement.assign(arm_b=agreement["arm_a"]), "rbo")
    with pytest.raises(InputError, match="differ in length"):
        agreement_map(agreement.assign(k=[10, 20, 20]), "rbo")
    with pytest.raises(InputError, match="no width 'three'"):
        agreement_map_publication(agreement, "rbo", width="three")


@pytest.mark.parametrize("format", FORMATS)
def test_it_can_be_saved(format) -> None:
    assert len(save(agreement_map_publication(table(3), "rbo"), format)) > 1000
