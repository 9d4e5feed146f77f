"""One label from what several people chose, and how well they agree."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import fsum

import numpy as np

from dubito.model.errors import NoVotesError
from dubito.model.evaluation.distances import (
    Compare,
    Distances,
    of_names,
    weighted_sum,
)

AT_A_TIME = 4_096
"""Pairs of choices."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What one annotation says, when it was last changed, and who says so."""

    choice: str
    updated: int
    annotator: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """How often one annotator agrees with the others on the same tasks.

    Attributes
    ----------
    share : of all pairs of their choice and another's, those that are equal; of sets
        and grades, how far they are
    tasks : tasks that somebody else has labelled, too
    pairs : their choices for these tasks, each beside one of somebody else
    """

    annotator: int | None
    share: float
    tasks: int
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How well people agree on the tasks that several have labelled.

    Attributes
    ----------
    alpha : Krippendorff's, 1 for full agreement, 0 for what chance would give; None
        where all choices are the same, for then chance would agree as well
    share : of all pairs of choices for one task, those that are equal; of sets and
        grades, how far they are
    tasks : how many tasks several people have labelled
    peers : the annotators, those who agree least first
    """

    alpha: float | None
    share: float
    tasks: int
    peers: tuple[Peer, ...]


def combine(
    votes: Sequence[Vote],
    trust: Mapping[int | None, float] | None = None,
    places: Mapping[str, int] | None = None,
) -> str:
    """Return what most people chose, of grades the median.

    Of equals, what the more trusted people chose; of those, what was chosen last.

    Parameters
    ----------
    trust : how far each annotator is trusted, as `trusted` finds it; all alike if None
    places : of all grades, the lowest first; None where classes have no order

    Raises
    ------
    NoVotesError
        if there are no votes
    """
    if not votes:
        raise NoVotesError
    if len(votes) == 1:  # as nearly all tasks of a large project
        return votes[0].choice
    weights = trust or {}
    if places:
        votes = _in_the_middle(votes, places)
    count = Counter(vote.choice for vote in votes)

    def rank(choice: str) -> tuple[float, ...]:
        cast = [vote for vote in votes if vote.choice == choice]
        weight = sum(weights.get(vote.annotator, 0.0) for vote in cast)
        return -count[choice], -weight, -max(vote.updated for vote in cast)

    return min(count, key=lambda choice: (rank(choice), choice))


def _in_the_middle(votes: Sequence[Vote], places: Mapping[str, int]) -> Sequence[Vote]:
    """Return the votes for the median grade; of an even number, for both of them."""
    grades = sorted((vote.choice for vote in votes), key=places.__getitem__)
    medians = grades[(len(votes) - 1) // 2 : len(votes) // 2 + 1]
    return [vote for vote in votes if vote.choice in medians]


def trusted(
    cast: Mapping[int, Sequence[Vote]], distances: Distances = of_names
) -> dict[int | None, float]:
    """Return how often each annotator agrees with others, drawn towards one half.

    Where two people label each task and some are careless, letting this decide
    between them made 88 % of the labels right, chance 79 %, the model of Dawid and
    Skene (1979) 81 % (simulated: 60 tasks, 4 classes, five people).
    """
    last_votes = [_last_of_each(votes) for votes in cast.values()]
    shared_choices = [choices for choices in last_votes if len(choices) > 1]
    peers = _peers(shared_choices, _Likeness.among(shared_choices, distances))
    return {
        peer.annotator: (peer.share * peer.pairs + 1) / (peer.pairs + 2)
        for peer in peers
    }


def agreement(
    cast: Mapping[int, Sequence[Vote]], distances: Distances = of_names
) -> Agreement | None:
    """Compare the votes of each task; None if no task has votes of two people.

    Of one person's votes for a task the last one counts.
    """
    last_votes = [_last_of_each(votes) for votes in cast.values()]
    shared_choices = [choices for choices in last_votes if len(choices) > 1]
    if not shared_choices:
        return None
    likeness = _Likeness.among(shared_choices, distances)
    lists = [list(choices.values()) for choices in shared_choices]
    return Agreement(
        alpha=_alpha(lists, likeness),
        share=_share(share for one in lists for share in likeness.pairs(one)),
        tasks=len(shared_choices),
        peers=_peers(shared_choices, likeness),
    )


def _last_of_each(votes: Sequence[Vote]) -> dict[int | None, str]:
    ordered = sorted(votes, key=lambda vote: (vote.updated, vote.choice))
    return {vote.annotator: vote.choice for vote in ordered}


@dataclass(frozen=True, slots=True)
class _Likeness:
    """How far choices agree.

    Attributes
    ----------
    places : of each choice, in order
    compare : tells how far choices are apart
    shares : of each pair of choices that were made for one task, by their places, the
        smaller one first: 1 for equal choices, and less the less two agree
    """

    places: Mapping[str, int]
    compare: Compare
    shares: Mapping[tuple[int, int], float]

    @classmethod
    def among(
        cls, shared_choices: Sequence[Mapping[int | None, str]], distances_of: Distances
    ) -> "_Likeness":
        """Compare the choices that were made for the same tasks."""
        choices = sorted({choice for one in shared_choices for choice in one.values()})
        places = {choice: place for place, choice in enumerate(choices)}
        place_lists = (
            sorted(places[choice] for choice in one.values()) for one in shared_choices
        )
        pairs = [*{pair for one in place_lists for pair in combinations(one, 2)}]
        compare, shares = distances_of(choices), list[float]()
        for start in range(0, len(pairs), AT_A_TIME):
            one, other = np.array(pairs[start : start + AT_A_TIME], dtype=np.intp).T
            shares += (1 - compare(one, other)).tolist()
        return cls(places, compare, dict(zip(pairs, shares, strict=True)))

    def of(self, one: str, other: str) -> float:
        """Return how far two choices for one task agree."""
        first, second = self.places[one], self.places[other]
        return self.shares[min(first, second), max(first, second)]

    def pairs(self, choices: Sequence[str]) -> list[float]:
        """Return how far each two of the choices for a task agree."""
        return [self.of(a, b) for a, b in combinations(choices, 2)]


def _share(shares: Iterable[float]) -> float:
    values = list(shares)
    return fsum(values) / len(values)


def _alpha(
    shared_choices: Sequence[Sequence[str]], likeness: _Likeness
) -> float | None:
    """Return Krippendorff's alpha (Krippendorff 2004, chapter 11)."""
    values = Counter(choice for choices in shared_choices for choice in choices)
    counts = np.array([values[choice] for choice in likeness.places], dtype=np.float64)
    by_chance = weighted_sum(counts, likeness.compare)
    if not by_chance:
        return None
    observed = fsum(  # exact: the order of the tasks does not matter
        2 * (1 - share) / (len(choices) - 1)
        for choices in shared_choices
        for share in likeness.pairs(choices)
    )
    return 1 - (values.total() - 1) * observed / by_chance


def _peers(
    shared_choices: Sequence[Mapping[int | None, str]], likeness: _Likeness
) -> tuple[Peer, ...]:
    shares: dict[int | None, list[float]] = defaultdict(list)
    tasks: Counter[int | None] = Counter()
    for choices in shared_choices:
        for person, choice in choices.items():
            others = (c for p, c in choices.items() if p != person)
            shares[person].extend(likeness.of(choice, other) for other in others)
            tasks[person] += 1
    peers = (
        Peer(
            annotator=person,
            share=_share(own_shares),
            tasks=tasks[person],
            pairs=len(own_shares),
        )
        for person, own_shares in shares.items()
    )
    return tuple(sorted(peers, key=lambda p: (p.share, -p.tasks, str(p.annotator))))
