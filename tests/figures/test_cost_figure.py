from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    FORMATS,
    cost_plot,
    cost_plot_description,
    cost_plot_publication,
    save,
)
from mmrec_core.figures.labels import leader, meet, place_labels
from mmrec_core.figures.palette import ACCENT, COLLABORATIVE
from mmrec_core.figures.paper import WIDTHS

AXES = ("seconds", "train_seconds", "extract_seconds", "memory_mib", "width")


def table(points: int, recommenders: int = 3, **changes: Any) -> pd.DataFrame:
    """Points crowded as in a study, the first of them (where there are two) without content."""
    rng = np.random.default_rng([points, recommenders])
    rows = []
    for place in range(points):
        reference = place == 0 and points > 1
        extract = 0.0 if reference else float(10 ** rng.uniform(0.5, 4))
        value = 0.08 + 0.004 * np.log10(extract + 1) * rng.uniform(0.5, 1.2)
        rows.append(
            {
                "setting": "none" if reference else f"picture-model-{place}+word-model",
                "recommender": "item-knn" if reference else f"model-{place % recommenders}",
                "value": value,
                "low": value - 0.002,
                "high": value + 0.003,
                "extract_seconds": extract,
                "train_seconds": 2.0 if reference else float(10 ** rng.uniform(1, 2)),
                "memory_mib": np.nan if reference else float(10 ** rng.uniform(2, 4)),
                "width": np.nan if reference else 2 ** int(rng.integers(7, 11)),
                "n_users": 2345,
                "seeds": 10,
                "reference": reference,
            }
        )
    return pd.DataFrame(rows).assign(**changes)


def four() -> pd.DataFrame:
    """Cheap and poor, dear and good, and one that is dearer and poorer than another."""
    made = table(4, 2)
    made["extract_seconds"], made["train_seconds"] = [0, 10, 100, 200], [5, 5, 5, 5]
    made["value"] = [0.08, 0.09, 0.1, 0.085]
    made["low"], made["high"] = made["value"] - 0.01, made["value"] + 0.02
    return made


def points_of(figure: Any) -> list[Any]:
    return [trace for trace in figure.data if trace.mode == "markers"]


def beside(figure: Any) -> list[Any]:
    """Labels of points: those that are set in the axes' own measure."""
    axes = figure.axes[0]
    return [text for text in axes.texts if text.get_transform() == axes.transAxes]


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize("axis", ["seconds", "extract_seconds"])
@pytest.mark.parametrize("points", [1, 2, 5, 30])
def test_no_text_meets_another_or_a_marker(clashes, points, axis, width) -> None:
    figure = cost_plot_publication(table(points), "recall@20", axis, width=width)
    assert clashes(figure) == []
    assert figure.get_figwidth() == WIDTHS[width]
    axes = figure.axes[0]
    labels = beside(figure)
    assert len(labels) == points
    boxes = [text.get_window_extent(figure.canvas.get_renderer()) for text in labels]
    half = 300 * 2.1 / 72
    for bars in axes.containers:
        ((x, y),) = axes.transData.transform(np.column_stack(bars[0].get_data()))
        for text, box in zip(labels, boxes):
            apart = box.x0 > x + half or box.x1 < x - half or box.y0 > y + half or box.y1 < y - half
            assert apart, text.get_text()
    place = axes.get_window_extent()
    assert all(box.x0 >= place.x0 and box.x1 <= place.x1 + 1 for box in boxes)


def test_names_stand_beside_few_points_and_numbers_beside_many() -> None:
    few = cost_plot_publication(four(), "recall@20", "seconds", width="two")
    names = {text.get_text() for text in beside(few)}
    assert names == {
        "item-knn",
        *(f"model-{i % 2} · picture-model-{i}+word-model" for i in (1, 2, 3)),
    }
    many = cost_plot_publication(table(30, 28), "recall@20", "seconds")
    assert {text.get_text() for text in beside(many)} == {str(i) for i in range(1, 31)}
    legend = [text.get_text() for text in many.legends[0].get_texts()]
    assert len(legend) == 31
    by_cost = table(30, 28).assign(cost=lambda t: t["extract_seconds"] + t["train_seconds"])
    first, *others = by_cost.sort_values("cost").itertuples()
    assert legend[0] == f"1  {first.recommender}"
    for place, (entry, row) in enumerate(zip(legend[1:-1], others), 2):
        assert entry == f"{place}  {row.recommender} · {row.setting}"


def test_points_on_one_spot_are_numbered_apart(clashes) -> None:
    same = table(30).assign(value=0.1, low=0.09, high=0.11, extract_seconds=100.0, reference=False)
    same["train_seconds"] = 10.0
    figure = cost_plot_publication(same, "recall@20", "seconds")
    assert clashes(figure) == []
    assert len(beside(figure)) == 30


@pytest.mark.parametrize("axis", AXES)
def test_points_are_the_numbers_of_the_table(axis) -> None:
    made = four().assign(memory_mib=[np.nan, 20, 300, 4000], width=[np.nan, 64, 512, 1024])
    costs = {
        "seconds": [5, 15, 105, 205],
        "train_seconds": [5, 5, 5, 5],
        "extract_seconds": [0, 10, 100, 200],
        "memory_mib": [0, 20, 300, 4000],
        "width": [0, 64, 512, 1024],
    }[axis]
    figure = cost_plot(made, "recall@20", axis)
    x_axis = figure.layout.xaxis
    zero = x_axis.tickvals[0] if x_axis.ticktext[0] == "0" else None
    wanted = [
        (np.log10(cost) if cost else zero, value, value - 0.01, value + 0.02)
        for cost, value in zip(costs, made["value"])
    ]
    drawn = [
        (x, y, y - minus, y + plus)
        for trace in points_of(figure)
        for x, y, minus, plus in zip(
            trace.x, trace.y, trace.error_y.arrayminus, trace.error_y.array
        )
    ]
    np.testing.assert_allclose(sorted(drawn), sorted(wanted))
    printed = cost_plot_publication(made, "recall@20", axis).axes[0]
    marks = [
        (*bars[0].get_xdata(), *bars[0].get_ydata(), *bars[2][0].get_segments()[0][:, 1])
        for bars in printed.containers
    ]
    np.testing.assert_allclose(sorted(marks), sorted(wanted))
    for place, text in zip(x_axis.tickvals, x_axis.ticktext):
        if text != "0":
            assert 10**place == pytest.approx(float(text.replace(",", "")))


def test_costs_of_zero_stand_apart_at_the_left() -> None:
    figure = cost_plot(four(), "recall@20", "extract_seconds")
    places, texts = figure.layout.xaxis.tickvals, figure.layout.xaxis.ticktext
    assert texts[0] == "0"
    edge = figure.layout.shapes[0].x0
    assert places[0] < edge < min(1.0, places[1])
    printed = cost_plot_publication(four(), "recall@20", "extract_seconds").axes[0]
    assert printed.get_xticks()[0] == places[0]
    assert not cost_plot(four(), "recall@20", "seconds").layout.shapes


def test_only_zero_costs_can_be_drawn(clashes) -> None:
    made = table(2, reference=True, setting=["a", "b"], width=np.nan)
    figure = cost_plot(made, "recall@20", "width")
    assert figure.layout.xaxis.ticktext == ("0",)
    assert clashes(cost_plot_publication(made, "recall@20", "width")) == []


def test_the_front_holds_what_nothing_beats() -> None:
    figure = cost_plot(four(), "recall@20", "seconds")
    line = next(trace for trace in figure.data if trace.mode == "lines")
    assert line.name == "Pareto front"
    x = np.log10([5, 15, 15, 105, 105])
    np.testing.assert_allclose(line.x, x)
    np.testing.assert_allclose(line.y, [0.08, 0.08, 0.09, 0.09, 0.1])
    fronts = [text for t in points_of(figure) for text in t.hovertext if "on the Pareto" in text]
    assert len(fronts) == 3
    sentence = cost_plot_description(four(), "recall@20", "seconds")
    assert (
        "item-knn (5.00 s, 0.0800); model-1 · picture-model-1+word-model (15.0 s, 0.0900)"
        in sentence
    )
    assert "picture-model-3" not in sentence
    printed = cost_plot_publication(four(), "recall@20", "seconds")
    np.testing.assert_allclose(printed.axes[0].lines[0].get_xdata(), x)
    legend = [text.get_text() for text in printed.legends[0].get_texts()]
    assert legend[-1] == "Pareto front: no other point is both cheaper and better"


def test_of_two_as_cheap_or_as_good_only_the_better_is_on_the_front() -> None:
    made = four().assign(extract_seconds=[0, 10, 10, 20], value=[0.08, 0.09, 0.1, 0.1])
    sentence = cost_plot_description(made, "recall@20", "seconds")
    assert "picture-model-2" in sentence
    assert "picture-model-1" not in sentence
    assert "picture-model-3" not in sentence


def test_shape_tells_the_recommender_and_grey_the_lack_of_content() -> None:
    traces = points_of(cost_plot(four(), "recall@20", "seconds", titles={"item-knn": "ItemKNN"}))
    assert [trace.name for trace in traces] == ["ItemKNN", "model-1", "model-0"]
    assert len({trace.marker.symbol for trace in traces}) == 3
    assert [set(trace.marker.color) for trace in traces] == [{COLLABORATIVE}, {ACCENT}, {ACCENT}]


def test_hover_title_and_description_hold_the_numbers() -> None:
    figure = cost_plot(four(), "recall@20", "seconds")
    text = next(t for t in points_of(figure) if t.name == "model-1").hovertext[0]
    for part in ("model-1 · picture-model-1+word-model", "0.0900 · 95 % interval [0.0800, 0.110]",
                 "extraction 10.0 s · one training 5.00 s", "MiB · width", "2,345 users · 10 seeds",
                 "on the Pareto front"):  # fmt: skip
        assert part in text
    assert figure.layout.title.text == "Recall@20 against time to extract and train"
    subtitle = "2,345 users · 10 seeds · 95 % intervals · grey: no content"
    assert figure.layout.title.subtitle.text == subtitle
    assert figure.layout.xaxis.title.text == "Extraction and one training (s, logarithmic)"
    sentence = cost_plot_description(four(), "recall@20", "seconds")
    assert figure.layout.meta["description"] == sentence
    assert "4 points, 2,345 users, 10 seeds, 95 % intervals" in sentence
    assert "and 1 more" not in sentence


def test_names_from_data_are_text(clashes) -> None:
    evil = "<b onclick=x>&$\\frac{1}{$%{x}"
    made = four().assign(recommender=evil)
    figure = cost_plot(made, "recall@20", "seconds")
    shown = [t.name for t in figure.data] + [h for t in figure.data for h in t.hovertext or ()]
    assert not any("<b " in text for text in shown)
    assert sum("&lt;b " in text for text in shown) == 5
    assert all(trace.hovertemplate is None for trace in figure.data)
    printed = cost_plot_publication(made, "recall@20", "seconds", width="two")
    assert clashes(printed) == []
    texts = [text.get_text() for text in [*beside(printed), *printed.legends[0].get_texts()]]
    assert any(evil in text for text in texts)


def test_missing_values_are_said_and_not_drawn(clashes) -> None:
    made = four().astype({"value": object})
    made.loc[1, ["value", "low", "high"]] = [None, np.nan, np.nan]
    made.loc[2, "train_seconds"] = np.nan
    made.loc[3, ["low", "high"]] = np.nan
    figure = cost_plot(made, "recall@20", "seconds")
    assert sum(len(trace.x) for trace in points_of(figure)) == 2
    assert "2 points without a value or a cost, not drawn" in figure.layout.title.subtitle.text
    sentence = cost_plot_description(made, "recall@20", "seconds")
    assert sentence.endswith(
        "; not drawn: model-1 · picture-model-1+word-model, model-0 · picture-model-2+word-model."
    )
    hovers = [text for trace in points_of(figure) for text in trace.hovertext]
    assert not any("nan" in text for text in hovers)
    assert any("95 % interval [–, –]" in text for text in hovers)
    assert clashes(cost_plot_publication(made, "recall@20", "seconds")) == []


def test_labels_keep_off_each_other_off_markers_and_off_lines() -> None:
    rng = np.random.default_rng(5)
    points = [(float(x), float(y)) for x, y in rng.uniform(0.3, 2.2, (14, 2))]
    wall = (1.0, 0.0, 1.02, 2.5)
    boxes = place_labels(points, [(0.3, 0.1)] * 14, (0, 0, 2.5, 2.5), 0.08, 0.04, [wall], 8)
    assert boxes is not None
    assert not any(meet(a, b) for a, b in combinations([*boxes, wall], 2))
    for box in boxes:
        assert 0 <= box[0] < box[2] <= 2.5
        assert not any(meet(box, (x - 0.04, y - 0.04, x + 0.04, y + 0.04)) for x, y in points)
    assert leader((1.0, 1.0, 1.3, 1.1), 0.9, 1.05, 0.08) is None
    assert leader((1.0, 1.0, 1.3, 1.1), 0.5, 1.05, 0.08) == (0.5, 1.05, 1.0, 1.05)
    # Nothing fits in a plot as small as the label.
    assert place_labels([(0.1, 0.1)], [(0.3, 0.1)], (0, 0, 0.3, 0.2), 0.08, 0.04, [], 8) is None


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        ({}, {"axis": "money"}, "no cost 'money'"),
        ({}, {"metric": "nothing@10"}, "nothing"),
        ({"value": np.nan}, {}, "nothing can be drawn"),
        ({"train_seconds": -1.0}, {}, "train_seconds of item-knn is -1, below 0"),
        ({"setting": "s", "recommender": "r"}, {}, "r with s is there twice"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, arguments, words) -> None:
    asked = {"metric": "recall@20", "axis": "seconds"} | arguments
    for draw in (cost_plot, cost_plot_publication, cost_plot_description):
        with pytest.raises(InputError, match=words):
            draw(table(3, **change), **asked)


def test_wrong_tables_are_refused() -> None:
    with pytest.raises(InputError, match="costs has no column 'width'"):
        cost_plot(table(2).drop(columns="width"), "recall@20", "seconds")
    with pytest.raises(InputError, match="nothing can be drawn"):
        cost_plot(table(2).iloc[:0], "recall@20", "seconds")
    with pytest.raises(InputError, match="no width 'three'"):
        cost_plot_publication(table(2), "recall@20", "seconds", width="three")


@pytest.mark.parametrize("format", FORMATS)
def test_it_can_be_saved(format) -> None:
    files = [save(cost_plot_publication(four(), "recall@20", "seconds"), format) for _ in "ab"]
    assert files[0] == files[1]
    assert len(files[0]) > 1000
