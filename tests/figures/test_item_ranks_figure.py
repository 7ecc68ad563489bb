import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    FORMATS,
    html,
    item_ranks,
    item_ranks_description,
    item_ranks_publication,
    save,
)
from mmrec_core.figures.palette import IMAGE, TEXT, WHOLE_MODEL
from mmrec_core.figures.paper import WIDTHS

COLUMNS = [
    "setting", "modality", "n_users", "first_decile", "first_quartile", "median", "last_quartile",
    "last_decile", "in_top_20",
]  # fmt: skip
ROWS = [
    ("as trained", "none", 1480, 12.0, 40.0, 120.5, 300.0, 800.0, 0.1523),
    ("pictures shuffled", "image", 1480, 90.0, 200.0, 420.0, 700.0, 1050.0, 0.02),
    ("pictures made noise", "image", 1480, 100.0, 220.0, 450.0, 720.0, 1100.0, 0.0),
    ("pictures removed", "image", 1480, 1.0, 1.0, 1.0, 2.0, 5.0, 1.0),
    ("words shuffled", "text", 1480, 20.0, 60.0, 160.0, 390.0, 870.0, 0.1),
]
WORDS = ("Blue floral mug", "VBPR")
LONG = (
    "a title that somebody wrote out at length for search engines " * 3,
    "a recommender whose name somebody made much too long",
)


def table(rows=ROWS) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


HUGE = [("as trained", "none", 9, 1e3, 1e4, 5e4, 2e5, 4e5, 0.0)]


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], ROWS[3:4], HUGE])
@pytest.mark.parametrize("words", [WORDS, LONG])
def test_no_text_meets_another(clashes, rows, words, width) -> None:
    figure = item_ranks_publication(table(rows), *words, width=width)
    assert clashes(figure) == []
    assert figure.get_figwidth() == WIDTHS[width]


def test_marks_are_deciles_quartiles_and_medians() -> None:
    figure = item_ranks(table(), *WORDS)
    outer, inner, middle = (figure.data[at::3] for at in range(3))
    for row, line, bar, point in zip(ROWS, outer, inner, middle, strict=True):
        _, _, _, first, lower, median, upper, last, _ = row
        assert (line.x, bar.x, point.x) == ((first, last), (lower, upper), (median,))
        assert line.line.width < bar.line.width
    assert [point.marker.color for point in middle] == [WHOLE_MODEL, IMAGE, IMAGE, IMAGE, TEXT]
    heights = [point.y[0] for point in middle]
    assert heights == sorted(heights)
    printed = item_ranks_publication(table(), *WORDS).axes[0]
    drawn = [list(line.get_xdata()) for line in printed.lines[1:]]
    assert drawn[:3] == [[12.0, 800.0], [40.0, 300.0], [120.5]]
    assert printed.get_xscale() == "log"


def test_rank_20_is_ruled_and_shares_stand_beside_the_rows() -> None:
    figure = item_ranks(table(), *WORDS)
    assert figure.layout.shapes[0].x0 == figure.layout.shapes[0].x1 == 20
    low, high = figure.layout.xaxis.range
    assert 10**low < 1 and 10**high > 1100
    words = [note.text for note in figure.layout.annotations]
    assert words == ["15.2 %", "2.00 %", "0 %", "100 %", "10.0 %", "first 20"]
    texts = [text.get_text() for text in item_ranks_publication(table(), *WORDS).axes[0].texts]
    assert set(words) <= set(texts)


def test_title_units_n_and_description() -> None:
    figure = item_ranks(table(), *WORDS)
    assert figure.layout.title.text == "VBPR: where “Blue floral mug” ranks under each control"
    assert figure.layout.title.subtitle.text == (
        "1,480 users · point: median, bar: half of the users, line: four fifths · "
        "nothing trained again"
    )
    assert "1 is the best" in figure.layout.xaxis.title.text
    sentence = item_ranks_description(table(), *WORDS)
    assert figure.layout.meta["description"] == sentence
    assert "ranks over 1,480 users" in sentence
    assert (
        "as trained: median 120.5, four fifths of the users from 12 to 800, among the first 20 "
        "of 15.2 % of them"
    ) in sentence
    alone = item_ranks(table(ROWS[:1]), *WORDS)
    assert alone.layout.title.text == "VBPR: where “Blue floral mug” ranks"
    assert "trained again" not in alone.layout.title.subtitle.text


def test_hover_holds_every_number() -> None:
    assert item_ranks(table(), *WORDS).data[2].hovertext[0].split("<br>") == [
        "as trained", "median rank 120.5", "half of the users from 40 to 300",
        "four fifths from 12 to 800", "among the first 20 of 15.2 % of 1,480 users",
    ]  # fmt: skip


def test_names_from_data_are_text(clashes) -> None:
    evil = table().assign(setting=[f"<b>$x^{at}$" for at in range(5)])
    figure = item_ranks(evil, "<i>$\\frac{", "<script>")
    assert "<script>" not in figure.layout.title.text
    assert not any("<b>" in label for label in figure.layout.yaxis.ticktext)
    assert not any("<b>" in trace.hovertext[0] for trace in figure.data)
    assert clashes(item_ranks_publication(evil, "<i>$\\frac{", "$x$")) == []


@pytest.mark.parametrize(
    ("ranks", "words"),
    [
        (table().drop(columns="median"), "no column 'median'"),
        (table([]), "no user could be shown the item"),
        (table([ROWS[0], ROWS[0]]), "ranks of as trained is there twice"),
        (table().assign(median=0.5), "must be numbers from 1 up"),
        (table().assign(last_decile=float("nan")), "must be numbers from 1 up"),
        (table().assign(in_top_20=15.0), "between 0 and 1"),
        (table().assign(modality="sound"), "no modality 'sound'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(ranks, words) -> None:
    for draw in (item_ranks, item_ranks_publication, item_ranks_description):
        with pytest.raises(InputError, match=words):
            draw(ranks, *WORDS)


@pytest.mark.parametrize("format", FORMATS)
def test_it_can_be_saved(format) -> None:
    first, second = (save(item_ranks_publication(table(), *WORDS), format) for _ in "ab")
    assert first == second
    assert "Blue floral mug" in html(item_ranks(table(), *WORDS))
