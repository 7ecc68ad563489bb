"""No tensor is made on a device of its own choosing: every model runs on torch's meta device.

Meta tensors have a shape and a device and no values; an operation that mixes them with tensors of
the CPU fails. What meta cannot do (sparse products, nonzero, its own random numbers) is stood in
for by results of the right shape on the meta device, after a look at where the operands are.
"""

import numpy as np
import pytest
import torch
from recommenders.cases import make_features, make_split

from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.recommenders.trainer import Trained

TRAINED = [name for name, kind in RECOMMENDERS.items() if issubclass(kind, Trained)]


def on_meta(tensors):
    assert {t.device.type for t in tensors} == {"meta"}, [t.device for t in tensors]


@pytest.fixture
def stand_ins(monkeypatch):
    """What the meta device lacks, of the right shape; operands elsewhere are refused."""
    product, addmm, rand = torch.Tensor.__matmul__, torch.addmm, torch.rand

    def matmul(left, right):
        if left.layout is torch.strided:
            return product(left, right)
        on_meta([left, right])
        return torch.empty(left.shape[0], right.shape[-1], device="meta")

    def added(to, left, right, **options):
        if left.layout is torch.strided:
            return addmm(to, left, right, **options)
        on_meta([to, left, right])
        return torch.empty(left.shape[0], right.shape[-1], device="meta")

    def sampled(pattern, left, right, beta=1.0):
        on_meta([pattern, left, right])
        return pattern

    def nonzero(own):
        on_meta([own])
        return torch.zeros(min(3, own.numel()), 1, dtype=torch.long, device="meta")

    def random(*shape, generator=None, **options):
        return rand(*shape, **options)

    def unique(own, return_counts):
        on_meta([own])
        return own.flatten()[:2], own.flatten()[:2]

    def cpu(own):
        return torch.zeros(own.shape, dtype=own.dtype)

    monkeypatch.setattr(torch.Tensor, "unique", unique)
    monkeypatch.setattr(torch.Tensor, "cpu", cpu)
    monkeypatch.setattr(torch.Tensor, "__matmul__", matmul)
    monkeypatch.setattr(torch, "addmm", added)
    monkeypatch.setattr(torch.sparse, "sampled_addmm", sampled)
    monkeypatch.setattr(torch.Tensor, "nonzero", nonzero)
    monkeypatch.setattr(torch, "rand", random)


@pytest.mark.parametrize("name", TRAINED)
def test_loss_gradient_and_factors_stay_where_they_are_told(name, stand_ins, monkeypatch):
    kind, split = RECOMMENDERS.get(name), make_split()
    features = make_features(split) if kind.uses else {}
    if name == "bm3":
        # Only real devices have generators; its own are made on the context's device.
        own = [torch.Generator(), torch.Generator()]
        monkeypatch.setattr(
            kind.Context, "new_epoch", lambda self, rngs: setattr(self, "generators", own)
        )
    config = kind.Config(factors=8)
    context = kind.Context(config, split, [features, features], "meta", True)
    context.new_epoch([np.random.default_rng(seed) for seed in (0, 1)])
    parameters = {
        key: torch.nn.Parameter(torch.empty((2, *initial.shape), device="meta"))
        for key, initial in kind.initial(config, split, features).items()
    }
    batch = [torch.zeros((2, 5), dtype=torch.long, device="meta") for _ in range(3)]
    loss = kind.loss(parameters, context, *batch)
    assert loss.shape == (2,) and loss.device.type == "meta"
    loss.sum().backward()
    fresh = kind.Context(config, split, [features, features], "meta", False)
    factors = kind.factors(parameters, fresh)
    assert any(p.grad is not None for p in parameters.values())
    for users, items in factors.values():
        assert items.device.type == "meta"
        assert users is None or users.device.type == "meta"


def test_the_check_can_fail(stand_ins):
    here, there = torch.ones(3, 3), torch.ones(3, 3, device="meta")
    with pytest.raises(RuntimeError, match="device"):
        _ = here + there
    with pytest.raises(AssertionError):
        torch.addmm(here, sparse_on_meta(), there)


def sparse_on_meta():
    ends = torch.zeros(4, dtype=torch.int32, device="meta")
    return torch.sparse_csr_tensor(
        ends, ends[:3], torch.ones(3, device="meta"), size=(3, 3), check_invariants=False
    )
