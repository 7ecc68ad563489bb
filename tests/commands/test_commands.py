"""Commands: what they print, their exit status, one sentence for a wrong input."""

import json

import numpy as np
import pytest
from studies.shop import QUICK, write_shop

from mmrec_core.__main__ import main
from mmrec_core.settings import settings


def settings_of(names):
    return [f"{n}.{field}={value}" for n in names for field, value in QUICK[n].items()]


@pytest.mark.parametrize(
    "what", ["datasets", "extractors", "controls", "recommenders", "metrics", "studies"]
)
def test_every_list_speaks_json_and_words(what, capsys):
    assert main(["list", what, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows
    assert main(["list", what]) == 0
    assert str(rows[0].get("name", rows[0].get("key"))) in capsys.readouterr().out


def test_every_recommender_says_how_it_scores_a_cold_item(capsys):
    assert main(["list", "recommenders", "--json"]) == 0
    cold = {row["name"]: row["cold"] for row in json.loads(capsys.readouterr().out)}
    assert "content alone" in cold["vbpr"] and "neighbours" in cold["freedom"]
    assert all(cold.values())


def test_doctor_names_packages_and_device(capsys):
    assert main(["doctor", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["device"] == "cpu" and value["packages"]["torch"].startswith("2.13")
    assert value["missing"] == [] and value["extractors"]["minilm"]["ok"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["study", "nowhere"], "no dataset 'nowhere'"),
        (["study", "demo", "--recommenders", "gpt"], "no recommender 'gpt'"),
        (["study", "demo", "--controls", "gpt"], "no control 'gpt'"),
        (["study", "demo", "--set", "vbpr=1"], "RECOMMENDER.NAME=VALUE"),
        (["study", "demo", "--features", "image"], "NAME=VALUE"),
        (["study", "demo", "--cold", "0.2"], "--cold goes with --split cold-items only"),
        (["study", "demo-both", "--split", "fixed"], "it has no fixed split"),
        (["embed", "demo", "--extractor", "eyes"], "no extractor 'eyes'"),
        (["install", "does/not/exist"], "does/not/exist"),
        (["export", "ffff", "--out", "x"], "no study 'ffff'"),
        (["run", "abc"], "no job"),
    ],
)
def test_a_wrong_input_is_one_sentence_and_status_2(arguments, sentence, capsys, mmrec_data):
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert len(printed.err.strip().splitlines()) == 1
    assert "Traceback" not in printed.err


def test_a_wrong_word_is_status_2_too(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["study", "demo", "--seeds", "many"])
    assert stopped.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_install_study_export(tmp_path, mmrec_data, capsys, monkeypatch):
    # Processes for so little work would cost more than the work.
    monkeypatch.setenv("MMREC_WORKERS", "1")
    settings.cache_clear()
    write_shop(tmp_path / "shop")
    assert main(["install", str(tmp_path / "shop"), "--name", "shop"]) == 0
    assert "Installed as shop" in capsys.readouterr().out
    study = [
        "study", "shop", "--recommenders", "vbpr", "--references", "most-pop",
        "--controls", "shuffle", "removed", "--seeds", "5", "--set", *settings_of(["vbpr"]),
    ]  # fmt: skip
    assert main([*study, "--plan"]) == 0
    assert "36 runs, 0 of them done" in capsys.readouterr().out
    assert main([*study, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert {v["modality"] for v in first["verdicts"]} == {"image", "text", "all"}
    assert set(first["verdicts"][0]) >= {
        "recommender", "modality", "verdict", "metric", "stage", "used", "gained",
        "without_content", "n_users", "seeds", "delta", "family", "tuned",
    }  # fmt: skip
    assert main([*study, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdicts"] == first["verdicts"]
    assert main(study) == 0
    printed = capsys.readouterr().out
    assert printed.index("arms,") < printed.index("verdict")
    out = tmp_path / "out"
    assert main(["export", first["key"][:12], "--out", str(out), "--format", "svg"]) == 0
    assert "Recall@20" in (out / "effects.svg").read_text("utf-8")
    assert (out / "comparisons.csv").stat().st_size > 0


def test_nothing_is_half_installed(tmp_path, mmrec_data, capsys):
    shop = write_shop(tmp_path / "shop")
    bad = np.load(shop / "features" / "text.npy")
    bad[3] = np.nan
    np.save(shop / "features" / "text.npy", bad)
    assert main(["install", str(shop), "--name", "shop"]) == 2
    assert "text.npy" in capsys.readouterr().err
    assert main(["study", "shop"]) == 2
    left = [p for p in mmrec_data.rglob("*") if p.is_file() and p.suffix != ".lock"]
    assert left == []
