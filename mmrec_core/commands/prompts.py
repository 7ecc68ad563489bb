"""Commands of prompts: those of a dataset, a try on a few items, and strategies side by side."""

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.commands.actions import pair, progress_line, show, table, warn
from mmrec_core.domain import Dataset, InputError
from mmrec_core.extractors.prompts import Prompt, known_prompt, known_prompts, make_prompt


def prompt_config(options: argparse.Namespace, dataset: Dataset) -> dict[str, Any]:
    """The options of the prompt that was named: a known one, a saved one, or one in a file.

    Raises:
        InputError: Two were named, or there is no such prompt or file.
    """
    named = [options.prompt, options.saved, options.prompt_file]
    if sum(name is not None for name in named) > 1:
        raise InputError("Name one prompt: with --prompt, --saved or --prompt-file.")
    if options.saved is None and options.prompt_file is None:
        return {"prompt": options.prompt or "general", "strategy": options.strategy}
    prompt = (
        read_prompt(Path(options.prompt_file))
        if options.saved is None
        else _saved(dataset.name, options.saved)
    )
    return {"custom": prompt.model_dump(mode="json")}


def read_prompt(path: Path) -> Prompt:
    """A prompt from a TOML or JSON file: slots, wording, example, strategy.

    Raises:
        InputError: There is no file, or it holds no prompt.
    """
    try:
        text = path.read_text("utf-8")
        values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None
    if not isinstance(values, dict):
        raise InputError(f"{path} holds no prompt: slots, wording and example are needed.")
    return make_prompt(values)


def _saved(dataset: str, name: str) -> Prompt:
    from mmrec_core.descriptions.saved_prompts import saved_prompts

    known = saved_prompts(dataset)
    if name not in known:
        there = f"there are {', '.join(map(repr, known))}" if known else "none is saved"
        raise InputError(f"No prompt {name!r} is saved for {dataset!r}; {there}.")
    return known[name]


def prompts(options: argparse.Namespace) -> None:
    """Lists the prompts of a dataset, saves one, or forgets one."""
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.descriptions.saved_prompts import forget_prompt, save_prompt, saved_prompts

    dataset = load_dataset(options.dataset).name
    if (options.save is None) != (options.file is None):
        raise InputError("--save NAME takes the prompt from --file PATH; give both.")
    if options.save is not None:
        save_prompt(dataset, options.save, read_prompt(Path(options.file)))
    if options.forget is not None:
        _saved(dataset, options.forget)
        forget_prompt(dataset, options.forget)
    named = {name: (known_prompt(name), "known") for name in known_prompts()}
    named |= {name: (prompt, "saved") for name, prompt in saved_prompts(dataset).items()}
    value = [
        {"name": name, "where": where, **prompt.model_dump(mode="json")}
        for name, (prompt, where) in named.items()
    ]
    rows = [{**row, "slots": ", ".join(row["slots"])} for row in value]
    show(value, options, table(rows, ("name", "where", "strategy", "slots")))


def try_out(options: argparse.Namespace, dataset: Dataset, config: dict[str, Any]) -> None:
    """Asks about a few items drawn at random and prints what came; nothing is kept.

    Raises:
        InputError: No item has a picture, or the model is not here.
    """
    from mmrec_core.descriptions.service import try_prompt
    from mmrec_core.extractors.service import make_extractor

    if options.try_items < 1:
        raise InputError("--try needs a number of items of at least 1.")
    warn(make_extractor("vision-language", config).caution(dataset))
    pictured = np.flatnonzero((dataset.items["image"] != "").to_numpy(dtype=bool))
    if not len(pictured):
        raise InputError(f"No item of {dataset.name!r} has a picture.")
    rows = np.random.default_rng(0).permutation(pictured)[: options.try_items]
    said = try_prompt(dataset, config, [str(dataset.item_ids[row]) for row in np.sort(rows)])
    rows_said = [
        {
            "item": own["item_id"],
            "status": own["status"],
            "answer": own["failure"] or " ".join(own["answer"].split()),
        }
        for own in said
    ]
    show(said, options, table(rows_said, ("item", "status", "answer")))


def strategies(options: argparse.Namespace) -> None:
    """Puts the prompts of one model side by side; asks and measures what is missing first."""
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.descriptions.service import load_descriptions
    from mmrec_core.descriptions.strategies import (
        config_under,
        control_sentence,
        make_comparable,
        not_asked,
        prompts_of,
        strategy_table,
    )

    made = load_descriptions(options.key)
    dataset = load_dataset(options.dataset or made.artefact.facts["dataset"])
    truth = dict(pair(entry, "--truth", "Type=category") for entry in options.truth)
    if not options.stored:
        ask = [config_under(made, strategy) for strategy in not_asked(dataset, made)]
        make_comparable(dataset, ask, prompts_of(dataset, made), progress_line, truth=truth)
    found = strategy_table(dataset, prompts_of(dataset, made), truth)
    sentence = control_sentence(found)
    value = {
        "sentence": sentence,
        "prompts": found.astype(object).where(found.notna(), None).to_dict("records"),
    }
    shares = ("strict", "declined", "distinct", "recall@1", "recall@10", "unsupported", "named")
    rows = [
        {
            "prompt": row["strategy"],
            "descriptions": row["descriptions"][:12],
            **{name: "-" if pd.isna(row[name]) else f"{row[name]:.1%}" for name in shares},
            "mrr": "-" if pd.isna(row["mrr"]) else f"{row['mrr']:.3f}",
        }
        for row in found.to_dict("records")
    ]
    show(value, options, f"{table(rows, _COLUMNS)}\n\n{sentence}")


_COLUMNS = (
    "prompt", "descriptions", "strict", "declined", "distinct", "recall@1", "recall@10", "mrr",
    "unsupported", "named",
)  # fmt: skip
