"""Tasks that are asked again, and the answers that were taken out for it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from dubito.backend.records import Annotation
from dubito.backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from redis import Redis

NOTES_KEPT = 5
Stage: TypeAlias = Literal["wanted", "out", "restoring"]


class RelabelRequest(BaseModel):
    """One task that is asked again.

    Attributes
    ----------
    stage : its answers are to be taken out, are out, or are to be put back
    at : when it was asked for, in seconds since 1970
    label : what its label was
    control : of the question that the label answers; the first one's if empty
    answers : what was taken out, whole; kept until they are back or out of date
    row : the prediction that keeps them in Label Studio, too
    error : why it does not go on
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    stage: Stage = "wanted"
    at: float = 0.0
    label: str = ""
    control: str = ""
    answers: tuple[Annotation, ...] = ()
    row: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class RelabelStore:
    """The tasks of one project that are asked again."""

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def all(self) -> dict[int, RelabelRequest]:
        """Return the tasks, those asked for first in front."""
        values = self.client.hgetall(self._key)
        read = {
            int(t): RelabelRequest.model_validate_json(packed)
            for t, packed in values.items()
        }
        return dict(sorted(read.items(), key=lambda item: (item[1].at, item[0])))

    def out(self) -> tuple[int, ...]:
        """Return the tasks whose answers are out, those asked for first in front."""
        return tuple(t for t, request in self.all().items() if request.stage == "out")

    def keep(self, requests: Mapping[int, RelabelRequest]) -> None:
        """Keep how some tasks stand."""
        if requests:
            packed = {
                str(task): one.model_dump_json() for task, one in requests.items()
            }
            self.client.hset(self._key, mapping=packed)

    def forget(self, tasks: Iterable[int]) -> None:
        """Note that tasks are not asked again any more."""
        for task in tasks:
            self.client.hdel(self._key, str(task))

    def tell(self, notes: Sequence[str]) -> None:
        """Keep what people should know of answers that were put back."""
        if notes:
            self.client.rpush(self._notes, *notes)
            self.client.ltrim(self._notes, -NOTES_KEPT, -1)

    def notes(self) -> list[str]:
        """Return what people should know, the latest last."""
        return [note.decode() for note in self.client.lrange(self._notes, 0, -1)]

    @property
    def _notes(self) -> str:
        return keys.of(self.project, keys.AGAIN_NOTES)

    @property
    def _key(self) -> str:
        return keys.of(self.project, keys.AGAIN)
