"""Whether more labels would still change anything, in sentences for people.

Earlier models, of the labels there were 5, 10 … 30 labels ago, are compared with the
present one. Two things together tell that there is nothing left to learn: the models
agree on the open tasks (stabilising predictions: Bloodgood and Vijay-Shanker 2009), and
new labels no longer surprise the model, though it asked for what it doubted most.
Agreement alone is a trap where a kind of task has not been met yet. Thirty labels
without a surprise were chosen among some 500 rules on 130 simulated runs, in none of
which stopping then cost a point; on 100 later ones it cost 1.0 points at worst. Where
labels contradict each other they never cease to surprise: then what more of them would
gain is all that is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Codes
from dubito.model.evaluation.accuracy import Accuracy
from dubito.model.evaluation.mean_error import MeanError
from dubito.model.numbers import rounded

STEP = 5
"""Labels between two models that are compared."""

MODELS = 7
LOOK_BACK = STEP * (MODELS - 1)
"""Labels between the oldest of these models and the present one."""

NO_MODEL = f"there is no model from {LOOK_BACK} labels ago to compare with"

APART = 2
"""Steps between the models whose agreement counts: neighbours always agree."""

AGREE = 0.98
AGREE_IN_A_ROW = 3

NOT_OF_NUMBERS = (
    "Dubito does not advise when to stop labelling numbers: go on while more labels"
    " make the mean error smaller"
)

MORE = 50
USUAL_GAIN = 0.4
SLACK = 0.01
"""Measured on the benchmark's data: the next 50 labels gain 0.4 of the share of
predictions that the last 30 changed, in 86 % of cases at most that and a point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What the model now and those 5, 10, 15 … labels ago say.

    Attributes
    ----------
    predictions : of each model (n_open,) classes of the same open tasks, newest first;
        there is at least the present model
    surprises : of the 5 labels after each earlier model, how many it had wrong
    n_open : how many open tasks there are; those predicted may be a sample
    missing : declared classes without a label
    accuracy : the honest estimate, if there is one
    """

    predictions: Sequence[Codes]
    surprises: Sequence[int]
    n_open: int
    missing: Sequence[str] = ()
    accuracy: Accuracy | None = None

    @property
    def agreement(self) -> list[float]:
        """Return Cohen's kappa of models 10 labels apart, newest first."""
        pairs = zip(self.predictions, self.predictions[APART:], strict=False)
        return [kappa(later, earlier) for later, earlier in pairs]

    @property
    def changed(self) -> float | None:
        """Return which share of the predictions the last 30 labels changed."""
        if len(self.predictions) < MODELS:
            return None
        now, before = self.predictions[0], self.predictions[MODELS - 1]
        return float(np.mean(now != before)) if len(now) else 0.0

    @property
    def surprised(self) -> int:
        """Return how many of the last 30 labels the model had wrong before."""
        return sum(self.surprises)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Whether to stop labelling, and why or why not, in sentences."""

    advised: bool
    reasons: tuple[str, ...]


def kappa(one: Codes, other: Codes) -> float:
    """Return how well two predictions agree beyond chance; 1 if they are equal.

    This is Cohen's kappa (1960), without a matrix of all pairs of answers.
    """
    if np.array_equal(one, other):
        return 1.0
    names, codes = np.unique(np.concatenate([one, other]), return_inverse=True)
    first, second = (
        np.bincount(half, minlength=len(names)) for half in np.split(codes, 2)
    )
    by_chance = len(one) ** 2 - int(first @ second)
    return 1 - len(one) * int((one != other).sum()) / by_chance


def advise(trail: Trail) -> Advice:
    """Say whether to stop, and how much more labels would buy."""
    obstacles = _blocked(trail)
    if obstacles:
        return Advice(advised=False, reasons=(*obstacles, *_outlook(trail)))
    return Advice(
        advised=_is_learnt(trail), reasons=(*_outlook(trail), *_evidence(trail))
    )


def advise_on_numbers(
    predictions: Sequence[NDArray[np.float64]], error: MeanError | None
) -> Advice:
    """Say what the last labels changed; when to stop is left to people.

    Parameters
    ----------
    predictions : of each model, see `Trail`, (n_open,) numbers of the same open tasks
    """
    reasons = []
    if len(predictions) < MODELS:
        reasons.append(NO_MODEL)
    elif len(predictions[0]):
        change = np.abs(predictions[0] - predictions[MODELS - 1]).mean()
        reasons.append(
            f"the last {LOOK_BACK} labels changed the predictions for open tasks by"
            f" {rounded(change)} on average"
        )
    if error is not None:
        reasons.append(
            f"predictions are wrong by {rounded(error.estimate)} on average"
            f" ({rounded(error.low)} to {rounded(error.high)})"
        )
    return Advice(advised=False, reasons=(*reasons, NOT_OF_NUMBERS))


def _blocked(trail: Trail) -> list[str]:
    """Return why it is too early to judge."""
    reasons = []
    if trail.missing:
        reasons.append(f"no task is labelled {', '.join(map(repr, trail.missing))} yet")
    if len(trail.predictions[0]) and len(np.unique(trail.predictions[0])) < 2:
        reasons.append("the model predicts the same label for all open tasks")
    if len(trail.predictions) < MODELS:
        reasons.append(NO_MODEL)
    return reasons


def _is_learnt(trail: Trail) -> bool:
    """Tell whether labels neither change nor surprise the model any more."""
    recent = trail.agreement[:AGREE_IN_A_ROW]
    return trail.surprised == 0 and min(recent) >= AGREE


def _outlook(trail: Trail) -> list[str]:
    """Return what the last labels changed, and what more would add to the accuracy."""
    changed_share, more = trail.changed, min(MORE, trail.n_open)
    if changed_share is None or more == 0:
        return []
    change = (
        f"the last {LOOK_BACK} labels changed {100 * changed_share:.1f} % of the"
        " predictions"
    )
    if trail.accuracy is None:
        return [change]
    usual = min(USUAL_GAIN * changed_share * more / MORE, 1.0 - trail.accuracy.estimate)
    most = min(changed_share + SLACK, 1.0 - trail.accuracy.low)
    gain = (
        f"{more} more labels would add about {100 * usual:.1f} percentage points of"
        f" accuracy, at most about {100 * most:.1f}"
    )
    return [f"{change}; {gain}"]


def _evidence(trail: Trail) -> list[str]:
    reasons = [
        f"the model mispredicted {trail.surprised} of the last {LOOK_BACK} labels",
        (
            "models 10 labels apart agree with kappa of at least"
            f" {min(trail.agreement):.3f}"
        ),
    ]
    if trail.accuracy is not None:
        accuracy = trail.accuracy
        reasons.append(
            f"the accuracy is {100 * accuracy.estimate:.1f} %"
            f" ({100 * accuracy.low:.1f} to {100 * accuracy.high:.1f} %)"
        )
    return reasons
