"""How good the model was found to be, and how far the next assessment has come."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import orjson
from pydantic import BaseModel, ConfigDict

from backend.state import keys
from model.accuracy import Relation

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from model.arrays import Probabilities

CURVE_KEPT = 1_000


class Noted(BaseModel):
    """Something kept as JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Measured(Noted):
    """One point of the honest learning curve."""

    labels: int
    estimate: float
    low: float
    high: float
    n: int


class KeptRelation(Noted):
    """How often the model is right at which confidence, as `model.accuracy` has it."""

    peak: tuple[float, float, float]
    covariance: tuple[tuple[float, float, float], ...]
    clumping: float
    labels: int
    groups: int
    has_right: bool
    has_wrong: bool

    @classmethod
    def of(cls, relation: Relation) -> Self:
        """Write a relation down."""
        return cls(
            peak=tuple(relation.peak.tolist()),
            covariance=tuple(tuple(row) for row in relation.covariance.tolist()),
            clumping=relation.clumping,
            labels=relation.labels,
            groups=relation.groups,
            has_right=relation.has_right,
            has_wrong=relation.has_wrong,
        )

    @property
    def relation(self) -> Relation:
        """The relation, ready to be used."""
        return Relation(
            peak=np.array(self.peak),
            covariance=np.array(self.covariance),
            clumping=self.clumping,
            labels=self.labels,
            groups=self.groups,
            has_right=self.has_right,
            has_wrong=self.has_wrong,
        )


class Suspect(Noted):
    """A label that may be wrong."""

    task: int
    label: str
    suggested: str
    certainty: float
    reason: str


class Confusion(Noted):
    """How often tasks of one class, drawn at random, were taken for one."""

    label: str
    predicted: str
    count: int


class Finding(Noted):
    """What the last assessment found.

    Attributes
    ----------
    basis : what it was computed from: equal bases give equal findings
    round : the last round when it began
    by_chance : the honest learning curve of labels that were given at random
    relation : how often the model is right at which confidence; None before there is
        an estimate, and in what an older Dubito found
    """

    basis: str
    round: int
    labels: int
    accuracy: Measured | None = None
    relation: KeptRelation | None = None
    advised: bool = False
    reasons: tuple[str, ...] = ()
    doubtful: tuple[Suspect, ...] = ()
    confusion: tuple[Confusion, ...] = ()
    by_chance: tuple[Measured, ...] = ()


class Snapshot(Noted):
    """The labels that are being assessed, whatever has come since.

    Attributes
    ----------
    basis : what they were derived from
    tasks_version : of the tasks' features: of others the steps taken are worth nothing
    settings : a mark of the settings, likewise
    chosen : the label of each task, in the order in which they were labelled
    left_out : tasks without a label that are not open to be judged: skipped ones
    ours : tasks that we labelled ourselves: nobody will be asked, and none has judged
    """

    basis: str
    tasks_version: int
    settings: str
    round: int
    chosen: dict[int, str]
    left_out: tuple[int, ...] = ()
    ours: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AssessmentStore:
    """Findings of one project, and the steps taken towards the next."""

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def finding(self) -> Finding | None:
        """Return what the last assessment found."""
        kept = self.client.get(self._key(keys.FINDING))
        return None if kept is None else Finding.model_validate_json(kept)

    def curve(self) -> list[Measured]:
        """Return the honest learning curve, oldest point first."""
        kept = self.client.lrange(self._key(keys.CURVE), 0, -1)
        return [Measured.model_validate_json(point) for point in kept]

    def save(self, finding: Finding) -> None:
        """Keep a finding, and drop the steps that led to it."""
        with self.client.pipeline(transaction=True) as pipe:
            pipe.set(self._key(keys.FINDING), finding.model_dump_json())
            if finding.accuracy is not None:
                curve = self._key(keys.CURVE)
                pipe.rpush(curve, finding.accuracy.model_dump_json())
                pipe.ltrim(curve, -CURVE_KEPT, -1)
            pipe.delete(self._key(keys.SNAPSHOT), self._key(keys.STEPS))
            pipe.execute()

    def drop(self) -> None:
        """Forget what was found: the labels it was about are gone."""
        names = (keys.FINDING, keys.SNAPSHOT, keys.STEPS)
        self.client.delete(*(self._key(name) for name in names))

    def begin(self, snapshot: Snapshot) -> None:
        """Start an assessment anew."""
        with self.client.pipeline(transaction=True) as pipe:
            pipe.delete(self._key(keys.STEPS))
            pipe.set(self._key(keys.SNAPSHOT), snapshot.model_dump_json())
            pipe.execute()

    def snapshot(self) -> Snapshot | None:
        """Return what is being assessed."""
        kept = self.client.get(self._key(keys.SNAPSHOT))
        return None if kept is None else Snapshot.model_validate_json(kept)

    def keep(self, step: str, found: Probabilities) -> None:
        """Keep what a step found."""
        shape = orjson.dumps(found.shape)
        packed = shape + b"\n" + found.astype("<f4").tobytes()
        self.client.hset(self._key(keys.STEPS), step, packed)

    def steps(self) -> dict[str, Probabilities]:
        """Return the steps taken, and what they found."""
        kept = self.client.hgetall(self._key(keys.STEPS))
        return {step.decode(): _unpacked(packed) for step, packed in kept.items()}

    def _key(self, name: str) -> str:
        return keys.of(self.project, name)


def _unpacked(packed: bytes) -> Probabilities:
    shape, _, values = packed.partition(b"\n")
    flat = np.frombuffer(values, dtype="<f4").astype(np.float64)
    return flat.reshape(orjson.loads(shape))
