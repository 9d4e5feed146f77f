"""An exported model of any kind: from the data of items to lines of answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dubito.backend.export.skops_file import packed_content, schema_content
from dubito.backend.features.ingest import attempt
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.state.pool import TaskInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dubito.backend.features.task_reader import FileSource
    from dubito.backend.records import JsonObject
    from dubito.backend.state.facts import InputSpec
    from dubito.model.schema import Schema

AT_A_TIME = 500


class Prediction(Protocol):
    """What a model says of one item."""

    @property
    def lines(self) -> Sequence[Sequence[object]]:
        """Return the lines of a table, under the columns of the model."""
        ...


@dataclass(frozen=True, kw_only=True)
class ExportedModel(ABC):
    """All that turns an item's data into a label, as the service does."""

    schema: Schema
    reads: InputSpec

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes."""
        return self.schema.classes

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Return what stands in each line of a prediction."""

    @abstractmethod
    def predict(self, inputs: Sequence[TaskInput]) -> Iterable[Prediction]:
        """Return what the model says of each item that could be read."""

    @abstractmethod
    def content(self) -> Mapping[str, object]:
        """Return what is kept of the model, beside what every model has."""

    def answers(
        self, items: Sequence[JsonObject], files: FileSource
    ) -> Iterator[Prediction | str]:
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

    def _answers(self, read: Sequence[TaskInput | str]) -> Iterator[Prediction | str]:
        inputs = [one for one in read if isinstance(one, TaskInput) and not one.refused]
        predictions = iter(self.predict(inputs))
        for one in read:
            if isinstance(one, str) or one.refused:
                yield one if isinstance(one, str) else one.refused
            else:
                yield next(predictions)

    def packed(self) -> bytes:
        """Return the content of a skops file.

        Raises
        ------
        ModelFileError
            if the learner, of another package, cannot be kept in one
        """
        keys = {"kind", "keys", "parts", "extractor"}
        reads = self.reads.model_dump(include=keys)
        schema = schema_content(self.schema)
        return packed_content({"schema": schema, "reads": reads, **self.content()})
