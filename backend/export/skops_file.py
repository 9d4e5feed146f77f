"""The file of an exported model, which is read by skops.

skops makes nothing but objects of types that are known to it or named here, and runs
nothing that is stored. It takes most of a second to import: few processes need it.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dubito.backend.errors import ModelFileError
from dubito.model.schema import Channels, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FORMAT = 11
"""Grows when an older Dubito could not read what is written."""

FORMAT_OF_STRETCHES, OLD_FORMAT_OF_STRETCHES = 12, 10
"""Words had other features in the old one."""

READ_FORMATS = frozenset({6, 7, 8, 9, FORMAT, FORMAT_OF_STRETCHES})
"""Format 9 knows no numbers; format 8 learnt grades as classes; format 7 knows no names
of classes; format 6 knows one object only, and no extractor, and its texts have no
vectors."""

WITH_VECTORS = 7
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
    "dubito.model.stretches.chain.Chain",
    "dubito.model.stretches.classifiers.WindowClassifier",
    "dubito.model.stretches.classifiers.WordClassifier",
    "dubito.model.stretches.combinations.Combinations",
    "dubito.model.stretches.learner.StretchModel",
)
THEIRS = (
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
)
"""Parts of scikit-learn that skops does not take by itself: they hold bare indices,
so that a file made up by somebody may crash the process; it cannot run code."""

DAMAGES = (
    *(OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError),
    *(LookupError, ValueError, TypeError, AttributeError),
)
"""What comes of a file with some bytes that are not those which were written."""


def packed_content(content: Mapping[str, object]) -> bytes:
    """Return the content of a skops file.

    Raises
    ------
    ModelFileError
        if a learner, of another package, cannot be kept in one
    """
    from skops import io as skops
    from skops.io.exceptions import UnsupportedTypeException

    try:
        packed: bytes = skops.dumps(content, compression=zipfile.ZIP_DEFLATED)
    except UnsupportedTypeException as error:
        message = f"the model cannot be saved as a skops file: {error}"
        raise ModelFileError(message) from error
    return packed


def read_content(path: Path, also: Sequence[str] = ()) -> Mapping[str, Any]:
    """Return what `packed_content` was given.

    Parameters
    ----------
    also : full names of types that are trusted beside Dubito's

    Raises
    ------
    ModelFileError
        if it is no model, or one of a newer Dubito, or holds another type
    DAMAGES
        if it is damaged
    """
    from skops import io as skops
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        content = skops.load(path, trusted=[*OURS, *THEIRS, *also])
    except UntrustedTypesFoundException as error:
        if any(f"'{own}." in str(error) for own in ("model", "backend", "dubito")):
            message = f"an older Dubito wrote {path}: export the model again"
            raise ModelFileError(message) from error
        message = f"{path} contains types that are not Dubito's: {error}"
        raise ModelFileError(message) from error
    known_formats = {*READ_FORMATS, OLD_FORMAT_OF_STRETCHES}
    if not isinstance(content, dict) or content.get("format") not in known_formats:
        message = f"{path} is not a model of this version of Dubito"
        raise ModelFileError(message)
    number = content["format"]
    if number == OLD_FORMAT_OF_STRETCHES or (
        number < WITH_VECTORS and content["featuriser"].wordings is not None
    ):
        message = f"an older Dubito wrote {path}: export the model again"
        raise ModelFileError(message)
    return content


def schema_content(schema: Schema) -> dict[str, Any]:
    """Return a schema as dictionaries, as far as a model needs it."""
    content = asdict(schema)
    for one in (content, *content["others"]):
        del one["condition"]
    return content


def schema_of(content: Mapping[str, Any]) -> Schema:
    """Return a schema that was kept as dictionaries."""
    others = tuple(map(schema_of, content.get("others", ())))
    return Schema(
        **{**content, "channels": Channels(**content["channels"]), "others": others}
    )
