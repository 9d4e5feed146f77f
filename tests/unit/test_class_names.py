"""The names of the classes tell texts apart before anybody has labelled one."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from dubito.backend.data_kinds.texts import TEXTS
from dubito.backend.export.fitted_model import FittedModel, load_model
from dubito.backend.features.class_names import teaching_names
from dubito.backend.features.feature_table import FeatureTable, Featuriser
from dubito.backend.features.in_memory_pool import pool_of
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.learning.labels import Labels, derive_labels
from dubito.backend.learning.round import RoundResult, run_round
from dubito.backend.learning.round_input import RoundInput
from dubito.backend.project_settings import Preferences
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.pool import Pool, TaskInput
from dubito.model.arrays import (
    OpinionWidth,
    descriptions,
    first_guesses,
    has_opinion,
    likeliest,
)
from dubito.model.features.class_names import ClassNames, are_telling
from dubito.model.learners.names_opinion import NamesTrust, opinion
from dubito.model.learners.registry import (
    NamedPredictor,
    learner,
    within,
    without_tasks,
)
from tests.builders import annotation, project, schema

pytestmark = pytest.mark.usefixtures("few_trees")

SPORTS = ("football", "tennis", "hockey", "marathon", "swimming", "basketball")
FOOD = ("soup", "bread", "cheese", "pasta", "salad", "dessert")
MONEY = ("loan", "salary", "invoice", "tax", "bank account", "mortgage")
FRAMES = ("a story about the {}", "my {} was quite good", "tell me more of a {}")
NAMES = ("sports", "food", "money")
TEXTS_OF_ALL = [
    frame.format(word)
    for frame in FRAMES
    for topic in zip(SPORTS, FOOD, MONEY, strict=True)
    for word in topic
]
CODES = np.arange(len(TEXTS_OF_ALL)) % 3


@pytest.fixture(scope="module")
def pool() -> Pool:
    read = TEXTS.describe([TaskInput(text=text) for text in TEXTS_OF_ALL])
    return pool_of(dict(enumerate(read)))


def learnt(
    pool: Pool,
    names: tuple[str, ...],
    labelled: tuple[int, ...] = (),
    **wishes: object,
) -> RoundResult:
    shown = schema(*names)
    preferences = Preferences.model_validate(wishes)
    teaching = teaching_names(shown, preferences)
    given = [
        annotation(number, names[CODES[task]], task=task)
        for number, task in enumerate(labelled)
    ]
    question = RoundInput(
        schema=shown,
        preferences=preferences,
        items=FeatureTable.of(pool, seed=0, names=[teaching]).with_names(teaching),
        labels=derive_labels(given, shown, project()) if given else Labels(),
    )
    return run_round(question, 1, "basis")


def share_right(result: RoundResult) -> float:
    return float((likeliest(result.ranking.probabilities) == CODES).mean())


@pytest.mark.slow
def test_telling_names_are_right_before_the_first_label(pool: Pool) -> None:
    result = learnt(pool, NAMES)

    assert share_right(result) > 0.85
    assert np.ptp(result.ranking.certainty) > 0.1
    assert {place.why for place in result.window} == {"start"}
    assert sum(result.counts) == len(TEXTS_OF_ALL)


def test_names_help_a_few_labels_and_tell_of_classes_without_one(pool: Pool) -> None:
    """The labelled tasks show sports and food."""
    labelled = (0, 1, 3, 4)

    alone = share_right(learnt(pool, NAMES, labelled, class_names="off"))

    assert share_right(learnt(pool, NAMES, labelled)) > alone + 0.1


def test_names_that_mislead_are_not_heard(pool: Pool) -> None:
    names, labelled = ("food", "money", "sports"), tuple(range(12))

    with_names = learnt(pool, names, labelled).ranking.probabilities
    without = learnt(pool, names, labelled, class_names="off").ranking.probabilities

    assert np.abs(with_names - without).max() < 0.05


@pytest.mark.parametrize(
    "names", [("x1", "x2", "x3"), ("class 1", "class 2", "class 3"), ("a", "b", "c")]
)
def test_names_without_a_word_of_their_own_are_nothing_new(
    pool: Pool, names: tuple[str, ...]
) -> None:
    with_names, without = learnt(pool, names), learnt(pool, names, class_names="off")

    assert not with_names.ranking.has_model
    assert with_names.window == without.window


def test_switched_off_the_features_are_as_without_names(pool: Pool) -> None:
    bare = FeatureTable.of(pool, seed=0)
    named = FeatureTable.of(pool, seed=0, names=[NAMES]).with_names(NAMES)

    assert teaching_names(schema(*NAMES), Preferences(class_names="off")) == ()
    assert has_opinion(named.views)
    assert descriptions(named.views) == bare.views
    assert np.array_equal(named.features[:, :-3], bare.features)
    assert np.array_equal(named.plain, bare.plain)


def test_equal_names_give_an_equal_order(pool: Pool) -> None:
    once, again = (learnt(pool, NAMES, (0, 1, 5)) for _ in range(2))

    assert once.window == again.window
    assert once.ranking.probabilities.tobytes() == again.ranking.probabilities.tobytes()


def test_the_first_centres_are_of_all_classes(pool: Pool) -> None:
    """A centre and a random task come in turn."""
    named = FeatureTable.of(pool, seed=0, names=[NAMES]).with_names(NAMES)
    guesses = first_guesses(named.features, named.views)
    assert guesses is not None

    for seed in range(5):
        first = named.start(3, 0, length=3, seed=seed)[:3]
        assert len(set(guesses[first].tolist())) == 3


def test_an_exported_model_knows_the_names(pool: Pool, tmp_path: Path) -> None:
    items = FeatureTable.of(pool, seed=0, names=[NAMES]).with_names(NAMES)
    named = within(learner("auto", 0), items.surroundings)
    labelled = [0, 1, 3, 4]
    predictor = named.fit(items.features[labelled], CODES[labelled], 3)
    assert isinstance(predictor, NamedPredictor)
    model = FittedModel(
        schema=schema(*NAMES),
        reads=InputSpec(kind="text", keys=("text",)),
        strategy="margin",
        featuriser=items.featuriser.without_tasks(),
        predictor=without_tasks(predictor),
    )
    (tmp_path / "model.skops").write_bytes(model.packed())

    kept = load_model(tmp_path / "model.skops")

    assert isinstance(kept, FittedModel)
    features = kept.featuriser.features(pool.numbers, pool.texts, pool.vectors)
    predictions = kept.predictor.predict(features)
    assert predictions == pytest.approx(predictor.predict(items.features), abs=1e-3)


def test_a_featuriser_of_an_older_format_has_no_names(pool: Pool) -> None:
    made = FeatureTable.of(pool, seed=0).featuriser.without_tasks()
    older = Featuriser.__new__(Featuriser)
    older.__setstate__([made.columns, made.layout, made.wordings])  # type: ignore[attr-defined] # of a dataclass with slots
    kept = {
        "schema": asdict(schema(*NAMES)),
        "reads": {"kind": "text"},
        "strategy": "margin",
        "featuriser": older,
        "predictor": None,
    }

    assert FittedModel.unpacked(kept).featuriser == made


def test_texts_in_another_language_than_the_names_are_told(pool: Pool) -> None:
    words = ("la partita di calcio", "il pane e il formaggio", "la banca e le tasse")
    read = TEXTS.describe([TaskInput(text=text) for text in words])
    names = (
        FeatureTable.of(pool, seed=0, names=[NAMES]).with_names(NAMES).featuriser.names
    )
    assert names is not None

    table = names.apply(pool_of(dict(enumerate(read))).vectors)

    assert table.argmax(axis=1).tolist() == [0, 1, 2]


def test_each_question_has_a_table_and_the_first_one_no_copy(pool: Pool) -> None:
    other = ("a match", "a meal", "a loan")
    bare = FeatureTable.of(pool, seed=0, names=[NAMES, other])

    first, second = bare.with_names(NAMES), bare.with_names(other)

    assert np.shares_memory(first.features, bare.features)
    assert bare.with_names(()) is bare
    assert bare.with_names(other) is second
    for table, names in ((first, NAMES), (second, other)):
        alone = FeatureTable.of(pool, seed=0, names=[names]).with_names(names)
        assert table.features.tobytes() == alone.features.tobytes()
        assert table.surroundings.graph is bare.surroundings.graph
        assert table.models is not bare.models


def test_without_texts_names_say_nothing() -> None:
    numbers = pool_of({n: TaskInput(numbers={"x": float(n)}) for n in range(4)})
    unread = pool_of({n: TaskInput(text="שלום") for n in range(4)})

    for table in (numbers, unread):
        assert not FeatureTable.of(table, seed=0, names=[NAMES]).named.opinions


def test_a_name_in_an_unknown_script_or_equal_texts_say_nothing(pool: Pool) -> None:
    equal = np.repeat(pool.vectors[:1], 5, axis=0)

    assert not FeatureTable.of(pool, seed=0, names=[("food", "שלום")]).named.opinions
    assert ClassNames.of(pool.vectors[:2], equal) is None
    assert ClassNames.of(pool.vectors[:2], equal[:0]) is None


def test_a_task_without_a_vector_is_of_any_class(pool: Pool) -> None:
    names = ClassNames.of(pool.vectors[:3], pool.vectors)
    assert names is not None

    for unknown in (np.zeros((2, 512), np.float16), np.empty((2, 0), np.float16)):
        assert opinion(names.apply(unknown)) == pytest.approx(1 / 3)


def test_trust_grows_and_falls_with_the_labels() -> None:
    telling = np.array([[0.8, 0.1, 0.1]] * 20)
    right, wrong = np.zeros(20, dtype=np.intp), np.ones(20, dtype=np.intp)

    assert NamesTrust.of(telling[:1], right[:1]).trust < 0.2
    assert NamesTrust.of(telling, right).trust > 0.99
    assert NamesTrust.of(telling, wrong).is_negligible
    many = np.ones(999, dtype=np.intp)
    assert np.isfinite(NamesTrust.of(np.eye(3)[[0] * 999], many).trust)


@pytest.mark.parametrize("unseen", [(), (2,), (0, 2)])
def test_names_and_labels_give_probabilities_together(unseen: tuple[int, ...]) -> None:
    known = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    known[:, list(unseen)] = 0
    known[:, 1] += 1 - known.sum(axis=1)
    names = np.array([[0.1, 0.1, 0.8], [0.3, 0.4, 0.3], [1.0, 1e-9, 1e-9]])
    codes = np.array(unseen, dtype=np.intp)

    for trust in (0.0, 0.5, 1.0):
        both = NamesTrust(trust=trust, unseen=codes, odds=0.4).join(known, names)
        assert both.sum(axis=1) == pytest.approx(1)
        assert (both >= 0).all()
        if not trust:
            assert both == pytest.approx(known)


@pytest.mark.parametrize(
    ("names", "have_words"),
    [
        (("spam", "ham"), True),
        (("猫", "犬"), True),
        (("good review", "bad review"), True),
        (("type A", "type B"), False),
        (("spam", "x"), False),
        (("1", "2", "3"), False),
        (("one",), False),
        (tuple(f"word{'a' * n}" for n in range(201)), False),
    ],
)
def test_names_must_have_words(names: tuple[str, ...], *, have_words: bool) -> None:
    assert are_telling(names) == have_words


def test_what_people_read_of_a_class_counts_not_its_alias() -> None:
    choices = (
        '<Choice value="Sports" alias="s" hint="ball games"/><Choice value="Food">'
        '<Choice value="Bread" alias="b"/><Choice value="Soup"/></Choice>'
    )
    config = (
        '<View><Text name="t" value="$t"/><Choices name="c" toName="t"'
        f' allowNested="true">{choices}</Choices></View>'
    )

    parsed_schema = read_schema(config)

    assert parsed_schema.classes == ("s", "Food / b", "Food / Soup")
    assert parsed_schema.class_texts == (
        "Sports: ball games",
        "Food / Bread",
        "Food / Soup",
    )
    assert teaching_names(parsed_schema, Preferences()) == parsed_schema.class_texts
    assert schema("spam", "ham").class_texts == ()


def test_an_opinion_is_the_last_view_only() -> None:
    assert has_opinion((4, OpinionWidth(3)))
    assert not has_opinion((4, 3))
    assert not has_opinion(())
    assert first_guesses(np.ones((2, 7), np.float32), (4, 3)) is None
