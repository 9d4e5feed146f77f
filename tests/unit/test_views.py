"""Views: other descriptions of the tasks, heard as far as labels bear them out."""

from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import pytest
from skops import io as skops

from dubito.backend.export.skops_file import OURS, THEIRS
from dubito.backend.features.feature_table import FeatureTable, Featuriser
from dubito.backend.learning import round as rounds
from dubito.backend.learning.round_input import query_config
from dubito.backend.learning.task_predictions import TaskPredictions
from dubito.backend.project_settings import Preferences
from dubito.backend.state.pool import Pool
from dubito.model.arrays import (
    Codes,
    Features,
    Positions,
    Probabilities,
    Targets,
    Views,
    cut,
    plain,
)
from dubito.model.evaluation.crossfit import (
    Fit,
    LabelledRows,
    Predict,
    fit_by,
    hold_out,
)
from dubito.model.features.mixed_columns import Layout
from dubito.model.features.tabular import CLIP
from dubito.model.features.views import named
from dubito.model.learners.ensemble import Ensemble
from dubito.model.learners.experts import ViewExpert
from dubito.model.learners.registry import PlainPredictor, within
from dubito.model.learners.unlabelled_context import UnlabelledContext
from dubito.model.query.selection import QueryConfig
from dubito.model.query.uncertainty import margin
from dubito.model.simulation import Labelled, SimulatedPool, by_dubito
from tests.benchmarks.peers import Regression
from tests.questions import ask, said_of, window

pytestmark = pytest.mark.usefixtures("few_trees")

COLUMNS = (*named("course", "x", 2), *named("course", "y", 2), "mean")
VIEWS = (2, 3)


def raw(n_tasks: int = 40) -> Features:
    """Return columns of two channels of a view, the second far stronger, and one."""
    samples = np.random.default_rng(0).normal(size=(n_tasks, 5))
    return (samples * [1, 1, 1_000, 1_000, 5] + 3).astype(np.float32)


def told_by(*which: int) -> tuple[Features, np.ndarray]:
    """Return features of which some views tell the classes, and the classes."""
    rng = np.random.default_rng(1)
    codes = np.arange(120) % 3
    blocks = [rng.normal(size=(120, width)) for width in (4, *VIEWS)]
    for block in which:
        blocks[block][:, :2] += 4 * np.column_stack([codes == 1, codes == 2])
    return np.hstack(blocks).astype(np.float32), codes


def test_a_view_is_cut_off_again() -> None:
    features, _ = told_by(0)

    assert plain(features, VIEWS).shape == (120, 4)
    first, second = cut(features, VIEWS)
    assert np.array_equal(np.hstack([plain(features, VIEWS), first, second]), features)


def test_a_view_stands_behind_the_plain_columns_and_its_parts_weigh_the_same() -> None:
    table = raw()
    layout = Layout.of(COLUMNS, table)

    (view,) = layout.look(table)

    assert layout.widths == (4,)
    assert layout.apply(table).shape == (40, 1)
    assert np.median(view, axis=0) == pytest.approx(0, abs=1e-6)
    sizes = view.reshape(40, 2, 2).std(axis=(0, 2))
    assert sizes == pytest.approx([1, 1], abs=0.4)


def test_columns_of_a_part_keep_their_proportions() -> None:
    """Where nothing happens in any window, noise is not blown up."""
    table = raw()
    table[:, 0] = 0.01 * table[:, 1]

    (view,) = Layout.of(COLUMNS, table).look(table)

    assert view[:, 0].std() == pytest.approx(0.01 * view[:, 1].std(), rel=1e-3)


def test_what_a_view_lacks_is_0_and_what_is_far_out_is_cut() -> None:
    table = raw()
    layout = Layout.of(COLUMNS, table)
    table[0], table[1] = np.nan, 1e30

    (view,) = layout.look(table)

    assert not view[0].any()
    assert (view[1] == CLIP).all()


def test_a_view_nobody_has_says_nothing() -> None:
    table = np.full((3, 5), np.nan, dtype=np.float32)

    (view,) = Layout.of(COLUMNS, table).look(table)

    assert view.shape == (3, 4)
    assert not view.any()


def test_views_follow_the_text() -> None:
    table, texts = raw(), tuple(f"word{n % 3} and more" for n in range(40))
    vectors = np.eye(40, dtype=np.float16)
    pool = Pool(
        task_ids=np.arange(40),
        columns=COLUMNS,
        numbers=table,
        texts=texts,
        vectors=vectors,
    )

    made = Featuriser.of(pool, seed=0)

    (view,) = made.layout.look(table)
    features = made.features(table, texts, vectors)
    assert made.wordings is not None
    first_view, second_view = cut(features, made.views)
    assert np.array_equal(first_view, view)
    _, (words,) = made.wordings.features(texts, vectors)
    assert np.array_equal(second_view, words)


def test_the_view_that_tells_the_classes_is_heard() -> None:
    features, codes = told_by(2)
    rows = np.arange(0, 120, 5)

    with_views, without = (
        Ensemble()
        .within(UnlabelledContext(features, views))
        .fit(features[rows], codes[rows], 3)
        for views in (VIEWS, ())
    )

    heard = {
        opinion.view: weight
        for opinion, weight in zip(with_views.opinions, with_views.weights, strict=True)
        if isinstance(opinion, ViewExpert)
    }
    assert max(heard, key=heard.__getitem__) == 1
    right = with_views.predict(features).argmax(axis=1) == codes
    assert right.mean() > 0.93
    assert right.mean() > (without.predict(features).argmax(axis=1) == codes).mean()


def test_views_that_tell_nothing_do_no_harm() -> None:
    features, codes = told_by(0)
    rows = np.arange(0, 120, 5)
    alone = plain(features, VIEWS)

    learner = Ensemble().within(UnlabelledContext(features, VIEWS))
    usual = Ensemble().within(UnlabelledContext(alone))

    predictions = (
        learner.fit(features[rows], codes[rows], 3).predict(features).argmax(axis=1)
    )
    known = usual.fit(alone[rows], codes[rows], 3).predict(alone).argmax(axis=1)
    assert (predictions == codes).mean() >= (known == codes).mean() - 0.03


def test_equals_are_equal_without_the_tasks_too() -> None:
    features, codes = told_by(1)
    fitted = (
        Ensemble().within(UnlabelledContext(features, VIEWS)).fit(features, codes, 3)
    )

    new = features[:9].copy()

    assert np.array_equal(fitted.without_tasks().predict(new), fitted.predict(new))


def test_a_learner_that_cannot_weigh_views_does_not_see_them() -> None:
    features, codes = told_by(2)
    around = UnlabelledContext(features, VIEWS)
    other = features.copy()
    other[:, 4:] = 0

    learnt = within(Regression(seed=0), around).fit(features, codes, 3)

    assert np.array_equal(learnt.predict(features), learnt.predict(other))


def test_what_hides_the_views_can_be_taken_away() -> None:
    features, codes = told_by(0)
    alone = plain(features, VIEWS)
    learnt = PlainPredictor(Ensemble().fit(alone, codes, 3), VIEWS)

    kept = skops.loads(skops.dumps(learnt), trusted=[*OURS, *THEIRS])

    assert np.array_equal(kept.predict(features), learnt.predict(features))


def test_the_start_does_not_look_at_views() -> None:
    table = raw()
    pools = (
        Pool(task_ids=np.arange(40), columns=columns, numbers=numbers, texts=())
        for columns, numbers in ((COLUMNS, table), (COLUMNS[4:], table[:, 4:]))
    )

    with_view, without = (FeatureTable.of(pool, seed=0) for pool in pools)

    assert with_view.views == (4,)
    assert np.array_equal(with_view.plain, without.plain)
    first, second = (one.start(3, 3, length=20, seed=0) for one in (with_view, without))
    assert np.array_equal(first, second)


def test_the_window_is_kept_apart_by_the_plain_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alike = np.full((40, 3), 1 / 3)
    unsure = TaskPredictions(probabilities=alike, certainty=margin(alike))
    monkeypatch.setattr(rounds, "learn", lambda _: unsure)
    table = raw()
    table[:, 4] = table[np.arange(40) // 8, 4]  # eight copies of each
    pools = (
        Pool(task_ids=np.arange(10, 50), columns=columns, numbers=numbers, texts=())
        for columns, numbers in ((COLUMNS, table), (COLUMNS[4:], table[:, 4:]))
    )

    first, second = (
        window(ask(FeatureTable.of(pool, seed=0), said_of(range(10, 18)), audit=0))
        for pool in pools
    )

    assert first == second


def test_a_replay_asks_as_if_there_were_no_views() -> None:
    features, codes = told_by(0, 1, 2)
    features[:, :4] = features[np.arange(120) // 12, :4]  # a dozen copies of each
    task_ids = np.arange(120)
    with_views = Labelled(
        task_ids=task_ids, features=features, codes=codes, n_classes=3, views=VIEWS
    )
    alone = replace(with_views, features=with_views.plain, views=())
    manner = query_config(Preferences(), 3)

    first, second = (
        asked_for(SimulatedPool(pool=pool, learner=Silent()), manner, 60)
        for pool in (with_views, alone)
    )

    assert len(set(first)) == 60
    assert first == second


def asked_for(lesson: SimulatedPool, manner: QueryConfig, count: int) -> list[int]:
    """Return the first tasks that are asked for, each labelled before the next."""
    for position in islice(by_dubito(lesson, manner), count):
        lesson.order.append(position)
    return lesson.order


@dataclass
class Silent:
    """A learner that has nothing to say, whatever it is shown."""

    n_classes: int = 3

    def fit(self, _features: Features, _codes: Codes, n_classes: int) -> "Silent":
        return Silent(n_classes)

    def predict(self, features: Features) -> Probabilities:
        return np.full((len(features), self.n_classes), 1 / self.n_classes)


@dataclass
class Curious:
    """A learner that notes of which views it was told."""

    views_seen: list[Views] = field(default_factory=list)

    def within(self, surroundings: UnlabelledContext) -> "Curious":
        self.views_seen.append(surroundings.views)
        return self

    def fit(self, _features: Features, _codes: Codes, n_classes: int) -> Silent:
        return Silent(n_classes)


def test_replays_and_assessments_tell_of_views() -> None:
    features, codes = told_by(0)
    known = LabelledRows(
        features=features,
        rows=np.arange(9),
        codes=codes[:9],
        ties=np.arange(120, dtype=np.uint64),
        n_classes=3,
        views=VIEWS,
    )
    pool = Labelled(
        task_ids=np.arange(120),
        features=features,
        codes=codes,
        n_classes=3,
        views=VIEWS,
    )
    learner = Curious()

    fit_by(learner, known)(known.rows, known.codes)
    SimulatedPool(pool=pool, learner=learner, order=list(range(9))).learnt(9)

    assert learner.views_seen == [VIEWS, VIEWS]


def test_tasks_asked_instead_are_kept_apart_by_the_plain_columns() -> None:
    features, codes = told_by(0, 1, 2)
    features[:, :4] = features[np.arange(120) // 4, :4]
    asked = []
    for views, seen in ((VIEWS, features), ((), plain(features, VIEWS))):
        known = LabelledRows(
            features=seen,
            rows=np.arange(0, 120, 5),
            codes=codes[::5],
            ties=np.random.default_rng(0).permutation(120).astype(np.uint64),
            n_classes=3,
            views=views,
        )
        rows: list[Positions] = []
        fold = np.isin(np.arange(120), known.rows[::3])
        hold_out(known, fold, noting(rows), np.zeros(120, dtype=np.intp))
        asked.append(rows[-1])

    first, second = asked
    assert np.array_equal(first, second)


def noting(rows: list[Positions]) -> Fit:
    """Return a way to learn nothing, and to note from which rows."""

    def fit(chosen: Positions, _codes: Targets) -> Predict:
        rows.append(chosen)
        return lambda wanted: np.full((len(wanted), 3), 1 / 3)

    return fit
