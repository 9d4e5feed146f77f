"""Laws of learning, whatever the tasks and the labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dubito.model.arrays import Codes, Features
from dubito.model.learners.ensemble import Ensemble
from dubito.model.learners.unlabelled_context import UnlabelledContext
from tests.examples import examples

few_values = st.sampled_from([-8.0, 0.0, 0.5, 0.51, 3.0])
"""Copies, constant columns and far-out values are what goes wrong."""


@st.composite
def projects(draw: st.DrawFn) -> tuple[Features, Codes]:
    """Draw all tasks of a project, and labels for the first of them."""
    shape = draw(st.tuples(st.integers(2, 40), st.integers(0, 4)))
    features = draw(arrays(np.float32, shape, elements=few_values))
    n_labels = draw(st.integers(2, shape[0]))
    codes = draw(arrays(np.intp, n_labels, elements=st.integers(0, 4)))
    codes[:2] = 1, 3
    return features, codes


@pytest.mark.slow
@examples(10)
@given(project=projects())
def test_any_labels_of_any_tasks_give_probabilities(
    project: tuple[Features, Codes],
) -> None:
    features, codes = project
    chosen = Ensemble().within(UnlabelledContext(features))

    predictions = chosen.fit(features[: len(codes)], codes, 6).predict(features)

    assert predictions.min() >= 0.0
    assert predictions.sum(axis=1) == pytest.approx(1.0)
    assert (predictions[:, np.setdiff1d(np.arange(6), codes)] == 0).all()


@pytest.mark.slow
@examples(6)
@given(project=projects())
def test_equal_tasks_and_labels_give_equal_predictions(
    project: tuple[Features, Codes],
) -> None:
    """Law 5: to the last bit, whoever computes it."""
    features, codes = project

    once, again = (
        Ensemble(7)
        .within(UnlabelledContext(features.copy()))
        .fit(features[: len(codes)], codes, 5)
        .predict(features)
        for _ in range(2)
    )

    assert once.tobytes() == again.tobytes()


@pytest.mark.slow
@examples(6)
@given(project=projects())
def test_what_is_said_of_a_task_does_not_depend_on_the_others(
    project: tuple[Features, Codes],
) -> None:
    """Of one that is not in the pool, too: it is seen as the pool is."""
    features, codes = project
    around = UnlabelledContext(features)
    predictor = Ensemble().within(around).fit(features[: len(codes)], codes, 5)

    together = predictor.predict(features)
    alone = [predictor.predict(features[[n]])[0] for n in range(len(features))]

    assert together == pytest.approx(np.array(alone), abs=1e-4)
