"""A fitted model that needs neither Redis nor Label Studio: kept in a file, and used.

The file is read by skops, which makes nothing but objects of types that are known to
it or named here, and runs nothing that is stored.
"""

from __future__ import annotations

import zipfile
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from skops import io as skops
from skops.io.exceptions import UnsupportedTypeException, UntrustedTypesFoundException

from backend.errors import ModelFileError
from backend.learning.intake import attempt
from backend.learning.reading import Reader
from backend.state.project import ReadsChoice
from backend.state.tasks import Reading
from model.schema import Channels, Schema
from model.uncertainty import doubt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from backend.learning.features import Featuriser
    from backend.learning.reading import FileSource
    from backend.records import JsonObject
    from model.learner import Predictor

FORMAT = 4
"""Grows when an older Dubito could not read what is written."""

AT_A_TIME = 500
OURS = (
    "backend.learning.features.Featuriser",
    "backend.learning.features.Wordings",
    "model.ensemble.Blend",
    "model.features.columns.Directions",
    "model.features.columns.Flags",
    "model.features.columns.Layout",
    "model.features.meaning.Meaning",
    "model.features.tabular.Scale",
    "model.features.text.Directions",
    "model.features.text.Embedding",
    "model.features.text.Style",
    "model.features.views.View",
    "model.kernel.Fit",
    "model.kernel.Kernel",
    "model.kernel.LikenessPredictor",
    "model.learner.PlainPredictor",
    "model.opinions.ClassifierOpinion",
    "model.opinions.DiscriminantOpinion",
    "model.opinions.ViewOpinion",
    "model.surroundings.Axes",
    "model.surroundings.Graph",
    "model.surroundings.Rows",
    "model.surroundings.Surroundings",
)
THEIRS = (
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
)
"""Parts of scikit-learn that skops does not take by itself: they hold bare indices,
so that a file made up by somebody may crash the process; it cannot run code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model says of one item.

    Attributes
    ----------
    label : the likeliest class
    certainty : in [0, 1], as the project measures it
    probabilities : of each class, in the order of the model's `classes`
    """

    label: str
    certainty: float
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """All that turns an item's data into a label, as the service does.

    Attributes
    ----------
    strategy : how certainty is measured
    """

    schema: Schema
    reads: ReadsChoice
    strategy: str
    featuriser: Featuriser
    predictor: Predictor

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes."""
        return self.schema.classes

    def answers(
        self, items: Sequence[JsonObject], files: FileSource
    ) -> Iterator[Answer | str]:
        """Yield what the model says of each item, or why it cannot be read.

        Parameters
        ----------
        items : data as tasks of the project hold it
        files : where the files lie that the data names
        """
        reader = Reader(schema=self.schema, reads=self.reads, files=files)
        for start in range(0, len(items), AT_A_TIME):
            part = items[start : start + AT_A_TIME]
            yield from self._answers([attempt(reader, item) for item in part])

    def _answers(self, read: Sequence[Reading | str]) -> Iterator[Answer | str]:
        known = [one for one in read if isinstance(one, Reading) and not one.refused]
        probabilities = self.predictor.predict(self.featuriser.features_of(known))
        certainty = doubt(self.strategy, probabilities)
        said = iter(zip(probabilities, certainty.tolist(), strict=True))
        for one in read:
            if isinstance(one, str) or one.refused:
                yield one if isinstance(one, str) else one.refused
                continue
            shares, sure = next(said)
            yield Answer(
                label=self.classes[int(np.argmax(shares))],
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
        kept = {
            "format": FORMAT,
            "schema": asdict(self.schema),
            "reads": {"kind": self.reads.kind, "keys": self.reads.keys},
            "strategy": self.strategy,
            "featuriser": self.featuriser,
            "predictor": self.predictor,
        }
        try:
            packed: bytes = skops.dumps(kept, compression=zipfile.ZIP_DEFLATED)
        except UnsupportedTypeException as error:
            message = f"the model cannot be kept in a skops file: {error}"
            raise ModelFileError(message) from error
        return packed

    @classmethod
    def unpacked(cls, kept: Mapping[str, Any]) -> Self:
        """Return the model that `packed` has described."""
        schema = {**kept["schema"], "channels": Channels(**kept["schema"]["channels"])}
        return cls(
            schema=Schema(**schema),
            reads=ReadsChoice(**kept["reads"]),
            strategy=kept["strategy"],
            featuriser=kept["featuriser"],
            predictor=kept["predictor"],
        )


def load_model(path: Path, also: Sequence[str] = ()) -> Fitted:
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
        kept = skops.load(path, trusted=[*OURS, *THEIRS, *also])
    except UntrustedTypesFoundException as error:
        message = f"{path} holds types that are not Dubito's: {error}"
        raise ModelFileError(message) from error
    except (OSError, zipfile.BadZipFile, LookupError, ValueError) as error:
        message = f"{path} is no model that can be read: {error}"
        raise ModelFileError(message) from error
    if not isinstance(kept, dict) or kept.get("format") != FORMAT:
        message = f"{path} is no model of this version of Dubito"
        raise ModelFileError(message)
    return Fitted.unpacked(kept)
