import numpy as np
import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    arms_description,
    arms_plot,
    arms_plot_publication,
    learning_description,
    learning_plot,
    learning_plot_publication,
)
from mmrec_core.figures.palette import CONTROL, IMAGE, WHOLE_MODEL


def test_real_is_coloured_controls_are_grey_references_are_lines(arms) -> None:
    figure = arms_plot(arms, "recall@20", titles={"most-pop": "MostPop"})
    lines = {trace.name: trace.x[0] for trace in figure.data if trace.mode == "lines"}
    assert lines == {"MostPop": 0.02, "item-knn": 0.081, "bpr-mf": 0.083, "light-gcn": 0.0835}
    dashes = [trace.line.dash for trace in figure.data if trace.mode == "lines"]
    assert len(set(dashes)) == 4
    assert "solid" not in dashes
    dots = {trace.marker.color: trace.x for trace in figure.data if trace.mode == "markers"}
    # vbpr's controls replace the picture only; freedom's several modalities
    assert dots == {
        IMAGE: (0.09,),
        WHOLE_MODEL: (0.1,),
        CONTROL: (0.08, 0.07, 0.095, 0.091, 0.089),
    }


def test_arms_stand_under_their_recommender_real_first(arms) -> None:
    axis = arms_plot(arms, "recall@20").layout.yaxis
    by_place = [text for _, text in sorted(zip(axis.tickvals, axis.ticktext))]
    assert by_place == [
        "<b>vbpr</b>", "real", "image · shuffle", "image · removed",
        "<b>freedom</b>", "real", "image · shuffle", "text · gaussian-matched",
        "whole model · removed",
    ]  # fmt: skip


def test_arms_hover_and_description_hold_the_numbers(arms) -> None:
    figure = arms_plot(arms, "recall@20")
    texts = [text for t in figure.data if t.mode == "markers" for text in t.hovertext]
    assert (
        "vbpr · real<br>0.0900 · 95 % interval [0.0860, 0.0940]<br>2,345 users · 10 seeds" in texts
    )
    sentence = arms_description(arms, "recall@20")
    assert "7 arms, 2,345 users, 10 seeds" in sentence
    assert "real content: vbpr 0.0900, freedom 0.100" in sentence
    assert figure.layout.meta["description"] == sentence


@pytest.mark.parametrize("width", ["one", "two"])
def test_printed_arms_do_not_meet(arms, clashes, width) -> None:
    figure = arms_plot_publication(arms, "recall@20", width=width)
    assert clashes(figure) == []
    marks = sorted(float(bars[0].get_xdata()[0]) for bars in figure.axes[0].containers)
    assert marks == [0.07, 0.08, 0.089, 0.09, 0.091, 0.095, 0.1]


def test_an_arm_without_a_value_is_not_drawn(arms) -> None:
    empty = ["recall@20", "recall@20_low", "recall@20_high"]
    arms.loc[arms["control"] == "removed", empty] = np.nan
    arms.loc[arms["recommender"] == "bpr-mf", empty] = np.nan
    figure = arms_plot_publication(arms, "recall@20")
    assert len(figure.axes[0].containers) == 5
    names = [trace.name for trace in arms_plot(arms, "recall@20").data if trace.mode == "lines"]
    assert names == ["most-pop", "item-knn", "light-gcn"]


def test_arms_that_cannot_be_drawn_are_refused(arms) -> None:
    with pytest.raises(InputError, match="No arm of the table reads content"):
        arms_plot(arms[arms["control"] == "none"], "recall@20")
    with pytest.raises(InputError, match="no column 'ndcg@10'"):
        arms_plot(arms, "ndcg@10")


def test_a_mean_ends_where_the_first_seed_stops(curves) -> None:
    figure = learning_plot(curves, ["bpr-mf"])
    bold = next(t for t in figure.data if t.mode == "lines" and t.line.width == 3)
    thin = [t for t in figure.data if t.mode == "lines" and t.line.width == 1]
    assert list(bold.x) == [2, 4, 6, 8]
    assert [list(t.x) for t in thin] == [[2, 4, 6, 8, 10, 12], [2, 4, 6, 8]]
    np.testing.assert_allclose(bold.y, (np.array(thin[0].y[:4]) + thin[1].y) / 2)


def test_learning_curves_choose_arms_and_name_them(curves) -> None:
    names = [t.name for t in learning_plot(curves, titles={"vbpr": "VBPR"}).data if not t.hovertext]
    assert names == ["bpr-mf", "VBPR · real", "VBPR · whole model · shuffle"]
    one = learning_plot(curves, ["vbpr · real"])
    assert {t.legendgroup for t in one.data} == {"vbpr · real"}
    assert "1 arm, 2 seeds" in learning_description(curves, ["vbpr · real"])
    looks = {
        (t.line.color, t.line.dash, t.marker.symbol)
        for t in learning_plot(curves).data
        if not t.hovertext
    }
    assert len(looks) == 3


@pytest.mark.parametrize("width", ["one", "two"])
def test_printed_learning_curves_do_not_meet(curves, clashes, width) -> None:
    figure = learning_plot_publication(curves, width=width)
    assert clashes(figure) == []
    assert len(figure.axes[0].lines) == 9


def many_curves(recommenders: int, arms: tuple[str, ...]) -> pd.DataFrame:
    """A curve of three seeds for each recommender and arm, each at a height of its own."""
    names = [f"model-{i} · {arm}" for i in range(recommenders) for arm in arms]
    return pd.concat(
        pd.DataFrame({"arm": name, "seed": seed, "epoch": range(1, 31)}).assign(
            **{"recall@20": 0.002 * place + 0.1 * (1 - np.exp(-np.arange(1, 31) / 9))}
        )
        for place, name in enumerate(names)
        for seed in (1, 2, 3)
    )


FIVE = ("real", "image · shuffle", "text · shuffle", "all · removed", "image · gaussian-matched")


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize(
    ("recommenders", "arms", "panels"), [(2, FIVE, 2), (6, FIVE, 6), (30, ("real",), 30)]
)
def test_many_printed_arms_have_a_panel_for_each_recommender(
    clashes, recommenders, arms, panels, width
) -> None:
    table = many_curves(recommenders, arms)
    figure = learning_plot_publication(table, titles={"model-1": "My model"}, width=width)
    assert clashes(figure) == []
    assert len(figure.axes) == panels
    assert figure.get_figheight() < 11.7  # a page
    heads = [axes.texts[0].get_text() for axes in figure.axes]
    assert heads[:2] == ["model-0", "My model"]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    means = table.groupby(["arm", "epoch"], sort=False)["recall@20"].mean()
    for place, axes in enumerate(figure.axes):
        bold = [line for line in axes.lines if line.get_linewidth() > 1]
        own = [f"model-{place} · {arm}" for arm in arms]
        drawn = [list(line.get_ydata()) for line in bold]
        np.testing.assert_allclose(drawn, [means[arm].tolist() for arm in own])
        looks = {(line.get_linestyle(), line.get_marker()) for line in bold}
        assert len({marker for _, marker in looks}) == len(arms)  # told apart in grey
    assert len(figure.legends[0].get_texts()) == len(arms)


def test_many_arms_of_one_recommender_are_split_over_panels(clashes) -> None:
    table = many_curves(1, tuple(f"image · over-{place}" for place in range(30)))
    figure = learning_plot_publication(table)
    assert clashes(figure) == []
    bold = [[x for x in axes.lines if x.get_linewidth() > 1] for axes in figure.axes]
    assert [len(lines) for lines in bold] == [6] * 5
    for lines in bold:
        assert len({line.get_marker() + str(line.get_markerfacecolor()) for line in lines}) == 6


def test_names_of_arms_are_text(curves) -> None:
    curves["arm"] = curves["arm"].replace({"bpr-mf": "<a href='x'>$y$</a>"})
    figure = learning_plot(curves, ["<a href='x'>$y$</a>"])
    shown = [t.name for t in figure.data] + [x for t in figure.data for x in t.hovertext or ()]
    assert not any("<a" in (text or "") for text in shown)
    learning_plot_publication(curves).draw_without_rendering()


def test_curves_that_cannot_be_drawn_are_refused(curves) -> None:
    with pytest.raises(InputError, match="Known: bpr-mf"):
        learning_plot(curves, ["nothing"])
    with pytest.raises(InputError, match="No epoch of the chosen arms"):
        learning_plot(curves.iloc[:0])
    with pytest.raises(InputError, match="no column 'seed'"):
        learning_plot(curves.drop(columns="seed"))
