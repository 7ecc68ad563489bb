"""Every recommender, trained for a moment on the small split."""

from functools import cache

import pytest
from recommenders.cases import make_features, make_split

import mmrec_core.recommenders  # noqa: F401  (registers)
from mmrec_core.explanations.subject import Subject
from mmrec_core.recommenders import RECOMMENDERS

QUICK = {"factors": 8, "batch_size": 128, "max_epochs": 20, "patience": 20, "evaluate_every": 10}
NAMES = RECOMMENDERS.names()


@cache
def subject_of(name: str) -> Subject:
    kind = RECOMMENDERS.get(name)
    split = make_split()
    trained = "max_epochs" in kind.Config.model_fields
    config = kind.Config.model_validate(QUICK if trained else {})
    features = make_features(split) if kind.uses else {}
    return Subject(kind(config).fit(split, features, seed=3))


@pytest.fixture(params=NAMES)
def subject(request):
    return subject_of(request.param)
