import numpy as np
import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    FORMATS,
    save,
    shapley_bars,
    shapley_bars_description,
    shapley_bars_publication,
)
from mmrec_core.figures.palette import IMAGE, TEXT
from mmrec_core.figures.paper import WIDTHS

NAMES = ["VBPR", "FREEDOM", "a recommender whose name somebody made much too long"] + [
    f"model {number}" for number in range(27)
]


def table(recommenders: int, players=("image", "text")) -> pd.DataFrame:
    rng = np.random.default_rng([recommenders])
    rows = []
    for name in NAMES[:recommenders]:
        values = {"empty": 0.0562} | {part: rng.normal(0, 0.02) for part in players}
        if len(players) == 2:
            values["interaction"] = rng.normal(0, 0.01)
        values["all"] = 0.0906
        rows += [
            {
                "recommender": name,
                "part": part,
                "value": value,
                "low": value - 0.003,
                "high": value + 0.005,
                "p": 0.0123,
                "n_users": 12345,
                "seeds": 5,
                "metric": "recall@20",
            }
            for part, value in values.items()
        ]
    return pd.DataFrame(rows)


def drawn(shapley: pd.DataFrame) -> pd.DataFrame:
    return shapley[~shapley["part"].isin(["empty", "all"])]


def screen_bars(figure) -> list:
    return [t for t in figure.data if t.type == "bar"]


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize("recommenders", [1, 2, 5, 30])
def test_no_text_meets_another(clashes, recommenders, width) -> None:
    figure = shapley_bars_publication(table(recommenders), "recall@20", width=width)
    assert clashes(figure) == []
    assert figure.get_figwidth() == WIDTHS[width]
    assert figure.get_figheight() <= 11.7


@pytest.mark.parametrize("width", ["one", "two"])
def test_no_text_meets_another_with_every_player(clashes, width) -> None:
    shapley = table(6, ("image", "text", "joint", "id"))
    assert clashes(shapley_bars_publication(shapley, "recall@20", width=width)) == []


def test_bars_and_whiskers_are_the_numbers() -> None:
    shapley = table(4)
    wanted = sorted(map(tuple, drawn(shapley)[["value", "low", "high"]].to_numpy()))
    bars = screen_bars(shapley_bars(shapley, "recall@20"))
    found = sorted(
        (x, x - minus, x + plus)
        for t in bars
        for x, minus, plus in zip(t.x, t.error_x.arrayminus, t.error_x.array)
    )
    np.testing.assert_allclose(found, wanted)
    printed = shapley_bars_publication(shapley, "recall@20").axes[0]
    np.testing.assert_allclose(
        sorted(patch.get_width() for patch in printed.patches), [value for value, *_ in wanted]
    )
    ends = sorted(
        tuple(segment[:, 0])
        for bars in printed.containers
        if hasattr(bars, "has_xerr")
        for lines in bars[2]
        for segment in lines.get_segments()
    )
    np.testing.assert_allclose(ends, sorted((low, high) for _, low, high in wanted))


def test_values_of_nothing_and_of_all_are_said_not_drawn() -> None:
    shapley = table(2)
    figure = shapley_bars(shapley, "recall@20", titles={"VBPR": "My VBPR"})
    assert figure.layout.annotations[0].text == "<b>My VBPR</b>  0.0562 without, 0.0906 with all"
    assert [t.name for t in screen_bars(figure)] == ["image", "text", "interaction"]
    printed = shapley_bars_publication(shapley, "recall@20").axes[0]
    assert [t.get_text() for t in printed.texts][:2] == [
        "VBPR", "0.0562 without, 0.0906 with all"
    ]  # fmt: skip
    gone = shapley[shapley["part"] != "empty"]
    assert "(– without, 0.0906 with all)" in shapley_bars_description(gone, "recall@20")


def test_players_are_told_apart_in_grey_and_the_interaction_is_outlined() -> None:
    printed = shapley_bars_publication(table(1), "recall@20").axes[0]
    image, text, both = printed.patches
    assert image.get_hatch() != text.get_hatch()
    assert both.get_facecolor()[3] == 0
    assert both.get_hatch() is None
    bars = screen_bars(shapley_bars(table(1), "recall@20"))
    assert [t.marker.color for t in bars] == [IMAGE, TEXT, "rgba(0,0,0,0)"]
    assert [text.get_text() for text in printed.get_yticklabels()] == [
        "image", "text", "interaction"
    ]  # fmt: skip


def test_description_hover_and_axis_hold_the_numbers() -> None:
    shapley = table(1)
    shapley["value"] = [0.0562, 0.02, 0.0144, -0.004, 0.0906]
    figure = shapley_bars(shapley, "recall@20")
    sentence = shapley_bars_description(shapley, "recall@20")
    assert figure.layout.meta["description"] == sentence
    assert "12,345 users, 5 seeds, 95 % intervals" in sentence
    assert "image +0.0200, text +0.0144, interaction −0.00400 (redundancy)" in sentence
    assert figure.layout.xaxis.title.text == "Shapley value, in units of Recall@20"
    hover = screen_bars(figure)[0].hovertext[0]
    for part in ("VBPR, image +0.0200", "p 0.0123", "12,345 users", "5 seeds", "95 % interval ["):
        assert part in hover
    assert "and 24 more" in shapley_bars_description(table(30), "recall@20")
    alone = shapley_bars_description(table(1, ("image", "text", "id")), "recall@20")
    assert "interaction" not in alone


def test_missing_values_are_said_and_not_drawn(clashes) -> None:
    shapley = table(2)
    shapley.loc[1, ["value", "low", "high"]] = np.nan
    figure = shapley_bars(shapley, "recall@20")
    assert sum(len(t.x) for t in screen_bars(figure)) == 5
    (said,) = [t for t in figure.data if t.type == "scatter"]
    assert said.text == ("no value",)
    assert "image: no value" in said.hovertext[0]
    assert "image: no value" in shapley_bars_description(shapley, "recall@20")
    printed = shapley_bars_publication(shapley, "recall@20")
    assert clashes(printed) == []
    assert len(printed.axes[0].patches) == 5
    assert " no value" in [text.get_text() for text in printed.axes[0].texts]
    none = shapley.assign(value=np.nan, low=np.nan, high=np.nan)
    assert clashes(shapley_bars_publication(none, "recall@20")) == []
    assert len(shapley_bars(none, "recall@20").data) == 1


def test_a_value_without_an_interval_is_drawn_and_said(clashes) -> None:
    shapley = table(1)
    shapley.loc[1, ["low", "high"]] = np.nan
    figure = shapley_bars(shapley, "recall@20")
    assert "1 without an interval" in figure.layout.title.subtitle.text
    assert "nan" not in screen_bars(figure)[0].hovertext[0]
    printed = shapley_bars_publication(shapley, "recall@20")
    assert clashes(printed) == []
    assert len(printed.axes[0].patches) == 3


def test_names_from_data_are_text(clashes) -> None:
    evil = "<i>$x$</i>"
    shapley = table(1).assign(recommender=evil)
    figure = shapley_bars(shapley, "recall@20")
    shown = [n.text for n in figure.layout.annotations]
    shown += [text for t in screen_bars(figure) for text in t.hovertext]
    assert not any("<i>" in text for text in shown)
    printed = shapley_bars_publication(shapley, "recall@20")
    assert clashes(printed) == []
    assert evil in [text.get_text() for text in printed.axes[0].texts]


def test_what_cannot_be_drawn_is_refused() -> None:
    shapley = table(2)
    for draw in (shapley_bars, shapley_bars_publication, shapley_bars_description):
        with pytest.raises(InputError, match="no Shapley value of ndcg@10"):
            draw(shapley, "ndcg@10")
    with pytest.raises(InputError, match="no column 'part'"):
        shapley_bars(shapley.drop(columns="part"), "recall@20")
    with pytest.raises(InputError, match="no part 'smell'"):
        shapley_bars(shapley.replace({"part": {"text": "smell"}}), "recall@20")
    with pytest.raises(InputError, match="The part of VBPR, empty is there twice"):
        shapley_bars(pd.concat([shapley] * 2), "recall@20")
    with pytest.raises(InputError, match="no width 'three'"):
        shapley_bars_publication(shapley, "recall@20", width="three")


@pytest.mark.parametrize("format", FORMATS)
def test_it_can_be_saved(format) -> None:
    assert len(save(shapley_bars_publication(table(2), "recall@20"), format)) > 1000
