"""Adam: PyTorch's own numbers, seeds that leave, and no compiler loaded."""

import subprocess
import sys

import torch

from mmrec_core.recommenders.adam import Adam

RATES = [0.05 * 0.9**step for step in range(20)]


def beginnings():
    draws = torch.Generator().manual_seed(0)
    shapes = (3, 50, 8), (3, 7), (3, 2, 2)
    return [torch.nn.Parameter(torch.randn(shape, generator=draws)) for shape in shapes]


def loss_of(parameters, step):
    wide, thin, late = parameters
    both = wide.sin().sum((1, 2)) * thin.pow(2).sum(1) + wide.pow(2).sum((1, 2))
    # Early on nothing depends on the last one.
    return (both + late.cos().sum((1, 2)) if step > 5 else both).sum()


def test_the_numbers_are_those_of_pytorch_to_the_last_bit():
    own, theirs = beginnings(), beginnings()
    adam, known = Adam(own), torch.optim.Adam(theirs, fused=True)
    for step, rate in enumerate(RATES):
        adam.forget_gradients()
        loss_of(own, step).backward()
        adam.step(rate)
        known.param_groups[0]["lr"] = rate
        known.zero_grad()
        loss_of(theirs, step).backward()
        known.step()
    for a, b in zip(own, theirs):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_seeds_that_stay_go_on_as_if_nothing_had_happened():
    whole, some = beginnings(), beginnings()
    adam, part = Adam(whole), Adam(some)
    for step, rate in enumerate(RATES):
        if step == 8:
            some = [torch.nn.Parameter(p.detach()[[0, 2]].clone()) for p in some]
            part = part.kept(some, [0, 2])
        for memory, parameters in ((adam, whole), (part, some)):
            memory.forget_gradients()
            loss_of(parameters, step).backward()
            memory.step(rate)
    for a, b in zip(whole, some):
        torch.testing.assert_close(a[[0, 2]], b)


def test_training_does_not_wait_for_a_compiler_that_nobody_uses():
    script = """
import sys, numpy as np
from recommenders.cases import make_split
from mmrec_core.recommenders.bpr_mf import BPRMF
BPRMF(BPRMF.Config(max_epochs=1)).fit(make_split(), {}, seed=0)
sys.exit(sum(name in sys.modules for name in ("torch._dynamo", "torch._inductor")))
"""
    paths = ":".join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": paths}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
