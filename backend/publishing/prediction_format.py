"""What a prediction says: a score, and the predicted label where the owner asks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import orjson

from dubito.backend.controls.conditions import shown_labels
from dubito.backend.controls.registry import codec_of
from dubito.backend.publishing.scores import NEUTRAL, VERSION, pool_score
from dubito.backend.records import PREDICTION_MARK, mark_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dubito.backend.controls.codec import Answer
    from dubito.backend.records import JsonObject
    from dubito.backend.state.ranking import Ranking
    from dubito.model.schema import Schema


@dataclass(frozen=True, kw_only=True)
class PredictionFormatter:
    """Puts certainties and probabilities into Label Studio's words.

    Attributes
    ----------
    schemas : the questions whose answers may be shown
    ranking : what the last round found; None before there was one
    preannotate : whether predictions show labels
    first : name of the control that the ranking itself is of; that of the first schema
        if it is empty
    """

    schemas: tuple[Schema, ...]
    ranking: Ranking | None
    preannotate: bool = False
    first: str = ""

    def row(self, task: int, score: float) -> JsonObject:
        """Return a row of ours for a task."""
        return {
            "score": score,
            "model_version": VERSION,
            "result": self._regions_of(task),
        }

    def fault(self, task: int, score: float) -> str:
        """Return what is wrong with our row of a task; empty if nothing is."""
        if not 0 <= score <= 1:
            return f"its score would be {score}"
        result = self._regions_of(task)
        controls = {region["from_name"] for region in result}
        if any(
            schema.control in controls and not _is_readable(result, schema)
            for schema in self.schemas
        ):
            return "the label that it would show cannot be read"
        return ""

    def shown(self, task: int) -> str:
        """Return what annotators are to see of a task, as `shown_by` says it."""
        return shown_by(self._regions_of(task))

    def _regions_of(self, task: int) -> list[JsonObject]:
        return self.result(self.labels(task)) if self.preannotate else []

    def answer(self, task: int) -> JsonObject:
        """Return what `/predict` says of a task of the ranking."""
        return self.row(task, pool_score(self.certainty(task)))

    def certainty(self, task: int) -> float:
        """Return the certainty of a task; neutral if nothing is known of it."""
        row = None if self.ranking is None else self.ranking.row_of(task)
        if self.ranking is None or row is None:
            return NEUTRAL
        return float(self.ranking.certainty[row])

    def labels(self, task: int) -> dict[str, Answer]:
        """Return the likeliest label of a task by its control, if there is a model."""
        row = None if self.ranking is None else self.ranking.row_of(task)
        if row is None:
            return {}
        return {name: labels[row] for name, labels in self._predicted.items()}

    @cached_property
    def _predicted(self) -> dict[str, list[Answer]]:
        """The likeliest label of each task of the ranking, by its control."""
        if self.ranking is None:
            return {}
        first = self.first or next((one.control for one in self.schemas), "")
        rankings = {first: self.ranking, **self.ranking.others}
        return {n: one.labels() for n, one in rankings.items() if one.has_model}

    def result(self, labels: Mapping[str, Answer]) -> list[JsonObject]:
        """Return the regions of a prediction of these labels, by their controls.

        They are marked: what the Data Manager copies from them is nobody's answer. Of a
        control that the editor hides beside the other labels there is no region.
        """
        shown = shown_labels(labels, self.schemas)
        regions = [
            region
            for schema in self.schemas
            if schema.control in shown
            for region in _regions(shown[schema.control], schema)
        ]
        return [{**one, "meta": {PREDICTION_MARK: mark_of(one)}} for one in regions]


def _regions(label: Answer, schema: Schema) -> list[JsonObject]:
    codec = codec_of(schema)
    return codec.regions(label, schema) if codec.is_answer(label, schema) else []


def _is_readable(result: Sequence[JsonObject], schema: Schema) -> bool:
    codec = codec_of(schema)
    answer = codec.read(result, schema)
    return isinstance(answer, str) and codec.is_answer(answer, schema)


def shown_by(result: Iterable[JsonObject]) -> str:
    """Return what annotators see of a prediction, as text to compare; "" for nothing.

    Label Studio adds an id to a region; all else stays as it was written.
    """
    names = ("from_name", "to_name", "value", "meta")
    regions = [[region.get(name) for name in names] for region in result]
    return (
        orjson.dumps(regions, option=orjson.OPT_SORT_KEYS).decode() if regions else ""
    )
