import numpy as np
import pandas as pd
import pytest

from mmrec_core.domain import InputError
from mmrec_core.figures import (
    FORMATS,
    modality_gap,
    modality_gap_description,
    modality_gap_publication,
    save,
)
from mmrec_core.figures.palette import modality_colour


def table(n: int, gap: float = 0.8) -> pd.DataFrame:
    rng = np.random.default_rng([n])
    return pd.DataFrame(
        {
            "modality": ["image"] * n + ["text"] * n,
            "position": np.r_[rng.normal(0, 0.1, n), rng.normal(gap, 0.13, n)],
        }
    )


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize(("n", "gap"), [(1, 0.8), (3, 0.0), (500, 0.05), (5000, 0.8)])
def test_no_text_meets_another(clashes, n, gap, width) -> None:
    figure = modality_gap_publication(table(n, gap), gap, 0.998, space="CLIP", width=width)
    assert clashes(figure) == []


def test_shares_are_those_of_each_modality() -> None:
    positions = pd.concat([table(200), table(40)])
    figure = modality_gap(positions, 0.8, 0.99)
    for trace, modality in zip(figure.data, ("image", "text")):
        assert sum(trace.y) == pytest.approx(100)
        assert trace.line.color == modality_colour(modality)
    assert figure.data[0].line.dash != figure.data[1].line.dash
    printed = modality_gap_publication(positions, 0.8, 0.99)
    for patch in printed.axes[0].patches:
        assert sum(patch.get_data().values) == pytest.approx(100)


def test_the_bracket_joins_the_means() -> None:
    positions = table(300)
    means = positions.groupby("modality")["position"].mean().tolist()
    figure = modality_gap(positions, 0.812, 0.99)
    assert [figure.layout.shapes[0].x0, figure.layout.shapes[0].x1] == pytest.approx(means)
    assert figure.layout.annotations[0].text == "gap 0.812"
    printed = modality_gap_publication(positions, 0.812, 0.99)
    assert list(printed.axes[0].lines[-1].get_xdata()) == pytest.approx(means)
    assert "gap 0.812" in [text.get_text() for text in printed.axes[0].texts]


def test_subtitle_and_description_hold_the_numbers() -> None:
    figure = modality_gap(table(300), 0.812, 0.998, {"image": "pictures"}, space="CLIP <b>")
    assert figure.layout.title.text == "Modality gap of CLIP &lt;b&gt;"
    assert figure.layout.title.subtitle.text == (
        "300 items each · linear probe tells them apart in 99.8 % of cases (largest side: 50.0 %)"
    )
    sentence = modality_gap_description(table(300), 0.812, None, {"image": "pictures"})
    assert "the means of pictures and text are 0.812 apart" in sentence
    assert sentence.endswith("no probe.")


def test_missing_positions_are_said() -> None:
    positions = table(300)
    positions.loc[:9, "position"] = np.nan
    assert "10 without a position" in modality_gap(positions, 1.0, 0.9).layout.title.subtitle.text
    assert "10 items without a position" in modality_gap_description(positions, 1.0, 0.9)


def test_names_from_data_are_text(clashes) -> None:
    evil = {"image": "<b>$x^2$</b>", "text": "$\\frac{"}
    figure = modality_gap(table(30), 0.8, 0.9, evil, space="<i>")
    assert not any("<b>" in trace.name + "".join(trace.hovertext) for trace in figure.data)
    printed = modality_gap_publication(table(30), 0.8, 0.9, evil, space="$x$" * 40)
    assert clashes(printed) == []
    assert any(evil["text"] in text.get_text() for text in printed.legends[0].get_texts())


@pytest.mark.parametrize(
    ("positions", "gap", "accuracy", "words"),
    [
        (table(3).drop(columns="position"), 1.0, 0.9, "no column 'position'"),
        (table(3).assign(modality="image"), 1.0, 0.9, "the table has 1: image"),
        (table(3).assign(position=np.nan), 1.0, 0.9, "the table has 0: none"),
        (table(3).replace("text", "sound"), 1.0, 0.9, "no modality 'sound'"),
        (table(3), -1.0, 0.9, "gap is -1"),
        (table(3), 1.0, 90, "between 0 and 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(positions, gap, accuracy, words) -> None:
    for draw in (modality_gap, modality_gap_publication, modality_gap_description):
        with pytest.raises(InputError, match=words):
            draw(positions, gap, accuracy)


@pytest.mark.parametrize("format", FORMATS)
def test_it_can_be_saved(format) -> None:
    first, second = (save(modality_gap_publication(table(50), 0.8, 0.9), format) for _ in "ab")
    assert first == second
