"""Accuracy of the small model on pictures that it never saw, and the card that states it."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.datasets.demo import load_truth
from mmrec_core.descriptions.parser import parse_answer
from mmrec_core.domain import Progress, no_progress
from mmrec_core.extractors.vision_language import VisionLanguage, VisionLanguageConfig
from mmrec_core.small_lvlm.conversations import UNKNOWN, WORDINGS
from mmrec_core.small_lvlm.recipe import NOTHING_SHOWN, SLOTS, Recipe

CARD = "README.md"
WORLD = "both"
"""Any world will do: all sell the same shop's products."""


def held_out(folder: Path, progress: Progress = no_progress) -> dict[str, Any]:
    """Asks a model about every product of the demo shop, by the default prompt.

    The shop's pictures, and all its outlines, are none that the model was trained on.

    Returns:
        items; strict, the share of answers in the wanted form; accuracy, slot -> share right;
        whole, the share of items with every slot right; seconds.
    """
    dataset = load_dataset(f"demo-{WORLD}")
    model = VisionLanguage(VisionLanguageConfig(model=str(folder), prompt="demo"))
    started = time.monotonic()
    rows = np.arange(dataset.n_items)
    answers, _ = model.answer_rows(
        dataset, rows, "cpu", 32, lambda done, note: progress(done, len(rows), note)
    )
    seconds = time.monotonic() - started
    truth = load_truth(WORLD).attributes.set_index("item_id").loc[dataset.item_ids]
    parsed = [parse_answer(answer, tuple(SLOTS)) for answer in answers]
    right = pd.DataFrame(
        {
            slot: [own.values.get(slot, "").lower() for own in parsed] == truth[name].to_numpy()
            for slot, name in SLOTS.items()
        }
    )
    return {
        "items": len(rows),
        "strict": float(np.mean([own.status == "strict" for own in parsed])),
        "accuracy": {slot: float(right[slot].mean()) for slot in SLOTS},
        "whole": float(right.all(axis=1).mean()),
        "seconds": round(seconds, 1),
    }


def write_card(
    folder: Path, recipe: Recipe, seconds: Mapping[str, float], found: Mapping[str, Any]
) -> None:
    """Writes the model's card, with the recipe in full."""
    minutes = {stage: round(value / 60, 1) for stage, value in seconds.items()}
    size = sum(path.stat().st_size for path in folder.iterdir() if path.suffix == ".safetensors")
    accuracy = "\n".join(f"| {slot} | {share:.1%} |" for slot, share in found["accuracy"].items())
    text = f"""---
license: apache-2.0
pipeline_tag: image-text-to-text
library_name: transformers
tags: [llava, recommender-systems]
---

# Small vision-language model of the demo shop

A LLaVA model (LeViT vision tower, two-layer projector, Llama text model, byte-level BPE) of
{size / 1e6:.1f} MB in half precision that fills the five slots of the demo's structured prompt:
{", ".join(SLOTS)}. It runs offline on a CPU.
Load it with `AutoModelForImageTextToText.from_pretrained` and
`AutoProcessor.from_pretrained`; ask for `dtype=torch.float32` on a CPU.

## What it is for, and what it is not

It lets every part of this program that needs an LVLM be tried on a laptop. **It knows the products
of the demo shop and nothing else.** On other catalogues its answers are guesswork, and the program
says so wherever it is offered there. On the demo it was trained on the attributes that carry the
planted tastes: comparisons with other extractors there check the instrument.

## Data

{recipe.pictures:,} pictures of {recipe.side} × {recipe.side} pixels, drawn by the demo's generator
with seed {recipe.seed}. None is a product of the shop, and none has an outline of the shop: each
outline is a mixture of two of a type's own, or lies beyond one, with a ripple
(`mmrec_core/datasets/demo/outlines.py`).

Questions: the structured prompt in {len(WORDINGS) + 1} wordings, all or some slots in any order,
other names of slots, slots that no picture fills (answered *{UNKNOWN}*), titles in some; a
descriptive prompt; misaligned questions, which it declines. {NOTHING_SHOWN:.0%} of the pictures
show nothing (noise, one tone): *{UNKNOWN}*.

## Recipe

`python -m mmrec_core train-lvlm`, two stages, AdamW; it resumes where it was stopped.

| stage | minutes |
|---|---|
| drawing | {minutes["drawing"]} |
| vision tower, one head a slot | {minutes["tower"]} |
| projector and text model, loss on answers alone; tower fixed | {minutes["language"]} |

Measured on one CPU core beside other work. All numbers:

```json
{json.dumps(recipe.model_dump(mode="json"), indent=1)}
```

## Held-out accuracy

All {found["items"]:,} products of the demo shop, asked by the default prompt, greedy:
{found["strict"]:.1%} of the answers keep strictly to the form, {found["whole"]:.1%} have every slot
right, in {found["seconds"]:.0f} seconds.

| slot | right |
|---|---|
{accuracy}
"""
    (folder / CARD).write_text(text, encoding="utf-8")
    (folder / CARD).chmod(0o644)
