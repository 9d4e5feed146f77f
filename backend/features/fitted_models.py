"""What was learnt from the tasks of a table, kept while nothing changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

Learnt = TypeVar("Learnt")


class FittedModels:
    """The models of the questions that are asked about the tasks of a table."""

    def __init__(self) -> None:
        self._models: dict[tuple[str, str], object] = {}

    def of(self, basis: str, control: str, fit: Callable[[], Learnt]) -> Learnt:
        """Return what was learnt of a question on this basis, fitting it at most once.

        Equal bases must go with equal `fit`. What was learnt on others is forgotten.

        Parameters
        ----------
        control : name of the control that asks the question
        """
        models, name = self._models, (basis, control)
        if name not in models:  # put in whole: other threads read beside us
            present = {key: one for key, one in models.items() if key[0] == basis}
            models = self._models = {**present, name: fit()}
        return cast("Learnt", models[name])
