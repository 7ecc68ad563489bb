"""explain and faithfulness: the same as the page does, typed."""

import json

import pytest

from mmrec_core.__main__ import main

DEMO = "demo-both"


def said(capsys, *words):
    assert main([*words]) == 0
    return capsys.readouterr().out


def test_a_list_and_why_an_item_is_on_it(mmrec_data, capsys):
    listed = json.loads(said(capsys, "explain", DEMO, "vbpr", "--user", "U0008", "--json"))["list"]
    assert [row["rank"] for row in listed] == list(range(1, 21))
    for row in listed:
        parts = row["collaborative"] + row["image"] + row["text"] + row["popularity"]
        assert parts == pytest.approx(row["score"], abs=1e-5)
    item = listed[0]["item"]
    words = ["explain", DEMO, "vbpr", "--user", "U0008", "--item", item]
    found = json.loads(said(capsys, *words, "--json"))
    assert found["rank"] == 1 and found["changes"] == []
    total = sum(part["value"] for part in found["score-split"])
    assert total == pytest.approx(found["score"], abs=1e-5)
    text = said(capsys, *words, "--give", f"image={item}", "--without", "text")
    assert f"with the image of {item}" in text and "rank 1 -> 1" in text
    assert "without text: score" in text
    assert "learned one embedding for each user" in text


def test_forgetting_through_the_command(mmrec_data, capsys):
    words = ["explain", DEMO, "item-knn", "--user", "U0008", "--json"]
    item = json.loads(said(capsys, *words))["list"][0]["item"]
    found = json.loads(said(capsys, *words, "--item", item))
    first = found["history-split"][0]
    found = json.loads(said(capsys, *words, "--item", item, "--forget", first["history"]))
    change = found["changes"][0]
    assert change["before"] - change["after"] == pytest.approx(first["value"], abs=1e-5)


def test_a_visitor_and_a_control_through_the_command(mmrec_data, capsys):
    text = said(capsys, "explain", DEMO, "item-knn", "--visitor", "P0001", "P0002", "-k", "3")
    assert "ItemKNN, a visitor" in text
    words = ["explain", DEMO, "vbpr", "--user", "U0008", "--json"]
    real = json.loads(said(capsys, *words))["list"]
    other = json.loads(said(capsys, *words, "--control", "image=shuffle"))["list"]
    assert [row["item"] for row in real] != [row["item"] for row in other]


def test_faithfulness_of_a_run(mmrec_data, capsys):
    words = ["faithfulness", DEMO, "item-knn", "-n", "5"]
    found = json.loads(said(capsys, *words, "--json"))
    assert {row["method"] for row in found["methods"]} == {
        "history-split", "history-left-out", "shared-attributes",
    }  # fmt: skip
    text = said(capsys, *words)
    assert "Split by history" in text and "better than a random order" in text
    assert "nothing to delete" in said(capsys, "faithfulness", DEMO, "bpr-mf", "-n", "3")


def test_runs_are_listed_under_the_names_that_explain_takes(mmrec_data, capsys):
    rows = json.loads(said(capsys, "list", "runs", "--json"))
    own = next(row for row in rows if row["title"].startswith("FREEDOM"))
    assert own["explainable"] and own["dataset"] == DEMO
    assert "FREEDOM" in said(capsys, "explain", DEMO, own["name"], "--user", "U0001", "-k", "2")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["explain", DEMO, "nothing", "--user", "U0001"], "There is no run 'nothing'"),
        (["explain", DEMO, "vbpr", "--user", "nobody"], "no user 'nobody'"),
        (["explain", DEMO, "vbpr"], "Say for whom"),
        (["explain", DEMO, "vbpr", "--visitor", "P0001"], "nobody can be added"),
        (["explain", DEMO, "vbpr", "--user", "U0001", "--control", "image=x"], "is none of"),
        (["explain", DEMO, "vbpr", "--user", "U0001", "--item", "x"], "no item 'x'"),
        (["explain", DEMO, "vbpr", "--user", "U0001", "--forget", "P0001"], "name it, --item"),
        (
            ["explain", DEMO, "vbpr", "--user", "U0001", "--item", "P0001", "--forget", "P0002"],
            "only training again could forget",
        ),
        (
            [
                "explain",
                DEMO,
                "light-gcn",
                "--user",
                "U0001",
                "--item",
                "P0001",
                "--without",
                "image",
            ],
            "reads no image features",
        ),
        (
            ["explain", DEMO, "vbpr", "--user", "U0001", "--item", "P0001", "--give", "P0002"],
            "--give",
        ),
    ],
)
def test_what_cannot_be_explained_is_a_sentence(mmrec_data, capsys, words, sentence):
    assert main(words) == 2
    err = capsys.readouterr().err
    assert sentence in err and "Traceback" not in err
