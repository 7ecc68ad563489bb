"""Prompts of one model side by side: structured, descriptive, misaligned, and one's own.

Every figure is kept in the store: the round trip and the support by ``measure``, what holds of an
answer of any form (is it the item's own, does it name the truth?) here. Misaligned is a control: a
question about something else, which should score worst.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.descriptions.faithfulness import distinctiveness
from mmrec_core.descriptions.measure import (
    SAMPLE,
    find_faithfulness,
    measure_faithfulness,
    truth_fingerprint,
    truth_of,
)
from mmrec_core.descriptions.service import (
    INPUTS,
    UNSAID,
    Descriptions,
    describe,
    find_descriptions,
    list_descriptions,
    spoken,
)
from mmrec_core.descriptions.support import named_share
from mmrec_core.domain import Dataset, InputError, Progress, no_progress
from mmrec_core.extractors.prompts import STRATEGIES, Prompt, prompt_options
from mmrec_core.settings import settings
from mmrec_core.store import Artefact, Store, store

SPOKEN, VERSION = "spoken", 1
CONTROL = "misaligned"
TITLES, SHUFFLED, CHANCE = "titles alone", "shuffled descriptions", "chance"
BASELINES = (TITLES, SHUFFLED, CHANCE)

_Trips = dict[Any, dict[Any, Any]]
"""Kind of query -> its row in the table of round trips."""


def prompt_of(made: Descriptions) -> Prompt | None:
    """Under which prompt something was said; None where answers came without one."""
    values = made.artefact.facts["prompt"]
    return None if values is None else Prompt.model_validate(values)


def config_under(made: Descriptions, strategy: str) -> dict[str, Any]:
    """The config that asks the same model, with the same options, under another strategy.

    Raises:
        InputError: The answers were made elsewhere, so nobody can be asked.
    """
    prompt = prompt_of(made)
    if made.artefact.facts["imported"] or prompt is None:
        raise InputError("These answers were made elsewhere, so their model cannot be asked here.")
    named = ("prompt", "strategy", "custom", "position", "layer")
    own = made.artefact.spec["model"]["config"]
    options = {name: value for name, value in own.items() if name not in named}
    model = {"model": made.artefact.facts["model"]}
    return {**options, **model, **prompt_options(prompt.asked_as(strategy))}  # type: ignore[arg-type]


def prompts_of(dataset: Dataset, made: Descriptions) -> list[Descriptions]:
    """All that the model of ``made`` said of these items, whatever it was asked.

    Answers to another picture or title than the item's own are controls of the input and stay
    out. Structured first, misaligned last; the newest of each first.
    """
    kept = [
        own
        for own in list_descriptions(dataset)
        if own.artefact.facts["model"] == made.artefact.facts["model"]
        and all(_config(own).get(name, "own") == "own" for name in INPUTS)
    ]
    return sorted(kept, key=lambda own: STRATEGIES.index(strategy_of(own)))


def strategy_of(made: Descriptions) -> Any:
    """Of its prompt; answers without one were read slot by slot."""
    prompt = prompt_of(made)
    return "structured" if prompt is None else prompt.strategy


def not_asked(dataset: Dataset, made: Descriptions) -> list[str]:
    """Strategies under which nothing was said yet with the slots of ``made``; none if imported."""
    if made.artefact.facts["imported"] or prompt_of(made) is None:
        return []
    return [s for s in STRATEGIES if find_descriptions(dataset, config_under(made, s)) is None]


def not_measured(
    dataset: Dataset, made: Sequence[Descriptions], truth: Mapping[str, str] | None = None
) -> list[Descriptions]:
    """Those whose figures are not all in the store."""
    return [
        own
        for own in made
        if find_faithfulness(dataset, own, truth) is None
        or find_spoken(dataset, own, truth) is None
    ]


def make_comparable(
    dataset: Dataset,
    ask: Sequence[Mapping[str, Any]],
    measure: Sequence[Descriptions],
    progress: Progress = no_progress,
    *,
    truth: Mapping[str, str] | None = None,
) -> list[Descriptions]:
    """Asks what was not asked and measures what was not measured; what is there is taken up.

    Args:
        dataset: Whose items.
        ask: Configs, as of ``describe``; their answers are measured too.
        measure: Finished descriptions to be measured.
        progress: Told of thousandths done.
        truth: Slot -> column of the items that holds the truth.

    Returns:
        All of them, the newly asked ones last.

    Raises:
        InputError: The model is not here, or some could not be measured, such as where a model
            fills no slot; all others are then in the store.
    """
    steps = 3 * len(ask) + len(measure)
    done = 0

    def part(size: int) -> Progress:
        nonlocal done
        start, done = done, done + size

        def told(at: int, total: int, what: str) -> None:
            progress(round(1000 * (start + size * at / max(1, total)) / steps), 1000, what)

        return told

    # Asking takes longest, so it counts twice.
    made = [*measure, *(describe(dataset, config, part(2)) for config in ask)]
    problems = []
    for own in made:
        measure_spoken(dataset, own, truth)
        try:
            measure_faithfulness(dataset, own, part(1), truth=truth)
        except InputError as error:
            problems.append(f"{strategy_of(own)} could not be measured: {error}")
    if problems:
        raise InputError(" ".join([*problems, "What else there is was measured."]))
    progress(1000, 1000, "done")
    return made


def expected_minutes(dataset: Dataset, made: Descriptions, ask: int, measure: int) -> float:
    """About how long ``make_comparable`` takes, by the pace at which ``made`` was made.

    Args:
        dataset: Whose items.
        made: Of the model that is asked.
        ask: Strategies to be asked, each of which is measured too.
        measure: Descriptions to be measured.
    """
    asked = max(1, len(made.asked))
    pace = float(made.artefact.facts["seconds"]) / asked
    pictures = int((dataset.items["image"] != "").sum())
    # Measured: 25 s on the demo beside the sample that is asked again twice.
    each = 2 * min(SAMPLE, pictures) * pace + 0.02 * dataset.n_items
    return (ask * pictures * pace + (ask + measure) * each) / 60


def measure_spoken(
    dataset: Dataset, made: Descriptions, truth: Mapping[str, str] | None = None
) -> Artefact:
    """What holds of answers of any form, once for the same inputs.

    Returns:
        An artefact whose facts are: distinct, the share of items whose description no other has;
        named and named_by_chance, the shares of true values that the texts name (see
        ``named_share``; None where no truth is known); words, the mean number in a description.
    """
    spec = _spoken_spec(dataset, made, truth)
    found = store().sound(SPOKEN, Store.key(SPOKEN, spec))
    if found is not None:
        return found
    if settings().read_only:
        raise InputError("This store is on show (MMREC_READ_ONLY=1): nothing is computed.")
    texts = spoken(dataset, made)
    statuses = made.artefact.table("answers").set_index("item_id")["status"]
    asked = (statuses.reindex(dataset.item_ids).fillna(UNSAID) != UNSAID).to_numpy(dtype=bool)
    prompt = prompt_of(made)
    slots = made.slots if prompt is None else prompt.slots
    known = {slot: true for slot, true in truth_of(dataset, truth).items() if slot in slots}
    heard = [text if own else None for text, own in zip(texts, asked, strict=True)]
    named, dealt = named_share(heard, known)
    values = made.values if made.structured else [{"": text} if text else {} for text in texts]
    lengths = [len(text.split()) for text in texts if text]

    def write(folder: Any) -> dict[str, Any]:
        return {
            "dataset": dataset.name,
            "descriptions": made.artefact.key,
            "distinct": distinctiveness(values),
            "named": None if np.isnan(named) else named,
            "named_by_chance": None if np.isnan(dealt) else dealt,
            "words": float(np.mean(lengths)) if lengths else 0.0,
        }

    return store().put(SPOKEN, spec, write)


def find_spoken(
    dataset: Dataset, made: Descriptions, truth: Mapping[str, str] | None = None
) -> Artefact | None:
    """What ``measure_spoken`` kept, or None."""
    return store().sound(SPOKEN, Store.key(SPOKEN, _spoken_spec(dataset, made, truth)))


def _spoken_spec(
    dataset: Dataset, made: Descriptions, truth: Mapping[str, str] | None
) -> dict[str, Any]:
    known = truth_fingerprint(dataset, truth)
    return {"version": VERSION, "descriptions": made.artefact.key, "truth": known}


def strategy_table(
    dataset: Dataset, made: Sequence[Descriptions], truth: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Prompts side by side, and what their round trips must beat; from the store alone.

    Args:
        dataset: Whose items.
        made: Of one model.
        truth: Slot -> column of the items that holds the truth.

    Returns:
        One row a prompt, then the baselines: descriptions (key; empty for a baseline), strategy
        (a baseline's name), asked (items); strict and declined (shares of answers; strict of
        structured prompts alone), distinct, recall@1, recall@10, mrr, n (items of the round
        trip), unsupported (share of slot values), named and named_by_chance, words. NaN: not
        measured, or not defined.
    """
    rows: list[dict[str, Any]] = []
    trips: list[_Trips] = []
    for own in made:
        counts = own.counts
        asked = sum(counts.values()) - counts.get(UNSAID, 0)
        declined = counts.get("refused", 0) + counts.get("empty", 0)
        row: dict[str, Any] = {
            "descriptions": own.artefact.key,
            "strategy": strategy_of(own),
            "asked": asked,
            "strict": counts.get("strict", 0) / asked if asked and own.structured else np.nan,
            "declined": declined / asked if asked else np.nan,
        }
        measured = find_faithfulness(dataset, own, truth)
        if measured is not None:
            trip: _Trips = measured.table("round_trip").set_index("what").to_dict("index")
            trips.append(trip)
            row |= _trip(trip["descriptions"])
            row["unsupported"] = _unsupported(measured) if own.structured else np.nan
        facts = getattr(find_spoken(dataset, own, truth), "facts", {})
        row |= {name: facts.get(name) for name in ("distinct", "named", "named_by_chance", "words")}
        rows.append(row)
    columns = (
        "descriptions", "strategy", "asked", "strict", "declined", "distinct", "recall@1",
        "recall@10", "mrr", "n", "unsupported", "named", "named_by_chance", "words",
    )  # fmt: skip
    rows += _baselines(trips)
    table = pd.DataFrame(rows, columns=list(columns))
    numbers = list(columns[2:])
    table[numbers] = table[numbers].astype("float64")
    return table


def _trip(row: Mapping[Any, Any]) -> dict[str, float]:
    return {name: float(row[name]) for name in ("recall@1", "recall@10", "mrr", "n")}


def _unsupported(measured: Artefact) -> float:
    """Share of all slots' values that nothing supports."""
    table = measured.table("support")
    table = table[table["items"] > 0]
    return float(np.average(table["unsupported"], weights=table["items"])) if len(table) else np.nan


def _baselines(trips: Sequence[_Trips]) -> list[dict[str, Any]]:
    """Titles, the best of the shuffled, and chance; of the trip with the most items."""
    if not trips:
        return []
    widest = max(trips, key=lambda trip: float(trip["descriptions"]["n"]))
    n = float(widest["descriptions"]["n"])
    rows = [{"strategy": TITLES, **_trip(widest[TITLES])}] if TITLES in widest else []
    dealt = max((trip[SHUFFLED] for trip in trips), key=lambda row: float(row["mrr"]))
    chance = {"recall@1": 1 / n, "recall@10": min(1.0, 10 / n), "n": n}
    rows += [
        {"strategy": SHUFFLED, **_trip(dealt)},
        {"strategy": CHANCE, **chance, "mrr": float(widest["descriptions"]["chance"])},
    ]
    return [{"descriptions": "", **row} for row in rows]


def control_sentence(table: pd.DataFrame) -> str:
    """Whether the misaligned control scored worst, from the numbers of ``strategy_table``.

    The share of items found among the first ten is compared; a difference counts where it is more
    than 1.96 standard errors of two independent shares.
    """
    rows: list[dict[Any, Any]] = table[table["recall@10"].notna()].to_dict("records")
    told = [row for row in rows if row["descriptions"]]
    control = [row for row in told if row["strategy"] == CONTROL]
    others = [row for row in told if row["strategy"] != CONTROL]
    if not control:
        return "The misaligned control is not measured yet, so nothing says what a prompt adds."
    if not others:
        return "Only the misaligned control is measured, so there is nothing to compare it with."
    worst = max(control, key=lambda row: row["recall@10"])
    nearest = min(others, key=lambda row: row["recall@10"])
    chance = next(row["recall@10"] for row in rows if row["strategy"] == CHANCE)
    beyond = "above" if _apart(worst["recall@10"], worst["n"], chance) > 0 else "no more than"
    said = (
        f"it finds the item among the first ten in {worst['recall@10']:.1%}, {beyond} chance "
        f"({chance:.1%}); the nearest, {nearest['strategy']}, does in {nearest['recall@10']:.1%}"
    )
    apart = _apart(nearest["recall@10"], nearest["n"], worst["recall@10"], worst["n"])
    if apart > 0:
        return f"The misaligned control scores worst, as it should: {said}."
    if apart == 0:
        return f"The misaligned control cannot be told from {nearest['strategy']}: {said}."
    return (
        f"The misaligned control does not score worst: {said}. Be careful with what is read from "
        "these descriptions."
    )


def _apart(first: float, n: float, second: float, m: float = np.inf) -> int:
    """1 where the first share is above the second beyond chance, -1 below, 0 neither.

    Args:
        first: A share of ``n``.
        n: Cases.
        second: A share of ``m``.
        m: Cases; infinite: known exactly.
    """
    spread = np.sqrt(first * (1 - first) / n + second * (1 - second) / m)
    gap = first - second
    return 0 if abs(gap) <= 1.96 * spread else int(np.sign(gap))


def _config(made: Descriptions) -> Mapping[str, Any]:
    model: Mapping[str, Any] = made.artefact.spec.get("model", {})
    config: Mapping[str, Any] = model.get("config", {})
    return config
