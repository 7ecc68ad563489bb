"""What a link names and is not here is said, not passed over."""

from collections.abc import Callable
from pathlib import Path

import small_shop
from streamlit.testing.v1 import AppTest

Open = Callable[..., AppTest]
Text = Callable[[AppTest], str]
SAID = "not here, so not what is shown"


def test_a_dataset_that_is_not_here(studied: Path, open_page: Open, text_of: Text) -> None:
    app = open_page("data", dataset="gone_shop")
    assert r"The link names **gone\_shop**" in text_of(app)
    app.selectbox(key="dataset").select(small_shop.NAME).run()
    assert SAID not in text_of(app)
    assert SAID not in text_of(open_page("data", dataset=small_shop.NAME))


def test_a_study_that_is_not_here(studied: Path, open_page: Open, text_of: Text) -> None:
    app = open_page("study", dataset=small_shop.NAME, study="0123456789ab")
    assert "The link names **0123456789ab**" in text_of(app)
    # Said until something is chosen, also where the page is drawn again.
    assert SAID in text_of(app.run())
    assert SAID not in text_of(open_page("study", dataset=small_shop.NAME))


def test_lists_that_are_not_here(studied: Path, open_page: Open, text_of: Text) -> None:
    app = open_page("explain", dataset=small_shop.NAME, lists=["nothing", "|||"])
    assert r"The link names **nothing**, **\|\|\|**" in text_of(app)
    chosen = app.multiselect(key="lists")
    chosen.set_value(chosen.value[:1]).run()
    assert SAID not in text_of(app)


def test_long_and_many_names_are_cut(studied: Path, open_page: Open, text_of: Text) -> None:
    lists = ["x" * 3000, "b", "c", "d", "e"]
    text = text_of(open_page("explain", dataset=small_shop.NAME, lists=lists))
    assert "x" * 61 not in text and " and 2 more: not here" in text


def test_what_is_there_again_is_not_said_to_be_gone() -> None:
    def page() -> None:
        import streamlit as st

        from pages.ui.address import choose

        more = ["b"] if st.session_state.get("more") else []
        choose("Thing", ["a", *more], "thing", "a")
        st.checkbox("More", key="more")

    app = AppTest.from_function(page)
    app.query_params["thing"] = "b"
    assert SAID in app.run().caption[0].value
    app.checkbox(key="more").check().run()
    assert not app.caption
