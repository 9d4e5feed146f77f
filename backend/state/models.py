"""The model of a project as a file, made when somebody asks for it, kept for a day."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dubito.backend.state import keys
from dubito.backend.state.kept_scores import StoredAssessment

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from dubito.backend.state.project import ProjectState

KEPT_SECONDS = 86_400
MAKING_SECONDS = 180
"""Who makes a file for longer may have died: it may be asked for anew."""

LARGEST = 64_000_000
"""Bytes: the store holds them in memory, beside everything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptModel:
    """What the store holds of a model: data and a text, and nothing that is run.

    Attributes
    ----------
    packed : a skops file
    card : what there is to know of it
    """

    packed: bytes
    card: str


class ModelFile(StoredAssessment):
    """What is known of a model's file.

    Attributes
    ----------
    file : under which name it is kept; empty if it could not be made
    size : of the skops file, in bytes
    labels : how many tasks it has learnt from
    basis : equal bases give equal models
    error : why it could not be made
    control : the question that it answers
    """

    control: str
    file: str = ""
    size: int = 0
    labels: int = 0
    basis: str = ""
    made_at: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The file with a project's model, and whether one is being made.

    A project has one file, of whichever question was asked for last: the store holds it
    in memory.
    """

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    @classmethod
    def of(cls, state: ProjectState) -> Self:
        """Return that of a project."""
        return cls(state.client, state.key, state.clock)

    def begin(self, control: str) -> bool:
        """Return True to the first who asks for a file, while none is being made."""
        return bool(self.client.set(self._making, control, nx=True, ex=MAKING_SECONDS))

    def making(self) -> str | None:
        """Return the question of which a file is being made; None while none is."""
        control = self.client.get(self._making)
        return None if control is None else str(control.decode())

    def last_file(self) -> ModelFile | None:
        """Return what is known of the last file; None if there is none any more."""
        record = self.client.get(self._key(keys.MODEL))
        return None if record is None else ModelFile.model_validate_json(record)

    def save(self, model: KeptModel, record: ModelFile) -> None:
        """Keep a file in the place of the last one.

        Parameters
        ----------
        record : what is known of the model; name, size and time are added
        """
        name = secrets.token_hex(8)
        facts = {"file": name, "size": len(model.packed), "made_at": self.clock()}
        model_file = record.model_copy(update=facts)
        last, is_own = self.last_file(), self.making() == record.control
        with self.client.pipeline(transaction=True) as pipe:
            if last is not None and last.file:
                pipe.delete(self._file(last.file))
            content = {"packed": model.packed, "card": model.card}
            pipe.hset(self._file(name), mapping=content)
            pipe.expire(self._file(name), KEPT_SECONDS)
            pipe.set(
                self._key(keys.MODEL), model_file.model_dump_json(), ex=KEPT_SECONDS
            )
            if is_own:
                pipe.delete(self._making)
            pipe.execute()

    def fail(self, why: str, control: str) -> None:
        """Note why the file of a question could not be made; the last one goes."""
        record = ModelFile(error=why, made_at=self.clock(), control=control)
        last, is_own = self.last_file(), self.making() == record.control
        with self.client.pipeline(transaction=True) as pipe:
            if last is not None and last.file:
                pipe.delete(self._file(last.file))
            pipe.set(self._key(keys.MODEL), record.model_dump_json(), ex=KEPT_SECONDS)
            if is_own:
                pipe.delete(self._making)
            pipe.execute()

    def content(self, model_file: ModelFile) -> KeptModel | None:
        """Return a file; None if its time has passed."""
        fields = self.client.hgetall(self._file(model_file.file))
        if b"packed" not in fields:
            return None
        return KeptModel(packed=fields[b"packed"], card=fields[b"card"].decode())

    @property
    def _making(self) -> str:
        return self._key(keys.MODEL_MAKING)

    def _file(self, name: str) -> str:
        return f"{self._key(keys.MODEL)}:{name}"

    def _key(self, name: str) -> str:
        return keys.of(self.project, name)
