"""Commands about single recommendations: why an item, what if, and how far that can be trusted."""

import argparse
from dataclasses import replace
from typing import Any

import numpy as np

from mmrec_core.commands import descriptions
from mmrec_core.commands.actions import pair, progress_line, show, table
from mmrec_core.domain import InputError


def explain(options: argparse.Namespace) -> None:
    """Prints a user's list, or why one item is on it and what an edit would do."""
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.explanations.service import explain as explained_whole
    from mmrec_core.explanations.service import explain_list, open_run, sentence

    explained, user, whom = _whom(options, open_run(load_dataset(options.dataset), options.run))
    if options.item is None:
        if options.give or options.without or options.forget:
            raise InputError("--give, --without and --forget are about one item: name it, --item.")
        found = explain_list(explained, user, options.k)
        rows = found.to_dict("records")
        shown = [
            {str(c): f"{v:.4g}" if isinstance(v, float) else v for c, v in row.items()}
            for row in rows
        ]
        title = f"{explained.title}, {whom}"
        value = {"run": explained.run.artefact.key, "user": whom, "list": rows}
        columns = tuple(c for c in found.columns if c != "relevant")
        show(value, options, "\n".join([title, table(shown, columns)]))
        return
    item = explained.item(options.item)
    document = explained_whole(explained, user, item, progress_line)
    document["changes"] = _changes(options, explained, user, item)
    lines = [sentence(document), "", *_parts(document)]
    for change in document["changes"]:
        lines.append(
            f"{change['what']}: score {change['before']:.4g} -> {change['after']:.4g}, "
            f"rank {change['rank_before']:,} -> {change['rank_after']:,}"
        )
    lines += [f"{name}: {reason}" for name, reason in document["not_available"].items()]
    show(document, options, "\n".join(lines))


def _whom(options: argparse.Namespace, explained: Any) -> tuple[Any, int, str]:
    """The run under its control, the user's row, and who it is, in words."""
    from mmrec_core.explanations.audience import CONTROLS, controlled

    if (options.user is None) == (not options.visitor):
        raise InputError("Say for whom: --user ID, or --visitor ITEM ... (one of the two).")
    subject, title = explained.subject, explained.title
    if options.control:
        modality, control = pair(options.control, "--control", "image=shuffle")
        if control not in CONTROLS:
            raise InputError(f"--control {control!r} is none of {', '.join(CONTROLS)}.")
        subject = controlled(subject, explained.dataset, modality, control)
        title = f"{title} under {options.control}"
    if not options.visitor:
        user, whom = explained.user(options.user), f"user {options.user}"
    else:
        items = np.array([explained.item(item) for item in options.visitor])
        subject, user = subject.with_visitor(items)
        whom = "a visitor"
    return replace(explained, subject=subject, title=title), user, whom


def _parts(document: dict[str, Any]) -> list[str]:
    parts = [
        {
            "part": own["part"],
            "value": f"{own['value']:+.4g}",
            "against the average item": f"{own['against_average']:+.4g}",
        }
        for own in document["score-split"]
    ]
    lines = [table(parts, ("part", "value", "against the average item")), ""]
    carriers = [own for own in document.get("history-split", []) if own["history"]][:5]
    if carriers:
        lines.append(
            "carried by " + ", ".join(f"{c['history']} {c['value']:+.3g}" for c in carriers)
        )
    shared = document["shared-attributes"][:3]
    if shared:
        said = (
            f"{s['attribute']}: {s['value']} ({s['in_history']}/{s['of_history']})" for s in shared
        )
        lines.append("shared with the history (evidence, not cause): " + ", ".join(said))
    return lines


def _changes(
    options: argparse.Namespace, explained: Any, user: int, item: int
) -> list[dict[str, Any]]:
    from mmrec_core.explanations.counterfactual import compared, given_from, taken_from
    from mmrec_core.explanations.history import forgotten

    subject = explained.subject
    edits: list[tuple[str, Any, np.ndarray | None]] = []
    for entry in options.give:
        modality, donor = pair(entry, "--give", "image=ITEM")
        own = given_from(subject, item, modality, explained.item(donor))
        edits.append((f"with the {modality} of {donor}", own, None))
    for modality in options.without:
        edits.append((f"without {modality}", taken_from(subject, item, modality), None))
    if options.forget:
        numbers = np.array([explained.item(one) for one in options.forget])
        own = forgotten(subject, user, numbers)
        edits.append((f"had the user not taken {', '.join(options.forget)}", own, numbers))
    found = []
    for what, edited, gone in edits:
        change = compared(subject, edited, user, item, forgotten=gone)
        found.append(
            {
                "what": what,
                "before": change.before,
                "after": change.after,
                "rank_before": change.rank_before,
                "rank_after": change.rank_after,
            }
        )
    return found


def faithfulness(options: argparse.Namespace) -> None:
    """How far descriptions can be trusted or, where a run is named, its explanations."""
    if options.run is None:
        descriptions.faithfulness(options)
    else:
        _of_run(options)


def _of_run(options: argparse.Namespace) -> None:
    """Measures how faithful the explanations of a run are: deletion, insertion, randomisation."""
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.explanations.methods import METHODS
    from mmrec_core.explanations.service import measure_faithfulness, open_run

    explained = open_run(load_dataset(options.key), options.run)
    made = measure_faithfulness(explained, options.n, options.seed, progress_line)
    found = made.table("methods")
    rows = [
        {
            "explanation": METHODS.get(own["method"]).title,
            "n": own["n"],
            "deletion": _interval(own, "deletion"),
            "insertion": _interval(own, "insertion"),
            "randomised": _interval(own, "randomised"),
            "correlation": f"{own['correlation']:+.2f}",
        }
        for own in found.to_dict("records")
    ]
    lines = [
        explained.run.title,
        table(rows, ("explanation", "n", "deletion", "insertion", "randomised", "correlation"))
        if rows
        else "No explanation of this model puts elements in order, so there is nothing to delete.",
        "How much better than a random order, in standard deviations of a user's scores; "
        "randomised: in the order that the model with randomised weights gives, and the rank "
        "correlation of both orders.",
    ]
    value = {
        "key": made.key,
        "methods": found.to_dict("records"),
        "curves": made.table("curves").to_dict("records"),
    }
    show(value, options, "\n".join(lines))


def _interval(own: dict[Any, Any], name: str) -> str:
    return f"{own[name]:+.3g} [{own[f'{name}_low']:.3g}, {own[f'{name}_high']:.3g}]"
