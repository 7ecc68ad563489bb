"""Alignment: nothing compared yet, every part of a finished comparison, what is missing."""

from collections.abc import Callable
from pathlib import Path

import pytest
import small_shop
from streamlit.testing.v1 import AppTest

from mmrec_core import jobs
from mmrec_core.alignment.service import AlignConfig, align
from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.spaces import aligned_space, list_spaces
from mmrec_core.studies.inputs import usual_split
from pages.ui import aligned_crossing

Open = Callable[..., AppTest]
Text = Callable[[AppTest], str]
IMAGE, WORDS = "precomputed(file=image)", "precomputed(file=text)"


@pytest.fixture
def aligned(studied: Path) -> Path:
    """The small shop's two spaces and a trained one, compared."""
    dataset = load_dataset(small_shop.NAME)
    run = next(s.name for s in list_spaces(dataset) if s.kind == "recommender")
    names = (IMAGE, WORDS)
    align({n: aligned_space(dataset, n) for n in names}, usual_split(dataset), AlignConfig())
    align({n: aligned_space(dataset, n) for n in (*names, run)}, usual_split(dataset),
          AlignConfig())  # fmt: skip
    return studied


def test_a_comparison_is_offered_with_what_it_takes(
    studied: Path, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("alignment", dataset=small_shop.NAME)
    assert "1 pair by 4 measures" in text_of(app)
    started = []
    monkeypatch.setattr(jobs, "start", lambda kind, spec, title: started.append((kind, spec)))
    next(b for b in app.button if b.label.startswith("Compare them")).click().run()
    ((kind, spec),) = started
    assert kind == "align" and spec["spaces"] == [IMAGE, WORDS]
    assert spec["config"] == AlignConfig().model_dump(mode="json")


def test_what_was_compared_is_shown_though_a_space_was_added(
    studied: Path, open_page: Open, text_of: Text
) -> None:
    dataset = load_dataset(small_shop.NAME)
    names = [WORDS, IMAGE]
    align({n: aligned_space(dataset, n) for n in names}, usual_split(dataset), AlignConfig())
    app = open_page("alignment", dataset=small_shop.NAME)
    assert "say the same **largely**" in text_of(app)
    assert app.multiselect(key=f"spaces-{small_shop.NAME}").value == names
    # A copied link says which, since what was compared last differs from server to server.
    assert app.query_params["spaces"] == ";".join(names)
    # At other settings it would not be what is asked for.
    align({n: aligned_space(dataset, n) for n in (IMAGE, WORDS)}, usual_split(dataset),
          AlignConfig(seed=5))  # fmt: skip
    app = open_page("alignment", dataset=small_shop.NAME)
    assert app.multiselect(key=f"spaces-{small_shop.NAME}").value == names
    # The first spaces go before others as soon as they are compared.
    align({n: aligned_space(dataset, n) for n in (IMAGE, WORDS)}, usual_split(dataset),
          AlignConfig())  # fmt: skip
    align({n: aligned_space(dataset, n) for n in names}, usual_split(dataset), AlignConfig())
    app = open_page("alignment", dataset=small_shop.NAME)
    assert app.multiselect(key=f"spaces-{small_shop.NAME}").value == [IMAGE, WORDS]
    assert "spaces" not in app.query_params


def test_one_space_is_not_compared(studied: Path, open_page: Open, text_of: Text) -> None:
    app = open_page("alignment", dataset=small_shop.NAME, spaces=IMAGE)
    assert "Choose two spaces or more" in text_of(app)


def test_nothing_embedded_offers_to_embed(
    empty: Path, tmp_path: Path, open_page: Open, text_of: Text
) -> None:
    small_shop.install_shop(tmp_path / "small")
    assert "Nothing has been embedded" in text_of(open_page("alignment", dataset=small_shop.NAME))


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("Matrix", "Range −1 to 1"),
        ("Retrieval", "by chance"),
        ("Modality gap", "within one space"),
        ("Content and behaviour", "with fewer than two train users"),
        ("Geometry", ""),
        ("Near-duplicates", "centred cosine"),
    ],
)
def test_every_part_is_shown(
    aligned: Path, open_page: Open, text_of: Text, part: str, sentence: str
) -> None:
    app = open_page("alignment", dataset=small_shop.NAME, **{"aligned-part": part})
    text = text_of(app)
    assert not app.error and sentence in text
    # Both files of the shop hold the same features.
    assert "say the same **largely**" in text and "overlap in their users" in text


def test_every_measure_has_its_matrix(aligned: Path, open_page: Open) -> None:
    app = open_page("alignment", dataset=small_shop.NAME)
    for option in list(app.selectbox(key="measure").options):
        app.selectbox(key="measure").select(option).run()
        assert not app.error and not app.exception


def test_trained_vectors_are_compared_too(aligned: Path, open_page: Open, text_of: Text) -> None:
    run = next(s for s in list_spaces(load_dataset(small_shop.NAME)) if s.kind == "recommender")
    app = open_page("alignment", dataset=small_shop.NAME, spaces=";".join((IMAGE, WORDS, run.name)))
    assert not app.error and "Pictures and words say the same" in text_of(app)


def test_the_gain_of_studies_stands_beside_the_lift(
    aligned: Path, open_page: Open, text_of: Text
) -> None:
    app = open_page(
        "alignment", dataset=small_shop.NAME, **{"aligned-part": "Content and behaviour"}
    )
    assert "What recommenders did gain by it" in text_of(app)


def test_other_settings_are_another_comparison(
    aligned: Path, open_page: Open, text_of: Text
) -> None:
    app = open_page("alignment", dataset=small_shop.NAME, permutations="50")
    assert "were not compared yet" in text_of(app)


def test_a_space_under_a_control_can_be_compared(studied: Path, open_page: Open) -> None:
    dataset = load_dataset(small_shop.NAME)
    names = (IMAGE, f"{WORDS}|shuffle")
    align({n: aligned_space(dataset, n) for n in names}, usual_split(dataset), AlignConfig())
    app = open_page("alignment", dataset=small_shop.NAME, spaces=";".join(names))
    assert not app.error and not app.exception
    app.selectbox(key="measure").select("mutual_knn").run()
    assert any("By chance: k / (n − 1)" in c.value for c in app.caption)


@pytest.mark.parametrize("spaces", [";".join([IMAGE] * 2), ";".join([WORDS] * 14), ";;", "x;y"])
def test_a_damaged_list_of_spaces_is_read_as_far_as_it_goes(
    studied: Path, open_page: Open, spaces: str
) -> None:
    app = open_page("alignment", dataset=small_shop.NAME, spaces=spaces)
    assert not app.error and not app.exception


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny model with two towers."""
    from extractors.test_hub import checkpoint

    return str(checkpoint("clip", tmp_path_factory.mktemp("clip") / "model"))


def _compared(*names: str) -> str:
    """Compares spaces of the small shop; their part of the address."""
    dataset = load_dataset(small_shop.NAME)
    align({n: aligned_space(dataset, n) for n in names}, usual_split(dataset), AlignConfig())
    return ";".join(names)


def test_clip_score_says_which_prefix_is_missing_and_how_to_embed_with_it(
    studied: Path, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch, clip_folder: str
) -> None:
    names = [f"clip-{side}(model={clip_folder})" for side in ("image", "text")]
    app = open_page("alignment", dataset=small_shop.NAME, spaces=_compared(*names))
    text = text_of(app)
    assert "is not shown: it reads every text after “A photo depicts”" in text
    assert f"--option model={clip_folder} --option 'prefix=A photo depicts'" in app.code[0].value
    started = []
    monkeypatch.setattr(jobs, "start", lambda kind, spec, title: started.append((kind, spec)))
    next(b for b in app.button if b.label.startswith("Embed the words after")).click().run()
    ((kind, spec),) = started
    assert kind == "embed" and spec["extractor"] == "clip-text"
    assert spec["config"]["prefix"] == "A photo depicts"
    assert "clip_score" not in app.selectbox(key="measure").options

    captions = f"clip-text(model={clip_folder}, prefix=A photo depicts)"
    _compared(names[0], captions)
    app = open_page("alignment", dataset=small_shop.NAME, spaces=";".join(names))
    assert "is here: add it to *Spaces* above" in text_of(app)
    app = open_page(
        "alignment", dataset=small_shop.NAME, spaces=f"{names[0]};{captions}", measure="clip_score"
    )
    text = text_of(app)
    assert not app.error and "Range 0 to 2.5. Hessel et al., CLIPScore, EMNLP 2021" in text
    assert "is not shown" not in text


def test_clip_score_asked_for_where_there_is_none_is_explained(
    studied: Path, open_page: Open, text_of: Text
) -> None:
    dataset = load_dataset(small_shop.NAME)
    config = AlignConfig(measures=("debiased_cka", "clip_score"))
    align({n: aligned_space(dataset, n) for n in (IMAGE, WORDS)}, usual_split(dataset), config)
    app = open_page("alignment", dataset=small_shop.NAME)
    assert "CLIPScore is not shown" not in text_of(app)
    app.multiselect(key="measures").set_value(["debiased_cka", "clip_score"]).run()
    assert "such as CLIP\\. Unlike models have no cosine in common" in text_of(app)


def test_what_is_said_of_a_fitted_space_stands_on_held_out_items_or_says_otherwise(
    fitted: tuple[str, str], open_page: Open, text_of: Text
) -> None:
    spaces, all_items = _compared(*fitted), "shows all items of such a space"
    text = text_of(open_page("alignment", dataset=small_shop.NAME, spaces=spaces))
    assert ", on 10 held-out items" in text and all_items not in text
    for part in ("Geometry", "Content and behaviour", "Near-duplicates"):
        app = open_page(
            "alignment", dataset=small_shop.NAME, spaces=spaces, **{"aligned-part": part}
        )
        assert all_items in text_of(app) and not app.error
    for part, sentence in (
        ("Retrieval", "10 of the catalogue's 30 items ask, and search among the same 10"),
        ("Modality gap", "on 10 held-out items"),
    ):
        app = open_page(
            "alignment", dataset=small_shop.NAME, spaces=spaces, **{"aligned-part": part}
        )
        assert sentence in text_of(app) and all_items not in text_of(app)


def test_retrieval_and_near_duplicates_say_how_many_items_they_stand_on(
    aligned: Path, open_page: Open, text_of: Text
) -> None:
    app = open_page("alignment", dataset=small_shop.NAME, **{"aligned-part": "Retrieval"})
    text = text_of(app)
    assert "15 of the catalogue's 30 items ask, and search among the same 15: the half" in text
    assert "both spaces and were held out" not in text
    app = open_page("alignment", dataset=small_shop.NAME, **{"aligned-part": "Near-duplicates"})
    assert "none left out by a sample: 30 in" in text_of(app).replace("\\", "")


def test_a_space_that_is_being_fitted_is_not_offered_again_and_then_its_sides_are_added(
    aligned: Path, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = {"dataset": small_shop.NAME, "aligned-part": "Modality gap"}
    app = open_page("alignment", **address)
    started = []

    def start(kind: str, spec: dict[str, str], title: str) -> None:
        started.append((kind, spec))

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "start", start)
        next(b for b in app.button if b.label.startswith("Fit a shared space")).click().run()
    assert [(kind, spec["config"]["output"]) for kind, spec in started] == [
        ("embed", "image"), ("embed", "text"),
    ]  # fmt: skip
    running = jobs.JobState("abc", "embed", "Shared space", "running")
    with monkeypatch.context() as patch:
        patch.setattr(aligned_crossing, "unfinished_jobs", lambda kind, name: [running])
        patch.setattr(jobs, "spec", lambda key: started[0][1])
        app = open_page("alignment", **address)
        assert "It is being fitted" in text_of(app)
        assert not [b for b in app.button if b.label.startswith("Fit a shared")]


def test_the_sides_of_a_fitted_space_are_added_by_a_button(
    fitted: tuple[str, str], open_page: Open, text_of: Text
) -> None:
    address = {"dataset": small_shop.NAME, "aligned-part": "Modality gap"}
    app = open_page("alignment", **address, spaces=_compared(IMAGE, WORDS))
    next(b for b in app.button if b.label == "Add its sides").click().run()
    chosen = app.multiselect(key=f"spaces-{small_shop.NAME}").value
    assert chosen == [IMAGE, WORDS, *fitted] or chosen == [IMAGE, WORDS, *reversed(fitted)]
    assert "These 4 spaces were not compared yet" in text_of(app)
