"""Retrieval across modalities, content against behaviour, and the gain of recommenders."""

import numpy as np
import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    FORMATS,
    behaviour_plot,
    behaviour_plot_description,
    behaviour_plot_publication,
    gain_plot,
    gain_plot_description,
    gain_plot_publication,
    retrieval_bars,
    retrieval_bars_description,
    retrieval_bars_publication,
    save,
)
from mmrec_core.figures.palette import modality_colour

EVIL = "<b>$x^2$</b> & $\\frac{ a name that somebody made far too long to print"
MODALITIES = ("image", "text", "joint", "none")
TITLES = {"k0": EVIL} | {f"k{i}": f"space {i} of a catalogue" for i in range(1, 16)}


def recalls(n: int, methods: int = 2, **changes) -> pd.DataFrame:
    rng = np.random.default_rng([n, methods])
    rows = []
    for direction in ("image to text", "text to image"):
        for method in range(methods):
            first = rng.uniform(0.05, 0.3)
            rows += [
                {"method": f"method {method}", "direction": direction, "k": k,
                 "recall": min(1.0, first * k**0.5), "n": n}
                for k in (1, 5, 10)
            ]  # fmt: skip
        rows += [
            {"method": "chance", "direction": direction, "k": k, "recall": min(1, k / n), "n": n}
            for k in (1, 5, 10)
        ]
    return pd.DataFrame(rows).assign(**changes)


def behaviour(spaces: int, **changes) -> pd.DataFrame:
    rng = np.random.default_rng([spaces])
    lift, auc = rng.uniform(0.9, 3, spaces), rng.uniform(0.45, 0.7, spaces)
    return pd.DataFrame(
        {
            "space": [f"k{i}" for i in range(spaces)],
            "modality": [MODALITIES[i % 4] for i in range(spaces)],
            "overlap": rng.uniform(0.02, 0.2, spaces),
            "overlap_chance": 0.01,
            "lift": lift,
            "lift_low": lift - 0.1,
            "lift_high": lift + 0.2,
            "auc": auc,
            "auc_low": auc - 0.02,
            "auc_high": auc + 0.02,
            "n": 2345,
        }
    ).assign(**changes)


def gains(spaces: int, recommenders: int = 3, **changes) -> pd.DataFrame:
    rng = np.random.default_rng([spaces, recommenders])
    rows = []
    for space in range(spaces):
        lift = rng.uniform(1, 4)
        for recommender in range(recommenders):
            gain = 0.05 * (lift - 1.5) + rng.normal(0, 0.03)
            rows.append(
                {"space": f"k{space}", "modality": MODALITIES[space % 4],
                 "recommender": f"model {recommender}", "lift": lift, "gain": gain,
                 "gain_low": gain - 0.03, "gain_high": gain + 0.04, "n_users": 2345}
            )  # fmt: skip
    return pd.DataFrame(rows).assign(**changes)


EVERY = [
    (retrieval_bars, retrieval_bars_publication, retrieval_bars_description, recalls(40)),
    (behaviour_plot, behaviour_plot_publication, behaviour_plot_description, behaviour(3)),
    (gain_plot, gain_plot_publication, gain_plot_description, gains(3)),
]


@pytest.mark.parametrize("width", ["one", "two"])
def test_no_text_meets_another(clashes, width) -> None:
    figures = [
        retrieval_bars_publication(table, {"method 0": EVIL}, width, space=EVIL)
        for table in (recalls(2, 1), recalls(40), recalls(20_000, 6))
    ]
    figures += [
        behaviour_plot_publication(table, TITLES, width)
        for table in (
            behaviour(1),
            behaviour(16),
            behaviour(4, lift=[0.5, 1, 20, 300], lift_low=np.nan, lift_high=np.nan),
        )
    ]
    figures += [
        gain_plot_publication(gains(*sizes), TITLES | {"model 0": EVIL}, width)
        for sizes in ((1, 1), (4, 3), (16, 8))
    ]
    assert [clash for figure in figures for clash in clashes(figure)] == []


def test_recalls_are_those_of_the_table() -> None:
    table = recalls(40)
    figure = retrieval_bars(table, {"method 0": "shared space"})
    drawn = sorted(y for t in figure.data if t.mode == "markers" for y in t.y)
    wanted = sorted(100 * table[table["method"] != "chance"]["recall"])
    np.testing.assert_allclose(drawn, wanted)
    assert figure.layout.yaxis.type is None
    assert [t.name for t in figure.data if t.showlegend] == ["chance", "shared space", "method 1"]
    printed = retrieval_bars_publication(table)
    drawn = sorted(y for axes in printed.axes for c in axes.containers for y in c[0].get_ydata())
    np.testing.assert_allclose(drawn, wanted)
    assert [axes.texts[0].get_text() for axes in printed.axes] == ["image to text", "text to image"]
    sentence = retrieval_bars_description(table)
    assert "40 items" in sentence
    assert "(chance 25.0 %)" in sentence


def test_tiny_chance_makes_the_axis_logarithmic() -> None:
    table = recalls(20_000)
    figure = retrieval_bars(table)
    assert figure.layout.yaxis.type == figure.layout.yaxis2.type == "log"
    assert "logarithmic" in figure.layout.yaxis.title.text
    table.loc[table["method"] != "chance", "recall"] = 0.0
    figure = retrieval_bars(table)
    assert "12 at 0, drawn at the foot" in figure.layout.title.subtitle.text
    lowest = min(y for t in figure.data if t.mode == "markers" for y in t.y)
    assert lowest == pytest.approx(100 / 20_000 / 2)
    assert 10 ** figure.layout.yaxis.range[0] < lowest
    printed = retrieval_bars_publication(table)
    assert {axes.get_yscale() for axes in printed.axes} == {"log"}


def test_intervals_of_recalls_are_drawn_where_they_are_known() -> None:
    table = recalls(40)
    assert not any(t.error_y.visible for t in retrieval_bars(table).data if t.mode == "markers")
    table = table.assign(low=table["recall"] - 0.01, high=table["recall"] + 0.02)
    figure = retrieval_bars(table)
    assert "95 % intervals" in figure.layout.title.subtitle.text
    markers = [t for t in figure.data if t.mode == "markers"]
    np.testing.assert_allclose(markers[0].error_y.array, 2)
    np.testing.assert_allclose(markers[0].error_y.arrayminus, 1)


def test_panels_of_behaviour_share_their_rows() -> None:
    table = behaviour(3)
    figure = behaviour_plot(table, TITLES, k=10)
    points = [t for t in figure.data if t.marker.symbol != "line-ns-open"]
    by_axis = {axis: [t.x[0] for t in points if t.xaxis == axis] for axis in ("x", "x2", "x3")}
    np.testing.assert_allclose(by_axis["x"], table["lift"])
    np.testing.assert_allclose(by_axis["x2"], table["auc"])
    np.testing.assert_allclose(by_axis["x3"], table["overlap"])
    assert points[1].marker.color == modality_colour("text")
    assert [shape.x0 for shape in figure.layout.shapes] == [1.0, 0.5]
    assert "10 nearest" in figure.layout.xaxis3.title.text.replace("<br>", " ")
    ticks = [t for t in figure.data if t.marker.symbol == "line-ns-open" and len(t.x)]
    assert list(ticks[0].x) == [0.01] * 3
    printed = behaviour_plot_publication(table, TITLES)
    assert len(printed.axes) == 3
    assert "2,345 items" in behaviour_plot_description(table)


def test_a_panel_without_values_is_left_out_and_missing_bounds_are_said() -> None:
    table = behaviour(3, overlap=np.nan, lift_low=None, lift_high=None, auc_low=None, auc_high=None)
    assert len(behaviour_plot_publication(table).axes) == 2
    figure = behaviour_plot(table.drop(columns="n"))
    assert figure.layout.title.subtitle.text.startswith("3 spaces · no intervals · dashed")
    assert "overlap" not in behaviour_plot_description(table)
    table.loc[0, "auc"] = np.nan
    assert "1 without a value" in behaviour_plot_description(table)
    wide = behaviour(3, lift=[0.5, 2.0, 40.0], lift_low=np.nan, lift_high=np.nan)
    assert behaviour_plot(wide).layout.xaxis.type == "log"
    assert behaviour_plot_publication(wide).axes[0].get_xscale() == "log"


def test_gains_are_those_of_the_table() -> None:
    table = gains(4)
    figure = gain_plot(table, {"model 0": "VBPR"}, metric="Recall@20")
    points = [t for t in figure.data if t.hovertext]
    drawn = sorted(y for t in points for y in t.y)
    np.testing.assert_allclose(drawn, sorted(100 * table["gain"]))
    np.testing.assert_allclose(points[0].error_y.array, 4)
    np.testing.assert_allclose(points[0].error_y.arrayminus, 3)
    middle = [x for t in points for x in t.x if t.legendgroup == "model 1"]
    np.testing.assert_allclose(sorted(middle), sorted(table["lift"].unique()))
    legend = [t.name for t in figure.data if t.showlegend is None]
    assert legend == ["VBPR", "model 1", "model 2", "image", "text", "joint", "collaborative"]
    assert figure.layout.shapes[0].y0 == 0
    assert figure.layout.yaxis.title.text == "Gain of Recall@20, real − removed (%)"
    printed = gain_plot_publication(table, TITLES)
    drawn = sorted(y for c in printed.axes[0].containers for y in c[0].get_ydata())
    np.testing.assert_allclose(drawn, sorted(100 * table["gain"]))
    names = {text.get_text() for text in printed.axes[0].texts}
    assert "space 1 of a catalogue" in names
    assert "4 spaces, 3 recommenders, 2,345 users, 95 % intervals" in gain_plot_description(table)


def test_gains_without_a_value_or_an_interval_are_said() -> None:
    table = gains(3)
    table.loc[0, "gain"] = np.nan
    table.loc[1, ["gain_low", "gain_high"]] = np.nan
    subtitle = gain_plot(table.drop(columns="n_users")).layout.title.subtitle.text
    assert "1 without an interval" in subtitle
    assert "1 without a lift or a gain, not drawn" in subtitle
    assert not any("nan" in text for t in gain_plot(table).data for text in t.hovertext or ())


@pytest.mark.parametrize(("draw", "printed", "describe", "table"), EVERY)
def test_names_from_data_are_text(draw, printed, describe, table, clashes) -> None:
    names = {str(v): EVIL for c in ("method", "space", "recommender") if c in table
             for v in table[c].iloc[:1]}  # fmt: skip
    figure = draw(table, names)
    shown = [t.name or "" for t in figure.data] + [str(t.hovertext) for t in figure.data]
    shown += [str(figure.layout.yaxis.ticktext)]
    assert not any("<b>$" in text for text in shown)
    assert any("&lt;b&gt;$" in text for text in shown)
    made = printed(table, names)
    assert clashes(made) == []
    assert figure.layout.meta["description"] == describe(table, names) == made.get_label()


@pytest.mark.parametrize(("draw", "printed", "describe", "table"), EVERY)
def test_what_cannot_be_drawn_is_refused(draw, printed, describe, table) -> None:
    measures = [c for c in ("recall", "lift", "auc", "overlap", "gain") if c in table]
    for each in (draw, printed, describe):
        with pytest.raises(InputError, match="no column"):
            each(table.drop(columns=measures[0]))
        with pytest.raises(InputError, match="there is nothing to draw"):
            each(table.assign(**dict.fromkeys(measures, np.nan)))
        with pytest.raises(InputError, match="is there twice"):
            each(pd.concat([table, table]))
    with pytest.raises(InputError, match="no width 'three'"):
        printed(table, width="three")


def test_values_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        retrieval_bars(recalls(40, recall=50.0))
    with pytest.raises(InputError, match="Up to 12 methods"):
        retrieval_bars(recalls(40, 13))
    for draw, table in ((behaviour_plot, behaviour(2)), (gain_plot, gains(2))):
        with pytest.raises(InputError, match="no modality of a space 'sound'"):
            draw(table.assign(modality="sound"))


@pytest.mark.parametrize("format", FORMATS)
def test_they_can_be_saved(format) -> None:
    for _, printed, _, table in EVERY:
        first, second = (save(printed(table), format) for _ in "ab")
        assert first == second
