"""The feature tables of the projects that a process worked on last."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from dubito.backend.features.feature_table import FeatureTable

if TYPE_CHECKING:
    from dubito.backend.features.class_names import Names
    from dubito.backend.state.project import ProjectState

KEPT = 8
Basis: TypeAlias = "tuple[int, tuple[Names, ...], bool]"
"""The version of the tasks' data, the names that teach, whether tasks are pairs."""


@dataclass(slots=True)
class FeatureTableCache:
    """The tables of the projects a process worked on last, by version."""

    _kept: dict[tuple[str, int], tuple[Basis, FeatureTable]] = field(
        default_factory=dict
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def items(
        self,
        state: ProjectState,
        seed: int,
        names: tuple[Names, ...] = (),
        *,
        of_pairs: bool = False,
    ) -> tuple[int, FeatureTable]:
        """Return the version of the tasks' data, and the table made from it.

        Parameters
        ----------
        names : what people read of each class of each question, if that teaches
        of_pairs : whether each task shows two items that are compared
        """
        name = (state.key, seed)
        with self._lock:
            basis = state.tasks.version(), names, of_pairs
            entry = self._kept.pop(name, None)
            if entry is None or entry[0] != basis:
                before, pool = None if entry is None else entry[1], state.tasks.pool()
                table = FeatureTable.of(pool, seed, before, names, of_pairs=of_pairs)
                if before is not None:
                    before.named.release()
                entry = basis, table
            self._kept[name] = entry
            while len(self._kept) > KEPT:
                _, oldest = self._kept.pop(next(iter(self._kept)))
                oldest.named.release()
            (version, *_), table = entry
            return version, table
