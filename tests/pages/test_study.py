"""Study: results as they were found, a builder whose plan is the plan, jobs that are seen."""

from collections.abc import Callable
from pathlib import Path

import pytest
import small_shop
from streamlit.testing.v1 import AppTest

from mmrec_core import jobs
from mmrec_core.recommenders.vbpr import VBPRConfig
from mmrec_core.studies.imported import import_lists
from mmrec_core.studies.list_export import lists_table
from mmrec_core.studies.plan import plan_study
from mmrec_core.studies.results import list_studies
from mmrec_core.studies.runner import run_study
from mmrec_core.studies.stored import inputs_of, runs_of
from mmrec_core.studies.study import make_study
from pages.ui import studies
from pages.ui.job import time_in_words
from pages.ui.start import study_jobs

Open = Callable[..., AppTest]
Text = Callable[[AppTest], str]


def test_without_a_study_it_says_where_to_begin(
    empty: Path, open_page: Open, text_of: Text
) -> None:
    text = text_of(open_page("study"))
    assert "Which part of the gain is content?" in text and "No study of this dataset" in text


def test_the_gain_is_divided_exactly(studied: Path, open_page: Open, text_of: Text) -> None:
    result = list_studies(small_shop.NAME)[0]
    cells = result.comparisons.query("metric == 'recall@20' and modality == 'all'")
    effect = cells.set_index("kind")["effect"]
    assert effect["gained"] == pytest.approx(effect["used"] + effect["without_content"], abs=1e-12)
    text = text_of(open_page("study", dataset=small_shop.NAME))
    assert studies.division(result) in text
    assert studies.number(effect["used"], True) in text


@pytest.mark.parametrize(
    "part",
    [
        "Effects", "Leaderboard", "Knockouts", "Arms", "Learning curves", "Comparisons",
        "Contribution", "Slices", "Power", "Agreement", "Cost", "Export",
    ],
)  # fmt: skip
def test_every_part_of_the_results_is_drawn(
    studied: Path, open_page: Open, text_of: Text, part: str
) -> None:
    app = open_page("study", dataset=small_shop.NAME, part=part)
    assert not app.error
    if part == "Arms":
        arms = app.table[0].value
        assert list(arms["Arm"][:3]) == ["MostPop", studies.escape("BPR-MF"), "VBPR, real"]
        assert {"Recall", "nDCG", "Hit rate", "MRR", "MAP"} <= set(arms.columns)
    if part == "Comparisons":
        shown = app.dataframe[0].value
        metric = list_studies(small_shop.NAME)[0].comparisons.query("metric == 'recall@20'")
        assert len(shown) == len(metric)
    if part == "Leaderboard":
        shown = app.dataframe[0].value
        assert list(shown["Recall@20"]) == sorted(shown["Recall@20"], reverse=True)
        assert set(shown["Model"]) == {"MostPop", "BPR-MF", "VBPR"} and "Source" not in shown
        assert "the best model that reads content, **VBPR**" in text_of(app)
    if part == "Knockouts":
        shown = app.table[0].value
        assert list(shown["Model"].unique()) == ["VBPR"]
        assert {"Shuffled over items", "Removed"} <= set(shown["Replaced by"])
        assert "BPR\\-MF" in " ".join(shown["Replaced by"]) and "could be capacity" in text_of(app)
    if part in ("Effects", "Comparisons"):
        assert "never a verdict" in text_of(app)
    if part == "Contribution":
        text = text_of(app)
        assert "VBPR goes from" in text and "no missing-modality curve" in text
        assert app.button(key="perceptual").label == "Measure"
    if part == "Power":
        assert "comparisons are" in text_of(app) and "smallest margin" in text_of(app)
    if part == "Agreement":
        assert "Two trainings of the same arm" in text_of(app)
        users = app.dataframe[0].value
        assert users["Overlap"].is_monotonic_increasing and len(users) <= 50
        assert "✓" in text_of(app)
    if part == "Cost":
        assert "The best is" in text_of(app)
        assert set(app.dataframe[0].value["Model"]) == {"MostPop", "BPR-MF", "VBPR"}
    if part == "Export":
        assert {app.button(key=f"make-{kind}").label for kind in ("bundle", "report")} == {
            "Make the zip", "Make the page",
        }  # fmt: skip


@pytest.mark.parametrize(
    "part",
    ["Effects", "Leaderboard", "Knockouts", "Arms", "Slices", "Contribution", "Power", "Export"],
)
@pytest.mark.parametrize("references", [["most-pop"], ["bpr-mf"]])
def test_a_study_without_controls_is_shown_and_hides_no_other(
    studied: Path, open_page: Open, text_of: Text, part: str, references: list[str]
) -> None:
    judged = list_studies(small_shop.NAME)[-1]
    values = {**small_shop.STUDY, "controls": ["real"], "seeds": 2, "references": references}
    key = run_study(make_study(values), workers=1).key
    app = open_page("study", dataset=small_shop.NAME, study=key[:12], part=part)
    assert not app.error and not app.exception
    assert "gains cannot be divided" in text_of(app)
    said = " ".join(i.value for i in app.info)
    # Against the backbone there is still something to see.
    nothing = part in ("Effects", "Knockouts") and references == ["most-pop"]
    assert ("Nothing stands in for the content" in said) == nothing
    # Overview sums up the newest study that has something to sum up.
    overview = open_page("overview", dataset=small_shop.NAME)
    assert not overview.error and judged.key[:8] in text_of(overview)


def test_a_filter_on_screen_changes_no_verdict(studied: Path, open_page: Open) -> None:
    before = studies.verdict_frame(list_studies(small_shop.NAME)[0])
    app = open_page("study", dataset=small_shop.NAME)
    app.selectbox(key="by-recall").set_value("ndcg").run()
    app.selectbox(key="at-k").set_value(5).run()
    assert not app.error and not app.exception
    after = studies.verdict_frame(list_studies(small_shop.NAME)[0])
    assert before.equals(after)


def test_the_address_names_the_study(studied: Path, open_page: Open) -> None:
    key = list_studies(small_shop.NAME)[0].key[:12]
    app = open_page("study", dataset=small_shop.NAME, study=key)
    assert app.selectbox(key="study").value == key
    app = open_page("study", dataset=small_shop.NAME, study="0" * 12)
    assert app.selectbox(key="study").value == key, "an unknown key falls back to the newest"


def test_any_model_can_be_named_and_what_is_none_is_said(
    studied: Path, open_page: Open, text_of: Text
) -> None:
    app = open_page("study", dataset=small_shop.NAME, view="New study")
    choice = app.selectbox(key=f"{small_shop.NAME}.text")
    assert "SBERT" in choice.help and "MMREC_ONLINE=1" in choice.help
    choice.set_value("hub-text").run()
    assert "Name a model to go on" in text_of(app)
    assert "Choose what makes the features of text" in text_of(app)
    app.text_input(key=f"{small_shop.NAME}.text.model").set_value("/nowhere/at all").run()
    assert not app.exception
    said = [e.value.replace("\\", "") for e in app.error]
    assert said == ["There is no folder /nowhere/at all."]
    assert not [b for b in app.button if b.key == "start-built"]


def test_a_vision_language_model_makes_a_joint_matrix(
    studied: Path, open_page: Open, text_of: Text
) -> None:
    app = open_page("study", dataset=small_shop.NAME, view="New study")
    app.multiselect(key=f"{small_shop.NAME}.modalities").set_value(["joint"]).run()
    assert app.selectbox(key=f"{small_shop.NAME}.joint").value == "vision-language"
    positions = app.selectbox(key=f"{small_shop.NAME}.joint.position")
    assert positions.options == ["prompt_end", "answer_eos", "image_mean", "all_mean"]
    assert not [box for box in app.checkbox if "remote_code" in str(box.key)]
    app.text_input(key=f"{small_shop.NAME}.joint.prompt").set_value("nothing").run()
    assert not app.exception and "Choose what makes the features of joint" in text_of(app)


def test_the_builder_plans_what_it_starts(
    studied: Path, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    app = open_page("study", dataset=small_shop.NAME, view="New study")
    app.multiselect(key="recommenders").set_value(["vbpr"]).run()
    app.number_input(key="seeds").set_value(6).run()
    app.number_input(key="vbpr.reg").set_value(0.02).run()
    app.number_input(key=f"{small_shop.NAME}.k-core").set_value(2).run()
    assert not app.error
    text = text_of(app)
    app.button(key="start-built").click().run()
    ((kind, values, title),) = started
    assert kind == "study" and title == "VBPR on small, 6 seeds, train stage"
    assert values["seeds"] == 6 and values["recommenders"] == ["vbpr"]
    assert values["configs"] == {"vbpr": {"reg": 0.02}}
    assert values["split"]["k_core"] == 2
    plan = plan_study(make_study(values))
    assert f"**{len(plan.arms)} arms, {plan.runs:,} runs**" in text
    assert f"{len(plan.skipped)} arms are left out, and why" in [e.label for e in app.expander]


def test_the_builder_offers_the_splits_that_the_dataset_allows(
    studied: Path, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    app = open_page("study", dataset=small_shop.NAME, view="New study")
    split = app.selectbox(key=f"{small_shop.NAME}.split")
    assert split.options == ["random", "leave-one-out", "cold-items"] and split.value == "random"
    text = text_of(app)
    for reason in ("temporal, since its interactions have no timestamps", "fixed, since it has no"):
        assert studies.escape(f"Not possible: {reason}") in text
    split.set_value("leave-one-out").run()
    text = text_of(app)
    assert studies.escape("Split: Each user's last interaction is test") in text
    assert "there are no timestamps" in text
    app.button(key="start-built").click().run()
    ((_, values, _),) = started
    assert values["split"]["strategy"] == "leave-one-out"
    # Of 30 items three are cold: too few to rank, and that is said before anything starts.
    app.selectbox(key=f"{small_shop.NAME}.split").set_value("cold-items").run()
    assert "Only 3 items are ranked" in text_of(app)
    assert not [b for b in app.button if b.key == "start-built"]


def test_the_builder_tunes_every_arm_with_one_budget(
    studied: Path, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    app = open_page("study", dataset=small_shop.NAME, view="New study")
    assert app.selectbox(key="sampler").disabled
    app.slider(key="trials").set_value(3).run()
    plan = plan_study(make_study({"dataset": small_shop.NAME, "tuning": {"trials": 3}}))
    assert f"Settings are searched first, in at most **{plan.trials:,} trials**" in text_of(app)
    app.selectbox(key="space").set_value("paper").run()
    app.button(key="start-built").click().run()
    ((_, values, _),) = started
    assert values["tuning"] == {"trials": 3, "sampler": "tpe", "space": "paper"}


def test_what_a_search_tried_is_shown(studied: Path, open_page: Open, text_of: Text) -> None:
    # Long enough to converge: the Overview prefers studies that give a verdict.
    configs = {n: own | {"max_epochs": 80} for n, own in small_shop.STUDY["configs"].items()}
    study = small_shop.STUDY | {
        "modalities": ["text"], "tuning": {"trials": 2}, "configs": configs,
    }  # fmt: skip
    key = run_study(make_study(study), workers=1).key
    app = open_page("study", dataset=small_shop.NAME, study=key[:12], part="Tuning")
    assert not app.error and "every arm tuned with 2 trials" not in text_of(app)
    shown = app.dataframe[0].value
    assert list(shown["Arm"]) == [
        "bpr-mf", "vbpr · real", "vbpr · text · shuffle", "vbpr · text · removed",
    ]  # fmt: skip
    assert set(shown["Trials"]) == {2} and shown["Settings"].str.contains("learning rate").all()
    assert len(app.dataframe[1].value) == 8
    text = text_of(open_page("overview", dataset=small_shop.NAME))
    assert "every arm tuned with 2 trials" in text


def test_a_gain_is_divided_with_one_modality_too(studied: Path, open_page: Open) -> None:
    key = run_study(make_study(small_shop.STUDY | {"modalities": ["text"]}), workers=1).key
    result = next(s for s in list_studies(small_shop.NAME) if s.key == key)
    assert "from the content itself" in studies.division(result)


@pytest.mark.parametrize(
    ("stage", "said"), [("inference", "reads no features when it scores"), ("train", "runs")]
)
def test_why_a_model_does_not_fit_is_said_in_words(
    studied: Path, open_page: Open, text_of: Text, stage: str, said: str
) -> None:
    address = {"recommenders": "BM3", "stage": stage}
    app = open_page("study", dataset=small_shop.NAME, view="New study", **address)
    assert said in text_of(app)
    assert bool([b for b in app.button if b.key == "start-built"]) == (stage == "train")


def test_what_cannot_be_studied_is_said_before_it_starts(
    studied: Path, open_page: Open, text_of: Text
) -> None:
    app = open_page("study", dataset=small_shop.NAME, view="New study")
    app.multiselect(key="controls").set_value(["removed"]).run()
    app.number_input(key="seeds").set_value(2).run()
    warnings = " ".join(w.value for w in app.warning)
    assert "shuffle" in warnings and "fewer than 5 seeds" in warnings
    app.multiselect(key="recommenders").set_value([]).run()
    assert "Choose at least one recommender" in text_of(app)
    assert not [b for b in app.button if b.key == "start-built"]


def test_settings_are_the_fields_of_the_config(studied: Path, open_page: Open) -> None:
    app = open_page("study", dataset=small_shop.NAME, view="New study")
    fields = VBPRConfig.model_fields
    for name in ("learning_rate", "max_epochs", "content_factors"):
        widget = app.number_input(key=f"vbpr.{name}")
        assert widget.value == fields[name].default and widget.help == fields[name].description
    assert app.checkbox(key="vbpr.normalise").value is False


def test_a_stopped_job_offers_to_resume(
    studied: Path, open_page: Open, text_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job whose process is gone reads interrupted, on a page opened anew."""
    monkeypatch.setattr(jobs.subprocess, "Popen", lambda *a, **k: None)
    state = jobs.start("study", {"dataset": small_shop.NAME, "seeds": 5}, "Study *x*")
    jobs._write_state(jobs.JobState(**{**vars(state), "status": "running", "fraction": 0.4}))
    assert [s.status for s in study_jobs(small_shop.NAME)] == ["interrupted"]
    assert study_jobs("demo-both") == []
    app = open_page("study", dataset=small_shop.NAME)
    assert "interrupted at 40%" in text_of(app) and r"Study \*x\*" in text_of(app)
    app.button(key=f"resume-{state.key}").click().run()
    assert jobs.state(state.key).status == "queued"
    assert "Starting …" in text_of(app)
    assert [b.label for b in app.button if b.key == f"cancel-{state.key}"] == ["Cancel"]


def test_a_finished_job_opens_its_study(
    studied: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.subprocess, "Popen", lambda *a, **k: None)
    key = list_studies(small_shop.NAME)[0].key
    state = jobs.start("study", {"dataset": small_shop.NAME}, "x")
    app = open_page("study", dataset=small_shop.NAME, view="New study")
    jobs._write_state(jobs.JobState(**{**vars(state), "status": "done", "result": {"study": key}}))
    app.run()
    assert app.selectbox(key="study").value == key[:12], "its results are on screen"
    assert [t.value for t in app.toast] == ["x: done\\."] or "done" in app.toast[0].value


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(4, "a few seconds"), (33, "about 35 seconds"), (70, "about a minute"),
     (600, "about 10 minutes"), (7200, "about 2.0 hours")],
)  # fmt: skip
def test_time_left_in_words(seconds: float, said: str) -> None:
    assert time_in_words(seconds) == said


def test_lists_made_elsewhere_are_marked_and_shown(
    studied: Path, open_page: Open, text_of: Text
) -> None:
    result = list_studies(small_shop.NAME)[0]
    inputs = inputs_of(result)
    table = lists_table(runs_of(result, inputs), inputs.split)
    table["arm"] = table["arm"].str.replace("vbpr", ":red[Mine]")
    table["converged"] = None
    back = import_lists(table, {"dataset": small_shop.NAME, "split": result.study["split"]}, ["a"])
    for part in ("Effects", "Contribution", "Leaderboard", "Knockouts", "Agreement", "Cost",
                 "Arms", "Export"):  # fmt: skip
        app = open_page("study", dataset=small_shop.NAME, study=back.key[:12], part=part)
        text = text_of(app)
        assert not app.error and "**Imported**" in text
        # A name from a file is text, not markup.
        assert ":red[Mine]" not in text.replace("\\", "") or "\\[Mine" in text
    assert "made elsewhere" in text_of(
        open_page("study", dataset=small_shop.NAME, study=back.key[:12], part="Cost")
    )


def test_the_embeddings_are_a_player_where_they_can_be(
    studied: Path, open_page: Open, text_of: Text
) -> None:
    whole = list_studies(small_shop.NAME)[0]
    configs = {n: dict(own) for n, own in small_shop.STUDY["configs"].items()}
    configs["vbpr"]["use_ids"] = False
    bare = run_study(make_study(small_shop.STUDY | {"configs": configs}), workers=1)
    for study, said in ((whole.key, True), (bare.key, False)):
        app = open_page("study", dataset=small_shop.NAME, study=study[:12], part="Contribution")
        assert not app.error and "use_ids" not in text_of(app)
        assert ("embeddings of users and items" in text_of(app)) == said


def test_the_import_view_says_how(studied: Path, open_page: Open, text_of: Text) -> None:
    text = text_of(open_page("study", dataset=small_shop.NAME, view="Import lists"))
    assert "RECOMMENDER · MODALITY · CONTROL" in text and "`shuffle`" in text


def test_the_curve_is_one_tick_in_the_builder(studied: Path, open_page: Open) -> None:
    app = open_page("study", dataset=small_shop.NAME, view="New study")
    assert not any("Missing for" in str(option) for option in app.multiselect("controls").options)
    app.checkbox(key="missing-curve").check().run()
    assert not app.error


def test_the_record_of_the_instrument_is_a_figure_and_a_table(
    mmrec_data: Path, open_page: Open, text_of: Text
) -> None:
    app = open_page("study", dataset="demo-both", view="Calibration")
    assert not app.error and "false alarm" in text_of(app)
    assert "Case" in app.table[0].value
    assert len(app.get("plotly_chart")) == 1
