"""Commands that bring datasets in: install, import, a template, the demo drawn anew."""

import argparse
from pathlib import Path
from typing import Any

from mmrec_core.commands.actions import pair, progress_line, show
from mmrec_core.domain import InputError


def install(options: argparse.Namespace) -> None:
    """Installs a dataset and prints the report."""
    from mmrec_core.datasets.install import install as install_dataset
    from mmrec_core.datasets.narrowing import Narrowing

    mapping: dict[str, Any] = {}
    for entry in options.map:
        role, columns = pair(entry, "--map", "text=title,plot")
        names = columns.split(",")
        mapping[role] = names if role == "text" or len(names) > 1 else names[0]
    result = install_dataset(
        Path(options.path),
        name=options.name,
        mapping=mapping,
        lenient=options.lenient,
        progress=progress_line,
        importer=getattr(options, "format", None),
        narrowing=Narrowing(
            options.k_core,
            _rating(options.relevant_from),
            options.only_core,
        ),
    )
    value = {"dataset": result.name, "report": result.report.as_json()}
    lines = [f"Installed as {result.name}.", *result.report.sentences()]
    show(value, options, "\n".join(lines))


def _rating(said: str | None) -> float | str | None:
    """``--relevant-from`` as a rating, ``all``, or None.

    Raises:
        InputError: It is neither.
    """
    if said is None or said == "all":
        return said
    try:
        return float(said)
    except ValueError:
        raise InputError(f"--relevant-from {said}: give a rating such as 4, or all.") from None


def template(options: argparse.Namespace) -> None:
    """Writes a small dataset in the plain layout, to be filled with one's own."""
    from mmrec_core.datasets.template import template_zip

    out = Path(options.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(template_zip())
    show({"file": str(out)}, options, f"Written to {out}; install {out} installs it as it is.")


def demo(options: argparse.Namespace) -> None:
    """Draws the demo shop into a folder."""
    from mmrec_core.datasets.demo import DemoConfig, write_demo

    config = DemoConfig() if options.seed is None else DemoConfig(seed=options.seed)
    write_demo(Path(options.out), config, progress_line)
    show({"folder": options.out, "seed": config.seed}, options, f"Written to {options.out}.")
