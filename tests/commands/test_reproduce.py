"""The command shown beside a result makes the same study."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from studies.shop import write_shop

from mmrec_core.commands.parser import build_parser
from mmrec_core.commands.studies import _values
from mmrec_core.datasets.install import install
from mmrec_core.studies.inputs import resolved
from mmrec_core.studies.results import study_command
from mmrec_core.studies.study import make_study

FEATURES = {
    modality: {"extractor": "precomputed", "config": {"file": modality}}
    for modality in ("image", "text")
}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"features": FEATURES, "controls": ["shuffle", "removed", "gaussian-matched"]},
        {"configs": {"vbpr": {"reg": 0.3, "factors": 8}}, "seeds": 7, "first_seed": 3},
        {"split": {"strategy": "cold-items", "cold": 0.3, "seed": 4, "k_core": 0}},
        {"split": {"relevant_from": "all"}, "mask": "train", "metric": "ndcg@10", "delta": 0.1},
        {"references": [], "recommenders": ["freedom"], "stage": "inference"},
    ],
)
def test_the_command_makes_the_same_study(
    mmrec_data: Path, tmp_path: Path, values: dict[str, Any]
) -> None:
    install(write_shop(tmp_path / "shop"), name="shop")
    study = resolved(make_study({"dataset": "shop", **values}))
    words = shlex.split(study_command(study.model_dump(mode="json")))
    assert words[:3] == ["python", "-m", "mmrec_core"]
    again = make_study(_values(build_parser().parse_args(words[3:])))
    assert resolved(again).model_dump() == study.model_dump()
