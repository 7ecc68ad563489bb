"""The registry: one name, one entry; unknown names are answered with the known ones."""

import pytest

from mmrec_core.domain import InputError
from mmrec_core.registry import Registry


@pytest.fixture
def colours() -> Registry[int]:
    registry: Registry[int] = Registry("colour")
    registry.register("red", 1)
    registry.register("blue", 2)
    return registry


def test_register_returns_the_entry_and_keeps_order(colours: Registry[int]) -> None:
    assert colours.register("amber", 3) == 3
    assert colours.names() == ["red", "blue", "amber"]
    assert list(colours.items()) == [("red", 1), ("blue", 2), ("amber", 3)]
    assert len(colours) == 3


def test_get_and_contains(colours: Registry[int]) -> None:
    assert colours.get("blue") == 2
    assert "blue" in colours
    assert "green" not in colours


def test_a_name_is_taken_once(colours: Registry[int]) -> None:
    with pytest.raises(ValueError, match="colour 'red' is registered twice"):
        colours.register("red", 9)
    assert colours.get("red") == 1


def test_an_unknown_name_lists_the_known_ones(colours: Registry[int]) -> None:
    with pytest.raises(InputError) as caught:
        colours.get("green")
    assert str(caught.value) == "There is no colour 'green'. Known: red, blue."
    assert caught.value.__cause__ is None


def test_names_is_a_copy(colours: Registry[int]) -> None:
    colours.names().clear()
    assert colours.names() == ["red", "blue"]
