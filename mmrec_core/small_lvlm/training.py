"""Training of the small model in two stages: the vision tower on attributes, then the language.

Everything random comes from the seed and the step, and each stage keeps its state in safetensors:
a training that was stopped goes on where it was and ends in the same model.
"""

import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mmrec_core.lazy import lazy_import
from mmrec_core.small_lvlm.conversations import Turn, converse
from mmrec_core.small_lvlm.network import IMAGE, make_network, make_tokenizer, make_tower, pixels
from mmrec_core.small_lvlm.pictures import draw_shards, load_shards
from mmrec_core.small_lvlm.recipe import NOTHING_SHOWN, SLOTS, VALUES, Recipe
from mmrec_core.store import write_json

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")

KEEP_EVERY: Final = 200
"""Steps after which the state is written."""
SHIFT: Final = 5
"""Pixels by which a picture is moved at most."""
Say = Callable[[str], None]


class Stage:
    """Parameters in training, their optimiser and how far they are; resumable.

    Args:
        name: Of the stage; names its file.
        folder: Where the state is kept.
        parts: Name -> what is trained.
        recipe: Gives decay, warm-up and betas.
        steps: In all.
        rate: Highest learning rate; it rises, then falls along a cosine to a twentieth.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        parts: dict[str, "torch.nn.Module"],
        recipe: Recipe,
        steps: int,
        rate: float,
    ) -> None:
        self.path, self.parts, self.recipe = folder / f"{name}.safetensors", parts, recipe
        self.steps, self.rate, self.step, self.seconds = steps, rate, 0, 0.0
        self.module = torch.nn.ModuleDict(parts)
        self.parameters = [p for p in self.module.parameters() if p.requires_grad]
        matrices = [p for p in self.parameters if p.ndim > 1]
        rest = [p for p in self.parameters if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": matrices}, {"params": rest, "weight_decay": 0.0}],
            lr=rate,
            betas=(0.9, 0.98),
            weight_decay=recipe.weight_decay,
        )
        self._resume()

    def run(self, loss_of: Callable[[int], "torch.Tensor"], say: Say) -> None:
        """Trains up to the last step; ``loss_of`` gives the loss of a step."""
        self.module.train()
        started, recent = time.monotonic() - self.seconds, 0.0
        while self.step < self.steps:
            for group in self.optimiser.param_groups:
                group["lr"] = self.rate * self._share()
            loss = loss_of(self.step)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
            self.optimiser.step()
            self.step += 1
            recent = 0.95 * recent + 0.05 * float(loss.detach())
            self.seconds = time.monotonic() - started
            if self.step % KEEP_EVERY == 0 or self.step == self.steps:
                self._keep()
                left = self.seconds / self.step * (self.steps - self.step)
                say(
                    f"{self.path.stem}: step {self.step:,} of {self.steps:,}, loss {recent:.3f}, "
                    f"{left / 60:.0f} minutes left"
                )
        self.module.eval()

    def _share(self) -> float:
        rising = self.recipe.warm_up * self.steps
        if self.step < rising:
            return (self.step + 1) / rising
        along = (self.step - rising) / max(1.0, self.steps - rising)
        return 0.05 + 0.95 * 0.5 * (1.0 + math.cos(math.pi * along))

    def _keep(self) -> None:
        from safetensors.torch import save_file

        tensors = {f"part.{k}": v for k, v in self.module.state_dict().items()}
        for at, parameter in enumerate(self.parameters):
            state = self.optimiser.state[parameter]
            tensors |= {f"{name}.{at}": state[name] for name in ("exp_avg", "exp_avg_sq", "step")}
        # A tied weight is one tensor under two names; each name is written with its own copy.
        tensors = {name: value.detach().clone() for name, value in tensors.items()}
        aside = self.path.with_suffix(f".{os.getpid()}.tmp")
        about = {"step": str(self.step), "seconds": str(self.seconds)}
        save_file(tensors, aside, metadata=about)
        os.replace(aside, self.path)

    def _resume(self) -> None:
        if not self.path.exists():
            return
        from safetensors import safe_open

        with safe_open(self.path, framework="pt") as file:
            about = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        self.module.load_state_dict(
            {k.removeprefix("part."): v for k, v in tensors.items() if k.startswith("part.")}
        )
        for at, parameter in enumerate(self.parameters):
            names = ("exp_avg", "exp_avg_sq", "step")
            self.optimiser.state[parameter] = {name: tensors[f"{name}.{at}"] for name in names}
        self.step, self.seconds = int(about["step"]), float(about["seconds"])


def train(recipe: Recipe, work: Path, workers: int, say: Say) -> tuple[Any, Any, dict[str, float]]:
    """Draws, trains the tower, trains the language.

    Args:
        recipe: All numbers.
        work: Folder of pictures and states; what it holds is not done again.
        workers: Processes that draw, and threads that train.
        say: Told where it stands, in words.

    Returns:
        The LLaVA network, its tokenizer, and seconds of each stage.
    """
    work.mkdir(parents=True, exist_ok=True)
    write_json(work / "recipe.json", recipe.model_dump(mode="json"))
    started = time.monotonic()
    for here in draw_shards(recipe, work / "pictures", workers):
        say(f"pictures: {here * recipe.shard:,} of {recipe.pictures:,} drawn")
    drawing = _drawn_in(work, time.monotonic() - started)
    pictures, values = load_shards(recipe, work / "pictures")
    torch.set_num_threads(workers)
    tower, seconds = train_tower(recipe, work, pictures, values, say)
    network, tokenizer, more = train_language(recipe, work, tower, pictures, values, say)
    return network, tokenizer, {"drawing": drawing, "tower": seconds, "language": more}


def train_tower(
    recipe: Recipe, work: Path, pictures: np.ndarray, values: np.ndarray, say: Say
) -> tuple["torch.nn.Module", float]:
    """The vision tower, trained to name every slot from the mean over its tokens."""
    torch.manual_seed(recipe.seed)
    tower = make_tower(recipe)
    width = tower.config.hidden_size
    heads = torch.nn.ModuleDict({s: torch.nn.Linear(width, len(v)) for s, v in VALUES.items()})
    parts = {"tower": tower, "norm": torch.nn.LayerNorm(width), "heads": heads}
    stage = Stage("tower", work, parts, recipe, recipe.tower_steps, recipe.tower_rate)
    order = _Order(recipe, len(pictures), recipe.tower_batch)
    images, wanted = torch.from_numpy(pictures), torch.from_numpy(values)

    def loss_of(step: int) -> "torch.Tensor":
        rows = torch.from_numpy(order.rows(step))
        seen = _varied(pixels(images[rows]), np.random.default_rng([recipe.seed, 1, step]))
        states = parts["norm"](tower(pixel_values=seen).last_hidden_state.mean(dim=1))
        losses = [
            torch.nn.functional.cross_entropy(heads[slot](states), wanted[rows, at])
            for at, slot in enumerate(SLOTS)
        ]
        return torch.stack(losses).sum()

    stage.run(loss_of, say)
    return tower, stage.seconds


def train_language(
    recipe: Recipe,
    work: Path,
    tower: "torch.nn.Module",
    pictures: np.ndarray,
    values: np.ndarray,
    say: Say,
) -> tuple[Any, Any, float]:
    """Projector and text model, trained to answer; the tower stays as it is."""
    tokenizer = make_tokenizer(_corpus(recipe), recipe.vocabulary)
    torch.manual_seed(recipe.seed)
    network = make_network(recipe, tokenizer)
    network.model.vision_tower.load_state_dict(tower.state_dict())
    network.model.vision_tower.requires_grad_(False).eval()
    parts = {"projector": network.model.multi_modal_projector, "text": network.model.language_model}
    stage = Stage("language", work, parts, recipe, recipe.language_steps, recipe.language_rate)
    order = _Order(recipe, len(pictures), recipe.language_batch)
    images = torch.from_numpy(pictures)

    def loss_of(step: int) -> "torch.Tensor":
        rng = np.random.default_rng([recipe.seed, 2, step])
        rows = order.rows(step)
        seen = _varied(pixels(images[torch.from_numpy(rows)]), rng)
        turns = []
        for at, row in enumerate(rows):
            shown: dict[str, str] | None = named(values[row])
            if rng.uniform() < NOTHING_SHOWN:
                shown, seen[at] = None, _nothing(seen[at], rng)
            turns.append(converse(shown, rng))
        batch = _batch(turns, tokenizer, network.config.image_seq_length)
        loss: torch.Tensor = network(pixel_values=seen, **batch, use_cache=False).loss
        return loss

    stage.run(loss_of, say)
    network.eval()
    return network, tokenizer, stage.seconds


def named(row: np.ndarray) -> dict[str, str]:
    """Slot -> value, from the numbers of the values, [5]."""
    return {slot: VALUES[slot][int(k)] for slot, k in zip(SLOTS, row, strict=True)}


class _Order:
    """Which pictures a step sees: each epoch in an order of its own."""

    def __init__(self, recipe: Recipe, count: int, batch: int) -> None:
        self.seed, self.count, self.batch = recipe.seed, count, batch
        self.epoch, self.order = -1, np.empty(0, np.int64)

    def rows(self, step: int) -> np.ndarray:
        steps = max(1, self.count // self.batch)
        epoch, at = divmod(step, steps)
        if epoch != self.epoch:
            rng = np.random.default_rng([self.seed, 3, self.batch, epoch])
            self.epoch, self.order = epoch, rng.permutation(self.count)
        return self.order[at * self.batch : (at + 1) * self.batch]


def _varied(seen: "torch.Tensor", rng: np.random.Generator) -> "torch.Tensor":
    """Mirrored, moved and lit anew; [n, 3, side, side]."""
    n, side = len(seen), seen.shape[-1]
    mirrored = torch.from_numpy(rng.uniform(size=n) < 0.5)
    seen = torch.where(mirrored[:, None, None, None], seen.flip(3), seen)
    light = torch.from_numpy(rng.uniform(0.92, 1.08, size=(n, 1, 1, 1)).astype(np.float32))
    seen = (seen + 1.0) * light - 1.0
    padded = torch.nn.functional.pad(seen, (SHIFT,) * 4, mode="replicate")
    down, across = rng.integers(2 * SHIFT + 1, size=2)
    return padded[:, :, down : down + side, across : across + side].clamp(-1.0, 1.0)


def _nothing(seen: "torch.Tensor", rng: np.random.Generator) -> "torch.Tensor":
    """A picture of nothing: noise, or one tone."""
    shape = tuple(seen.shape)
    if rng.uniform() < 0.5:
        return torch.from_numpy(rng.uniform(-1, 1, size=shape).astype(np.float32))
    tone = rng.uniform(-1, 1, size=(3, 1, 1)) if rng.uniform() < 0.5 else rng.uniform(-1, 1)
    return torch.from_numpy(np.broadcast_to(tone, shape).astype(np.float32))


def _corpus(recipe: Recipe) -> list[str]:
    """Prompts and answers from which the tokenizer learns."""
    rng = np.random.default_rng([recipe.seed, 4])
    counts = [len(values) for values in VALUES.values()]
    turns = [converse(named(rng.integers(counts)), rng) for _ in range(4_000)]
    return [text for turn in turns for text in (turn.prompt, turn.answer)]


def _batch(turns: list[Turn], tokenizer: Any, image_tokens: int) -> dict[str, "torch.Tensor"]:
    """Prompts with answers, padded on the right; the loss is of answers alone."""
    asked = tokenizer([f"{IMAGE * image_tokens}\n{turn.prompt}\n" for turn in turns])["input_ids"]
    said = tokenizer([turn.answer for turn in turns])["input_ids"]
    whole = [a + s + [tokenizer.eos_token_id] for a, s in zip(asked, said, strict=True)]
    longest = max(map(len, whole))
    ids = np.full((len(turns), longest), tokenizer.pad_token_id, dtype=np.int64)
    labels, mask = np.full_like(ids, -100), np.zeros_like(ids)
    for at, (a, tokens) in enumerate(zip(asked, whole, strict=True)):
        ids[at, : len(tokens)], mask[at, : len(tokens)] = tokens, 1
        labels[at, len(a) : len(tokens)] = tokens[len(a) :]
    made = {"input_ids": ids, "attention_mask": mask, "labels": labels}
    return {name: torch.from_numpy(array) for name, array in made.items()}


def _drawn_in(work: Path, seconds: float) -> float:
    """Seconds of drawing over all sittings."""
    path = work / "seconds.json"
    before = json.loads(path.read_text("utf-8"))["drawing"] if path.exists() else 0.0
    write_json(path, {"drawing": before + seconds})
    return float(before + seconds)
