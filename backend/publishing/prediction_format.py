"""What a prediction says: a score, and the predicted label where the owner asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from dubito.backend.controls.registry import codec_of
from dubito.backend.publishing.scores import NEUTRAL, VERSION, pool_score
from dubito.backend.records import PREDICTION_MARK, mark_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dubito.backend.records import JsonObject
    from dubito.backend.state.ranking import Ranking
    from dubito.model.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionFormatter:
    """Puts certainties and probabilities into Label Studio's words."""

    schema: Schema
    ranking: Ranking | None
    preannotate: bool = False

    @classmethod
    def of(
        cls, schema: Schema, ranking: Ranking | None, *, preannotate: bool
    ) -> PredictionFormatter:
        """Prepare to speak of the tasks of a ranking."""
        return cls(schema=schema, ranking=ranking, preannotate=preannotate)

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
        codec = codec_of(self.schema)
        answer = codec.read(result, self.schema)
        if result and not (
            isinstance(answer, str) and codec.is_answer(answer, self.schema)
        ):
            return "the label that it would show cannot be read"
        return ""

    def shown(self, task: int) -> str:
        """Return what annotators are to see of a task, as `shown_by` says it."""
        return shown_by(self._regions_of(task))

    def _regions_of(self, task: int) -> list[JsonObject]:
        return self.result(self.label(task) if self.preannotate else None)

    def answer(self, task: int) -> JsonObject:
        """Return what `/predict` says of a task of the ranking."""
        return self.row(task, pool_score(self.certainty(task)))

    def certainty(self, task: int) -> float:
        """Return the certainty of a task; neutral if nothing is known of it."""
        row = None if self.ranking is None else self.ranking.row_of(task)
        if self.ranking is None or row is None:
            return NEUTRAL
        return float(self.ranking.certainty[row])

    def label(self, task: int) -> str | None:
        """Return the likeliest label of a task, if there is a model."""
        return None if self.ranking is None else self.ranking.likeliest_of(task)

    def result(self, label: str | None) -> list[JsonObject]:
        """Return the regions of a prediction of this label; none for none.

        They are marked: what the Data Manager copies from them is nobody's answer.
        """
        codec = codec_of(self.schema)
        if label is None or not codec.is_answer(label, self.schema):
            return []
        regions = codec.regions(label, self.schema)
        return [{**one, "meta": {PREDICTION_MARK: mark_of(one)}} for one in regions]


def shown_by(result: Iterable[JsonObject]) -> str:
    """Return what annotators see of a prediction, as text to compare; "" for nothing.

    Label Studio adds an id to a region; all else stays as it was written.
    """
    names = ("from_name", "to_name", "value", "meta")
    regions = [[region.get(name) for name in names] for region in result]
    return (
        orjson.dumps(regions, option=orjson.OPT_SORT_KEYS).decode() if regions else ""
    )
