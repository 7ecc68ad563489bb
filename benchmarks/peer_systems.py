"""Recommenders of other libraries and ours under one call, for ``benchmarks.peers``.

A system is a function (split, picture features or None, epochs, settings) -> (seconds of training,
scores of all users). Its epochs are passes over the train interactions. Libraries are imported
where they are used: this file is run by the interpreter of the environment that has them.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from mmrec_core.domain import Embeddings, Split

Trained = tuple[float, np.ndarray]
System = Callable[[Split, Embeddings | None, int, Mapping[str, Any]], Trained]
FACTORS, SEED, BATCH = 64, 1, 2048


def cornac_bpr(split: Split, image: Any, epochs: int, values: Mapping[str, Any]) -> Trained:
    """Cornac's BPR, Cython, one thread."""
    from cornac.models import BPR

    model = BPR(k=FACTORS, max_iter=epochs, seed=SEED, num_threads=1, **values)
    seconds = _timed(lambda: model.fit(_cornac_set(split)))
    return seconds, np.asarray(model.u_factors @ model.i_factors.T + model.i_biases)


def cornac_vbpr(split: Split, image: Any, epochs: int, values: Mapping[str, Any]) -> Trained:
    """Cornac's VBPR, PyTorch, with our batch size."""
    from cornac.data import ImageModality
    from cornac.models import VBPR

    model = VBPR(
        k=FACTORS, k2=FACTORS, n_epochs=epochs, batch_size=BATCH, seed=SEED, verbose=False, **values
    )
    train = _cornac_set(split)
    rows = np.zeros_like(image.matrix)
    rows[image.observed] = image.matrix[image.observed]
    modality = ImageModality(features=rows, ids=list(range(split.n_items)), normalized=True)
    modality.build(id_map=train.iid_map)
    train.add_modalities(item_image=modality)
    seconds = _timed(lambda: model.fit(train))
    scores = np.stack([model.score(user) for user in range(split.n_users)])
    return seconds, scores


def _cornac_set(split: Split) -> Any:
    """Ids in order of rows, so that Cornac's own numbers are ours."""
    from collections import OrderedDict

    from cornac.data import Dataset

    coo = split.train.tocoo()
    ids = [OrderedDict((i, i) for i in range(n)) for n in split.train.shape]
    ones = np.ones(len(coo.row), dtype=float)
    return Dataset(
        num_users=split.n_users,
        num_items=split.n_items,
        uid_map=ids[0],
        iid_map=ids[1],
        uir_tuple=(coo.row, coo.col, ones),
        seed=SEED,
    )


def implicit_bpr(split: Split, image: Any, epochs: int, values: Mapping[str, Any]) -> Trained:
    """implicit's BPR, Cython, one thread."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    model = BayesianPersonalizedRanking(
        factors=FACTORS, iterations=epochs, random_state=SEED, num_threads=1, **values
    )
    seconds = _timed(lambda: model.fit(_ones(split), show_progress=False))
    return seconds, np.asarray(model.user_factors @ model.item_factors.T)


def implicit_item_knn(split: Split, image: Any, epochs: int, values: Mapping[str, Any]) -> Trained:
    """implicit's cosine neighbours."""
    from implicit.nearest_neighbours import CosineRecommender

    # implicit counts the item itself among its neighbours.
    model = CosineRecommender(K=values["k"] + 1, num_threads=1)
    seconds = _timed(lambda: model.fit(_ones(split), show_progress=False))
    similarity = model.similarity.tolil()
    similarity.setdiag(0)
    return seconds, np.asarray((_ones(split) @ similarity.tocsr()).todense(), dtype=np.float32)


def recbole_bpr(split: Split, image: Any, epochs: int, values: Mapping[str, Any]) -> Trained:
    """RecBole's BPR, PyTorch."""
    return _recbole("BPR", split, epochs, values)


def recbole_light_gcn(split: Split, image: Any, epochs: int, values: Mapping[str, Any]) -> Trained:
    """RecBole's LightGCN, PyTorch, three layers."""
    return _recbole("LightGCN", split, epochs, {"n_layers": 3, **values})


def _recbole(name: str, split: Split, epochs: int, values: Mapping[str, Any]) -> Trained:
    import torch

    # RecBole 1.2.1 names types and calls a method that NumPy 2 and SciPy have taken away.
    for kind, now in (("float_", np.float64), ("complex_", np.complex128), ("unicode_", np.str_)):
        if kind not in vars(np):
            setattr(np, kind, now)
    if not hasattr(sparse.dok_matrix, "_update"):
        sparse.dok_matrix._update = lambda self, entries: self._dict.update(entries)
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    with TemporaryDirectory() as folder:
        place = Path(folder) / "split"
        place.mkdir()
        for part in ("train", "valid", "test"):
            coo = getattr(split, part).tocoo()
            table = pd.DataFrame({"user_id:token": coo.row, "item_id:token": coo.col})
            table.to_csv(place / f"split.{part}.inter", sep="\t", index=False)
        settings = {
            "data_path": folder,
            "benchmark_filename": ["train", "valid", "test"],
            "load_col": {"inter": ["user_id", "item_id"]},
            "USER_ID_FIELD": "user_id",
            "ITEM_ID_FIELD": "item_id",
            "embedding_size": FACTORS,
            "train_batch_size": BATCH,
            "epochs": epochs,
            "use_gpu": False,
            "seed": SEED,
            "state": "ERROR",
            "show_progress": False,
            "checkpoint_dir": str(place / "saved"),
            **values,
        }
        # RecBole reads the command line of whoever imports it.
        config = Config(model=name, dataset="split", config_dict=settings)
        init_seed(SEED, True)
        dataset = create_dataset(config)
        train, _, _ = data_preparation(config, dataset)
        model = get_model(name)(config, train.dataset)
        trainer = get_trainer(config["MODEL_TYPE"], name)(config, model)

        def fit() -> None:
            for epoch in range(epochs):
                trainer._train_epoch(train, epoch, show_progress=False)

        seconds = _timed(fit)
        with torch.no_grad():
            if name == "BPR":
                users, items = model.user_embedding.weight, model.item_embedding.weight
            else:
                users, items = model.forward()
        own = (users @ items.T).detach().numpy()
        scores = np.full((split.n_users, split.n_items), -np.inf, dtype=np.float32)
        rows, columns = (
            np.array([int(token) for token in dataset.field2id_token[field][1:]])
            for field in ("user_id", "item_id")
        )
        scores[np.ix_(rows, columns)] = own[1 : len(rows) + 1, 1 : len(columns) + 1]
        return seconds, scores


def ours(name: str) -> System:
    """A recommender of this project, trained to the last epoch without a look at validation."""

    def train(split: Split, image: Any, epochs: int, values: Mapping[str, Any]) -> Trained:
        from mmrec_core.recommenders import RECOMMENDERS

        kind = RECOMMENDERS.get(name)
        fields = kind.Config.model_fields
        length = {"max_epochs": epochs, "patience": epochs, "evaluate_every": epochs}
        length |= {"batch_size": BATCH, "factors": FACTORS}
        config = kind.Config(**{k: v for k, v in length.items() if k in fields}, **values)
        features = {"image": image} if kind.uses else {}
        started = time.perf_counter()
        model = kind(config).fit(split, features, SEED)
        seconds = time.perf_counter() - started
        return seconds, model.score(np.arange(split.n_users))

    return train


def _timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _ones(split: Split) -> sparse.csr_matrix:
    return split.train.astype(np.float32)


SYSTEMS: dict[str, System] = {
    "cornac-bpr": cornac_bpr,
    "cornac-vbpr": cornac_vbpr,
    "implicit-bpr": implicit_bpr,
    "implicit-item-knn": implicit_item_knn,
    "recbole-bpr": recbole_bpr,
    "recbole-light-gcn": recbole_light_gcn,
    **{name: ours(name) for name in ("bpr-mf", "light-gcn", "vbpr", "item-knn")},
}

RATES = (1e-3, 5e-3, 2e-2)


def _grid(rate: str, reg: str, rates: tuple[float, ...], regs: tuple[float, ...]) -> list[dict]:
    return [{rate: a, reg: b} for a in rates for b in regs]


GRIDS: dict[str, list[dict[str, Any]]] = {
    # Each library's own scale of regularisation; six points for all.
    "cornac-bpr": _grid("learning_rate", "lambda_reg", (5e-3, 2e-2, 0.1), (1e-3, 1e-2)),
    "cornac-vbpr": _grid("learning_rate", "lambda_w", RATES, (1e-2, 0.1)),
    "implicit-bpr": _grid("learning_rate", "regularization", (5e-3, 2e-2, 0.1), (1e-3, 1e-2)),
    "implicit-item-knn": [{"k": k} for k in (20, 50, 100, 200, 400, 800)],
    "recbole-bpr": [{"learning_rate": rate} for rate in (5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2)],
    "recbole-light-gcn": _grid("learning_rate", "reg_weight", RATES, (1e-5, 1e-3)),
    "bpr-mf": _grid("learning_rate", "reg", RATES, (0.05, 0.3)),
    "light-gcn": _grid("learning_rate", "reg", RATES, (1e-3, 0.03)),
    "vbpr": _grid("learning_rate", "reg", RATES, (0.1, 0.5)),
    "item-knn": [{"k": k, "shrink": 0} for k in (20, 50, 100, 200, 400, 800)],
}
