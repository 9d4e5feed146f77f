"""One label from what several people chose."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from model.errors import NoVotesError


@dataclass(frozen=True, slots=True)
class Vote:
    """What one annotation says, and when it was last changed."""

    choice: str
    updated: int


def combine(votes: Sequence[Vote]) -> str:
    """Return what most people chose; of equals, what was chosen last.

    Raises
    ------
    NoVotesError
        if there are no votes
    """
    if not votes:
        raise NoVotesError
    count = Counter(vote.choice for vote in votes)
    latest = {
        choice: max(vote.updated for vote in votes if vote.choice == choice)
        for choice in count
    }
    return min(count, key=lambda choice: (-count[choice], -latest[choice], choice))
