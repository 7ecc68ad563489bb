import numpy as np
import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    FORMATS,
    save,
    slice_plot,
    slice_plot_description,
    slice_plot_publication,
)
from mmrec_core.figures.blocks import balanced
from mmrec_core.figures.palette import IMAGE, MODALITY_DASHES, TEXT, WHOLE_MODEL
from mmrec_core.figures.paper import WIDTHS

NAMES = (
    "VBPR", "FREEDOM", "LATTICE", "BM3", "content-knn", "attribute-item-knn", "MMGCN", "GRCN",
    "MGCN", "a recommender whose name somebody made much too long",
    *(f"model {number}" for number in range(20)),
)  # fmt: skip
PARTS = (
    "head (80 % of interactions)", "tail", "Clothing, Shoes & Jewelry", "Books", "Baby",
    "Electronics and every accessory that belongs to them", "Sports & Outdoors", "Toys",
)  # fmt: skip
ARGUMENTS = ("popularity", "used", "recall@20")


def table(series: int, parts: int = 2, modalities=("image", "text", "all")) -> pd.DataFrame:
    rng = np.random.default_rng([series, parts])
    rows = []
    for place, part in enumerate(PARTS[:parts]):
        for number in range(series):
            effect, half = rng.normal(0, 0.1), rng.uniform(0.01, 0.08)
            rows.append(
                {
                    "slicing": "popularity",
                    "slice": part,
                    "recommender": NAMES[number // len(modalities)],
                    "modality": modalities[number % len(modalities)],
                    "kind": "used",
                    "metric": "recall@20",
                    "relative": effect,
                    "relative_low": effect - half,
                    "relative_high": effect + half,
                    "p_adjusted": (0.012, 0.4)[number % 2],
                    "n_users": 12345 - place,
                    "n_items": 23456 - place,
                    "seeds": 10,
                }
            )
    return pd.DataFrame(rows)


def screen_points(figure) -> list:
    return [t for t in figure.data if t.mode == "markers" and t.hovertext]


def screen_whiskers(figure) -> list:
    return [t for t in figure.data if t.mode == "lines" and t.hoverinfo == "skip"]


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize(("series", "parts"), [(2, 2), (5, 3), (30, 8)])
def test_no_text_meets_another(clashes, series, parts, width) -> None:
    figure = slice_plot_publication(table(series, parts), *ARGUMENTS, width=width)
    assert clashes(figure) == []
    assert figure.get_figwidth() == WIDTHS[width]
    assert figure.get_figheight() <= 11.7  # a page


@pytest.mark.parametrize("width", ["one", "two"])
def test_thirty_recommenders_are_told_apart_by_their_order(clashes, width) -> None:
    many = table(30, 8, ("image",))
    figure = slice_plot_publication(many, *ARGUMENTS, width=width)
    assert clashes(figure) == []
    assert "in each slice in the legend's order" in slice_plot_description(many, *ARGUMENTS)
    few = slice_plot_description(table(30), *ARGUMENTS)
    assert "legend's order" not in few


def test_points_and_whiskers_are_the_numbers_in_percent() -> None:
    slices = table(5, 2)
    wanted = sorted(100 * slices["relative"])
    ends = np.sort(100 * slices[["relative_low", "relative_high"]].to_numpy(), axis=0)
    figure = slice_plot(slices, *ARGUMENTS)
    np.testing.assert_allclose(sorted(x for t in screen_points(figure) for x in t.x), wanted)
    spans = [x for t in screen_whiskers(figure) for x in t.x if x is not None]
    np.testing.assert_allclose(np.sort(np.reshape(spans, (-1, 2)), axis=0), ends)
    for point, line in zip(screen_points(figure), screen_whiskers(figure)):
        assert list(point.y) == list(line.y)[::3]

    printed = slice_plot_publication(slices, *ARGUMENTS)
    lines = [line.get_xdata() for axes in printed.axes for line in axes.lines]
    np.testing.assert_allclose(sorted(float(x[0]) for x in lines if len(x) == 1), wanted)
    # Lines between blocks are as long as the figure's fractions, not data.
    data = [
        line.get_xdata()
        for axes in printed.axes
        for line in axes.lines
        if len(line.get_xdata()) == 2 and line.get_transform() == axes.transData
    ]
    np.testing.assert_allclose(np.sort(data, axis=0), ends)


def test_all_columns_of_print_have_one_axis() -> None:
    figure = slice_plot_publication(table(30, 8), *ARGUMENTS)
    assert len(figure.axes) == 2
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    heights = [axes.get_position().height for axes in figure.axes]
    assert heights[0] == pytest.approx(heights[1])
    drawn = [sum(len(line.get_xdata()) == 1 for line in axes.lines) for axes in figure.axes]
    assert drawn == [120, 120]


def test_filled_is_told_from_0_and_colour_is_the_modality() -> None:
    figure = slice_plot(table(3, 1), *ARGUMENTS)
    looks = {t.marker.color: t.marker.symbol for t in screen_points(figure)}
    assert looks == {IMAGE: ("circle",), TEXT: ("circle-open",), WHOLE_MODEL: ("circle",)}
    dashes = {t.line.color: t.line.dash for t in screen_whiskers(figure)}
    assert dashes[TEXT] == MODALITY_DASHES["text"][0]
    assert len(set(dashes.values())) == 3
    names = [t.name for t in figure.data if t.name]
    assert names == [
        "VBPR", "image", "text", "whole model", "filled: adjusted p &lt; 0.05", "hollow: not"
    ]  # fmt: skip
    printed = slice_plot_publication(table(3, 1), *ARGUMENTS)
    faces = [
        line.get_markerfacecolor() for line in printed.axes[0].lines if len(line.get_xdata()) == 1
    ]
    assert faces == [IMAGE, "white", WHOLE_MODEL]


def test_recommenders_keep_shape_and_order_in_every_slice() -> None:
    slices = table(6, 2)
    mixed = pd.concat([slices.iloc[:6], slices.iloc[6:].iloc[::-1]])
    printed = slice_plot_publication(mixed, *ARGUMENTS).axes[0]
    shapes = [line.get_marker() for line in printed.lines if len(line.get_xdata()) == 1]
    assert shapes == ["o"] * 3 + ["s"] * 3 + ["o"] * 3 + ["s"] * 3


def test_title_subtitle_and_description_hold_the_numbers() -> None:
    slices = table(2, 2)
    slices["relative"] = [0.123, -0.05, 0.01, 0.02]
    figure = slice_plot(slices, *ARGUMENTS)
    assert (
        figure.layout.title.text == "Effect of item content on Recall@20 by popularity of the item"
    )
    assert figure.layout.title.subtitle.text == (
        "used: real − shuffled · exploratory, Holm within this slicing · 12,344–12,345 users · "
        "10 seeds · 95 % intervals"
    )
    sentence = slice_plot_description(slices, *ARGUMENTS)
    assert figure.layout.meta["description"] == sentence
    assert (
        "head (80 % of interactions) (12,345 users, 23,456 items): 1 of 2 with adjusted p < 0.05, "
        "−5.00 % to +12.3 %" in sentence
    )
    assert figure.layout.xaxis.title.text.startswith("Change of Recall@20 in % of the mean")
    texts = [note.text for note in figure.layout.annotations]
    assert "<b>tail</b>  12,344 users, 23,455 items" in texts
    printed = slice_plot_publication(slices, *ARGUMENTS)
    assert "12,344 users, 23,455 items" in [t.get_text() for t in printed.axes[0].texts]


def test_hover_holds_the_numbers() -> None:
    slices = table(1, 1)
    slices[["relative", "relative_low", "relative_high"]] = [0.123, -0.01, 0.2]
    (trace,) = screen_points(slice_plot(slices, *ARGUMENTS, titles={"VBPR": "My VBPR"}))
    for part in ("My VBPR, image", "head (80 %", "+12.3 %", "[−1.00, 20.0]", "adjusted p 0.0120",
                 "12,345 users", "23,456 items", "10 seeds"):  # fmt: skip
        assert part in trace.hovertext[0]


def test_missing_values_are_said_and_not_drawn(clashes) -> None:
    slices = table(4, 2).astype({"relative": object})
    slices.loc[[0, 2], ["relative", "relative_low", "relative_high"]] = [None, np.nan, np.nan]
    slices.loc[5, "p_adjusted"] = np.nan
    figure = slice_plot(slices, *ARGUMENTS)
    assert sum(len(t.x) for t in screen_points(figure)) == 6
    texts = [note.text for note in figure.layout.annotations]
    assert sum("base is 0 in 2 of 4" in text for text in texts) == 1
    assert "base is 0 in 2 of 4" in slice_plot_description(slices, *ARGUMENTS)
    assert not any("nan" in text for t in screen_points(figure) for text in t.hovertext)
    printed = slice_plot_publication(slices, *ARGUMENTS)
    assert clashes(printed) == []
    assert sum(len(line.get_xdata()) == 1 for line in printed.axes[0].lines) == 6


def test_a_value_without_an_interval_is_drawn_and_said(clashes) -> None:
    slices = table(2, 1)
    slices.loc[0, ["relative_low", "relative_high"]] = np.nan
    figure = slice_plot(slices, *ARGUMENTS)
    assert sum(len(t.x) for t in screen_points(figure)) == 2
    assert "1 without an interval" in figure.layout.title.subtitle.text
    assert clashes(slice_plot_publication(slices, *ARGUMENTS)) == []


def test_a_plot_without_any_value_still_says_so(clashes) -> None:
    slices = table(2, 2).assign(relative=np.nan)
    assert "base is 0 in 2 of 2" in slice_plot(slices, *ARGUMENTS).layout.annotations[0].text
    assert clashes(slice_plot_publication(slices, *ARGUMENTS)) == []


def test_only_what_is_asked_for_is_drawn() -> None:
    slices = table(2, 1)
    others = [
        slices.assign(**{name: value, "relative": 9.0})
        for name, value in (("slicing", "cold"), ("kind", "gained"), ("metric", "ndcg@10"))
    ]
    figure = slice_plot(pd.concat([*others, slices]), *ARGUMENTS)
    assert sorted(x for t in screen_points(figure) for x in t.x) == sorted(100 * slices["relative"])


def test_names_from_data_are_text(clashes) -> None:
    evil = "<b onclick=x>&$\\frac{1}{$%{x}"
    slices = table(1, 1).assign(recommender=evil, slice=evil)
    figure = slice_plot(slices, *ARGUMENTS)
    shown = [n.text for n in figure.layout.annotations]
    shown += [t.name for t in figure.data if t.name]
    shown += [text for t in screen_points(figure) for text in t.hovertext]
    assert not any("<b onclick" in text for text in shown)
    assert sum("&lt;b onclick" in text for text in shown) == 3
    printed = slice_plot_publication(slices, *ARGUMENTS)
    assert clashes(printed) == []
    assert evil in [text.get_text() for text in printed.axes[0].texts]


def test_what_cannot_be_drawn_is_refused() -> None:
    slices = table(2)
    for arguments, words in (
        (("age", "used", "recall@20"), "no slicing 'age'. Known: activity"),
        (("popularity", "best", "recall@20"), "no comparison 'best'"),
        (("popularity", "gained", "recall@20"), "No slice of popularity"),
        (("popularity", "used", "nothing@20"), "nothing"),
    ):
        for draw in (slice_plot, slice_plot_publication, slice_plot_description):
            with pytest.raises(InputError, match=words):
                draw(slices, *arguments)
    with pytest.raises(InputError, match="no column 'n_items'"):
        slice_plot(slices.drop(columns="n_items"), *ARGUMENTS)
    with pytest.raises(InputError, match="VBPR, image is there twice"):
        slice_plot(pd.concat([slices] * 2), *ARGUMENTS)
    with pytest.raises(InputError, match="no modality 'smell'"):
        slice_plot(slices.assign(modality=["smell", "x", "y", "z"]), *ARGUMENTS)
    with pytest.raises(InputError, match="no width 'three'"):
        slice_plot_publication(slices, *ARGUMENTS, width="three")


@pytest.mark.parametrize("format", FORMATS)
def test_it_can_be_saved(format) -> None:
    assert len(save(slice_plot_publication(table(2), *ARGUMENTS), format)) > 1000


def test_columns_are_balanced_and_keep_the_order() -> None:
    assert balanced([3, 1, 1, 1], 2) == [slice(0, 1), slice(1, 4)]
    assert balanced([1, 1, 1], 1) == [slice(0, 3)]
    assert balanced([2, 2, 2, 2, 2], 3) == [slice(0, 2), slice(2, 4), slice(4, 5)]
