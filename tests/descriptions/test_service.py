"""Descriptions through the store and from the command line, with a tiny model and with a CSV."""

import json

import numpy as np
import pandas as pd
import pytest
from extractors.tiny_vlms import checkpoint
from PIL import Image

from mmrec_core.__main__ import main
from mmrec_core.descriptions import service
from mmrec_core.descriptions.imported import import_answers
from mmrec_core.domain import Dataset, DatasetInfo, InputError
from mmrec_core.extractors.vision_language import VisionLanguage
from mmrec_core.store import store

SLOTS = ["Type", "Color"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return checkpoint("llava", tmp_path_factory.mktemp("vlm") / "llava")


@pytest.fixture
def shop(tmp_path):
    """Five items: three pictures, one without, one broken."""
    rng = np.random.default_rng(0)
    for at in range(3):
        pixels = rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{at}.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    images = ["0.png", "", "1.png", "bad.png", "2.png"]
    items = pd.DataFrame(
        {
            "item_id": [f"i{at}" for at in range(5)],
            "title": [f"title {at}" for at in range(5)],
            "text": [""] * 5,
            "category": [""] * 5,
            "image": images,
            "image_sha256": [f"sum of {image}" if image else "" for image in images],
        },
        dtype="str",
    )
    return Dataset("shop", items, items, tmp_path, DatasetInfo("shop"), "print")


def test_every_item_is_asked_once_and_the_raw_answer_kept(shop, tiny, mmrec_data, monkeypatch):
    config = {"model": str(tiny), "prompt": "demo", "answer_tokens": 5}
    assert service.find_descriptions(shop, config) is None
    told = []
    made = service.describe(shop, config, lambda *given: told.append(given))
    table = made.table
    assert list(table["status"][[1, 3]]) == ["none", "none"]
    assert list(table["failure"][[1, 3]]) == [
        "no picture",
        "bad.png: not a picture that can be read",
    ]
    assert table["answer"][[0, 2, 4]].str.len().min() > 0
    assert made.slots == ("Type", "Color", "Pattern", "Material", "Style")
    assert sum(made.counts.values()) == 5 and told[-1][:2] == (4, 4)

    def again(*given, **named):
        raise AssertionError("asked twice")

    monkeypatch.setattr(VisionLanguage, "answer_rows", again)
    # Where a state is taken is no matter of the answer.
    same = service.describe(shop, {**config, "position": "all_mean", "layer": 0})
    assert same.artefact.key == made.artefact.key
    assert service.find_descriptions(shop, {**config, "strategy": "misaligned"}) is None
    assert service.load_descriptions(made.artefact.key[:10]).table.equals(table)


def test_a_stopped_run_goes_on_where_it_was(shop, tiny, mmrec_data, monkeypatch):
    config = {"model": str(tiny), "prompt": "demo", "answer_tokens": 5}
    monkeypatch.setattr(service, "SHARD", 2)
    asked, whole = [], VisionLanguage.answer_rows

    def counted(self, dataset, rows, *rest):
        if len(asked) == 1 and asked[0] != "again":
            asked.append(None)
            raise KeyboardInterrupt
        asked.append(list(rows))
        return whole(self, dataset, rows, *rest)

    monkeypatch.setattr(VisionLanguage, "answer_rows", counted)
    with pytest.raises(KeyboardInterrupt):
        service.describe(shop, config)
    assert asked == [[0, 2], None]
    asked[:] = ["again"]
    made = service.describe(shop, config)
    assert asked == ["again", [3, 4]]
    assert list(made.table["status"] == "none") == [False, True, False, True, False]
    assert not list((store().root / "partial").glob("*/answers-*"))


def write(path, rows, header="Image Name,Keywords"):
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return path


def test_answers_made_elsewhere_are_parsed_like_ours(shop, tmp_path, mmrec_data):
    rows = ['i0,"[Type] {Mug}, [Color] {Red}."', 'i2,"Type: Lamp, Color: Blue"', "i4,No image",
            "zz,Type: Cup"]  # fmt: skip
    made = import_answers(shop, write(tmp_path / "a.csv", rows), SLOTS)
    assert list(made.table["status"]) == ["strict", "none", "recovered", "none", "refused"]
    assert list(made.table["slot: Type"].dropna()) == ["Mug", "Lamp"]
    assert made.values[0] == {"Type": "Mug", "Color": "Red"} and made.values[1] == {}
    assert made.artefact.facts["imported"] and made.artefact.facts["unknown"] == 1
    assert made.table["failure"][1] == "the file has no answer for it"


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        (["a,b"], "one,two", "no column for the item"),
        (["i0,b"], "item,two", "no column for the answer"),
        (["q,b"], "item,answer", "is the id of an item"),
        (["i0,b", "i0,c"], "item,answer", "row 2: 'i0' comes twice"),
        (["i0,b,c,d"], "item,answer", "put answers in quotes"),
        (["i0,b", "i1,b,c"], "item,answer", "not a readable CSV"),
    ],
)
def test_a_file_that_is_no_list_of_answers_is_said(shop, tmp_path, mmrec_data, rows, header, said):
    with pytest.raises(InputError, match=said):
        import_answers(shop, write(tmp_path / "a.csv", rows, header), SLOTS)
    assert all(own.artefact.shipped for own in service.list_descriptions())


def test_from_the_command_line(tmp_path, mmrec_data, capsys):
    rows = [f'P{n:04d},"[Type] {{Mug}}, [Color] {{{c}}}"' for n, c in enumerate(("Red", "=A1"), 1)]
    answers, out = write(tmp_path / "a.csv", rows, "item,answer"), tmp_path / "out.csv"
    typed = ["describe", "demo-both", "--answers", str(answers), "--slots", *SLOTS]
    assert main([*typed, "--out", str(out), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["statuses"] == {"strict": 2, "none": 1198}
    # What came in as a formula does not go out as one.
    assert "'=A1" in out.read_text("utf-8")
    assert main(["list", "descriptions"]) == 0 and "a.csv" in capsys.readouterr().out
    attributes = ["attributes", made["key"][:10], "--out", str(out)]
    assert main(attributes) == 0 and "mug" in capsys.readouterr().out
    one_hot = pd.read_csv(out)
    assert list(one_hot.columns)[:2] == ["item_id", "Type: mug"] and one_hot["Type: mug"].sum() == 2
    assert main(["describe", "demo-both", "--model", "nobody/nothing"]) == 2
    assert "is not on this machine" in capsys.readouterr().err
    assert main(["describe", "demo-both"]) == 2 and "--model" in capsys.readouterr().err
