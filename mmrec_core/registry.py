"""One small generic registry: every plug-in kind has one instance of it."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from mmrec_core.domain import InputError

T = TypeVar("T")


class Registry(Generic[T]):
    """Maps explicit names to plug-ins, in the order of registration.

    Args:
        kind: What the names stand for, in the singular; used in error sentences.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str, entry: T) -> T:
        """Adds ``entry`` under ``name``; a name can be taken once.

        Raises:
            ValueError: The name is taken.
        """
        if name in self._entries:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._entries[name] = entry
        return entry

    def get(self, name: str) -> T:
        """Returns the entry called ``name``.

        Raises:
            InputError: No such entry; the sentence lists the known names.
        """
        try:
            return self._entries[name]
        except KeyError:
            known = ", ".join(self._entries)
            raise InputError(f"There is no {self.kind} {name!r}. Known: {known}.") from None

    def names(self) -> list[str]:
        """All names, in the order of registration."""
        return list(self._entries)

    def items(self) -> Iterator[tuple[str, T]]:
        """Name and entry, in the order of registration."""
        return iter(self._entries.items())

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __len__(self) -> int:
        return len(self._entries)
