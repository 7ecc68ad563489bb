"""Small uploads for the tests of this room."""

import io
from pathlib import Path

import numpy as np
from PIL import Image


def picture(kind: str = "JPEG", size: tuple[int, int] = (400, 300), seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (*size[::-1], 3), dtype=np.uint8)
    raw = io.BytesIO()
    Image.fromarray(pixels).save(raw, kind)
    return raw.getvalue()


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


INTERACTIONS = (
    "user_id,item_id,rating,timestamp\n"
    "u1,007,5,10\nu1,b,3,11\nu1,c,4.5,12\nu2,007,2,13\nu2,b,5,14\nu2,c,,15\n"
)
ITEMS = (
    "item_id,title,description,category,price,image\n"
    '007,<b>Mug</b>,"A ""blue"" mug,\nwith handle",kitchen|cups,=1+1,pics/one.jpg\n'
    "b,Lamp,,light,12,\n"
    "c,Chair,Oak.,seats,3,\n"
)


def shop(folder: Path, **changed: str | bytes | None) -> Path:
    """A sound upload; ``changed`` replaces or (None) removes tables by stem."""
    files: dict[str, str | bytes] = {
        "interactions.csv": INTERACTIONS,
        "items.csv": ITEMS,
        "pics/unused.txt": "x",
        "images/pics/one.jpg": picture("JPEG"),
        "images/B.png": picture("PNG", (20, 30), 1),
    }
    for stem, content in changed.items():
        name = f"{stem}.csv"
        if content is None:
            del files[name]
        else:
            files[name] = content
    return write(folder, files)


def readers(folder: Path) -> list[str]:
    """Formats that take an upload for theirs, the surest first."""
    from mmrec_core.datasets.archive import scan
    from mmrec_core.datasets.importers import IMPORTERS

    files = scan(folder, folder.name)
    return [name for name, importer in IMPORTERS.items() if importer.recognises(files)]


def npy(array: object) -> bytes:
    raw = io.BytesIO()
    np.save(raw, np.asarray(array))
    return raw.getvalue()


def refused(path: Path, data: Path, **options: object) -> str:
    """The sentence of a refusal that left nothing behind."""
    import pytest

    from mmrec_core.datasets.install import install
    from mmrec_core.domain import InputError

    with pytest.raises(InputError) as error:
        install(path, **options)  # type: ignore[arg-type]
    assert [str(file) for file in data.rglob("*") if file.is_file()] == []
    assert [str(left) for left in (data / "store" / "tmp").glob("*")] == []
    return str(error.value)
