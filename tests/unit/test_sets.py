"""Learning which of some classes each task has: several, one, or none."""

import numpy as np
import pytest

from dubito.model.arrays import Codes, Features, Members, Views, likely_members
from dubito.model.errors import OneClassError
from dubito.model.learners.ensemble import Ensemble
from dubito.model.learners.fitting import fit_labels
from dubito.model.learners.registry import (
    Learner,
    OneByOne,
    Predictor,
    learner,
    within,
)
from dubito.model.learners.unlabelled_context import UnlabelledContext

pytestmark = pytest.mark.usefixtures("few_trees")


def labelled(n: int = 200, views: Views = ()) -> tuple[UnlabelledContext, Members]:
    """Build tasks with a class for each big feature; the third class is rare."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(n, 3)).astype(np.float32)
    members = features > [0.5, 0.5, 1.3]
    columns = [features, *(features[:, :width] for width in views)]
    return UnlabelledContext(np.hstack(columns), views), members


def learnt(
    chosen: Learner, around: UnlabelledContext, members: Members, n_labels: int = 80
) -> Predictor:
    informed = within(chosen, around)
    predictor = fit_labels(informed, around.features[:n_labels], members[:n_labels], 3)
    assert predictor is not None
    return predictor


class Plain:
    """A learner of another package: it knows one-of labels alone."""

    def fit(self, features: Features, codes: Codes, n_classes: int) -> Predictor:
        return Ensemble().fit(features, codes, n_classes)


@pytest.mark.slow
@pytest.mark.parametrize("views", [(), (2,)])
@pytest.mark.parametrize("chosen", [learner("auto", 0), Plain()])
def test_sets_that_were_shown_are_learnt(chosen: Learner, views: Views) -> None:
    around, members = labelled(views=views)

    predictor = learnt(chosen, around, members)

    predictions = likely_members(predictor.predict(around.features))[80:]
    truth = members[80:]
    right = (
        2
        * (predictions & truth).sum(axis=0)
        / (predictions.sum(axis=0) + truth.sum(axis=0))
    )
    assert right.min() > 0.6
    assert (~predictions.any(axis=1)).any()
    assert (predictions.sum(axis=1) > 1).any()


def test_as_many_tasks_have_a_rare_class_as_the_labels_let_expect() -> None:
    around, members = labelled()

    predictions = learnt(Ensemble(), around, members).predict(around.features)

    assert likely_members(predictions)[:, 2].mean() == pytest.approx(0.1, abs=0.05)


@pytest.mark.parametrize("chosen", [Ensemble(), OneByOne(Plain())])
def test_a_class_that_no_label_tells_apart_has_its_share(
    chosen: Ensemble | OneByOne,
) -> None:
    around, members = labelled()
    members[:, 1], members[:, 2] = False, True

    predictions = chosen.fit_sets(around.features, members).predict(around.features)

    assert predictions[:, 1] == pytest.approx(0.5 / 201)
    assert predictions[:, 2] == pytest.approx(200.5 / 201)
    assert np.ptp(predictions[:, 0]) > 0.5


def test_equal_labels_teach_nothing() -> None:
    around, _ = labelled(4)
    same = np.array([[True, False, True]] * 4)

    with pytest.raises(OneClassError):
        Ensemble().fit_sets(around.features, same)

    assert fit_labels(Ensemble(), around.features, same, 3) is None


def test_two_labels_are_enough() -> None:
    around, _ = labelled(2)
    members = np.array([[True, False, True], [False, False, True]])

    predictions = Ensemble().fit_sets(around.features, members).predict(around.features)

    assert likely_members(predictions).tolist() == members.tolist()


@pytest.mark.parametrize("width", [0, 1])
def test_tasks_that_differ_in_nothing_have_the_shares_of_the_labels(width: int) -> None:
    features = np.zeros((8, width), dtype=np.float32)
    members = np.array([[True, n % 4 == 0] for n in range(7)] + [[False, False]])

    predictions = Ensemble().fit_sets(features, members).predict(features)

    assert np.ptp(predictions, axis=0).max() == pytest.approx(0.0, abs=1e-6)


def test_equal_labels_give_equal_probabilities_and_what_is_kept_is_small() -> None:
    around, members = labelled()
    informed = Ensemble(3).within(around)

    first = informed.fit_sets(around.features[:40], members[:40])
    again = informed.fit_sets(around.features[:40], members[:40])

    expected = first.predict(around.features)
    assert np.array_equal(expected, again.predict(around.features))
    bare = first.without_tasks()
    assert len(bare.surroundings.features) == 0
    assert bare.predict(around.features.copy()) == pytest.approx(expected, abs=1e-6)
