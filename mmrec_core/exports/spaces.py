"""Figures of maps and alignments, each with its numbers, its screen form and its print form."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core import figures
from mmrec_core.alignment import MEASURES
from mmrec_core.alignment.service import Alignment
from mmrec_core.exports.drawings import Drawing, recommender_titles
from mmrec_core.figures.map_points import MapData
from mmrec_core.figures.space_map import MOST_ON_SCREEN
from mmrec_core.studies.gains import gain_table

__all__ = [
    "MOST_ON_SCREEN",
    "MapData",
    "alignment_drawings",
    "behaviour_drawing",
    "behaviour_table",
    "gain_drawing",
    "gap_drawings",
    "map_drawing",
    "matrix_drawing",
    "retrieval_drawing",
]

Titles = Mapping[str, str]
"""Name of a space -> its name on screen."""


def map_drawing(maps: Sequence[MapData], coloured_by: str, title: str, name: str) -> Drawing:
    """One map or two; on screen up to MOST_ON_SCREEN points.

    Args:
        maps: As figures take them.
        coloured_by: What the colours mean.
        title: Of the figure.
        name: Of its files.
    """
    given = list(maps)
    return Drawing(
        name,
        title,
        pd.concat([m.points.assign(map=m.title) for m in given], ignore_index=True),
        lambda: figures.space_map(given, coloured_by, title),
        lambda width: figures.space_map_publication(given, coloured_by, title, width=width),
    )


def matrix_drawing(found: Alignment, measure: str, titles: Titles) -> Drawing:
    """Every pair of spaces by one measure."""
    own = found.matrix[found.matrix["measure"] == measure]
    facts = MEASURES.get(measure)
    given: dict[str, Any] = {
        "label": facts.label,
        "distance": facts.direction == "distance",
        "modalities": found.spaces,
    }
    return Drawing(
        f"alignment-{measure}",
        f"Alignment: {facts.label}",
        own,
        lambda: figures.alignment_matrix(own, measure, titles, **given),
        lambda width: figures.alignment_matrix_publication(
            own, measure, titles, width=width, **given
        ),
    )


def retrieval_drawing(found: Alignment, pair: tuple[str, str], titles: Titles) -> Drawing:
    """Recall from one space to another and back, chance beside."""
    table = found.retrieval
    own = table[(table["space_a"] == pair[0]) & (table["space_b"] == pair[1])]
    sides = {name: found.spaces[name] for name in pair}
    drawn = own.assign(direction=_directions(own, sides))
    places = [list(found.spaces).index(name) for name in pair]
    return Drawing(
        f"retrieval-{places[0]}-{places[1]}",
        f"Retrieval: {titles.get(pair[0], pair[0])} and {titles.get(pair[1], pair[1])}",
        own,
        lambda: figures.retrieval_bars(drawn),
        lambda width: figures.retrieval_bars_publication(drawn, width=width),
    )


def _directions(own: pd.DataFrame, sides: Titles) -> list[str]:
    pairs = zip(own["query"], own["target"], strict=True)
    return [f"{sides[query]} to {sides[target]}" for query, target in pairs]


def gap_drawings(found: Alignment, titles: Titles) -> Iterator[tuple[Drawing, dict[str, float]]]:
    """Modality gaps of the spaces that hold two modalities, each with its figures."""
    names = list(found.spaces)
    for at, first in enumerate(names):
        for second in names[at + 1 :]:
            positions = found.positions(first, second)
            if positions is None:
                continue
            facts = found.gap(first, second)
            space = titles.get(first, first).partition(",")[0]
            yield _gap_drawing(positions, facts, space, f"modality-gap-{at}"), facts


def _gap_drawing(
    positions: pd.DataFrame, facts: Mapping[str, float], space: str, name: str
) -> Drawing:
    given = (positions, facts["gap"], facts["accuracy"])
    return Drawing(
        name,
        f"Modality gap: {space}",
        positions,
        lambda: figures.modality_gap(*given, space=space),
        lambda width: figures.modality_gap_publication(*given, space=space, width=width),
    )


def behaviour_table(found: Alignment) -> pd.DataFrame:
    """Content against behaviour, one row a space; empty where nothing could be measured."""
    measured = found.behaviour
    if "value" not in measured:
        return pd.DataFrame()
    measured = measured[measured["note"] == ""]
    wide = measured.pivot(index="space", columns="measure", values=["value", "chance"])
    lift = measured[measured["measure"] == "lift"].set_index("space")
    spaces = [name for name in found.spaces if name in wide.index]
    if not spaces:
        return pd.DataFrame()
    table = pd.DataFrame(
        {
            "space": spaces,
            "modality": [found.spaces[name] for name in spaces],
            "overlap": wide.loc[spaces, ("value", "overlap")].to_numpy(),
            "overlap_chance": wide.loc[spaces, ("chance", "overlap")].to_numpy(),
            "lift": lift.loc[spaces, "value"].to_numpy(),
            "lift_low": lift.loc[spaces, "low"].to_numpy(),
            "lift_high": lift.loc[spaces, "high"].to_numpy(),
            "auc": wide.loc[spaces, ("value", "auc")].to_numpy(),
            "auc_low": np.nan,
            "auc_high": np.nan,
            "n": lift.loc[spaces, "n"].to_numpy(),
        }
    )
    return table


def behaviour_drawing(found: Alignment, titles: Titles) -> Drawing | None:
    """Content against behaviour of every content space; None: nothing was measured."""
    table = behaviour_table(found)
    if table.empty:
        return None
    k = int(found.behaviour["k"].dropna().iloc[0])
    return Drawing(
        "content-and-behaviour",
        "Content against behaviour",
        found.behaviour,
        lambda: figures.behaviour_plot(table, titles, k=k),
        lambda width: figures.behaviour_plot_publication(table, titles, width=width, k=k),
    )


def gain_drawing(dataset: str, found: Alignment) -> Drawing | None:
    """Lift of each space beside what recommenders gained by it; None: no study measured that."""
    wide = behaviour_table(found)
    if wide.empty:
        return None
    joined = gain_table(dataset).merge(wide[["space", "lift"]], on="space")
    if joined.empty:
        return None
    metric = str(joined["metric"].iloc[0])
    joined = joined[joined["metric"] == metric]
    named = recommender_titles()
    return Drawing(
        "gain-and-lift",
        "Gain of recommenders by lift of the space",
        joined,
        lambda: figures.gain_plot(joined, named, metric=metric),
        lambda width: figures.gain_plot_publication(joined, named, width=width, metric=metric),
    )


def alignment_drawings(dataset: str, found: Alignment, titles: Titles) -> list[Drawing]:
    """Every figure of an alignment."""
    made = [matrix_drawing(found, name, titles) for name in found.measured]
    table = found.retrieval
    pairs = dict.fromkeys(zip(table["space_a"], table["space_b"], strict=True))
    made += [retrieval_drawing(found, pair, titles) for pair in pairs]
    made += [drawing for drawing, _ in gap_drawings(found, titles)]
    made += [d for d in (behaviour_drawing(found, titles), gain_drawing(dataset, found)) if d]
    return made
