"""The features of a usual script around scikit-learn: no pretrained network in them."""

import io
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import soundfile
from PIL import Image
from scipy.fft import dct
from sklearn.feature_extraction.text import TfidfVectorizer

from dubito.backend.data_kinds.recording_files import open_recording
from dubito.backend.features.local_files import LocalFiles
from dubito.model.arrays import Features
from dubito.model.features.sound import BANDS, frames_of
from dubito.model.features.tabular import standardise
from dubito.model.schema import Channels
from tests.benchmarks.data_sets import DataSet
from tests.benchmarks.sources import SECONDS

PIXEL_SIDE = 28
CEPSTRA = 13
MAX_TERMS = 10_000
TEXTS_WITH_TERM = 2
"""In fewer texts a term cannot tell one to test on."""


def usual_features(data: DataSet) -> Features | None:
    """Return (n, d) features of all tasks, or None of rows of numbers.

    Of rows they are standardised columns, which Dubito's features of them are, too.
    """
    describe = USUAL.get(data.key)
    return describe(data) if describe else None


def of_texts(data: DataSet) -> Features:
    """Return the TF-IDF of words and pairs of words."""
    weigh = TfidfVectorizer(
        ngram_range=(1, 2),
        sublinear_tf=True,
        min_df=TEXTS_WITH_TERM,
        max_features=MAX_TERMS,
        dtype=np.float32,
    )
    return np.asarray(weigh.fit_transform([*_contents(data)]).toarray())


def of_recordings(data: DataSet) -> Features:
    """Return statistics of each channel, standardised."""
    chosen = Channels(time=SECONDS)
    opened = (open_recording(content, chosen) for content in _contents(data))
    rows = [_statistics(one.samples).ravel() for one in opened]
    return standardise(np.array(rows, dtype=np.float32))


def _statistics(samples: np.ndarray) -> np.ndarray:
    """Return (8, n_channels): mean, deviation, range, quartiles and mean step."""
    quantiles = np.quantile(samples, [0, 0.25, 0.5, 0.75, 1], axis=0)
    steps = np.abs(np.diff(samples, axis=0)).mean(axis=0)
    return np.vstack([samples.mean(axis=0), samples.std(axis=0), quantiles, steps])


def of_images(data: DataSet) -> Features:
    """Return the values of 28 by 28 pixels, in [0, 1]."""
    rows = []
    for content in _files(data):
        with Image.open(io.BytesIO(content)) as image:
            small = image.resize((PIXEL_SIDE, PIXEL_SIDE), Image.Resampling.BILINEAR)
        rows.append(np.asarray(small, dtype=np.float32).ravel() / 255)
    return np.array(rows)


def of_sounds(data: DataSet) -> Features:
    """Return means and deviations of 13 cepstral coefficients (MFCC), standardised."""
    rows = []
    for content in _files(data):
        samples, rate = soundfile.read(io.BytesIO(content), always_2d=True)
        frames = frames_of(samples.mean(axis=1).astype(np.float32), rate)
        cepstra = dct(frames[:, :BANDS], axis=1, norm="ortho")[:, :CEPSTRA]
        rows.append(np.concatenate([cepstra.mean(axis=0), cepstra.std(axis=0)]))
    return standardise(np.array(rows, dtype=np.float32))


def _contents(data: DataSet) -> Sequence[object]:
    return [task[data.key] for task in data.tasks]


def _files(data: DataSet) -> Sequence[bytes]:
    files = LocalFiles(data.directory)
    return [files.fetch(str(address)) for address in _contents(data)]


USUAL: Mapping[str, Callable[[DataSet], Features]] = MappingProxyType(
    {
        "text": of_texts,
        "recording": of_recordings,
        "image": of_images,
        "audio": of_sounds,
    }
)
