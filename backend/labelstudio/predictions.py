"""What a prediction says: a score, and the predicted label where the owner asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.labelstudio.scores import NEUTRAL, VERSION, pool_score

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.records import JsonObject
    from backend.state.project import Ranking
    from model.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Puts certainties and probabilities into Label Studio's words."""

    schema: Schema
    ranking: Ranking | None
    preannotate: bool = False
    places: Mapping[int, int]

    @classmethod
    def of(
        cls, schema: Schema, ranking: Ranking | None, *, preannotate: bool
    ) -> Wording:
        """Prepare to speak of the tasks of a ranking."""
        ids = [] if ranking is None else ranking.task_ids.tolist()
        places = {task: place for place, task in enumerate(ids)}
        return cls(
            schema=schema, ranking=ranking, preannotate=preannotate, places=places
        )

    def row(self, task: int, score: float) -> JsonObject:
        """Return a row of ours for a task."""
        return {
            "score": score,
            "model_version": VERSION,
            "result": self.result(self.label(task) if self.preannotate else None),
        }

    def answer(self, task: int) -> JsonObject:
        """Return what `/predict` says of a task of the ranking."""
        return self.row(task, pool_score(self.certainty(task)))

    def certainty(self, task: int) -> float:
        """Return the certainty of a task; neutral if nothing is known of it."""
        place = self.places.get(task)
        if self.ranking is None or place is None:
            return NEUTRAL
        return float(self.ranking.certainty[place])

    def label(self, task: int) -> str | None:
        """Return the likeliest class of a task, if there is a model."""
        place = self.places.get(task)
        if self.ranking is None or place is None or not self.ranking.classes:
            return None
        return self.ranking.classes[int(self.ranking.probabilities[place].argmax())]

    def result(self, label: str | None) -> list[JsonObject]:
        """Return the regions of an annotation with this label; none for none."""
        if label is None or label not in self.schema.classes:
            return []
        region: JsonObject = {
            "from_name": self.schema.control,
            "to_name": self.schema.target,
            "type": "choices",
            "value": {"choices": [label]},
        }
        return [region]
