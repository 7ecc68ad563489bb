"""Commands about spaces: maps of them, and how far they agree with each other and with users."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmrec_core.commands.actions import progress_line, show, table


def project(options: argparse.Namespace) -> None:
    """Maps a space with UMAP; prints what the map keeps and the regions on it."""
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.projection.plane import UmapConfig
    from mmrec_core.projection.regions import words_of
    from mmrec_core.projection.service import make_map, make_neighbour_lists, make_regions
    from mmrec_core.spaces import find_space, make_vectors

    dataset = load_dataset(options.dataset)
    space = find_space(dataset, options.space)
    given = {
        "n_neighbors": options.neighbors,
        "min_dist": options.min_dist,
        "init": options.init,
        "seed": options.seed,
    }
    config = _validated(UmapConfig, given, "UMAP")
    vectors = make_vectors(dataset, options.space, progress_line)
    made = make_map(vectors, config, progress_line)
    make_neighbour_lists(vectors)
    regions = make_regions(made, words_of(dataset))
    value: dict[str, Any] = {
        "map": made.artefact.key,
        "space": space.name,
        "config": config.model_dump(),
        **made.artefact.facts,
        "regions": regions.table.to_dict("records"),
        "out": options.out,
    }
    quality = made.quality
    lines = [f"{space.title}: {made.artefact.facts['on_map']:,} of {dataset.n_items:,} items"]
    if quality is not None:
        stable = "" if quality.stability is None else f", stability {quality.stability:.3f}"
        lines.append(
            f"trustworthiness {quality.trustworthiness:.3f}, continuity {quality.continuity:.3f}, "
            f"{quality.kept:.1%} of the {quality.k} nearest kept (chance {quality.chance:.1%})"
            f"{stable}"
        )
    rows = [
        {"region": i + 1, "items": r["n"], "words": r["words"]}
        for i, r in enumerate(regions.table.to_dict("records"))
    ]
    lines += ["", table(rows, ("region", "items", "words"))] if rows else ["no regions"]
    if options.out:
        points = pd.DataFrame(
            {
                "item_id": dataset.item_ids,
                "x": made.points[:, 0],
                "y": made.points[:, 1],
                "region": np.where(regions.of_item < 0, 0, regions.of_item + 1),
            }
        )
        _write(points, Path(options.out))
        lines += ["", f"Written to {options.out}; region 0: none."]
    if options.figure:
        _draw_map(dataset, space.title, made.points, regions, lines[1], Path(options.figure))
        lines.append(f"Drawn to {options.figure}.")
    show(value, options, "\n".join(lines))


def _draw_map(
    dataset: Any, title: str, points: np.ndarray, regions: Any, details: str, path: Path
) -> None:
    """The map in print, coloured by category where there is one."""
    from mmrec_core.exports.spaces import MapData, map_drawing

    shown = np.isfinite(points[:, 0])
    frame = pd.DataFrame({"x": points[shown, 0], "y": points[shown, 1]})
    category = dataset.items["category"].to_numpy(dtype=object)[shown]
    if (category != "").any():
        frame["colour"] = [name or None for name in category]
    labels = regions.table.rename(columns={"words": "text", "n": "weight"})
    labels = labels[labels["text"] != ""][["text", "x", "y", "weight"]]
    drawn = map_drawing([MapData(frame, labels, title, details)], "category", title, path.stem)
    form: Any = path.suffix.removeprefix(".")
    path.write_bytes(drawn.file(form, "two"))


def _validated(kind: Any, given: dict[str, Any], what: str) -> Any:
    from pydantic import ValidationError

    from mmrec_core.domain import InputError

    try:
        return kind.model_validate({k: v for k, v in given.items() if v is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{what}: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from None


def align(options: argparse.Namespace) -> None:
    """Compares spaces with each other and with what users do."""
    from mmrec_core.alignment.service import AlignConfig
    from mmrec_core.alignment.service import align as compared
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.domain import InputError
    from mmrec_core.exports.spaces import alignment_drawings
    from mmrec_core.spaces import aligned_space, find_space, list_spaces
    from mmrec_core.studies.inputs import split_or_none

    dataset = load_dataset(options.dataset)
    names = options.spaces or [s.name for s in list_spaces(dataset) if s.kind == "extractor"]
    if len(names) < 2:
        raise InputError(
            f"{dataset.name} has no two spaces to compare; embed it with another extractor, or "
            "name two under --spaces."
        )
    spaces = {name: aligned_space(dataset, name, progress_line) for name in names}
    given = {
        "measures": options.measures and tuple(options.measures),
        "permutations": options.permutations,
        "seed": options.seed,
    }
    config = _validated(AlignConfig, given, "align")
    made = compared(spaces, split_or_none(dataset), config, progress_line)
    parts = {
        "matrix": made.matrix,
        "behaviour": made.behaviour,
        "geometry": made.geometry,
        "retrieval": made.retrieval,
    }
    if options.out:
        folder = Path(options.out)
        folder.mkdir(parents=True, exist_ok=True)
        for name, own in (*parts.items(), ("duplicates", made.duplicates)):
            _write(own, folder / f"{name}.csv")
        titles = {name: find_space(dataset, name).title for name in names}
        for drawing in alignment_drawings(dataset.name, made, titles):
            path = folder / f"{drawing.name}.{options.format}"
            path.write_bytes(drawing.file(options.format, options.width))
    value = {"alignment": made.artefact.key, "spaces": made.spaces, "out": options.out}
    value |= {name: _records(own) for name, own in parts.items()}
    lines = []
    for name, own in parts.items():
        shown = own if name != "retrieval" else own[own["k"] == 10]
        columns = [c for c in shown.columns if c not in _QUIET]
        rows = [{str(c): _cell(v) for c, v in row.items()} for row in _records(shown[columns])]
        lines += [name, table(rows, tuple(columns)), ""]
    if options.out:
        lines.append(f"Written to {options.out}.")
    show(value, options, "\n".join(lines).rstrip())


_QUIET = {"note", "sampled", "n_common", "threshold", "pairs", "n_eligible"}


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else str(value)


def _records(own: pd.DataFrame) -> list[dict[str, Any]]:
    plain = own.astype(object).where(own.notna(), None)
    return [{str(c): v for c, v in row.items()} for row in plain.to_dict("records")]


def _write(own: pd.DataFrame, path: Path) -> None:
    """CSV, or Parquet where the name says so."""
    from mmrec_core.datasets.export import write_csv

    if path.suffix == ".parquet":
        own.to_parquet(path, index=False)
    else:
        write_csv(own, path)
