"""A small dataset in the plain layout, to be filled with one's own: every file explains itself."""

import io
import zipfile

from PIL import Image, ImageDraw

_TOML = """# Everything here may be left out; what is not said is guessed from the names of columns.
name = "my-catalogue"           # small letters, digits, hyphens
title = "My catalogue"
licence = "who may use it"
source = "where it comes from"

[thresholds]
relevant_from = 4               # a held-out rating from here on counts as a hit
k_core = 0                      # users and items with fewer interactions are left out of studies

[columns]
text = ["title", "description"] # what the text encoder reads, in this order
category = "category"
category_separator = "|"
attributes = { colour = "color", material = "material" }  # column -> slot of descriptions

# [features]                    # vectors of your own: features/NAME.npy, one row an item
# NAME = "image"                # image, text or joint
"""

_README = """One row a user and item in interactions.csv, one row an item in items.csv.

interactions.csv  user_id and item_id are needed; rating and timestamp as far as you have them.
items.csv         item_id is needed; image names a file of this folder. Any further column may
                  colour a map or make a slice. Empty cells are normal.
images/           JPEG, PNG, WebP or GIF, called as items.csv says, or ITEM_ID.jpg.
features/         vectors of your own, as NAME.npy: one row an item, in the order of items.csv, or
                  with NAME.ids.txt, one item id a line.
dataset.toml      names and roles of columns.

Zip the folder and give it to the Data page, or type
python -m mmrec_core install FOLDER --name my-catalogue
"""

_ITEMS = (
    ("mug-blue", "Blue mug", "Holds 300 ml, safe in the dishwasher.", "kitchen|cups", "blue",
     "stoneware", (52, 101, 164)),
    ("mug-red", "Red mug", "Holds 250 ml.", "kitchen|cups", "red", "stoneware", (190, 60, 52)),
    ("bowl-green", "Green bowl", "For salad, 24 cm wide.", "kitchen", "green", "glass",
     (88, 140, 82)),
    ("lamp-white", "Desk lamp", "With a flexible arm.", "light", "white", "steel",
     (225, 225, 220)),
    ("lamp-black", "Floor lamp", "1.6 m high.", "light", "black", "steel", (50, 50, 54)),
    ("rug-ochre", "Ochre rug", "", "textiles", "ochre", "wool", (204, 142, 53)),
)  # fmt: skip


def template_zip() -> bytes:
    """The template as a zip, the same bytes at every call; it can be installed as it is."""
    items = ["item_id,title,description,category,colour,material,image"]
    items += [
        f'{key},{title},"{said}",{category},{colour},{material},images/{key}.png'
        for key, title, said, category, colour, material, _ in _ITEMS
    ]
    rows = ["user_id,item_id,rating,timestamp"]
    rows += [
        f"user-{user},{_ITEMS[(user + step) % len(_ITEMS)][0]},{3 + (user + 2 * step) % 3},"
        f"{1_700_000_000 + 86_400 * (7 * user + step)}"
        for user in range(1, 9)
        for step in range(4)
    ]
    files = {
        "README.txt": _README.encode(),
        "dataset.toml": _TOML.encode(),
        "interactions.csv": ("\n".join(rows) + "\n").encode(),
        "items.csv": ("\n".join(items) + "\n").encode(),
        **{f"images/{item[0]}.png": _picture(item[-1]) for item in _ITEMS},
    }
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(
                zipfile.ZipInfo(f"my-catalogue/{name}", (2026, 1, 1, 0, 0, 0)), content
            )
    return raw.getvalue()


def _picture(colour: tuple[int, int, int]) -> bytes:
    picture = Image.new("RGB", (160, 160), (246, 246, 243))
    ImageDraw.Draw(picture).rounded_rectangle((40, 40, 120, 120), 18, fill=colour)
    raw = io.BytesIO()
    picture.save(raw, "PNG", optimize=True)
    return raw.getvalue()
