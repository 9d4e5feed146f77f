"""The classifiers that learn from the labels given so far."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dubito.backend.features.feature_table import FeatureTable
from dubito.backend.state.pool import Pool
from dubito.model.arrays import Codes, Features, likeliest
from dubito.model.errors import ModelError, OneClassError, UnknownLearnerError
from dubito.model.learners import ensemble
from dubito.model.learners import kernel_ridge as kernel
from dubito.model.learners.ensemble import Ensemble
from dubito.model.learners.registry import Learner, learner, learner_names, within
from dubito.model.learners.unlabelled_context import UnlabelledContext

DIGEST = """
import hashlib, numpy as np
from dubito.model.learners.registry import learner, within
from dubito.model.learners.unlabelled_context import UnlabelledContext
features = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
codes = (features[:, 0] > 0) + (features[:, 1] > 0).astype(np.intp)
chosen = within(learner("auto", 7), UnlabelledContext(features))
found = chosen.fit(features[:60], codes[:60], 3).predict(features)
print(hashlib.sha256(found.tobytes()).hexdigest())
"""


def labelled(n: int = 60, n_classes: int = 3) -> tuple[Features, Codes]:
    """Build tasks whose class is the biggest of their features."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(n, n_classes)).astype(np.float32)
    return features, features.argmax(axis=1)


def test_what_was_shown_is_learnt() -> None:
    features, codes = labelled(200)

    predictor = Ensemble().fit(features[:100], codes[:100], n_classes=3)

    likeliest = predictor.predict(features[100:]).argmax(axis=1)
    assert (likeliest == codes[100:]).mean() > 0.85


def test_a_class_never_seen_gets_nothing() -> None:
    features, codes = labelled()

    predictions = Ensemble().fit(features, codes * 2, n_classes=6).predict(features)

    assert predictions.shape == (60, 6)
    assert (predictions[:, [1, 3, 5]] == 0).all()
    assert predictions.sum(axis=1) == pytest.approx(1.0)


def test_two_labels_are_enough() -> None:
    features, _ = labelled(2)

    predictions = (
        Ensemble().fit(features, np.array([1, 0]), n_classes=2).predict(features)
    )

    assert predictions.argmax(axis=1).tolist() == [1, 0]


@pytest.mark.parametrize("codes", [[], [2], [1, 1, 1]])
def test_one_class_is_not_enough(codes: list[int]) -> None:
    features, _ = labelled(len(codes))

    with pytest.raises(OneClassError) as caught:
        Ensemble().fit(features, np.array(codes, dtype=np.intp), n_classes=3)

    assert isinstance(caught.value, ModelError)
    assert caught.value.classes == len(set(codes))


def test_without_features_the_shares_of_the_classes_are_learnt() -> None:
    features = np.zeros((4, 0), dtype=np.float32)

    predictions = Ensemble().fit(features, np.array([0, 0, 0, 1]), 2).predict(features)

    assert predictions[:, 0] == pytest.approx(0.75, abs=0.05)


@pytest.mark.slow
def test_the_size_of_the_entries_does_not_matter() -> None:
    features, codes = labelled()
    small = features * np.float32(1 / 64)

    predictions = Ensemble().fit(features, codes, n_classes=3).predict(features)
    same = Ensemble().fit(small, codes, n_classes=3).predict(small)

    assert same == pytest.approx(predictions, abs=1e-5)


def test_there_may_be_nothing_to_predict() -> None:
    features, codes = labelled()

    predictor = Ensemble().fit(features, codes, n_classes=3)

    assert predictor.predict(features[:0]).shape == (0, 3)


def test_tasks_without_a_label_are_learnt_from() -> None:
    """One label per ring, and the graph of all tasks does the rest."""
    angle = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    features = np.concatenate([ring, 1.5 * ring, 2 * ring]).astype(np.float32)
    codes = np.repeat(np.arange(3), 300)
    rows = np.arange(7, 900, 60)  # on no axis of symmetry: rounding decides there

    alone, knowing = (
        chosen.fit(features[rows], codes[rows], 3).predict(features).argmax(axis=1)
        for chosen in (Ensemble(), Ensemble().within(UnlabelledContext(features)))
    )

    assert (alone == codes).mean() < 0.9
    assert (knowing == codes).mean() > 0.98


def test_a_prediction_does_not_depend_on_its_neighbours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Many tasks are predicted part by part, in bounded memory."""
    features, codes = labelled(100)
    predictor = Ensemble().fit(features, codes, n_classes=3)

    whole = predictor.predict(features)
    monkeypatch.setattr(ensemble, "AT_A_TIME", 7)
    parts = predictor.predict(features)

    assert parts == pytest.approx(whole, abs=1e-9)


def test_a_way_to_learn_that_foretells_nothing_is_not_heard() -> None:
    """Stripes, each with its own class: no line through all of them tells."""
    features = np.random.default_rng(0).uniform(0, 6, size=(150, 1)).astype(np.float32)
    codes = features[:, 0].astype(np.intp) % 2

    predictor = Ensemble().fit(features, codes, n_classes=2)

    assert predictor.weights.sum() == pytest.approx(1.0)
    kinds = [type(opinion).__name__ for opinion in predictor.opinions]
    assert len(kinds) < 4
    predictions = predictor.predict(features).argmax(axis=1)
    assert (predictions == codes).mean() > 0.95


def test_every_row_counts_of_a_few_more_labels_than_are_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ensemble, "MOST_WEIGHED", 20)
    monkeypatch.setattr(kernel, "MOST_LABELS", 50)
    features, codes = labelled(200)

    predictor = Ensemble().fit(features[:101], codes[:101], n_classes=3)

    likeliest = predictor.predict(features[101:]).argmax(axis=1)
    assert (likeliest == codes[101:]).mean() > 0.8


@pytest.mark.slow
def test_a_thousand_classes_can_be_told_apart() -> None:
    features = np.random.default_rng(0).normal(size=(1_200, 4)).astype(np.float32)
    codes = np.arange(1_200) % 1_000

    predictions = Ensemble().fit(features, codes, n_classes=1_000).predict(features)

    assert predictions.sum(axis=1) == pytest.approx(1.0)
    assert (predictions.argmax(axis=1) == codes).mean() > 0.5


def test_a_class_that_comes_late_is_known_from_its_first_label() -> None:
    rng = np.random.default_rng(0)
    centres = np.array([[0, 0], [8, 0], [0, 8]])
    codes = np.arange(300) % 3
    features = (centres[codes] + rng.normal(size=(300, 2))).astype(np.float32)
    chosen = Ensemble().within(UnlabelledContext(features))
    rows = np.flatnonzero(codes < 2)[:40]

    late = np.append(rows, np.flatnonzero(codes == 2)[0])
    predictions = chosen.fit(features[late], codes[late], 3).predict(features)

    assert (predictions.argmax(axis=1) == codes).mean() > 0.95


@pytest.mark.slow
def test_another_process_predicts_the_same_to_the_bit() -> None:
    """However many threads it may use."""
    once, again = (
        subprocess.run(  # noqa: S603 - our own interpreter and program
            [sys.executable, "-c", DIGEST],
            capture_output=True,
            check=True,
            env=os.environ | {"OMP_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n},
        ).stdout
        for n in ("1", "2")
    )

    assert len(once.strip()) == 64
    assert once == again


def test_the_default_learner_needs_no_installation() -> None:
    assert learner("auto", seed=3) == Ensemble(seed=3)
    assert "auto" in learner_names()


def test_an_installed_package_adds_a_learner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "oracle-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Name: oracle\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(
        "[dubito.learners]\noracle = dubito.model.learners.ensemble:Ensemble\n"
    )

    monkeypatch.syspath_prepend(tmp_path)

    assert "oracle" in learner_names()
    assert learner("oracle", seed=5) == Ensemble(seed=5)


def test_a_learner_that_does_not_care_is_not_told_of_all_tasks() -> None:
    class Plain:
        def fit(
            self, features: Features, codes: Codes, n_classes: int
        ) -> ensemble.Blend:
            return Ensemble().fit(features, codes, n_classes)

    plain: Learner = Plain()
    around = UnlabelledContext(labelled()[0])

    assert within(plain, around) is plain
    assert within(learner("auto", seed=3), around) == Ensemble(3, around)


def test_an_unknown_learner_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        UnknownLearnerError, match="'oracle' is unknown; choose from auto"
    ) as caught:
        learner("oracle", seed=0)

    assert caught.value.known == learner_names()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_two_texts_that_all_tasks_share_are_learnt(seed: int) -> None:
    """Within classes there are rounding errors alone, which no axis may blow up."""
    count = 24
    texts = tuple(("a cell", "a tall person")[task % 2] for task in range(count))
    known = np.random.default_rng(seed).normal(size=(2, 512)).astype(np.float16)
    pool = Pool(
        task_ids=np.arange(count),
        columns=(),
        numbers=np.zeros((count, 0), np.float32),
        texts=texts,
        vectors=known[np.arange(count) % 2],
    )
    table = FeatureTable.of(pool, seed=0)
    taught = within(Ensemble(), table.surroundings)
    order = np.random.default_rng(seed).permutation(count)

    for labels in range(6, 14):
        rows = np.sort(order[:labels])
        predictions = taught.fit(table.features[rows], rows % 2, 5).predict(
            table.features
        )
        assert (likeliest(predictions) == np.arange(count) % 2).all()
