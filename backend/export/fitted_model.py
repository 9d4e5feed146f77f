"""A fitted model without Redis and Label Studio: kept in a file, and used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from dubito.backend.controls.likely_labels import likely_labels
from dubito.backend.controls.registry import codec_of
from dubito.backend.errors import ModelFileError
from dubito.backend.export.exported_model import ExportedModel
from dubito.backend.export.fitted_stretches import FittedStretches
from dubito.backend.export.skops_file import (
    DAMAGES,
    FORMAT,
    FORMAT_OF_STRETCHES,
    read_content,
    schema_of,
)
from dubito.backend.features.feature_table import Featuriser
from dubito.backend.state.facts import InputSpec
from dubito.model.query.uncertainty import doubt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dubito.backend.state.pool import TaskInput
    from dubito.model.learners.registry import Predictor


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPrediction:
    """What the model says of one item.

    Attributes
    ----------
    label : the likeliest class, the median grade, a number, or a JSON list where a
        label is any of the classes
    certainty : in [0, 1], as the project measures it
    probabilities : of each class, in the order of the model's `classes`
    """

    label: str
    certainty: float
    probabilities: tuple[float, ...]

    @property
    def lines(self) -> Sequence[Sequence[object]]:
        """Return one line: label, certainty and probabilities."""
        return [(self.label, self.certainty, *self.probabilities)]


@dataclass(frozen=True, kw_only=True)
class FittedModel(ExportedModel):
    """A model of labels of whole items.

    Attributes
    ----------
    strategy : how certainty is measured
    """

    strategy: str
    featuriser: Featuriser
    predictor: Predictor

    @property
    def columns(self) -> tuple[str, ...]:
        """Return what stands in each line: a probability of each class at the end."""
        return ("label", "certainty", *self.classes)

    def predict(self, inputs: Sequence[TaskInput]) -> Iterator[ItemPrediction]:
        """Yield the label of each item that could be read."""
        probabilities = self.predictor.predict(self.featuriser.features_of(inputs))
        codec = codec_of(self.schema)
        certainty = doubt(self.strategy, probabilities, codec.answer_kind)
        labels = likely_labels(
            probabilities,
            self.classes,
            codec.answer_kind,
            may_be_empty=codec.may_be_empty,
            most_chosen=self.schema.most_chosen,
        )
        columns = zip(probabilities, certainty.tolist(), labels, strict=True)
        for shares, sure, label in columns:
            yield ItemPrediction(
                label=label,
                certainty=sure,
                probabilities=tuple(shares.tolist()),
            )

    def content(self) -> Mapping[str, object]:
        """Return what is kept of the model."""
        return {
            "format": FORMAT,
            "strategy": self.strategy,
            "featuriser": self.featuriser,
            "predictor": self.predictor,
        }

    @classmethod
    def unpacked(cls, content: Mapping[str, Any]) -> Self:
        """Return the model that `packed` has described."""
        return cls(
            schema=schema_of(content["schema"]),
            reads=InputSpec(**content["reads"]),
            strategy=content["strategy"],
            featuriser=_of_any_format(content["featuriser"]),
            predictor=content["predictor"],
        )


def _of_any_format(featuriser: Featuriser) -> Featuriser:
    """Return a featuriser with the fields that older formats do not have."""
    return Featuriser(
        columns=featuriser.columns,
        layout=featuriser.layout,
        wordings=featuriser.wordings,
        names=getattr(featuriser, "names", None),
        of_pairs=getattr(featuriser, "of_pairs", False),
    )


def load_model(path: Path, also: Sequence[str] = ()) -> ExportedModel:
    """Read a `model.skops` of Dubito's.

    Parameters
    ----------
    also : full names of types that are trusted beside Dubito's: of a learner that
        another package brings

    Raises
    ------
    ModelFileError
        if it is none or damaged, or is of a newer Dubito, or holds another type
    """
    try:
        content = read_content(path, also)
        if content["format"] == FORMAT_OF_STRETCHES:
            return FittedStretches.unpacked(content)
        return FittedModel.unpacked(content)
    except DAMAGES as error:
        reason = f"{type(error).__name__}: {error}"
        message = f"{path} is not a readable model ({reason}): export the model again"
        raise ModelFileError(message) from error
