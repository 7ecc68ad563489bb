"""Settings of the features: how they are written, and one table over them."""

import json

import numpy as np
import pytest
from studies.shop import QUICK, write_shop

from mmrec_core.__main__ import main
from mmrec_core.datasets.install import install
from mmrec_core.domain import InputError
from mmrec_core.settings import settings
from mmrec_core.studies.feature_settings import DEFAULT, parse_setting, run_settings
from mmrec_core.studies.results import load_study

IMAGE, TEXT = "precomputed(file=image)", "precomputed(file=text)"
BASE = {
    "dataset": "shop", "recommenders": ["vbpr"], "references": [], "seeds": 2,
    "controls": ["shuffle", "removed"], "split": {"k_core": 0},
    "configs": {"vbpr": {**QUICK["vbpr"], "max_epochs": 60}},
}  # fmt: skip


def test_a_setting_is_read_as_it_is_written():
    two = parse_setting("efficientnet-lite0+minilm(column=title)")
    assert two.modalities == ("image", "text")
    assert two.features["text"].config == {"column": "title"}
    one = parse_setting("concatenate(efficientnet-lite0(resize=crop),minilm, share=0.7)")
    config = one.features["joint"].config
    assert one.modalities == ("joint",) and config["how"] == "concatenate"
    assert config["share"] == 0.7 and [p["extractor"] for p in config["parts"]] == [
        "efficientnet-lite0", "minilm",
    ]  # fmt: skip
    assert config["parts"][0]["config"] == {"resize": "crop"}
    assert parse_setting("small-lvlm(layer=-2)").features["joint"].config == {"layer": -2}
    assert all(parse_setting(text) for text in DEFAULT)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        ("minilm+minilm", "two extractors of text"),
        ("minilm+category", "joint matrix beside another"),
        ("minilm(title)", "is not NAME=VALUE"),
        ("nothing-known", "no extractor 'nothing-known'"),
        ("minilm(column=colour)", "option column"),
        ("minilm)", "cannot be read"),
        ("precomputed", "of which modality"),
    ],
)
def test_what_cannot_be_read_is_said(text, message):
    with pytest.raises(InputError, match=message):
        parse_setting(text)


def test_settings_stand_side_by_side(tmp_path, mmrec_data, capsys, monkeypatch):
    # Processes for so little work would cost more than the work.
    monkeypatch.setenv("MMREC_WORKERS", "1")
    settings.cache_clear()
    install(write_shop(tmp_path / "shop"), name="shop")
    found = run_settings(BASE, [f"{IMAGE}+{TEXT}", IMAGE, TEXT])
    assert list(found["setting"]) == [f"{IMAGE}+{TEXT}", IMAGE, TEXT]
    both, image, text = found.to_dict("records")
    assert (both["width"], both["matrices"], both["modality"]) == (28, 2, "all")
    assert np.isnan(both["over"]) and np.isnan(both["p"])
    # The words show the taste, the pictures are noise.
    assert text["recall@20"] > image["recall@20"] and text["used"] > image["used"]
    expected = image["recall@20"] / both["recall@20"] - 1
    assert image["over"] == pytest.approx(expected)
    assert image["over_low"] < image["over"] < image["over_high"]
    assert load_study(text["study"]).study["modalities"] == ["text"]

    command = ["study", "shop", "--recommenders", "vbpr", "--references", "--seeds", "2"]
    command += ["--controls", "shuffle", "removed", "--k-core", "0"]
    command += [f"--set=vbpr.{k}={v}" for k, v in BASE["configs"]["vbpr"].items()]
    out = tmp_path / "settings.csv"
    command += ["--settings", f"{IMAGE}+{TEXT}", IMAGE, TEXT, "--out", str(out), "--json"]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)["settings"]
    assert [row["study"] for row in told] == list(found["study"])
    assert told[0]["over"] is None and out.read_text("utf-8").count("\n") == 4


def test_settings_decide_the_features(tmp_path, mmrec_data):
    with pytest.raises(InputError, match="leave modalities and features out"):
        run_settings({**BASE, "modalities": ["text"]}, DEFAULT)
    with pytest.raises(InputError, match="two settings or more"):
        run_settings(BASE, ["minilm"])
    with pytest.raises(InputError, match="named twice"):
        run_settings(BASE, ["minilm", "minilm"])
    assert main(["study", "shop", "--out", "x.csv"]) == 2
    assert main(["study", "shop", "--settings", "minilm", "--plan"]) == 2
