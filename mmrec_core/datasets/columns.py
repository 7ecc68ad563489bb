"""Which column plays which role: from dataset.toml, from a mapping, or guessed from the names."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mmrec_core.datasets.schema import printable
from mmrec_core.domain import InputError

_LONGEST_TOML = 2**20

T = TypeVar("T", bound=BaseModel)

_NAMES = {
    "user_id": (
        "user_id user userid uid user_idx reviewerid reviewer_id customer_id customerid member_id "
        "account_id visitorid visitor_id session_id"
    ),
    "item_id": (
        "item_id item itemid iid item_idx parent_asin asin product_id productid movie_id movieid "
        "book_id bookid isbn article_id track_id song_id artist_id recipe_id game_id business_id "
        "anime_id news_id video_id sku id"
    ),
    "rating": ("rating ratings score stars star_rating overall preference user_rating"),
    "timestamp": (
        "timestamp unix_timestamp unixreviewtime time datetime date ts created_at review_time "
        "event_time"
    ),
    "split": "split x_label subset",
    "title": (
        "title name product_title product_name item_name item_title movie_title book_title "
        "track_name headline label"
    ),
    "category": (
        "category categories genre genres main_category product_category department product_type "
        "product_group item_type class section topic"
    ),
    "image": (
        "image images image_path image_file image_name img img_path picture photo poster "
        "poster_path thumbnail cover cover_image file_name filename"
    ),
}
NAMES = {role: tuple(names.split()) for role, names in _NAMES.items()}
"""Role -> names that are taken for it, the surest first."""

_TEXTS = (
    "description descriptions desc plot summary overview synopsis abstract body content text about "
    "blurb product_description item_description long_description short_description detail_desc "
    "details features story tagline"
)
TEXTS = frozenset(_TEXTS.split())
"""Names that are taken for prose."""

INTERACTION_ROLES = ("user_id", "item_id", "rating", "timestamp", "split")
ITEM_ROLES = ("item_id", "title", "category", "image")
FILE_KEYS = ("interactions_file", "items_file")
"""Which file is which, where tables are called anything."""

KEYS = (*INTERACTION_ROLES, "title", "text", "category", "category_separator", "image", "tags",
        "attributes", "title_is_text")  # fmt: skip
"""What a mapping may name."""


@dataclass(frozen=True)
class Roles:
    """Column of each role; None where no column plays it.

    Attributes:
        user_id: Of the interactions.
        item_id: Of the interactions.
        rating: Of the interactions.
        timestamp: Of the interactions.
        split: Of the interactions: train, valid or test.
        key: The item id in the item table.
        title: Of the items.
        text: Columns joined to the text of an item, in order.
        category: Of the items.
        image: Of the items: a path inside the upload.
        attributes: Column of the items -> description slot.
        guessed: Roles whose columns were guessed.
    """

    user_id: str | None = None
    item_id: str | None = None
    rating: str | None = None
    timestamp: str | None = None
    split: str | None = None
    key: str | None = None
    title: str | None = None
    text: tuple[str, ...] = ()
    category: str | None = None
    image: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()

    def as_columns(self) -> dict[str, tuple[str, ...]]:
        """Role -> columns, roles without column left out; for reports."""
        found: dict[str, tuple[str, ...]] = {
            role: (column,)
            for role in (*INTERACTION_ROLES, "key", "title", "category", "image")
            if (column := getattr(self, role)) is not None
        }
        if self.text:
            found["text"] = self.text
        if self.attributes:
            found["attributes"] = tuple(self.attributes)
        return found


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Thresholds(_Part):
    """The ``[thresholds]`` of dataset.toml."""

    relevant_from: float | None = Field(None, allow_inf_nan=False)
    k_core: int = Field(5, ge=0)


class Columns(_Part):
    """The ``[columns]`` of dataset.toml; an empty name says that no column plays the role."""

    user_id: str | None = None
    item_id: str | None = None
    rating: str | None = None
    timestamp: str | None = None
    split: str | None = None
    title: str | None = None
    text: tuple[str, ...] | None = None
    category: str | None = None
    category_separator: str | None = None
    image: str | None = None
    tags: str | None = None
    attributes: dict[str, str] = Field(default_factory=dict)
    title_is_text: bool = False

    @field_validator("text", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("attributes", mode="before")
    @classmethod
    def _names_or_table(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        return {name: name for name in value} if isinstance(value, list | tuple) else value


class Declared(_Part):
    """What dataset.toml declares.

    Attributes:
        name: Name to install under.
        title: Name for people.
        licence: Licence of the data in words.
        source: Where the data come from.
        split: ``random`` or ``fixed``; None: fixed where the files say train, valid and test.
        thresholds: When an interaction counts.
        columns: Which columns play which role.
        features: Name of a feature file -> its modality (image, text or joint).
    """

    name: str = ""
    title: str = ""
    licence: str = ""
    source: str = ""
    split: str | None = Field(None, pattern="^(random|fixed)$")
    thresholds: Thresholds = Thresholds()
    columns: Columns = Columns()
    features: dict[str, str] = Field(default_factory=dict)


def read_toml(path: Path | None, file: str = "dataset.toml") -> Declared:
    """Reads dataset.toml; without one nothing is declared.

    Raises:
        InputError: It is not TOML, or holds a key or value that is not known.
    """
    if path is None:
        return Declared()
    if path.stat().st_size > _LONGEST_TOML:
        raise InputError(f"{file} is larger than {_LONGEST_TOML // 2**20} MiB; it is no settings.")
    try:
        raw = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 (byte {error.start}); save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file} is not TOML: {error}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} holds a value that is too long or too deep.") from error
    if "license" in raw:
        raw.setdefault("licence", raw.pop("license"))
    return _validated(Declared, raw, file)


def with_mapping(declared: Declared, mapping: Mapping[str, Any] | None) -> Declared:
    """``declared`` with columns overridden by ``mapping`` (role -> column or columns).

    Raises:
        InputError: An unknown role.
    """
    if not mapping:
        return declared
    unknown = [key for key in mapping if key not in (*KEYS, *FILE_KEYS)]
    if unknown:
        raise InputError(
            f"There is no column role {unknown[0]!r}. Known: {', '.join((*KEYS, *FILE_KEYS))}."
        )
    roles = {key: value for key, value in mapping.items() if key not in FILE_KEYS}
    merged = {**declared.columns.model_dump(exclude_unset=True), **roles}
    return declared.model_copy(update={"columns": _validated(Columns, merged, "The mapping")})


def parse_mapping(pairs: Iterable[str]) -> dict[str, Any]:
    """``["text=title,plot", "category=genres"]`` as a mapping.

    Raises:
        InputError: A pair without "=".
    """
    mapping: dict[str, Any] = {}
    for pair in pairs:
        role, sign, columns = pair.partition("=")
        if not sign:
            raise InputError(
                f"{pair!r} is not a mapping; write role=column, as in text=title,plot."
            )
        mapping[role.strip()] = columns.strip()
    return mapping


def _validated(model: type[T], raw: Any, file: str) -> T:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise InputError(f"{file}: there is no key {where!r}; check its spelling.") from None
        raise InputError(f"{file}: {where} cannot be used ({first['msg']}).") from None


def plain(name: str) -> str:
    """A column name for comparison: lower case, underscores, no RecBole type suffix."""
    name = re.sub(r":(token|float|token_seq|float_seq)$", "", name.strip())
    return re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")


def guess(role: str, columns: Iterable[str]) -> str | None:
    """The column whose name says most surely that it plays ``role``, or None."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(plain(column), column)
    return next((by_name[name] for name in NAMES[role] if name in by_name), None)


def guess_texts(columns: Iterable[str], title: str | None) -> tuple[str, ...]:
    """Title and every column that is named like prose, in the order of the file."""
    texts = [column for column in columns if plain(column) in TEXTS and column != title]
    return tuple([title, *texts] if title is not None else texts)


def interaction_roles(columns: list[str], declared: Columns, file: str) -> Roles:
    """Roles of the interaction table.

    Raises:
        InputError: User or item is not found, or a declared column is not there.
    """
    found, guessed = _resolve(INTERACTION_ROLES, columns, declared, file)
    unexplained = set(columns) - set(found.values())
    if "item_id" in guessed and plain(found["item_id"] or "") == "id" and unexplained:
        # As likely the id of the row, such as of a review.
        found["item_id"] = None
    if found["item_id"] is not None and found["item_id"] == found["user_id"]:
        found["item_id"] = None
    for role, what in (("user_id", "users"), ("item_id", "items")):
        if found[role] is None:
            raise InputError(
                f"{file}, line 1: no column for the {what} is found among {_listed(columns)}; "
                f"name it with --map {role}=COLUMN."
            )
    return Roles(**found, guessed=guessed)  # type: ignore[arg-type]


def item_roles(roles: Roles, columns: list[str], declared: Columns, file: str) -> Roles:
    """``roles`` completed by those of the item table.

    Raises:
        InputError: The item id is not found, or a declared column is not there.
    """
    found, guessed = _resolve(("title", "category", "image"), columns, declared, file)
    key = roles.item_id if roles.item_id in columns else None
    if declared.item_id and declared.item_id in columns:
        key = declared.item_id
    key = key or guess("item_id", columns)
    if key is None:
        raise InputError(
            f"{file}, line 1: no column for the item id is found among {_listed(columns)}; call "
            f"it {printable(str(roles.item_id))!r}, as in the interactions."
        )
    text = declared.text
    if text is None:
        text = guess_texts([column for column in columns if column != key], found["title"])
        guessed = (*guessed, "text") if text else guessed
    attributes = dict(declared.attributes)
    if declared.tags:
        attributes.setdefault(declared.tags, "tags")
    for column in (*text, *attributes):
        _known(column, columns, file)
    return replace(
        roles,
        key=key,
        title=found["title"],
        category=found["category"],
        image=found["image"],
        text=text,
        attributes=attributes,
        guessed=(*roles.guessed, *guessed),
    )


def _resolve(
    wanted: Iterable[str], columns: list[str], declared: Columns, file: str
) -> tuple[dict[str, str | None], tuple[str, ...]]:
    found: dict[str, str | None] = {}
    guessed: list[str] = []
    for role in wanted:
        said = getattr(declared, role)
        if said:
            _known(said, columns, file)
            found[role] = said
        elif said == "":
            found[role] = None
        else:
            found[role] = guess(role, columns)
            if found[role] is not None:
                guessed.append(role)
    return found, tuple(guessed)


def _known(column: str, columns: list[str], file: str) -> None:
    if column not in columns:
        raise InputError(
            f"{file}, line 1: there is no column {printable(column)!r}; the columns are "
            f"{_listed(columns)}."
        )


def _listed(columns: list[str]) -> str:
    return ", ".join(map(printable, columns[:20])) + (", ..." if len(columns) > 20 else "")


def guess_separator(cells: pd.Series) -> str | None:
    """What separates several categories in one cell; None where each cell holds one.

    "|", ";" and " > " are taken where one cell in fifty holds them. A comma may be part of one
    name ("Clothing, Shoes & Jewelry"), so it counts only where the parts come back in other
    cells: fewer than half as many parts as cells are distinct.
    """
    filled = cells[cells != ""]
    if filled.empty:
        return None
    for sign in ("|", ";", " > "):
        if filled.str.contains(sign, regex=False).mean() >= 0.02:
            return sign
    holds = filled.str.contains(",", regex=False)
    if holds.mean() >= 0.02:
        distinct = filled[holds].drop_duplicates()
        parts = distinct.str.split(",").explode().str.strip()
        if len(distinct) >= 4 and parts.nunique() < 0.5 * len(distinct):
            return ","
    return None
