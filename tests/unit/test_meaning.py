"""English words are told by what they mean, where the package that knows is there."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from itertools import product

import numpy as np
import pytest

from backend.learning import lexicon as source
from backend.learning.features import Items
from backend.learning.lexicon import lexicon
from backend.learning.pools import pool_of
from backend.state.tasks import Reading
from model.arrays import cut, plain
from model.features import text
from model.features.meaning import LONGEST
from model.features.text import Embedding
from model.learner import learner, within
from model.surroundings import Surroundings

MONEY = ("refund", "invoice", "price", "payment", "salary", "fee", "tax", "debt")
WEATHER = ("rain", "storm", "snow", "wind", "cloud", "fog", "sunshine", "thunder")
FRAMES = ("there is a {} again", "tell me about the {} please", "the {} was a surprise")
KNOWN = [
    frame.format(word)
    for frame, words in product(FRAMES, (MONEY[:4], WEATHER[:4]))
    for word in words
]
ALIKE = "how big is my {} now"
BLOCKS = 3
QUESTIONS, LABELS = 200, 60
PEOPLE = ("man", "woman", "actor", "king", "author", "soldier", "painter", "poet")
PLACES = ("city", "country", "island", "town", "region", "river", "valley", "lake")


@pytest.fixture
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(source, "distribution", missing)
    lexicon.cache_clear()
    yield
    lexicon.cache_clear()


def words_of(learnt: Embedding, texts: list[str]) -> np.ndarray:
    assert learnt.by_meaning is not None
    assert learnt.words is not None
    return learnt.by_meaning.apply(learnt.words.transform(texts))


def test_texts_are_near_by_what_they_mean_though_they_share_no_telling_word() -> None:
    late = [ALIKE.format(word) for word in (*MONEY[4:], *WEATHER[4:])]
    learnt = Embedding.of([*KNOWN, *late], lexicon())

    told, asked = words_of(learnt, KNOWN), words_of(learnt, late)

    is_money = np.array([any(word in text for word in MONEY) for text in KNOWN])
    towards = told[is_money].mean(axis=0) - told[~is_money].mean(axis=0)
    money, weather = np.split(asked @ towards, 2)
    assert money.min() > weather.max()


def test_meaning_weighs_as_much_as_words_and_parts() -> None:
    learnt = Embedding.of(KNOWN, lexicon())

    rows = plain(learnt.apply(KNOWN), (learnt.opening,))

    blocks = np.split(rows[:, :-7], np.cumsum([*widths(learnt)])[:-1], axis=1)
    lengths = [np.linalg.norm(block, axis=1) for block in blocks]
    assert np.array(lengths) == pytest.approx(1 / np.sqrt(BLOCKS), abs=1e-5)


def widths(learnt: Embedding) -> list[int]:
    assert learnt.by_word is not None
    assert learnt.by_meaning is not None
    in_order = (learnt.by_part.directions, learnt.by_word.directions)
    return [*map(len, in_order), learnt.by_meaning.vectors.shape[1]]


def test_a_text_of_unknown_words_means_nothing() -> None:
    rows = words_of(Embedding.of(KNOWN, lexicon()), ["", "qwrtz 17", "rain"])

    assert np.linalg.norm(rows, axis=1) == pytest.approx([0, 0, 1], abs=1e-5)


def test_how_often_a_word_stands_counts() -> None:
    once, often = words_of(
        Embedding.of(KNOWN, lexicon()), ["rain price", "rain rain rain price"]
    )

    (rain,) = words_of(Embedding.of(KNOWN, lexicon()), ["rain"])
    assert often @ rain > once @ rain


def test_how_texts_begin_is_told_apart_from_all_else() -> None:
    learnt = Embedding.of(KNOWN, lexicon())

    said = learnt.apply(["tell me about the rain", "tell me about a tax", "the rain"])

    (first,) = cut(said, (learnt.opening,))
    assert said.shape[1] == learnt.width
    assert np.array_equal(first[0], first[1])
    assert first[0] @ first[2] < 0.9
    assert np.linalg.norm(first, axis=1) == pytest.approx(1, abs=1e-5)


def test_beginnings_of_which_no_word_is_kept_are_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text, "MAX_WORDS", 1)

    learnt = Embedding.of([f"r{n} s{n} t{n} rain rain" for n in range(9)], lexicon())

    assert learnt.by_meaning is not None
    assert learnt.opening == 0


def test_kinds_of_questions_take_fewer_labels_where_the_beginning_is_seen() -> None:
    """Only the order of their words tells them apart."""
    texts, kinds = questions()
    made = Items.of(pool_of({n: Reading(text=t) for n, t in enumerate(texts)}), seed=0)
    labelled, asked = np.arange(LABELS), np.arange(LABELS, len(texts))

    def share_right(around: Surroundings) -> float:
        learnt = learner("auto", 0)
        known = around.features[labelled], kinds[labelled], 2
        told = within(learnt, around).fit(*known).predict(around.features[asked])
        return float((told.argmax(axis=1) == kinds[asked]).mean())

    seen = share_right(made.surroundings)
    unseen = share_right(Surroundings(made.plain))
    assert seen > unseen + 0.2


def questions() -> tuple[tuple[str, ...], np.ndarray]:
    """Return questions about people and about places, and which are which."""
    draw = np.random.default_rng(0)
    kinds = draw.integers(2, size=QUESTIONS)
    asked = ((PEOPLE, PLACES), (PLACES, PEOPLE))
    pairs = ([draw.choice(words) for words in asked[kind]] for kind in kinds.tolist())
    texts = tuple(f"which {one} is best known with the {other}" for one, other in pairs)
    return texts, kinds


@pytest.mark.parametrize(
    "texts",
    [
        ["Kje je danes moj povračilo denarja", "Zunaj močno dežuje in piha veter"],
        ["кошка сидит на столе и ждёт", "сегодня идёт сильный дождь"],
        ["ax7f9 9xq2zk qpzr8k", "zzkq81 vvx02 kqjz7"],
        ["今天天气下雨了", "这部电影很好看"],
    ],
    ids=["Slovenian", "Russian", "codes", "Chinese"],
)
def test_words_that_are_not_english_are_told_by_themselves(texts: list[str]) -> None:
    learnt = Embedding.of(texts, lexicon())

    assert learnt.by_meaning is None
    assert learnt.opening == 0
    assert np.isfinite(learnt.apply(texts)).all()


@pytest.mark.usefixtures("nothing_known")
def test_without_the_package_texts_are_told_by_their_words() -> None:
    learnt = Embedding.of(KNOWN, lexicon())

    lengths = np.linalg.norm(learnt.apply(KNOWN)[:, :-7], axis=1)
    assert learnt.by_meaning is None
    assert learnt.opening == 0
    assert lengths == pytest.approx(1.0, abs=1e-5)


def test_a_word_without_end_is_looked_at_shortly() -> None:
    known = lexicon()
    assert known is not None

    assert known.pieces("x" * 1_000_000) == known.pieces("x" * LONGEST)
