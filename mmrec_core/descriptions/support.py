"""Values against what else is known of an item: truth, metadata, picture, a second answer."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mmrec_core.descriptions.probes import Probe
from mmrec_core.descriptions.vocabulary import lemmas
from mmrec_core.extractors.permutation import derangement

_WORDS = re.compile(r"[^\W_]+")

Values = Sequence[Mapping[str, str]]


def accuracy_table(values: Values, truth: Mapping[str, Sequence[str | None]]) -> pd.DataFrame:
    """Share of values that are right, where the truth is known.

    Compared in lower case and as lemmas.

    Args:
        values: Slot -> value of each item.
        truth: Slot -> true value of each item; None where unknown.

    Returns:
        One row a slot: slot; items with a known truth; accuracy over those (an empty slot is
        wrong); chance, the share of the most frequent true value.
    """
    rows = []
    for slot, true in truth.items():
        known = [(own.get(slot), right) for own, right in zip(values, true, strict=True) if right]
        right_forms = [lemmas(right) for _, right in known]
        hits = [
            said is not None and lemmas(said) == form
            for (said, _), form in zip(known, right_forms, strict=True)
        ]
        shares = pd.Series(right_forms, dtype="str").value_counts(normalize=True)
        rows.append(
            {
                "slot": slot,
                "items": len(known),
                "accuracy": float(np.mean(hits)) if hits else np.nan,
                "chance": float(shares.iloc[0]) if len(shares) else np.nan,
            }
        )
    return pd.DataFrame(rows, columns=["slot", "items", "accuracy", "chance"])


def right(values: Values, truth: Mapping[str, Sequence[str | None]]) -> pd.DataFrame:
    """Which values agree with the truth, item by item.

    Compared in lower case and as lemmas.

    Args:
        values: Slot -> value of each item.
        truth: Slot -> true value of each item; None where unknown.

    Returns:
        One row an item, one column a slot of ``truth``: True, False, or None where the truth or
        the value is missing.
    """
    known: dict[str, str] = {}

    def form(word: str) -> str:
        # A slot holds few values many times over.
        if word not in known:
            known[word] = lemmas(word)
        return known[word]

    columns: dict[str, list[bool | None]] = {}
    for slot, true in truth.items():
        pairs = zip([own.get(slot) for own in values], true, strict=True)
        columns[slot] = [form(a) == form(b) if a and b else None for a, b in pairs]
    return pd.DataFrame(columns, dtype=object)


def named_share(
    texts: Sequence[str | None],
    truth: Mapping[str, Sequence[str | None]],
    seed: int = 0,
) -> tuple[float, float]:
    """How many of the true values do texts name? Of any form of answer, sentences too.

    Args:
        texts: What was said of each item: an empty text names nothing; None, not asked about, is
            left out.
        truth: Slot -> true value of each item; None where unknown.
        seed: Of the draw that gives every item another's truth.

    Returns:
        The share of true values whose lemmas stand in the item's text, and the same with the truth
        of another item: what is named by chance. NaN where no truth is known.
    """
    rows = [at for at, text in enumerate(texts) if text is not None]
    if not truth or len(rows) < 2:
        return float("nan"), float("nan")
    words: dict[str, str] = {}

    def form(text: str) -> str:
        for word in (found := _WORDS.findall(text)):
            if word not in words:
                words[word] = lemmas(word)
        return f" {' '.join(words[word] for word in found)} "

    forms = [form(texts[row] or "") for row in rows]
    others = derangement(np.zeros(len(rows), dtype=np.int64), np.random.default_rng([seed, 11]))
    own, dealt = [], []
    for true in truth.values():
        sought = [form(true[row] or "") for row in rows]
        own += [want in has for want, has in zip(sought, forms, strict=True) if want.strip()]
        dealt += [sought[to] in forms[at] for at, to in enumerate(others) if sought[to].strip()]
    if not own:
        return float("nan"), float("nan")
    return float(np.mean(own)), float(np.mean(dealt))


def agreement_table(first: Values, second: Values, slots: Sequence[str]) -> pd.DataFrame:
    """Do two sets of answers say the same of the same items?

    Args:
        first: Slot -> value of each item.
        second: The same items, asked in other words, by another model, or with another seed.
        slots: To compare.

    Returns:
        One row a slot: slot; items with a value in both; same, the share with equal lemmas; kappa,
        that beyond chance (Cohen 1960; NaN where both always say one and the same).
    """
    from sklearn.metrics import cohen_kappa_score

    rows = []
    for slot in slots:
        both = [
            (lemmas(a[slot]), lemmas(b[slot]))
            for a, b in zip(first, second, strict=True)
            if slot in a and slot in b
        ]
        one, two = [a for a, _ in both], [b for _, b in both]
        varied = len({*one, *two}) > 1
        rows.append(
            {
                "slot": slot,
                "items": len(both),
                "same": float(np.mean([a == b for a, b in both])) if both else np.nan,
                "kappa": float(cohen_kappa_score(one, two)) if varied else np.nan,
            }
        )
    return pd.DataFrame(rows, columns=["slot", "items", "same", "kappa"])


def support_table(
    values: Values,
    texts: Sequence[str],
    probes: Mapping[str, Probe],
    slots: Sequence[str],
) -> pd.DataFrame:
    """Which values does anything else support? What nothing does may be a hallucination.

    A value counts as supported by the metadata if its lemmas stand in the item's text, and by the
    picture if a probe that has not seen the item finds it more probable there than it is overall.
    Lack of support is no proof: a probe reads only what its vectors hold, and a rare value has no
    probe at all.

    Args:
        values: Slot -> value of each item.
        texts: Title, text and category of each item.
        probes: Slot -> probe from pictures to this slot's values.
        slots: To look at.

    Returns:
        One row a slot: slot; items with a value; metadata, picture, either, shares of these that
        are supported; unsupported, the rest.
    """
    forms = [f" {' '.join(lemmas(word) for word in text.split())} " for text in texts]
    rows = []
    for slot in slots:
        own = probes.get(slot)
        place = {} if own is None else {value: at for at, value in enumerate(own.classes)}
        base = None if own is None else np.nanmean(own.probabilities, axis=0)
        by_words, by_picture = [], []
        for at, said in enumerate(values):
            if slot not in said:
                continue
            by_words.append(f" {lemmas(said[slot])} " in forms[at])
            column = place.get(said[slot])
            seen = False
            if own is not None and base is not None and column is not None:
                seen = bool(own.probabilities[at, column] > base[column])
            by_picture.append(seen)
        words, picture = np.array(by_words, dtype=bool), np.array(by_picture, dtype=bool)
        either = words | picture
        n = len(words)
        rows.append(
            {
                "slot": slot,
                "items": n,
                "metadata": float(words.mean()) if n else np.nan,
                "picture": float(picture.mean()) if n else np.nan,
                "either": float(either.mean()) if n else np.nan,
                "unsupported": float(1 - either.mean()) if n else np.nan,
            }
        )
    return pd.DataFrame(
        rows, columns=["slot", "items", "metadata", "picture", "either", "unsupported"]
    )
