"""Descriptions: nothing yet, answers brought, items and slots, and what is no answer."""

from collections.abc import Callable
from pathlib import Path

import pytest
import small_shop
from streamlit.testing.v1 import AppTest

from mmrec_core import jobs
from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.descriptions.imported import import_answers
from mmrec_core.descriptions.saved_prompts import saved_prompts
from mmrec_core.descriptions.service import Descriptions, try_prompt
from mmrec_core.extractors.prompts import known_prompt, written

Open = Callable[..., AppTest]
Text = Callable[[AppTest], str]
MUG = {"Type": "Mug", "Color": "Red", "Pattern": "Plain", "Material": "Wood", "Style": "Classic"}


@pytest.fixture
def said(studied: Path, tmp_path: Path) -> Descriptions:
    """Answers about five items, one of them hostile."""
    rows = [
        f'i00,"{written(MUG)}"',
        'i01,"Type: <b>Cup</b>, Color: **Red**, Pattern: Plain, Material: Metal, Style: Classic"',
        "i02,No image available",
        'i03,"Mug, Red, Plain, Wood, Classic"',
        "i04,Mug",
    ]
    path = tmp_path / "answers.csv"
    path.write_text("\n".join(["item,answer", *rows]), "utf-8")
    prompt = known_prompt("demo")
    return import_answers(load_dataset(small_shop.NAME), path, prompt.slots, prompt=prompt)


def test_where_nothing_was_said_it_offers_both_ways(
    studied: Path, open_page: Open, text_of: Text
) -> None:
    app = open_page("descriptions", dataset=small_shop.NAME)
    text = text_of(app)
    assert "Nothing has been said of these items yet" in text
    assert "Ask a model" in text and "Bring answers" in text and "Name a model to go on" in text
    app.text_input(key=f"{small_shop.NAME}.describe.model").set_value("nobody/nothing").run()
    assert "is not on this machine" in app.error[0].value.replace("\\", "")
    app.selectbox(key=f"{small_shop.NAME}.describe.strategy").set_value("misaligned").run()
    assert "capital" in app.text[0].value


def test_a_prompt_can_be_written_saved_and_forgotten(studied: Path, open_page: Open) -> None:
    app = open_page("descriptions", dataset=small_shop.NAME)
    key = f"{small_shop.NAME}.describe"
    own = f"{key}.general.structured"
    app.text_input(key=f"{own}.slots").set_value("Kind, Use").run()
    # A new slot has no example yet, and says so where it stands.
    assert "an example needs values" in app.error[0].value.replace("\\", "")
    for slot, value in (("Kind", "Cup"), ("Use", "Tea")):
        app.text_input(key=f"{own}.example.{slot}").set_value(value)
    app.text_area(key=f"{own}.wording").set_value("Look: {form}, as in {example}").run()
    assert not app.error
    assert (
        app.text[0].value == "Look: [Kind] {value}, [Use] {value}, as in [Kind] {Cup}, [Use] {Tea}"
    )
    app.text_input(key=f"{own}.name").set_value("mine").run()
    app.button(key=f"{own}.save").click().run()
    assert saved_prompts(small_shop.NAME)["mine"].slots == ("Kind", "Use")
    assert saved_prompts("another") == {}
    app.selectbox(key=f"{key}.prompt").set_value("own: mine").run()
    assert app.text_input(key=f"{key}.own: mine.structured.slots").value == "Kind, Use"
    app.button(key=f"{key}.own: mine.structured.forget").click().run()
    assert saved_prompts(small_shop.NAME) == {}


def test_five_items_are_tried_before_the_catalogue(
    studied: Path, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from extractors.tiny_vlms import checkpoint

    folder = str(checkpoint("llava", tmp_path / "llava"))
    started: list[tuple] = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    app = open_page("descriptions", dataset=small_shop.NAME)
    app.text_input(key=f"{small_shop.NAME}.describe.model").set_value(folder).run()
    next(b for b in app.button if b.label == "Try it on 5 items").click().run()
    ((kind, spec, _),) = started
    assert kind == "try-prompt" and len(spec["items"]) == 5
    answers = try_prompt(load_dataset(small_shop.NAME), spec["config"], spec["items"])
    assert [own["item_id"] for own in answers] == spec["items"]
    done = jobs.JobState("k", kind, "t", "done", result={"answers": answers})
    monkeypatch.setattr(jobs, "find", lambda kind, given: done if given == spec else None)
    assert text_of(app.run()).count("Said: ") == 5


def test_how_far_to_trust_is_measured_as_a_job_and_shown(
    said: Descriptions, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple] = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    app = open_page("descriptions", dataset=small_shop.NAME, said="Faithfulness")
    next(b for b in app.button if b.label == "Measure").click().run()
    assert started[0][:2] == (
        "faithfulness", {"dataset": small_shop.NAME, "descriptions": said.artefact.key},
    )  # fmt: skip
    app = open_page("descriptions", dataset=small_shop.NAME, said="In the vector")
    assert "What does a **vector** hold" in text_of(app)
    next(b for b in app.button if b.label == "Read the vectors").click().run()
    assert started[1][0] == "probe"


def test_items_show_what_was_said_as_text(
    said: Descriptions, open_page: Open, text_of: Text
) -> None:
    app = open_page("descriptions", dataset=small_shop.NAME)
    text = text_of(app)
    assert "**5** of 30 items were described; **60.0%** of the answers fill every slot" in text
    assert "read by place" in text and "Said: Mug" in text
    # What comes from a file is shown as it is written.
    assert r"\<b\>Cup" in text and r"\*\*Red\*\*" in text
    app.selectbox(key="status").set_value("refused").run()
    assert "**1** item matches" in text_of(app) and "No image available" in text_of(app)
    app.text_input(key="said-q").set_value("nowhere").run()
    assert "No item matches" in app.info[0].value


def test_slots_say_what_only_repeats_the_example(
    said: Descriptions, open_page: Open, text_of: Text
) -> None:
    app = open_page("descriptions", dataset=small_shop.NAME, said="Slots")
    table = app.dataframe[0].value.set_index("Slot")
    assert table.loc["Color", "Coverage"] == 0.6 and table.loc["Color", "As in the example"] == 1.0
    assert any("100% of the answers in Color only repeat" in w.value for w in app.warning)
    assert "are an item's own" in text_of(app)


def test_a_model_that_is_here_is_asked_as_a_job(
    studied: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from extractors.tiny_vlms import checkpoint

    started = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    folder = str(checkpoint("llava", tmp_path / "llava"))
    app = open_page("descriptions", dataset=small_shop.NAME)
    app.text_input(key=f"{small_shop.NAME}.describe.model").set_value(folder).run()
    assert not app.error
    (button,) = [b for b in app.button if b.label.startswith("Describe 30 items")]
    button.click().run()
    ((kind, spec, title),) = started
    assert kind == "describe" and small_shop.NAME in title
    assert spec["config"] == {"model": folder, "prompt": "general", "strategy": "structured"}


def test_sentences_are_shown_as_they_are(
    studied: Path, open_page: Open, text_of: Text, tmp_path: Path
) -> None:
    path = tmp_path / "sentences.csv"
    path.write_text('item,answer\ni00,"A **red** mug, of wood."\n', "utf-8")
    prompt = known_prompt("demo", "descriptive")
    import_answers(load_dataset(small_shop.NAME), path, prompt.slots, prompt=prompt)
    app = open_page("descriptions", dataset=small_shop.NAME)
    text = text_of(app)
    assert r"A \*\*red\*\* mug\, of wood\." in text and "badge[incomplete]" not in text
    app = open_page("descriptions", dataset=small_shop.NAME, said="Slots")
    assert "No slots were asked for" in app.info[0].value
