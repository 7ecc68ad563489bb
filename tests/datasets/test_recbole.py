"""RecBole's atomic files: types in the header, nothing quoted, benchmark files."""

import gzip
from pathlib import Path

import pytest
from uploads import readers, refused, write

from mmrec_core.datasets import catalogue
from mmrec_core.datasets.install import inspect, install

INTER = (
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    "196\t1\t3\t881250949\n186\t2\t4\t891717742\n196\t3\tnan\t878887116\n"
)
ITEM = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\tv:float_seq\n"
    "1\tToy Story\t1995\tAnimation Children's Comedy\t0.5 0.25\n"
    '2\t"Great Performances" Cats\t1998\tMusical\t1 2\n3\tnan\tnan\tnan\t\n'
)


@pytest.fixture(autouse=True)
def _data(mmrec_data: Path) -> Path:
    return mmrec_data


def movies(folder: Path, inter: str = INTER, item: str = ITEM) -> Path:
    users = "user_id:token\tage:token\n196\t49\n"
    return write(folder, {"ml.inter": inter, "ml.item": item, "ml.user": users})


def test_what_is_read(tmp_path: Path) -> None:
    up = movies(tmp_path / "ml")
    assert readers(up)[0] == "recbole"
    result = install(up)
    dataset = catalogue.load_dataset(result.name)
    items = dataset.items.set_index("item_id")
    assert items["title"].tolist() == ["Toy Story", '"Great Performances" Cats', ""]
    assert items["release_year"].tolist() == ["1995", "1998", ""]
    assert items.loc["1", "category"] == "Animation Children's Comedy"
    assert dataset.info.category_separator == " " and "v" not in items
    assert dataset.interactions["rating"].isna().sum() == 1
    assert result.report.columns["user_id"] == ("user_id",)
    assert not any(":" in column for column in dataset.items.columns)
    said = " ".join(result.report.notes)
    assert "v hold lists of numbers and are left out" in said and "Not read: ml.user" in said
    _, heads = inspect(up)
    assert heads["ml.item"].columns == ("item_id", "movie_title", "release_year", "class", "v")


def test_packed_files(tmp_path: Path) -> None:
    files = {
        "ml.inter.gz": gzip.compress(INTER.encode()),
        "ml.item.gz": gzip.compress(ITEM.encode()),
    }
    up = write(tmp_path / "up", files)
    assert readers(up)[0] == "recbole"
    assert install(up).report.n_unknown_items == 0


def parts() -> dict[str, str | bytes]:
    head, *rows = INTER.replace("nan", "1").splitlines(keepends=True)
    return {f"s.{part}.inter": head + row
             for part, row in zip(("train", "valid", "test"), rows)}  # fmt: skip


def test_benchmark_files(tmp_path: Path) -> None:
    up = write(tmp_path / "up", parts())
    assert readers(up)[0] == "recbole"
    dataset = catalogue.load_dataset(install(up, name="s").name)
    assert dataset.interactions["split"].tolist() == ["train", "valid", "test"]
    report, _ = inspect(write(tmp_path / "both", {**parts(), "s.inter": INTER}))
    assert any("s.inter is not read" in note for note in report.notes)


def test_benchmark_files_that_are_not_whole(tmp_path: Path, mmrec_data: Path) -> None:
    some = {name: text for name, text in parts().items() if "test" not in name}
    said = refused(write(tmp_path / "two", some), mmrec_data)
    assert "but no test part; add s.test.inter" in said
    three = write(tmp_path / "three", {**some, "s.inter": INTER})
    assert "keep the one" in refused(three, mmrec_data)


def test_sequences_beside_the_interactions(tmp_path: Path) -> None:
    text = (
        "session_id:token\titem_id:token\titem_id_list:token_seq\ttimes:float_seq\n"
        "1\t2\t1\t1\n1\t3\t1 2\t1 2\n"
    )
    up = write(tmp_path / "up", {"d.inter": text})
    assert install(up).report.n_interactions == 2


@pytest.mark.parametrize(
    ("cell", "category", "separator"),
    [
        ("'Sports & Outdoors', 'Golf'", "Sports & Outdoors|Golf", "|"),
        ("Food, Coffee Shops", "Food, Coffee Shops", None),
        ("Drama War", "Drama War", " "),
    ],
)
def test_categories(tmp_path: Path, cell: str, category: str, separator: str | None) -> None:
    item = f"item_id:token\tcategories:token_seq\n1\t{cell}\n"
    dataset = catalogue.load_dataset(install(movies(tmp_path / "up", item=item)).name)
    assert dataset.items["category"].iloc[0] == category
    assert dataset.info.category_separator == separator


def test_several_datasets(tmp_path: Path, mmrec_data: Path) -> None:
    up = write(movies(tmp_path / "up"), {"other.inter": INTER})
    assert "holds 2 datasets (ml, other)" in refused(up, mmrec_data)
    assert install(up, mapping={"interactions_file": "ml.inter"}).report.n_items == 3


@pytest.mark.parametrize(
    ("inter", "sentence"),
    [
        (INTER + "1\t2\n", "ml.inter, line 5: 2 cells, and 4 columns"),
        (INTER.replace("\t4\t", "\tgood\t"), "line 3: the rating 'good'"),
        (INTER.replace("timestamp:float", "rating:token"), "two columns are called 'rating'"),
        (INTER.splitlines(keepends=True)[0], "holds no interaction"),
    ],
)
def test_unsound(tmp_path: Path, mmrec_data: Path, inter: str, sentence: str) -> None:
    assert sentence in refused(movies(tmp_path / "up", inter=inter), mmrec_data)
