import numpy as np
import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    FORMATS,
    explanation_faithfulness,
    explanation_faithfulness_description,
    explanation_faithfulness_publication,
    html,
    save,
)
from mmrec_core.figures.palette import ACCENT, CONTROL
from mmrec_core.figures.paper import WIDTHS
from mmrec_core.figures.screen import CLEAR

TITLES = {
    "history": "Split by history",
    "leave-one-out": "History, one left out",
    "gradients": "Integrated gradients",
    "attributes": "a way to explain whose name somebody made much too long to stand over a panel",
}
SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.85, 1.0)


def table(methods: int = 1) -> pd.DataFrame:
    rows = []
    for place, method in enumerate(list(TITLES)[:methods]):
        for kind, sign in (("deletion", -1), ("insertion", 1)):
            orders = {"own": 0.3, "random": 1.0, "randomised": 0.9}
            for order, power in orders.items():
                if (kind, order) == ("insertion", "randomised"):
                    continue  # measured for deletion only
                for share in SHARES:
                    score = sign * (place + 1) * share**power
                    half = 0.2 * share
                    rows.append((method, kind, order, share, score, score - half, score + half))
    columns = ["method", "kind", "order", "share", "score", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def screen_lines(figure) -> list:
    return [trace for trace in figure.data if trace.hovertext]


def screen_bands(figure) -> list:
    return [trace for trace in figure.data if trace.fill == "toself"]


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize("methods", [1, 2, 4])
@pytest.mark.parametrize("recommender", ["", "VBPR", "a recommender with a name much too long" * 3])
def test_no_text_meets_another(clashes, methods, width, recommender) -> None:
    figure = explanation_faithfulness_publication(
        table(methods), TITLES, 50, recommender, width=width
    )
    assert clashes(figure) == []
    assert figure.get_figwidth() == WIDTHS[width]
    assert figure.get_figheight() <= 11.7
    assert len(figure.axes) == 2 * methods
    boxes = [axes.get_position() for axes in figure.axes]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


@pytest.mark.parametrize("factor", [1e-4, 1e5])
def test_long_numbers_have_room(clashes, factor) -> None:
    curves = table(2)
    curves[["score", "low", "high"]] *= factor
    for width in WIDTHS:
        figure = explanation_faithfulness_publication(curves, TITLES, 50, width=width)
        assert clashes(figure) == []


def test_lines_and_bands_are_the_numbers() -> None:
    curves = table(2)
    figure = explanation_faithfulness(curves.sample(frac=1, random_state=1).sort_values("method"))
    printed = explanation_faithfulness_publication(curves)
    lines = [
        (line.get_xdata(), line.get_ydata())
        for axes in printed.axes
        for line in axes.lines
        if len(line.get_xdata()) == len(SHARES)
    ]
    for drawn in ([(t.x, t.y) for t in screen_lines(figure)], lines):
        assert len(drawn) == 10
        found = sorted((x / 100, y) for xs, ys in drawn for x, y in zip(xs, ys, strict=True))
        np.testing.assert_allclose(
            found, sorted(map(tuple, curves[["share", "score"]].to_numpy())), atol=1e-12
        )
    ends = sorted(y for band in screen_bands(figure) for y in band.y)
    np.testing.assert_allclose(ends, sorted([*curves["low"], *curves["high"]]), atol=1e-12)
    for axes in printed.axes:
        low, high = axes.get_ylim()
        assert all(
            low <= y <= high
            for band in axes.collections
            for y in band.get_paths()[0].vertices[:, 1]
        )


def test_orders_differ_in_colour_shape_and_dash() -> None:
    figure = explanation_faithfulness(table())
    entries = [trace for trace in figure.data if trace.name]
    assert [trace.name for trace in entries] == [
        "the explanation's order", "random order", "order of the model with its weights shuffled",
    ]  # fmt: skip
    assert [trace.line.color for trace in entries[:2]] == [ACCENT, CONTROL]
    assert [trace.line.dash for trace in entries] == ["solid", "solid", "dash"]
    assert len({trace.marker.symbol for trace in entries}) == 3
    assert len({trace.line.color for trace in entries}) == 3
    # The explanation's own line lies on top.
    assert screen_lines(figure)[2].line.color == ACCENT
    lines = explanation_faithfulness_publication(table()).axes[0].lines[1:]
    assert len({line.get_marker() for line in lines}) == 3


def test_one_method_is_in_the_title_and_several_stand_over_their_rows() -> None:
    one = explanation_faithfulness(table(), TITLES, 50, "VBPR")
    assert one.layout.title.text == "VBPR: faithfulness of “Split by history”"
    notes = [note.text for note in one.layout.annotations]
    assert notes[:2] == ["deletion (lower is better)", "insertion (higher is better)"]
    two = explanation_faithfulness(table(2), TITLES, 50)
    assert two.layout.title.text == "Faithfulness of explanations"
    notes = [note.text for note in two.layout.annotations]
    assert "<b>Split by history</b>" in notes and "<b>History, one left out</b>" in notes
    assert [two.layout[f"xaxis{n}"].title.text for n in ("", 2, 3, 4)] == [
        "", "", "Elements taken away, %", "Elements added, %",
    ]  # fmt: skip


def test_description_and_hover_hold_the_numbers() -> None:
    figure = explanation_faithfulness(table(), TITLES, {"history": 50}, "VBPR")
    sentence = explanation_faithfulness_description(table(), TITLES, {"history": 50}, "VBPR")
    assert figure.layout.meta["description"] == sentence
    assert "50 recommendations, lines: means, bands: 95 % intervals" in sentence
    assert (
        "with 50.0 % taken away, −0.812 in the explanation's order, −0.500 in random order, "
        "−0.536 in the order of the model with its weights shuffled; with 50.0 % added, +0.812"
    ) in sentence
    hover = screen_lines(figure)[0].hovertext[4]
    assert hover.split("<br>") == [
        "Split by history: deletion", "random order", "50.0 % of the elements taken away",
        "−0.500, 95 % interval [−0.600, −0.400]", "50 recommendations",
    ]  # fmt: skip


def test_what_was_not_measured_is_said(clashes) -> None:
    curves = table(2)
    curves = curves[(curves["method"] != "history") | (curves["kind"] == "deletion")]
    figure = explanation_faithfulness(curves, TITLES)
    assert ("not measured",) in [trace.text for trace in figure.data if trace.mode == "text"]
    assert "insertion was not measured" in explanation_faithfulness_description(curves)
    printed = explanation_faithfulness_publication(curves, TITLES)
    assert clashes(printed) == []
    assert "not measured" in [text.get_text() for text in printed.axes[1].texts]


def test_one_recommendation_has_no_interval(clashes) -> None:
    curves = table().assign(low=np.nan, high=np.nan)
    figure = explanation_faithfulness(curves, TITLES, 1)
    subtitle = figure.layout.title.subtitle.text
    assert subtitle.startswith("1 recommendation ·")
    assert subtitle.endswith("40 without an interval")
    assert len(screen_lines(figure)) == 5
    assert all(len(band.x) == 0 for band in screen_bands(figure))
    assert "nan" not in explanation_faithfulness_description(curves)
    assert clashes(explanation_faithfulness_publication(curves, TITLES, 1)) == []


def test_text_has_the_colour_of_the_page() -> None:
    figure = explanation_faithfulness(table(2))
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == CLEAR
    assert figure.layout.font.color is None
    assert all(note.font.color is None for note in figure.layout.annotations)


def test_names_from_data_are_text(clashes) -> None:
    evil = "<i>$x$</i>"
    titles = dict.fromkeys(TITLES, evil)
    figure = explanation_faithfulness(table(2), titles, 50, evil)
    shown = [figure.layout.title.text, *(note.text for note in figure.layout.annotations)]
    shown += [text for trace in screen_lines(figure) for text in trace.hovertext]
    assert not any("<i>" in text for text in shown)
    assert "<i>" not in html(figure).partition("<style>")[0]
    assert clashes(explanation_faithfulness_publication(table(2), titles, 50, evil)) == []


@pytest.mark.parametrize(
    ("curves", "words"),
    [
        (table().drop(columns="share"), "no column 'share'"),
        (table().iloc[:0], "no curves"),
        (table().replace("deletion", "swap"), "no kind 'swap'"),
        (table().replace("own", "any"), "no order 'any'"),
        (table().assign(share=50.0), "from 0 to 1"),
        (pd.concat([table()] * 2), "history, deletion, own, 0.0 is there twice"),
    ],
)
def test_what_cannot_be_drawn_is_refused(curves, words) -> None:
    for draw in (
        explanation_faithfulness,
        explanation_faithfulness_publication,
        explanation_faithfulness_description,
    ):
        with pytest.raises(InputError, match=words):
            draw(curves)


def test_there_are_two_widths() -> None:
    with pytest.raises(InputError, match="no width 'three'"):
        explanation_faithfulness_publication(table(), width="three")


@pytest.mark.parametrize("format", FORMATS)
def test_it_can_be_saved(format) -> None:
    first, second = (
        save(explanation_faithfulness_publication(table(2), TITLES, 50), format) for _ in "ab"
    )
    assert first == second
