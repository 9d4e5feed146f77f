"""How good the model was found to be, and how far the next assessment has come."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import orjson

from dubito.backend.state import keys
from dubito.backend.state.kept_scores import (
    HeldOut,
    JointFinding,
    KeptRelation,
    KeptSetScores,
    KeptStretchScores,
    MeasuredAccuracy,
    MeasuredMeanError,
    StoredAssessment,
)
from dubito.model.arrays import AnswerKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from dubito.model.arrays import Probabilities

CURVE_KEPT = 1_000


class Suspect(StoredAssessment):
    """A label that may be wrong.

    Attributes
    ----------
    start, end : where people mark stretches: the part of the task that it is about, as
        Label Studio writes its ends; the label and what is suggested are of this part
    """

    task: int
    label: str
    suggested: str
    certainty: float
    reason: str
    start: int | float | str | None = None
    end: int | float | str | None = None


class Confusion(StoredAssessment):
    """How often tasks of one class, drawn at random, were taken for one."""

    label: str
    predicted: str
    count: int


class SolePredictor(StoredAssessment):
    """A column of the tasks' data that predicts almost all labels alone.

    Attributes
    ----------
    accuracy : share of so many labels, by cross-validation
    """

    column: str
    accuracy: float
    labels: int


class AssessmentSummary(StoredAssessment):
    """What the last assessment found.

    Attributes
    ----------
    basis : what it was computed from: equal bases give equal findings
    round : the last round when it began
    kind : of the labels
    by_chance : the honest learning curve of labels that were given at random
    set_scores : of any-of labels, if they are known
    stretch_scores : where people mark stretches, likewise
    mean_error : of grades and numbers, if it is known
    control : name of the control that asks; empty in what an older Dubito found
    relation : how often the model is right at which confidence; None before there is
        an estimate, and in what an older Dubito found
    settings : a mark of the settings then; empty in what an older Dubito found
    """

    basis: str
    round: int
    labels: int
    accuracy: MeasuredAccuracy | None = None
    relation: KeptRelation | None = None
    advised: bool = False
    reasons: tuple[str, ...] = ()
    doubtful: tuple[Suspect, ...] = ()
    confusion: tuple[Confusion, ...] = ()
    by_chance: tuple[MeasuredAccuracy, ...] = ()
    sole_predictors: tuple[SolePredictor, ...] = ()
    kind: AnswerKind = "one of"
    control: str = ""
    settings: str = ""
    set_scores: KeptSetScores | None = None
    stretch_scores: KeptStretchScores | None = None
    mean_error: MeasuredMeanError | None = None

    @property
    def point(self) -> MeasuredAccuracy | None:
        """The accuracy, of numbers the mean error: a point of the learning curve."""
        if self.kind != "number" or self.mean_error is None:
            return self.accuracy
        return MeasuredAccuracy(labels=self.labels, **self.mean_error.model_dump())


class FrozenLabels(StoredAssessment):
    """The labels that are being assessed, whatever has come since.

    Attributes
    ----------
    basis : what they were derived from
    tasks_version : of the tasks' features: of others the steps taken are worth nothing
    settings : a mark of the settings, likewise
    chosen : the label of each task, in the order in which they were labelled
    left_out : tasks without a label that are not open to be judged: skipped ones
    ours : tasks that we labelled ourselves: nobody will be asked, and none has judged
    answered_beside : tasks without a label of which people answered another question:
        the editor may have hidden this one
    """

    basis: str
    tasks_version: int
    settings: str
    round: int
    chosen: dict[int, str]
    left_out: tuple[int, ...] = ()
    ours: tuple[int, ...] = ()
    answered_beside: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AssessmentStore:
    """Findings about one question of a project, and the steps towards the next.

    Attributes
    ----------
    control : name of the control that asks the question; empty if it is not known
    is_first : whether that is the first question of the project: what an older Dubito
        kept is about it
    """

    client: Redis
    project: str
    clock: Callable[[], float] = time.time
    control: str = ""
    is_first: bool = True

    def of_question(self, control: str, *, is_first: bool) -> Self:
        """Return the findings about one question of the project."""
        return replace(self, control=control, is_first=is_first)

    def finding(self, kind: AnswerKind | None = None) -> AssessmentSummary | None:
        """Return what the last assessment found.

        Parameters
        ----------
        kind : of the question now: what was found of another kind says nothing of it;
            None if it is not known
        """
        packed = self.client.get(self._key(keys.FINDING))
        if packed is None:
            return None
        finding = AssessmentSummary.model_validate_json(packed)
        is_meant = kind in (None, finding.kind) and self._is_asked(finding.control)
        return finding if is_meant else None

    def curve(self, kind: AnswerKind | None = None) -> list[MeasuredAccuracy]:
        """Return the honest learning curve, oldest point first; see `finding`."""
        points = map(orjson.loads, self.client.lrange(self._key(keys.CURVE), 0, -1))
        return [
            MeasuredAccuracy.model_validate(point)
            for point in points
            if kind in (None, point.get("kind", "one of"))
            and self._is_asked(point.get("control", ""))
        ]

    def save(self, finding: AssessmentSummary, held_out: HeldOut | None = None) -> None:
        """Keep a finding, and drop the steps that led to it.

        Parameters
        ----------
        held_out : what was found of each labelled task, where it is of use
        """
        with self.client.pipeline(transaction=True) as pipe:
            own_finding = finding.model_copy(update={"control": self.control})
            pipe.set(self._key(keys.FINDING), own_finding.model_dump_json())
            if finding.point is not None:
                curve = self._key(keys.CURVE)
                marks = {"kind": finding.kind, "control": self.control}
                point = finding.point.model_dump() | marks
                pipe.rpush(curve, orjson.dumps(point))
                pipe.ltrim(curve, -CURVE_KEPT, -1)
            pipe.delete(*map(self._key, (keys.SNAPSHOT, keys.STEPS, keys.HELD_OUT)))
            if held_out is not None:
                pipe.set(self._key(keys.HELD_OUT), held_out.model_dump_json())
            pipe.execute()

    def held_out(self) -> HeldOut | None:
        """Return what the last assessment found of each labelled task, if kept."""
        packed = self.client.get(self._key(keys.HELD_OUT))
        return None if packed is None else HeldOut.model_validate_json(packed)

    def joint(self) -> JointFinding | None:
        """Return what was found of all questions together."""
        packed = self.client.get(keys.of(self.project, keys.JOINT))
        return None if packed is None else JointFinding.model_validate_json(packed)

    def save_joint(self, finding: JointFinding) -> None:
        """Keep what was found of all questions together."""
        key = keys.of(self.project, keys.JOINT)
        self.client.set(key, finding.model_dump_json())

    def drop(self) -> None:
        """Forget what was found: the labels it was about are gone."""
        names = (keys.FINDING, keys.SNAPSHOT, keys.STEPS, keys.HELD_OUT)
        self.client.delete(*(self._key(name) for name in names))

    def begin(self, frozen: FrozenLabels) -> None:
        """Start an assessment anew."""
        with self.client.pipeline(transaction=True) as pipe:
            pipe.delete(self._key(keys.STEPS))
            pipe.set(self._key(keys.SNAPSHOT), frozen.model_dump_json())
            pipe.execute()

    def frozen(self) -> FrozenLabels | None:
        """Return what is being assessed."""
        packed = self.client.get(self._key(keys.SNAPSHOT))
        return None if packed is None else FrozenLabels.model_validate_json(packed)

    def keep(self, step: str, probabilities: Probabilities) -> None:
        """Keep what a step found."""
        shape = orjson.dumps(probabilities.shape)
        packed = shape + b"\n" + probabilities.astype("<f4").tobytes()
        self.client.hset(self._key(keys.STEPS), step, packed)

    def steps(self) -> dict[str, Probabilities]:
        """Return the steps taken, and what they found."""
        steps = self.client.hgetall(self._key(keys.STEPS))
        return {step.decode(): _unpacked(packed) for step, packed in steps.items()}

    def _key(self, name: str) -> str:
        return keys.of(
            self.project, name if self.is_first else f"{name}:{self.control}"
        )

    def _is_asked(self, control: str) -> bool:
        """Tell whether something is about this question; an older Dubito named none."""
        return "" in (control, self.control) or control == self.control


def _unpacked(packed: bytes) -> Probabilities:
    shape, _, values = packed.partition(b"\n")
    flat = np.frombuffer(values, dtype="<f4").astype(np.float64)
    return flat.reshape(orjson.loads(shape))
