"""Every release of MovieLens is installed as it is downloaded, with posters called in any way."""

import gzip
from pathlib import Path

import pandas as pd
import pytest
from uploads import picture, shop, write

from mmrec_core.datasets import catalogue
from mmrec_core.datasets.archive import opened
from mmrec_core.datasets.importers import IMPORTERS
from mmrec_core.datasets.importers.movielens import GENRES
from mmrec_core.datasets.install import InstallResult, install, recognised
from mmrec_core.domain import InputError


@pytest.fixture(autouse=True)
def _data(mmrec_data: Path) -> Path:
    return mmrec_data


RATINGS_CSV = (
    "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,2,0.5,964981247\n2,1,5.0,1445714994\n"
)
MOVIES_CSV = (
    "movieId,title,genres\n1,Toy Story (1995),Adventure|Animation|Children\n"
    '2,"Misérables, Les (1995) ",Drama\n3,Babylon 5,(no genres listed)\n'
)
TAGS_CSV = (
    "userId,movieId,tag,timestamp\n2,1,Pixar,1\n3,1,pixar,2\n3,1,fun|ny,3\n"
    "4,9,nobody's,4\n2,1, ,5\n"
)
LINKS_CSV = "movieId,imdbId,tmdbId\n1,0114709,862\n2,0113828,\n3,0105946,1\n"
LATEST = {"ratings.csv": RATINGS_CSV, "movies.csv": MOVIES_CSV}

RATINGS_DAT = "1::1193::5::978300760\n1::661::3::978302109\n2::1193::4::978298413\n"
MOVIES_DAT = (
    "661::James and the Giant Peach (1996)::Animation|Children's|Musical\n"
    '1193::Misérables, "Les" (1975)::Drama\n'
)
FLAGS = "|".join("1" if genre in ("Comedy", "Children's") else "0" for genre in GENRES)
U_DATA = "196\t242\t3\t881250949\n186\t267\t3\t891717742\n"
U_ITEM = (
    f"242|Kolya (1996)|24-Jan-1997||http://us.imdb.com/M/title-exact?Kolya|0|{FLAGS}\n"
    f"267|unknown||||1|{'|'.join('0' * 18)}\n"
    f"3|Café|1-Jan-1990|||0|{FLAGS}\n"
)

RELEASES: dict[str, dict[str, str | bytes]] = {
    "latest": {**LATEST},
    "latest with all": {**LATEST, "tags.csv": TAGS_CSV, "links.csv": LINKS_CSV},
    "1M": {"ratings.dat": RATINGS_DAT, "movies.dat": MOVIES_DAT.encode("latin-1")},
    "10M": {"ratings.dat": RATINGS_DAT.replace("::5::", "::4.5::"), "movies.dat": MOVIES_DAT},
    "100K": {"u.data": U_DATA, "u.item": U_ITEM.encode("latin-1")},
    "ratings alone": {"ratings.csv": RATINGS_CSV},
}


def installed(up: Path) -> tuple[InstallResult, pd.DataFrame, pd.DataFrame]:
    result = install(up, name="x", replace_existing=True)
    dataset = catalogue.load_dataset(result.name)
    return result, dataset.items.set_index("item_id"), dataset.interactions


def packed(files: dict[str, str | bytes]) -> dict[str, str | bytes]:
    return {
        f"{name}.gz": gzip.compress(held if isinstance(held, bytes) else held.encode())
        for name, held in files.items()
    }


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("gz", [False, True])
def test_each_release_is_recognised(tmp_path: Path, release: str, gz: bool) -> None:
    files = RELEASES[release]
    with opened(write(tmp_path / "up", packed(files) if gz else files)) as found:
        claimed = [name for name, importer in IMPORTERS.items() if importer.recognises(found)]
        assert claimed[0] == recognised(found) == "movielens" and set(claimed[1:]) <= {"tables"}


def test_other_uploads_are_not_taken(tmp_path: Path) -> None:
    importer = IMPORTERS.get("movielens")
    others: list[dict[str, str | bytes]] = [
        {"ratings.csv": "user,item,stars\na,b,3\n"},
        {"ratings.dat": "user movie\n"},
        {"u.data": "1,2,3,4\n"},
        {"ratings.csv.gz": b"no gzip"},
        {"movies.csv": MOVIES_CSV},
    ]
    for at, files in enumerate(others):
        up = write(tmp_path / str(at), files)
        with opened(up) as found:
            assert not importer.recognises(found)
    with opened(shop(tmp_path / "shop")) as found:
        assert not importer.recognises(found)
    with pytest.raises(InputError, match=r"no ratings of MovieLens in shop \(found: interactions"):
        install(tmp_path / "shop", importer="movielens")


@pytest.mark.parametrize("gz", [False, True])
def test_latest(tmp_path: Path, gz: bool) -> None:
    files = RELEASES["latest with all"]
    result, items, interactions = installed(
        write(tmp_path / "up", packed(files) if gz else dict(files))
    )
    assert result.report.sound and result.report.format == "movielens"
    assert items["title"].tolist() == ["Toy Story (1995)", "Misérables, Les (1995)", "Babylon 5"]
    assert items["text"].tolist() == items["title"].tolist()
    assert items["category"].tolist() == ["Adventure|Animation|Children", "Drama", ""]
    assert items["year"].tolist() == ["1995", "1995", ""]
    assert items["tags"].tolist() == ["pixar|fun/ny", "", ""]
    assert interactions["rating"].tolist() == [4.0, 0.5, 5.0]
    assert interactions["timestamp"].tolist() == [964982703, 964981247, 1445714994]
    info = catalogue.load_dataset("x").info
    assert (info.relevant_from, info.category_separator) == (4.0, "|")
    assert info.attributes == {"tags": "tags"}


@pytest.mark.parametrize("release", ["1M", "10M"])
def test_dat(tmp_path: Path, release: str) -> None:
    _, items, interactions = installed(write(tmp_path / "up", RELEASES[release]))
    # The 1M release is Latin-1, the 10M release UTF-8; neither has quotation marks around cells.
    assert items["title"].tolist() == [
        "James and the Giant Peach (1996)",
        'Misérables, "Les" (1975)',
    ]
    assert items["category"].tolist()[0] == "Animation|Children's|Musical"
    assert items["year"].tolist() == ["1996", "1975"]
    assert interactions["user_id"].tolist() == ["1", "1", "2"]


def test_100k(tmp_path: Path) -> None:
    _, items, interactions = installed(write(tmp_path / "up", RELEASES["100K"]))
    assert items["title"].tolist() == ["Kolya (1996)", "unknown", "Café"]
    assert items["category"].tolist() == ["Children's|Comedy", "", "Children's|Comedy"]
    assert items["year"].tolist() == ["1996", "", ""]
    assert items["release_date"].iloc[0] == "24-Jan-1997"
    assert interactions["item_id"].tolist() == ["242", "267"]
    assert not {"Comedy", "imdb_url", "video_release_date"} & set(items.columns)


def test_ratings_alone(tmp_path: Path) -> None:
    result, items, _ = installed(write(tmp_path / "up", RELEASES["ratings alone"]))
    assert items.index.tolist() == ["1", "2"] and (items["title"] == "").all()
    assert any("There is no movies.csv" in note for note in result.report.notes)


@pytest.mark.parametrize(
    ("folder", "first", "second"),
    [
        ("images", "1.jpg", "2.PNG"),
        ("posters", "1.jpg", "2.webp"),
        ("ml/Posters", "114709.jpg", "0113828.jpg"),
        ("posters", "tt0114709.jpg", "tt0113828.jpg"),
        ("images", "862.jpg", None),
    ],
)
def test_posters(tmp_path: Path, folder: str, first: str, second: str | None) -> None:
    files: dict[str, str | bytes] = {
        **RELEASES["latest with all"],
        f"{folder}/{first}": picture(seed=1),
    }
    if second is not None:
        kind = {"png": "PNG", "webp": "WEBP"}.get(second.lower().partition(".")[2], "JPEG")
        files[f"{folder}/{second}"] = picture(kind, seed=2)
    _, items, _ = installed(write(tmp_path / "up", files))
    assert (items["image"] != "").tolist() == [True, second is not None, False]
    dataset = catalogue.load_dataset("x")
    path = dataset.image_path(items["image"].iloc[0])
    assert path is not None and path.read_bytes() == picture(seed=1)


def test_posters_of_another_site_are_not_mistaken_for_movie_ids(tmp_path: Path) -> None:
    """Toy Story is 862 at TMDB; the poster 1 there is of the movie 3 here."""
    files: dict[str, str | bytes] = {
        **LATEST,
        "links.csv": LINKS_CSV,
        "posters/862.jpg": picture(seed=1),
        "posters/1.jpg": picture(seed=2),
    }
    result, items, _ = installed(write(tmp_path / "up", files))
    assert (items["image"] != "").tolist() == [True, False, True]
    assert any("Posters are called by tmdbId" in note for note in result.report.notes)


def test_odd_side_files_are_left_out(tmp_path: Path) -> None:
    files = {**LATEST, "tags.csv": "a,b\n1,2\n", "links.csv": "a,b\n1,2\n"}
    up = write(tmp_path / "up", {**files, "images/1.jpg": picture()})
    result, items, _ = installed(up)
    assert "tags" not in items.columns and items["image"].iloc[0] != ""
    assert sum("is not read" in note for note in result.report.notes) == 2
    write(up, {"tags.csv": "userId,movieId,tag,timestamp\n1,1\n"})
    with pytest.raises(InputError, match=r"tags.csv, line 2: 2 cells"):
        install(up)
    write(up, {"tags.csv": "userId,movieId,tag,timestamp\n", "movies.csv": "id,name\n1,x\n"})
    with pytest.raises(InputError, match="there is no column 'title'"):
        install(up)
