"""Tables whose rows, cells or columns are hostile; and what exactly is said of each."""

import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from hostile import INSTALLS, REFUSED, REJECTS, SURVIVES, Case, in_folder, in_list, put, single
from hostile.sound import INTERACTIONS, ITEMS, csv_of, npy, parquet_of, picture

HEAD = "user_id,item_id,rating,timestamp\n"
ROWS = "u1,i1,5,1\nu1,i2,3,2\nu2,i1,4,3\n"
GOODS = csv_of(ITEMS)
BOM = "\ufeff"


def rows(added: str | bytes, head: str = HEAD, **more: str | bytes) -> Any:
    """An upload whose interactions are sound but for what is added."""
    raw = added if isinstance(added, bytes) else added.encode()
    return in_folder({"interactions.csv": (head + ROWS).encode() + raw, **more})


def records(added: str, name: str = "interactions.jsonl") -> Any:
    sound = "".join(f'{{"user_id": "u{k}", "item_id": "i1", "rating": {k}}}\n' for k in (1, 2, 3))
    return in_folder({name: sound + added})


def goods(added: str) -> Any:
    return in_folder({"interactions.csv": HEAD + ROWS, "items.csv": GOODS + added})


def typed(**columns: Any) -> Any:
    """Interactions in Parquet with further, or other, columns of five rows."""
    return in_folder({"interactions.parquet": parquet_of(pa.table({**INTERACTIONS, **columns}))})


# Rows of CSV, one of which is unsound


def _cells() -> Iterator[Case]:
    one = {"facts": {"n_interactions": 3}, "outcome": REJECTS, "count": 1}
    for name, row, says in (
        ("too few cells", "u9,i1\n", "line 5: 2 cells, and 4 columns are in the header"),
        ("too many cells", "u9,i1,5,4,5\n", "line 5: 5 cells"),
        ("no user", ",i1,5,4\n", "the cell of column 'user_id' is empty"),
        ("user of spaces", "  ,i1,5,4\n", "'user_id' is empty"),
        ("no item", "u9,,5,4\n", "'item_id' is empty"),
        ("rating in words", "u9,i1,five,4\n", "the rating 'five' is not a number"),
        ("rating of formula", "u9,i1,=1+1,4\n", "the rating '=1+1'"),
        ("rating NaN", "u9,i1,NaN,4\n", "the rating 'NaN'"),
        ("rating infinite", "u9,i1,-inf,4\n", "the rating '-inf'"),
        ("rating 1e400", "u9,i1,1e400,4\n", "the rating '1e400'"),
        ("rating beyond float32", "u9,i1,1e39,4\n", "the rating '1e39'"),
        ("rating of many digits", f"u9,i1,{'9' * 5000},4\n", "the rating '999"),
        ("rating in hexadecimal", "u9,i1,0x10,4\n", "the rating '0x10'"),
        ("rating with comma", 'u9,i1,"4,5",4\n', "the rating '4,5'"),
        ("time in words", "u9,i1,5,yesterday\n", "neither a number nor an ISO date"),
        ("time 1e400", "u9,i1,5,1e400\n", "the timestamp '1e400'"),
        ("time beyond 64 bits", "u9,i1,5,9223372036854775813\n", "the timestamp '9223372036854775"),
        ("time of many digits", f"u9,i1,5,{'9' * 5000}\n", "the timestamp '999"),
        ("time infinite", "u9,i1,5,inf\n", "the timestamp 'inf'"),
        ("a 13th month", "u9,i1,5,2020-13-01\n", "the timestamp '2020-13-01'"),
        ("quotation never closed", 'u9,"i1,5,4\n', "never closed"),
        ("text after a quotation", 'u9,"i1"x,5,4\n', "text follows a closing quotation mark"),
        ("a long cell", f"u9,{'x' * 20_001},5,4\n", "longer than 20,000 characters"),
    ):  # fmt: skip
        yield Case(f"csv: {name}", rows(row), says=says, **one)  # type: ignore[arg-type]
    latin = Case("csv: Latin-1", rows(b"u\xe99,i1,5,4\n"), says="byte 0xe9 is not UTF-8", **one)  # type: ignore[arg-type]
    yield latin
    surrogate = rows(b"u\xed\xa0\x809,i1,5,4\n")
    yield Case("csv: half a surrogate pair", surrogate, says="is not UTF-8", **one)  # type: ignore[arg-type]
    for name, row, n in (
        ("negative time", "u9,i1,5,-62135596800\n", 4),
        ("a time 9,000 years ago", "u9,i1,5,-9999-01-01\n", None),
        ("time far ahead", "u9,i1,5,9223372036854775807\n", 4),
        ("empty rating and time", "u9,i1,,\n", 4),
        ("negative rating", "u9,i1,-1e30,4\n", 4),
        ("the same row again", "u1,i1,5,1\n", 3),
        ("NUL in an id", "u\0,i1,5,4\n", 4),
        ("escape codes in an id", "\x1b[31mu,i1,5,4\n", 4),
        ("line break in an id", '"u\n9",i1,5,4\n', 4),
        ("ids with slashes", "../../u9,/etc/passwd,5,4\n", 4),
        ("ids of Windows paths", "..\\u9,C:\\con,5,4\n", 4),
        ("an id of 10,000 characters", f"{'u' * 10_000},{'i' * 10_000},5,4\n", 4),
        ("HTML in ids", "<script>alert(1)</script>,<img src=x onerror=alert(1)>,5,4\n", 4),
        ("formulas in ids", "=cmd|' /C calc'!A0,\"@SUM(1,1)\",5,4\n", 4),
        ("ids that look absent", "nan,null,5,4\nNone,NA,5,4\n", 5),
        ("characters from right to left", "\u202eu9\u202c,\u200b,5,4\n", 4),
        ("composed and decomposed", "\u00e9,i1,5,4\ne\u0301,i1,5,4\n", 5),
        ("ids of numbers in two ways", "007,1.0,5,4\n7,1,5,4\n", 5),
    ):
        facts = {} if n is None else {"n_interactions": n}
        yield Case(f"csv: {name}", rows(row), INSTALLS if n else SURVIVES, facts=facts)
    lines = "".join(f"u{k},i1,bad\n" for k in range(150))
    yield Case("csv: 150 bad rows", rows(lines), REJECTS, "line 5", 150)


def _files() -> Iterator[Case]:
    def whole(name: str, content: str | bytes, *rest: Any, **more: Any) -> Case:
        return Case(f"csv: {name}", in_folder({"interactions.csv": content}), *rest, **more)

    wide = ",".join(f"c{k}" for k in range(10_000))
    yield whole("nothing", "", REFUSED, "interactions.csv is empty")
    yield whole("spaces", " \n \n", REFUSED)
    yield whole("header only", HEAD, REFUSED, "holds no interaction that can be used")
    yield whole("no header", ROWS, REFUSED, "no column for the users")
    yield whole("UTF-16", (HEAD + ROWS).encode("utf-16"), REFUSED, "is UTF-16")
    yield whole("UTF-16, big end first", (BOM + HEAD + ROWS).encode("utf-16-be"), REFUSED, "UTF-16")
    bare = (HEAD + ROWS).encode("utf-16-le")
    yield whole("UTF-16 without mark", bare, REFUSED, "no text in UTF-8")
    yield whole("byte-order mark", BOM + HEAD + ROWS, INSTALLS, facts={"n_interactions": 3})
    macs = (HEAD + ROWS).replace("\n", "\r")
    yield whole("ends of lines of old Macs", macs, REFUSED, "line ends of old Macs")
    yield whole("10,000 columns", f"{wide}\n{wide}\n", REFUSED, "10,000 columns; at most 200")
    yield whole("10,000 columns alike", f"{'a,' * 9_999}a\n", REFUSED, "10,000 columns")
    doubled = "user_id,item_id,user_id\nu,i,v\n"
    yield whole("a column twice", doubled, REFUSED, "two columns are called 'user_id'")
    spaces = "user_id,item_id, item_id \nu,i,v\n"
    yield whole("a column twice but for spaces", spaces, REFUSED, "two columns are called")
    braces = "{user_id},{0} item_id\nu,i\n,i\n"
    yield whole("braces in column names", braces, REJECTS, "'{user_id}' is empty", 1,
                options={"mapping": {"item_id": "{0} item_id"}})  # fmt: skip
    nameless = ",,user_id,item_id\n1,2,u,i\n"
    yield whole("columns without names", nameless, INSTALLS)
    same = "id,rating\nu,5\n"
    yield whole("one column for both", same, REFUSED, "no column for the users")
    long = f"{'x' * 15_000},{'y' * 15_000}\n1,2\n"
    yield whole("long column names", long, REFUSED, "no column for the users")
    yield whole("control characters in names", "\x1b[2J,\a\n1,2\n", REFUSED, "no column for the")
    html = '<b onclick="x()">user</b>,item\n1,2\n'
    yield whole("HTML in names", html, REFUSED)
    yield whole("endless line", HEAD + "x" * 400_000, REFUSED, "the line is longer than")
    quoted = HEAD + 'u,"' + "x\n" * 150_000
    yield whole("endless quotation", quoted)
    # Every cell is short and every line is short; the row never ends.
    spread = HEAD + '"' + 'x\n","' * 150_000
    yield whole("a row over endless lines", spread, REFUSED, "the row is longer than")
    many = HEAD + "u1,i1,5,1\n" * 20_001
    yield whole("too many rows", many, REFUSED, "more than 20,000 rows")
    yield whole("a zip under its name", b"PK\x03\x04" + bytes(500), REFUSED)
    yield whole("a picture under its name", picture(), REFUSED)
    yield Case(
        "a table under the name of a zip", single("up.zip", HEAD + ROWS), REFUSED, "not a zip"
    )
    yield Case("text under the name of Parquet", single("t.parquet", HEAD + ROWS), REFUSED,
               "t.parquet cannot be read as Parquet")  # fmt: skip
    yield Case("text under the name of Arrow", single("t.arrow", HEAD + ROWS), REFUSED,
               "t.arrow cannot be read as Arrow")  # fmt: skip
    yield Case("one file of unknown kind", single("t.xlsx", b"PK"), REFUSED, "t.xlsx")
    yield Case("a program", single("setup.exe", b"MZ" + bytes(99)), REFUSED, "setup.exe")
    yield Case("an empty folder", in_folder({}), REFUSED, "nothing")
    yield Case("junk only", in_folder({".DS_Store": "x", "__MACOSX/._a.csv": "x"}), REFUSED)
    two = {"interactions.csv": HEAD + ROWS, "interactions.tsv": "x"}
    yield Case("two tables of interactions", in_folder(two), REFUSED, "keep one of them")
    yield Case("a list of files", in_list({"interactions.csv": HEAD + ROWS, "items.csv": GOODS}),
               INSTALLS)  # fmt: skip
    for name in ("../interactions.csv", "/etc/interactions.csv", "a\\interactions.csv", "a\0b.csv"):
        listed = in_list({name: HEAD + ROWS})
        yield Case(f"a list with {name!r}", listed, REFUSED, "is refused")
    yield Case("a list with half a surrogate pair", in_list({"\ud800.csv": HEAD + ROWS}), REFUSED,
               "is refused: its name is no text")  # fmt: skip


def odd_names(folder: Path) -> Path:
    """A file whose name is no UTF-8, as old archives leave them."""
    root = put(folder, {"items.csv": GOODS})
    (root / "orders\udcff.csv").write_text(HEAD + ROWS)
    return root


def escapes(folder: Path) -> Path:
    root = put(folder, {"items.csv": GOODS})
    (root / "\x1b[31morders\n.csv").write_text(HEAD + ROWS + "broken\n")
    return root


def _items() -> Iterator[Case]:
    none = '"<script>alert(1)</script>",'
    yield Case("items: the same id again", goods("i1,Mug,,\n"), REJECTS,
               "item 'i1' is already on line 2", 1)  # fmt: skip
    yield Case("items: no id", goods(",Mug,,\n"), REJECTS, "'item_id' is empty", 1)
    yield Case("items: ragged", goods("i9\n"), REJECTS, "1 cells", 1)
    yield Case("items: HTML and formulas", goods(f"i9,{none}=1+1,@x\n"), INSTALLS)
    yield Case("items: a long text", goods(f"i9,{'x' * 19_000},,\n"), INSTALLS)
    yield Case("items: only others", in_folder(
        {"interactions.csv": HEAD + ROWS, "items.csv": "item_id,title\nx,Mug\n"}), REFUSED,
        "No item of the interactions is in items.csv")  # fmt: skip
    yield Case("items: header only", in_folder(
        {"interactions.csv": HEAD + ROWS, "items.csv": "item_id,title\n"}), REFUSED,
        "nothing: it has no rows")  # fmt: skip
    yield Case("items: no id column", in_folder(
        {"interactions.csv": HEAD + ROWS, "items.csv": "titel,preis\nx,1\n"}), REFUSED,
        "no column for the item id")  # fmt: skip
    own = csv_of(
        {**ITEMS, "text": list("abc"), "image_sha256": list("abc"), "file_text": list("xyz")}
    )
    yield Case("items: columns called as ours", in_folder(
        {"interactions.csv": HEAD + ROWS, "items.csv": own}), SURVIVES)  # fmt: skip
    paths = ["../../secret.jpg", "/etc/passwd", "images/../../canary.txt"]
    yield Case("items: pictures outside", in_folder({"interactions.csv": HEAD + ROWS,
               "items.csv": csv_of({**ITEMS, "image": paths})}), INSTALLS,
               facts={"n_missing_images": 3, "n_absent_images": 3})  # fmt: skip
    web = ["file:///etc/passwd", "javascript://alert(1)", "http://169.254.169.254/latest"]
    yield Case("items: pictures of the web", in_folder({"interactions.csv": HEAD + ROWS,
               "items.csv": csv_of({**ITEMS, "image": web})}), INSTALLS, "nothing is downloaded",
               facts={"n_missing_images": 3})  # fmt: skip
    yield Case("a name that is no UTF-8", odd_names, REFUSED, "no text in UTF-8")
    yield Case("a name with escape codes", escapes, REFUSED, "control characters")


# JSON lines


def _records() -> Iterator[Case]:
    for name, line, says in (
        ("no JSON", "{user_id: 1}\n", "this is not JSON"),
        ("cut off", '{"user_id": "u9", "item\n', "this is not JSON"),
        ("an array", '["u9", "i1"]\n', "each line must be a JSON object"),
        ("a number", "1e400\n", "each line must be a JSON object"),
        ("deep nesting", '{"user_id":' * 20_000 + "\n", "this is not JSON"),
        ("rating as text", '{"user_id": "u", "item_id": "i1", "rating": "good"}\n', "'good'"),
        ("rating as object", '{"user_id": "u", "item_id": "i1", "rating": {"a": 1}}\n', "rating"),
        ("rating as list", '{"user_id": "u", "item_id": "i1", "rating": [1, 2]}\n', "'1|2'"),
        ("rating true", '{"user_id": "u", "item_id": "i1", "rating": true}\n', "'true'"),
        ("rating 1e400", '{"user_id": "u", "item_id": "i1", "rating": 1e400}\n', "'1e400'"),
        ("a number of many digits", f'{{"user_id": 1, "item_id": 2, "rating": {"9" * 5000}}}\n',
         "the rating '99"),
        ("user null", '{"user_id": null, "item_id": "i1"}\n', "'user_id' is empty"),
        ("no item", '{"user_id": "u"}\n', "'item_id' is empty"),
        ("a long cell", f'{{"user_id": "u", "item_id": "{"x" * 20_001}"}}\n', "20,000 characters"),
    ):  # fmt: skip
        yield Case(f"jsonl: {name}", records(line), REJECTS, says, 1)
    for name, line in (
        ("half a surrogate pair", '{"user_id": "u\\ud800", "item_id": "\\udfff", "\\ud83d": 1}\n'),
        ("a whole pair", '{"user_id": "\\ud83d\\ude00", "item_id": "i1"}\n'),
        ("NaN and infinity", '{"user_id": "u", "item_id": "i1", "rating": NaN, "x": Infinity}\n'),
        ("a key twice", '{"user_id": "u", "user_id": "v", "item_id": "i1"}\n'),
        ("objects for ids", '{"user_id": {"a": [1]}, "item_id": [1, [2]]}\n'),
        ("NUL in an id", '{"user_id": "u\\u0000", "item_id": "\\u001b[31m"}\n'),
        ("a prototype", '{"user_id": "u", "item_id": "i1", "__proto__": {"x": 1}}\n'),
        ("no keys", "{}\n"),
        ("an empty key", '{"": 1, "user_id": "u", "item_id": "i1"}\n'),
    ):
        yield Case(f"jsonl: {name}", records(line), SURVIVES if name == "no keys" else INSTALLS)
    # A parser and a writer of JSON give up at different depths; between them lies a gap.
    for depth in range(500, 1_000, 25):
        nested = "[" * depth + "{}" + "]" * depth
        line = f'{{"user_id": "u", "item_id": "i1", "x": {nested}}}\n'
        yield Case(f"jsonl: {depth} lists in each other", records(line), SURVIVES)
        if depth % 100 == 0:
            half = f'{{"user_id": "\\ud800", "item_id": "i1", "x": {nested}}}\n'
            yield Case(f"jsonl: {depth} lists and half a pair", records(half), SURVIVES)
    keys = "{" + ", ".join(f'"k{k}": 1' for k in range(300)) + "}\n"
    yield Case("jsonl: too many keys", records(keys), REFUSED, "303 columns; at most 200")
    yield Case("jsonl: keys but for spaces", records('{"user_id ": 1}\n'), REFUSED, "two columns")
    array = {"interactions.jsonl": '[{"user_id": 1},\n{"user_id": 2}]'}
    yield Case("jsonl: one array", in_folder(array), REFUSED, "is one JSON array")
    one = {"interactions.jsonl": '[{"user_id": 1, "item_id": 2}]'}
    yield Case("jsonl: one array on one line", in_folder(one), REFUSED)
    yield Case("jsonl: nothing", in_folder({"interactions.jsonl": ""}), REFUSED, "no JSON object")


# Parquet


def _columnar() -> Iterator[Case]:
    five = {
        "decimals": pa.array([Decimal("1.10")] * 5),
        "times": pa.array([2**62] * 5, pa.timestamp("ns")),
        "times far away": pa.array([-(2**62)] * 5, pa.timestamp("us", tz="Asia/Tokyo")),
        "dates": pa.array([2**30] * 5, pa.date32()),
        "durations": pa.array([1] * 5, pa.duration("s")),
        "bytes": pa.array([b"\xff\x00"] * 5),
        "bytes of fixed size": pa.array([b"\xff\x00"] * 5, pa.binary(2)),
        "lists of bytes": pa.array([[b"\xff"]] * 5),
        "structs": pa.array([{"a": {"b": [1, None]}}] * 5),
        "structs of bytes": pa.array([{"bytes": b"\xff", "path": "x"}] * 5),
        "lists of structs": pa.array([[{"a": float("nan")}]] * 5),
        "lists of fixed size": pa.array([[1.0, 2.0]] * 5, pa.list_(pa.float32(), 2)),
        "maps": pa.array([[("a", 1)]] * 5, pa.map_(pa.string(), pa.int64())),
        "nulls": pa.nulls(5),
        "dictionaries": pa.array(["a", None, "b", "a", "a"]).dictionary_encode(),
        "half floats": pa.array([1.5] * 5, pa.float16()),
        "lists of times": pa.array([[2**62]] * 5, pa.list_(pa.timestamp("ns"))),
        "floats": pa.array([float("nan"), float("inf"), -0.0, 1e300, None]),
    }
    for name, array in five.items():
        yield Case(f"parquet: {name}", typed(extra=array), SURVIVES)
        yield Case(f"parquet: {name} for items", typed(item_id=array), SURVIVES)
    yield Case("parquet: bytes are left out", typed(extra=five["bytes"]), INSTALLS, "holds bytes")
    invalid = pa.Array.from_buffers(
        pa.string(), 5,
        [None, pa.py_buffer(b"".join(k.to_bytes(4, "little") for k in range(6))),
         pa.py_buffer(b"\xff\xfe\xfd\xfc\xfb")],
    )  # fmt: skip
    yield Case("parquet: text that is no UTF-8", typed(item_id=invalid), REFUSED, "UTF-8")
    nested = pa.ListArray.from_arrays(pa.array([0, 1, 2, 3, 4, 5], pa.int32()), invalid)
    yield Case("parquet: lists that are no UTF-8", typed(extra=nested), REFUSED, "UTF-8")
    long = pa.array(["x" * 30_000, *"abcd"])
    yield Case("parquet: a long cell", typed(item_id=long), REJECTS, "20,000 characters", 1)
    empty = parquet_of({name: pa.array([], pa.string()) for name in INTERACTIONS})
    yield Case("parquet: no rows", in_folder({"interactions.parquet": empty}), REFUSED, "no inter")
    columns = {f"c{k}": [1] for k in range(300)}
    yield Case("parquet: 300 columns", in_folder(
        {"interactions.parquet": parquet_of(columns)}), REFUSED, "300 columns")  # fmt: skip
    twice = pa.table([pa.array([1]), pa.array([2])], names=["user_id", "user_id"])
    doubled = in_folder({"interactions.parquet": parquet_of(twice)})
    yield Case("parquet: a column twice", doubled, REFUSED, "two columns are called")
    many = parquet_of({"user_id": ["u"] * 20_001, "item_id": ["i"] * 20_001})
    yield Case("parquet: too many rows", in_folder(
        {"interactions.parquet": many}), REFUSED, "20,001 rows; at most 20,000")  # fmt: skip
    # One long text that is stored once and meant in every row.
    once = pa.array(["x" * 19_000])
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 9_000, pa.int32()), once)
    bomb = parquet_of({"user_id": ["u"] * 9_000, "item_id": ["i"] * 9_000, "story": text})
    yield Case("parquet: bomb", in_folder({"interactions.parquet": bomb}), SURVIVES)
    yield Case("parquet: an .npy under its name", in_folder(
        {"interactions.parquet": npy([1.0])}), REFUSED, "cannot be read as Parquet")  # fmt: skip
    raw = io.BytesIO(parquet_of(INTERACTIONS)).getvalue()
    for at in range(40, len(raw), len(raw) // 12):
        flipped = raw[:at] + bytes([raw[at] ^ 0x55]) + raw[at + 1 :]
        yield Case(f"parquet: byte {at} changed", in_folder({"interactions.parquet": flipped}))


def cases() -> Iterator[Case]:
    """All of them."""
    for group in (_cells, _files, _items, _records, _columnar):
        yield from group()
