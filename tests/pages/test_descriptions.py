"""Descriptions: nothing yet, answers brought, items and slots, and what is no answer."""

from collections.abc import Callable
from pathlib import Path

import pytest
import small_shop
from streamlit.testing.v1 import AppTest

from mmrec_core import jobs, settings
from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.descriptions.imported import import_answers
from mmrec_core.descriptions.saved_prompts import saved_prompts
from mmrec_core.descriptions.service import Descriptions, describe, try_prompt
from mmrec_core.extractors.prompts import known_prompt, written
from mmrec_core.studies.runner import run_study
from mmrec_core.studies.study import make_study

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


def test_values_stand_beside_metadata_and_a_mapped_truth(
    said: Descriptions, open_page: Open, text_of: Text
) -> None:
    app = open_page("descriptions", dataset=small_shop.NAME)
    assert "Against the truth" not in [box.label for box in app.selectbox]
    assert ":green[✓]" not in text_of(app)
    app.multiselect(key=f"{small_shop.NAME}.beside").set_value(["description"]).run()
    assert r"description] A cup\, number 0\." in text_of(app).replace("\u00a0", " ")
    app.selectbox(key=f"{small_shop.NAME}.truth.Type").set_value("title").run()
    text = text_of(app)
    # The titles are "*Cup* 0": none is a mug, and what is true stands beside.
    assert r":red[✗ \*Cup\* 0]" in text and ":green[✓]" not in text
    app.selectbox(key="against").set_value("wrong").run()
    assert "**3** items match" in text_of(app)
    app.selectbox(key="against").set_value("right").run()
    assert "No item matches" in app.info[0].value
    # The address alone opens the same view.
    named = {f"{small_shop.NAME}.truth.Type": "title", "against": "wrong"}
    app = open_page("descriptions", dataset=small_shop.NAME, **named)
    assert "**3** items match" in text_of(app)


def test_a_mapped_column_is_what_faithfulness_is_measured_with(
    said: Descriptions, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple] = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    named = {f"{small_shop.NAME}.truth.Type": "title"}
    app = open_page("descriptions", dataset=small_shop.NAME, said="Faithfulness", **named)
    next(b for b in app.button if b.label == "Measure").click().run()
    assert started[0][1] == {
        "dataset": small_shop.NAME,
        "descriptions": said.artefact.key,
        "truth": {"Type": "title"},
    }


def test_the_demos_prompts_stand_side_by_side(
    mmrec_data: Path, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("descriptions", dataset="demo-both", said="Prompts")
    text = text_of(app)
    assert "The misaligned control scores worst" in text
    assert "I see a product" in text and "A dotted green clock" in text
    assert [b.label for b in app.button if "measure" in b.label.lower()] == []
    table = app.dataframe[0].value.set_index("Prompt")
    assert list(table.index) == [
        "structured", "descriptive", "misaligned", "titles alone", "shuffled", "chance",
    ]  # fmt: skip
    # Sentences fill no slots: nothing may look as if they were wrong in all of them.
    sentences = {"of": "37d0a4f572f8", "said": "Faithfulness"}
    told = open_page("descriptions", dataset="demo-both", **sentences)
    assert len(told.dataframe) == 1 and "Sentences fill no slots" in text_of(told)
    # Whoever did not choose is shown no control.
    assert "a **control**" not in text
    chosen = app.selectbox(key="of")
    control = next(key for key in chosen.options if "misaligned" in key)
    chosen.select(control).run()
    assert "a **control**" in text_of(app)


def test_prompts_that_are_missing_are_named_and_asked_as_one_job(
    studied: Path,
    open_page: Open,
    text_of: Text,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    from extractors.tiny_vlms import checkpoint

    config = {"model": str(checkpoint("llava", tmp_path / "llava")), "answer_tokens": 3}
    made = describe(load_dataset(small_shop.NAME), config)
    started: list[tuple] = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    app = open_page("descriptions", dataset=small_shop.NAME, said="Prompts")
    text = text_of(app)
    assert "The misaligned control is not measured yet" in text
    assert "Not asked yet: **descriptive, misaligned**; not measured yet: **structured**" in text
    (button,) = [b for b in app.button if b.label.startswith("Ask and measure: about")]
    button.click().run()
    ((kind, spec, _),) = started
    assert kind == "strategies" and spec["measure"] == [made.artefact.key]
    assert [own["strategy"] for own in spec["ask"]] == ["descriptive", "misaligned"]
    assert {own["answer_tokens"] for own in spec["ask"]} == {3}


def test_attributes_are_studied_from_here_and_their_study_is_shown(
    said: Descriptions, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple] = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    app = open_page("descriptions", dataset=small_shop.NAME, said="As attributes")
    text = text_of(app)
    assert "No study has asked yet" in text and "arms, " in text and "about **" in text
    app.button(key="attributed-start").click().run()
    ((kind, values, _),) = started
    assert kind == "study"
    assert values["features"]["joint"]["config"] == {"descriptions": said.artefact.key}
    run_study(make_study(values), workers=1)
    app = open_page("descriptions", dataset=small_shop.NAME, said="As attributes")
    text = text_of(app)
    assert "Attributes decoded from the answers" in text
    tables = [own.value.to_string() for own in app.table]
    assert "AttributeItemKNN" in tables[0] and "shuffled over items" in tables[1]
    # What is left to ask comes first.
    assert app.selectbox(key="reader").value == "description-text"
    app.selectbox(key="reader").select("attributes").run()
    assert "This very study is finished" in " ".join(c.value for c in app.caption)


def test_on_show_nothing_is_offered(
    said: Descriptions, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMREC_READ_ONLY", "1")
    settings.settings.cache_clear()
    for part in ("Faithfulness", "In the vector", "Prompts", "As attributes", "Add descriptions"):
        app = open_page("descriptions", dataset=small_shop.NAME, said=part)
        assert "This installation is on show" in " ".join(c.value for c in app.caption), part
        assert not [b for b in app.button if b.label.startswith(("Measure", "Start", "Ask"))]
    settings.settings.cache_clear()
