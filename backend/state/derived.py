"""What was derived from the store, kept while nothing changes there."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 100_000
"""So much is kept of all projects together: of labels, so many take about 80 MB."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Derived:
    """A value, what it follows from, and how much it holds."""

    basis: object
    value: object
    size: int


@dataclass(slots=True)
class DerivedValues:
    """The values that a process derived last, one for each project."""

    _values: dict[str, Derived] = field(default_factory=dict)
    _locks: defaultdict[str, threading.Lock] = field(
        default_factory=lambda: defaultdict(threading.Lock)
    )

    def of(
        self,
        project: str,
        basis: object,
        derive: Callable[[], Value],
        size: Callable[[Value], int],
    ) -> Value:
        """Return what follows from a basis; threads that ask together derive it once.

        Of all projects at least the last one's value is kept, however large it is.

        Parameters
        ----------
        basis : equal bases of a project must go with equal values, which nobody changes
        size : how much a value holds
        """
        with self._locks[project]:
            entry = self._values.pop(project, None)
            if entry is None or entry.basis != basis:
                value = derive()
                entry = Derived(basis, value, size(value))
            self._values[project] = entry
            self._shrink()
            return cast("Value", entry.value)

    def forget(self, project: str) -> None:
        """Let go of what was derived of a project."""
        self._values.pop(project, None)
        self._locks.pop(project, None)

    def _shrink(self) -> None:
        values = [*self._values.items()]
        total = sum(entry.size for _, entry in values)
        for name, entry in values[:-1]:
            if total <= MOST:
                return
            self._values.pop(name, None)
            total -= entry.size
