"""The table of a project's tasks beside what the names of each question say of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dubito.backend.features.class_names import Names, Opinion
    from dubito.model.arrays import Features
    from dubito.model.features.class_names import ClassNames

MOST = 4
"""Each but the first holds a copy of the features: others are made when needed."""

Table = TypeVar("Table")


@dataclass(eq=False)
class NamedTables(Generic[Table]):
    """The tables of the questions whose names teach, made when they are needed.

    Attributes
    ----------
    opinions : what the names of the classes of each question say, where they teach
    """

    opinions: Mapping[Names, Opinion] = field(default_factory=dict)
    _first: Features | None = None
    _tables: dict[Names, Table] = field(default_factory=dict)

    @classmethod
    def beside(
        cls, features: Features, opinions: Mapping[Names, Opinion]
    ) -> tuple[Features, Self]:
        """Return the features as a part of those beside the first opinion, and tables.

        Parameters
        ----------
        features : (n, d) without an opinion
        """
        if not opinions:
            return features, cls()
        _, opinion = next(iter(opinions.values()))
        whole = np.hstack([features, opinion])
        return whole[:, : features.shape[1]], cls(opinions, whole)

    def of_names(
        self,
        names: Names,
        features: Features,
        make: Callable[[ClassNames, Features], Table],
    ) -> Table | None:
        """Return the table beside what some names say; None if they say nothing.

        Parameters
        ----------
        features : (n, d) without an opinion
        make : makes the table of the features beside an opinion
        """
        if names not in self.opinions:
            return None
        table = self._tables.get(names)
        if table is None:
            own, opinion = self.opinions[names]
            whole = self._first
            if whole is None or names != next(iter(self.opinions)):
                whole = np.hstack([features, opinion])
            table = self._tables[names] = make(own, whole)
        for oldest in [*self._tables][:-MOST]:
            self._tables.pop(oldest, None)
        return table

    def release(self) -> None:
        """Let go of the tables: each holds the bare one, which holds this."""
        self._tables.clear()
