"""Auto-labels in Label Studio's words: rows that bear our mark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.controls.conditions import shown_labels
from dubito.backend.controls.registry import codec_of
from dubito.backend.publishing.scores import LABELS_VERSION
from dubito.backend.records import MARK, mark_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dubito.backend.controls.codec import Answer
    from dubito.backend.records import JsonObject
    from dubito.backend.state.autolabel import AutolabelRow
    from dubito.model.schema import Schema

NOTHING: JsonObject = {"from_name": MARK, "to_name": MARK, "type": "pairwise"}
"""What bears the mark of a label without a region: no stretch, or no class.

There is no such control, so Label Studio's editor shows nothing and drops it from what
a person submits. With the type of another control, Label Studio would refuse every
change of the label config until the annotation is gone.
"""


def marked_row(schemas: Sequence[Schema], label: AutolabelRow) -> JsonObject:
    """Return a row that labels a task, and what is made of it, as ours.

    Parameters
    ----------
    schemas : the questions that the label answers, the first one first
    """
    items = [
        item
        for schema, answer in _answers(schemas, label)
        for item in codec_of(schema).regions(answer, schema)
    ] or [{**NOTHING, "value": {}}]
    regions = [
        {
            "id": f"{MARK}-{number}",  # the editor takes those of one id for one region
            **item,
            "meta": {MARK: mark_of(item)},
            "origin": "prediction",
        }
        for number, item in enumerate(items)
    ]
    score = min(1.0, max(0.0, label.certainty))
    return {"score": score, "model_version": LABELS_VERSION, "result": regions}


def is_writable(schemas: Sequence[Schema], label: AutolabelRow) -> bool:
    """Tell whether all answers of a label can be written: a class may have gone."""
    return all(
        codec_of(schema).is_answer(answer, schema)
        for schema, answer in _answers(schemas, label)
    )


def passes_bulk_import(schemas: Sequence[Schema]) -> bool:
    """Tell whether Label Studio's bulk import takes all answers as they are."""
    return all(codec_of(one).passes_bulk_import(one) for one in schemas)


def _answers(
    schemas: Sequence[Schema], label: AutolabelRow
) -> Iterable[tuple[Schema, Answer]]:
    """Return the questions that the editor shows beside the answers, with these."""
    labels = shown_labels({schemas[0].control: label.label, **label.others}, schemas)
    return ((one, labels[one.control]) for one in schemas if one.control in labels)
