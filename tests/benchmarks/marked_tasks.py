"""Tasks in which stretches are marked, made ready to learn as the service does it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dubito.backend.controls.stretches import Stretch, packed_stretches
from dubito.backend.features.feature_table import FeatureTable
from dubito.backend.features.in_memory_pool import pool_of
from dubito.backend.features.input_choice import choose_input
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.project_settings import Preferences
from dubito.model.schema import Schema
from dubito.model.simulation import Labelled
from dubito.model.stretches.units import MarkedUnits

if TYPE_CHECKING:
    from dubito.backend.records import JsonObject

KEY = "item"


class Example(NamedTuple):
    """A text or a sound file, and the parts of it that are marked.

    Attributes
    ----------
    marks : first and last character + 1, or seconds, and the label
    """

    content: str | bytes
    marks: Sequence[tuple[float, float, str]]


class Examples(NamedTuple):
    """Tasks to ask for, and others to test on."""

    pool: Sequence[Example]
    test: Sequence[Example]


@dataclass(frozen=True, slots=True)
class _Files:
    """The sounds that tasks point to, by their addresses."""

    contents: Mapping[str, bytes]

    def fetch(self, address: str) -> bytes:
        return self.contents[address]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedTasks:
    """Examples as the service reads them: what may be asked for, and what tests.

    Attributes
    ----------
    pool_texts, test_texts : empty where the tasks are sounds
    """

    pool: Labelled
    test: MarkedUnits
    pool_texts: Sequence[str]
    test_texts: Sequence[str]


def read(examples: Examples, tag: str) -> MarkedTasks:
    """Read tasks of an object tag, `Text` or `Audio`, with the control `Labels`."""
    both = [*examples.pool, *examples.test]
    schema = _schema(both, tag)
    table = _table([one.content for one in both], schema)
    answers = {
        row: packed_stretches([Stretch(*mark) for mark in one.marks])
        for row, one in enumerate(both)
    }
    if table.sequences is None or len(table.task_ids) < len(both):
        message = "a task cannot be read"
        raise ValueError(message)
    members = table.sequences.members(answers, schema.classes)
    marked = MarkedUnits(
        units=table.sequences.units, members=np.concatenate([*members.values()])
    )
    whole = Labelled(
        task_ids=table.task_ids,
        features=table.features,
        codes=np.zeros((len(both), len(schema.classes)), dtype=np.bool_),
        n_classes=len(schema.classes),
        views=table.views,
        marked=marked,
    )
    pool, test = np.split(np.arange(len(both)), [len(examples.pool)])
    return MarkedTasks(
        pool=whole.at(pool),
        test=marked.of_tasks(test),
        pool_texts=_texts(examples.pool),
        test_texts=_texts(examples.test),
    )


def _schema(examples: Sequence[Example], tag: str) -> Schema:
    names = sorted({name for one in examples for _, _, name in one.marks})
    labels = "".join(f'<Label value="{name}"/>' for name in names)
    shown = f'<{tag} name="o" value="${KEY}"/>'
    control = f'<Labels name="c" toName="o">{labels}</Labels>'
    return read_schema(f"<View>{shown}{control}</View>")


def _texts(examples: Sequence[Example]) -> list[str]:
    return [one.content for one in examples if isinstance(one.content, str)]


def _table(contents: Sequence[str | bytes], schema: Schema) -> FeatureTable:
    files = {
        f"http://localhost/{number}.wav": content
        for number, content in enumerate(contents)
        if isinstance(content, bytes)
    }
    data: list[JsonObject] = [{KEY: shown} for shown in (files or contents)]
    reads = choose_input(schema, Preferences(), data)
    reader = TaskReader(schema=schema, reads=reads, files=_Files(files))
    readings = reader.described([reader.open(one) for one in data])
    return FeatureTable.of(pool_of(dict(enumerate(readings, start=1))), seed=0)
