from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

OUTCOMES = (
    ("content used, and it pays", "●", "pays"),
    ("content used, nothing gained", "◐", "used"),
    ("gain without content", "▲", "without_content"),
    ("harm, whatever the content", "▽", "harm"),
    ("content not used, gain undecided", "◌", "undecided"),
    ("real content worse than shuffled", "✕", "harm"),
    ("no effect", "○", "no_effect"),
    ("void", "∅", "void"),
)
RECOMMENDERS = (
    "VBPR", "FREEDOM", "LATTICE", "BM3", "content-knn", "attribute-item-knn", "MMGCN", "GRCN",
    "MGCN", "a recommender whose name somebody made much too long",
)  # fmt: skip


@pytest.fixture
def effects() -> Callable[..., tuple[pd.DataFrame, pd.DataFrame]]:
    """Comparisons and verdicts with a given number of rows on the plot."""

    def make(
        rows: int, kinds: tuple[str, ...] = ("used", "gained", "without_content")
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        rng = np.random.default_rng([rows])
        comparisons, verdicts = [], []
        for row in range(rows):
            key = {
                "recommender": RECOMMENDERS[row // 3],
                "modality": ("image", "text", "all")[row % 3],
            }
            for kind in kinds:
                effect, half = rng.normal(0, 0.1), rng.uniform(0.01, 0.08)
                comparisons.append(
                    key
                    | {
                        "kind": kind,
                        "metric": "recall@20",
                        "relative": effect,
                        "relative_low": effect - half,
                        "relative_high": effect + half,
                        "p_adjusted": 0.0123,
                        "state": "above",
                        "n_users": 12345,
                        "seeds": 10,
                    }
                )
            word, symbol, tone = OUTCOMES[row % len(OUTCOMES)]
            verdicts.append(key | {"verdict": word, "symbol": symbol, "tone": tone})
        return pd.DataFrame(comparisons), pd.DataFrame(verdicts)

    return make


@pytest.fixture
def arms() -> pd.DataFrame:
    """Two recommenders with controls, and models without content."""
    rows = [
        (name, "none", "none", mean)
        for name, mean in (
            ("random", 0.001),
            ("most-pop", 0.02),
            ("item-knn", 0.081),
            ("bpr-mf", 0.083),
            ("light-gcn", 0.0835),
        )
    ] + [
        ("vbpr", "image", "shuffle", 0.08),
        ("vbpr", "none", "real", 0.09),
        ("vbpr", "image", "removed", 0.07),
        ("freedom", "none", "real", 0.1),
        ("freedom", "image", "shuffle", 0.095),
        ("freedom", "text", "gaussian-matched", 0.091),
        ("freedom", "all", "removed", 0.089),
    ]
    table = pd.DataFrame(rows, columns=["recommender", "modality", "control", "recall@20"])
    return table.assign(
        **{
            "recall@20_low": table["recall@20"] - 0.004,
            "recall@20_high": table["recall@20"] + 0.004,
        },
        seeds=10,
        n_users=2345,
    )


@pytest.fixture
def curves() -> pd.DataFrame:
    """Two seeds of three arms; seed 2 of the first stops earlier, and odd epochs lack a value."""
    frames = []
    for place, arm in enumerate(("bpr-mf", "vbpr · real", "vbpr · all · shuffle")):
        for seed, last in ((1, 12), (2, 8 if place == 0 else 12)):
            epochs = np.arange(1, last + 1)
            values = 0.1 * (1 - np.exp(-epochs / 4)) + 0.01 * seed
            frames.append(
                pd.DataFrame({"arm": arm, "seed": seed, "epoch": epochs}).assign(
                    **{"recall@20": np.where(epochs % 2, np.nan, values)}
                )
            )
    return pd.concat(frames)


@pytest.fixture
def clashes() -> Callable[[Any], list[str]]:
    """Texts of a matplotlib figure that meet each other or leave the page."""
    from matplotlib.text import Text

    def find(figure: Any) -> list[str]:
        figure.draw_without_rendering()
        renderer, page = figure.canvas.get_renderer(), figure.bbox
        unused = _unused_labels(figure)
        texts = [
            text
            for text in figure.findobj(Text)
            if text.get_visible() and text.get_text().strip() and id(text) not in unused
        ]
        boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts]
        found = [
            f"{name!r} leaves the page"
            for name, box in boxes
            if box.x0 < 0 or box.y0 < 0 or box.x1 > page.x1 + 0.5 or box.y1 > page.y1 + 0.5
        ]
        for index, (name, box) in enumerate(boxes):
            for other, second in boxes[index + 1 :]:
                across = min(box.x1, second.x1) - max(box.x0, second.x0)
                along = min(box.y1, second.y1) - max(box.y0, second.y0)
                # A pixel of a box (1/300 inch) is not ink.
                if across > 1 and along > 1:
                    found.append(f"{name!r} meets {other!r}")
        return found

    return find


def _unused_labels(figure: Any) -> set[int]:
    """Labels of ticks outside the axes: matplotlib keeps them and does not draw them."""
    axes = [axis for each in figure.axes for axis in (each.xaxis, each.yaxis)]
    kept = {
        id(label)
        for axis in axes
        for tick in axis.majorTicks + axis.minorTicks
        for label in (tick.label1, tick.label2)
    }
    used = (tick for axis in axes for tick in axis._update_ticks())
    return kept - {id(label) for tick in used for label in (tick.label1, tick.label2)}
