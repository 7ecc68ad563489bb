"""What is wrong with an upload is said with file and line, or left out and counted."""

import csv
import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from uploads import INTERACTIONS, ITEMS, picture, shop, write

from mmrec_core.datasets import arrays, columns, export
from mmrec_core.datasets.importers.tables import Table, read_table
from mmrec_core.datasets.install import inspect, install
from mmrec_core.datasets.schema import Ledger
from mmrec_core.domain import InputError
from mmrec_core.settings import settings


@pytest.fixture(autouse=True)
def _data(mmrec_data: Path) -> Path:
    return mmrec_data


def refused(path: Path, data: Path, **options: object) -> str:
    """The sentence of a refusal that left nothing behind."""
    with pytest.raises(InputError) as error:
        install(path, **options)  # type: ignore[arg-type]
    left = [str(file) for file in data.rglob("*") if file.is_file()]
    assert left == []
    assert [str(p) for p in (data / "store" / "tmp").glob("*")] == []
    return str(error.value)


def test_no_interactions_file(tmp_path: Path, mmrec_data: Path) -> None:
    said = refused(shop(tmp_path / "up", interactions=None), mmrec_data)
    assert "no column for the users" in said and "items.csv" in said


def test_rating_that_is_text(tmp_path: Path, mmrec_data: Path) -> None:
    up = shop(tmp_path / "up", interactions=INTERACTIONS.replace("u2,007,2", "u2,007,good"))
    assert refused(up, mmrec_data).startswith(
        "interactions.csv, line 5: the rating 'good' is not a number"
    )
    report, _ = inspect(up)
    assert (report.n_rejected, report.n_interactions) == (1, 5)
    assert report.rejected[0].line == 5


@pytest.mark.parametrize("rating", ["nan", "inf", "-inf", "1e999", "4,5 ", "0x", "1e39"])
def test_ratings_must_be_finite(tmp_path: Path, mmrec_data: Path, rating: str) -> None:
    text = INTERACTIONS.replace("u2,007,2", f'u2,007,"{rating}"')
    assert "line 5" in refused(shop(tmp_path / "up", interactions=text), mmrec_data)


def test_item_twice(tmp_path: Path, mmrec_data: Path) -> None:
    up = shop(tmp_path / "up", items=ITEMS + "b,Lamp again,,light,12,\n")
    said = refused(up, mmrec_data)
    # The first item holds a line break, so the lamp starts on line 4 and comes again on line 6.
    assert said.startswith("items.csv, line 6: item 'b' is already on line 4")
    install(up, lenient=True, name="x")


def test_cut_off_jpeg(tmp_path: Path, mmrec_data: Path) -> None:
    up = shop(tmp_path / "up")
    whole = picture("JPEG", (900, 900))
    (up / "images/pics/one.jpg").write_bytes(whole[: len(whole) // 2])
    said = refused(up, mmrec_data)
    assert "images/pics/one.jpg: it is cut off or damaged" in said
    report = install(up, name="x", lenient=True).report
    assert report.n_broken_images == 1 and not report.sound
    assert report.n_missing_images == 2  # the mug's, and the chair never had one


def test_hidden_page_is_no_picture(tmp_path: Path, mmrec_data: Path) -> None:
    up = write(shop(tmp_path / "up"), {"images/pics/one.jpg": "<html><script>alert(1)</script>"})
    assert "it is not a JPEG, PNG, WebP or GIF" in refused(up, mmrec_data)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_decompression_bomb(tmp_path: Path, mmrec_data: Path) -> None:
    from PIL import Image

    raw = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(raw, "PNG")
    up = write(shop(tmp_path / "up"), {"images/pics/one.jpg": raw.getvalue()})
    assert "pixels" in refused(up, mmrec_data)
    raw = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(raw, "PNG")
    up = write(shop(tmp_path / "up"), {"images/pics/one.jpg": raw.getvalue()})
    assert "pixels" in refused(up, mmrec_data)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.array([[1.0, 2], [np.nan, 1], [3, 4]]), "line 2: the row (item 'b') holds NaN"),
        (np.array([[1.0, 2], [np.inf, 1], [3, 4]]), "line 2: the row (item 'b') holds NaN"),
        (np.full((3, 2), 1e300), "line 1: the row (item '007') holds NaN or infinity"),
        (np.ones((2, 4)), "2 rows, but the items file has 3"),
        (np.ones(3), "the array has shape (3,)"),
        (np.array([["a"], ["b"], ["c"]]), "the array holds <U1"),
        (np.zeros((3, 2)), "no item has features"),
    ],
)
def test_unsound_features(tmp_path: Path, mmrec_data: Path, array: np.ndarray, said: str) -> None:
    up = shop(tmp_path / "up")
    (up / "features").mkdir()
    np.save(up / "features/clip_image.npy", array)
    sentence = refused(up, mmrec_data)
    assert sentence.startswith("features/clip_image.npy") and said in sentence
    install(up, name="x", lenient=True)


def test_object_arrays_are_never_unpickled(tmp_path: Path, mmrec_data: Path) -> None:
    up = shop(tmp_path / "up")
    (up / "features").mkdir()
    np.save(up / "features/clip.npy", np.array([[{}], [1], [2]], dtype=object), allow_pickle=True)
    assert "holds Python objects" in refused(up, mmrec_data)
    (up / "features/clip.npy").write_bytes(b"\x80\x04garbage")
    assert "features/clip.npy" in refused(up, mmrec_data)


def test_unsound_archives_and_tables_of_features(
    tmp_path: Path, mmrec_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    up = shop(tmp_path / "up")
    folder = up / "features"
    folder.mkdir()
    three = np.ones((3, 2), dtype=np.float32)

    def said(name: str) -> str:
        sentence = refused(up, mmrec_data)
        (folder / name).unlink()
        assert sentence.startswith(f"features/{name}"), sentence
        return sentence

    np.savez(folder / "clip.npz", a=three, b=three)
    assert "it holds 2 arrays (a, b)" in said("clip.npz")
    np.savez(folder / "clip.npz", a=np.array([[{}]] * 3, dtype=object))
    assert "holds Python objects" in said("clip.npz")
    limits = dataclasses.replace(settings().limits, matrix_bytes=10**6)
    strict = dataclasses.replace(settings(), limits=limits)
    monkeypatch.setattr(arrays, "settings", lambda: strict)
    np.savez_compressed(folder / "clip.npz", a=np.zeros((3, 10**6), dtype=np.float32))
    assert "GiB are allowed" in said("clip.npz")
    zeros = {f"c{k}": np.zeros(3) for k in range(50_000)}
    pd.DataFrame(zeros).to_parquet(folder / "clip.parquet")
    assert "GiB are allowed" in said("clip.parquet")
    for name in ("clip.npz", "clip.safetensors", "clip.parquet"):
        (folder / name).write_bytes(b"\x80\x04garbage")
        assert "not a readable" in said(name)
    table = {"item_id": ["007", "b", "b"], "x": [1.0, 2, 3]}
    pd.DataFrame(table).to_parquet(folder / "clip.parquet")
    assert "the column item_id, row 3: 'b' is already on row 2" in said("clip.parquet")
    own_index = pd.DataFrame({"x": [1.0, 2, 3]}, index=pd.Index(list("abc"), name="sku"))
    own_index.to_parquet(folder / "clip.parquet")
    assert "it has an index 'sku'; call it item_id" in said("clip.parquet")
    pd.DataFrame({"x": [1.0, 2, 3], "colour": list("abc")}).to_parquet(folder / "clip.parquet")
    assert "the column 'colour' holds no numbers" in said("clip.parquet")
    pd.DataFrame({"v": [[1.0], [1.0, 2.0], [3.0]]}).to_parquet(folder / "clip.parquet")
    assert "no lists of equally many numbers" in said("clip.parquet")
    np.save(folder / "clip.npy", three)
    np.savez(folder / "clip.npz", a=three)
    assert "are features of one name" in refused(up, mmrec_data)


def read(tmp_path: Path, name: str, content: bytes, lenient: bool = True) -> tuple:
    path = tmp_path / name
    path.write_bytes(content)
    ledger = Ledger(lenient)
    chunks = list(read_table(Table(name, path), ledger, rows=2))
    frame = pd.concat([chunk.frame for chunk in chunks], ignore_index=True)
    return frame, np.concatenate([chunk.lines for chunk in chunks]), ledger, chunks


def test_csv_lines_quotes_and_ragged_rows(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbfa,b\r\n"x\ny",1\n\nlonely\n"p"q,1\n007,1.0\n1,2,3\nz,"never closed\n'
    frame, lines, ledger, chunks = read(tmp_path, "t.csv", content)
    assert frame.to_numpy().tolist() == [["x\ny", "1"], ["007", "1.0"]]
    assert lines.tolist() == [2, 7]
    assert np.concatenate([c.ordinals for c in chunks]).tolist() == [0, 3]
    assert [finding.line for finding in ledger.rejected] == [5, 6, 8, 9]
    assert "never closed" in ledger.rejected[-1].reason
    assert ledger.rows_read["t.csv"] == 6


def test_encodings(tmp_path: Path) -> None:
    mixed = "a,b\nZoë,1\n".encode() + "Zoë,2\n".encode("latin-1") + b"x,3\n"
    frame, _, ledger, _ = read(tmp_path, "t.csv", mixed)
    assert frame["a"].tolist() == ["Zoë", "x"]
    assert ledger.rejected[0].sentence == (
        "t.csv, line 3: byte 0xeb is not UTF-8; save the file as UTF-8"
    )
    with pytest.raises(InputError, match="line 3"):
        read(tmp_path, "t.csv", mixed, lenient=False)
    with pytest.raises(InputError, match="UTF-16"):
        read(tmp_path, "t.csv", "a,b\n1,2\n".encode("utf-16"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"a,a\n1,2\n", "two columns"),
        (b",".join(b"c%d" % i for i in range(600)) + b"\n", "600 columns"),
    ],
)
def test_headers(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, "t.csv", content)


def test_other_delimiters(tmp_path: Path) -> None:
    assert read(tmp_path, "t.csv", b"a;b\n1,5;2\n")[0].to_numpy().tolist() == [["1,5", "2"]]
    assert read(tmp_path, "t.tsv", b"a\tb\n1,5\t2\n")[0].to_numpy().tolist() == [["1,5", "2"]]


def test_json_lines_keep_numbers_as_written(tmp_path: Path) -> None:
    content = (
        b'{"id": "007", "n": 1.10, "tags": ["a", "b"]}\n[1]\n{"id": 12345678901234567890}\n'
        b'{bad\n{"id": "x", "late": null, "d": {"k": 1}, "half": "\\ud800"}\n'
    )
    frame, lines, ledger, _ = read(tmp_path, "t.jsonl", content)
    frame = frame.fillna("")
    assert frame["id"].tolist() == ["007", "12345678901234567890", "x"]
    assert frame.loc[0, ["n", "tags"]].tolist() == ["1.10", "a|b"]
    assert json.loads(frame.loc[2, "d"]) == {"k": "1"} and frame.loc[2, "half"] == "?"
    assert lines.tolist() == [1, 3, 5]
    assert [finding.line for finding in ledger.rejected] == [2, 4]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame(
        {"i": [7, 8, 9], "f": [1.0, np.nan, 2.5], "s": ["007", None, "x"], "l": [["a"], [], None]}
    ).to_parquet(path)
    ledger = Ledger(lenient=True)
    frame = pd.concat([c.frame for c in read_table(Table("t.parquet", path), ledger, rows=2)])
    assert frame.to_numpy().tolist() == [
        ["7", "1", "007", "a"], ["8", "", "", ""], ["9", "2.5", "x", ""],
    ]  # fmt: skip
    path.write_bytes(b"PAR1 this is not parquet PAR1")
    with pytest.raises(InputError, match=r"t\.parquet cannot be read as Parquet"):
        list(read_table(Table("t.parquet", path), ledger))


cells = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=30))
def test_whatever_csv_writes_is_read_back(rows: list[tuple[str, str]]) -> None:
    import tempfile

    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("a", "b"), *rows])
    with tempfile.TemporaryDirectory() as folder:
        frame, _, ledger, _ = read(Path(folder), "t.csv", text.getvalue().encode())
    assert frame.to_numpy().tolist() == [list(row) for row in rows]
    assert ledger.n_rejected == 0


@given(st.binary(max_size=300))
def test_any_bytes_give_rows_or_a_sentence(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for name in ("t.csv", "t.jsonl", "t.parquet", "t.tsv"):
            try:
                frame, lines, ledger, _ = read(Path(folder), name, b"a,b\n" + content)
            except InputError as error:
                assert name in str(error)
            else:
                assert len(frame) == len(lines) == ledger.rows_read[name] - ledger.n_rejected


def test_all_findings_as_csv(tmp_path: Path) -> None:
    rows = "".join(f"u{i},b,=cmd{i}\n" for i in range(150))
    up = shop(tmp_path / "up", interactions="user_id,item_id,rating\nu,b,1\n" + rows)
    report, _ = inspect(up, findings=tmp_path / "all.csv")
    assert (report.n_rejected, len(report.rejected)) == (150, 100)
    found = pd.read_csv(tmp_path / "all.csv")
    assert found["line"].tolist() == list(range(3, 153))
    json.dumps(report.as_json(), allow_nan=False)
    assert "150 rows rejected" in report.sentences()


def test_roles_are_guessed_from_names_and_overridden() -> None:
    declared = columns.Declared().columns
    roles = columns.interaction_roles(
        ["reviewerID", "parent_asin", "overall", "unixReviewTime"], declared, "f"
    )
    assert (roles.user_id, roles.item_id, roles.rating) == ("reviewerID", "parent_asin", "overall")
    roles = columns.item_roles(
        roles, ["parent_asin", "Title", "Plot", "plot_keywords", "Genres", "poster"], declared, "f"
    )
    assert roles.text == ("Title", "Plot") and roles.category == "Genres"
    assert roles.image == "poster" and "text" in roles.guessed
    mapping = columns.parse_mapping(["text=Plot", "category=", "title_is_text=true"])
    changed = columns.with_mapping(columns.Declared(), mapping).columns
    roles = columns.item_roles(roles, ["parent_asin", "Title", "Plot", "Genres"], changed, "f")
    assert roles.text == ("Plot",) and roles.category is None and changed.title_is_text
    with pytest.raises(InputError, match="no column role 'texts'"):
        columns.with_mapping(columns.Declared(), {"texts": "a"})
    with pytest.raises(InputError, match="no column 'Story'"):
        columns.item_roles(
            roles,
            ["parent_asin"],
            columns.with_mapping(columns.Declared(), {"text": "Story"}).columns,
            "f",
        )
    with pytest.raises(InputError, match="--map user_id=COLUMN"):
        columns.interaction_roles(["a", "b"], declared, "f")


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["Drama|War", "War", ""], "|"),
        (["Clothing, Shoes & Jewelry", "Home, Kitchen"] * 5, None),
        (["a, b", "b, c", "c, a", "a, c", "b, a", "c, b", "a, b, c"], ","),
        (["x", "y"], None),
        (["", ""], None),
    ],
)
def test_category_separator(cells: list[str], separator: str | None) -> None:
    assert columns.guess_separator(pd.Series(cells, dtype="str")) == separator


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("name = ", "is not TOML"),
        ('nmae = "x"', "no key 'nmae'"),
        ('split = "magic"', "split cannot be used"),
        ('split = "fixed"', "neither train, valid and test"),
        ('[features]\nclip = "image"', "no features/clip.npy"),
        ('[columns]\ntext = ["nowhere"]', "items.csv, line 1: there is no column 'nowhere'"),
    ],
)
def test_dataset_toml_mistakes(tmp_path: Path, mmrec_data: Path, toml: str, said: str) -> None:
    up = write(shop(tmp_path / "up"), {"dataset.toml": toml})
    assert said in refused(up, mmrec_data)


@given(st.text(max_size=20))
def test_no_cell_is_run_as_a_formula(text: str) -> None:
    escaped = export.escape_cell(text)
    assert escaped.removeprefix("'") == text or escaped == text
    assert not escaped.lstrip(" \u00a0\ufeff").startswith(tuple("=+-@＝＋－＠\t\r\n|%"))


def test_exported_tables(tmp_path: Path) -> None:
    frame = pd.DataFrame({"=t": ["=1+1", "ok", None], "n": [-1.5, 2, 3]})
    export.write_csv(frame, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines() == [
        "'=t,n", "'=1+1,-1.5", "ok,2.0", ",3.0",
    ]  # fmt: skip
    assert frame.loc[0, "=t"] == "=1+1"
