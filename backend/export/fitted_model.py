"""A fitted model that needs neither Redis nor Label Studio: kept in a file, and used.

The file is read by skops, which makes nothing but objects of types that are known to
it or named here, and runs nothing that is stored.
"""

from __future__ import annotations

import zipfile
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from skops import io as skops
from skops.io.exceptions import UnsupportedTypeException, UntrustedTypesFoundException

from dubito.backend.controls.likely_labels import likely_labels
from dubito.backend.controls.registry import codec_of
from dubito.backend.errors import ModelFileError
from dubito.backend.features.feature_table import Featuriser
from dubito.backend.features.ingest import attempt
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.pool import TaskInput
from dubito.model.query.uncertainty import doubt
from dubito.model.schema import Channels, Schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dubito.backend.features.task_reader import FileSource
    from dubito.backend.records import JsonObject
    from dubito.model.learners.registry import Predictor

FORMAT = 10
"""Grows when an older Dubito could not read what is written."""

READ_FORMATS = frozenset({6, 7, 8, 9, FORMAT})
"""Format 9 knows no numbers; format 8 learnt grades as classes; format 7 knows no names
of classes; format 6 knows one object only, and no extractor, and its texts have no
vectors."""

WITH_VECTORS = 7
AT_A_TIME = 500
OURS = (
    "dubito.backend.features.feature_table.Featuriser",
    "dubito.backend.features.feature_table.TextEmbeddings",
    "dubito.model.learners.ensemble.Blend",
    "dubito.model.features.class_names.ClassNames",
    "dubito.model.features.mixed_columns.ColumnDirections",
    "dubito.model.features.mixed_columns.Flags",
    "dubito.model.features.mixed_columns.Layout",
    "dubito.model.features.sentence_directions.SentenceDirections",
    "dubito.model.features.tabular.Scale",
    "dubito.model.features.text.TextDirections",
    "dubito.model.features.text.Embedding",
    "dubito.model.features.text.Style",
    "dubito.model.features.views.View",
    "dubito.model.learners.grades.GradeBlend",
    "dubito.model.learners.kernel_ridge.KernelFit",
    "dubito.model.learners.kernel_ridge.Kernel",
    "dubito.model.learners.kernel_ridge.SimilarityPredictor",
    "dubito.model.learners.names_opinion.NamesTrust",
    "dubito.model.learners.pairs.PairPredictor",
    "dubito.model.learners.registry.NamedPredictor",
    "dubito.model.learners.registry.OneByOnePredictor",
    "dubito.model.learners.registry.PlainPredictor",
    "dubito.model.learners.experts.ClassifierExpert",
    "dubito.model.learners.experts.DiscriminantExpert",
    "dubito.model.learners.experts.ViewExpert",
    "dubito.model.learners.set_ensemble.SetBlend",
    "dubito.model.learners.set_experts.SetRegression",
    "dubito.model.learners.set_experts.SetSimilarity",
    "dubito.model.learners.set_experts.SetTrees",
    "dubito.model.learners.unlabelled_context.Axes",
    "dubito.model.learners.unlabelled_context.Graph",
    "dubito.model.learners.unlabelled_context.Rows",
    "dubito.model.learners.unlabelled_context.UnlabelledContext",
)
THEIRS = (
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
)
"""Parts of scikit-learn that skops does not take by itself: they hold bare indices,
so that a file made up by somebody may crash the process; it cannot run code."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedModel:
    """All that turns an item's data into a label, as the service does.

    Attributes
    ----------
    strategy : how certainty is measured
    """

    schema: Schema
    reads: InputSpec
    strategy: str
    featuriser: Featuriser
    predictor: Predictor

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes."""
        return self.schema.classes

    def answers(
        self, items: Sequence[JsonObject], files: FileSource
    ) -> Iterator[ItemPrediction | str]:
        """Yield what the model says of each item, or why it cannot be read.

        Parameters
        ----------
        items : data as tasks of the project hold it
        files : where the files lie that the data names
        """
        reader = TaskReader(schema=self.schema, reads=self.reads, files=files)
        for start in range(0, len(items), AT_A_TIME):
            part = items[start : start + AT_A_TIME]
            yield from self._answers([attempt(reader, item) for item in part])

    def _answers(
        self, read: Sequence[TaskInput | str]
    ) -> Iterator[ItemPrediction | str]:
        inputs = [one for one in read if isinstance(one, TaskInput) and not one.refused]
        probabilities = self.predictor.predict(self.featuriser.features_of(inputs))
        codec = codec_of(self.schema)
        certainty = doubt(self.strategy, probabilities, codec.answer_kind)
        labels = likely_labels(
            probabilities,
            self.classes,
            codec.answer_kind,
            may_be_empty=codec.may_be_empty,
        )
        predictions = iter(zip(probabilities, certainty.tolist(), labels, strict=True))
        for one in read:
            if isinstance(one, str) or one.refused:
                yield one if isinstance(one, str) else one.refused
                continue
            shares, sure, label = next(predictions)
            yield ItemPrediction(
                label=label,
                certainty=sure,
                probabilities=tuple(shares.tolist()),
            )

    def packed(self) -> bytes:
        """Return the content of a skops file.

        Raises
        ------
        ModelFileError
            if the learner, of another package, cannot be kept in one
        """
        content = {
            "format": FORMAT,
            "schema": asdict(self.schema),
            "reads": self.reads.model_dump(
                include={"kind", "keys", "parts", "extractor"}
            ),
            "strategy": self.strategy,
            "featuriser": self.featuriser,
            "predictor": self.predictor,
        }
        try:
            packed: bytes = skops.dumps(content, compression=zipfile.ZIP_DEFLATED)
        except UnsupportedTypeException as error:
            message = f"the model cannot be saved as a skops file: {error}"
            raise ModelFileError(message) from error
        return packed

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


def schema_of(content: Mapping[str, Any]) -> Schema:
    """Return a schema that was kept as dictionaries."""
    others = tuple(map(schema_of, content.get("others", ())))
    return Schema(
        **{**content, "channels": Channels(**content["channels"]), "others": others}
    )


def load_model(path: Path, also: Sequence[str] = ()) -> FittedModel:
    """Read a `model.skops` of Dubito's.

    Parameters
    ----------
    also : full names of types that are trusted beside Dubito's: of a learner that
        another package brings

    Raises
    ------
    ModelFileError
        if it is none, or is of a newer Dubito, or holds another type
    """
    try:
        content = skops.load(path, trusted=[*OURS, *THEIRS, *also])
    except UntrustedTypesFoundException as error:
        if any(f"'{own}." in str(error) for own in ("model", "backend", "dubito")):
            message = f"an older Dubito wrote {path}: export the model again"
            raise ModelFileError(message) from error
        message = f"{path} contains types that are not Dubito's: {error}"
        raise ModelFileError(message) from error
    except (OSError, zipfile.BadZipFile, LookupError, ValueError) as error:
        message = f"{path} is not a readable model: {error}"
        raise ModelFileError(message) from error
    if not isinstance(content, dict) or content.get("format") not in READ_FORMATS:
        message = f"{path} is not a model of this version of Dubito"
        raise ModelFileError(message)
    if content["format"] < WITH_VECTORS and content["featuriser"].wordings is not None:
        message = f"an older Dubito wrote {path}: export the model again"
        raise ModelFileError(message)
    return FittedModel.unpacked(content)
