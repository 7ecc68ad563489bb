import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmrec_core.domain import InputError
from mmrec_core.figures import palette, words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.01234, "0.0123"),
        (0.1, "0.100"),
        (9.996, "10.0"),
        (0.9996, "1.00"),
        (-12.34, "−12.3"),
        (12345.0, "12,300"),
        (0.0, "0"),
        (-0.0, "0"),
        (1.5e-9, "1.50e-09"),
        (math.nan, "–"),
        (math.inf, "–"),
        (None, "–"),
    ],
)
def test_three_significant_digits(value: float | None, text: str) -> None:
    assert words.three(value) == text


@given(st.floats(1e-6, 1e12) | st.floats(-1e12, -1e-6))
def test_a_number_in_words_is_within_half_of_its_third_digit(value: float) -> None:
    text = words.three(value, sign=True)
    assert text[0] == ("−" if value < 0 else "+")
    read = float(text[1:].replace(",", "")) * (-1 if value < 0 else 1)
    assert read == pytest.approx(value, rel=0.00501)


def test_percent_p_and_interval() -> None:
    assert words.percent(0.1234) == "+12.3 %"
    assert words.percent(-0.004, sign=False) == "−0.400 %"
    assert words.p_value(0.0004) == "< 0.001"
    assert words.p_value(0.0456) == "0.0456"
    assert words.p_value(math.nan) == "–"
    assert words.interval(-0.01, 0.2, as_percent=True) == "[−1.00, 20.0]"
    assert words.interval(math.nan, None) == "[–, –]"


def test_counts_in_words() -> None:
    assert words.count([1], "user", "users") == "1 user"
    assert words.count([1200, 1100, 1100], "user", "users") == "1,100–1,200 users"
    assert words.count([math.nan], "user", "users") == ""


def test_names_are_text_on_one_line() -> None:
    assert words.clean("a\n\tb\x00 c") == "a b c"
    assert words.escaped("<b>&x</b>\n") == "&lt;b&gt;&amp;x&lt;/b&gt;"
    assert words.shorten("abcdef", 4) == "abc…"


@pytest.mark.parametrize("missing", [None, math.nan, pd.NA, np.float64("nan")])
def test_a_missing_cell_is_nan(missing: object) -> None:
    assert math.isnan(words.number(missing))


@pytest.mark.parametrize("bad", [[], [[1, 2]], [1.5], [-1], ["a"], [math.nan]])
def test_counts_that_are_none_are_refused(bad: list[object]) -> None:
    with pytest.raises(InputError, match="interactions"):
        words.whole_numbers(bad, "interactions")


def test_every_kind_modality_and_tone_looks_different() -> None:
    controls = [
        "identity", "gaussian-unit", "gaussian-matched", "mean", "shuffle-within-category",
        "shuffle-within-popularity", "other-modality",
    ]  # fmt: skip
    kinds = [*palette.KIND_LABELS, *(f"over_{control}" for control in controls)]
    markers = [palette.kind_marker(kind) for kind in kinds]
    assert len(set(markers)) == len(kinds)
    assert len({(m.matplotlib, m.hollow) for m in markers}) == len(kinds)
    # The picture and the title in a joint matrix have the colours of picture and words.
    inputs = {"input-picture": "image", "input-title": "text"}
    colours = palette.MODALITY_COLOURS
    assert all(colours[name] == colours[modality] for name, modality in inputs.items())
    assert len(set(colours.values())) == len(colours) - len(inputs)
    assert len(set(palette.MODALITY_LABELS.values())) == len(palette.MODALITY_LABELS)
    assert len(set(palette.TONES.values())) == len(palette.TONES)
    assert palette.kind_label("over_identity") == "real − identity"
    assert palette.kind_label("used") == "used: real − shuffled"


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_symbols_on_chips_and_the_whole_model_have_contrast() -> None:
    for style in palette.TONES.values():
        if style.fill:
            assert contrast(style.fill, style.ink or "") >= 4.5
    assert contrast(palette.WHOLE_MODEL, "#FFFFFF") >= 4.5
    assert contrast(palette.WHOLE_MODEL, "#12161B") >= 3


@pytest.mark.parametrize(
    "ask",
    [
        lambda: palette.modality_colour("sound"),
        lambda: palette.modality_label("sound"),
        lambda: palette.kind_label("better"),
        lambda: palette.tone_style("loud"),
    ],
)
def test_unknown_names_are_refused_and_the_known_listed(ask) -> None:
    with pytest.raises(InputError, match="Known: "):
        ask()
