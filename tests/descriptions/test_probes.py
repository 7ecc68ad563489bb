"""Probes read what was planted, nothing from shuffled vectors, and never the item they predict."""

import json

import numpy as np
import pytest

from mmrec_core.__main__ import main
from mmrec_core.descriptions.probes import ProbeConfig, probe, probe_table
from mmrec_core.domain import Embeddings, InputError

N = 300
rng = np.random.default_rng(0)
KINDS = np.array(["mug", "lamp", "chair"], dtype=object)[rng.integers(0, 3, N)]
COINS = np.array(["head", "tail"], dtype=object)[rng.integers(0, 2, N)]


def embeddings(noise=1.0, missing=()):
    centres = {kind: np.random.default_rng([1, i]).normal(size=20) for i, kind in
               enumerate(("mug", "lamp", "chair"))}  # fmt: skip
    matrix = np.stack([centres[kind] for kind in KINDS]) + noise * rng.normal(size=(N, 20))
    mask = np.zeros(N, dtype=bool)
    mask[list(missing)] = True
    ids = np.array([f"i{at}" for at in range(N)], dtype=object)
    return Embeddings("image", "planted", ids, matrix.astype(np.float32), mask)


def test_what_is_planted_is_read_and_nothing_else():
    table = probe_table(embeddings(noise=0.7), {"kind": KINDS, "coin": COINS}).set_index("slot")
    assert table.loc["kind", "accuracy"] > 0.95 and table.loc["kind", "auc"] > 0.99
    for slot, name in (("kind", "shuffled"), ("coin", "accuracy"), ("coin", "shuffled")):
        assert abs(table.loc[slot, name] - table.loc[slot, "chance"]) < 0.12
    assert abs(table.loc["coin", "auc"] - 0.5) < 0.1
    assert table["n_items"].tolist() == [N, N]


def test_no_item_is_predicted_by_a_probe_that_saw_it():
    """A label that only memory could tell: one of its own for each item, told by twins."""
    noise = Embeddings("image", "noise", np.arange(N).astype(str).astype(object),
                       np.random.default_rng(3).normal(size=(N, 400)).astype(np.float32),
                       np.zeros(N, dtype=bool))  # fmt: skip
    # 400 columns fit any labels of 300 items; out of fold nothing is left of that.
    own = probe(noise, COINS, config=ProbeConfig(strength=1e6))
    assert own.accuracy < 0.62


def test_confidence_covers_items_without_a_known_value_and_not_those_without_a_vector():
    values = list(KINDS)
    values[:20] = [None] * 20
    own = probe(embeddings(missing=range(10)), values, "kind")
    said = own.said()
    assert said["value"][:10].isna().all() and said["confidence"][:10].isna().all()
    assert (said["value"][10:20] == KINDS[10:20]).mean() > 0.8
    assert said["confidence"][10:].between(1 / 3, 1).all()
    assert own.n_items == N - 20 and own.classes == ("chair", "lamp", "mug")
    np.testing.assert_allclose(own.probabilities[10:].sum(axis=1), 1, atol=1e-6)


def test_rare_values_are_left_out_and_too_few_are_said():
    values = ["mug" if kind == "mug" else "rest" for kind in KINDS]
    values[0] = "once"
    assert probe(embeddings(), values).classes == ("mug", "rest")
    with pytest.raises(InputError, match=r"colour has 1 values with at least 10 items"):
        probe(embeddings(), ["red"] * N, "colour")


def test_the_same_seed_gives_the_same_figures():
    first, again = (probe(embeddings(noise=3.0), KINDS) for _ in range(2))
    assert first.classes == again.classes
    other = probe(embeddings(noise=3.0), KINDS, config=ProbeConfig(seed=1))
    assert other.shuffled != first.shuffled


def test_from_the_command_line(mmrec_data, capsys):
    assert main(["probe", "demo-words", "--extractor", "minilm", "--json"]) == 0
    table = {row["slot"]: row for row in json.loads(capsys.readouterr().out)["slots"]}
    assert table["audience"]["accuracy"] > 0.95
    assert abs(table["colour"]["accuracy"] - table["colour"]["chance"]) < 0.06
    assert main(["probe", "demo-words", "--extractor", "minilm", "--values", "nothing"]) == 2
    assert "There are no descriptions 'nothing'" in capsys.readouterr().err
