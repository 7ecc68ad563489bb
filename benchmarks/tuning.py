"""python -m benchmarks.tuning RECOMMENDER...: how the defaults of the trained models were found.

Optuna's TPE searches each model's settings for the best validation Recall@20 of the model with
real content. Nothing here sees a control, a test set, or the shipped shop: the shops have
generator seeds 1 to 9, and a sparse synthetic data set without pictures keeps the defaults from
being those of the demo alone. Recall is divided by that of LightGCN on the same shop, so that
every shop counts the same. Every model has the same number of trials. Trials are kept in a
database: the same command goes on where it was stopped.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd

from mmrec_core.datasets.demo import WORLDS, DemoConfig, fresh_world, write_demo
from mmrec_core.datasets.split import SplitConfig, make_split
from mmrec_core.domain import Dataset, DatasetInfo, Embeddings, Features, Split
from mmrec_core.extractors.service import embed
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.recommenders.validation import validation_recall

EXTRACTORS = {"image": "efficientnet-lite0", "text": "minilm"}
SEEDS = (1, 2)


@dataclass(frozen=True, eq=False)
class Shop:
    """A split with its real features."""

    label: str
    split: Split
    features: Features


def demo_shops(generator_seed: int, folder: Path) -> list[Shop]:
    """The four worlds of one generator seed; pictures are drawn and embedded once."""
    assert 1 <= generator_seed <= 9, "other generator seeds are kept for calibration"
    place = folder / f"gen{generator_seed}"
    config = DemoConfig(seed=generator_seed)
    if not (place / "worlds" / WORLDS[-1] / "truth.json").is_file():
        write_demo(place, config)
    shops = []
    for world in WORLDS:
        dataset, _ = fresh_world(world, generator_seed, place, config)
        split = make_split(dataset, SplitConfig(k_core=0))
        features = {
            modality: embed(dataset, name)[0].aligned(split.item_ids)
            for modality, name in EXTRACTORS.items()
        }
        shops.append(Shop(f"{world} {generator_seed}", split, features))
    return shops


def sparse_shop(seed: int, n_users: int = 2500, n_items: int = 2000, each: int = 6) -> Shop:
    """Latent tastes in picture, words and neither, over 64 noisy feature columns a modality.

    Users have six interactions each, a third of a percent of all pairs.
    """
    rng = np.random.default_rng([seed, 77])
    parts = {name: rng.standard_normal((n_items, 6)) for name in ("image", "text", "hidden")}
    utility = 0.8 * rng.standard_normal(n_items) + rng.gumbel(size=(n_users, n_items))
    for traits in parts.values():
        utility += 0.5 * rng.standard_normal((n_users, 6)) @ traits.T
    chosen = np.argpartition(-utility, each - 1, axis=1)[:, :each]
    ids = np.array([f"i{i:05d}" for i in range(n_items)], dtype=object)
    info = DatasetInfo(title="Sparse", k_core=0)
    dataset = Dataset(
        "sparse",
        pd.DataFrame({"item_id": ids}),
        pd.DataFrame(
            {
                "user_id": np.repeat([f"u{u:05d}" for u in range(n_users)], each),
                "item_id": ids[chosen.ravel()],
                "rating": np.full(chosen.size, np.nan, dtype=np.float32),
                "timestamp": pd.array([pd.NA] * chosen.size, dtype="Int64"),
            }
        ),
        Path(),
        info,
        f"sparse-{seed}",
    )
    split = make_split(dataset, SplitConfig(k_core=0))
    features = {}
    for modality in EXTRACTORS:
        clean = parts[modality] @ rng.standard_normal((6, 64))
        noisy = clean + 2.0 * rng.standard_normal(clean.shape)
        none = np.zeros(n_items, dtype=bool)
        whole = Embeddings(modality, "synthetic", ids, noisy.astype(np.float32), none)
        features[modality] = whole.aligned(split.item_ids)
    return Shop(f"sparse {seed}", split, features)


def _common(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 1e-3, 2e-2, log=True),
        "reg": trial.suggest_float("reg", 1e-3, 1.0, log=True),
    }


def _item_knn(trial: optuna.Trial) -> dict[str, Any]:
    kinds = ("cosine", "jaccard", "asymmetric", "tversky", "dot")
    return {
        "k": trial.suggest_int("k", 5, 1000, log=True),
        "shrink": trial.suggest_float("shrink", 0.0, 1000.0),
        "similarity": trial.suggest_categorical("similarity", kinds),
    }


def _light_gcn(trial: optuna.Trial) -> dict[str, Any]:
    return _common(trial) | {"layers": trial.suggest_int("layers", 1, 3)}


def _vbpr(trial: optuna.Trial) -> dict[str, Any]:
    widths = (16, 32, 64)
    return _common(trial) | {
        "content_factors": trial.suggest_categorical("content_factors", widths)
    }


def _freedom(trial: optuna.Trial) -> dict[str, Any]:
    return _common(trial) | {
        "layers": trial.suggest_int("layers", 1, 3),
        "edge_dropout": trial.suggest_categorical("edge_dropout", (0.0, 0.5, 0.8)),
        "neighbours": trial.suggest_categorical("neighbours", (10, 20, 40)),
        "image_weight": trial.suggest_categorical("image_weight", (0.1, 0.5, 0.9)),
    }


SPACES: Mapping[str, Callable[[optuna.Trial], dict[str, Any]]] = {
    "item-knn": _item_knn,
    "bpr-mf": _common,
    "light-gcn": _light_gcn,
    "vbpr": _vbpr,
    "freedom": _freedom,
}


def found(name: str, values: dict[str, Any], shop: Shop) -> float:
    """Validation Recall@20 of the model with real content, mean over the seeds."""
    kind = RECOMMENDERS.get(name)
    features = shop.features if kind.uses else {}
    seeds = SEEDS if kind.seeded else SEEDS[:1]
    models = kind.fit_seeds(kind.Config(**values), shop.split, [features] * len(seeds), seeds)
    return float(np.mean([validation_recall(model, shop.split) for model in models]))


def tune(name: str, shops: list[Shop], scales: Mapping[str, float], trials: int, out: Path) -> None:
    """Runs what is left of the trials; the present defaults are the first."""
    study = optuna.create_study(
        study_name=name,
        storage=f"sqlite:///{out / f'{name}.db'}",
        load_if_exists=True,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=1, multivariate=True),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=6),
    )

    def objective(trial: optuna.Trial) -> float:
        values = SPACES[name](trial)
        logs = []
        for step, shop in enumerate(shops):
            recall = found(name, values, shop)
            trial.set_user_attr(shop.label, round(recall, 4))
            logs.append(np.log(max(recall, 1e-6) / scales[shop.label]))
            trial.report(float(np.mean(logs)), step)
            if step < len(shops) - 1 and trial.should_prune():
                raise optuna.TrialPruned
        return float(np.exp(np.mean(logs)))

    if not study.trials:
        default = RECOMMENDERS.get(name).Config().model_dump()
        probe = optuna.trial.FixedTrial(default)
        study.enqueue_trial({key: default[key] for key in SPACES[name](probe)})
    left = trials - len([t for t in study.trials if t.state.is_finished()])
    study.optimize(objective, n_trials=max(0, left))
    for trial in sorted(study.trials, key=lambda t: -(t.value or 0))[:5]:
        recalls = " ".join(f"{label} {recall}" for label, recall in trial.user_attrs.items())
        print(f"{name} {trial.value} {trial.params} | {recalls}", flush=True)


def main() -> None:
    """Tunes the named models one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recommenders", nargs="+", choices=list(SPACES))
    parser.add_argument("--generator-seed", type=int, default=1)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--out", type=Path, required=True, help="folder of shops and trials")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    shops = [
        *demo_shops(options.generator_seed, options.out),
        sparse_shop(options.generator_seed),
    ]
    started = time.time()
    scales = {shop.label: found("light-gcn", {}, shop) for shop in shops}
    once = time.time() - started
    print(
        f"Scales {scales}; about {options.trials * len(options.recommenders) * once / 60:.0f} "
        "minutes.",
        flush=True,
    )
    for name in options.recommenders:
        tune(name, shops, scales, options.trials, options.out)


if __name__ == "__main__":
    main()
