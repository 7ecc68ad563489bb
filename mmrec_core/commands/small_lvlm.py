"""The command that trains the bundled small vision-language model anew."""

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mmrec_core.commands.actions import pair, progress_line, show
from mmrec_core.domain import InputError
from mmrec_core.settings import settings


def train_lvlm(options: argparse.Namespace) -> None:
    """Draws pictures, trains, measures on the shop's own products, writes model and card."""
    from mmrec_core.small_lvlm.card import held_out, write_card
    from mmrec_core.small_lvlm.network import save
    from mmrec_core.small_lvlm.recipe import Recipe, work_folder
    from mmrec_core.small_lvlm.training import train

    given = dict(pair(entry, "--set", "language_steps=100") for entry in options.set)
    try:
        recipe = Recipe.model_validate(given)
    except ValidationError as error:
        problem = error.errors()[0]
        raise InputError(f"--set {'.'.join(map(str, problem['loc']))}: {problem['msg']}.") from None
    out = Path(options.out)
    if out.exists() and any(out.iterdir()) and not (out / "config.json").exists():
        raise InputError(f"{out} holds something that is no model; name another folder.")
    work = work_folder(settings().store, recipe)

    def say(sentence: str) -> None:
        print(f"mmrec_core: {sentence}", file=sys.stderr, flush=True)

    network, tokenizer, seconds = train(recipe, work, settings().workers, say)
    aside = work / "model"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    save(recipe, network, tokenizer, aside)
    found: dict[str, Any] = held_out(aside, progress_line)
    write_card(aside, recipe, seconds, found)
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(aside, out)
    right = ", ".join(f"{slot} {share:.1%}" for slot, share in found["accuracy"].items())
    text = (
        f"{found['items']:,} held-out pictures: {found['strict']:.1%} strictly in the form; right: "
        f"{right}; every slot {found['whole']:.1%}. Written to {out}; {work} can be deleted."
    )
    show({**found, "out": str(out), "work": str(work), "seconds_of": seconds}, options, text)
