"""Explain: lists side by side, an item opened, what if, a visitor, an item over all users."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_shop
from streamlit.testing.v1 import AppTest

from mmrec_core import jobs
from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.explanations.service import explain, open_run
from mmrec_core.studies.trained import stored_runs

Open = Callable[..., AppTest]
Text = Callable[[AppTest], str]


def first_of(recommender: str, name: str = small_shop.NAME):
    """The explained run of a recommender, and a user with their list."""
    dataset = load_dataset(name)
    run = next(r for r in stored_runs(dataset) if r.restorable and r.kind.name == recommender)
    explained = open_run(dataset, run.name)
    return explained, str(explained.subject.split.user_ids[0])


def listed(explained, user: str) -> list[str]:
    items = explained.subject.list_of(explained.user(user))
    return [str(item) for item in explained.subject.split.item_ids[items]]


def drawn(app: AppTest, form: str = "lists") -> list[dict[str, Any]]:
    """What the page sends to be drawn as lists, or as tiles."""
    sent = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    return [data for data in sent if data["form"] == form]


def test_nothing_trained_yet_is_said(empty: Path, tmp_path: Path, open_page: Open, text_of: Text):
    small_shop.install_shop(tmp_path / "small")
    text = text_of(open_page("explain", dataset=small_shop.NAME))
    assert "No recommender has been trained on this catalogue yet" in text


def test_lists_stand_side_by_side_with_moves(mmrec_data: Path, open_page: Open, text_of: Text):
    explained, user = first_of("vbpr", "demo-both")
    app = open_page("explain", dataset="demo-both", user=user)
    text = text_of(app)
    assert f"for user **{user}**" in text.replace("\\", "")
    [data] = drawn(app)
    assert data["whose"] == user and data["opened"] is None
    first, *others = data["lists"]
    items = [row["item"] for row in first["rows"]]
    assert items == listed(explained, user)[:10]
    assert all("also in" in own["summary"] for own in others) and len(others) == 3
    for own in others:
        for rank, row in enumerate(own["rows"], start=1):
            if row["item"] not in items:
                assert row["move"] == "new"
                continue
            up = items.index(row["item"]) + 1 - rank
            assert row["move"] == ("same" if not up else "up" if up > 0 else "down")
            assert row["moved"].strip("▲▼= ") == (str(abs(up)) if up else "")
            # The first list says the same of the item, and leads there.
            place = {"at": own["at"], "text": f"no. {rank} in {own['title']}"}
            assert place in first["rows"][items.index(row["item"])]["places"]


def test_lists_come_with_pictures_titles_and_hits(mmrec_data: Path, open_page: Open):
    explained, user = first_of("vbpr", "demo-both")
    dataset = explained.dataset
    titles = dict(zip(dataset.items["item_id"], dataset.items["title"], strict=True))
    split = explained.subject.split
    wanted = split.item_ids[split.relevant("test")[explained.user(user)].indices]
    [data] = drawn(open_page("explain", dataset="demo-both", user=user, length="20"))
    assert [len(own["rows"]) for own in data["lists"]] == 4 * [20]
    for own in data["lists"]:
        for row in own["rows"]:
            assert row["name"] == titles[row["item"]]
            assert data["pictures"][row["item"]].startswith("data:image/webp;base64,")
            assert row["hit"] == (row["item"] in wanted)
            assert row["said"], "the bundled model described every item of the demo"


def test_the_opened_item_says_where_else_it_stands(mmrec_data: Path, open_page: Open):
    _, user = first_of("vbpr", "demo-both")
    [data] = drawn(open_page("explain", dataset="demo-both", user=user))
    at, row = next(
        (own["at"], row) for own in data["lists"][1:] for row in own["rows"] if row["move"] != "new"
    )
    app = open_page("explain", dataset="demo-both", user=user, why=row["item"], within=str(at))
    [data] = drawn(app)
    [own] = data["lists"]
    assert data["opened"] == [row["item"], at] and own["at"] == at
    [opened] = [line for line in own["rows"] if line["item"] == row["item"]]
    assert 0 in [place["at"] for place in opened["places"]]


def test_titles_are_sent_as_they_are_written(studied: Path):
    """They are set as text in the browser: escaping them for markdown would show backslashes."""
    hostile = "<img src=x onerror=alert(1)> *a* $x$ [b](c)"

    def page(title: str, name: str) -> None:
        from mmrec_core.datasets.catalogue import load_dataset
        from pages.ui.item_lists import Column, Row, lists

        dataset = load_dataset(name)
        item = str(dataset.item_ids[0])
        rows = [Row(item, title, title, said=title)]
        lists(dataset, [Column(0, title, title, rows), Column(1, title, reason=title)], key="k",
              whose=title, on_open=lambda item, at: None)  # fmt: skip

    app = AppTest.from_function(page, args=(hostile, small_shop.NAME), default_timeout=60).run()
    assert not app.exception
    [data] = drawn(app)
    assert data["lists"][0]["rows"][0]["title"] == data["lists"][1]["reason"] == hostile


def test_the_script_of_lists_fetches_nothing_and_sets_no_markup() -> None:
    from pages.ui.item_lists import HOME, SCRIPT

    files = sorted((HOME / "assets").iterdir())
    assert [file.name for file in files] == [SCRIPT, "style.js"]
    for file in files:
        text = file.read_text("utf-8")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "fetch(",
                     "eval(", "import(", "http:", "https:", "DOMParser", "setHTML"):  # fmt: skip
            assert word not in text, (file.name, word)


def test_a_link_opens_the_same_item(studied: Path, open_page: Open, text_of: Text):
    explained, user = first_of("vbpr")
    item = listed(explained, user)[2]
    app = open_page("explain", dataset=small_shop.NAME, user=user, lists=explained.run.name,
                    why=item)  # fmt: skip
    text = text_of(app)
    assert "**Number 3** of" in text and "above the average item ranked" in text
    assert "**A modality less**" in text
    app.button(key="item-1").click().run()
    assert app.query_params["why"] == listed(explained, user)[3]
    app.button(key="why-close").click().run()
    assert "why" not in app.query_params


def test_another_picture_answers_with_score_and_rank(studied: Path, open_page: Open):
    explained, user = first_of("vbpr")
    item, donor = listed(explained, user)[0], listed(explained, user)[9]
    app = open_page("explain", dataset=small_shop.NAME, user=user, lists=explained.run.name,
                    why=item, **{"explain-part": "What if", "give-image": donor})  # fmt: skip
    from mmrec_core.explanations.counterfactual import compared, given_from

    subject = explained.subject
    change = compared(
        subject,
        given_from(subject, explained.item(item), "image", explained.item(donor)),
        explained.user(user),
        explained.item(item),
    )
    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Rank"] == f"{change.rank_after:,}"
    assert not app.error


def test_its_own_picture_changes_nothing(studied: Path, open_page: Open):
    explained, user = first_of("vbpr")
    item = listed(explained, user)[0]
    app = open_page("explain", dataset=small_shop.NAME, user=user, lists=explained.run.name,
                    why=item, **{"explain-part": "What if", "give-image": item})  # fmt: skip
    metrics = {metric.label: metric for metric in app.metric}
    assert metrics["Rank"].value == "1" and metrics["Score"].delta == "no change"


@pytest.mark.parametrize("part", ["History", "Look-alikes", "Attributes", "Faithfulness"])
def test_every_part_opens(studied: Path, open_page: Open, text_of: Text, part: str):
    explained, user = first_of("vbpr")
    app = open_page("explain", dataset=small_shop.NAME, user=user, lists=explained.run.name,
                    why=listed(explained, user)[0], **{"explain-part": part})  # fmt: skip
    assert not app.error
    wanted = {
        "History": "learned one embedding for each user",
        "Look-alikes": "Nearest in every space",
        "Attributes": "Evidence, not cause",
        "Faithfulness": "Not measured yet",
    }
    assert wanted[part] in text_of(app)


def test_faithfulness_is_measured_as_a_job(studied: Path, open_page: Open, monkeypatch):
    explained, user = first_of("vbpr")
    app = open_page("explain", dataset=small_shop.NAME, user=user, lists=explained.run.name,
                    why=listed(explained, user)[0], **{"explain-part": "Faithfulness"})  # fmt: skip
    started = []
    monkeypatch.setattr(jobs, "start", lambda kind, spec, title: started.append((kind, spec)))
    button = next(b for b in app.button if b.label == "Measure how faithful they are")
    button.click().run()
    assert started == [
        (
            "explanation-faithfulness",
            {"dataset": small_shop.NAME, "run": explained.run.artefact.key},
        )
    ]


def test_users_are_ordered_by_how_much_their_lists_change(
    studied: Path, open_page: Open, text_of: Text
):
    explained, _ = first_of("vbpr")
    by = f"{explained.run.name}|image|gaussian-matched"
    app = open_page("explain", dataset=small_shop.NAME, lists=explained.run.name, by=by)
    user = app.selectbox(key="user")
    assert "of 20 stay" in user.options[0]
    stay = [int(option.split(" · ")[1].split()[0]) for option in user.options]
    assert stay == sorted(stay)


def test_a_visitor_gets_a_list_where_the_model_allows(
    mmrec_data: Path, open_page: Open, text_of: Text
):
    explained, _ = first_of("item-knn", "demo-both")
    history = [str(i) for i in explained.subject.split.item_ids[:3]]
    vbpr, _ = first_of("vbpr", "demo-both")
    app = open_page(
        "explain", dataset="demo-both", visitor=[*history, history[0]],
        lists=[vbpr.run.name, explained.run.name], **{"for": "Visitor"},
    )  # fmt: skip
    text = text_of(app)
    assert "The visitor has **3** items" in text
    grown, row = explained.subject.with_visitor(np.array([0, 1, 2]))
    [data] = drawn(app)
    assert "nobody can be added afterwards" in data["lists"][0]["reason"]
    shown = [row["item"] for row in data["lists"][1]["rows"]]
    assert shown == [str(i) for i in explained.subject.split.item_ids[grown.list_of(row, 10)]]


def test_an_item_over_all_users(studied: Path, open_page: Open, text_of: Text):
    app = open_page("explain", dataset=small_shop.NAME, **{"for": "Item"})
    text = text_of(app)
    assert "have it among their first 20" in text and "Where it ranks" in text
    assert not app.error
    settings = app.dataframe[0].value["Setting"].tolist()
    assert settings[0] == "as trained" and "pictures made noise" in settings


def test_the_ranks_of_an_item_are_a_figure_that_says_what_it_shows(studied: Path, open_page: Open):
    app = open_page("explain", dataset=small_shop.NAME, **{"for": "Item"})
    figures = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    [meta] = [figure["layout"]["meta"] for figure in figures]
    settings = app.dataframe[0].value["Setting"].tolist()
    assert all(setting in meta["description"] for setting in settings)
    assert meta["title"].endswith("ranks under each control")


def test_an_item_that_no_list_can_hold_is_said_to_have_no_rank(
    studied: Path, open_page: Open, text_of: Text, monkeypatch
):
    from dataclasses import replace

    from pages.ui import explain_audience

    own = explain_audience.split_of

    def cold(run):
        split = own(run)
        return replace(split, candidates=np.zeros(split.n_items, dtype=bool))

    monkeypatch.setattr(explain_audience, "split_of", cold)
    app = open_page("explain", dataset=small_shop.NAME, **{"for": "Item"})
    assert "made on a split of cold items" in text_of(app)
    assert not app.dataframe and not app.get("plotly_chart")


def test_on_show_it_is_said_that_no_picture_can_be_uploaded(
    mmrec_data: Path, open_page: Open, text_of: Text, monkeypatch
):
    from mmrec_core import settings

    explained, user = first_of("vbpr", "demo-both")
    address = {"user": user, "lists": explained.run.name, "why": listed(explained, user)[0],
               "explain-part": "What if"}  # fmt: skip
    words = "a picture of your own cannot be uploaded here"
    app = open_page("explain", dataset="demo-both", **address)
    assert words not in text_of(app)
    assert "a picture uploaded here" in app.selectbox(key="give-image").options
    monkeypatch.setenv("MMREC_READ_ONLY", "1")
    settings.settings.cache_clear()
    app = open_page("explain", dataset="demo-both", **address)
    assert words in text_of(app)
    assert "a picture uploaded here" not in app.selectbox(key="give-image").options


@pytest.mark.parametrize(
    "address",
    [
        {"user": "nobody"},
        {"lists": ["nothing", "|||"]},
        {"why": "no-such-item"},
        {"why": "i1", "within": "99"},
        {"by": "x|y|z"},
        {"visitor": ["<b>", ""], "for": "Visitor"},
        {"of-item": "<script>", "for": "Item"},
    ],
)
def test_a_damaged_link_breaks_nothing(studied: Path, open_page: Open, address):
    app = open_page("explain", dataset=small_shop.NAME, **address)
    assert not app.exception
    for error in app.error:
        assert "could not be shown" not in str(error.value)


def test_one_explanation_as_plain_values(studied: Path):
    explained, user = first_of("vbpr")
    at = explained.user(user)
    item = explained.item(listed(explained, user)[0])
    document = json.loads(json.dumps(explain(explained, at, item), allow_nan=False))
    assert document["rank"] == 1
    total = sum(part["value"] for part in document["score-split"])
    assert total == pytest.approx(document["score"], abs=1e-5)
    assert "history-split" in document["not_available"]


def test_an_unknown_item_can_be_left(studied: Path, open_page: Open, text_of: Text):
    app = open_page("explain", dataset=small_shop.NAME, why="P9999")
    assert "There is no item" in text_of(app)
    app.button(key="why-back").click().run()
    assert "why" not in app.query_params and "took" in text_of(app)


def test_next_moves_a_typed_user_too(studied: Path, open_page: Open, text_of: Text, monkeypatch):
    from pages.ui import explain_people

    monkeypatch.setattr(explain_people, "IN_A_BOX", 1)
    explained, _ = first_of("vbpr")
    users = [str(user) for user in explained.subject.split.user_ids]
    app = open_page("explain", dataset=small_shop.NAME, user=users[3])
    assert f"User {users[3]} took" in text_of(app)
    app.button(key="user-1").click().run()
    assert f"User {users[4]} took" in text_of(app)
    app.text_input(key="user-typed").set_value(users[7]).run()
    assert f"User {users[7]} took" in text_of(app)
    app.text_input(key="user-typed").set_value("nobody").run()
    assert "There is no user nobody" in text_of(app)


def test_a_list_under_a_control_says_so_wherever_it_goes(studied: Path, open_page: Open, text_of):
    explained, user = first_of("vbpr")
    listed_under = f"{explained.run.name}|image|shuffle"
    item = listed(explained, user)[0]
    app = open_page("explain", dataset=small_shop.NAME, user=user, lists=[listed_under], why=item)
    assert "pictures shuffled" in text_of(app)
    assert any("--control 'image=shuffle'" in code.value or "--control image=shuffle" in code.value
               for code in app.code)  # fmt: skip


def test_on_show_a_model_with_an_item_graph_is_explained(
    mmrec_data: Path, open_page: Open, text_of: Text, monkeypatch
):
    from mmrec_core import settings

    monkeypatch.setenv("MMREC_READ_ONLY", "1")
    settings.settings.cache_clear()
    explained, user = first_of("freedom", "demo-both")
    app = open_page("explain", dataset="demo-both", user=user, lists=[explained.run.name],
                    why=listed(explained, user)[0])  # fmt: skip
    assert "**A modality less**" in text_of(app) and not app.error
    assert not list(mmrec_data.glob("store/graph/*"))
