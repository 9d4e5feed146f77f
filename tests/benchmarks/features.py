"""How quick the features are, and what can be learnt from a few labels with them.

Run from the root of the repository; libraries to compare with are used if they are
installed (`pip install pycatch22 tsfel aeon`):

    python -m tests.benchmarks.features speed
    python -m tests.benchmarks.features accuracy --seeds 10
"""

import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.extmath import randomized_svd

from dubito.backend.data_kinds.recording_files import Recording, open_recording
from dubito.backend.data_kinds.recordings import describe_all
from dubito.backend.data_kinds.texts import TEXTS
from dubito.backend.features.feature_table import FeatureTable
from dubito.backend.features.in_memory_pool import pool_of
from dubito.backend.state.pool import Pool, TaskInput
from dubito.model.arrays import Codes, Features, Views
from dubito.model.features.mixed_columns import Layout
from dubito.model.features.tabular import standardise
from dubito.model.features.views import SIGN
from dubito.model.learners.registry import learner, within
from dubito.model.learners.unlabelled_context import UnlabelledContext
from dubito.model.query.seed_set import permutation
from dubito.model.schema import Channels
from tests.benchmarks.data_sets import OUTLINES, data_set
from tests.benchmarks.sources import SECONDS
from tests.pictures import read_picture

WINDOWS = 10_000
MANY_TEXTS = 20_000
IMAGES = 2_000
LABELS_PER_CLASS = (2, 5, 10)
SERIES = ("watch_a", "basicmotions", "japvowels", *OUTLINES)
PROSE = ("reuters_r8", "sms_spam", "trec6")

Way = Callable[[Sequence[Recording]], Features]
Made = Callable[[], Features | tuple[Features, Views]]


@click.group()
def main() -> None:
    """Measure the features."""


@main.command()
def speed() -> None:
    """Time recordings, texts and images, from what arrives to rows of numbers."""
    rng = np.random.default_rng(0)
    table = Table("", "seconds", "of them computing", title="one process")
    works: Mapping[str, Callable[[], Callable[[], object]]] = {
        f"{WINDOWS} windows of 6 x 100, as CSV files": partial(_windows, rng),
        f"{MANY_TEXTS} texts of 15 words, vocabulary included": partial(_texts, rng),
        f"{IMAGES} PNG images of 256 x 256": partial(_images, rng),
    }
    for name, prepared in works.items():
        run = prepared()
        began, busy = time.perf_counter(), time.process_time()
        run()
        spent = time.perf_counter() - began, time.process_time() - busy
        table.add_row(name, *(f"{seconds:.1f}" for seconds in spent))
    Console().print(table)


def _windows(rng: np.random.Generator) -> Callable[[], object]:
    columns = tuple("abcdef")
    lines = [",".join(f"{v:.4f}" for v in rng.normal(size=6)) for _ in range(1_100)]
    header = ",".join(columns)
    starts = rng.integers(0, 1_000, WINDOWS).tolist()
    files = ["\n".join([header, *lines[at : at + 100]]).encode() for at in starts]
    chosen = Channels(columns=columns)

    def run() -> None:
        for start in range(0, WINDOWS, 500):
            batch = files[start : start + 500]
            describe_all([open_recording(content, chosen) for content in batch])

    return run


def _texts(rng: np.random.Generator) -> Callable[[], object]:
    words = np.array(["".join(rng.choice(list("aeioulnrst"), 6)) for _ in range(5_000)])
    places = rng.zipf(1.3, size=(MANY_TEXTS, 15)) % len(words)
    texts = [" ".join(row) for row in words[places].tolist()]
    return lambda: FeatureTable.of(_read(texts), seed=0)


def _images(rng: np.random.Generator) -> Callable[[], object]:
    colours = (rng.integers(0, 255, (16, 16, 3), dtype=np.uint8) for _ in range(20))
    pictures = [Image.fromarray(one).resize((256, 256)) for one in colours]
    return lambda: [_picture(one) for _ in range(IMAGES // 20) for one in pictures]


def _picture(image: Image.Image) -> list[float]:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return list(read_picture("/image.png", lambda _: file.getvalue()).values())


@main.command()
@click.option("--seeds", default=10, show_default=True)
@click.option(
    "--sets", default=",".join((*SERIES, *PROSE, "digits")), show_default=True
)
def accuracy(seeds: int, sets: str) -> None:
    """Learn from a few random labels with these features and with others."""
    table = Table("", "", "columns", "ms a task", *_headings(), title=f"{seeds} seeds")
    for name in sets.split(","):
        kinds = {**dict.fromkeys(SERIES, _series), **dict.fromkeys(PROSE, _prose)}
        rows, codes = kinds.get(name, _drawn)(name)
        first: NDArray[np.float64] | None = None
        for way, make in rows.items():
            began = time.process_time()
            made = make()
            cost = 1_000 * (time.process_time() - began) / len(codes)
            features, views = made if isinstance(made, tuple) else (made, ())
            around = UnlabelledContext(features, views)
            scores = np.array([_scores(around, codes, seed) for seed in range(seeds)])
            first = scores if first is None else first
            cells = _cells(scores, first)
            size = str(features.shape[1])
            table.add_row(name, way, size, f"{cost:.2f}", *cells)
    Console().print(table)


def _headings() -> Iterator[str]:
    yield from (f"{count} labels a class" for count in LABELS_PER_CLASS)
    yield "against the first"


def _cells(scores: NDArray[np.float64], first: NDArray[np.float64]) -> Iterator[str]:
    """Yield mean accuracies, and the paired difference with its 95 % interval."""
    yield from (f"{value:.1f}" for value in scores.mean(axis=0))
    gain = (scores - first).mean(axis=1)
    spread = 2 * gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else 0.0
    yield f"{gain.mean():+.1f} ± {spread:.1f}"


def _scores(around: UnlabelledContext, codes: Codes, seed: int) -> list[float]:
    """Return the test accuracy in per cent after so many random labels."""
    features, chosen = around.features, within(learner("auto", seed), around)
    order = permutation(np.arange(len(codes), dtype=np.int64), seed)
    cut = int(0.3 * len(codes))
    test, pool = order[:cut], order[cut:]
    n_classes = int(codes.max()) + 1
    scores = []
    for count in LABELS_PER_CLASS:
        rows = _of_two_classes(pool, codes, count * n_classes)
        fitted = chosen.fit(features[rows], codes[rows], n_classes)
        guessed = fitted.predict(features[test]).argmax(axis=1)
        scores.append(100 * float((guessed == codes[test]).mean()))
    return scores


def _of_two_classes(pool: Codes, codes: Codes, count: int) -> Codes:
    """Return the first tasks, more of them while all are of one class."""
    while len(np.unique(codes[pool[:count]])) < 2:
        count += 1
    return pool[:count]


def _series(name: str) -> tuple[Mapping[str, Made], Codes]:
    data = data_set(name)
    chosen = Channels(time=SECONDS)
    opened = [open_recording(task["recording"], chosen) for task in data.tasks]
    ways: dict[str, Way] = {
        "16 statistics and correlations": _before,
        "our statistics": _statistics,
    }
    ways |= {"pycatch22": _catch22} if find_spec("pycatch22") else {}
    ways |= {"tsfel": _tsfel} if find_spec("tsfel") else {}
    ways |= {"aeon MiniRocket": _mini_rocket} if find_spec("aeon") else {}
    codes = np.unique(data.labels, return_inverse=True)[1]
    made: dict[str, Made] = {
        way: partial(_standard, make, opened) for way, make in ways.items()
    }
    return {**made, "ours": partial(_ours, opened)}, codes


def _standard(make: Way, opened: Sequence[Recording]) -> Features:
    return standardise(np.asarray(make(opened), dtype=np.float32))


def _ours(opened: Sequence[Recording]) -> tuple[Features, Views]:
    described = describe_all(opened)
    names = sorted(described[0])
    table = _columns(described, names)
    layout = Layout.of(names, table)
    return np.hstack([layout.apply(table), *layout.look(table)]), layout.widths


def _statistics(opened: Sequence[Recording]) -> Features:
    described = describe_all(opened)
    return _columns(described, [name for name in described[0] if SIGN not in name])


def _before(opened: Sequence[Recording]) -> Features:
    described = describe_all(opened)
    later = (" step ", "&", SIGN)
    kept = [name for name in described[0] if not any(sign in name for sign in later)]
    return _columns(described, kept)


def _columns(
    described: Sequence[Mapping[str, float]], names: Sequence[str]
) -> Features:
    return np.array([[one[name] for name in names] for one in described], np.float32)


def _catch22(opened: Sequence[Recording]) -> Features:
    catch = import_module("pycatch22").catch22_all
    rows = [
        [v for s in one.samples.T for v in catch(s.tolist(), catch24=True)["values"]]
        for one in opened
    ]
    return np.array(rows, dtype=np.float32)


def _tsfel(opened: Sequence[Recording]) -> Features:
    tsfel = import_module("tsfel")
    chosen = tsfel.get_features_by_domain()
    extract = partial(tsfel.time_series_features_extractor, chosen, verbose=0)
    rows = [extract(one.samples, fs=one.rate).to_numpy()[0] for one in opened]
    clipped = np.clip(np.array(rows, dtype=np.float64), -1e30, 1e30)
    return clipped.astype(np.float32)


def _mini_rocket(opened: Sequence[Recording]) -> Features:
    """Return its 10,000 columns on 100 directions: few labels bear no more."""
    module = import_module("aeon.transformations.collection.convolution_based")
    windows = np.array([one.samples.T for one in opened])
    raw = module.MiniRocket(random_state=0).fit_transform(windows)
    rows = standardise(np.asarray(raw, dtype=np.float32))
    _, _, directions = randomized_svd(rows, min(100, len(rows)), random_state=0)
    return np.asarray(rows @ directions.T)


def _prose(name: str) -> tuple[Mapping[str, Made], Codes]:
    data = data_set(name)
    texts = [str(task["text"]) for task in data.tasks]
    codes = np.unique(data.labels, return_inverse=True)[1]
    return {
        "words and pairs, 100 directions": lambda: _words(texts),
        "ours": partial(_our_texts, texts),
    }, codes


def _our_texts(texts: Sequence[str]) -> tuple[Features, Views]:
    made = FeatureTable.of(_read(texts), seed=0)
    return made.features, made.views


def _read(texts: Sequence[str]) -> Pool:
    described = TEXTS.describe([TaskInput(text=text) for text in texts])
    return pool_of(dict(enumerate(described)))


def _words(texts: Sequence[str]) -> Features:
    weigh = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_features=30_000)
    terms = weigh.fit_transform(texts)
    _, _, directions = randomized_svd(terms, 100, n_iter=2, random_state=0)
    rows = terms @ directions.T
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1), dtype=np.float32)


def _drawn(name: str) -> tuple[Mapping[str, Made], Codes]:
    """Return scikit-learn's digits as images."""
    if name != "digits":
        message = f"there is no set {name!r}"
        raise click.BadParameter(message)
    data = load_digits()
    images = [
        Image.fromarray((pixels * 15.9).astype(np.uint8)) for pixels in data.images
    ]
    pixels = standardise(data.data.astype(np.float32))
    return {"pixels": lambda: pixels, "ours": lambda: _pictures(images)}, data.target


def _pictures(images: Sequence[Image.Image]) -> Features:
    rows = [_picture(image) for image in images]
    return standardise(np.array(rows, dtype=np.float32))


if __name__ == "__main__":
    main()
