"""Every figure of a study, by name: its numbers, its picture on screen, its picture in print."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from mmrec_core import figures
from mmrec_core.domain import InputError
from mmrec_core.figures.export import save
from mmrec_core.metrics.agreement import AGREEMENT_TITLES
from mmrec_core.recommenders import RECOMMENDERS
from mmrec_core.studies.agreement import agreement_table
from mmrec_core.studies.calibration import latest_calibration, summary
from mmrec_core.studies.cost import comparable, cost_table, measured
from mmrec_core.studies.missing_curve import missing_curve
from mmrec_core.studies.power import power_table
from mmrec_core.studies.results import StudyResult, list_studies
from mmrec_core.studies.shapley import shapley_table
from mmrec_core.studies.stored import arms_by_label, inputs_of, kept_runs
from mmrec_core.studies.study import Arm

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from mmrec_core.figures.export import Format
    from mmrec_core.figures.paper import Width

AGREEMENT_K = 20


@dataclass(frozen=True)
class Drawing:
    """One figure.

    Attributes:
        name: Of its files.
        title: In a list of figures.
        table: The numbers it is drawn from.
        interactive: Draws it with plotly.
        publication: Draws it with matplotlib, for a width ``one`` or ``two``.
    """

    name: str
    title: str
    table: pd.DataFrame
    interactive: "Callable[[], go.Figure]"
    publication: "Callable[[Width], Any]"

    def file(self, format: "Format", width: "Width" = "two") -> bytes:
        """The figure in print, as the bytes of a file."""
        return save(self.publication(width), format)


Maker = Callable[[StudyResult], Iterator[Drawing]]


def recommender_titles() -> dict[str, str]:
    """Name of a recommender -> how it is shown."""
    return {name: kind.title for name, kind in RECOMMENDERS.items()}


def _drawing(
    name: str,
    title: str,
    table: pd.DataFrame,
    screen: Callable[..., "go.Figure"],
    print_: Callable[..., Any],
    *arguments: Any,
) -> Drawing:
    """A drawing whose two forms take the same arguments."""
    given = {"titles": recommender_titles()}
    return Drawing(
        name,
        title,
        table,
        partial(screen, *arguments, **given),
        lambda width: print_(*arguments, **given, width=width),
    )


def _effects(result: StudyResult) -> Iterator[Drawing]:
    if not len(result.comparisons):
        raise InputError("nothing stood in for the content, so there are no effects")
    metric = result.study["metric"]
    table = result.comparisons
    table = table[table["metric"] == metric]
    verdicts = pd.DataFrame(
        result.verdicts, columns=["recommender", "modality", "verdict", "symbol", "tone"]
    )
    yield _drawing(
        "effects", "Effects and verdicts", table, figures.effect_plot,
        figures.effect_plot_publication, result.comparisons, verdicts, metric,
        result.study["delta"],
    )  # fmt: skip


def _arms(result: StudyResult) -> Iterator[Drawing]:
    metric = result.study["metric"]
    titles, references = recommender_titles(), result.study["references"]
    yield Drawing(
        "arms", "All arms", result.arms,
        lambda: figures.arms_plot(result.arms, metric, references, titles),
        lambda width: figures.arms_plot_publication(
            result.arms, metric, references, titles, width=width
        ),
    )  # fmt: skip


def _learning(result: StudyResult) -> Iterator[Drawing]:
    curves = result.curves
    if not len(curves):
        raise InputError("no model was trained in epochs here, so there are no learning curves")
    present = list(dict.fromkeys(curves["arm"]))
    whole = [arm for arm in present if " · " not in arm or arm.endswith(" · real")]
    yield _drawing(
        "learning", "Learning curves", curves, figures.learning_plot,
        figures.learning_plot_publication, curves, whole or present,
    )  # fmt: skip


def _slices(result: StudyResult) -> Iterator[Drawing]:
    table = result.slices
    if not len(table):
        raise InputError("no slice holds enough users")
    for (slicing, kind), own in table.groupby(["slicing", "kind"], sort=False):
        yield _drawing(
            f"slices-{slicing}-{kind}", f"Slices by {slicing}: {kind}", own, figures.slice_plot,
            figures.slice_plot_publication, table, str(slicing), str(kind), result.study["metric"],
        )  # fmt: skip


def _shapley(result: StudyResult) -> Iterator[Drawing]:
    table = shapley_table(result, without_ids(result))
    if not len(table):
        raise InputError("Shapley values need the control *removed* for every modality")
    yield _drawing(
        "shapley", "Shapley values", table, figures.shapley_bars,
        figures.shapley_bars_publication, table, result.study["metric"],
    )  # fmt: skip


def _curve(result: StudyResult) -> Iterator[Drawing]:
    table = missing_curve(result)
    if not len(table):
        raise InputError("the missing-modality curve needs the controls missing-20 to missing-80")
    yield _drawing(
        "missing-modality", "Missing-modality curve", table, figures.removal_curve,
        figures.removal_curve_publication, table, result.study["metric"],
    )  # fmt: skip


def _power(result: StudyResult) -> Iterator[Drawing]:
    table = power_table(result)
    if not len(table):
        raise InputError("power needs two seeds or more and the controls shuffle or removed")
    yield _drawing(
        "power", "Power", table, figures.power_curve, figures.power_curve_publication, table
    )


def _agreement(result: StudyResult) -> Iterator[Drawing]:
    runs = kept_runs(result, inputs_of(result))
    arms = [arm for arm in whole_models(result) if arm in runs]
    if len(arms) < 2:
        raise InputError("agreement needs the runs of two models or more, and fewer are kept here")
    k = min(AGREEMENT_K, min(run.array("lists").shape[1] for own in runs.values() for run in own))
    table = agreement_table(runs, arms, ("overlap", "rbo"), k)
    for measure in ("overlap", "rbo"):
        yield _drawing(
            f"agreement-{measure}", f"Agreement of lists: {AGREEMENT_TITLES[measure]}",
            table[table["measure"] == measure], figures.agreement_map,
            figures.agreement_map_publication, table, measure,
        )  # fmt: skip


def _cost(result: StudyResult) -> Iterator[Drawing]:
    if result.imported:
        raise InputError("what lists cost that were made elsewhere is not known")
    others = [own for own in list_studies(result.study["dataset"]) if not own.imported]
    found = comparable(result, [result, *others])
    table = measured(cost_table(found, result.study["metric"]), "train_seconds")
    if not len(table):
        raise InputError("no training of these models was timed")
    yield _drawing(
        "cost", "Cost against gain", table, figures.cost_plot, figures.cost_plot_publication,
        table, result.study["metric"], "train_seconds",
    )  # fmt: skip


def _calibration(result: StudyResult) -> Iterator[Drawing]:
    artefact = latest_calibration()
    if artefact is None:
        raise InputError("the models as they are now were not calibrated")
    table = summary(artefact.table("cells"))
    yield _drawing(
        "calibration", "Known-truth calibration", table, figures.calibration_plot,
        figures.calibration_plot_publication, table,
    )  # fmt: skip


MAKERS: Mapping[str, Maker] = {
    "effects": _effects,
    "arms": _arms,
    "shapley": _shapley,
    "missing-modality": _curve,
    "slices": _slices,
    "power": _power,
    "cost": _cost,
    "agreement": _agreement,
    "learning": _learning,
    "calibration": _calibration,
}
"""Name -> what it draws; ``slices`` and ``agreement`` draw several figures."""


def drawings(
    result: StudyResult, wanted: tuple[str, ...] = tuple(MAKERS)
) -> tuple[list[Drawing], dict[str, str]]:
    """The figures of a study, and which could not be drawn with the reason.

    Args:
        result: The study.
        wanted: Names in MAKERS.

    Raises:
        InputError: There is no such figure.
    """
    made: list[Drawing] = []
    left_out: dict[str, str] = {}
    for name in wanted:
        if name not in MAKERS:
            raise InputError(f"There is no figure {name!r}. Known: {', '.join(MAKERS)}.")
        try:
            made += MAKERS[name](result)
        except InputError as reason:
            left_out[name] = str(reason).rstrip(".")
    return made, left_out


def whole_models(result: StudyResult) -> list[Arm]:
    """Arms with real content, and references."""
    return [arm for arm in arms_by_label(result).values() if arm.control in ("real", "none")]


def without_ids(result: StudyResult) -> StudyResult | None:
    """The same study of models without their embeddings, where there is one."""
    configs = dict(result.study["configs"])
    names = result.study["recommenders"]
    if any(configs.get(name, {}).get("use_ids") is False for name in names):
        return None

    def bare(own: Mapping[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in own.items() if k != "use_ids"}

    for other in list_studies(result.study["dataset"]):
        theirs = other.study["configs"]
        removed = [name for name in names if theirs.get(name, {}).get("use_ids") is False]
        same = all(bare(theirs.get(n, {})) == bare(configs.get(n, {})) for n in removed)
        protocol = ("modalities", "metric", "stage", "mask", "seeds", "first_seed", "tuning")
        if (
            removed
            and same
            and all(other.study.get(p) == result.study.get(p) for p in protocol)
            and other.artefact.spec["inputs"] == result.artefact.spec["inputs"]
        ):
            return other
    return None
