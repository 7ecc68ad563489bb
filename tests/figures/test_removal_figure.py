import numpy as np
import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    FORMATS,
    removal_curve,
    removal_curve_description,
    removal_curve_publication,
    save,
)
from mmrec_core.figures.palette import IMAGE, TEXT, WHOLE_MODEL
from mmrec_core.figures.paper import WIDTHS

NAMES = ["VBPR", "a recommender whose name somebody made much too long"] + [
    f"attribute-item-knn {number}" for number in range(28)
]
SHARES = (0.0, 0.25, 0.5, 1.0)


def table(recommenders: int, modalities=("image", "text", "all")) -> pd.DataFrame:
    rows = [
        {
            "recommender": name,
            "modality": modality,
            "share": share,
            "value": 0.09 + 0.001 * place - 0.01 * (number + 1) * share,
            "low": 0.088 + 0.001 * place - 0.01 * (number + 1) * share,
            "high": 0.093 + 0.001 * place - 0.01 * (number + 1) * share,
            "n_users": 12345,
            "seeds": 5,
            "metric": "recall@20",
        }
        for place, name in enumerate(NAMES[:recommenders])
        for number, modality in enumerate(modalities)
        for share in SHARES
    ]
    return pd.DataFrame(rows)


def screen_lines(figure) -> list:
    return [t for t in figure.data if t.hovertext]


def screen_bands(figure) -> list:
    return [t for t in figure.data if t.fill == "toself"]


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize("recommenders", [1, 2, 5, 30])
def test_no_text_meets_another(clashes, recommenders, width) -> None:
    figure = removal_curve_publication(table(recommenders), "recall@20", width=width)
    assert clashes(figure) == []
    assert figure.get_figwidth() == WIDTHS[width]
    assert figure.get_figheight() <= 11.7
    assert len(figure.axes) == recommenders
    assert len({axes.get_ylim() for axes in figure.axes}) == 1


def test_lines_and_bands_are_the_numbers() -> None:
    curve = table(2)
    figure = removal_curve(curve.sample(frac=1, random_state=1), "recall@20")
    for drawn in (
        [(t.x, t.y) for t in screen_lines(figure)],
        [
            (line.get_xdata(), line.get_ydata())
            for axes in removal_curve_publication(curve, "recall@20").axes
            for line in axes.lines
        ],
    ):
        assert len(drawn) == 6
        found = sorted((x / 100, y) for xs, ys in drawn for x, y in zip(xs, ys))
        wanted = sorted(map(tuple, curve[["share", "value"]].to_numpy()))
        np.testing.assert_allclose(found, wanted)
        assert all(list(x) == [0, 25, 50, 100] for x, _ in drawn)
    bands = screen_bands(figure)
    assert len(bands) == 6
    np.testing.assert_allclose(bands[0].y[:4], sorted(bands[0].y[:4], reverse=True))
    ends = sorted(y for t in bands for y in t.y)
    np.testing.assert_allclose(ends, sorted([*curve["low"], *curve["high"]]))
    printed = removal_curve_publication(table(1, ("image",)), "recall@20").axes[0].collections[0]
    corners = printed.get_paths()[0].vertices
    one = table(1, ("image",))
    assert corners[:, 1].min() == pytest.approx(one["low"].min())
    assert corners[:, 1].max() == pytest.approx(one["high"].max())


def test_modalities_differ_in_colour_shape_and_dash() -> None:
    figure = removal_curve(table(1), "recall@20")
    looks = [(t.line.color, t.line.dash, t.marker.symbol) for t in screen_lines(figure)]
    assert [colour for colour, _, _ in looks] == [IMAGE, TEXT, WHOLE_MODEL]
    assert all(len(set(each)) == 3 for each in zip(*looks))
    entries = [t.name for t in figure.data if t.name]
    assert entries == ["image", "text", "whole model"]
    lines = removal_curve_publication(table(1), "recall@20").axes[0].lines
    assert len({line.get_marker() for line in lines}) == 3
    assert len({str(line._dash_pattern) for line in lines}) == 3


def test_the_ends_of_the_axis_name_the_arms() -> None:
    figure = removal_curve(table(5), "recall@20")
    assert figure.layout.xaxis4.tickvals == (0, 50, 100)
    notes = [n.text for n in figure.layout.annotations]
    assert (notes.count("real"), notes.count("removed")) == (3, 3)
    # Under the last panel of every column only.
    shown = [figure.layout[f"xaxis{n}"].showticklabels for n in ("", 2, 3, 4, 5)]
    assert shown == [False, False, True, True, True]
    assert "Items without the modality, %" in [n.text for n in figure.layout.annotations]
    printed = removal_curve_publication(table(5), "recall@20")
    words = [[t.get_text() for t in axes.texts] for axes in printed.axes]
    assert [("real" in each, "removed" in each) for each in words] == [(False, False)] * 3 + [
        (True, True)
    ] * 2


def test_panels_do_not_leave_the_figure_or_meet() -> None:
    for figure in (removal_curve_publication(table(n), "recall@20", width="two") for n in (5, 30)):
        boxes = [axes.get_position() for axes in figure.axes]
        for place, box in enumerate(boxes):
            assert 0 < box.x0 < box.x1 < 1
            assert 0 < box.y0 < box.y1 < 1
            assert not any(box.overlaps(other) for other in boxes[place + 1 :])
    layout = removal_curve(table(30), "recall@20").layout
    domains = [
        (layout[f"xaxis{n}"].domain, layout[f"yaxis{n}"].domain) for n in ["", *range(2, 31)]
    ]
    assert len(set(domains)) == 30
    assert all(0 <= low < high <= 1 for pair in domains for low, high in pair)


def test_description_and_hover_hold_the_numbers() -> None:
    curve = table(1)
    figure = removal_curve(curve, "recall@20", titles={"VBPR": "My VBPR"})
    sentence = removal_curve_description(curve, "recall@20", titles={"VBPR": "My VBPR"})
    assert figure.layout.meta["description"] == sentence
    assert "12,345 users, 5 seeds, lines: means, bands: 95 % intervals" in sentence
    assert "My VBPR: image 0.0900 at 0 % to 0.0800 at 100 %" in sentence
    hover = screen_lines(figure)[0].hovertext[1]
    for part in ("My VBPR, image", "25.0 % of the items without it", "0.0875",
                 "[0.0855, 0.0905]", "12,345 users", "5 seeds"):  # fmt: skip
        assert part in hover
    assert "and 24 more" in removal_curve_description(table(30), "recall@20")


def test_missing_values_are_said_and_not_drawn(clashes) -> None:
    curve = table(1, ("image", "text"))
    curve.loc[1, ["value", "low", "high"]] = np.nan
    curve.loc[4:, "value"] = np.nan
    figure = removal_curve(curve, "recall@20")
    assert len(screen_bands(figure)) == 2  # before and after the gap
    assert np.isnan(screen_lines(figure)[0].y[1])
    assert "not drawn: 5 missing values" in figure.layout.title.subtitle.text
    sentence = removal_curve_description(curve, "recall@20")
    assert "text without a value" in sentence
    assert "nan" not in sentence
    printed = removal_curve_publication(curve, "recall@20")
    assert clashes(printed) == []
    assert len(printed.axes[0].collections) == 2
    none = curve.assign(value=np.nan)
    assert clashes(removal_curve_publication(none, "recall@20")) == []
    removal_curve(none, "recall@20")


def test_a_value_without_an_interval_is_drawn_and_said() -> None:
    curve = table(1, ("image",))
    curve.loc[3, ["low", "high"]] = np.nan
    figure = removal_curve(curve, "recall@20")
    assert list(screen_lines(figure)[0].x) == [0, 25, 50, 100]
    assert len(screen_bands(figure)[0].x) == 6
    assert "1 without an interval" in figure.layout.title.subtitle.text


def test_names_from_data_are_text(clashes) -> None:
    evil = "<i>$x$</i>"
    curve = table(1).assign(recommender=evil)
    figure = removal_curve(curve, "recall@20")
    shown = [n.text for n in figure.layout.annotations]
    shown += [text for t in screen_lines(figure) for text in t.hovertext]
    assert not any("<i>" in text for text in shown)
    printed = removal_curve_publication(curve, "recall@20")
    assert clashes(printed) == []
    assert evil in [text.get_text() for text in printed.axes[0].texts]


def test_what_cannot_be_drawn_is_refused() -> None:
    curve = table(2)
    for draw in (removal_curve, removal_curve_publication, removal_curve_description):
        with pytest.raises(InputError, match="no missing-modality curve of ndcg@10"):
            draw(curve, "ndcg@10")
    with pytest.raises(InputError, match="no column 'share'"):
        removal_curve(curve.drop(columns="share"), "recall@20")
    with pytest.raises(InputError, match="no modality 'smell' to remove"):
        removal_curve(curve.replace({"modality": {"text": "smell"}}), "recall@20")
    with pytest.raises(InputError, match="from 0 to 1"):
        removal_curve(curve.assign(share=curve["share"] * 100), "recall@20")
    with pytest.raises(InputError, match="VBPR, image, 0.0 is there twice"):
        removal_curve(pd.concat([curve] * 2), "recall@20")
    with pytest.raises(InputError, match="no width 'three'"):
        removal_curve_publication(curve, "recall@20", width="three")


@pytest.mark.parametrize("format", FORMATS)
def test_it_can_be_saved(format) -> None:
    assert len(save(removal_curve_publication(table(2), "recall@20"), format)) > 1000
