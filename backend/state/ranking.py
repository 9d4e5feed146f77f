"""What the last round found: how likely each label is, and how certain each task."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self, get_args

import numpy as np
import orjson

from dubito.backend.controls.likely_labels import likely_labels
from dubito.model.arrays import AnswerKind
from dubito.model.evaluation.answers import likely_targets, sure
from dubito.model.numbers import scale_named

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from dubito.backend.controls.codec import Answer
    from dubito.model.arrays import (
        Certainty,
        Members,
        Probabilities,
        TaskIds,
    )
    from dubito.model.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """What the last round found.

    Attributes
    ----------
    basis : what it was computed from: equal bases give equal rankings
    task_ids : (n_tasks,) ascending
    classes : names of the columns of `probabilities`
    probabilities : (n_tasks, n_classes), no columns before there is a model
    certainty : (n_tasks,)
    kind : whether a task has one of the classes, any of them, a grade or a number
    may_be_empty : of any-of labels: whether "none of them" is an answer
    most_chosen : of any-of labels: how many classes people may choose; 0 for any number
    stretches : (n_tasks,) the likeliest answers where people mark stretches, of which
        the probabilities only say which classes occur; else empty
    expected_right : (n_tasks,) the share of each task of which they are right, as far
        as the model can tell; else empty
    others : of a project with several questions: what was found of each other one, by
        the name of its control; `certainty` is that of all of them together then
    """

    round: int
    basis: str
    task_ids: TaskIds
    classes: tuple[str, ...]
    probabilities: Probabilities
    certainty: Certainty
    kind: AnswerKind = "one of"
    may_be_empty: bool = True
    most_chosen: int = 0
    stretches: tuple[Answer, ...] = ()
    expected_right: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    others: Mapping[str, Ranking] = field(default_factory=dict)

    @property
    def has_model(self) -> bool:
        """Whether a model was trained, and there are probabilities."""
        return bool(self.classes)

    @property
    def knows_something(self) -> bool:
        """Return whether a model was trained for at least one of the questions."""
        return self.has_model or any(one.has_model for one in self.others.values())

    def answers_all(self, schemas: Sequence[Schema]) -> bool:
        """Return whether a model was trained for each of these, the first one first."""
        others = (self.others.get(one.control) for one in schemas[1:])
        return self.has_model and all(one and one.has_model for one in others)

    def row_of(self, task: int) -> int | None:
        """Return the row of a task; None if the round did not see the task."""
        row = int(self.task_ids.searchsorted(task))
        is_there = row < self.task_ids.size and self.task_ids[row] == task
        return row if is_there else None

    def among(self, tasks: Collection[int]) -> Ranking:
        """Return the same of those tasks alone, as far as the round saw them."""
        ids = np.fromiter(tasks, dtype=np.int64, count=len(tasks))
        rows = np.flatnonzero(np.isin(self.task_ids, ids))
        return replace(
            self,
            task_ids=self.task_ids[rows],
            probabilities=self.probabilities[rows],
            certainty=self.certainty[rows],
            stretches=tuple(self.stretches[row] for row in rows if self.stretches),
            expected_right=self.expected_right[rows]
            if self.expected_right.size
            else self.expected_right,
            others={name: one.among(tasks) for name, one in self.others.items()},
        )

    def members(self) -> Members:
        """Return (n_tasks, n_classes) whether each class is in each task's label."""
        kind, probabilities = self.kind, self.probabilities
        labels = likely_targets(
            probabilities,
            kind,
            may_be_empty=self.may_be_empty,
            most_chosen=self.most_chosen,
            scale=scale_named(self.classes, kind),
        )
        if kind == "any of":
            return labels.astype(np.bool_, copy=False)
        members = np.zeros(probabilities.shape, dtype=np.bool_)
        members[np.arange(len(members)), labels.astype(np.intp)] = True
        return members

    def sure(self) -> NDArray[np.float64]:
        """Return (n_tasks,) how probable each predicted label is.

        That is as a whole; of stretches, of how much of a task they are likely right.
        """
        if self.expected_right.size:
            return self.expected_right
        return sure(
            self.probabilities,
            self.kind,
            may_be_empty=self.may_be_empty,
            most_chosen=self.most_chosen,
        )

    def labels(self) -> list[str]:
        """Return the label that is predicted of each task; there must be a model."""
        return [*self.stretches] or self._labels(self.probabilities)

    def likeliest_of(self, task: int) -> str | None:
        """Return the predicted label of a task; None if nothing is known of it."""
        row = self.row_of(task) if self.has_model else None
        if row is None:
            return None
        if self.stretches:
            return self.stretches[row]
        [label] = self._labels(self.probabilities[[row]])
        return label

    def _labels(self, probabilities: Probabilities) -> list[str]:
        return likely_labels(
            probabilities,
            self.classes,
            self.kind,
            may_be_empty=self.may_be_empty,
            most_chosen=self.most_chosen,
        )

    @property
    def fields(self) -> dict[str, str | bytes | int]:
        """Return the ranking as the store keeps it."""
        fields: dict[str, str | bytes | int] = {
            "round": self.round,
            "basis": self.basis,
            "task_ids": self.task_ids.astype("<i8").tobytes(),
            "classes": orjson.dumps(self.classes),
            "probabilities": self.probabilities.astype("<f4").tobytes(),
            "certainty": self.certainty.astype("<f8").tobytes(),
        }
        if self.kind != "one of":  # which is what stores of old hold
            fields["kind"] = self.kind
        if not self.may_be_empty:
            fields["may_be_empty"] = 0
        if self.most_chosen:
            fields["most_chosen"] = self.most_chosen
        if self.stretches:
            fields["stretches"] = zlib.compress(orjson.dumps(self.stretches), 1)
            fields["expected_right"] = self.expected_right.astype("<f8").tobytes()
        if self.others:
            fields["others"] = orjson.dumps([*self.others])
        for number, other in enumerate(self.others.values()):
            fields |= {
                f"{number}:{name}": value for name, value in other.fields.items()
            }
        return fields

    @classmethod
    def of(cls, fields: Mapping[bytes, bytes]) -> Self | None:
        """Return the ranking that the store keeps; None if it keeps none."""
        return cls._read(fields) if b"task_ids" in fields else None

    @classmethod
    def _read(cls, fields: Mapping[bytes, bytes]) -> Self:
        task_ids = np.frombuffer(fields[b"task_ids"], dtype="<i8")
        flat = np.frombuffer(fields[b"probabilities"], dtype="<f4").astype(np.float64)
        classes = tuple(orjson.loads(fields[b"classes"]))
        return cls(
            round=int(fields[b"round"]),
            basis=fields[b"basis"].decode(),
            task_ids=task_ids,
            classes=classes,
            probabilities=flat.reshape(task_ids.size, len(classes)),
            certainty=np.frombuffer(fields[b"certainty"], dtype="<f8"),
            kind=_kind(fields.get(b"kind", b"one of")),
            may_be_empty=b"may_be_empty" not in fields,
            most_chosen=int(fields.get(b"most_chosen", 0)),
            stretches=_stretches(fields),
            expected_right=np.frombuffer(fields.get(b"expected_right", b""), "<f8"),
            others={
                name: cls._read(_fields_of(number, fields))
                for number, name in enumerate(orjson.loads(fields.get(b"others", "[]")))
            },
        )


def _fields_of(number: int, fields: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Return the fields of the ranking with this number among the other questions."""
    mark = f"{number}:".encode()
    return {k.removeprefix(mark): v for k, v in fields.items() if k.startswith(mark)}


def _kind(packed: bytes) -> AnswerKind:
    kinds: tuple[AnswerKind, ...] = get_args(AnswerKind)
    return next(kind for kind in kinds if kind.encode() == packed)


def _stretches(fields: Mapping[bytes, bytes]) -> tuple[Answer, ...]:
    packed = fields.get(b"stretches")
    return () if packed is None else tuple(orjson.loads(zlib.decompress(packed)))
