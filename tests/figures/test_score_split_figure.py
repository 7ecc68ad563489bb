import numpy as np
import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    FORMATS,
    html,
    save,
    score_split,
    score_split_description,
    score_split_publication,
)
from mmrec_core.figures.palette import COLLABORATIVE, IMAGE, JOINT, TEXT
from mmrec_core.figures.paper import WIDTHS
from mmrec_core.figures.screen import CLEAR

ROWS = [
    ("collaborative", -1.1, -1.3),
    ("image", 0.02, -0.1),
    ("text", 1.7, 1.6),
    ("joint", 0.3, 0.2),
    ("image x text", -0.4, 0.15),
    ("none x image", 0.25, 0.05),
    ("popularity", -0.75, 0.5),
]
WORDS = ("Blue floral mug", "u12", "VBPR")
LONG = (
    "a title that somebody wrote out at length for search engines " * 3,
    "A2SUAM1J3GNN3B" * 3,
    "a recommender whose name somebody made much too long",
)
MODES = {"score": "value", "average": "against_average"}


def table(rows=ROWS) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["part", "value", "against_average"])


def screen_bars(figure) -> list:
    return [trace for trace in figure.data if trace.type == "bar"]


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "rows",
    [ROWS, ROWS[:1], [("whole", 5.2, -1.2)], [("chance", 0.0, 0.0)], [("image", -1e-6, 3e7)]],
)
@pytest.mark.parametrize("words", [WORDS, LONG])
def test_no_text_meets_another(clashes, rows, mode, width, words) -> None:
    figure = score_split_publication(table(rows), *words, mode, 1187, width=width)
    assert clashes(figure) == []
    assert figure.get_figwidth() == WIDTHS[width]
    assert len(figure.axes) == 1


def test_many_parts_have_room(clashes) -> None:
    modalities = ("image", "text", "joint", "collaborative")
    rows = [
        (m if m == other else f"{m} x {other}", 0.3 - 0.05 * i, 0.1 * j - 0.1)
        for i, m in enumerate(modalities)
        for j, other in enumerate(modalities)
    ]
    figure = score_split_publication(table(rows), *WORDS)
    assert clashes(figure) == []
    assert figure.get_figheight() < 5
    assert "and 8 smaller parts" in score_split_description(table(rows), *WORDS)


@pytest.mark.parametrize("mode", MODES)
def test_each_bar_begins_where_the_last_ended(mode) -> None:
    values = table()[MODES[mode]].to_numpy()
    starts = np.concatenate([[0], np.cumsum(values)[:-1], [0]])
    sizes = np.concatenate([values, [values.sum()]])
    bars = screen_bars(score_split(table(), *WORDS, mode))
    np.testing.assert_allclose([bar.base[0] for bar in bars], starts, atol=1e-12)
    np.testing.assert_allclose([bar.x[0] for bar in bars], sizes)
    assert [bar.y[0] for bar in bars] == sorted(bar.y[0] for bar in bars)
    patches = score_split_publication(table(), *WORDS, mode).axes[0].patches
    # A bar to the left has a negative width.
    np.testing.assert_allclose([patch.get_x() for patch in patches], starts, atol=1e-12)
    np.testing.assert_allclose([patch.get_width() for patch in patches], sizes)


def test_numbers_stand_at_the_bars_and_not_on_the_zero_line() -> None:
    figure = score_split(table(), *WORDS)
    written = figure.data[-1]
    assert [text.strip("\u00a0") for text in written.text] == [
        "−1.10", "+0.0200", "+1.70", "+0.300", "−0.400", "+0.250", "−0.750", "+0.0200",
    ]  # fmt: skip
    bars = screen_bars(figure)
    for bar, x, place in zip(bars, written.x, written.textposition, strict=True):
        ends = sorted((bar.base[0], bar.base[0] + bar.x[0]))
        # Outside the bar, on its side.
        assert x == pytest.approx(ends[1 if place.endswith("right") else 0])
    # The last part falls to just above 0, so its number stands where it began.
    assert written.textposition[-2] == "middle right"
    low, high = figure.layout.xaxis.range
    assert low < -1.1 and high > 0.92


def test_modalities_have_their_colours_and_pairs_have_both() -> None:
    bars = screen_bars(score_split(table(), *WORDS))
    assert [bar.marker.color for bar in bars[:4]] == [COLLABORATIVE, IMAGE, TEXT, JOINT]
    pair = bars[4].marker.pattern
    assert (pair.bgcolor, pair.fgcolor, pair.shape) == (IMAGE, TEXT, "/")
    assert bars[5].marker.pattern.bgcolor == COLLABORATIVE
    assert bars[6].marker.color == CLEAR  # popularity belongs to no modality
    patches = score_split_publication(table(), *WORDS).axes[0].patches
    assert len({patch.get_hatch() for patch in patches[:4]}) == 4
    from matplotlib.colors import to_hex

    both = to_hex(patches[4].get_facecolor()), to_hex(patches[4].get_edgecolor())
    assert both == (IMAGE.lower(), TEXT.lower())


def test_the_axis_names_parts_and_total() -> None:
    score = score_split(table(), *WORDS)
    assert score.layout.yaxis.ticktext[4:] == (
        "image × text", "collaborative × image", "popularity", "<b>score</b>",
    )  # fmt: skip
    assert score.layout.xaxis.title.text == "Score, on VBPR's own scale"
    average = score_split_publication(table(), *WORDS, "average").axes[0]
    assert average.get_yticklabels()[-1].get_text() == "score − average"


def test_description_and_hover_hold_the_numbers() -> None:
    figure = score_split(table(), *WORDS, "score", 1187)
    sentence = score_split_description(table(), *WORDS, "score", 1187)
    assert figure.layout.meta["description"] == sentence
    assert sentence == (
        "VBPR: what the score of “Blue floral mug” is made of, 1 recommendation, user u12, 1,187 "
        "ranked items, exact sum, no interval: collaborative −1.10; image +0.0200; text +1.70; "
        "joint +0.300; image × text −0.400; collaborative × image +0.250; popularity −0.750; "
        "score +0.0200."
    )
    assert figure.layout.title.subtitle.text == (
        "1 recommendation, user u12 · 1,187 ranked items · exact sum, no interval"
    )
    average = score_split(table(), *WORDS, "average", 1187)
    assert "average of 1,187 ranked items" in average.layout.title.subtitle.text
    hover = screen_bars(average)[2].hovertext[0].split("<br>")
    assert hover == [
        "text: +1.60", "in the score +1.70", "in the average item's score +0.100",
        "against the average +1.60", "the sum so far +0.200", "“Blue floral mug”, user u12",
    ]  # fmt: skip
    pair = screen_bars(figure)[5].hovertext[0]
    assert "the user's collaborative side times the item's image side" in pair
    whole = score_split_description(table([("whole", 5.2, 1.2)]), *WORDS)
    assert "not split by modality, no interval: whole model +5.20; score +5.20" in whole


def test_a_long_title_is_cut_on_screen_and_whole_in_words() -> None:
    figure = score_split(table(), LONG[0], *WORDS[1:])
    assert len(figure.layout.title.text) <= 68
    assert LONG[0].strip() in figure.layout.meta["title"]
    assert LONG[0].strip() in figure.layout.meta["description"]


def test_text_has_the_colour_of_the_page() -> None:
    figure = score_split(table(), *WORDS)
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == CLEAR
    assert figure.layout.font.color is None
    assert figure.data[-1].textfont.color is None


def test_names_from_data_are_text(clashes) -> None:
    evil = "<b>$x^2$</b>"
    odd = table([(evil, 1.0, 0.5), ("image", 0.5, 0.2)])
    figure = score_split(odd, evil, evil, evil)
    shown = [figure.layout.title.text, figure.layout.title.subtitle.text, figure.data[0].name]
    shown += [figure.layout.yaxis.ticktext[0], figure.layout.xaxis.title.text]
    shown += [text for bar in screen_bars(figure) for text in bar.hovertext]
    assert not any("<b>$" in text for text in shown)
    assert "<b>$" not in html(figure).partition("<style>")[0]
    printed = score_split_publication(odd, evil, evil, evil)
    assert clashes(printed) == []
    assert evil in [text.get_text() for text in printed.axes[0].get_yticklabels()]


@pytest.mark.parametrize(
    ("split", "mode", "words"),
    [
        (table().drop(columns="against_average"), "score", "no column 'against_average'"),
        (table([]), "score", "no parts"),
        (table([*ROWS, ROWS[0]]), "score", "part of collaborative is there twice"),
        (table([("image", np.nan, 0.1)]), "score", "image has no value"),
        (table(), "sum", "Known: score, average"),
    ],
)
def test_what_cannot_be_drawn_is_refused(split, mode, words) -> None:
    for draw in (score_split, score_split_publication, score_split_description):
        with pytest.raises(InputError, match=words):
            draw(split, *WORDS, mode)


def test_there_are_two_widths() -> None:
    with pytest.raises(InputError, match="no width 'three'"):
        score_split_publication(table(), *WORDS, width="three")


@pytest.mark.parametrize("format", FORMATS)
def test_it_can_be_saved(format) -> None:
    first, second = (save(score_split_publication(table(), *WORDS), format) for _ in "ab")
    assert first == second
