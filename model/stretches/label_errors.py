"""Marked stretches that may be wrong, by what a model says that did not know them.

Of 40 composed recordings (`tests/benchmarks/stretches_recordings.py`, 6 seeds) a tenth
of the stretches got another label or none. Of as many at the beginning of the list 73 %
were such, and of half as many all.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dubito.model.arrays import Members, Probabilities
from dubito.model.stretches.runs import runs
from dubito.model.stretches.units import Ends, starts_of

HALF = 0.5
"""Of a stretch: a model that finds less of it contradicts it, not its ends alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchError:
    """A part of a task whose label may be wrong.

    Attributes
    ----------
    task : its position
    first, after : its first unit, and the one after its last, counted in the task
    label : the class that people marked there; None for background
    suggested : the class that the model predicts there; None for background
    likelihood : how probable what it suggests is, on average over the units
    own_likelihood : how probable the label is, likewise
    """

    task: int
    first: int
    after: int
    label: int | None
    suggested: int | None
    likelihood: float
    own_likelihood: float


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What people and a model say of the units of one task."""

    position: int
    truth: Members
    predicted: Members
    probabilities: Probabilities

    def errors(self) -> Iterator[StretchError]:
        """Yield the stretches that are contradicted, then those that are missing."""
        contradicted = [*self._contradicted()]
        yield from contradicted
        for which, first, after in _stretches(self.predicted):
            part = slice(first, after)
            is_met = self.truth[part, which].mean() >= HALF
            if not is_met and not any(
                error.suggested == which and _shares_half(error, first, after)
                for error in contradicted
            ):
                label = _other(self.truth[part], self.predicted[part])
                yield self._error(part, label, which)

    def _contradicted(self) -> Iterator[StretchError]:
        for which, first, after in _stretches(self.truth):
            part = slice(first, after)
            if self.predicted[part, which].mean() < HALF:
                suggested = _other(self.predicted[part], self.truth[part])
                yield self._error(part, which, suggested)

    def _error(
        self, part: slice, label: int | None, suggested: int | None
    ) -> StretchError:
        mean = self.probabilities[part].mean(axis=0)
        chance = None if suggested is None else float(mean[suggested])
        own = None if label is None else float(mean[label])
        return StretchError(
            task=self.position,
            first=part.start,
            after=part.stop,
            label=label,
            suggested=suggested,
            likelihood=1 - (own or 0.0) if chance is None else chance,
            own_likelihood=1 - (chance or 0.0) if own is None else own,
        )


def _stretches(members: Members) -> Iterator[tuple[int, int, int]]:
    """Yield the class of each stretch, its first unit and the one after its last."""
    for which, member in enumerate(members.T):
        for first, after in runs(member):
            yield which, first, after


def _other(members: Members, others: Members) -> int | None:
    """Return the class of most units that the others have not; None for background."""
    share = (members & ~others).mean(axis=0)
    return int(share.argmax()) if share.max() >= HALF else None


def _shares_half(error: StretchError, first: int, after: int) -> bool:
    both = min(error.after, after) - max(error.first, first)
    return both >= HALF * min(error.after - error.first, after - first)


def stretch_errors(
    truth: Members,
    predicted: Members,
    probabilities: Probabilities,
    ends: Ends,
    most: int,
) -> list[StretchError]:
    """Return the stretches that may be wrong, the likeliest to be wrong first.

    They are marked stretches of which less than a half is predicted, and predicted ones
    of which less than a half is marked. The labels that the model believes least come
    first (Northcutt, Jiang and Chuang 2021, for whole tasks).

    Parameters
    ----------
    truth : (n_units, C) what people marked
    predicted, probabilities : (n_units, C) the same by models that did not know it, and
        how probable each class is
    ends : (n_tasks,) as in a `UnitTable`
    most : how many to return at most
    """
    parts = map(slice, starts_of(ends).tolist(), ends.tolist())
    errors = [
        error
        for position, part in enumerate(parts)
        for error in _Task(
            position, truth[part], predicted[part], probabilities[part]
        ).errors()
        if error.own_likelihood < error.likelihood
    ]
    return sorted(errors, key=_belief)[:most]


def _belief(error: StretchError) -> tuple[float, int, int]:
    return error.own_likelihood, error.task, error.first
