"""How often the model is right: an honest estimate, with an interval.

What is estimated is the share of tasks like the project's that the present model gets
right, had nobody labelled them (with groups: tasks of a group it has not seen). A
project's tasks are a sample of such tasks; nothing is withheld from training.

The labels were asked for by doubt, so neither they nor the model's confidence can be
taken at their word. Three things are put together:

* Of labelled tasks it is known whether the model would have been right (`crossfit`).
* Of open tasks only the model's confidence is known. How often it is right at which
  confidence is learnt from the labelled tasks by a logistic regression.
* That relation may be another one for tasks that nobody chose. The labels of tasks
  drawn at random tell: they have a term of their own, and the open tasks share it.

The regression has a prior, so a dozen random labels can say little but not spoil much.
Predictions for open tasks corrected by labels drawn at random are the idea of
prediction-powered inference (Angelopoulos et al. 2023; cross-fitted: Zrnic and Candès
2024); that known members of a finite pool need no estimating is survey sampling.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from dubito.model.arrays import Positions
from dubito.model.evaluation.relation import Evidence, Relation, relation_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """The share of tasks the model gets right, with a 95 % interval.

    Attributes
    ----------
    n : labels of tasks drawn at random; the others count, too, but less
    relation : what it was found by
    """

    estimate: float
    low: float
    high: float
    n: int
    relation: Relation | None = field(default=None, compare=False, repr=False)


def random_prefix(
    order: Positions, labelled: Collection[int], passed_over: Collection[int]
) -> list[int]:
    """Return the longest fully labelled beginning of a random order.

    Parameters
    ----------
    order : all tasks in random order
    labelled : those that have a label
    passed_over : those that nobody can label, and that were skipped: they are no part
        of what is measured, so they do not end the sample
    """
    prefix = []
    for position in order.tolist():
        if position in labelled:
            prefix.append(position)
        elif position not in passed_over:
            break
    return prefix


def accuracy(evidence: Evidence) -> Accuracy | None:
    """Estimate the accuracy; None while there are too few random labels or groups."""
    relation = relation_in(evidence)
    if relation is None:
        return None
    share = len(evidence.right) / (len(evidence.right) + evidence.n_open)
    known_share = float(evidence.right.mean())
    open_share, doubt = relation.of_open(evidence.open_sure)
    estimate = share * known_share + (1 - share) * open_share
    chance = share**2 * binomial(known_share, len(evidence.right))
    chance += (1 - share) ** 2 * (doubt + binomial(open_share, evidence.n_open))
    low, high = relation.interval(estimate, chance)
    return Accuracy(
        estimate=estimate,
        low=low,
        high=high,
        n=int(evidence.random.sum()),
        relation=relation,
    )


def binomial(share: float, count: int) -> float:
    """Return the variance of a share, never quite 0 (Agresti and Coull 1998)."""
    count = max(count, 1)
    estimate = (share * count + 1) / (count + 2)
    return estimate * (1 - estimate) / (count + 2)
