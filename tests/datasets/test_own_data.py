"""One's own catalogue: tables of any name, thresholds, the template, limits, the first study."""

import json
from pathlib import Path

import numpy as np
import pytest
from uploads import picture, write

from mmrec_core import settings
from mmrec_core.__main__ import main
from mmrec_core.datasets import catalogue
from mmrec_core.datasets.install import Refused, inspect, install
from mmrec_core.datasets.narrowing import Narrowing, read_codes
from mmrec_core.domain import InputError
from mmrec_core.settings import Limits
from mmrec_core.studies.plan import default_modalities

MAPPING = {"user_id": "kunde", "item_id": "artikel", "rating": "sterne"}


@pytest.fixture(autouse=True)
def _data(mmrec_data: Path) -> Path:
    return mmrec_data


def orders(folder: Path, **more: str | bytes) -> Path:
    """Five users have 3 items each; k6 has one that nobody else has."""
    rows = [f"k{u};a{(u + k) % 4};{2 + k}" for u in range(5) for k in range(3)]
    rows.append("k6;a9;1")
    items = [f'a{i};Artikel {i};"Aus Holz, {i} cm"' for i in (0, 1, 2, 3, 9)]
    return write(
        folder,
        {
            "orders 2026.csv": "\n".join(["kunde;artikel;sterne", *rows]),
            "artikel.csv": "\n".join(["artikel;name;beschreibung", *items]),
            **more,
        },
    )


# Which table is which


def test_tables_whose_columns_nobody_can_guess_show_what_was_read(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"user_id and item_id") as refused:
        inspect(orders(tmp_path / "up"))
    assert refused.value.format == "tables"
    heads = refused.value.heads
    assert set(heads) == {"orders 2026.csv", "artikel.csv"}
    assert heads["orders 2026.csv"].columns == ("kunde", "artikel", "sterne")


def test_tables_of_any_name_by_columns_or_by_file(tmp_path: Path) -> None:
    up = orders(tmp_path / "up", **{"bilder/a1.png": picture("PNG")})
    result = install(up, name="laden", mapping=MAPPING)
    assert result.report.format == "tables"
    assert "artikel.csv for the items" in " ".join(result.report.notes)
    dataset = catalogue.load_dataset("laden")
    items = dataset.items.set_index("item_id")
    assert dataset.n_users == 6 and list(items.index) == ["a0", "a1", "a2", "a3", "a9"]
    assert items["title"]["a1"] == "Artikel 1"
    assert dataset.image_path(items["image"]["a1"]) and not items["image"]["a0"]
    said = {**MAPPING, "interactions_file": "artikel.csv"}
    with pytest.raises(InputError, match=r"artikel.csv"):
        install(up, name="falsch", mapping=said)
    with pytest.raises(InputError, match=r"There is no table 'x.csv' for items_file"):
        install(up, name="falsch", mapping={**MAPPING, "items_file": "x.csv"})


# Thresholds


def test_thresholds_are_said_at_the_installation(tmp_path: Path) -> None:
    up = orders(tmp_path / "up")
    install(up, name="whole", mapping=MAPPING, narrowing=Narrowing(2, 3.0))
    info = catalogue.load_dataset("whole").info
    assert (info.k_core, info.relevant_from) == (2, 3.0)
    assert catalogue.load_dataset("whole").n_items == 5
    install(up, name="all", mapping=MAPPING, narrowing=Narrowing(relevant_from="all"))
    assert catalogue.load_dataset("all").info.relevant_from is None
    core = install(up, name="core", mapping=MAPPING, narrowing=Narrowing(2, only_core=True))
    dataset = catalogue.load_dataset("core")
    assert (dataset.n_users, dataset.n_items, len(dataset.interactions)) == (5, 4, 15)
    assert any("1 interactions and 1 items are left out" in note for note in core.report.notes)
    with pytest.raises(InputError, match="The 9-core is empty"):
        install(up, name="none", mapping=MAPPING, narrowing=Narrowing(9, only_core=True))


def test_codes_of_an_inspection_are_its_interactions(tmp_path: Path) -> None:
    report, heads = inspect(orders(tmp_path / "up"), MAPPING, codes=tmp_path / "codes.npz")
    held = read_codes(tmp_path / "codes.npz")
    assert len(held["user"]) == report.n_interactions == 16
    assert held["user"].max() == 5 and held["item"].max() == 4 and int(held["n_items"]) == 5
    assert np.bincount(held["rating"].astype(int)).tolist() == [0, 1, 5, 5, 5]
    assert [len(head.rows) for head in heads.values()] and report.k_core == 5


# The command line


def test_import_of_a_named_format_with_thresholds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    up = str(orders(tmp_path / "up"))
    maps = [part for role, column in MAPPING.items() for part in ("--map", f"{role}={column}")]
    options = ["--name", "laden", "--k-core", "2", "--relevant-from", "all", "--only-core"]
    assert main(["import", "tables", up, *maps, *options, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["dataset"] == "laden" and told["report"]["n_items"] == 4
    assert main(["import", "movielens", up]) != 0
    assert "There are no ratings of MovieLens in up" in capsys.readouterr().err
    assert main(["install", up, *maps, "--relevant-from", "viel"]) != 0
    assert "--relevant-from viel: give a rating such as 4, or all" in capsys.readouterr().err
    assert main(["list", "formats", "--json"]) == 0
    assert {"amazon-2023", "tables"} <= {row["name"] for row in json.loads(capsys.readouterr().out)}


def test_the_template_installs_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "my-catalogue.zip"
    assert main(["template", "--out", str(out)]) == 0
    before = out.read_bytes()
    assert main(["template", "--out", str(out)]) == 0 and out.read_bytes() == before
    result = install(out)
    assert result.report.sound and result.name == "my-catalogue"
    dataset = catalogue.load_dataset("my-catalogue")
    assert (dataset.items["image"] != "").all() and dataset.info.relevant_from == 4
    assert default_modalities("my-catalogue") == ("image", "text")


# Limits


def test_limits_are_changed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMREC_LIMITS", "rows=5, archive_ratio=2.5")
    settings.settings.cache_clear()
    limits = settings.settings().limits
    assert (limits.rows, limits.archive_ratio, limits.columns) == (5, 2.5, Limits().columns)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("lines=5", "MMREC_LIMITS names 'lines'; the limits are upload_bytes"),
        ("rows", "MMREC_LIMITS says 'rows'; write a number above zero, such as rows="),
        ("rows=-1", "a number above zero"),
        ("rows=nan", "a number above zero"),
        ("rows=inf", "a number above zero"),
    ],
)
def test_a_wrong_limit_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, given: str, said: str
) -> None:
    monkeypatch.setenv("MMREC_LIMITS", given)
    settings.settings.cache_clear()
    with pytest.raises(InputError, match=said):
        settings.settings()


def test_a_limit_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMREC_LIMITS", "rows=15")
    settings.settings.cache_clear()
    with pytest.raises(InputError, match=r"orders 2026.csv has more than 15 rows"):
        install(orders(tmp_path / "up"), mapping=MAPPING)


# What the first study compares


def test_the_first_study_takes_the_modalities_that_are_there(tmp_path: Path) -> None:
    install(orders(tmp_path / "words"), name="words", mapping=MAPPING)
    assert default_modalities("words") == ("text",)
    rows = [f"u{u},i{(u + k) % 4}" for u in range(5) for k in range(3)]
    bare = write(tmp_path / "bare", {"interactions.csv": "\n".join(["user_id,item_id", *rows])})
    install(bare, name="bare")
    with pytest.raises(InputError, match="have neither pictures nor texts"):
        default_modalities("bare")
    items = "\n".join(["item_id", *(f"i{k}" for k in range(4))])
    vectors = write(tmp_path / "vectors", {"items.csv": items})
    write(vectors, {"interactions.csv": (bare / "interactions.csv").read_bytes()})
    write(vectors, {"dataset.toml": '[features]\nours = "joint"\n'})
    (vectors / "features").mkdir()
    np.save(vectors / "features" / "ours.npy", np.eye(4, 3, dtype=np.float32))
    install(vectors, name="vectors")
    assert default_modalities("vectors") == ("joint",)


# What is said beside the data


def test_a_toml_beside_published_files_is_heard(tmp_path: Path) -> None:
    ratings = "\n".join(
        ["userId,movieId,rating,timestamp", *(f"{u},{m},{m}.0,9" for u in (1, 2) for m in (3, 4))]
    )
    said = 'title = "Mine"\n[thresholds]\nk_core = 2\nrelevant_from = 3.5\n'
    up = write(tmp_path / "up", {"ratings.csv": ratings, "dataset.toml": said})
    write(up, {"movies.csv": "movieId,title,genres\n3,A (1990),Drama\n4,B (1991),Comedy|Drama\n"})
    assert install(up, name="mine").report.format == "movielens"
    info = catalogue.load_dataset("mine").info
    assert (info.title, info.k_core, info.relevant_from) == ("Mine", 2, 3.5)
    assert info.category == "genres"


def test_no_column_of_items_is_lost(tmp_path: Path) -> None:
    rows = "user_id,item_id\nu1,i1\nu1,i2\nu2,i1\n"
    items = (
        "item_id,description,text,file_text,image,image_url\n"
        "i1,words,own,other,https://x.example/1.jpg,\ni2,words,own,other,,https://x.example/2.jpg\n"
    )
    up = write(tmp_path / "up", {"interactions.csv": rows, "items.csv": items})
    install(up, name="kept", mapping={"text": "description"})
    held = catalogue.load_dataset("kept").items
    assert held["file_text"].tolist() == ["other"] * 2
    assert held["file_text_2"].tolist() == ["own"] * 2
    assert held["image_url"].tolist() == ["https://x.example/1.jpg", "https://x.example/2.jpg"]


@pytest.mark.parametrize(
    "line",
    [
        '{"parent_asin": "B1", "features": ' + "[" * 900 + "]" * 900 + "}",
        '{"parent_asin": "B1", "title": "\\ud800"}',
    ],
)
def test_an_odd_line_of_metadata_ends_nothing(tmp_path: Path, line: str) -> None:
    review = {"rating": 5.0, "asin": "B1", "parent_asin": "B1", "timestamp": 1, "text": ""}
    reviews = "".join(json.dumps(review | {"user_id": f"A{u}"}) + "\n" for u in range(2))
    meta = '{"parent_asin": "B1", "title": "T", "main_category": "M", "images": []}\n'
    up = write(tmp_path / "up", {"B.jsonl": reviews, "meta_B.jsonl": meta + line + "\n"})
    assert install(up, name="odd", lenient=True).report.n_interactions == 2
