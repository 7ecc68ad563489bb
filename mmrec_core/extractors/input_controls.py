"""Controls on what a vision-language model is given: its matrix is made again under them.

A joint matrix cannot be taken apart; the only way to ask which modality it used is to change one
input, extract again and compare.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from mmrec_core.domain import Embeddings, Features
from mmrec_core.extractors.controls import CONTROLS, Context, Control

PICTURE, TITLE = "input-picture", "input-title"
SHUFFLED: Mapping[str, str] = {PICTURE: "picture-of-another", TITLE: "title-of-another"}
"""Input -> the control that plays the part of shuffle for it."""
REMOVED: Mapping[str, str] = {PICTURE: "picture-blank", TITLE: "title-removed"}
"""Input -> the control that plays the part of removed for it."""


class InputControl(Control):
    """A control that needs the matrix made again; what it makes comes from the extractor."""

    note = "One draw for all seeds, since extraction is dear."

    def one(self, embeddings: Embeddings, context: Context) -> Embeddings:
        """The matrix that was extracted under the control."""
        return context.extracted[self.name]

    def together(self, features: Features, context: Context) -> Features:
        """As ``one``: it concerns one joint matrix."""
        return {name: self.one(each, context) for name, each in features.items()}


class PictureOfAnother(InputControl):
    """Shows the model another item's picture, beside the item's own title where the prompt has one.

    One random permutation without fixed points among the items that have pictures. Where the
    prompt gives no title this is the same as shuffling the matrix.
    """

    name = "picture-of-another"
    title = "Extracted again: another item's picture"
    removes = "which item has which picture, before extraction"
    extraction: ClassVar[Mapping[str, Any]] = {"picture": "other"}
    concerns = PICTURE


class PictureBlank(InputControl):
    """Shows the model one grey picture for every item, beside the item's own title if any.

    Where the prompt gives no title, all items get one vector.
    """

    name = "picture-blank"
    title = "Extracted again: blank picture"
    removes = "the picture, before extraction"
    note = "Nothing is drawn."
    extraction: ClassVar[Mapping[str, Any]] = {"picture": "blank"}
    concerns = PICTURE


class TitleOfAnother(InputControl):
    """Gives the model another item's title beside the item's own picture.

    One random permutation without fixed points among the items that have titles. It makes sense
    only where the prompt gives the title.
    """

    name = "title-of-another"
    title = "Extracted again: another item's title"
    removes = "which item has which title, before extraction"
    extraction: ClassVar[Mapping[str, Any]] = {"title": "other"}
    concerns = TITLE


class TitleRemoved(InputControl):
    """Leaves the title's place in the prompt empty; the picture stays.

    It makes sense only where the prompt gives the title.
    """

    name = "title-removed"
    title = "Extracted again: title removed"
    removes = "the title, before extraction"
    note = "Nothing is drawn."
    extraction: ClassVar[Mapping[str, Any]] = {"title": "blank"}
    concerns = TITLE


for _control in (PictureOfAnother(), PictureBlank(), TitleOfAnother(), TitleRemoved()):
    CONTROLS.register(_control.name, _control)
