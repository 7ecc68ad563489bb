"""Values of the Amazon datasets that are not as they should be, and lines that mean harm."""

from pathlib import Path
from typing import Any

import pytest
from amazon_files import META_2014, REVIEWS_2014, REVIEWS_2023, installed, lines, meta
from uploads import write

from mmrec_core.datasets.importers.amazon import (
    LONGEST_LITERAL,
    loose_line,
    path_of,
    picture_of,
    price_of,
    prose,
)
from mmrec_core.datasets.install import install
from mmrec_core.domain import InputError


@pytest.fixture(autouse=True)
def _data(mmrec_data: Path) -> Path:
    return mmrec_data


HOSTILE = {
    "code": "{'asin': __import__('os').getcwd()}",
    "deep": "{'asin': " + "[" * 5000,
    "signs": "{'asin': " + "-" * 100_000 + "1}",
    "sum": "{'asin': " + "+".join(["1"] * 100_000) + "}",
    "digits": "{'asin': " + "9" * 10_000 + "}",
    "unhashable": "{'asin': {[1]: 2}}",
    "zero byte": "{'asin': '\0'}",
    "long": "{'asin': '" + "x" * LONGEST_LITERAL + "'}",
    "open": "{'asin': 'x",
    "list": "['asin']",
    "set": "{'asin', 'title'}",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_line_of_metadata_is_a_rejected_row(tmp_path: Path, what: str) -> None:
    up = write(tmp_path / "up", {"reviews_T.json": REVIEWS_2014})
    write(up, {"meta_T.json": META_2014 + HOSTILE[what] + "\n" + META_2014})
    with pytest.raises(InputError, match=r"^meta_T.json, line 4: "):
        install(up)
    result, items, _ = installed(up, lenient=True)
    assert result.report.n_rejected == 1 and len(items) == 2


def test_odd_values_are_no_crash(tmp_path: Path) -> None:
    odd = [
        "{'asin': '0000031852', 'title': {1, 2}, 'categories': 'Toys', 'imUrl': 5, 'price': []}",
        "{'asin': 'B00004Z0ZZ', 'title': b'x', 'categories': [[None, 3]], ('a', 1): '\\ud83d'}",
    ]
    up = write(tmp_path / "up", {"reviews_T.json": REVIEWS_2014, "meta_T.json": "\n".join(odd)})
    _, items, _ = installed(up)
    assert items["category"].tolist() == ["Toys", "3"]
    up = write(tmp_path / "new", {"Baby.jsonl": REVIEWS_2023})
    values: list[Any] = [3, "text", [None], [[1]], {"large": "x"}, [{"large": 5, "variant": []}]]
    for value in values:
        changed = dict.fromkeys(("title", "features", "images", "categories", "price"), value)
        write(up, {"meta_Baby.jsonl": lines([meta(0, **changed)])})
        installed(up)


def test_prose() -> None:
    assert prose("Pr45&quot; <br/>Wht &amp; 1 < 2 > 0") == 'Pr45" Wht & 1 < 2 > 0'
    assert prose(["a", "", None, ["b\n c"]]) == "a\nb c"
    assert prose(None) == prose({"a": 1}) == "" and prose(3.5) == "3.5"


def test_small_fields() -> None:
    assert price_of("$1,299.50 - $2,000") == "$1,299.50 - $2,000" and price_of("from 14.99")
    assert price_of("None") == price_of(None) == ""
    assert path_of([["a", "b"], ["a", "c|d"]]) == "a|b|c/d" and path_of(None) == ""
    assert picture_of('[{"large": "http://x/l.jpg"}]') == "http://x/l.jpg"
    assert picture_of([{"large": "javascript:x", "variant": "MAIN"}]) == picture_of("[{") == ""
    with pytest.raises(ValueError, match="Expecting"):
        loose_line("[1, 'a']")
