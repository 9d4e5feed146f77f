"""What was derived from the store, kept while nothing changes there."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = 64
Value = TypeVar("Value")


class DerivedValues:
    """The values that a process derived last, by name."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[object, object]] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def of(self, name: str, basis: object, derive: Callable[[], Value]) -> Value:
        """Return what follows from a basis; threads that ask together derive it once.

        Parameters
        ----------
        basis : equal bases of a name must go with equal values, which nobody changes
        """
        with self._locks[name]:
            entry = self._values.pop(name, None)
            if entry is None or entry[0] != basis:
                entry = basis, derive()
            self._values[name] = entry
            for oldest in [*self._values][:-KEPT]:
                self._values.pop(oldest, None)
            return cast("Value", entry[1])
