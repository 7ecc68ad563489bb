"""The command that calibrates the instrument on worlds whose truth is known."""

import argparse
import sys
from typing import Any

from mmrec_core.commands.actions import show, table


def calibrate(options: argparse.Namespace) -> None:
    """Prints the plan, studies every world that is left, prints false alarms and power."""
    from mmrec_core.studies.calibration import (
        make_calibration,
        plan_calibration,
        run_calibration,
        smallest_found,
        summary,
    )
    from mmrec_core.studies.plan import minutes_in_words

    names = ("recommenders", "worlds", "strengths", "generator_seeds", "seeds")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    calibration = make_calibration(given)
    plan = plan_calibration(calibration)
    if not options.json:
        print(
            f"{plan.worlds} fresh worlds, {plan.done} of them studied; {plan.runs} runs left, "
            f"about {minutes_in_words(plan.minutes)}.",
            flush=True,
        )
    if options.plan:
        if options.json:
            show(vars(plan), options, "")
        return

    def report(progress: Any) -> None:
        if sys.stderr.isatty():
            print(
                f"\r\x1b[K{progress.fraction:4.0%} world {progress.done_runs + 1}/"
                f"{progress.total_runs} · {progress.what}",
                end="",
                file=sys.stderr,
                flush=True,
            )

    artefact = run_calibration(calibration, report)
    found = summary(artefact.table("cells"))
    same = artefact.table("same_arm")
    rows = [
        {
            "recommender": row["recommender"],
            "comparison": row["comparison"],
            "control": row["control"],
            "case": row["case"] + (f" at {row['strength']} %" if row["strength"] else ""),
            "above": f"{row['above']} of {row['cases']}",
            "share": f"{row['share']:.0%} [{row['low']:.0%}, {row['high']:.0%}]",
        }
        for row in found.to_dict("records")
    ]
    smallest = smallest_found(found)
    lines = [
        "",
        table(rows, ("recommender", "comparison", "control", "case", "above", "share")),
        "",
        *(
            f"{name}, {comparison}: "
            + (f"found at {at} % of the demo's strength." if at else "not found at any strength.")
            for (name, comparison), at in smallest.items()
        ),
        f"The same arm trained anew (A/A): p < .05 in {int((same['p'] < 0.05).sum())} of "
        f"{len(same)}, above or below in {int(same['state'].isin(['above', 'below']).sum())}.",
    ]
    value = {
        "key": artefact.key,
        "summary": found.to_dict("records"),
        "smallest_found": [
            {"recommender": name, "comparison": comparison, "strength": at}
            for (name, comparison), at in smallest.items()
        ],
        "same_arm": same.to_dict("records"),
        "cells": artefact.table("cells").to_dict("records"),
    }
    show(value, options, "\n".join(lines))
