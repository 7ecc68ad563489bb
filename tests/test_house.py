"""Rules of the house that no type checker and no linter looks after."""

import ast
import hashlib
import importlib
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmrec_core.registry import Registry

PROJECT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "transformers", "sentence_transformers", "umap", "sklearn", "streamlit")
PAGES_MAY_IMPORT = {
    "streamlit",
    "pydantic",  # forms are made from the fields of configs
    "annotated_types",
    "numpy",
    "pandas",
    "plotly",
    "mmrec_core",
} | sys.stdlib_module_names
PICKLERS = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
APP_LINES = 60


def core_modules() -> list[str]:
    """Every module of mmrec_core but __main__, which runs when it is imported."""
    names = []
    for file in sources("mmrec_core"):
        parts = file.relative_to(PROJECT).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return sorted(name for name in names if name != "mmrec_core.__main__")


def tracked_files() -> list[Path]:
    """What is committed or would be: git's files, and new ones that it does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    files = [PROJECT / name for name in names.split("\0") if name]
    return [file for file in files if file.is_file()]


def sources(*places: str) -> list[Path]:
    """The Python files at these places of the project."""
    files = (PROJECT / place for place in places)
    return [
        source
        for place in files
        for source in (sorted(place.rglob("*.py")) if place.is_dir() else [place])
        if source.is_file()
    ]


# Start-up


def test_importing_the_core_loads_no_heavy_library() -> None:
    """Each module in turn, in a fresh process, so that the first offender is named."""
    modules = core_modules()
    assert {"mmrec_core.domain", "mmrec_core.store", "mmrec_core.registry"} <= set(modules)
    script = (
        "import importlib, json, sys\n"
        f"heavy, modules = {HEAVY!r}, {modules!r}\n"
        "loaded = {}\n"
        "for module in modules:\n"
        "    importlib.import_module(module)\n"
        "    for name in heavy:\n"
        "        if name in sys.modules: loaded.setdefault(name, module)\n"
        "print(json.dumps(loaded))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1]) == {}, "library -> module that loads it"


# Pages


def foreign_imports(source: str) -> set[str]:
    """What a page imports and may not."""
    foreign = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            names = ["." * node.level + (node.module or "")]
        elif isinstance(node, ast.ImportFrom):
            ui = node.module == "pages" and all(alias.name == "ui" for alias in node.names)
            names = ["pages.ui"] if ui else [str(node.module)]
        else:
            continue
        for name in names:
            of_ui = name == "pages.ui" or name.startswith("pages.ui.")
            if not of_ui and name.partition(".")[0] not in PAGES_MAY_IMPORT:
                foreign.add(name)
    return foreign


@pytest.mark.parametrize(
    ("source", "foreign"),
    [
        (
            "import streamlit as st\nfrom pages.ui import cards\nfrom pages.ui.cards import card",
            set(),
        ),
        ("from pages import ui", set()),
        ("import json, torch.nn", {"torch.nn"}),
        ("def late():\n    from sklearn.svm import SVC", {"sklearn.svm"}),
        ("from pages.study import table", {"pages.study"}),
        ("from pages import study", {"pages"}),
        ("from . import study", {"."}),
        ("from .ui import cards", {".ui"}),
    ],
)
def test_foreign_imports_are_seen(source: str, foreign: set[str]) -> None:
    assert foreign_imports(source) == foreign


def test_pages_import_the_core_and_shared_widgets_only() -> None:
    """No torch, no file format, no other page."""
    found = {str(file): foreign_imports(file.read_text("utf-8")) for file in sources("pages")}
    assert {file: names for file, names in found.items() if names} == {}


def test_the_front_door_is_short() -> None:
    for file in sources("app.py"):
        assert len(file.read_text("utf-8").splitlines()) <= APP_LINES


# Safety


def dangers(source: str) -> list[str]:
    """Ways to run code or raw HTML that comes from data, as ``line: what``."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                names = [node.module or ""]
            found += [(node.lineno, n) for n in names if n.partition(".")[0] in PICKLERS]
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            if called in {"eval", "exec"} or called.endswith("_pickle"):
                found.append((node.lineno, called))
            if called == "torch.load" and given.get("weights_only") != "True":
                found.append((node.lineno, "torch.load without weights_only=True"))
            found += [
                (node.lineno, name)
                for name in ("unsafe_allow_html", "allow_pickle")
                if given.get(name, "False") != "False"
            ]
    return [f"{line}: {what}" for line, what in sorted(found)]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("model.eval()\nnp.load(f, allow_pickle=False)\ntorch.load(f, weights_only=True)", []),
        ("import os, pickle", ["1: pickle"]),
        ("def f():\n    from joblib import load", ["2: joblib"]),
        ("x = eval(text)", ["1: eval"]),
        ("pd.read_pickle(f)", ["1: pd.read_pickle"]),
        ("st.markdown(t, unsafe_allow_html=True)", ["1: unsafe_allow_html"]),
        ("np.load(f, allow_pickle=flag)", ["1: allow_pickle"]),
        ("torch.load(f)", ["1: torch.load without weights_only=True"]),
    ],
)
def test_dangers_are_seen(source: str, found: list[str]) -> None:
    assert dangers(source) == found


def test_no_pickle_no_eval_no_raw_html() -> None:
    files = sources("mmrec_core", "pages", "app.py", "benchmarks")
    assert len(files) >= 6
    found = {str(file): dangers(file.read_text("utf-8")) for file in files}
    assert {file: lines for file, lines in found.items() if lines} == {}


# Requirements


def pins(name: str) -> dict[str, str]:
    """Package -> version of a requirements file, all of whose lines must be exact pins."""
    found = {}
    for line in (PROJECT / name).read_text("utf-8").splitlines():
        if not line or line.startswith(("#", "-r ")):
            continue
        match = re.fullmatch(r"([a-z0-9]+(?:-[a-z0-9]+)*)==([0-9][0-9a-z.]*)", line)
        assert match, f"{name}: not an exact pin: {line!r}"
        assert match[1] not in found, f"{name}: {match[1]} is pinned twice"
        found[match[1]] = match[2]
    return found


def test_requirements_are_exact_and_agree_with_the_constraints() -> None:
    run, dev, every = (
        pins(f"{name}.txt") for name in ("requirements", "requirements-dev", "constraints")
    )
    assert run["torch"] == "2.13.0"
    assert not run.keys() & dev.keys()
    assert (run | dev).items() <= every.items()
    assert "torchvision" not in every


def test_the_environment_is_the_pinned_one() -> None:
    """A build label such as +cpu is not part of the version."""
    wanted = pins("requirements.txt") | pins("requirements-dev.txt")
    here = {name: importlib.metadata.version(name).partition("+")[0] for name in wanted}
    assert here == wanted


def test_the_command_line_tools_agree_on_the_python_version() -> None:
    config = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    version = config["tool"]["mypy"]["python_version"]
    assert config["project"]["requires-python"] == f">={version}"
    assert config["tool"]["ruff"]["target-version"] == "py" + version.replace(".", "")


# Files


def test_no_large_file_but_the_demo_and_screenshots() -> None:
    free = (
        PROJECT / "data" / "demo",
        PROJECT / "data" / "models",
        PROJECT / "docs" / "images",
    )
    files = tracked_files()
    assert PROJECT / "pyproject.toml" in files
    large = [
        file
        for file in files
        if file.stat().st_size > 1_000_000 and not any(folder in file.parents for folder in free)
    ]
    assert large == []


def test_the_licence_is_whole() -> None:
    """The Apache licence's text has a known digest; an edited copy is another licence."""
    text = (PROJECT / "LICENSE").read_bytes()
    assert hashlib.sha256(text).hexdigest() == (
        "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    )


# Glossary


def registries() -> Iterator[tuple[str, str]]:
    """Kind and name of all that is registered anywhere in mmrec_core."""
    seen: set[int] = set()
    for module in core_modules():
        for value in vars(importlib.import_module(module)).values():
            if isinstance(value, Registry) and id(value) not in seen:
                seen.add(id(value))
                yield from ((value.kind, name) for name in value.names())


def test_all_that_is_registered_by_name_is_in_the_glossary() -> None:
    text = (PROJECT / "docs" / "glossary.md").read_text("utf-8")
    headings = re.findall(r"^### `(.+)`$", text, re.MULTILINE)
    assert len(headings) == len(set(headings)), "two entries under one name"
    sections = {"metric", "measure", "geometry", "control", "recommender", "extractor"}
    registered = [(kind, name) for kind, name in registries() if kind in sections]
    missing = [f"{kind} {name}" for kind, name in registered if name not in headings]
    assert missing == []
    assert sections == {kind for kind, _ in registered}, "a registry was not found"


def test_every_entry_of_the_glossary_says_something() -> None:
    text = (PROJECT / "docs" / "glossary.md").read_text("utf-8")
    names = re.findall(r"^### `(.+)`$", text, re.MULTILINE)
    empty = [
        name
        for name in names
        if not re.search(rf"^### `{re.escape(name)}`\n[^#\n]", text, re.MULTILINE)
    ]
    assert names
    assert empty == []
