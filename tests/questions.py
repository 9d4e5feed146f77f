"""Rounds over a few tasks: rows of numbers, and what people said of them."""

from collections.abc import Sequence

import numpy as np

from dubito.backend.features.feature_table import FeatureTable
from dubito.backend.learning.labels import Labels, derive_labels
from dubito.backend.learning.round import RoundResult, run_round
from dubito.backend.learning.round_input import RoundInput
from dubito.backend.project_settings import Preferences
from dubito.backend.records import Annotation
from dubito.backend.state.pool import Pool
from dubito.model.arrays import Features
from tests.builders import annotation, project, schema

CLASSES = ("a", "b", "c")
SCHEMA = schema(*CLASSES)


def preferences(**chosen: object) -> Preferences:
    return Preferences.model_validate({"window": 8, **chosen})


def items(rows: Features, seed: int = 0) -> FeatureTable:
    """Make tasks 10, 11 … of rows of numbers."""
    pool = Pool(
        task_ids=np.arange(10, 10 + len(rows), dtype=np.int64),
        columns=tuple(f"f{column}" for column in range(rows.shape[1])),
        numbers=rows,
        texts=(),
    )
    return FeatureTable.of(pool, seed)


def answers(
    made: FeatureTable, labels_of_tasks: Sequence[str | None]
) -> list[Annotation]:
    """Let people answer the first tasks; None is a skip."""
    given = zip(made.task_ids.tolist(), labels_of_tasks, strict=False)
    return [
        annotation(number, choice, task=task)
        for number, (task, choice) in enumerate(given)
    ]


def labels(made: FeatureTable, labels_of_tasks: Sequence[str | None]) -> Labels:
    return derive_labels(answers(made, labels_of_tasks), SCHEMA, project())


def ask(made: FeatureTable, known: Labels, **chosen: object) -> RoundResult:
    question = RoundInput(
        schema=SCHEMA, preferences=preferences(**chosen), items=made, labels=known
    )
    return run_round(question, 1, "basis")


def window(result: RoundResult) -> list[int]:
    return [place.task for place in result.window]


def reasons(result: RoundResult) -> list[str]:
    return [place.why for place in result.window]


def blobs(count: int, seed: int = 0) -> Features:
    """Draw three overlapping clouds in turn."""
    rng = np.random.default_rng(seed)
    centres = 4 * np.eye(3)[np.arange(count) % 3]
    return (centres + rng.normal(size=(count, 3))).astype(np.float32)


def truth(task: int) -> str:
    return CLASSES[(task - 10) % 3]


def said_of(tasks: Sequence[int]) -> Labels:
    given = [annotation(n, truth(task), task=task) for n, task in enumerate(tasks)]
    return derive_labels(given, SCHEMA, project())
