"""Tasks that are asked again, and the answers that were taken out for it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from backend.records import Annotation
from backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from redis import Redis

Stage: TypeAlias = Literal["wanted", "out", "restoring"]


class Asked(BaseModel):
    """One task that is asked again.

    Attributes
    ----------
    stage : its answers are to be taken out, are out, or are to be put back
    at : when it was asked for, in seconds since 1970
    label : what its label was
    answers : what was taken out, whole; kept until they are back or out of date
    row : the prediction that keeps them in Label Studio, too
    error : why it does not go on
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    stage: Stage = "wanted"
    at: float = 0.0
    label: str = ""
    answers: tuple[Annotation, ...] = ()
    row: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class AgainStore:
    """The tasks of one project that are asked again."""

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def all(self) -> dict[int, Asked]:
        """Return the tasks, those asked for first in front."""
        found = self.client.hgetall(self._key)
        read = {int(t): Asked.model_validate_json(said) for t, said in found.items()}
        return dict(sorted(read.items(), key=lambda item: (item[1].at, item[0])))

    def out(self) -> tuple[int, ...]:
        """Return the tasks whose answers are out, those asked for first in front."""
        return tuple(t for t, asked in self.all().items() if asked.stage == "out")

    def keep(self, asked: Mapping[int, Asked]) -> None:
        """Keep how some tasks stand."""
        if asked:
            packed = {str(task): one.model_dump_json() for task, one in asked.items()}
            self.client.hset(self._key, mapping=packed)

    def forget(self, tasks: Iterable[int]) -> None:
        """Note that tasks are not asked again any more."""
        for task in tasks:
            self.client.hdel(self._key, str(task))

    @property
    def _key(self) -> str:
        return keys.of(self.project, keys.AGAIN)
