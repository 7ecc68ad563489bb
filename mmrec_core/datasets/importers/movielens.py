"""MovieLens in all of its releases: ratings, movies, and tags and posters where there are some."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.importers import sidecars
from mmrec_core.datasets.importers.base import IMAGE_SUFFIXES, IMPORTERS, Layout
from mmrec_core.datasets.importers.delimited import header_of
from mmrec_core.datasets.importers.lines import Lines, first_line
from mmrec_core.datasets.importers.tables import LIST_SEPARATOR, Table, read_table
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import InputError

RATING = ("userId", "movieId", "rating", "timestamp")
TAG = ("userId", "movieId", "tag", "timestamp")
MOVIE = ("movieId", "title", "genres")
GENRES = (
    "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama",
    "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War",
    "Western",
)  # fmt: skip
"""Of the 100K release, where each has a column; the column before them says "unknown"."""

_100K_MOVIE = ("movieId", "title", "release_date", "video_release_date", "imdb_url", "unknown")
_NO_GENRES = "(no genres listed)"
_MOST_TAGS = 10
_FOLDERS = ("images", "image", "posters", "poster")
_ENCODING_LINES = 200_000


@dataclass(frozen=True)
class _Release:
    """How some releases are written.

    Attributes:
        ratings: Name of the file of ratings.
        movies: Name of the file of movies.
        row: What the first line of the ratings looks like; None: it names the columns.
    """

    ratings: str
    movies: str
    row: re.Pattern[str] | None = None


_RELEASES = (
    _Release("ratings.csv", "movies.csv"),
    _Release("ratings.dat", "movies.dat", re.compile(r"\d+::\d+::\d(\.\d)?::\d+")),
    _Release("u.data", "u.item", re.compile(r"\d+\t\d+\t[1-5]\t\d+")),
)


class MovieLensImporter:
    """A release of MovieLens (GroupLens): ml-latest, latest-small, 100K, 1M, 10M, 20M, 25M or 32M.

    Genres are the category; the year is taken from the title, which stays as it is. The most
    frequent tags of a movie are kept. Posters lie in images/ or posters/ and are called by
    movieId, or by imdbId or tmdbId where links.csv is there.
    """

    title: ClassVar[str] = "MovieLens"
    files: ClassVar[str] = (
        "ratings.csv and movies.csv, or ratings.dat and movies.dat, or u.data and u.item; tags.csv "
        "and links.csv as far as they are there; posters in images/ or posters/"
    )
    reference: ClassVar[str] = "https://grouplens.org/datasets/movielens"

    def recognises(self, files: Files) -> bool:
        """Whether there are ratings under a name of GroupLens, written as theirs are."""
        return any(_is_of(release, files) for release in _RELEASES)

    def layout(self, files: Files, mapping: Mapping[str, Any] | None, ledger: Ledger) -> Layout:
        """As the names say.

        Raises:
            InputError: There are no ratings.
        """
        release = next((release for release in _RELEASES if _is_of(release, files)), None)
        if release is None:
            found = ", ".join(files.top()[:10]) or "nothing"
            raise InputError(
                f"There are no ratings of MovieLens in {files.label} (found: {found}); they are "
                "called ratings.csv, ratings.dat or u.data."
            )
        ratings, movies = _file(release.ratings, files), _file(release.movies, files)
        assert ratings is not None
        tags = None
        if movies is None:
            ledger.note(f"There is no {release.movies}: movies are ids without title and genre.")
        else:
            tags = _tags(files, ledger)
        folders = _folders(files)
        return Layout(
            interactions=(_ratings(release, ratings),),
            items=None if movies is None else _movies(release, movies, tags),
            declared=sidecars.declared(
                files,
                user_id="userId",
                item_id="movieId",
                rating="rating",
                timestamp="timestamp",
                title="title",
                category="genres",
                category_separator=LIST_SEPARATOR,
                tags=None if tags is None else "tags",
            ),
            pictures=folders,
            picture_ids=_picture_ids(files, folders, ledger),
        )


IMPORTERS.register("movielens", MovieLensImporter())


def _file(name: str, files: Files) -> Table | None:
    """The file of that name, packed or not, that lies least deep; None: there is none."""
    names = [
        found for found in files.paths if PurePosixPath(found).name.lower() in (name, f"{name}.gz")
    ]
    if not names:
        return None
    found = min(names, key=lambda found: (found.count("/"), found))
    return Table(found, files.paths[found])


def _is_of(release: _Release, files: Files) -> bool:
    table = _file(release.ratings, files)
    if table is None:
        return False
    try:
        if release.row is None:
            return set(RATING[:3]) <= set(header_of(table))
        return release.row.fullmatch(first_line(table).strip()) is not None
    except InputError:
        return False


def _ratings(release: _Release, table: Table) -> Table:
    if release.row is None:
        return table
    delimiter = "\t" if release.ratings == "u.data" else "::"
    return Table(table.name, table.path, columns=RATING, delimiter=delimiter, quoted=False)


def _movies(release: _Release, table: Table, tags: pd.Series | None) -> Table:
    name, path = table.name, table.path
    if release.row is None:
        return Table(name, path, derive=_derive(tags))
    if release.movies == "u.item":
        return Table(
            name,
            path,
            columns=(*_100K_MOVIE, *GENRES),
            delimiter="|",
            encoding="latin-1",
            quoted=False,
            derive=_derive_100k,
        )
    return Table(
        name,
        path,
        columns=MOVIE,
        delimiter="::",
        encoding=_encoding(table),
        derive=_derive(tags),
    )


def _encoding(table: Table) -> str:
    """UTF-8, as the 10M release is, or Latin-1, as the 1M release is."""
    lines = Lines(table)
    for _ in islice(lines, _ENCODING_LINES):
        if lines.bad:
            return "latin-1"
    return "utf-8"


# Movies


def _year(titles: pd.Series) -> pd.Series:
    return titles.str.extract(r"\((\d{4})\)\s*$", expand=False).fillna("").astype("str")


def _derive(tags: pd.Series | None) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def derive(frame: pd.DataFrame) -> pd.DataFrame:
        made = frame.copy()
        if "genres" in made:
            made["genres"] = made["genres"].where(made["genres"].str.strip() != _NO_GENRES, "")
        if "title" in made and "year" not in made:
            made["year"] = _year(made["title"])
        if tags is not None and "movieId" in made:
            made["tags"] = made["movieId"].str.strip().map(tags).fillna("").astype("str")
        return made

    return derive


def _derive_100k(frame: pd.DataFrame) -> pd.DataFrame:
    genres = pd.Series("", index=frame.index, dtype="str")
    for genre in GENRES:
        flagged = frame[genre].str.strip() == "1"
        genres = genres + flagged.map({True: genre + LIST_SEPARATOR, False: ""}).astype("str")
    return pd.DataFrame(
        {
            "movieId": frame["movieId"],
            "title": frame["title"],
            "genres": genres.str.removesuffix(LIST_SEPARATOR),
            "release_date": frame["release_date"],
            "year": _year(frame["title"]),
        }
    )


def _tags(files: Files, ledger: Ledger) -> pd.Series | None:
    """For each movieId its most frequent tags, in small letters, in one cell; None: no tags."""
    table, plain = _file("tags.csv", files), _file("tags.dat", files)
    only = ("movieId", "tag")
    if table is not None:
        table = Table(table.name, table.path, only=only)
    elif plain is not None:
        table = Table(plain.name, plain.path, columns=TAG, delimiter="::", only=only)
    else:
        return None
    counts: list[pd.Series] = []
    for chunk in read_table(table, ledger):
        if len(chunk.frame.columns) < 2:
            ledger.note(f"{table.name} has no columns movieId and tag, and is not read.")
            return None
        tag = chunk.frame["tag"].str.strip().str.lower().str.replace(LIST_SEPARATOR, "/")
        named = pd.DataFrame({"movie": chunk.frame["movieId"].str.strip(), "tag": tag})
        counts.append(named[tag != ""].value_counts())
    held = pd.concat(counts).groupby(level=["movie", "tag"]).sum().rename("n").reset_index()
    held = held.sort_values(["n", "tag"], ascending=[False, True], kind="stable")
    most = held.groupby("movie", sort=False).head(_MOST_TAGS)
    return most.groupby("movie")["tag"].agg(LIST_SEPARATOR.join)


# Posters


def _folders(files: Files) -> tuple[str, ...]:
    found = {
        str(folder)
        for name in files.paths
        if (folder := PurePosixPath(name).parent).name.lower() in _FOLDERS
    }
    return tuple(sorted(found)) or ("images",)


def _picture_ids(
    files: Files, folders: tuple[str, ...], ledger: Ledger
) -> Mapping[str, str] | None:
    """For each movieId what its poster is called, where posters are called by another site's ids.

    All three kinds are numbers: the kind that explains most names is taken for all of them.
    """
    table = _file("links.csv", files)
    stems = sorted(
        {
            PurePosixPath(name).stem
            for name in files.paths
            if str(PurePosixPath(name).parent) in folders
            and PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES
        }
    )
    if table is None or not stems:
        return None
    wanted = ("movieId", "imdbId", "tmdbId")
    frames = [
        chunk.frame for chunk in read_table(Table(table.name, table.path, only=wanted), ledger)
    ]
    links = pd.concat(frames, ignore_index=True)
    if "movieId" not in links:
        ledger.note(f"{table.name} has no column movieId, and is not read.")
        return None
    called = pd.Series(stems, dtype="str")
    called.index = pd.Index(_number(called))
    called = called[~called.index.duplicated()]
    numbers = {name: _number(links[name]) for name in wanted if name in links}
    explained = {
        name: int(np.isin(called.index.to_numpy(), held[held != ""].to_numpy()).sum())
        for name, held in numbers.items()
    }
    best = max(explained, key=lambda name: explained[name])
    if best == "movieId":
        return None
    ledger.note(f"Posters are called by {best}, of which {table.name} tells the movies.")
    names = numbers[best].map(called)
    known = names.notna() & (numbers[best] != "")
    movies = links["movieId"].str.strip()
    return dict(zip(movies[known], names[known], strict=True))


def _number(ids: pd.Series) -> pd.Series:
    """``tt0114709`` and ``0114709`` as 114709; other texts as they are."""
    plain = ids.str.strip().str.lower()
    return plain.str.replace(r"^(?:tt)?0*(\d+)$", r"\1", regex=True).astype("str")
