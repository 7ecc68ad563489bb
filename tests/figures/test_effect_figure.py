import math

import numpy as np
import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.figures import effect_description, effect_plot, effect_plot_publication
from mmrec_core.figures.paper import WIDTHS

SIX = ("used", "gained", "without_content", "missingness", "over_identity", "over_gaussian-unit")


def points_of(figure) -> list:
    return [trace for trace in figure.data if trace.error_x.array is not None]


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize("rows", [2, 3, 9, 30])
def test_no_text_meets_another(effects, clashes, rows: int, width: str) -> None:
    figure = effect_plot_publication(*effects(rows), "recall@20", 0.05, width=width)
    assert clashes(figure) == []
    assert figure.get_figwidth() == WIDTHS[width]


@pytest.mark.parametrize("kinds", [("used",), SIX])
@pytest.mark.parametrize("width", ["one", "two"])
def test_no_text_meets_another_with_few_or_many_kinds(effects, clashes, kinds, width) -> None:
    comparisons, verdicts = effects(5, kinds)
    comparisons.loc[::2, ["relative", "relative_low", "relative_high"]] = np.nan
    figure = effect_plot_publication(comparisons, verdicts, "recall@20", 0.05, kinds, width=width)
    assert clashes(figure) == []
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert any("base is 0" in text for text in texts)


def test_the_height_grows_with_the_rows(effects) -> None:
    on_screen = [effect_plot(*effects(n), "recall@20", 0.05).layout.height for n in (2, 8, 30)]
    printed = [
        effect_plot_publication(*effects(n), "recall@20", 0.05).get_figheight() for n in (2, 8, 30)
    ]
    assert on_screen == sorted(set(on_screen))
    assert printed == sorted(set(printed))
    assert printed[-1] <= 11.7  # a page


def test_points_and_whiskers_are_the_numbers_in_percent(effects) -> None:
    comparisons, verdicts = effects(4)
    figure = effect_plot(comparisons, verdicts, "recall@20", 0.05)
    drawn = sorted(
        (x, x - minus, x + plus)
        for trace in points_of(figure)
        for x, minus, plus in zip(trace.x, trace.error_x.arrayminus, trace.error_x.array)
    )
    wanted = 100 * comparisons[["relative", "relative_low", "relative_high"]]
    np.testing.assert_allclose(drawn, sorted(map(tuple, wanted.to_numpy())))

    printed = effect_plot_publication(comparisons, verdicts, "recall@20", 0.05).axes[0]
    marks = sorted(x for bars in printed.containers for x in bars[0].get_xdata())
    np.testing.assert_allclose(marks, sorted(wanted["relative"]))


def test_the_band_is_the_margin_and_places_do_not_repeat(effects) -> None:
    figure = effect_plot(*effects(6), "recall@20", 0.03)
    bands = [s for s in figure.layout.shapes if s.type == "rect" and s.yref == "y domain"]
    assert [(band.x0, band.x1) for band in bands] == [(-3, 3)]
    places = [y for trace in points_of(figure) for y in trace.y]
    assert len(places) == len(set(places)) == 18
    assert 0 < min(places) < max(places) < figure.layout.yaxis.range[0]


def test_verdicts_are_said_in_words_with_symbol_and_chip(effects) -> None:
    comparisons, verdicts = effects(8)
    figure = effect_plot(comparisons, verdicts, "recall@20", 0.05)
    notes = [note.text for note in figure.layout.annotations]
    for verdict in verdicts.itertuples():
        assert verdict.verdict in notes
        assert verdict.symbol in notes
    chips = [shape for shape in figure.layout.shapes if shape.xsizemode == "pixel"]
    assert len(chips) == 8
    assert [chip.line.dash for chip in chips].count("2px,2px") == 1  # void
    printed = effect_plot_publication(comparisons, verdicts, "recall@20", 0.05)
    texts = [text.get_text().replace("\n", " ") for text in printed.axes[0].texts]
    assert set(verdicts["verdict"]) | set(verdicts["symbol"]) <= set(texts)


def test_hover_holds_the_numbers(effects) -> None:
    comparisons, verdicts = effects(1)
    comparisons.loc[0, ["relative", "relative_low", "relative_high"]] = [0.123, -0.01, 0.2]
    figure = effect_plot(comparisons, verdicts, "recall@20", 0.05, titles={"VBPR": "My VBPR"})
    text = points_of(figure)[0].hovertext[0]
    for part in ("My VBPR, image", "+12.3 %", "[−1.00, 20.0]", "adjusted p 0.0123", "above",
                 "12,345 users", "10 seeds", "content used, and it pays"):  # fmt: skip
        assert part in text


def test_title_and_description_state_metric_users_and_seeds(effects) -> None:
    comparisons, verdicts = effects(2)
    comparisons.loc[0, "n_users"] = 12000
    figure = effect_plot(comparisons, verdicts, "recall@20", 0.05)
    assert figure.layout.title.text == "Effect of item content on Recall@20"
    subtitle = "12,000–12,345 users · 10 seeds · 95 % intervals · grey band: within ±5 %"
    assert figure.layout.title.subtitle.text == subtitle
    sentence = effect_description(comparisons, verdicts, "recall@20", 0.05)
    assert figure.layout.meta["description"] == sentence
    assert sentence.endswith("VBPR, text: content used, nothing gained.")
    assert "12,000–12,345 users" in sentence
    long = effect_description(*effects(30), "recall@20", 0.05)
    assert "30 rows: 4 content used, and it pays" in long


def test_names_from_data_are_text(effects, clashes) -> None:
    comparisons, verdicts = effects(1)
    evil = "<b onclick=x>&$\\frac{1}{$%{x}"
    comparisons["recommender"] = verdicts["recommender"] = evil
    verdicts["verdict"] = "<i>used</i>"
    figure = effect_plot(comparisons, verdicts, "recall@20", 0.05)
    shown = [
        *figure.layout.yaxis.ticktext,
        *(note.text for note in figure.layout.annotations),
        *(text for trace in points_of(figure) for text in trace.hovertext),
    ]
    assert not any("<b " in text or "<i>" in text for text in shown)
    assert sum("&lt;b " in text for text in shown) == 4
    assert all(trace.hovertemplate is None for trace in figure.data)
    printed = effect_plot_publication(comparisons, verdicts, "recall@20", 0.05)
    assert clashes(printed) == []
    assert evil in [text.get_text() for text in printed.axes[0].texts]


def test_missing_values_are_said_and_not_drawn(effects) -> None:
    comparisons, verdicts = effects(2)
    comparisons = comparisons.astype({"p_adjusted": object, "relative": object})
    comparisons.loc[0, ["relative", "relative_low", "relative_high"]] = [None, None, math.nan]
    comparisons.loc[1, ["p_adjusted", "state"]] = [None, None]
    figure = effect_plot(comparisons, verdicts, "recall@20", 0.05)
    assert sum(len(trace.x) for trace in points_of(figure)) == 5
    gone = next(trace for trace in figure.data if trace.mode == "text")
    assert gone.text == ("base is 0",)
    assert "the mean of the arm subtracted is 0" in gone.hovertext[0]
    hovers = [text for trace in points_of(figure) for text in trace.hovertext]
    assert sum("not adjusted (outside the verdict)" in text for text in hovers) == 1
    assert not any("nan" in text or "None" in text for text in hovers)
    effect_plot_publication(comparisons, verdicts, "recall@20", 0.05).draw_without_rendering()


def test_a_plot_without_any_relative_effect_still_says_so(effects) -> None:
    comparisons, _ = effects(2)
    comparisons[["relative", "relative_low", "relative_high"]] = np.nan
    figure = effect_plot(comparisons, None, "recall@20", 0.05)
    assert sum(len(trace.text) for trace in figure.data if trace.mode == "text") == 6
    effect_plot_publication(comparisons, None, "recall@20", 0.05).draw_without_rendering()


def test_only_the_metric_and_kinds_asked_for_are_drawn(effects) -> None:
    comparisons, _ = effects(2, SIX)
    other = comparisons.assign(metric="ndcg@10", relative=5.0)
    figure = effect_plot(
        pd.concat([other, comparisons]), None, "recall@20", 0.05, ["over_identity"]
    )
    assert sum(len(trace.x) for trace in points_of(figure)) == 2
    assert max(x for trace in points_of(figure) for x in trace.x) < 100
    names = [trace.name for trace in figure.data if trace.showlegend is None]
    assert names == ["real − identity"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metric": "ndcg@10"}, "No comparison of ndcg@10"),
        ({"metric": "nothing@10"}, "nothing"),
        ({"kinds": ("missingness",)}, "other kinds"),
        ({"kinds": ("best",)}, "no comparison 'best'"),
        ({"delta": 0.0}, "delta"),
    ],
)
def test_what_cannot_be_drawn_is_refused(effects, change, words) -> None:
    comparisons, verdicts = effects(2)
    arguments = {"metric": "recall@20", "delta": 0.05} | change
    for draw in (effect_plot, effect_plot_publication):
        with pytest.raises(InputError, match=words):
            draw(comparisons, verdicts, **arguments)


def test_wrong_tables_are_refused(effects) -> None:
    comparisons, verdicts = effects(2)
    with pytest.raises(InputError, match="comparisons has no column 'relative'"):
        effect_plot(comparisons.drop(columns="relative"), verdicts, "recall@20", 0.05)
    with pytest.raises(InputError, match="verdicts has no column 'tone'"):
        effect_plot(comparisons, verdicts.drop(columns="tone"), "recall@20", 0.05)
    with pytest.raises(InputError, match="twice"):
        effect_plot(pd.concat([comparisons] * 2), verdicts, "recall@20", 0.05)
    with pytest.raises(InputError, match="no width 'three'"):
        effect_plot_publication(comparisons, verdicts, "recall@20", 0.05, width="three")
