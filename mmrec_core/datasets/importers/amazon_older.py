"""Amazon 2014 and 2018: reviews or ratings of one category, and its metadata."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import Any, ClassVar

from mmrec_core.datasets.archive import Files
from mmrec_core.datasets.importers import amazon
from mmrec_core.datasets.importers.base import IMPORTERS, Layout
from mmrec_core.datasets.importers.tables import Table
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import InputError

RATING = ("reviewerID", "asin", "overall", "unixReviewTime")

_REVIEW = frozenset(RATING[:3])
_OF_2014 = {"imUrl", "salesRank", "related", "categories"}
_OF_2018 = {"imageURL", "imageURLHighRes", "also_buy", "main_cat", "feature"}
_TITLES = {"title", "description", "brand", *_OF_2014, *_OF_2018}


class _Older(ABC):
    """Both years: the fields differ, the reading does not."""

    order: ClassVar[tuple[str, str]]
    names: ClassVar[str]

    def recognises(self, files: Files) -> bool:
        """Whether a file holds reviews or ratings of that year, or all of them metadata."""
        fields = amazon.named_fields(files)
        if self._reviews(fields) or self._ratings(files, fields):
            return True
        metadata = [held for held in fields.values() if _metadata(held)]
        return bool(metadata) and len(metadata) == len(fields) and self._made(metadata[0])

    def layout(self, files: Files, mapping: Mapping[str, Any] | None, ledger: Ledger) -> Layout:
        """As the first lines say.

        Raises:
            InputError: There are no interactions, or those of several categories.
        """
        fields = amazon.named_fields(files)
        said = mapping or {}
        ratings = self._ratings(files, fields)
        reviews = [*self._reviews(fields), *ratings]
        chosen = amazon.one_of(
            reviews, files, "interactions", "interactions_file", said.get("interactions_file")
        )
        if chosen is None:
            raise InputError(
                f"{files.label} holds metadata but no reviews; add those of the category, such as "
                f"{self.names}."
            )
        metadata = [name for name, held in fields.items() if _metadata(held)]
        items = amazon.items_files(
            metadata, files, said.get("items_file"), ledger, called="meta_*.json"
        )
        tables = tuple(
            Table(name, files.paths[name], parse=amazon.loose_line, reshape=_item) for name in items
        )
        return Layout(
            interactions=(
                Table(
                    chosen,
                    files.paths[chosen],
                    columns=ratings.get(chosen, ()),
                    parse=amazon.loose_line,
                    reshape=partial(amazon.only, RATING),
                ),
            ),
            items=tables[0] if tables else None,
            more_items=tables[1:],
            declared=amazon.declared(files, RATING, features="feature", brand="brand"),
            known_only=True,
            repeats=True,
        )

    @abstractmethod
    def _made(self, held: frozenset[str]) -> bool:
        """Whether metadata with these fields are of that year."""

    @abstractmethod
    def _reviewed(self, name: str, held: frozenset[str]) -> bool:
        """Whether reviews with these fields are of that year."""

    def _reviews(self, fields: Mapping[str, frozenset[str]]) -> list[str]:
        return [
            name for name, held in fields.items() if held >= _REVIEW and self._reviewed(name, held)
        ]

    def _ratings(
        self, files: Files, fields: Mapping[str, frozenset[str]]
    ) -> dict[str, tuple[str, ...]]:
        """Files of ratings alone -> their columns, which they do not name."""
        called = dict(zip(("user", "item", "rating", "timestamp"), RATING, strict=True))
        found = {}
        for name, held in fields.items():
            # Times in milliseconds, of 13 digits, are of 2023.
            if len(held) in (3, 4) and not any(len(c) > 11 and c.isdecimal() for c in held):
                columns = amazon.rating_columns(name, files.paths[name])
                if len(columns) == 4 and columns[:2] == self.order:
                    found[name] = tuple(called[c] for c in columns)
        return found


class Amazon2014Importer(_Older):
    """One category of the Amazon product data of 2014 (McAuley et al.): reviews and metadata.

    The metadata are Python literals, one a line; they are parsed and never run. Texts are title
    and description, without HTML; addresses of pictures are kept and nothing is downloaded.
    Products that nobody reviewed are left out.
    """

    title: ClassVar[str] = "Amazon 2014"
    files: ClassVar[str] = (
        "reviews_Baby_5.json.gz or ratings_Baby.csv; with meta_Baby.json.gz as far as it is there; "
        "pictures in images/, called by asin"
    )
    reference: ClassVar[str] = "https://jmcauley.ucsd.edu/data/amazon/index_2014.html"
    order = ("user", "item")
    names = "reviews_Baby_5.json.gz or ratings_Baby.csv"

    def _made(self, held: frozenset[str]) -> bool:
        return len(held & _OF_2014) >= len(held & _OF_2018)

    def _reviewed(self, name: str, held: frozenset[str]) -> bool:
        if "helpful" in held or "verified" in held:
            return "helpful" in held
        return PurePosixPath(name).name.startswith("reviews_")


class Amazon2018Importer(_Older):
    """One category of the Amazon review data of 2018 (Ni et al.): reviews and metadata.

    Texts are title, features and description, without HTML; titles that are scripts of the page
    are left out, as the authors advise. Addresses of pictures are kept and nothing is downloaded.
    Products that nobody reviewed are left out; of several descriptions of one the first counts.
    """

    title: ClassVar[str] = "Amazon 2018"
    files: ClassVar[str] = (
        "Baby_5.json.gz or Baby.csv; with meta_Baby.json.gz as far as it is there; pictures in "
        "images/, called by asin"
    )
    reference: ClassVar[str] = "https://nijianmo.github.io/amazon/index.html"
    order = ("item", "user")
    names = "Luxury_Beauty_5.json.gz or Luxury_Beauty.csv"

    def _made(self, held: frozenset[str]) -> bool:
        return len(held & _OF_2014) < len(held & _OF_2018)

    def _reviewed(self, name: str, held: frozenset[str]) -> bool:
        if "helpful" in held or "verified" in held:
            return "helpful" not in held
        return not PurePosixPath(name).name.startswith("reviews_")


IMPORTERS.register("amazon-2014", Amazon2014Importer())
IMPORTERS.register("amazon-2018", Amazon2018Importer())


def _metadata(held: frozenset[str]) -> bool:
    return "asin" in held and bool(_TITLES & held) and not {"reviewerID", "user_id"} & held


def _item(record: Mapping[str, Any]) -> dict[str, Any]:
    """What describes a product, in the fields of either year."""
    get = record.get
    title = amazon.prose(get("title"))
    main = amazon.prose(get("main_cat"))
    pictures = (get("imageURLHighRes"), get("imageURL"), get("imUrl"), get("image"))
    return {
        "asin": get("asin"),
        # "var aPageStart = (new Date()).getTime();": the script of the page.
        "title": "" if "getTime" in title else title,
        "feature": amazon.prose(get("feature")),
        "description": amazon.prose(get("description")),
        "category": amazon.path_of(get("category") or get("categories")) or main,
        "main_cat": main,
        "brand": amazon.prose(get("brand")),
        "price": amazon.price_of(get("price")),
        "image": next(filter(None, map(amazon.first_text, pictures)), ""),
    }
