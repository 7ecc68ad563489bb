"""What can be typed: sub-commands and their options."""

import argparse
import sys
from typing import NoReturn

from mmrec_core.commands import (
    actions,
    calibrate,
    datasets,
    descriptions,
    evidence,
    explanations,
    lists,
    prompts,
    ship,
    small_lvlm,
    spaces,
    studies,
)
from mmrec_core.datasets.importers import IMPORTERS
from mmrec_core.datasets.split import STRATEGIES
from mmrec_core.extractors.prompts import STRATEGIES as STRATEGIES_ASKED

LISTS = (
    "datasets", "formats", "extractors", "controls", "recommenders", "metrics", "measures",
    "studies", "descriptions", "spaces", "runs",
)  # fmt: skip

_SPACE = "such as minilm, 'minilm|shuffle@1', run:KEY or 'shared-space(output=text)'"

_RUN = "its key, or a recommender's name; list runs shows them"


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one sentence and exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Prints the sentence and where help is."""
        print(f"{self.prog}: {message}. Try {self.prog} --help.", file=sys.stderr)
        raise SystemExit(2)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; each sets ``command`` to the function that does it."""
    parser = Parser(prog="mmrec_core", description="Does a recommender use its items' content?")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)

    def add(name: str, help_: str, function: actions.Command) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help_, description=help_)
        added.add_argument("--json", action="store_true", help="print JSON for machines")
        added.set_defaults(command=function)
        return added

    add(
        "doctor",
        "What is installed, which device, what is missing and how to get it.",
        actions.doctor,
    )

    listing = add("list", "What there is.", actions.list_)
    listing.add_argument("what", choices=LISTS)

    install = add("install", "Installs a dataset; its format is recognised.", datasets.install)
    install.add_argument("path", help="folder, zip or table")
    _install_options(install)

    taken = add("import", "Installs a dataset of a format that is named.", datasets.install)
    taken.add_argument(
        "format", metavar="FORMAT", choices=IMPORTERS.names(), help=", ".join(IMPORTERS.names())
    )
    taken.add_argument("path", metavar="PATH", help="folder, zip or table")
    _install_options(taken)

    template = add(
        "template", "Writes a small dataset in the plain layout, to be filled.", datasets.template
    )
    template.add_argument("--out", required=True, metavar="ZIP", help="file to write")

    demo = add("demo", "Draws the demo shop anew.", datasets.demo)
    demo.add_argument("--out", required=True, help="folder to write to")
    demo.add_argument("--seed", type=int, help="generator seed; default: the shipped one")

    embed = add("embed", "Makes the embeddings of a dataset.", actions.embed)
    embed.add_argument("dataset")
    embed.add_argument("--extractor", required=True)
    embed.add_argument("--option", action="append", default=[], metavar="NAME=VALUE")

    describe = add(
        "describe", "Asks a vision-language model about every item.", descriptions.describe
    )
    describe.add_argument("dataset")
    describe.add_argument("--model", help="hub id or local folder")
    describe.add_argument("--prompt", help="name of a known prompt; default: general")
    describe.add_argument("--saved", metavar="NAME", help="a prompt that was saved for the dataset")
    describe.add_argument("--prompt-file", metavar="FILE", help="a prompt as TOML or JSON")
    describe.add_argument("--strategy", choices=STRATEGIES_ASKED, default="structured")
    describe.add_argument(
        "--try", type=int, dest="try_items", metavar="N", help="ask about N items; keep nothing"
    )
    describe.add_argument("--option", action="append", default=[], metavar="NAME=VALUE")
    describe.add_argument("--answers", metavar="CSV", help="import answers made elsewhere")
    describe.add_argument("--columns", nargs=2, metavar=("ITEM", "ANSWER"), help="of --answers")
    describe.add_argument("--slots", nargs="+", help="of --answers, if no --prompt")
    describe.add_argument("--out", metavar="CSV", help="write answers and values to a file")

    prompt = add("prompts", "Lists, saves or forgets prompts of a dataset.", prompts.prompts)
    prompt.add_argument("dataset")
    prompt.add_argument("--save", metavar="NAME", help="keep the prompt of --file under a name")
    prompt.add_argument("--file", metavar="FILE", help="slots, wording, example as TOML or JSON")
    prompt.add_argument("--forget", metavar="NAME", help="remove a saved prompt")

    strategies = add(
        "strategies",
        "Puts the prompts of one model side by side, the misaligned control among them.",
        prompts.strategies,
    )
    strategies.add_argument("key", help="of descriptions by the model, or its beginning")
    strategies.add_argument("--dataset", help="default: the one that was described")
    strategies.add_argument(
        "--truth", action="extend", nargs="+", default=[], metavar="SLOT=COLUMN",
        help="columns of the items that hold the truth",
    )  # fmt: skip
    strategies.add_argument(
        "--stored", action="store_true", help="ask and measure nothing; show what is there"
    )

    attributes = add("attributes", "Makes attributes of descriptions.", descriptions.attributes)
    attributes.add_argument("key", help="of the descriptions, or its beginning")
    attributes.add_argument("--distance", type=float, default=0.2, help="up to which values merge")
    attributes.add_argument("--most", type=int, default=50, help="attributes of a slot")
    attributes.add_argument("--out", metavar="CSV", help="write one-hot columns to a file")

    faithfulness = add(
        "faithfulness",
        "How far descriptions (KEY), or the explanations of a run (DATASET RUN), can be trusted.",
        explanations.faithfulness,
    )
    faithfulness.add_argument(
        "key", metavar="KEY|DATASET", help="of the descriptions, or its beginning; or a dataset"
    )
    faithfulness.add_argument("run", metavar="RUN", nargs="?", help=f"of the dataset: {_RUN}")
    faithfulness.add_argument("-n", type=int, default=50, help="recommendations that are explained")
    faithfulness.add_argument("--seed", type=int, default=0, help="of what is drawn of a run")
    faithfulness.add_argument("--dataset", help="default: the one that was described")
    faithfulness.add_argument(
        "--extractor", default="efficientnet-lite0", help="of the pictures, for the round trip"
    )
    faithfulness.add_argument(
        "--truth", action="extend", nargs="+", default=[], metavar="SLOT=COLUMN",
        help="columns of the items that hold the truth",
    )  # fmt: skip

    probe = add("probe", "Which slots the vectors of a dataset hold.", descriptions.probe)
    probe.add_argument("dataset")
    probe.add_argument("--extractor", required=True)
    probe.add_argument("--option", action="append", default=[], metavar="NAME=VALUE")
    probe.add_argument(
        "--values", metavar="KEY", help="descriptions to read; default: the truth of the demo"
    )
    probe.add_argument("--seed", type=int, default=0)
    probe.add_argument(
        "--keep", action="store_true", help="keep every item's words; needs --values and seed 0"
    )

    project = add("project", "Maps a space of the items with UMAP.", spaces.project)
    project.add_argument("dataset")
    project.add_argument(
        "--space", required=True, metavar="SPACE", help=f"{_SPACE}; list spaces shows those here"
    )
    project.add_argument("--neighbors", type=int, help="of UMAP; default: 15")
    project.add_argument("--min-dist", type=float, dest="min_dist", help="default: 0.1")
    project.add_argument("--init", choices=("pca", "spectral"), help="default: pca")
    project.add_argument("--seed", type=int)
    project.add_argument("--out", metavar="FILE", help=".csv or .parquet of the points")
    project.add_argument("--figure", metavar="FILE", help="draw the map as .pdf, .svg or .png")

    align = add("align", "How far spaces agree with each other and with users.", spaces.align)
    align.add_argument("dataset")
    align.add_argument(
        "--spaces", nargs="+", metavar="SPACE", help=f"{_SPACE}; default: all embeddings here"
    )
    align.add_argument("--measures", nargs="+", metavar="NAME")
    align.add_argument("--permutations", type=int, help="of each null; default: 200")
    align.add_argument("--seed", type=int)
    align.add_argument("--out", metavar="FOLDER", help="write every table and figure")
    align.add_argument("--format", default="pdf", choices=("pdf", "svg", "png"))
    align.add_argument("--width", default="two", choices=("one", "two"), help="paper columns")

    explain = add("explain", "Why an item for a user, and what if.", explanations.explain)
    explain.add_argument("dataset")
    explain.add_argument("run", metavar="RUN", help=_RUN)
    explain.add_argument("--user", metavar="ID")
    explain.add_argument(
        "--visitor", action="extend", nargs="+", default=[], metavar="ITEM",
        help="in place of a user: somebody whom training did not see, with these items",
    )  # fmt: skip
    explain.add_argument(
        "--control", metavar="MODALITY=CONTROL",
        help="score under a control of the trained model, such as image=shuffle",
    )  # fmt: skip
    explain.add_argument("--item", metavar="ID", help="default: the user's whole list")
    explain.add_argument("-k", type=int, default=20, help="length of the list")
    explain.add_argument(
        "--give", action="extend", nargs="+", default=[], metavar="MODALITY=ITEM",
        help="score the item again with another's picture or words, such as image=P0001",
    )  # fmt: skip
    explain.add_argument(
        "--without", action="extend", nargs="+", default=[], metavar="MODALITY",
        help="score the item again without its picture or words",
    )  # fmt: skip
    explain.add_argument(
        "--forget", action="extend", nargs="+", default=[], metavar="ITEM",
        help="score again as if the user had never taken these",
    )  # fmt: skip

    study = add("study", "Carries out a study: plan, progress, verdicts.", studies.study)
    study.add_argument("dataset")
    study.add_argument("--recommenders", nargs="+")
    study.add_argument("--references", nargs="*")
    study.add_argument("--modalities", nargs="+")
    study.add_argument("--controls", nargs="+", help="what stands in for features; real is implied")
    study.add_argument("--features", nargs="+", default=[], metavar="MODALITY=EXTRACTOR")
    study.add_argument(
        "--feature-option",
        action="extend",
        nargs="+",
        default=[],
        dest="feature_option",
        metavar="MODALITY.NAME=VALUE",
        help="options of extractors named under --features, such as image.file=clip",
    )
    study.add_argument("--seeds", type=int)
    study.add_argument("--stage", choices=("train", "inference"))
    study.add_argument("--metric")
    study.add_argument("--delta", type=float)
    study.add_argument("--first-seed", type=int, dest="first_seed")
    study.add_argument("--mask", choices=("train+valid", "train"))
    _split_options(study)
    study.add_argument(
        "--set",
        action="extend",
        nargs="+",
        default=[],
        metavar="RECOMMENDER.NAME=VALUE",
        help="settings of recommenders, such as vbpr.reg=0.1",
    )
    study.add_argument(
        "--tune", type=int, metavar="TRIALS", help="search the settings of every arm, on validation"
    )
    study.add_argument("--sampler", choices=("tpe", "grid"), help="of --tune; default: tpe")
    study.add_argument(
        "--space", choices=("own", "paper"), help="of --tune; default: each model's own grid"
    )
    study.add_argument("--plan", action="store_true", help="print the plan and stop")
    study.add_argument(
        "--settings",
        nargs="*",
        metavar="SETTING",
        help="compare features, each with its own controls: minilm, efficientnet-lite0+minilm, "
        "concatenate(efficientnet-lite0,minilm), small-lvlm(position=image_mean) ...; none named: "
        "those that run offline",
    )
    study.add_argument("--out", metavar="CSV", help="write the table of --settings to a file")

    calibration = add(
        "calibrate",
        "Known truth: false alarms and power on fresh worlds with planted tastes.",
        calibrate.calibrate,
    )
    calibration.add_argument("--recommenders", nargs="+")
    calibration.add_argument("--worlds", nargs="+", help="picture, words, both, neither")
    calibration.add_argument(
        "--strengths", nargs="+", type=int, help="of the planted tastes, in percent of the demo's"
    )
    calibration.add_argument(
        "--generator-seeds", nargs="+", type=int, dest="generator_seeds", help="10 or more"
    )
    calibration.add_argument("--seeds", type=int, help="trainings of every arm")
    calibration.add_argument("--plan", action="store_true", help="print the plan and stop")

    export = add("export", "Writes the figures and tables of a study.", evidence.export)
    export.add_argument("study", help="key, or the beginning of it")
    export.add_argument("--out", required=True, help="folder to write to, or a .zip for everything")
    export.add_argument(
        "--figures", nargs="+", default=["all"], metavar="NAME", help="all, none, or names"
    )
    export.add_argument("--format", default="pdf", choices=("pdf", "svg", "png"))
    export.add_argument("--width", default="two", choices=("one", "two"), help="paper columns")

    report = add("report", "Writes a study as one page that opens offline.", evidence.report)
    report.add_argument("study", help="key, or the beginning of it")
    report.add_argument("--out", metavar="HTML", help="file to write; default: report-KEY.html")

    shown = add("show", "Prints one part of a study's evidence.", evidence.show_part)
    shown.add_argument("study", help="key, or the beginning of it")
    shown.add_argument("what", choices=evidence.PARTS)
    shown.add_argument("--out", metavar="CSV", help="write the table to a file")

    perceptual = add(
        "perceptual",
        "What permuting each modality costs trained models, without retraining.",
        evidence.perceptual,
    )
    perceptual.add_argument("study", help="key, or the beginning of it")
    perceptual.add_argument(
        "--permutations", type=int, default=5, help="for each seed and modality; default: 5"
    )
    perceptual.add_argument("--out", metavar="CSV", help="write the table to a file")

    compare = add("compare", "Two studies, arm by arm, paired by user and seed.", evidence.compare)
    compare.add_argument("study", nargs=2, help="keys, or their beginnings: first, second")
    compare.add_argument("--out", metavar="CSV", help="write the table to a file")

    split = add("split", "Writes a dataset's split, to train elsewhere.", lists.split)
    split.add_argument("dataset")
    split.add_argument("--out", required=True, help="folder to write to")
    _split_options(split)

    out = add("lists", "Writes the ranked lists of a study.", lists.lists)
    out.add_argument("study", help="key, or the beginning of it")
    out.add_argument("--out", required=True, help=".csv or .parquet to write")

    taken = add("import-lists", "Judges ranked lists that were made elsewhere.", lists.import_lists)
    taken.add_argument("dataset")
    taken.add_argument(
        "files",
        nargs="+",
        metavar="[ARM[@SEED]=]FILE",
        help="tables of user, item, rank or score, arm, seed; or three columns without header "
        "(Elliot), or one row a user (MMRec), with the arm named here",
    )
    taken.add_argument("--user-ids", dest="user_ids", metavar="CSV", help="id and number of users")
    taken.add_argument("--item-ids", dest="item_ids", metavar="CSV", help="id and number of items")
    taken.add_argument("--metric")
    taken.add_argument("--delta", type=float)
    taken.add_argument("--mask", choices=("train+valid", "train"))
    _split_options(taken)

    add(
        "ship",
        "Fills the demo's committed store layer: embeddings, default studies, calibration.",
        ship.ship,
    )

    train = add(
        "train-lvlm",
        "Trains the bundled small vision-language model anew; about two hours, resumable.",
        small_lvlm.train_lvlm,
    )
    train.add_argument("--out", required=True, help="folder to write the model to")
    train.add_argument(
        "--set", action="extend", nargs="+", default=[], metavar="NAME=VALUE",
        help="numbers of the recipe, such as language_steps=100",
    )  # fmt: skip

    run = add("run", "Does a job that a page has started.", actions.run)
    run.add_argument("key")
    return parser


def _install_options(parser: argparse.ArgumentParser) -> None:
    """How a dataset is read, and what of it is installed."""
    parser.add_argument("--name", help="name of the dataset; default: from dataset.toml or path")
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="ROLE=COLUMN[,COLUMN]",
        help="which columns play a role, such as text=title,plot or category=genres",
    )
    parser.add_argument(
        "--lenient",
        action="store_true",
        help="install what is sound; bad rows and pictures are reported and left out",
    )
    parser.add_argument("--k-core", type=int, dest="k_core", help="default of its studies")
    parser.add_argument(
        "--relevant-from", dest="relevant_from", metavar="RATING",
        help="a held-out rating from here on is relevant in its studies, or all",
    )  # fmt: skip
    parser.add_argument(
        "--only-core", action="store_true", dest="only_core",
        help="install the k-core alone: what no study would see is left out",
    )  # fmt: skip


def _split_options(parser: argparse.ArgumentParser) -> None:
    """How the interactions of a dataset are divided."""
    parser.add_argument("--split", choices=tuple(STRATEGIES), help="default: as the dataset says")
    parser.add_argument("--split-seed", type=int, dest="split_seed")
    parser.add_argument(
        "--cold", type=float, metavar="SHARE", help="of the items, for --split cold-items"
    )
    parser.add_argument("--k-core", type=int, dest="k_core")
    parser.add_argument(
        "--relevant-from",
        dest="relevant_from",
        metavar="RATING",
        help="a validation or test rating from here on is relevant, or all",
    )
