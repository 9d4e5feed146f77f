"""Tasks that have any of several classes, or none, as Label Studio would hold them.

*yeast*: genes and the functions of their products, from `river` (BSD). *news* and
*questions* are composed: two texts of one set each, joined; the topics of both are the
label, and one kind of text has none. No text is in two tasks.
"""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from dubito.backend.features.local_files import LocalFiles
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.project_settings import Preferences
from dubito.backend.simulate.dataset import Source
from dubito.backend.simulate.export_reader import parse_export
from tests.benchmarks.packaged_files import packaged
from tests.benchmarks.sources import reuters, trec
from tests.exports import exported, question_of, several
from tests.label_studio import CONTROL, ITEM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dubito.backend.records import JsonObject
    from dubito.model.simulation import Labelled
    from tests.benchmarks.sources import Rows

YEAST_ROWS = 1_500
TEXT_TASKS = 1_200
MOST_OF_TOPIC = 600
LONGEST = 300
"""Characters of each of two texts."""

SetRows: TypeAlias = "tuple[list[JsonObject], list[list[str]]]"
"""The data of each task, and the classes that it has."""


def yeast() -> SetRows:
    """Return genes, measured, and the 14 groups of functions."""
    content = gzip.decompress(packaged("river", "river/datasets/yeast.csv.gz"))
    rows = [*csv.DictReader(io.StringIO(content.decode()))]
    places = np.sort(np.random.default_rng(0).permutation(len(rows))[:YEAST_ROWS])
    tasks: list[JsonObject] = []
    labels = []
    for row in (rows[place] for place in places):
        numbers = {k: float(v) for k, v in row.items() if k.startswith("Att")}
        tasks.append({"row": numbers})
        labels.append([k for k, v in row.items() if k.startswith("Class") and v == "1"])
    return tasks, labels


def news() -> SetRows:
    """Return news about none, one or two of seven topics; earnings are none."""
    return joined(reuters(), without="earn")


def questions() -> SetRows:
    """Return questions for none, one or two of five things; not for descriptions."""
    return joined(trec(), without="DESC")


def joined(rows: Rows, without: str) -> SetRows:
    """Join texts two by two, half of them of the kind that has no topic."""
    rng = np.random.default_rng(0)
    topics = {str(data["text"]): topic for data, topic in zip(*rows, strict=True)}
    texts = [*topics]
    by_topic: dict[str, list[str]] = {}
    for place in rng.permutation(len(texts)):
        by_topic.setdefault(topics[texts[place]], []).append(texts[place])
    plain = by_topic.pop(without)
    telling = [text for own in by_topic.values() for text in own[:MOST_OF_TOPIC]]
    pool = telling + plain[: len(telling)]
    order = rng.permutation(len(pool))[: 2 * TEXT_TASKS]
    pairs = [(pool[a], pool[b]) for a, b in order.reshape(-1, 2)]
    tasks: list[JsonObject] = [
        {"text": "\n".join(text[:LONGEST] for text in pair)} for pair in pairs
    ]
    return tasks, [sorted({topics[t] for t in pair} - {without}) for pair in pairs]


SOURCES: Mapping[str, Callable[[], SetRows]] = MappingProxyType(
    {"yeast": yeast, "news": news, "questions": questions}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetProject:
    """A labelled project with one question of several choices."""

    tasks: Sequence[JsonObject]
    labels: Sequence[Sequence[str]]

    @property
    def label_config(self) -> str:
        """Return how the tasks are shown in Label Studio."""
        classes = sorted({name for label in self.labels for name in label})
        (key,) = self.tasks[0]
        tag = {"text": "Text", "row": "Table"}[key]
        choices = "".join(f'<Choice value="{name}"/>' for name in classes)
        control = f'name="{CONTROL}" toName="{ITEM}" choice="multiple"'
        item = f'<{tag} name="{ITEM}" value="${key}"/>'
        return f"<View>{item}<Choices {control}>{choices}</Choices></View>"

    def labelled(self) -> Labelled:
        """Read the project as the service does."""
        config = self.label_config
        rows = enumerate(zip(self.tasks, self.labels, strict=True), start=1)
        export = [_exported(number, data, label) for number, (data, label) in rows]
        source = Source(
            name="sets",
            export=parse_export(export, question_of(config)),
            schema=read_schema(config),
            files=LocalFiles(Path()),
        )
        return source.subject(Preferences()).labelled


def _exported(number: int, data: JsonObject, label: Sequence[str]) -> JsonObject:
    task = exported(number, data, "")
    annotation = task["annotations"][0]
    annotation["result"] = several(*label) if label else []
    return task


def labelled_set(name: str) -> Labelled:
    """Return one of the data sets."""
    tasks, labels = SOURCES[name]()
    return SetProject(tasks=tasks, labels=labels).labelled()
