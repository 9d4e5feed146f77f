"""A key that the settings name and no task has is told, and not acted on in words."""

from collections.abc import Iterator

import numpy as np
import pytest

from dubito.backend.export.model_zip import card_of, fit_model
from dubito.model.query.seed_set import permutation
from tests.dubito_process import CLASSES, feature_rows
from tests.label_studio import JsonObject, choices_config
from tests.quick_learner import NAME as QUICK
from tests.quick_learner import quick_learner_installed
from tests.service.stand import Stand

TASKS = 50
LABELS = 36
PEOPLE = 12


@pytest.fixture(scope="module", autouse=True)
def _learner() -> Iterator[None]:
    """Give a learner that takes no time: an assessment fits dozens of models."""
    with quick_learner_installed():
        yield


def project_with(bench: Stand, **settings: object) -> int:
    """Make a connected project of several people's tasks, most of them labelled."""
    there = bench.label_studio
    project = there.create_project(
        "people", choices_config(*CLASSES, attributes='value="$row"')
    )
    rows = feature_rows(TASKS)
    data: list[JsonObject] = [
        one | {"person": f"p{number % PEOPLE}", "empty": None}
        for number, (one, _) in enumerate(rows)
    ]
    data[-1]["seldom"] = 1.0
    ids = there.import_tasks(project, data)
    order = permutation(np.array(ids, dtype=np.int64), seed=0)
    for place in order[:LABELS].tolist():
        there.annotate(ids[place], rows[place][1])
    params = {"learner": QUICK, **settings}
    there.connect_backend(project, bench.url, extra_params=params)
    bench.connect(project)
    bench.settle(project)
    return project


def notes_on_keys(bench: Stand, project: int) -> list[str]:
    notes: list[str] = [*map(str, bench.status(project)["notes"])]
    return [note for note in notes if "in the extra params names" in note]


def card(bench: Stand, project: int) -> str:
    state = bench.state(project)
    return card_of(fit_model(bench.services, state), state)


@pytest.mark.parametrize("key", ["Person", "empty"])
def test_a_group_that_no_task_has_is_named_and_not_claimed(
    bench: Stand, key: str
) -> None:
    project = project_with(bench, group=key)

    [note] = notes_on_keys(bench, project)
    assert note.startswith(f"no task has a value under the key {key!r}, which `group`")
    assert "check the spelling: the data has keys such as 'f0', 'f1'" in note
    assert "'person'" in note
    assert bench.status(project)["accuracy"] is not None
    text = card(bench, project)
    assert "the chance that such a task" in text
    assert "had not seen its label" in text
    assert f"another {key}" not in text


def test_a_group_that_tasks_have_is_claimed_without_a_note(bench: Stand) -> None:
    project = project_with(bench, group="person")

    assert notes_on_keys(bench, project) == []
    text = card(bench, project)
    assert "a task of somebody new (another person)" in text
    assert "any label of the same person" in text


def test_a_corrected_key_is_named_no_more(bench: Stand) -> None:
    project = project_with(bench, group="Person", features=["f0", "F1"])
    notes = notes_on_keys(bench, project)
    [row] = bench.label_studio.ml_backends(project)
    params = {"learner": QUICK, "group": "person", "features": ["f0", "f1"]}
    body = {
        "url": row["url"],
        "project": project,
        "title": row["title"],
        "extra_params": params,
    }
    bench.label_studio.call("PATCH", f"/api/ml/{row['id']}", json=body)
    bench.connect(project)
    bench.settle(project)

    assert len(notes) == 2
    assert notes_on_keys(bench, project) == []


@pytest.mark.parametrize(
    ("features", "keys"),
    [
        (["f0", "zzz"], "the key 'zzz', which `features`"),
        (["zzz"], "the key 'zzz', which `features`"),
        (["f0", "zzz", "yyy"], "the keys 'zzz', 'yyy', which `features`"),
    ],
)
def test_features_that_no_task_has_are_named(
    bench: Stand, features: list[str], keys: str
) -> None:
    project = project_with(bench, features=features)

    [note] = notes_on_keys(bench, project)
    assert f"no task has a value under {keys}" in note
    assert "keys such as 'f0', 'f1'" in note


def test_a_key_that_one_task_has_is_not_named(bench: Stand) -> None:
    project = project_with(bench, features=["f0", "seldom"])

    assert notes_on_keys(bench, project) == []
