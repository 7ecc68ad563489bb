"""What all publication figures share: ticks, names over rows, panels."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mmrec_core.figures.screen as screen_module
from mmrec_core.figures import (
    arms_plot_publication,
    effect_plot_publication,
    long_tail_publication,
    user_activity_publication,
)
from mmrec_core.figures.paper import WIDTHS, panels, sheet, text_width, wrap
from mmrec_core.figures.screen import screen
from mmrec_core.figures.words import log_ticks


def shown(axis) -> list[str]:
    axis.figure.draw_without_rendering()
    return [tick.label1.get_text() for tick in axis._update_ticks() if tick.label1.get_text()]


@pytest.mark.parametrize(
    ("low", "high", "labels", "wanted"),
    [
        (1, 10, 5, [1, 2, 5, 10]),
        (1, 10_000, 5, [1, 10, 100, 1000, 10_000]),
        (500, 50_000, 5, [1000, 3000, 10_000, 30_000]),
        (0.01, 100_000, 4, [0.01, 1, 100, 10_000]),
        (4, 9, 5, [4, 6, 8]),
        (2100, 2400, 5, [2100, 2200, 2300, 2400]),
    ],
)
def test_ticks_of_a_logarithmic_axis_are_round_and_apart(low, high, labels, wanted) -> None:
    np.testing.assert_allclose(log_ticks(low, high, labels), wanted)


def test_small_counts_have_whole_numbers_at_their_ticks() -> None:
    tail = long_tail_publication([2, 1]).axes[0]
    assert shown(tail.xaxis) == shown(tail.yaxis) == ["1", "2"]
    users = user_activity_publication([5, 6]).axes[0]
    assert shown(users.xaxis) == ["5", "6"]
    assert shown(users.yaxis) == ["0", "1"]


def test_a_number_keeps_its_percent_sign_on_its_line() -> None:
    # As wide as the line would be that ends with the number.
    lines = wrap("items that hold 80 % of interactions", text_width("items that hold 80", 6.5), 6.5)
    assert not any(line.startswith("%") for line in lines)
    assert " ".join(lines) == "items that hold 80 % of interactions"


def test_a_short_label_does_not_cut_the_name_over_it(arms, clashes) -> None:
    figure = arms_plot_publication(arms[arms["control"].isin(["real", "none"])], "recall@20")
    assert "freedom" in [text.get_text() for text in figure.axes[0].texts]
    assert clashes(figure) == []


@pytest.mark.parametrize("width", ["one", "two"])
def test_a_plot_higher_than_a_page_has_its_numbers_at_both_ends(effects, clashes, width) -> None:
    comparisons, verdicts = effects(30)
    many = [
        tuple(t.assign(recommender=t["recommender"] + f" {copy}") for t in (comparisons, verdicts))
        for copy in range(3)
    ]
    figure = effect_plot_publication(
        *(pd.concat(tables) for tables in zip(*many)), "recall@20", 0.05, width=width
    )
    assert clashes(figure) == []
    assert figure.axes[0].xaxis.get_tick_params()["labeltop"]
    page = effect_plot_publication(comparisons, verdicts, "recall@20", 0.05, width="two")
    assert not page.axes[0].xaxis.get_tick_params()["labeltop"]


@pytest.mark.parametrize("number", [1, 2, 5, 30])
def test_panels_fill_the_place_and_do_not_meet(number) -> None:
    made = sheet("one", "Title", "Sub", "Words.", body=3, left=0.5, x_label="x")
    cut = panels(made, number, 3, above=0.15, below=0.05, between=0.1)
    assert len(cut) == len(made.figure.axes) == number
    boxes = [each.axes.get_position() for each in cut]
    assert max(box.x1 for box in boxes) <= 1 - 0.1 / WIDTHS["one"]
    assert all(not a.overlaps(b) for index, a in enumerate(boxes) for b in boxes[index + 1 :])
    assert boxes[0].width * WIDTHS["one"] == pytest.approx(cut[0].axes_width)


def test_interactive_figures_look_as_in_the_whole_white_template() -> None:
    """Only the part of it that they read is taken along: see to it when a new kind is drawn."""
    import plotly.io as pio

    figures = Path(screen_module.__file__).parent
    drawn = {
        name.lower()
        for file in figures.glob("*.py")
        for name in re.findall(r"\bgo\.([A-Z]\w+)\(", file.read_text("utf-8"))
    }
    taken = screen("", "", "", height=100).layout.template.to_plotly_json()
    white = pio.templates["plotly_white"].to_plotly_json()
    assert drawn - {"figure"} == set(taken["data"])
    assert all(taken["data"][kind] == white["data"][kind] for kind in taken["data"])
    assert all(white["layout"][name] == own for name, own in taken["layout"].items())
    assert {"xaxis", "yaxis", "font", "hovermode", "colorway"} <= set(taken["layout"])
