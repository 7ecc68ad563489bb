"""How much a catalogue's descriptions say, and how much of it the prompt said first."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mmrec_core.descriptions.vocabulary import lemmas


def slot_table(
    values: Sequence[Mapping[str, str]],
    slots: Sequence[str],
    example: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """What is said in each slot of all descriptions together.

    Values are compared in lower case and as lemmas, so that *Toy* and *toys* are one.

    Args:
        values: Slot -> value of every item that was asked about.
        slots: In the order of the prompt.
        example: The prompt's own example; None: there was none.

    Returns:
        One row a slot: slot; coverage, the share of items with a value; values, how many differ;
        entropy, of their distribution in bits; evenness, entropy / log2(values), 1 where all are
        equally frequent; top, the most frequent value, and top_share; leakage, the share of values
        that only repeat the example's (NaN without one).
    """
    rows = []
    for slot in slots:
        forms = pd.Series([lemmas(own[slot]) for own in values if slot in own], dtype="str")
        shares = forms.value_counts(normalize=True)
        p = shares.to_numpy(dtype=float)
        entropy = float(-(p * np.log2(p)).sum()) + 0.0 if len(p) else 0.0
        shown = lemmas(example[slot]) if example and slot in example else None
        rows.append(
            {
                "slot": slot,
                "coverage": len(forms) / len(values) if len(values) else 0.0,
                "values": len(shares),
                "entropy": entropy,
                "evenness": entropy / np.log2(len(p)) if len(p) > 1 else 0.0,
                "top": str(shares.index[0]) if len(shares) else "",
                "top_share": float(p[0]) if len(p) else 0.0,
                "leakage": float(shares.get(shown, 0.0)) if shown is not None else np.nan,
            }
        )
    return pd.DataFrame(rows)


def distinctiveness(values: Sequence[Mapping[str, str]]) -> float:
    """Share of items whose description no other item has; 0 where nothing is said."""
    said = pd.Series(
        ["\x1f".join(f"{s}={lemmas(v)}" for s, v in sorted(own.items())) for own in values if own],
        dtype="str",
    )
    return float((~said.duplicated(keep=False)).mean()) if len(said) else 0.0
