"""A space that pictures and words share, learned from a catalogue's own pairs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from mmrec_core.domain import (
    Dataset,
    Embeddings,
    InputError,
    Progress,
    no_progress,
)
from mmrec_core.extractors.base import EXTRACTORS, Extractor, ExtractorConfig
from mmrec_core.extractors.fusion import Part
from mmrec_core.extractors.matrices import OfParts
from mmrec_core.extractors.service import (
    embed,
    find_embeddings,
    load_embeddings,
    make_extractor,
)
from mmrec_core.lazy import lazy_import
from mmrec_core.settings import device as chosen_device
from mmrec_core.store import Artefact, store

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")

HEADS, HEADS_VERSION = "shared-heads", 1
LEAST_FITTED = 20
LEAST_PAIRS = 50
"""Items with a picture and words below which nothing can be learned or held out."""

_EVALUATE_EVERY = 2
_PATIENCE = 10


class SharedSpaceConfig(ExtractorConfig):
    """Options of a shared space."""

    output: Literal["image", "text"] = Field(
        "image", description="Which of an item's two vectors: of its picture or of its words"
    )
    image: Part = Field(Part(extractor="efficientnet-lite0"), description="Extractor of pictures")
    text: Part = Field(Part(extractor="minilm"), description="Extractor of words")
    width: int = Field(128, ge=2, le=1024, description="Columns of the shared space")
    hidden: int = Field(0, ge=0, le=4096, description="Hidden units of each head; 0: linear")
    held_out: float = Field(
        0.2, gt=0, lt=0.9, description="Share of the pairs kept from fitting, to measure on"
    )
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Step size of Adam")
    weight_decay: float = Field(1e-2, ge=0, le=10, description="Of AdamW")
    dropout: float = Field(0.5, ge=0, lt=1, description="Share of input columns blanked in a step")
    batch_size: int = Field(512, ge=8, le=65_536, description="Pairs contrasted at once")
    max_epochs: int = Field(200, ge=1, le=10_000, description="Cap on epochs")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Of held-out items and training")


class SharedSpace(OfParts):
    """Puts pictures and words into one space by learning it from the catalogue's own pairs.

    Two projection heads, linear or with one hidden layer, on top of an image and a text extractor
    are trained so that an item's picture and its words lie closer to each other than to those of
    other items (InfoNCE, as in CLIP). The option ``output`` says which of the two vectors is an
    item's. Runs offline on a CPU in seconds to minutes.

    **It is fitted on this catalogue**: what it says of pairs that it was fitted on proves
    nothing. A share of the pairs is held out, and retrieval is measured on those alone.
    """

    name = "shared-space"
    title = "Shared space, fitted on this catalogue"
    modality = "any"
    reference = (
        "after Radford et al., Learning Transferable Visual Models From Natural Language "
        "Supervision, ICML 2021 (loss); on frozen extractors as in Zhai et al., LiT, CVPR 2022"
    )
    version = 1
    Config = SharedSpaceConfig

    def __init__(self, config: ExtractorConfig | None = None) -> None:
        super().__init__(config)
        self.modality = self.config.output

    @property
    def details(self) -> str:
        """What it is made from and its options, where they are not the usual ones; may be empty."""
        usual = self.Config()
        parts = [part.label for part in self.made_of()]
        made_of = (self.config.image, self.config.text) != (usual.image, usual.text)
        changed = self.config.model_dump(mode="json", exclude_defaults=True)
        options = [
            f"{name}={value}"
            for name, value in sorted(changed.items())
            if name not in ("output", "image", "text")
        ]
        words = f"of {' and '.join(parts)}" if made_of else ""
        return " ".join(filter(None, [words, f"({', '.join(options)})" if options else ""]))

    def caution(self, dataset: Dataset) -> str:
        """That it has seen the catalogue."""
        return (
            "its heads are fitted on this catalogue's own pairs, but for those that are held out; "
            "alignment within it is measured on held-out items"
        )

    def matrix(
        self, dataset: Dataset, device: str | None, progress: Progress
    ) -> tuple[np.ndarray, np.ndarray]:
        """Vectors of length 1 of the chosen side."""
        own = self.source(dataset, progress)
        heads = self.heads(dataset, progress)
        projected = project(heads, self.config.output, own.matrix)
        return projected * own.observed[:, None].astype(np.float32), own.missing

    def source(self, dataset: Dataset, progress: Progress = no_progress) -> Embeddings:
        """What the chosen head reads."""
        part: Part = getattr(self.config, self.config.output)
        return embed(dataset, part.extractor, part.config, progress)[0]

    def heads(self, dataset: Dataset, progress: Progress = no_progress) -> Artefact:
        """The two heads, fitted unless they are in the store; with who was held out.

        Raises:
            InputError: Too few items have a picture and words.
        """
        sides = {
            side: embed(dataset, part.extractor, part.config, progress)[0]
            for side, part in (("image", self.config.image), ("text", self.config.text))
        }
        spec = self._heads_spec(sides)

        def write(folder: Path) -> dict[str, Any]:
            from safetensors.numpy import save_file

            weights, facts, held_out = _fit(sides, self.config, progress)
            save_file(weights, folder / "heads.safetensors")
            pd.DataFrame({"item_id": sides["image"].item_ids, "held_out": held_out}).astype(
                {"item_id": "str"}
            ).to_parquet(folder / "items.parquet", index=False)
            return facts

        return store().get(HEADS, spec) or store().put(HEADS, spec, write)

    def find_heads(self, dataset: Dataset) -> Artefact | None:
        """The fitted heads, or None where they, or what they were fitted on, are not here."""
        sides: dict[str, Embeddings] = {}
        for side, part in (("image", self.config.image), ("text", self.config.text)):
            found = find_embeddings(dataset, part.extractor, part.config)
            if found is None:
                return None
            sides[side] = load_embeddings(found)
        return store().get(HEADS, self._heads_spec(sides))

    def _heads_spec(self, sides: dict[str, Embeddings]) -> dict[str, Any]:
        return {
            "version": HEADS_VERSION,
            "sides": {side: own.fingerprint for side, own in sides.items()},
            "config": self.config.model_dump(mode="json", exclude={"output", "image", "text"}),
        }

    def made_of(self) -> list[Extractor]:
        """The extractors of pictures and of words."""
        parts = (self.config.image, self.config.text)
        return [make_extractor(part.extractor, part.config) for part in parts]


def fitted_within(extractor: Extractor) -> list[SharedSpace]:
    """Every shared space that an extractor is, or is made of: what of it was fitted here."""
    own = [extractor] if isinstance(extractor, SharedSpace) else []
    parts = extractor.made_of() if isinstance(extractor, OfParts) else []
    return [*own, *(found for part in parts for found in fitted_within(part))]


def held_out_items(heads: Artefact) -> np.ndarray:
    """[n_items] bool; True for pairs that the heads were not fitted on."""
    return heads.table("items")["held_out"].to_numpy(dtype=bool)


def project(heads: Artefact, side: str, matrix: np.ndarray) -> np.ndarray:
    """Vectors of an extractor in the shared space, float32 [n, width], of length 1.

    Args:
        heads: Of ``SharedSpace.heads``.
        side: ``image`` or ``text``.
        matrix: [n, d] as that side's extractor makes them.
    """
    from safetensors.numpy import load_file

    weights = load_file(heads.file("heads.safetensors"))
    own = {name.removeprefix(f"{side}."): a for name, a in weights.items() if name.startswith(side)}
    rows = (np.asarray(matrix, dtype=np.float32) - own["mean"]) / own["scale"]
    if "inner" in own:
        rows = np.maximum(rows @ own["inner"] + own["inner_bias"], 0.0)
    rows = rows @ own["outer"]
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)


def _fit(
    sides: dict[str, Embeddings], config: SharedSpaceConfig, progress: Progress
) -> tuple[dict[str, np.ndarray], dict[str, Any], np.ndarray]:
    """Learns both heads; the epoch is chosen on a tenth of the pairs that are fitted on."""
    pairs = np.flatnonzero(sides["image"].observed & sides["text"].observed)
    if len(pairs) < LEAST_PAIRS:
        raise InputError(
            f"Only {len(pairs)} items have both a picture and words; a shared space is learned "
            f"from {LEAST_PAIRS} pairs or more."
        )
    rng = np.random.default_rng(config.seed)
    drawn = rng.permutation(pairs)
    n_out = max(10, round(config.held_out * len(pairs)))
    out, fitted_on = drawn[:n_out], drawn[n_out:]
    n_valid = max(5, len(fitted_on) // 10)
    valid, train = fitted_on[:n_valid], fitted_on[n_valid:]
    if len(train) < LEAST_FITTED:
        raise InputError(
            f"With {config.held_out:.0%} held out {len(train)} of {len(pairs)} pairs are left to "
            f"fit on; {LEAST_FITTED} are needed. Hold fewer out."
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        best, epoch, loss = _Fitting(sides, train, valid, config, rng).run(progress)
    held_out = np.zeros(len(sides["image"].item_ids), dtype=bool)
    held_out[out] = True
    facts = {
        "pairs": len(pairs),
        "fitted_on": len(fitted_on),
        "held_out": len(out),
        "epoch": epoch,
        "loss": loss,
        "device": chosen_device(),
    }
    return best, facts, held_out


class _Fitting:
    """Contrastive training of two heads with early stopping."""

    def __init__(
        self,
        sides: dict[str, Embeddings],
        train: np.ndarray,
        valid: np.ndarray,
        config: SharedSpaceConfig,
        rng: np.random.Generator,
    ) -> None:
        self.config, self.rng, self.device = config, rng, chosen_device()
        self.moments = {side: _moments(own.matrix[train]) for side, own in sides.items()}

        def rows(chosen: np.ndarray) -> dict[str, "torch.Tensor"]:
            return {
                side: torch.from_numpy(
                    (own.matrix[chosen] - self.moments[side][0]) / self.moments[side][1]
                ).to(self.device)
                for side, own in sides.items()
            }

        self.train, self.valid = rows(train), rows(valid)
        self.heads = torch.nn.ModuleDict(
            {side: self._head(own.width) for side, own in sides.items()}
        ).to(self.device)
        # CLIP starts from a temperature of .07 and learns it.
        self.log_scale = torch.nn.Parameter(torch.tensor(np.log(1 / 0.07), device=self.device))

    def _head(self, width: int) -> Any:
        blank = torch.nn.Dropout(self.config.dropout)
        outer = torch.nn.Linear(self.config.hidden or width, self.config.width, bias=False)
        if not self.config.hidden:
            return torch.nn.Sequential(blank, outer)
        inner = torch.nn.Linear(width, self.config.hidden)
        return torch.nn.Sequential(blank, inner, torch.nn.ReLU(), outer)

    def run(self, progress: Progress) -> tuple[dict[str, np.ndarray], int, float]:
        parameters = [*self.heads.parameters(), self.log_scale]
        adam = torch.optim.AdamW(
            parameters, lr=self.config.learning_rate, weight_decay=self.config.weight_decay
        )
        n = len(self.train["image"])
        best, best_epoch, lowest, waited = self._weights(), 0, float("inf"), 0
        for epoch in range(1, self.config.max_epochs + 1):
            self.heads.train()
            order = torch.from_numpy(self.rng.permutation(n)).to(self.device)
            for rows in order.split(self.config.batch_size):
                if len(rows) < 2:
                    continue
                adam.zero_grad()
                self._loss({side: own[rows] for side, own in self.train.items()}).backward()
                adam.step()
                # CLIP clips it at 100: beyond, training is unstable.
                self.log_scale.data.clamp_(0.0, float(np.log(100.0)))
            if epoch % _EVALUATE_EVERY and epoch < self.config.max_epochs:
                continue
            loss = self._validated()
            what = f"shared space: epoch {epoch}, validation loss {loss:.3f}"
            progress(epoch, self.config.max_epochs, what)
            if loss < lowest:
                best, best_epoch, lowest, waited = self._weights(), epoch, loss, 0
            else:
                waited += 1
                if waited >= _PATIENCE:
                    break
        return best, best_epoch, lowest

    def _loss(self, rows: dict[str, "torch.Tensor"]) -> "torch.Tensor":
        """Symmetric InfoNCE over the pairs of a batch."""
        image, text = (
            torch.nn.functional.normalize(self.heads[side](rows[side]), dim=1)
            for side in ("image", "text")
        )
        logits = self.log_scale.exp() * image @ text.T
        own = torch.arange(len(logits), device=logits.device)
        entropy = torch.nn.functional.cross_entropy
        return (entropy(logits, own) + entropy(logits.T, own)) / 2

    def _validated(self) -> float:
        self.heads.train(False)
        with torch.no_grad():
            return float(self._loss(self.valid))

    def _weights(self) -> dict[str, np.ndarray]:
        """As ``project`` reads them; matrices stand as [from, to]."""
        found: dict[str, np.ndarray] = {}
        for side, (mean, scale) in self.moments.items():
            found[f"{side}.mean"], found[f"{side}.scale"] = mean, scale
            layers = [m for m in self.heads[side] if isinstance(m, torch.nn.Linear)]
            if len(layers) == 2:
                found[f"{side}.inner"] = _array(layers[0].weight.T)
                found[f"{side}.inner_bias"] = _array(layers[0].bias)
            found[f"{side}.outer"] = _array(layers[-1].weight.T)
        return found


def _array(tensor: "torch.Tensor") -> np.ndarray:
    return np.ascontiguousarray(tensor.detach().cpu().numpy().copy())


def _moments(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each column, and one scale for all: columns that hardly vary stay quiet."""
    mean = matrix.mean(axis=0, dtype=np.float64)
    scale = np.sqrt(np.mean((matrix - mean) ** 2)) or 1.0
    return mean.astype(np.float32), np.array([scale], dtype=np.float32)


EXTRACTORS.register(SharedSpace.name, SharedSpace)
