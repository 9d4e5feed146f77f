"""What each round found: one line a round."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from dubito.backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

ROUNDS_KEPT = 2_000


class Round(BaseModel):
    """One line of a project's history.

    Attributes
    ----------
    at : when it was, in seconds since 1970
    certainty : how many open tasks were how certain, least certain first; empty before
        there was a model
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    round: int
    at: float
    labels: int
    seconds: float
    certainty: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryStore:
    """The last rounds of one project."""

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def add(self, finished_round: Round) -> None:
        """Add a line."""
        key = keys.of(self.project, keys.ROUNDS)
        with self.client.pipeline(transaction=True) as pipe:
            pipe.rpush(key, finished_round.model_dump_json())
            pipe.ltrim(key, -ROUNDS_KEPT, -1)
            pipe.execute()

    def last(self) -> Round | None:
        """Return the last line."""
        line = self.client.lindex(keys.of(self.project, keys.ROUNDS), -1)
        return None if line is None else Round.model_validate_json(line)

    def rounds(self) -> list[Round]:
        """Return the lines, oldest first."""
        lines = self.client.lrange(keys.of(self.project, keys.ROUNDS), 0, -1)
        return [Round.model_validate_json(line) for line in lines]
