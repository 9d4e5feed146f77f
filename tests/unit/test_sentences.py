"""Texts are told by what they mean, in many languages, beside their words."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from dubito.backend.data_kinds import sentence_vectors
from dubito.backend.data_kinds.sentence_vectors import LONGEST, sentence_vector
from dubito.backend.data_kinds.texts import TEXTS
from dubito.backend.features.feature_table import FeatureTable
from dubito.backend.features.in_memory_pool import pool_of
from dubito.backend.state.pool import (
    TaskInput,
    reading_as_json,
    reading_from,
    vectors_of,
)
from dubito.model.arrays import cut
from dubito.model.features.sentence_directions import WORDY, SentenceDirections
from dubito.model.learners.registry import learner, within
from dubito.model.learners.unlabelled_context import UnlabelledContext

SIZE = 512
MONEY = ("refund", "invoice", "price", "payment", "salary", "fee", "tax", "debt")
WEATHER = ("rain", "storm", "snow", "wind", "cloud", "fog", "sunshine", "thunder")
FRAMES = ("there is a {} again", "tell me about the {} please", "the {} was a surprise")
TEXTS_OF_BOTH = [
    frame.format(word) for word, frame in product((*MONEY, *WEATHER), FRAMES)
]
IS_MONEY = np.repeat([1, 0], len(TEXTS_OF_BOTH) // 2)


def vector(text: str) -> NDArray[np.float32]:
    return np.frombuffer(sentence_vector(text), np.float16).astype(np.float32)


def table(texts: list[str], *, has_vectors: bool = True) -> FeatureTable:
    read = TEXTS.describe([TaskInput(text=text) for text in texts])
    if not has_vectors:
        read = [TaskInput(text=one.text) for one in read]
    return FeatureTable.of(pool_of(dict(enumerate(read))), seed=0)


def test_texts_of_one_meaning_are_near_in_any_language() -> None:
    asked = vector("I would like my money back")

    near = asked @ vector("vorrei indietro i miei soldi")
    far = asked @ vector("domani pioverà in montagna")

    assert near > far + 0.2
    assert np.linalg.norm(asked) == pytest.approx(1, abs=0.01)
    assert asked.shape == (SIZE,)


def test_a_long_text_is_told_by_its_beginning() -> None:
    beginning = ("rain and storm " * 100)[:LONGEST]

    assert sentence_vector(beginning + "money" * 10_000) == sentence_vector(beginning)


@pytest.mark.parametrize(
    "text", ["rain \ud800", "\udfff", "\0", "a" * 9_000, "🙂 17 %"]
)
def test_strange_texts_have_vectors_of_finite_numbers(text: str) -> None:
    assert np.isfinite(vector(text)).all()
    assert vector(text).any()


@pytest.mark.parametrize("text", ["", " \n", "שלום לכולם", "मौसम अच्छा है", "καλημέρα"])
def test_texts_that_the_model_cannot_read_have_none(text: str) -> None:
    assert sentence_vector(text) == b""


def test_a_vector_does_not_depend_on_the_texts_read_beside() -> None:
    alone = sentence_vector("the rain in spain")
    sentence_vectors._vector.cache_clear()  # noqa: SLF001 - read anew, not remembered

    beside = TEXTS.describe([TaskInput(text=t) for t in ("a", "the rain in spain")])

    assert beside[1].vector == alone


def test_the_model_is_imported_only_where_a_text_is_read() -> None:
    """The web server imports the kinds of data, and must start at once."""
    assert "USE" not in vars(sentence_vectors)


def test_few_labels_tell_topics_whose_texts_share_no_telling_word() -> None:
    labelled = np.array([0, 3, 24, 27])
    asked = np.setdiff1d(np.arange(len(TEXTS_OF_BOTH)), labelled)

    def share_right(made: FeatureTable) -> float:
        known = made.features[labelled], IS_MONEY[labelled], 2
        learnt = within(learner("auto", 0), made.surroundings).fit(*known)
        guessed = learnt.predict(made.features[asked]).argmax(axis=1)
        return float((guessed == IS_MONEY[asked]).mean())

    with_vectors = share_right(table(TEXTS_OF_BOTH))
    assert with_vectors > share_right(table(TEXTS_OF_BOTH, has_vectors=False)) + 0.1
    assert with_vectors > 0.8


def test_words_are_a_view_beside_sentences() -> None:
    made = table(TEXTS_OF_BOTH)

    (view,) = cut(made.features, made.views)

    bare = table(TEXTS_OF_BOTH, has_vectors=False)
    assert bare.views == ()
    assert np.array_equal(view, bare.features)


def test_words_and_sentences_have_length_one_together() -> None:
    made = table(TEXTS_OF_BOTH)

    assert made.featuriser.wordings is not None
    styles = made.featuriser.wordings.embedding.styles
    columns = np.split(made.plain, [-styles], axis=1)[0]

    assert np.linalg.norm(columns, axis=1) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("length", "words"), [(3, 0.5), (WORDY, 1.0), (100 * WORDY, 2.0)]
)
def test_words_count_for_more_in_long_texts(length: int, words: float) -> None:
    vectors = np.eye(5, 8, dtype=np.float16)

    directions = SentenceDirections.of(vectors, ["x" * length] * 5)

    assert directions is not None
    assert directions.words == words


def test_a_text_without_a_vector_is_told_by_its_words_alone() -> None:
    made = table([*TEXTS_OF_BOTH, "שלום לכולם rain"])
    assert made.featuriser.wordings is not None
    sentences = made.featuriser.wordings.sentences
    assert sentences is not None

    rows = sentences.apply(vectors_of([b"", sentence_vector("rain")]))

    assert np.linalg.norm(rows, axis=1) == pytest.approx([0, 1], abs=1e-5)
    assert not sentences.apply(vectors_of([b"", b""])).any()
    assert SentenceDirections.of(np.zeros((4, 8), np.float16), ["a"] * 4) is None


def test_tasks_outside_the_pool_are_told_as_those_inside() -> None:
    made = table(TEXTS_OF_BOTH)
    read = TEXTS.describe([TaskInput(text=text) for text in TEXTS_OF_BOTH])

    features = made.featuriser.without_tasks().features_of(read)

    assert np.array_equal(features, made.features)
    assert UnlabelledContext(features, made.views).others


def test_a_reading_is_written_and_read_with_its_vector() -> None:
    (read,) = TEXTS.describe([TaskInput(text="rain", marks={"x": "?"})])

    again = reading_from(reading_as_json(read))

    assert (again, again.vector) == (read, read.vector)
    assert reading_from(b'{"text":"of an older Dubito"}').vector == b""
