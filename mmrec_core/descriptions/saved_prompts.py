"""Prompts that somebody wrote for a dataset, kept in the store."""

from pathlib import Path
from typing import Any

from mmrec_core.domain import InputError
from mmrec_core.extractors.prompts import Prompt, make_prompt
from mmrec_core.store import store, write_json

KIND = "prompt"
LONGEST_NAME = 60


def save_prompt(dataset: str, name: str, prompt: Prompt) -> str:
    """Keeps a prompt under a name; a prompt of the same name and dataset is replaced.

    Returns:
        Its key.

    Raises:
        InputError: The name is empty or too long.
    """
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise InputError(f"A prompt needs a name of at most {LONGEST_NAME} characters.")
    before = [a for a in store().list(KIND) if _of(a.facts) == (dataset, name)]

    def write(folder: Path) -> dict[str, Any]:
        write_json(folder / "prompt.json", prompt.model_dump(mode="json"))
        return {"dataset": dataset, "name": name}

    spec = {"dataset": dataset, "name": name, "prompt": prompt.fingerprint}
    key = store().put(KIND, spec, write).key
    for old in before:
        if old.key != key and not old.shipped:
            store().delete(KIND, old.key)
    return key


def saved_prompts(dataset: str) -> dict[str, Prompt]:
    """Name -> prompt of a dataset, by name."""
    found = {
        a.facts["name"]: make_prompt(a.json("prompt"))
        for a in store().list(KIND)
        if a.facts["dataset"] == dataset
    }
    return dict(sorted(found.items()))


def forget_prompt(dataset: str, name: str) -> None:
    """Removes a saved prompt; nothing happens where there is none."""
    for artefact in store().list(KIND):
        if _of(artefact.facts) == (dataset, name):
            store().delete(KIND, artefact.key)


def _of(facts: Any) -> tuple[str, str]:
    return facts["dataset"], facts["name"]
