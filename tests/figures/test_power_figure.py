from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    FORMATS,
    power_curve,
    power_curve_description,
    power_curve_publication,
    save,
)
from mmrec_core.figures.palette import IMAGE, TEXT
from mmrec_core.figures.paper import WIDTHS

SEEDS, USERS = (5, 10, 20, 40), (1000, 2345, 5000, 40_000)


def table(lines: int, **changes: Any) -> pd.DataFrame:
    """Chances of ``lines`` comparisons: the first is 10 % now, the last nearly certain."""
    rows = []
    for line in range(lines):
        now = 0.1 + 0.85 * line / max(lines - 1, 1)
        for axis, sizes in (("seeds", SEEDS), ("users", USERS)):
            for size in sizes:
                more = np.log2(size / sizes[1]) / 20
                rows.append(
                    {
                        "recommender": f"model-{line // 3}",
                        "modality": ("image", "text", "all")[line % 3],
                        "kind": ("used", "gained")[line % 2],
                        "axis": axis,
                        "n": size,
                        "power": min(max(now + more, 0), 1),
                        "now": size == sizes[1],
                        "test": "equality" if line % 4 == 3 else "difference",
                        "needed": sizes[1] * 0.8 / now,
                        "metric": "recall@20",
                        "delta": 0.05,
                    }
                )
    return pd.DataFrame(rows).assign(**changes)


def in_print(figure: Any, place: int) -> list[tuple[list[float], list[float]]]:
    """Lines of a panel, without the one at 80 % and the markers."""
    lines = figure.axes[place].lines[1:]
    return [(list(x.get_xdata()), list(x.get_ydata())) for x in lines if len(x.get_xdata()) > 1]


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize("lines", [1, 2, 5, 30])
def test_no_text_meets_another(clashes, lines, width) -> None:
    figure = power_curve_publication(table(lines), width=width)
    assert clashes(figure) == []
    assert figure.get_figwidth() == WIDTHS[width]
    assert len(figure.axes) == 2
    boxes = [axes.get_position() for axes in figure.axes]
    stacked = boxes[0].y0 > boxes[1].y1
    assert stacked == (width == "one")


@pytest.mark.parametrize("lines", [2, 30])
def test_lines_are_the_chances_in_percent(lines) -> None:
    power = table(lines)
    figure, printed = power_curve(power), power_curve_publication(power)
    for place, (axis, key) in enumerate((("seeds", "x"), ("users", "x2"))):
        rows = power[power["axis"] == axis]
        keys = ["recommender", "modality", "kind"]
        wanted = sorted(tuple(100 * own["power"]) for _, own in rows.groupby(keys))
        shown = [t for t in figure.data if t.mode == "lines" and t.hovertext]
        drawn = [t for t in shown if (t.xaxis or "x") == key]
        np.testing.assert_allclose(sorted(t.y for t in drawn), wanted)
        assert {t.x for t in drawn} == {SEEDS if axis == "seeds" else USERS}
        np.testing.assert_allclose(sorted(tuple(y) for _, y in in_print(printed, place)), wanted)
    assert figure.layout.xaxis2.type == "log"
    assert [axes.get_xscale() for axes in printed.axes] == ["linear", "log"]


def test_the_study_as_it_is_has_a_marker_and_80_percent_a_line() -> None:
    figure, printed = power_curve(table(2)), power_curve_publication(table(2))
    marks = [(*t.x, *t.y) for t in figure.data if t.mode == "markers"]
    assert sorted(marks) == [(10, 10), (10, 95), (2345, 10), (2345, 95)]
    assert {shape.y0 for shape in figure.layout.shapes} == {80}
    assert [shape.xref for shape in figure.layout.shapes] == ["x domain", "x2 domain"]
    for axes in printed.axes:
        assert list(axes.lines[0].get_ydata()) == [80, 80]
    points = [x.get_xdata()[0] for x in printed.axes[0].lines if len(x.get_xdata()) == 1]
    assert points == [10, 10]


def test_colour_dash_and_marker_tell_lines_apart_without_colour() -> None:
    printed = power_curve_publication(table(8)).axes[0].lines
    marks = [x for x in printed if len(x.get_xdata()) == 1]
    looks = {(x.get_marker(), x.get_fillstyle()) for x in marks}
    assert len(looks) == 8
    named = [t for t in power_curve(table(8)).data if t.mode == "lines+markers"]
    assert [t.line.color for t in named[:2]] == [IMAGE, TEXT]
    assert [t.line.dash for t in named[:2]] == ["solid", "dash"]
    assert len({t.marker.symbol.removesuffix("-open") for t in named}) == 3


def test_of_many_the_nearest_to_a_decision_are_named_and_the_others_counted() -> None:
    power = table(30)
    power.loc[power["recommender"] == "model-0", "needed"] = np.nan
    figure = power_curve(power)
    names = [t.name for t in figure.data if t.mode == "lines+markers"]
    # Now 0.1 to 0.95: 24 of 30 lie below 0.8, and the upper eight of these are named.
    now = power[power["now"] & (power["axis"] == "seeds")].reset_index(drop=True)
    nearest = now[now["power"] < 0.8].nlargest(8, "power").index
    assert len(names) == 8
    for line, name in zip(sorted(nearest), names):
        assert name.startswith(f"model-{line // 3}, ")
    reached = int((now["power"] >= 0.8).sum())
    words = f"22 others: {reached} reached, {19 - reached} with more, 3 out of reach"
    assert figure.data[-1].name == words
    assert power_curve_description(power).endswith(f"{words}.")
    colours = [t.line.color for t in figure.data if t.mode == "lines" and t.hovertext]
    assert sum(colour.startswith("rgba(127,127,127") for colour in colours) == 2 * 22
    printed = power_curve_publication(power)
    texts = [text.get_text() for text in printed.legends[0].get_texts()]
    assert texts == [*names, words]
    assert len(in_print(printed, 0)) == 30


def test_what_is_reached_or_out_of_reach_is_said() -> None:
    power = table(2)
    power.loc[(power["recommender"] == "model-0") & (power["kind"] == "used"), "needed"] = np.nan
    names = [t.name for t in power_curve(power).data if t.mode == "lines+markers"]
    assert names == ["model-0, image, used ≠: out of reach", "model-0, text, gained ≠: reached"]
    few = table(1)
    few.loc[few["axis"] == "seeds", "needed"] = 13.2
    few.loc[few["axis"] == "users", "needed"] = 12_345.0
    sentence = power_curve_description(few)
    assert "model-0, image, used ≠: 14 seeds or 12,345 users (now 10.0 %)" in sentence


def test_title_subtitle_and_description_state_what_they_stand_on() -> None:
    figure = power_curve(table(5), titles={"model-0": "My model"})
    assert figure.layout.title.text == "Chance of a decision on Recall@20 by size of the study"
    subtitle = figure.layout.title.subtitle.text
    assert "now (markers): 10 seeds and 2,345 users" in subtitle
    assert "≠ difference · = equality within ±5 %" in subtitle
    sentence = power_curve_description(table(5), titles={"model-0": "My model"})
    assert figure.layout.meta["description"] == sentence
    assert "5 comparisons, now 10 seeds and 2,345 users" in sentence
    assert "My model, image" in sentence
    hover = next(t.hovertext[1] for t in figure.data if t.hovertext)
    for part in ("My model, image", "used: real − shuffled (to differ)", "10 seeds (now): 10.0 %"):
        assert part in hover
    assert figure.layout.yaxis.title.text == "Chance of a decision (%)"
    assert figure.layout.xaxis.title.text == "Seeds of every arm, with 2,345 users"


def test_names_from_data_are_text(clashes) -> None:
    evil = "<b onclick=x>&$\\frac{1}{$%{x}" * 3
    figure = power_curve(table(2, recommender=evil))
    shown = [t.name or "" for t in figure.data] + [
        h for t in figure.data for h in t.hovertext or ()
    ]
    assert not any("<b " in text for text in shown)
    assert any("&lt;b " in text for text in shown)
    assert all(t.hovertemplate is None for t in figure.data)
    printed = power_curve_publication(table(2, recommender=evil))
    assert clashes(printed) == []
    # The name is cut, what it takes is not.
    assert all(text.get_text().count("seeds or") or text.get_text().endswith("reached")
               for text in printed.legends[0].get_texts())  # fmt: skip


def test_missing_chances_are_said_and_not_drawn() -> None:
    power = table(3)
    power.loc[power["modality"] == "text", "power"] = np.nan
    power.loc[(power["modality"] == "image") & (power["n"] == SEEDS[-1]), "power"] = np.nan
    power.loc[(power["modality"] == "all") & power["now"], "power"] = np.nan
    figure = power_curve(power)
    lines = [
        t for t in figure.data if t.mode == "lines" and (t.xaxis or "x") == "x" and t.hovertext
    ]
    assert [len(t.x) for t in lines] == [3, 3]
    assert "1 comparison without a value, not drawn" in figure.layout.title.subtitle.text
    assert power_curve_description(power).endswith("; 1 without a value.")
    assert not any("nan" in text for t in figure.data for text in t.hovertext or ())
    power_curve_publication(power).draw_without_rendering()


def test_one_axis_alone_is_one_panel(clashes) -> None:
    power = table(3)
    power = power[power["axis"] == "users"]
    assert "xaxis2" not in power_curve(power).layout.to_plotly_json()
    for width in WIDTHS:
        figure = power_curve_publication(power, width=width)
        assert len(figure.axes) == 1
        assert clashes(figure) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"axis": "items"}, "no axis 'items'"),
        ({"test": "trend"}, "no test 'trend'"),
        ({"kind": "best"}, "no comparison 'best'"),
        ({"modality": "sound"}, "no modality 'sound'"),
        ({"power": 1.2}, "between 0 and 1"),
        ({"power": np.nan}, "nothing to draw"),
        ({"n": 0}, "above 0"),
        ({"now": False}, "one of them as the study's own; it has 0"),
        ({"now": True}, "it has 4"),
        ({"metric": "nothing@10"}, "nothing"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, words) -> None:
    for draw in (power_curve, power_curve_publication, power_curve_description):
        with pytest.raises(InputError, match=words):
            draw(table(1, **change))


def test_wrong_tables_are_refused() -> None:
    with pytest.raises(InputError, match="chances has no column 'needed'"):
        power_curve(table(1).drop(columns="needed"))
    two = pd.concat([table(1), table(1, metric="ndcg@10")])
    with pytest.raises(InputError, match="more than one metric"):
        power_curve(two)
    with pytest.raises(InputError, match="nothing to draw"):
        power_curve(table(1).iloc[:0])
    with pytest.raises(InputError, match="no width 'three'"):
        power_curve_publication(table(1), width="three")


@pytest.mark.parametrize("format", FORMATS)
def test_it_can_be_saved(format) -> None:
    files = [save(power_curve_publication(table(30)), format) for _ in "ab"]
    assert files[0] == files[1]
    assert len(files[0]) > 1000
