"""Explain: what links, visitors and controls must not mix up, and errors inside fragments."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import small_shop
from streamlit.testing.v1 import AppTest

from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.explanations.service import open_run
from mmrec_core.store import DamagedArtefact
from mmrec_core.studies.trained import stored_runs
from pages.ui import explain_audience
from pages.ui.explain_open import Opened
from pages.ui.explain_people import VISITOR, Person
from pages.ui.explain_runs import ListName
from pages.ui.explain_what_if import _found

Open = Callable[..., AppTest]
Text = Callable[[AppTest], str]


def vbpr():
    dataset = load_dataset(small_shop.NAME)
    run = next(r for r in stored_runs(dataset) if r.restorable and r.kind.name == "vbpr")
    return open_run(dataset, run.name)


def opened(person: Person, title: str = "VBPR") -> Opened:
    listed = SimpleNamespace(name=ListName("r"), title=title)
    subject = SimpleNamespace(split=SimpleNamespace(item_ids=["a", "2"]))
    dataset = SimpleNamespace(fingerprint="f")
    return Opened(dataset, None, subject, person, 0, 0, listed)  # type: ignore[arg-type]


def test_a_visitor_is_no_user_who_is_called_like_an_item() -> None:
    user, visitor = Person("2", ("a",)), Person(VISITOR, ("2",), visitor=True)
    several, commas = Person(VISITOR, ("2", "3"), visitor=True), Person("2,3", ())
    whole = [opened(person) for person in (user, visitor, several, commas)]
    keys = {own.key for own in whole} | {opened(user, "VBPR, seed 1").key}
    assert len(keys) == 5 and opened(user).key == whole[0].key


def test_a_link_to_a_user_outside_of_the_order(studied: Path, open_page: Open, text_of: Text):
    explained = vbpr()
    by = f"{explained.run.name}|image|shuffle"
    ids = [str(user) for user in explained.subject.split.user_ids]
    app = open_page("explain", dataset=small_shop.NAME, by=by, lists=explained.run.name)
    assert app.selectbox(key="by").value == by
    inside = app.selectbox(key="user").options
    with pytest.MonkeyPatch.context() as patched:
        # Of a large shop only the most changed are in the order.
        patched.setattr("pages.ui.explain_people.CHANGED", 3)
        app = open_page("explain", dataset=small_shop.NAME, by=by, lists=explained.run.name)
        few = [option.partition(" ")[0] for option in app.selectbox(key="user").options]
        outside = next(user for user in ids if user not in few)
        app = open_page(
            "explain", dataset=small_shop.NAME, by=by, lists=explained.run.name, user=outside
        )
        assert len(few) == 3 < len(inside)
        assert app.selectbox(key="user").value == outside
        text = text_of(app)
        assert f"for user **{outside}**" in text and "The link names" not in text
        app.button(key="user-1").click().run()
        assert app.selectbox(key="user").value == few[0]


@pytest.mark.parametrize("within", ["²", "-1", "99", "x", ""])
def test_a_place_that_is_no_list(studied: Path, open_page: Open, within: str) -> None:
    item = str(vbpr().subject.split.item_ids[0])
    app = open_page("explain", dataset=small_shop.NAME, why=item, within=within)
    assert not app.exception and not app.error


def test_what_goes_wrong_in_a_fragment_is_a_sentence(
    studied: Path, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*args: object) -> object:
        raise DamagedArtefact("The weights of this run are damaged.", "run", "abc")

    monkeypatch.setattr(explain_audience, "_rank_table", damaged)
    app = open_page("explain", dataset=small_shop.NAME, **{"for": "Item"})
    assert not app.exception
    assert [error.value for error in app.error] == [r"The weights of this run are damaged\."]


def test_an_item_without_title_is_called_by_its_id(studied: Path) -> None:
    explained = vbpr()
    dataset = load_dataset(small_shop.NAME)
    ids = [str(item) for item in explained.subject.split.item_ids]
    dataset.items["title"] = ""
    own = SimpleNamespace(dataset=dataset, explained=explained, item_id=ids[1])
    assert _found(own, "", ids[0]) == {ids[0]: ids[0]}  # type: ignore[arg-type]
