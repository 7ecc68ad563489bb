from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    FORMATS,
    calibration_plot,
    calibration_plot_description,
    calibration_plot_publication,
    save,
)
from mmrec_core.figures.palette import COLLABORATIVE
from mmrec_core.figures.paper import WIDTHS


def summary(recommenders: int, **changes: Any) -> pd.DataFrame:
    rows = []
    for place in range(recommenders):
        for comparison, control in (("used", "shuffle"), ("gained", "removed")):
            for case, strength, above, cases in (
                ("not planted", 0, place % 3, 24),
                ("planted", 50, 5, 12),
                ("planted", 100, 12, 12),
            ):
                share = above / cases
                rows.append(
                    {
                        "recommender": f"model-{place}",
                        "comparison": comparison,
                        "control": control,
                        "case": case,
                        "strength": strength,
                        "above": above,
                        "cases": cases,
                        "share": share,
                        "low": max(share - 0.2, 0),
                        "high": min(share + 0.21, 1),
                    }
                )
    return pd.DataFrame(rows).assign(**changes)


def points_of(figure: Any) -> list[Any]:
    return [trace for trace in figure.data if trace.mode == "markers"]


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize("recommenders", [1, 2, 5, 30])
def test_no_text_meets_another(clashes, recommenders, width) -> None:
    figure = calibration_plot_publication(summary(recommenders), width=width)
    assert clashes(figure) == []
    assert figure.get_figwidth() == WIDTHS[width]


def test_points_and_intervals_are_the_shares_in_percent() -> None:
    table = summary(3)
    wanted = sorted(map(tuple, 100 * table[["share", "low", "high"]].to_numpy()))
    drawn = sorted(
        (x, x - minus, x + plus)
        for trace in points_of(calibration_plot(table))
        for x, minus, plus in zip(trace.x, trace.error_x.arrayminus, trace.error_x.array)
    )
    np.testing.assert_allclose(drawn, wanted, atol=1e-9)
    axes = calibration_plot_publication(table).axes[0]
    printed = []
    for bars in axes.containers:
        ends = bars[2][0].get_segments()
        for x, ((low, _), (high, _)) in zip(bars[0].get_xdata(), ends):
            printed.append((x, low, high))
    np.testing.assert_allclose(sorted(printed), wanted, atol=1e-9)


def test_false_alarms_differ_from_what_was_found_in_colour_and_shape() -> None:
    alarms, found = points_of(calibration_plot(summary(2)))
    assert (alarms.name, found.name) == ("nothing planted: false alarms", "planted: found")
    assert alarms.marker.color == COLLABORATIVE != found.marker.color
    assert alarms.marker.symbol == "circle-open" != found.marker.symbol
    assert max(alarms.x) < 10 < min(found.x)
    shapes = [
        bars[0].get_marker() for bars in calibration_plot_publication(summary(2)).axes[0].containers
    ]
    assert len(set(shapes)) == 2


def test_five_percent_is_marked_and_k_of_n_stands_at_each_row() -> None:
    figure, printed = calibration_plot(summary(3)), calibration_plot_publication(summary(3))
    line = next(trace for trace in figure.data if trace.mode == "lines")
    assert (set(line.x), line.line.dash) == ({5}, "dash")
    assert [x for x in printed.axes[0].lines if list(x.get_xdata()) == [5, 5]]
    notes = {note.y: note.text for note in figure.layout.annotations}
    places = dict(zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext))
    told = [f"{places[y]}, {notes[y]}" for y in sorted(notes)]
    assert told[12:15] == [
        "used: nothing planted, 2 of 24",
        "used: planted, 50 %, 5 of 12",
        "used: planted, 100 %, 12 of 12",
    ]
    texts = [text.get_text() for text in printed.axes[0].texts]
    assert [texts.count(each) for each in ("2 of 24", "5 of 12", "12 of 12")] == [2, 6, 6]


def test_recommenders_are_kept_together_and_no_place_repeats() -> None:
    table = summary(3).sort_values(["strength", "comparison"])
    axis = calibration_plot(table, titles={"model-1": "My model"}).layout.yaxis
    by_place = [text for _, text in sorted(zip(axis.tickvals, axis.ticktext))]
    assert [text for text in by_place if text.startswith("<b>")] == [
        "<b>model-0</b>", "<b>My model</b>", "<b>model-2</b>",
    ]  # fmt: skip
    assert by_place[1:4] == [
        "gained: nothing planted",
        "gained: planted, 50 %",
        "gained: planted, 100 %",
    ]
    assert len(set(axis.tickvals)) == len(axis.tickvals) == 21
    assert max(axis.tickvals) < axis.range[0]


def test_hover_title_and_description_hold_the_numbers() -> None:
    figure = calibration_plot(summary(1))
    text = points_of(figure)[1].hovertext[0]
    for part in ("model-0, used: real − shuffled", "planted, 50 % · control shuffle",
                 "found: 5 of 12 (41.7 %)", "exact 95 % interval [21.7, 62.7]"):  # fmt: skip
        assert part in text
    assert "24 cases a row, nothing planted" in figure.layout.title.subtitle.text
    assert "12 cases a row, planted" in figure.layout.title.subtitle.text
    sentence = calibration_plot_description(summary(1))
    assert figure.layout.meta["description"] == sentence
    assert "model-0, used: planted, 50 %, 5 of 12 [21.7, 62.7] %" in sentence
    long = calibration_plot_description(summary(30))
    assert "nothing planted: false alarms 60 of 1,440 in 60 rows, 0 % to 8.33 %" in long
    assert "planted: found 1,020 of 1,440 in 120 rows, 41.7 % to 100 %" in long


def test_names_from_data_are_text(clashes) -> None:
    evil = "<b onclick=x>&$\\frac{1}{$%{x}"
    figure = calibration_plot(summary(1, recommender=evil, control="<i>c</i>"))
    shown = [
        *figure.layout.yaxis.ticktext,
        *(note.text for note in figure.layout.annotations),
        *(text for trace in points_of(figure) for text in trace.hovertext),
    ]
    assert not any("<b " in text or "<i>" in text for text in shown)
    assert sum("&lt;b " in text for text in shown) == 7
    printed = calibration_plot_publication(summary(1, recommender=evil))
    assert clashes(printed) == []
    assert evil in [text.get_text() for text in printed.axes[0].texts]


@pytest.mark.parametrize("width", ["one", "two"])
def test_a_row_without_cases_is_said_and_not_drawn(clashes, width) -> None:
    table = summary(2)
    table.loc[1, ["above", "cases"]] = 0
    table.loc[1, ["share", "low", "high"]] = np.nan
    figure = calibration_plot(table)
    assert sum(len(trace.x) for trace in points_of(figure)) == 11
    assert "no cases" in [note.text for note in figure.layout.annotations]
    assert "1 row without cases" in calibration_plot_description(table)
    printed = calibration_plot_publication(table, width=width)
    assert clashes(printed) == []
    assert "no cases" in [text.get_text() for text in printed.axes[0].texts]


def test_only_false_alarms_can_be_drawn(clashes) -> None:
    table = summary(2)
    table = table[table["case"] == "not planted"]
    assert [trace.name for trace in points_of(calibration_plot(table))] == [
        "nothing planted: false alarms"
    ]
    assert clashes(calibration_plot_publication(table)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"case": "perhaps"}, "no case 'perhaps'"),
        ({"comparison": "best"}, "no comparison 'best'"),
        ({"share": 41.7}, "between 0 and 1"),
        ({"low": -0.1}, "between 0 and 1"),
        ({"cases": 0}, "No world was judged"),
        ({"strength": 50, "case": "planted"}, "there twice"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, words) -> None:
    for draw in (calibration_plot, calibration_plot_publication, calibration_plot_description):
        with pytest.raises(InputError, match=words):
            draw(summary(1, **change))


def test_wrong_tables_are_refused() -> None:
    with pytest.raises(InputError, match="calibrated shares has no column 'above'"):
        calibration_plot(summary(1).drop(columns="above"))
    with pytest.raises(InputError, match="No world was judged"):
        calibration_plot(summary(1).iloc[:0])
    with pytest.raises(InputError, match="no width 'three'"):
        calibration_plot_publication(summary(1), width="three")


@pytest.mark.parametrize("format", FORMATS)
def test_it_can_be_saved(format) -> None:
    files = [save(calibration_plot_publication(summary(2)), format) for _ in "ab"]
    assert files[0] == files[1]
    assert len(files[0]) > 1000
