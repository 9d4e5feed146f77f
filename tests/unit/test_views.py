"""Views: other descriptions of the tasks, heard as far as labels bear them out."""

import numpy as np
import pytest

from backend.learning.features import Featuriser
from backend.state.tasks import Pool
from model.arrays import Features, cut, plain
from model.ensemble import Ensemble
from model.features.columns import Layout
from model.features.tabular import CLIP
from model.features.views import named
from model.learner import within
from model.opinions import ViewOpinion
from model.surroundings import Surroundings
from tests.benchmarks.peers import Regression

COLUMNS = (*named("course", "x", 2), *named("course", "y", 2), "mean")
VIEWS = (2, 3)


def raw(n_tasks: int = 40) -> Features:
    """Return columns of two channels of a view, the second far stronger, and one."""
    drawn = np.random.default_rng(0).normal(size=(n_tasks, 5))
    return (drawn * [1, 1, 1_000, 1_000, 5] + 3).astype(np.float32)


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
    pool = Pool(task_ids=np.arange(40), columns=COLUMNS, numbers=table, texts=texts)

    made = Featuriser.of(pool, seed=0)

    (view,) = made.layout.look(table)
    found = made.features(table, texts)
    assert np.array_equal(cut(found, made.layout.widths)[0], view)


def test_the_view_that_tells_the_classes_is_heard() -> None:
    features, codes = told_by(2)
    rows = np.arange(0, 120, 5)

    with_views, without = (
        Ensemble()
        .within(Surroundings(features, views))
        .fit(features[rows], codes[rows], 3)
        for views in (VIEWS, ())
    )

    heard = {
        opinion.view: weight
        for opinion, weight in zip(with_views.opinions, with_views.weights, strict=True)
        if isinstance(opinion, ViewOpinion)
    }
    assert max(heard, key=heard.__getitem__) == 1
    right = with_views.predict(features).argmax(axis=1) == codes
    assert right.mean() > 0.93
    assert right.mean() > (without.predict(features).argmax(axis=1) == codes).mean()


def test_views_that_tell_nothing_do_no_harm() -> None:
    features, codes = told_by(0)
    rows = np.arange(0, 120, 5)
    alone = plain(features, VIEWS)

    found = Ensemble().within(Surroundings(features, VIEWS))
    usual = Ensemble().within(Surroundings(alone))

    told = found.fit(features[rows], codes[rows], 3).predict(features).argmax(axis=1)
    known = usual.fit(alone[rows], codes[rows], 3).predict(alone).argmax(axis=1)
    assert (told == codes).mean() >= (known == codes).mean() - 0.03


def test_equals_are_equal_without_the_tasks_too() -> None:
    features, codes = told_by(1)
    fitted = Ensemble().within(Surroundings(features, VIEWS)).fit(features, codes, 3)

    new = features[:9].copy()

    assert np.array_equal(fitted.without_tasks().predict(new), fitted.predict(new))


def test_a_learner_that_cannot_weigh_views_does_not_see_them() -> None:
    features, codes = told_by(2)
    around = Surroundings(features, VIEWS)
    other = features.copy()
    other[:, 4:] = 0

    learnt = within(Regression(seed=0), around).fit(features, codes, 3)

    assert np.array_equal(learnt.predict(features), learnt.predict(other))
