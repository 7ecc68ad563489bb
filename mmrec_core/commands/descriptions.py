"""Commands of descriptions: describe, attributes, probe."""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from mmrec_core.commands.actions import pair, progress_line, show, table, warn
from mmrec_core.commands.prompts import prompt_config, try_out
from mmrec_core.domain import InputError


def describe(options: argparse.Namespace) -> None:
    """Asks a model about every item, or imports answers; says how well they keep to the form."""
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.datasets.export import write_csv
    from mmrec_core.descriptions import service
    from mmrec_core.descriptions.faithfulness import distinctiveness, slot_table
    from mmrec_core.descriptions.imported import import_answers
    from mmrec_core.extractors.prompts import known_prompt
    from mmrec_core.extractors.service import make_extractor

    dataset = load_dataset(options.dataset)
    if options.answers:
        if options.model or options.option or options.try_items is not None:
            raise InputError("--answers imports what was said elsewhere; leave --model out.")
        if not options.slots and not options.prompt:
            raise InputError("Say what was asked: the slots with --slots, or --prompt NAME.")
        told = None if options.slots else known_prompt(options.prompt, options.strategy)
        slots = options.slots or known_prompt(options.prompt).slots
        columns = tuple(options.columns) if options.columns else None
        made = import_answers(dataset, Path(options.answers), slots, columns, prompt=told)
    else:
        if not options.model:
            raise InputError("Name a model with --model, or answers made elsewhere with --answers.")
        config: dict[str, Any] = dict(
            pair(o, "--option", "answer_tokens=64") for o in options.option
        )
        config |= {"model": options.model, **prompt_config(options, dataset)}
        if options.try_items is not None:
            try_out(options, dataset, config)
            return
        warn(make_extractor("vision-language", config).caution(dataset))
        made = service.describe(dataset, config, progress_line)
    if options.out:
        write_csv(made.table, Path(options.out))
    total = sum(made.counts.values())
    facts = made.artefact.facts
    value = {
        "key": made.artefact.key,
        "slots": list(made.slots),
        "statuses": made.counts,
        "unknown": facts.get("unknown", 0),
        "seconds": facts["seconds"],
        "out": options.out,
    }
    rows = [
        {"status": status, "items": n, "share": f"{n / total:.1%}"}
        for status, n in made.counts.items()
    ]
    lines = [
        f"Descriptions {made.artefact.key[:12]} of {dataset.name}: {', '.join(made.slots)}.",
        "",
    ]
    lines.append(table(rows, ("status", "items", "share")))
    said, prompt = made.asked, facts["prompt"] or {}
    found = slot_table(said, made.slots, prompt.get("example"))
    value["slot_facts"] = found.astype(object).where(found.notna(), None).to_dict("records")
    value["distinctiveness"] = distinctiveness(said)
    if not made.structured:
        answers = made.artefact.table("answers")["answer"]
        lines = [f"Descriptions {made.artefact.key[:12]} of {dataset.name}, in words; such as:", ""]
        lines += [f"- {answer}" for answer in answers[answers != ""].drop_duplicates().head(5)]
    elif said:
        lines += ["", table(_slot_rows(found), SLOT_COLUMNS)]
        lines.append(f"\n{value['distinctiveness']:.1%} of the descriptions are an item's own.")
    if value["unknown"]:
        lines.append(f"\n{value['unknown']:,} rows name no item of this dataset and are left out.")
    if options.out:
        lines.append(f"\nWritten to {options.out}.")
    show(value, options, "\n".join(lines))


SLOT_COLUMNS = ("slot", "coverage", "values", "entropy", "most frequent", "as in the example")


def _slot_rows(found: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "slot": row["slot"],
            "coverage": f"{row['coverage']:.1%}",
            "values": f"{row['values']:,}",
            "entropy": f"{row['entropy']:.2f} bits",
            "most frequent": f"{row['top']} {row['top_share']:.1%}" if row["values"] else "-",
            "as in the example": "-" if pd.isna(row["leakage"]) else f"{row['leakage']:.1%}",
        }
        for row in found.to_dict("records")
    ]


def attributes(options: argparse.Namespace) -> None:
    """Makes attributes of descriptions and says what was merged into what."""
    from mmrec_core.datasets.export import write_csv
    from mmrec_core.descriptions.service import load_descriptions
    from mmrec_core.descriptions.vocabulary import OTHER, VocabularyConfig, build_vocabulary

    made = load_descriptions(options.key)
    config = VocabularyConfig(distance=options.distance, attributes=options.most)
    vocabulary = build_vocabulary(made.values, made.slots, config)
    merged = vocabulary.merged
    if options.out:
        columns = [f"{slot}: {attribute}" for slot, attribute in vocabulary.columns]
        one_hot = pd.DataFrame(vocabulary.one_hot(made.values).astype(int), columns=columns)
        one_hot.insert(0, "item_id", made.artefact.table("answers")["item_id"])
        write_csv(one_hot, Path(options.out))
    rows = []
    for slot in made.slots:
        own = merged[merged["slot"] == slot]
        counts = own.groupby("attribute")["count"].sum().sort_values(ascending=False)
        said = int(counts.sum())
        rows.append(
            {
                "slot": slot,
                "values": len(own),
                "attributes": len(counts),
                "other": f"{counts.get(OTHER, 0) / said:.1%}" if said else "-",
                "most frequent": ", ".join(map(str, counts.index[:5])),
            }
        )
    value = {
        "key": made.artefact.key,
        "columns": [list(column) for column in vocabulary.columns],
        "merged": merged.to_dict("records"),
        "out": options.out,
    }
    text = table(rows, ("slot", "values", "attributes", "other", "most frequent"))
    show(value, options, f"{text}\n\nWritten to {options.out}." if options.out else text)


def faithfulness(options: argparse.Namespace) -> None:
    """Measures how far descriptions can be trusted: round trip, truth, support, consistency."""
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.descriptions.measure import measure_faithfulness, tables
    from mmrec_core.descriptions.service import load_descriptions

    made = load_descriptions(options.key)
    dataset = load_dataset(options.dataset or made.artefact.facts["dataset"])
    truth = dict(pair(entry, "--truth", "Type=category") for entry in options.truth)
    unknown = [slot for slot in truth if slot not in made.slots]
    if unknown:
        raise InputError(f"There is no slot {unknown[0]!r}; there are {', '.join(made.slots)}.")
    artefact = measure_faithfulness(
        dataset, made, progress_line, extractor=options.extractor, truth=truth
    )
    found = tables(artefact)
    value = {
        "key": artefact.key,
        **{n: t.astype(object).where(t.notna(), None).to_dict("records") for n, t in found.items()},
    }
    lines = []
    for name, title in FAITHFUL.items():
        own = found[name]
        # Sentences fill no slots, so nothing is to be said slot by slot.
        if not len(own) or (name != "round_trip" and not made.structured):
            continue
        rows = [{str(k): _shown(v) for k, v in row.items()} for row in own.to_dict("records")]
        lines += [title, table(rows, tuple(map(str, own.columns))), ""]
    if not artefact.facts["asked_again"]:
        lines.append(f"Nothing was asked again: {artefact.facts['not_asked']}.")
    show(value, options, "\n".join(lines).rstrip())


FAITHFUL = {
    "round_trip": "Round trip: from the words back to the item's own picture",
    "accuracy": "Accuracy, where the truth is known",
    "support": "What else supports a value; unsupported ones may be hallucinations",
    "consistency": "The same question in other words",
}


def _shown(value: Any) -> Any:
    if isinstance(value, float):
        return "-" if pd.isna(value) else f"{value:.3f}"
    return value


def probe(options: argparse.Namespace) -> None:
    """Says which slots the vectors of a dataset hold, against shuffled vectors."""
    from mmrec_core.datasets.catalogue import load_dataset
    from mmrec_core.descriptions.probes import ProbeConfig, probe_table
    from mmrec_core.extractors.service import embed

    dataset = load_dataset(options.dataset)
    slots = _slots(dataset, options.values)
    config: dict[str, Any] = dict(pair(o, "--option", "layer=-2") for o in options.option)
    if options.keep:
        _keep(options, dataset, config)
        return
    embeddings, _ = embed(dataset, options.extractor, config or None, progress_line)
    found = probe_table(embeddings, slots, ProbeConfig(seed=options.seed), progress_line)
    shares = ("accuracy", "shuffled", "chance", "auc")
    rows = [
        {**row, **{name: f"{row[name]:.3f}" for name in shares}} for row in found.to_dict("records")
    ]
    value = {"extractor": embeddings.extractor, "slots": found.to_dict("records")}
    show(value, options, table(rows, ("slot", "values", "n_items", *shares)))


def _keep(options: argparse.Namespace, dataset: Any, config: dict[str, Any]) -> None:
    """Keeps the words in the vectors, as the Descriptions page shows them beside the answers."""
    from mmrec_core.descriptions.measure import probe_words
    from mmrec_core.descriptions.service import load_descriptions

    if options.values is None or options.seed:
        raise InputError("--keep needs the descriptions, with --values KEY, and seed 0.")
    made = load_descriptions(options.values)
    artefact = probe_words(dataset, made, options.extractor, config, progress_line)
    found = artefact.table("slots")
    rows = [{str(k): _shown(v) for k, v in row.items()} for row in found.to_dict("records")]
    value = {"key": artefact.key, "slots": found.to_dict("records")}
    text = f"{table(rows, tuple(map(str, found.columns)))}\n\nKept as {artefact.key[:12]}."
    show(value, options, text)


def _slots(dataset: Any, values: str | None) -> dict[str, list[str | None]]:
    """Slot -> value of each item: from descriptions, or from the truth of the demo."""
    if values is not None:
        from mmrec_core.descriptions.service import load_descriptions

        made = load_descriptions(values)
        said = dict(zip(made.artefact.table("answers")["item_id"], made.values, strict=True))
        return {
            slot: [said.get(item, {}).get(slot) for item in dataset.item_ids] for slot in made.slots
        }
    if not dataset.info.truth:
        raise InputError(
            f"Nothing is known of the values of {dataset.name!r}; name descriptions with --values."
        )
    from mmrec_core.datasets.demo import load_truth

    attributes = load_truth(dataset.name.removeprefix("demo-")).attributes.set_index("item_id")
    return {name: list(attributes.loc[dataset.item_ids, name]) for name in attributes.columns}
