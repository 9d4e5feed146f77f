"""Long tasks are asked for by their doubt as a whole, or by that of each word."""

import pytest

from dubito.backend.controls.stretches import Stretch, packed_stretches
from dubito.backend.data_kinds.unit_sequences import packed_text
from dubito.backend.features.task_sequences import TaskSequences
from dubito.backend.learning.stretches import fit_tasks, predict_tasks
from dubito.backend.project_settings import Cost

CLASSES = ("PER",)
KNOWN, SHORT, LONG = "Ann went home", "Ann", "went home " * 9 + "Bob"


@pytest.mark.parametrize(("cost", "asks_for_the_short_one"), [
    ("task", False), ("length", True),
])  # fmt: skip
def test_a_long_text_costs_as_its_owner_says(
    cost: Cost, *, asks_for_the_short_one: bool
) -> None:
    pool = TaskSequences.of([packed_text(text) for text in (KNOWN, SHORT, LONG)])
    labels = {0: packed_stretches([Stretch(0, 3, "PER")])}
    model = fit_tasks(pool, labels, CLASSES, seed=0)
    assert model is not None

    _, short, long = predict_tasks(model, pool, CLASSES, cost).certainty

    assert (short < long) == asks_for_the_short_one
    assert abs(short - long) > 0.1
