"""Precomputed features that hold too much, too little, or something else than numbers."""

import io
import json
import struct
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hostile import INSTALLS, REJECTS, Case, in_folder, put
from hostile.sound import INTERACTIONS, ITEMS, csv_of, npy, parquet_of, picture

SHOP = {"interactions.csv": csv_of(INTERACTIONS), "items.csv": csv_of(ITEMS)}
THREE = np.ones((3, 2), dtype=np.float32)


def header(
    shape: str, kind: str = "'<f4'", version: bytes = b"\x01\x00", order: str = "False"
) -> bytes:
    """The beginning of an .npy that claims a shape."""
    said = f"{{'descr': {kind}, 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY" + version + struct.pack("<H", len(said) + 1) + said + b"\n"


def with_(name: str, content: bytes, **more: str | bytes) -> Any:
    return in_folder({**SHOP, f"features/{name}": content, **more})


def npz(*compression: int, **arrays: Any) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", *compression) as archive:
        for name, content in arrays.items():
            archive.writestr(f"{name}.npy", content if isinstance(content, bytes) else npy(content))
    return raw.getvalue()


def tensors(said: Any, payload: bytes = b"", length: int | None = None) -> bytes:
    """A .safetensors with this header."""
    raw = said if isinstance(said, bytes) else json.dumps(said).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + payload


def tensor(shape: list[int], end: int, kind: str = "F32", start: int = 0) -> dict[str, Any]:
    return {"a": {"dtype": kind, "shape": shape, "data_offsets": [start, end]}}


def sparse(name: str, start: bytes, size: int) -> Any:
    """A file that is as long as it claims, of zeros that take no room on the disk."""

    def build(folder: Path) -> Path:
        root = put(folder, {**SHOP, f"features/{name}": start})
        with (root / "features" / name).open("r+b") as file:
            file.truncate(size)
        return root

    return build


def _arrays() -> Iterator[tuple[str, Any, str]]:
    wide = header("(3, 1000000000)")
    objects = io.BytesIO()
    np.save(objects, np.array([[{}], [1], [2]], dtype=object), allow_pickle=True)
    yield "NaN", npy([[1.0, np.nan], [1, 1], [1, 1]]), "the row (item 'i1') holds NaN or infinity"
    yield "infinity", npy([[1.0, 1], [1, 1], [1, -np.inf]]), "line 3: the row (item 'i3')"
    yield "beyond float32", npy([[1.0, 1], [1e39, 1], [1, 1]]), "line 2: the row (item 'i2')"
    yield "too few rows", npy(THREE[:2]), "2 rows, but the items file has 3"
    yield "too many rows", npy(np.ones((4, 2))), "4 rows, but the items file has 3"
    yield "all zeros", npy(np.zeros((3, 2))), "no item has features"
    yield "no rows", npy(np.ones((0, 2))), ""
    yield "no columns", npy(np.ones((3, 0))), ""
    yield "0-d", npy(1.0), "the array has shape ()"
    yield "1-d", npy(np.ones(3)), "the array has shape (3,)"
    yield "3-d", npy(np.ones((3, 2, 2))), "the array has shape (3, 2, 2)"
    yield "32-d", npy(np.ones((1,) * 32)), "the array has shape"
    yield "objects", objects.getvalue(), "holds Python objects"
    yield "texts", npy([["a"], ["b"], ["c"]]), "the array holds <U1"
    yield "bytes", npy([[b"a"], [b"b"], [b"c"]]), "the array holds |S1"
    yield "truths", npy(np.ones((3, 2), dtype=bool)), "the array holds bool"
    yield "complex numbers", npy(np.ones((3, 2), dtype=complex)), "the array holds complex"
    yield "times", npy(np.ones((3, 2), dtype="M8[s]")), "the array holds datetime64[s]"
    yield (
        "a structure",
        npy(np.zeros((3, 2), dtype=[("a", "f4"), ("b", "f4")])),
        "the array holds [",
    )
    long = [(f"field{k}", "f4") for k in range(400)]
    yield "a long structure", npy(np.zeros((3, 2), dtype=long)), "array holds ["
    yield "voids", npy(np.zeros((3, 2), dtype="V8")), "the array holds |V8"
    yield "nothing", b"", "not a readable .npy"
    yield "its magic only", b"\x93NUMPY", "not a readable .npy"
    yield "garbage", b"\x80\x04garbage", "features/clip.npy"
    yield (
        "a pickle",
        b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00cos\nsystem\n.",
        "features/clip.npy",
    )
    yield "cut off", npy(THREE)[:-3], "not a readable .npy"
    yield "cut in the header", npy(THREE)[:40], "not a readable .npy"
    yield "claims terabytes", header("(3, 1000000000000)"), "not a readable .npy"
    yield "claims beyond 64 bits", header(f"(3, {10**30})"), "not a readable .npy"
    yield "claims a negative shape", header("(3, -2)") + bytes(24), "not a readable .npy"
    yield "claims a shape of text", header("('a', 2)"), "not a readable .npy"
    yield "a header of code", header("__import__('os').system('id')"), "not a readable .npy"
    yield "a header of nothing", b"\x93NUMPY\x01\x00\x00\x00", "not a readable .npy"
    yield "a deep header", header("(" * 900 + ")" * 900), "not a readable .npy"
    yield "an unknown version", b"\x93NUMPY\x09\x00" + header("(3, 2)")[8:], "not a readable .npy"
    claims = b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1)
    yield "a header of 4 GiB", claims, "its header is too long"
    yield "an .npz under its name", npz(a=THREE), "features/clip.npy"
    yield "a picture under its name", picture(), "features/clip.npy"
    yield "text under its name", b"1.0,2.0\n1.0,2.0\n", "features/clip.npy"
    yield "a wide one", sparse("clip.npy", wide, len(wide) + 12 * 10**9), "numbers an item"
    tall = header("(3000000000, 1)")
    yield "a tall one", sparse("clip.npy", tall, len(tall) + 12 * 10**9), "3,000,000,000 rows"
    vast = b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1)
    yield "a header of 4 GiB on disk", sparse("clip.npy", vast, 6 * 2**30), "header is too long"


def _packed() -> Iterator[tuple[str, Any, str]]:
    zeros = np.zeros((3, 10**6), dtype=np.float32)
    objects = io.BytesIO()
    np.save(objects, np.array([[{}]] * 3, dtype=object), allow_pickle=True)
    yield "two arrays", npz(a=THREE, b=THREE), "it holds 2 arrays (a, b)"
    yield "no array", npz(), "it holds 0 arrays (none)"
    yield "objects", npz(a=objects.getvalue()), "holds Python objects"
    yield "bomb", npz(zipfile.ZIP_DEFLATED, a=zeros), "GiB are allowed"
    lying = bytearray(npz(zipfile.ZIP_DEFLATED, a=zeros))
    for at in (22, lying.index(b"PK\x01\x02") + 24):
        lying[at : at + 4] = struct.pack("<I", 200)
    yield "bomb that lies about its size", bytes(lying), "not a readable .npz"
    yield "array that claims terabytes", npz(a=header("(3, 1000000000000)")), "not a readable .npz"
    for name, way in (("LZMA", zipfile.ZIP_LZMA), ("bzip2", zipfile.ZIP_BZIP2)):
        yield f"packed by {name}", npz(way, a=THREE), "not packed as NumPy packs"
    yield "garbage", b"PK\x03\x04garbage", "not a readable .npz"
    yield "cut off", npz(a=THREE)[:-30], "not a readable .npz"
    yield "an .npy under its name", npy(THREE), "not a readable .npz"
    yield "a name that leaves", npz(**{"../../evil": THREE}), ""
    wrong = bytearray(npz(a=THREE))
    wrong[14:18] = b"\0\0\0\0"
    wrong[wrong.index(b"PK\x01\x02") + 16 :][:4] = b""
    at = wrong.index(b"PK\x01\x02") + 16
    wrong[at : at + 4] = b"\1\2\3\4"
    yield "a wrong checksum", bytes(wrong), "not a readable .npz"


def _tensors() -> Iterator[tuple[str, Any, str]]:
    ones = THREE.tobytes()
    yield "nothing", b"", "not a readable .safetensors"
    yield "no tensor", tensors({}), "it holds 0 arrays"
    two = {"a": tensor([3, 2], 24)["a"], "b": tensor([3, 2], 48, start=24)["a"]}
    yield "two tensors", tensors(two, ones * 2), "it holds 2 arrays (a, b)"
    yield "no JSON", tensors(b"{no json"), "not a readable .safetensors"
    yield "deep JSON", tensors(b"[" * 50_000), "not a readable .safetensors"
    yield "half a surrogate pair", tensors(b'{"\\ud800": 1}'), "not a readable .safetensors"
    yield "a header beyond 64 bits", tensors({}, length=2**64 - 1), "not a readable .safetensors"
    yield "a header beyond the file", tensors({}, length=10**7), "not a readable .safetensors"
    yield "too little", tensors(tensor([3, 2], 24), ones[:9]), "not a readable .safetensors"
    yield "too much", tensors(tensor([3, 2], 24), ones * 9), "not a readable .safetensors"
    yield "a wrong shape", tensors(tensor([3, 9], 24), ones), "not a readable .safetensors"
    far = tensors(tensor([3, 2], 2**63), ones)
    yield "offsets far away", far, "not a readable .safetensors"
    back = tensors(tensor([3, 2], 0, start=24), ones)
    yield "offsets backwards", back, "not a readable .safetensors"
    half = tensors(tensor([3, 2], 12, "BF16"), ones[:12])
    yield "bfloat16", half, "save it as float32"
    yield (
        "an unknown kind",
        tensors(tensor([3, 2], 24, "F999"), ones),
        "not a readable .safetensors",
    )
    yield "truths", tensors(tensor([3, 2], 6, "BOOL"), b"\1" * 6), "the array holds bool"
    wide = tensors(tensor([3, 10**9], 12 * 10**9))
    yield "a wide one", sparse("clip.safetensors", wide, len(wide) + 12 * 10**9), "GiB are allowed"


def _columnar() -> Iterator[tuple[str, Any, str]]:
    x = [1.0, 2.0, 3.0]
    yield "words", parquet_of({"x": x, "colour": list("abc")}), "'colour' holds no numbers"
    yield "lists of unlike length", parquet_of({"v": [[1.0], [1.0, 2.0], [3.0]]}), "equally many"
    yield "lists of words", parquet_of({"v": [["a"], ["b"], ["c"]]}), "features/clip.parquet"
    yield "structs", parquet_of({"v": [{"a": 1.0}] * 3}), "features/clip.parquet"
    yield "empty lists", parquet_of({"v": [[], [], []]}), "features/clip.parquet"
    yield "bytes", parquet_of({"v": [b"a", b"b", b"c"]}), "features/clip.parquet"
    yield "nulls", parquet_of({"x": [1.0, None, 2.0]}), "holds NaN or infinity"
    yield "an item twice", parquet_of({"item_id": ["i1", "i2", "i2"], "x": x}), "already on row 2"
    yield "other items", parquet_of({"item_id": list("xyz"), "x": x}), "no id of the column item_id"
    zeros = {f"c{k}": np.zeros(3) for k in range(50)}
    yield "bomb", parquet_of({"x": np.zeros(600_000)}), "GiB are allowed"
    yield "too few rows", parquet_of({name: column[:2] for name, column in zeros.items()}), "2 rows"
    once = pa.array(["x" * 10**6])
    zeros_ = pa.array(np.zeros(400_000, dtype=np.int32))
    text = pa.DictionaryArray.from_arrays(zeros_, once)
    yield "bomb of words", parquet_of({"x": text}), "features/clip.parquet"
    ids = parquet_of({"item_id": text, "x": np.zeros(400_000)})
    yield "bomb of ids", ids, "GiB are allowed"
    yield "garbage", b"PAR1garbagePAR1", "not a readable .parquet"
    yield "nothing", b"", "not a readable .parquet"
    invalid = pa.Array.from_buffers(
        pa.string(), 3, [None, pa.py_buffer(struct.pack("<4i", 0, 1, 2, 3)),
                         pa.py_buffer(b"\xff\xfe\xfd")])  # fmt: skip
    ids = pa.table({"item_id": invalid, "x": pa.array(x)})
    yield "ids that are no UTF-8", parquet_of(ids), "features/clip.parquet"
    twice = pa.table([pa.array(x), pa.array(x)], names=["x", "x"])
    yield "a column twice", parquet_of(twice), ""


def cases() -> Iterator[Case]:
    """All of them: each is one finding, and the rest of the upload is sound."""
    for suffix, group in (
        ("npy", _arrays), ("npz", _packed), ("safetensors", _tensors), ("parquet", _columnar)
    ):  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = list(group())
        for name, content, says in found:
            build = content if callable(content) else with_(f"clip.{suffix}", content)
            sound = not says
            yield Case(
                f"features, {suffix}: {name}", build, "survives" if sound else REJECTS, says, 1
            )
    for name, array in (
        ("Fortran order", np.asfortranarray(THREE)), ("big-endian", THREE.astype(">f4")),
        ("whole numbers", THREE.astype(np.int64)), ("half floats", THREE.astype(np.float16)),
        ("long doubles", THREE.astype(np.longdouble)), ("a row of zeros", np.eye(3)[:, :2]),
    ):  # fmt: skip
        yield Case(f"npy: {name}", with_("clip.npy", npy(array)), INSTALLS,
                   facts={"features": {"clip": "joint"}})  # fmt: skip
    for name, ids, says in (
        ("too few ids", "i1\ni2\n", "has 2 lines"),
        ("an id twice", "i1\ni2\ni1\n", "line 3: 'i1' is already on line 1"),
        ("other ids", "x\ny\nz\n", "no id of clip.ids.txt is the id of an item"),
        ("ids in UTF-16", "i1\ni2\ni3\n".encode("utf-16"), "clip.ids.txt is not UTF-8"),
        ("ids of nothing", "", "has 0 lines"),
        ("long ids", "x" * 300_000 + "\ni2\ni2\n", ""),
    ):
        build = with_("clip.npy", npy(THREE), **{"features/clip.ids.txt": ids})
        yield Case(f"ids: {name}", build, REJECTS if says else "survives", says, 1)
    two = {"features/a.npy": npy(THREE), "features/a.npz": npz(a=THREE)}
    yield Case("two features of one name", in_folder({**SHOP, **two}), "refused", "one name")
