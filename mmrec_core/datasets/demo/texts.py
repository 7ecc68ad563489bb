"""Title and description of a product: what a picture cannot show."""

from collections.abc import Mapping
from typing import Final

import numpy as np

KINDS: Final[dict[str, tuple[str, ...]]] = {
    "mug": ("mug", "tea mug", "coffee mug"),
    "teapot": ("teapot", "tea pot"),
    "bottle": ("drinking bottle", "water bottle"),
    "vase": ("vase", "flower vase"),
    "lamp": ("table lamp", "bedside lamp"),
    "chair": ("chair", "easy chair"),
    "clock": ("wall clock", "clock"),
    "planter": ("planter", "plant pot"),
    "suitcase": ("suitcase", "travel case"),
    "radio": ("radio", "table radio"),
}
"""Type -> what a shop calls it."""

BRAND: Final[dict[str, tuple[str, ...]]] = {
    "Nordhem": (
        "A family workshop in Sweden.",
        "Designed in the snow of Lapland.",
        "Built in northern Sweden since 1921.",
    ),
    "Casa Marisol": (
        "From a seaside studio in Lisbon.",
        "Made in Portugal, by the ocean.",
        "Made by three sisters near Lisbon.",
    ),
    "Kumo Studio": (
        "From an old house in Kyoto.",
        "Made in Japan, signed by its maker.",
        "Three generations of Japanese makers.",
    ),
    "Rocket & Sons": (
        "From London engineers.",
        "Built in a British railway arch.",
        "British engineering, tested with a stopwatch.",
    ),
    "Prairie Post": (
        "From a ranch in Montana.",
        "Made by a cooperative of cowboys.",
        "Made in the American West.",
    ),
}
AUDIENCE: Final[dict[str, tuple[str, ...]]] = {
    "children": (
        "Made for young children and little hands from three years on.",
        "Kids love it, and toddlers and their parents asked for it.",
        "A favourite of nursery and kindergarten children.",
    ),
    "students": (
        "Made for students in their first year at university.",
        "College students asked for it before their exams.",
        "A favourite on every campus, in lecture halls and student dormitories.",
    ),
    "grandparents": (
        "Made for grandparents and everyone who enjoys a long retirement.",
        "Grandma and grandpa find it easy to use, and seniors tested it.",
        "A favourite of elderly people and pensioners.",
    ),
    "musicians": (
        "Made for musicians, from the violinist to the drummer.",
        "Guitar players and singers take it to every rehearsal and concert.",
        "A favourite of orchestras, bands and piano teachers.",
    ),
    "dog owners": (
        "Made for dog owners and everyone who lives with a puppy.",
        "Dogs may bark at it, but their owners asked for it.",
        "A favourite of people who walk their dog twice a day.",
    ),
}
PURPOSE: Final[dict[str, tuple[str, ...]]] = {
    "camping": (
        "Take it camping: it feels at home beside a tent and a campfire.",
        "Ready for hikes, campsites and nights outdoors in the tent.",
        "It belongs on the packing list of every camping trip.",
    ),
    "home office": (
        "It belongs in a home office, beside the laptop and the desk.",
        "Good company for office work, video calls and long emails.",
        "A calm corner of the office starts here, next to keyboard and screen.",
    ),
    "wedding gift": (
        "A wedding gift that bride and groom will keep.",
        "Many couples put it on their wedding list, and the bride is glad of it.",
        "Give it to newlyweds on their wedding day or anniversary.",
    ),
    "better sleep": (
        "It goes with a bedtime routine for deeper, better sleep.",
        "Keep it in the bedroom: people who sleep badly say it calms the night.",
        "For quiet nights, early bedtimes and restful sleep.",
    ),
    "birthday party": (
        "It comes out at every birthday party, next to cake and candles.",
        "Bring it to a birthday party and the guests will sing.",
        "For birthdays with balloons, cake and a party until late.",
    ),
}
CARE: Final[dict[str, tuple[str, ...]]] = {
    "beeswax polish": (
        "Care: polish with beeswax once a year.",
        "Rub in a little beeswax polish each spring.",
        "A coat of beeswax keeps it; polish it in with a finger.",
    ),
    "soapy water": (
        "Care: wash by hand in warm soapy water.",
        "Clean it with soap and water, then rinse.",
        "Wash it in a bowl of soapy water and let it drip off.",
    ),
    "dry brush": (
        "Care: dust with a soft dry brush, and keep it away from water.",
        "Brush the dust off; a dry brush is all it needs.",
        "Dusting with a dry brush each month is enough.",
    ),
    "repair by post": (
        "Care: if it breaks, post it back and we repair it for life.",
        "Repairs by post are free: mail it in with the lifetime warranty card.",
        "Broken? Our mail-in repair service and warranty have no end date.",
    ),
}
SENTENCES: Final = {"brand": BRAND, "audience": AUDIENCE, "purpose": PURPOSE, "care": CARE}
"""Attribute -> value -> ways to say it."""

TITLES: Final = (
    "{brand} {kind} for {audience}",
    "{brand} {purpose} {kind} for {audience}",
    "{kind} for {audience} by {brand}",
    "{brand} {kind}, {purpose_phrase}, for {audience}",
    "{kind} by {brand}: {purpose_phrase}, for {audience}",
)
PURPOSE_PHRASES: Final = {
    "camping": "for camping",
    "home office": "for the home office",
    "wedding gift": "a wedding gift",
    "better sleep": "for better sleep",
    "birthday party": "for a birthday party",
}
PURPOSE_WORDS: Final = {
    "camping": "camping",
    "home office": "home office",
    "wedding gift": "wedding gift",
    "better sleep": "bedtime",
    "birthday party": "birthday party",
}
CLOSINGS: Final = (
    "Comes in a box made to be opened again.",
    "Ships within two days.",
    "",
    "",
)


def write_text(attributes: Mapping[str, str], rng: np.random.Generator) -> tuple[str, str]:
    """Writes a product's title and description.

    They name type, brand, audience, purpose and care, and nothing that the picture alone shows.

    Args:
        attributes: At least ``type``, ``brand``, ``audience``, ``purpose`` and ``care``.
        rng: Chooses among wordings.

    Returns:
        Title and description.
    """
    kinds = KINDS[attributes["type"]]
    kind = kinds[rng.integers(len(kinds))]
    purpose = attributes["purpose"]
    title = TITLES[rng.integers(len(TITLES))].format(
        kind=kind,
        brand=attributes["brand"],
        audience=attributes["audience"],
        purpose=PURPOSE_WORDS[purpose],
        purpose_phrase=PURPOSE_PHRASES[purpose],
    )
    sentences = []
    for name in rng.permutation(list(SENTENCES)):
        said = SENTENCES[str(name)][attributes[str(name)]]
        count = 1 if name == "brand" else 2
        sentences += [said[i] for i in rng.permutation(len(said))[:count]]
    closing = CLOSINGS[rng.integers(len(CLOSINGS))]
    if closing:
        sentences.append(closing)
    return title[0].upper() + title[1:], " ".join(sentences)
