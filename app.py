"""The front door: page config and navigation; each question has a page of its own."""

from pathlib import Path

import streamlit as st

from pages.ui.garbage import keep_modules
from pages.ui.words import in_words

HERE = Path(__file__).parent
PAGES = (
    ("overview", "Overview", ":material/fact_check:"),
    ("data", "Data", ":material/database:"),
    ("maps", "Maps", ":material/scatter_plot:"),
    ("alignment", "Alignment", ":material/compare_arrows:"),
    ("descriptions", "Descriptions", ":material/chat:"),
    ("explain", "Explain", ":material/help_center:"),
    ("study", "Study", ":material/science:"),
    ("runs", "Runs", ":material/list_alt:"),
)


def main() -> None:
    # A file: emojis and icon names as page icons would be fetched from the internet.
    st.set_page_config("MMRec Lens", str(HERE / "pages" / "ui" / "icon.svg"), layout="wide")
    chosen = st.navigation(
        [
            st.Page(f"pages/{name}.py", title=title, icon=icon, default=name == "overview")
            for name, title, icon in PAGES
        ]
    )
    with in_words():
        chosen.run()
    keep_modules()


main()
