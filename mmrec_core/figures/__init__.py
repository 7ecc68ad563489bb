"""DataFrames in, figures out: interactive (plotly) and for print (matplotlib), side by side.

Each figure comes three times: ``NAME`` for the screen, ``NAME_publication`` for a paper of one or
two columns, ``..._description`` in one sentence. plotly and matplotlib are loaded when first used.
"""

from mmrec_core.figures.agreement import (
    agreement_map,
    agreement_map_description,
    agreement_map_publication,
)
from mmrec_core.figures.alignment import (
    alignment_matrix,
    alignment_matrix_description,
    alignment_matrix_publication,
)
from mmrec_core.figures.arms import arms_description, arms_plot, arms_plot_publication
from mmrec_core.figures.behaviour import (
    behaviour_plot,
    behaviour_plot_description,
    behaviour_plot_publication,
)
from mmrec_core.figures.calibration import (
    calibration_plot,
    calibration_plot_description,
    calibration_plot_publication,
)
from mmrec_core.figures.catalogue import (
    long_tail,
    long_tail_description,
    long_tail_publication,
    user_activity,
    user_activity_description,
    user_activity_publication,
)
from mmrec_core.figures.cost import cost_plot, cost_plot_description, cost_plot_publication
from mmrec_core.figures.effect import effect_description, effect_plot, effect_plot_publication
from mmrec_core.figures.export import FORMATS, html, save
from mmrec_core.figures.faithfulness import (
    explanation_faithfulness,
    explanation_faithfulness_description,
    explanation_faithfulness_publication,
)
from mmrec_core.figures.gain import (
    gain_plot,
    gain_plot_description,
    gain_plot_publication,
)
from mmrec_core.figures.gap import (
    modality_gap,
    modality_gap_description,
    modality_gap_publication,
)
from mmrec_core.figures.item_ranks import (
    item_ranks,
    item_ranks_description,
    item_ranks_publication,
)
from mmrec_core.figures.learning import (
    learning_description,
    learning_plot,
    learning_plot_publication,
)
from mmrec_core.figures.map_points import MapData
from mmrec_core.figures.missing import (
    missing_modality,
    missing_modality_description,
    missing_modality_publication,
)
from mmrec_core.figures.power import (
    power_curve,
    power_curve_description,
    power_curve_publication,
)
from mmrec_core.figures.removal import (
    removal_curve,
    removal_curve_description,
    removal_curve_publication,
)
from mmrec_core.figures.retrieval import (
    retrieval_bars,
    retrieval_bars_description,
    retrieval_bars_publication,
)
from mmrec_core.figures.score_split import (
    score_split,
    score_split_description,
    score_split_publication,
)
from mmrec_core.figures.shapley import (
    shapley_bars,
    shapley_bars_description,
    shapley_bars_publication,
)
from mmrec_core.figures.slices import (
    slice_plot,
    slice_plot_description,
    slice_plot_publication,
)
from mmrec_core.figures.space_map import (
    space_map,
    space_map_description,
    space_map_publication,
)

__all__ = [
    "effect_plot",
    "effect_plot_publication",
    "effect_description",
    "arms_plot",
    "arms_plot_publication",
    "arms_description",
    "learning_plot",
    "learning_plot_publication",
    "learning_description",
    "slice_plot",
    "slice_plot_publication",
    "slice_plot_description",
    "shapley_bars",
    "shapley_bars_publication",
    "shapley_bars_description",
    "removal_curve",
    "removal_curve_publication",
    "removal_curve_description",
    "agreement_map",
    "agreement_map_publication",
    "agreement_map_description",
    "long_tail",
    "long_tail_publication",
    "long_tail_description",
    "user_activity",
    "user_activity_publication",
    "user_activity_description",
    "missing_modality",
    "missing_modality_publication",
    "missing_modality_description",
    "power_curve",
    "power_curve_publication",
    "power_curve_description",
    "calibration_plot",
    "calibration_plot_publication",
    "calibration_plot_description",
    "cost_plot",
    "cost_plot_publication",
    "cost_plot_description",
    "alignment_matrix",
    "alignment_matrix_publication",
    "alignment_matrix_description",
    "modality_gap",
    "modality_gap_publication",
    "modality_gap_description",
    "MapData",
    "space_map",
    "space_map_publication",
    "space_map_description",
    "retrieval_bars",
    "retrieval_bars_publication",
    "retrieval_bars_description",
    "behaviour_plot",
    "behaviour_plot_publication",
    "behaviour_plot_description",
    "gain_plot",
    "gain_plot_publication",
    "gain_plot_description",
    "score_split",
    "score_split_publication",
    "score_split_description",
    "explanation_faithfulness",
    "explanation_faithfulness_publication",
    "explanation_faithfulness_description",
    "item_ranks",
    "item_ranks_publication",
    "item_ranks_description",
    "FORMATS",
    "save",
    "html",
]
